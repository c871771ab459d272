//! What happened can be asked later: to whom, when, what it was before and after, and what the list itself went
//! through meanwhile.

use crate::stage::{BOTH, Stage};
use jiff::Timestamp;
use std::time::Duration;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::query::history::{self, HistoryEntry, HistoryKind};

async fn told(stage: &Stage, item: &ItemId, since: Option<Timestamp>) -> Vec<HistoryEntry> {
    let mut reader = history::history(&stage.desk.ports, item, since).await.unwrap();
    let mut all = Vec::new();
    loop {
        let batch = reader.next_batch().await.unwrap();
        if batch.is_empty() {
            return all;
        }
        all.extend(batch);
    }
}

fn of(entries: &[HistoryEntry], kind: HistoryKind) -> Vec<&'static str> {
    entries
        .iter()
        .filter(|entry| entry.kind == kind)
        .map(|entry| entry.change)
        .collect()
}

#[tokio::test]
async fn a_change_is_told_by_name_with_before_and_after() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    let id = stage.id_at(7);
    stage.desk.sandbox.clock().advance(Duration::from_secs(120));
    let since = stage.desk.sandbox.clock().now();
    stage
        .eventbrite
        .transfer_attendee(&stage.event, &id, "Noor Haddad", "noor@harbour.example");
    stage.sync(&item).await.unwrap();
    let entries = told(&stage, &item, Some(since)).await;
    let changes: Vec<&HistoryEntry> = entries
        .iter()
        .filter(|entry| entry.kind == HistoryKind::Attendee)
        .collect();
    let [change] = changes[..] else {
        panic!("exactly one attendee changed: {changes:?}")
    };
    assert_eq!(change.change, "UPDATED");
    assert_eq!(change.name.as_deref(), Some("Noor Haddad"));
    assert_eq!(change.after["email"], "noor@harbour.example");
    assert!(change.before["email"].is_string() && change.before["email"] != change.after["email"]);
    let row = stage
        .desk
        .attendees(&item)
        .await
        .into_iter()
        .find(|row| row.external_id.as_str() == id)
        .unwrap();
    assert_eq!(change.attendee_id, Some(row.id), "it names the row of the list");
}

#[tokio::test]
async fn the_whole_story_is_told_in_order() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let clock = stage.desk.sandbox.clock();
        clock.advance(Duration::from_secs(120));
        let outage = clock.now();
        stage.revokes_credentials();
        assert!(stage.sync(&item).await.is_err());
        stage.check_in(&stage.id_at(0));
        clock.advance(Duration::from_secs(120));
        stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        stage.reconnect(&item, None).await.unwrap();

        let entries = told(&stage, &item, None).await;
        assert!(
            entries.is_sorted_by_key(|entry| entry.at),
            "{provider:?}: oldest first"
        );
        assert_eq!(
            of(&entries, HistoryKind::Status),
            ["PENDING", "ACTIVE", "DISCONNECTED", "PENDING", "ACTIVE"]
        );
        assert_eq!(
            of(&entries, HistoryKind::Credential),
            ["CONNECTED", "SEVERED", "RENEWED"]
        );
        assert_eq!(of(&entries, HistoryKind::Job), ["IMPORT", "SYNC", "RECONNECT"]);
        let registered = of(&entries, HistoryKind::Attendee)
            .iter()
            .filter(|change| **change == "REGISTERED")
            .count();
        assert_eq!(registered, 60, "everybody's arrival is a line");
        let severed = entries
            .iter()
            .find(|entry| entry.change == "DISCONNECTED")
            .unwrap();
        assert_eq!(severed.cause, Some("CREDENTIALS_REJECTED"));
        assert_eq!(severed.before["syncStatus"], "ACTIVE");
        let import = entries.iter().find(|entry| entry.change == "IMPORT").unwrap();
        assert_eq!(
            (&import.after["end"], &import.after["changes"]),
            (&"COMPLETED".into(), &60.into())
        );

        // "What happened while we were disconnected" is a question to the same journal.
        let last = history::last_outage(&stage.desk.ports, &item).await.unwrap();
        assert_eq!(last, Some(outage), "{provider:?}");
        let meanwhile = told(&stage, &item, last).await;
        assert_eq!(of(&meanwhile, HistoryKind::Attendee), ["CHECKED_IN"]);
    }
}

#[tokio::test]
async fn checks_that_find_nothing_leave_one_line() {
    let (stage, item) = Stage::imported(Provider::Luma, 20).await;
    for _ in 0..5 {
        stage.desk.sandbox.clock().advance(Duration::from_secs(60));
        stage.sync(&item).await.unwrap();
    }
    let entries = told(&stage, &item, None).await;
    assert_eq!(
        of(&entries, HistoryKind::Job),
        ["IMPORT", "SYNC"],
        "a day of checks is not 1,440 lines"
    );
}

#[tokio::test]
async fn pages_of_changes_read_backwards_hold_every_change_once() {
    let (stage, item) = Stage::imported(Provider::Luma, 250).await;
    let (mut marks, mut seen) = (None, Vec::new());
    loop {
        let (page, next) = history::changes(&stage.desk.ports, &item, None, marks, 100)
            .await
            .unwrap();
        seen.extend(page.into_iter().filter_map(|entry| entry.attendee_id));
        match next {
            Some(_) => marks = next,
            None => break,
        }
    }
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (250, 250));
}
