//! Long Luma lists between their walks: what is new is met by a cheap look, the list stays as of its last walk, and what
//! a look cannot explain is walked for at once.

use crate::live::{Open, green};
use crate::stage::{Stage, code_of};
use std::time::Duration;
use talkvalue_core::domain::attendee::AttendeeStatus;
use talkvalue_core::domain::freshness::Freshness;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::Order;
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::plan::ChangeKind;
use talkvalue_sandbox::{Fault, GuestSpec, Spoil};

/// Five pages: more than a look costs.
const LONG: usize = 450;
const MINUTE: Duration = Duration::from_secs(60);

async fn long_list() -> (Stage, ItemView) {
    let (stage, item) = Stage::imported(Provider::Luma, LONG).await;
    let view = stage.desk.show(&item).await;
    (stage, view)
}

fn walks(stage: &Stage) -> usize {
    stage.requests_with("sort_column=created_at")
}

#[tokio::test]
async fn a_quiet_long_list_costs_one_request_between_its_walks() {
    let (stage, before) = long_list().await;
    let after = stage.due(&before.id).await.unwrap();
    assert_eq!(
        stage.door().request_count(),
        1,
        "the counts say that nothing happened"
    );
    assert_eq!(
        (after.last_synced_at, after.new_since, after.sync_status),
        (before.last_synced_at, 0, SyncStatus::Active),
        "a look makes no list complete"
    );
}

#[tokio::test]
async fn who_registers_or_comes_is_met_at_once_and_the_list_stays_as_of_its_walk() {
    let (stage, before) = long_list().await;
    for name in ["Ada Marsh", "Noor Haddad", "Sam Vale"] {
        stage
            .luma
            .add_guest(&stage.event, GuestSpec::new(name).ticket("Standard"));
    }
    let truth = stage.truth();
    let expected = truth
        .iter()
        .filter(|row| row.provider_status == "approved" && row.checked_in_at.is_none());
    for row in expected.take(2) {
        stage.check_in(&row.id);
    }
    let after = stage.due(&before.id).await.unwrap();
    assert_eq!(walks(&stage), 0, "no walk is made for them");
    assert!(
        stage.door().request_count() <= 5,
        "the counts, and the newest by either order"
    );
    stage.assert_exact(&after.id).await;
    assert_eq!(
        (after.last_synced_at, after.new_since),
        (before.last_synced_at, 3),
        "as of the last walk, 3 new since"
    );
    let store = &stage.desk.ports.store;
    let changes = store
        .changes(&after.id, None, None, Order::NewestFirst, 5)
        .await
        .unwrap();
    let kinds: Vec<ChangeKind> = changes.into_iter().map(|change| change.change).collect();
    let of = |kind| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!(
        (of(ChangeKind::Registered), of(ChangeKind::CheckedIn)),
        (3, 2),
        "what a look meets stands in the journal: {kinds:?}"
    );
    let walked = stage.sync(&after.id).await.unwrap();
    assert_eq!(walked.new_since, 0, "a walk starts anew");
    assert!(walked.last_synced_at > before.last_synced_at);
}

#[tokio::test]
async fn what_a_look_cannot_explain_is_walked_for_at_once() {
    let (stage, before) = long_list().await;
    let attending = stage
        .truth()
        .iter()
        .position(|row| row.provider_status == "approved");
    stage.luma.decline(&stage.event, &stage.id_at(attending.unwrap()));
    let after = stage.due(&before.id).await.unwrap();
    assert!(walks(&stage) >= 5, "nobody new explains the counts");
    stage.assert_exact(&after.id).await;
    assert!(
        after.last_synced_at > before.last_synced_at,
        "that was a complete read"
    );
    stage.due(&before.id).await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "and then it is quiet again");
}

#[tokio::test]
async fn who_leaves_the_list_is_missed_by_the_counts_and_judged_by_walks_alone() {
    let (stage, before) = long_list().await;
    let gone = stage.id_at(7);
    stage.luma.vanish_guest(&stage.event, &gone);
    let status = async |item: &ItemId| {
        let rows = stage.desk.attendees(item).await;
        rows.into_iter()
            .find(|row| row.external_id.as_str() == gone)
            .map(|row| row.status)
    };
    let known = status(&before.id).await;
    stage.due(&before.id).await.unwrap();
    assert!(walks(&stage) >= 5, "fewer are counted than are here");
    assert_eq!(status(&before.id).await, known, "one walk is not enough");
    stage.due(&before.id).await.unwrap();
    assert_eq!(status(&before.id).await, Some(AttendeeStatus::NotAttending));
    stage.due(&before.id).await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "nothing is open any more");
}

#[tokio::test]
async fn what_is_counted_otherwise_for_good_does_not_walk_the_list_each_minute() {
    let (stage, before) = long_list().await;
    // Left out of the list, and counted all the same: two walks miss them, and then it is known.
    let unlisted = [stage.id_at(1), stage.id_at(2), stage.id_at(3)];
    stage.luma.leaves_out(&stage.event, &unlisted);
    for _ in 0..3 {
        stage.desk.sandbox.clock().advance(MINUTE);
        stage.sync(&before.id).await.unwrap();
    }
    stage
        .luma
        .add_guest(&stage.event, GuestSpec::new("Ada Marsh").ticket("Standard"));
    let after = stage.due(&before.id).await.unwrap();
    assert_eq!(
        (walks(&stage), after.new_since),
        (0, 1),
        "who comes explains all of the difference that is not known yet"
    );
}

