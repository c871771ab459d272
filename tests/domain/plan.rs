//! The plan: a page against what is stored.

use proptest::prelude::*;
use std::collections::BTreeMap;
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::ids::RegistrationId;
use talkvalue_core::sync::plan::{ChangeKind, Plan, RowChange, plan_page};

fn registration(id: &str, name: &str, version: i64) -> Registration {
    Registration {
        external_id: RegistrationId::from_text(id),
        name: Some(name.to_owned()),
        email: Some(format!("{id}@example.net")),
        company: None,
        ticket_type: None,
        status: AttendeeStatus::Attending,
        provider_status: "Attending".to_owned(),
        checked_in_at: None,
        order_id: None,
        registered_at: None,
        updated_at: None,
        tickets: 1,
        tickets_checked_in: 0,
        version,
    }
}

/// What the store would hold after the plan.
fn apply(stored: &mut BTreeMap<String, Registration>, plan: &Plan) {
    for change in &plan.changes {
        let (RowChange::Insert(row) | RowChange::Update { row, .. }) = change;
        stored.insert(row.external_id.as_str().to_owned(), row.clone());
    }
}

#[test]
fn each_kind_of_change_is_named_and_keeps_the_fields_that_differ() {
    let before = registration("1", "Imani", 1);
    let moment = talkvalue_tests::noon();
    let changed = |change: &dyn Fn(&mut Registration)| {
        let mut row = registration("1", "Imani", 2);
        change(&mut row);
        row
    };
    let checked_in = Registration {
        checked_in_at: Some(moment),
        ..before.clone()
    };
    let gone = Registration {
        status: AttendeeStatus::NotAttending,
        ..before.clone()
    };
    let table = [
        (
            before.clone(),
            changed(&|row| row.name = Some("Imani Okoro".into())),
            ChangeKind::Updated,
            vec!["name"],
        ),
        (
            before.clone(),
            changed(&|row| row.status = AttendeeStatus::NotAttending),
            ChangeKind::Cancelled,
            vec!["status"],
        ),
        (gone, changed(&|_| {}), ChangeKind::Restored, vec!["status"]),
        (
            before.clone(),
            changed(&|row| row.checked_in_at = Some(moment)),
            ChangeKind::CheckedIn,
            vec!["checkedInAt"],
        ),
        (
            checked_in,
            changed(&|_| {}),
            ChangeKind::CheckInUndone,
            vec!["checkedInAt"],
        ),
    ];
    for (stored, page, expected, fields) in table {
        let plan = plan_page(vec![page], vec![stored]);
        let [RowChange::Update { journal, .. }] = plan.changes.as_slice() else {
            panic!("one update is expected: {plan:?}");
        };
        assert_eq!(journal.change, expected);
        let named: Vec<&String> = journal.after.as_object().unwrap().keys().collect();
        assert_eq!(named, fields, "the journal keeps what changed and nothing else");
        assert_eq!(
            journal.before.as_object().unwrap().len(),
            fields.len(),
            "before and after name the same fields"
        );
    }
}

#[test]
fn an_older_reading_is_not_applied() {
    let plan = plan_page(
        vec![registration("1", "old", 1)],
        vec![registration("1", "new", 2)],
    );
    assert!(
        plan.changes.is_empty(),
        "a lagging replica must not undo a newer row"
    );
    assert_eq!(plan.outdated, 1);
}

#[test]
fn a_reading_of_the_same_moment_is_applied() {
    let plan = plan_page(vec![registration("1", "b", 2)], vec![registration("1", "a", 2)]);
    assert_eq!(
        plan.changes.len(),
        1,
        "times have whole seconds: a second change in one second counts"
    );
}

#[test]
fn a_repeated_row_counts_once() {
    let page = vec![
        registration("1", "a", 1),
        registration("2", "b", 1),
        registration("1", "a", 1),
    ];
    let plan = plan_page(page, Vec::new());
    assert_eq!(plan.changes.len(), 2);
}

fn rows() -> impl Strategy<Value = Vec<Registration>> {
    proptest::collection::vec(
        (0..6u8, "[ab]{1,2}", 0..4i64)
            .prop_map(|(id, name, version)| registration(&id.to_string(), &name, version)),
        0..20,
    )
}

proptest! {
    #[test]
    fn a_page_read_twice_changes_nothing_the_second_time(stored in rows(), page in rows()) {
        let mut store = BTreeMap::new();
        apply(&mut store, &plan_page(stored, Vec::new()));
        let first = plan_page(page.clone(), store.values().cloned().collect());
        apply(&mut store, &first);
        let once = store.clone();
        let again = plan_page(page, store.values().cloned().collect());
        // Two readings of one version may disagree; the last one stands and is confirmed, never a third value.
        apply(&mut store, &again);
        prop_assert_eq!(&store, &once);
    }

    #[test]
    fn no_row_ever_goes_back_in_time(stored in rows(), page in rows()) {
        let mut store = BTreeMap::new();
        apply(&mut store, &plan_page(stored, Vec::new()));
        let before = store.clone();
        apply(&mut store, &plan_page(page, before.values().cloned().collect()));
        for (id, row) in &before {
            prop_assert!(store[id].version >= row.version || store[id].says_the_same(row));
        }
    }

    #[test]
    fn every_row_of_a_page_is_accounted_for(stored in rows(), page in rows()) {
        let mut store = BTreeMap::new();
        apply(&mut store, &plan_page(stored, Vec::new()));
        let distinct: std::collections::BTreeSet<_> = page.iter().map(|row| row.external_id.clone()).collect();
        let plan = plan_page(page, store.values().cloned().collect());
        let named = plan.changes.len() as u64 + plan.unchanged;
        prop_assert!(named <= distinct.len() as u64);
        apply(&mut store, &plan);
        for id in distinct {
            prop_assert!(store.contains_key(id.as_str()), "nobody on a page is lost");
        }
    }
}
