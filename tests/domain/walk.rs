//! The bookkeeping of a walk: what may have been skipped, and what never ends.

use jiff::{SignedDuration, Timestamp};
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration, SetAside};
use talkvalue_core::domain::ids::{ExternalId, RegistrationId};
use talkvalue_core::ports::{Cursor, RegistrationPage, Walk};
use talkvalue_core::sync::walk::Tally;

fn at(secs: i64) -> Timestamp {
    talkvalue_tests::noon()
        .checked_add(SignedDuration::from_secs(secs))
        .unwrap()
}

fn row(id: u32, registered_at: Timestamp) -> Registration {
    Registration {
        external_id: RegistrationId::from_text(id.to_string()),
        name: None,
        email: None,
        company: None,
        ticket_type: None,
        status: AttendeeStatus::Attending,
        provider_status: String::new(),
        checked_in_at: None,
        order_id: None,
        registered_at: Some(registered_at),
        updated_at: Some(registered_at),
        tickets: 1,
        tickets_checked_in: 0,
        version: 0,
    }
}

fn page(rows: Vec<Registration>, total: Option<u64>, next: Option<&str>) -> RegistrationPage {
    RegistrationPage {
        rows,
        set_aside: Vec::new(),
        next: next.map(|text| Cursor(text.to_owned())),
        total,
        server_time: at(0),
    }
}

fn full() -> Walk {
    Walk::Full {
        event: ExternalId::from_text("990"),
    }
}

fn closing() -> Walk {
    Walk::ChangedSince {
        event: ExternalId::from_text("990"),
        since: at(-600),
    }
}

fn old_rows(ids: std::ops::RangeInclusive<u32>) -> Vec<Registration> {
    ids.map(|id| row(id, at(-3_600))).collect()
}

#[test]
fn a_quiet_walk_skipped_nobody() {
    let mut tally = Tally::starting(None);
    tally
        .take(&full(), &page(old_rows(1..=50), Some(100), Some("a")))
        .unwrap();
    tally
        .take(&full(), &page(old_rows(51..=100), Some(100), None))
        .unwrap();
    let mut tally = tally.closing();
    tally.take(&closing(), &page(Vec::new(), Some(0), None)).unwrap();
    assert!(!tally.may_have_skipped());
    assert_eq!(tally.done(), 100);
}

#[test]
fn an_arrival_does_not_hide_a_departure() {
    // Between the pages row 1 left and row 101 came: the count stands still, 100 distinct rows were seen, and row 51,
    // which moved over the page boundary, was not among them.
    let mut tally = Tally::starting(None);
    tally
        .take(&full(), &page(old_rows(1..=50), Some(100), Some("a")))
        .unwrap();
    let mut second = old_rows(52..=100);
    second.push(row(101, at(3)));
    tally.take(&full(), &page(second, Some(100), None)).unwrap();
    let mut tally = tally.closing();
    tally
        .take(&closing(), &page(vec![row(101, at(3))], Some(1), None))
        .unwrap();
    assert!(
        tally.may_have_skipped(),
        "nobody is lost: this list must be read again"
    );
}

fn unreadable(id: Option<&str>, fingerprint: &str) -> SetAside {
    SetAside {
        external_id: id.map(RegistrationId::from_text),
        fingerprint: fingerprint.to_owned(),
        reason: String::new(),
    }
}

#[test]
fn an_unreadable_record_that_moved_may_have_pushed_another_over_a_page_boundary() {
    // Ordered by change: 1 was read, changed while it could not be read, and stands at the end. Row 3 was skipped.
    let mut tally = Tally::starting(None);
    tally
        .take(&full(), &page(old_rows(1..=2), None, Some("a")))
        .unwrap();
    let mut last = page(old_rows(4..=4), None, None);
    last.set_aside = vec![unreadable(Some("1"), "#1")];
    tally.take(&full(), &last).unwrap();
    let mut tally = tally.closing();
    let mut changed = page(Vec::new(), None, None);
    changed.set_aside = vec![unreadable(Some("1"), "#1")];
    tally.take(&closing(), &changed).unwrap();
    assert!(
        tally.may_have_skipped(),
        "nothing is counted, and when that record changed nobody can tell"
    );
}

#[test]
fn a_record_without_id_that_changed_in_mid_walk_does_not_stand_for_a_skipped_one() {
    // It is met before its change and after it, by two names, and row 2 not at all: the count is right by accident.
    let mut tally = Tally::starting(None);
    let mut first = page(Vec::new(), Some(3), Some("a"));
    first.set_aside = vec![unreadable(None, "#before")];
    tally.take(&full(), &first).unwrap();
    let mut last = page(old_rows(3..=3), Some(3), None);
    last.set_aside = vec![unreadable(None, "#after")];
    tally.take(&full(), &last).unwrap();
    let mut tally = tally.closing();
    let mut changed = page(Vec::new(), Some(1), None);
    changed.set_aside = vec![unreadable(None, "#after")];
    tally.take(&closing(), &changed).unwrap();
    assert!(
        tally.may_have_skipped(),
        "nobody is lost: this list must be read again"
    );
}

#[test]
fn a_list_that_repeats_one_record_under_fresh_cursors_is_ended() {
    let mut tally = Tally::starting(None);
    let ended = (0..200).find_map(|number| {
        let cursor = format!("cursor {number}");
        tally
            .take(&full(), &page(old_rows(1..=1), None, Some(&cursor)))
            .err()
    });
    assert!(
        ended.is_some(),
        "a list without an end must not be read without an end"
    );
}

#[test]
fn the_same_record_without_id_keeps_its_number_in_the_closing_pass() {
    let nameless = || unreadable(None, "#1");
    let mut tally = Tally::starting(None);
    let keys = |tally: &mut Tally, walk: &Walk| {
        let mut page = page(Vec::new(), None, None);
        page.set_aside = vec![nameless(), nameless()];
        tally.number_alike(&mut page);
        tally.take(walk, &page).unwrap();
        page.set_aside
            .iter()
            .map(|record| record.key().to_owned())
            .collect::<Vec<_>>()
    };
    let first = keys(&mut tally, &full());
    let mut tally = tally.closing();
    let second = keys(&mut tally, &closing());
    assert_eq!(first, second, "met twice, it is still the same record");
    assert_ne!(first[0], first[1], "two alike are two");
}