#[tokio::test]
async fn without_counts_the_newest_are_asked_for() {
    let (stage, before) = long_list().await;
    stage.luma.switches(|switches| switches.guest_counts = false);
    stage
        .luma
        .add_guest(&stage.event, GuestSpec::new("Ada Marsh").ticket("Standard"));
    let after = stage.due(&before.id).await.unwrap();
    assert_eq!(after.counts.total, before.counts.total + 1);
    assert_eq!(after.last_synced_at, before.last_synced_at);
    assert_eq!(
        (
            walks(&stage),
            stage.requests_with("sort_column=registered_at"),
            stage.requests_with("sort_column=checked_in_at")
        ),
        (0, 1, 1),
        "and no further than to those who are known"
    );
}

#[tokio::test]
async fn a_short_list_is_walked_each_time() {
    let (stage, item) = Stage::imported(Provider::Luma, 250).await;
    let before = stage.desk.show(&item).await;
    let after = stage.due(&item).await.unwrap();
    assert_eq!(walks(&stage), 3);
    assert!(after.last_synced_at > before.last_synced_at);
}

#[tokio::test]
async fn a_look_that_fails_says_so_and_a_walk_mends_it() {
    let (stage, before) = long_list().await;
    stage.door().fails_always(Fault::HtmlGateway(503));
    assert_eq!(code_of(&stage.due(&before.id).await), "PROVIDER_UNREACHABLE");
    let failed = stage.desk.show(&before.id).await;
    assert_eq!(failed.sync_status, SyncStatus::Failed);
    stage.door().clears_faults();
    let mended = stage.due(&before.id).await.unwrap();
    assert_eq!(mended.sync_status, SyncStatus::Active);
    assert_eq!(
        walks(&stage),
        5,
        "only a complete read says that all is well again"
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_walked_for_until_it_can() {
    let (stage, before) = long_list().await;
    let id = stage
        .luma
        .add_guest(&stage.event, GuestSpec::new("Ada Marsh").ticket("Standard"));
    stage.spoils(&id, Spoil::WrongTypes);
    stage.due(&before.id).await.unwrap();
    assert_eq!(stage.desk.show(&before.id).await.unreadable, 1);
    stage.due(&before.id).await.unwrap();
    assert_eq!(walks(&stage), 5);
    stage.heals(&id);
    stage.due(&before.id).await.unwrap();
    stage.assert_exact(&before.id).await;
}

#[tokio::test]
async fn a_long_list_is_walked_at_the_start_and_never_goes_stale() {
    let (stage, before) = long_list().await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&before.id, "the first check", green).await;
    assert!(
        walks(&stage) >= 5,
        "what was read before the start proves nothing"
    );
    stage.door().clears_requests();
    let mut seen = open.shows(&before.id).await;
    let started = open.ports.clock.now();
    while open.ports.clock.now().duration_since(started).as_secs() < 3_600 {
        open.passes(30).await;
        let view = open.shows(&before.id).await;
        if view.active_job.is_none() {
            assert_ne!(view.freshness, Freshness::Checking);
        }
        seen = view;
    }
    open.until(&seen.id, "the walk that is due", |view| {
        green(view) && view.last_synced_at > before.last_synced_at
    })
    .await;
    let (walked, looked) = (walks(&stage), stage.requests_to("/v1/events/get"));
    assert!(
        walked >= 10 && looked > 0,
        "walks and looks take turns: {walked} pages, {looked} looks"
    );
    assert!(
        walked <= 5 * 31,
        "an hour of watching costs {walked} pages, less than a walk a minute"
    );
}

#[tokio::test]
async fn a_channel_looks_at_its_long_events_too() {
    let stage = Stage::open(Provider::Luma, LONG).await;
    let quiet = stage.add_event("A small evening", 20);
    let crate::stage::Owner::Luma(calendar) = &stage.owner else {
        panic!("a calendar")
    };
    let channel = stage
        .desk
        .import(&stage.integration, &calendar.id, ItemKind::PathChannel)
        .await
        .unwrap();
    stage.luma.add_guest(
        &stage.event,
        GuestSpec::new("Ada Marsh")
            .email("ada@harbour.example")
            .ticket("Standard"),
    );
    stage.luma.add_guest(
        &quiet,
        GuestSpec::new("Bo Lind")
            .email("bo@harbour.example")
            .ticket("Standard"),
    );
    let after = stage.due(&channel.id).await.unwrap();
    assert_eq!(
        (walks(&stage), stage.requests_with("sort_column=registered_at")),
        (1, 1),
        "a walk of the short one, a look at the long one"
    );
    assert_eq!(
        (after.counts.total, after.new_since, after.last_synced_at),
        (channel.counts.total + 2, 1, channel.last_synced_at),
        "the channel is as of its oldest walk"
    );
}

#[tokio::test]
async fn a_rush_is_met_page_by_page_and_walked_for_where_it_does_not_end() {
    let (stage, before) = long_list().await;
    stage.luma.add_guests(&stage.event, 150);
    let rushed = stage.due(&before.id).await.unwrap();
    stage.assert_exact(&before.id).await;
    let walked = rushed.last_synced_at > before.last_synced_at;
    assert_eq!(walked, walks(&stage) > 0, "only a walk makes the list complete");
    for number in 0..350 {
        let name = format!("Guest {number}");
        stage
            .luma
            .add_guest(&stage.event, GuestSpec::new(name).ticket("Standard"));
    }
    stage.due(&before.id).await.unwrap();
    assert!(walks(&stage) >= 9, "three pages of nothing but news are enough");
    stage.assert_exact(&before.id).await;
}
