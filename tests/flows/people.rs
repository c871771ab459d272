//! Registrations and people: several tickets on one e-mail, and two items over the same feed.

use crate::stage::{BOTH, Stage, code_of};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use talkvalue_core::domain::attendee::AttendeeStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_sandbox::{Attendance, AttendeeSpec};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Four tickets of one buyer under three spellings of one address, one of another, and two without any.
fn sells_to_two_people_and_two_strangers(stage: &Stage) {
    let specs = [
        AttendeeSpec::new("Ada")
            .email("ada@tide.example")
            .created(at("2026-11-01T08:00:00Z"))
            .status("Unpaid"),
        AttendeeSpec::new("Ada Lindqvist")
            .email("  ADA@Tide.example ")
            .created(at("2026-11-03T08:00:00Z"))
            .cancelled(),
        AttendeeSpec::new("Ada L.")
            .email("Ada@TIDE.example")
            .created(at("2026-11-02T08:00:00Z"))
            .checked_in_at(at("2026-11-23T11:50:00Z")),
        AttendeeSpec::new("Ada (guest)")
            .email("ada@tide.example")
            .created(at("2026-11-01T09:00:00Z"))
            .checked_in_at(at("2026-11-23T11:40:00Z")),
        AttendeeSpec::new("Noor Haddad")
            .email("noor@tide.example")
            .refunded(),
        AttendeeSpec::new("A Stranger").without_email(),
        AttendeeSpec::new("A Stranger").without_profile(),
    ];
    for spec in specs {
        stage.eventbrite.add_attendee(&stage.event, spec);
    }
}

#[tokio::test]
async fn several_tickets_on_one_email_are_several_rows_of_a_badge_event() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    sells_to_two_people_and_two_strangers(&stage);
    let item = stage.import().await.unwrap();
    assert_eq!(item.counts.total, 7, "the desk hands out a badge per ticket");
    assert_eq!(item.tickets.total, 7);
    stage.assert_exact(&item.id).await;
}

#[tokio::test]
async fn several_tickets_on_one_email_are_one_person_of_a_path_event() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    sells_to_two_people_and_two_strangers(&stage);
    let item = stage
        .desk
        .import(&stage.integration, &stage.event, ItemKind::PathEvent)
        .await
        .unwrap();
    let counts = item.counts;
    assert_eq!(
        counts.total, 4,
        "two addresses, and each registration without one by itself"
    );
    assert_eq!(
        (counts.attending, counts.awaiting, counts.not_attending),
        (3, 0, 1)
    );
    assert_eq!(counts.checked_in, 1);
    assert_eq!(
        (item.tickets.total, item.tickets.checked_in),
        (7, 2),
        "tickets are counted beside people"
    );
    let rows = stage.desk.attendees(&item.id).await;
    assert_eq!(rows.len(), 4);
    let ada = rows
        .iter()
        .find(|row| {
            row.email
                .as_deref()
                .is_some_and(|email| email.eq_ignore_ascii_case("ada@tide.example"))
        })
        .expect("the address joins, whatever its capitals and blanks");
    assert_eq!(ada.registrations, 4);
    assert_eq!(ada.status, AttendeeStatus::Attending, "the best of her statuses");
    assert_eq!(
        ada.checked_in_at,
        Some(at("2026-11-23T11:40:00Z")),
        "the earliest of her check-ins"
    );
    assert_eq!(
        ada.name.as_deref(),
        Some("Ada Lindqvist"),
        "the name of her newest registration, cancelled or not"
    );
    let strangers = rows.iter().filter(|row| row.email.is_none()).count();
    assert_eq!(strangers, 2, "without an address nobody is joined");
}

#[tokio::test]
async fn a_path_event_of_thousands_counts_every_person_once() {
    let stage = Stage::open(Provider::Eventbrite, 2_600).await;
    let item = stage
        .desk
        .import(&stage.integration, &stage.event, ItemKind::PathEvent)
        .await
        .unwrap();
    let mut people: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let truth = stage.truth();
    for row in &truth {
        let key = row.email_key().unwrap_or_else(|| format!("#{}", row.id));
        people.entry(key).or_default().push(row);
    }
    assert!(people.len() < truth.len(), "the test needs shared addresses");
    let rows = stage.desk.attendees(&item.id).await;
    assert_eq!(rows.len(), people.len());
    assert_eq!(item.counts.total as usize, people.len());
    let best = |rows: &[&talkvalue_sandbox::ProviderRegistration]| {
        let has = |attendance| rows.iter().any(|row| row.attending == attendance);
        if has(Attendance::Attending) {
            "ATTENDING"
        } else if has(Attendance::Awaiting) {
            "AWAITING"
        } else {
            "NOT_ATTENDING"
        }
    };
    let mut attending = 0;
    for row in &rows {
        let key = row.email.as_deref().map_or_else(
            || format!("#{}", row.external_id),
            |email| email.trim().to_lowercase(),
        );
        let registrations = &people[&key];
        assert_eq!(row.registrations as usize, registrations.len(), "{key}");
        assert_eq!(row.status.code(), best(registrations), "{key}");
        assert_eq!(
            row.checked_in_at,
            registrations.iter().filter_map(|one| one.checked_in_at).min(),
            "{key}"
        );
        attending += u64::from(row.status == AttendeeStatus::Attending);
    }
    assert_eq!(
        item.counts.attending, attending,
        "the count and the rows say the same"
    );
    let counts = item.counts;
    assert_eq!(
        counts.total,
        counts.attending + counts.awaiting + counts.not_attending
    );
}

#[tokio::test]
async fn a_path_event_beside_a_complete_badge_event_costs_no_further_read() {
    for provider in BOTH {
        let (stage, badge) = Stage::imported(provider, 130).await;
        let path = stage
            .desk
            .import(&stage.integration, &stage.event, ItemKind::PathEvent)
            .await
            .unwrap();
        assert_eq!(
            stage.requests_to(stage.list_path()),
            0,
            "{provider:?}: the list is here and live already"
        );
        assert_ne!(path.id, badge);
        assert_eq!(path.sync_status, SyncStatus::Active);
        let view = stage.desk.show(&badge).await;
        assert_eq!(path.title, view.title);
        assert_eq!(
            path.last_synced_at, view.last_synced_at,
            "both are as of the same read"
        );
        assert_eq!(path.tickets, view.tickets);
        assert_eq!(view.counts.total, 130);
        let people = stage.desk.attendees(&path.id).await;
        assert_eq!(path.counts.total as usize, people.len());
        stage.assert_exact(&badge).await;
    }
}

#[tokio::test]
async fn a_path_event_beside_an_old_badge_event_reads_the_list_anew() {
    for provider in BOTH {
        let (stage, badge) = Stage::imported(provider, 130).await;
        stage.desk.sandbox.clock().advance(Duration::from_secs(3_600));
        stage.add_registrations(20);
        let path = stage
            .desk
            .import(&stage.integration, &stage.event, ItemKind::PathEvent)
            .await
            .unwrap();
        assert_eq!(path.sync_status, SyncStatus::Active);
        assert!(
            stage.requests_to(stage.list_path()) > 0,
            "{provider:?}: an hour before tomorrow's doors a list of an hour ago is old"
        );
        stage.assert_exact(&badge).await;
    }
}

#[tokio::test]
async fn an_account_that_cannot_see_an_event_gets_no_item_of_it_from_the_stored_list() {
    for provider in BOTH {
        let (stage, _) = Stage::imported(provider, 60).await;
        let stranger = match provider {
            Provider::Eventbrite => {
                let account = stage.eventbrite.add_account("Sam Other", "sam@other.example");
                stage.eventbrite.add_organization(&account, "Other Guild");
                account.private_token
            }
            Provider::Luma => {
                stage
                    .luma
                    .add_calendar("Other", "Sam Other", "sam@other.example")
                    .key
            }
        };
        let other = stage.desk.connect(provider, &stranger).await.unwrap();
        let result = stage.desk.import(&other, &stage.event, ItemKind::PathEvent).await;
        assert!(
            matches!(code_of(&result), "PERMISSION_MISSING" | "REMOTE_GONE"),
            "{provider:?}: a list is shown through an account only after a call proved that it sees the event, but \
             the import said {}",
            code_of(&result)
        );
        assert_eq!(
            stage.items().await.len(),
            1,
            "{provider:?}: nothing is left behind"
        );
    }
}

#[tokio::test]
async fn one_read_serves_every_item_over_the_same_feed() {
    let (stage, badge) = Stage::imported(Provider::Eventbrite, 60).await;
    let path = stage
        .desk
        .import(&stage.integration, &stage.event, ItemKind::PathEvent)
        .await
        .unwrap()
        .id;
    stage.desk.sandbox.clock().advance(Duration::from_secs(30));
    stage.add_registrations(25);
    stage.sync(&path).await.unwrap();
    stage.assert_exact(&badge).await;
    assert_eq!(
        stage.desk.show(&badge).await.last_synced_at,
        stage.desk.show(&path).await.last_synced_at
    );
}

#[tokio::test]
async fn importing_an_event_again_opens_the_item_there_is() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let again = stage.import().await.unwrap();
        assert_eq!(again.id, item);
        assert_eq!(stage.items().await.len(), 1);
        assert_eq!(
            stage.door().request_count(),
            0,
            "{provider:?}: it completed; nothing is to be read"
        );
    }
}
