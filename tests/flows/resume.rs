//! A read that stopped goes on where it stopped, whatever stopped it, and ends with exactly the provider's list.

use crate::stage::{BOTH, Stage, code_of};
use std::time::Duration;
use talkvalue_core::domain::ids::{ItemId, RegistrationId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::{PageCommit, WalkMark};
use talkvalue_core::sync::actions;
use talkvalue_core::sync::engine::EngineOptions;
use talkvalue_core::sync::plan::Plan;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{AttendeeSpec, Fault};
use talkvalue_tests::desk::patient;

/// Twelve pages at Eventbrite, six at Luma.
const REGISTRATIONS: usize = 600;

fn pages(provider: Provider) -> usize {
    match provider {
        Provider::Eventbrite => 12,
        Provider::Luma => 6,
    }
}

/// What finishing may cost after so many pages are stored: the rest, one page read again and the pass over what
/// changed meanwhile at Eventbrite.
fn rest_after(provider: Provider, stored: usize) -> usize {
    let again = match provider {
        Provider::Eventbrite => 2,
        Provider::Luma => 0,
    };
    pages(provider) - stored + again
}

async fn only_item(stage: &Stage) -> ItemId {
    stage.items().await[0].id.clone()
}

#[tokio::test]
async fn a_retry_after_an_outage_reads_only_what_is_missing() {
    for provider in BOTH {
        let stage = Stage::open(provider, REGISTRATIONS).await;
        // The event, then four pages.
        stage.door().fails_after(5, Fault::HtmlGateway(503));
        assert_eq!(code_of(&stage.import().await), "PROVIDER_UNREACHABLE");
        let item = only_item(&stage).await;
        let stored = stage.desk.show(&item).await.counts.total;
        assert!(stored > 0, "{provider:?}: what arrived is kept");
        stage.door().clears_faults();
        stage.door().clears_requests();
        let done = stage.retry(&item).await.unwrap();
        assert_eq!(done.sync_status, SyncStatus::Active);
        let asked = stage.requests_to(stage.list_path());
        assert!(
            asked <= rest_after(provider, 4),
            "{provider:?}: four pages were stored, so {asked} more are too many"
        );
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn a_credential_that_breaks_in_mid_import_costs_no_page_twice() {
    for provider in BOTH {
        let stage = Stage::open(provider, REGISTRATIONS).await;
        stage.door().revokes_after(4);
        assert_eq!(code_of(&stage.import().await), "CREDENTIALS_REJECTED");
        let item = only_item(&stage).await;
        assert_eq!(stage.shown(&item).await.status, SyncStatus::Disconnected);
        stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        stage.door().clears_requests();
        stage.reconnect(&item, None).await.unwrap();
        let asked = stage.requests_to(stage.list_path());
        assert!(
            asked <= rest_after(provider, 3),
            "{provider:?}: three pages were stored, so {asked} more are too many"
        );
        stage.assert_exact(&item).await;
        assert_eq!(stage.shown(&item).await.status, SyncStatus::Active);
    }
}

#[tokio::test]
async fn a_walk_that_was_killed_behind_its_last_page_asks_for_no_page_again() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, REGISTRATIONS).await;
        stage_a_walk_without_its_end(&stage, &item).await;
        stage.door().clears_requests();
        stage.sync(&item).await.unwrap();
        let closing_pass = match provider {
            Provider::Eventbrite => 1,
            Provider::Luma => 0,
        };
        assert_eq!(
            stage.requests_to(stage.list_path()),
            closing_pass,
            "{provider:?}: every page of that walk is stored"
        );
        stage.assert_exact(&item).await;
        assert_eq!(stage.shown(&item).await.status, SyncStatus::Active);
    }
}

/// As a process leaves it that dies after its last page is stored and before the read is written down as complete.
async fn stage_a_walk_without_its_end(stage: &Stage, item: &ItemId) {
    let (store, now) = (&stage.desk.ports.store, stage.desk.sandbox.clock().now());
    let feed = store.item(item).await.unwrap().unwrap().item.feed;
    let job = store.open_job(item, JobKind::Sync, now).await.unwrap();
    let total = Some(REGISTRATIONS as u64);
    store.begin_walk(&job, &feed, 0, total).await.unwrap();
    let listed = stage.truth();
    let listed: Vec<_> = listed
        .iter()
        .map(|row| RegistrationId::from_text(row.id.as_str()))
        .collect();
    let mark = WalkMark {
        as_of: now,
        place: None,
        next: None,
        first_count: total,
        last_count: total,
    };
    let page = PageCommit {
        job: &job,
        feed: &feed,
        plan: &Plan::default(),
        set_aside: &[],
        readable: &listed,
        mark: Some(&mark),
        is_news: false,
        done: REGISTRATIONS as u64,
        total,
        at: now,
    };
    store.commit_page(page).await.unwrap();
}

#[tokio::test]
async fn a_limit_that_outlasts_the_patience_keeps_the_place() {
    for provider in BOTH {
        let stage = Stage::open(provider, REGISTRATIONS).await;
        stage.door().fails_after(
            4,
            Fault::RateLimited {
                retry_after_secs: Some(600),
            },
        );
        let impatient = EngineOptions {
            wait_limit: Some(Duration::ZERO),
            ..patient()
        };
        let event = talkvalue_core::domain::ids::ExternalId::from_text(stage.event.as_str());
        let waiting = actions::import_event(
            &stage.desk.ports,
            &stage.integration,
            &event,
            ItemKind::BadgeEvent,
            impatient,
        )
        .await;
        assert_eq!(code_of(&waiting), "WAITING");
        let item = only_item(&stage).await;
        stage.door().clears_faults();
        stage.door().clears_requests();
        stage.retry(&item).await.unwrap();
        let asked = stage.requests_to(stage.list_path());
        assert!(asked <= rest_after(provider, 3), "{provider:?}: {asked}");
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn what_changed_while_a_read_stood_still_is_in_its_end() {
    for provider in BOTH {
        let stage = Stage::open(provider, REGISTRATIONS).await;
        stage.door().fails_after(4, Fault::Reset);
        assert_eq!(code_of(&stage.import().await), "PROVIDER_UNREACHABLE");
        let item = only_item(&stage).await;
        // Two hours pass; people come, one checks in whose page was read, one checks in whose page was not.
        stage.desk.sandbox.clock().advance(Duration::from_secs(7_200));
        stage.add_registrations(40);
        let truth = stage.truth();
        for row in [&truth[0], &truth[truth.len() - 45]] {
            stage.check_in(&row.id);
        }
        stage.door().clears_faults();
        let done = stage.retry(&item).await.unwrap();
        stage.assert_exact(&item).await;
        let age = stage
            .desk
            .sandbox
            .clock()
            .now()
            .duration_since(done.last_synced_at.unwrap());
        assert!(
            age.as_secs() < 60,
            "{provider:?}: the list is as of now, not of the hour it was begun: {age:?}"
        );
    }
}

#[tokio::test]
async fn a_place_that_the_provider_forgot_begins_the_walk_again() {
    for provider in BOTH {
        let stage = Stage::open(provider, REGISTRATIONS).await;
        stage.door().fails_after(4, Fault::Reset);
        assert_eq!(code_of(&stage.import().await), "PROVIDER_UNREACHABLE");
        let item = only_item(&stage).await;
        stage.door().clears_faults();
        stage
            .door()
            .fails_path_next(stage.list_path(), 1, Fault::BadContinuation);
        stage.retry(&item).await.unwrap();
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn what_is_due_by_itself_asks_for_changes_alone() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, REGISTRATIONS).await;
    let turn = take_turn(&stage.desk.ports, None).await.unwrap();
    let check = async || {
        stage.door().clears_requests();
        let begun = actions::begin_check(&stage.desk.ports, &turn, &item, Default::default()).await?;
        begun.finish(&stage.desk.ports, patient()).await
    };
    let clock = stage.desk.sandbox.clock();
    clock.advance(Duration::from_secs(1_800));
    let truth = stage.truth();
    for row in truth.iter().take(25) {
        stage.check_in(&row.id);
    }
    let item_now = check().await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "25 changes fit one page");
    stage.assert_exact(&item).await;
    assert_eq!(item_now.last_synced_at, Some(clock.now()));

    // Changes later than the last read, and only they, come with the next one; a quiet list costs one request.
    clock.advance(Duration::from_secs(60));
    for name in ["Ada Lindqvist", "Noor Haddad", "Sam Vale"] {
        stage
            .eventbrite
            .add_attendee(&stage.event, AttendeeSpec::new(name));
    }
    check().await.unwrap();
    stage.assert_exact(&item).await;
    clock.advance(Duration::from_secs(1_200));
    check().await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "nothing changed");

    // After an hour the event's own title is looked at, after a day everything.
    clock.advance(Duration::from_secs(3_700));
    check().await.unwrap();
    assert_eq!(stage.door().request_count(), 2, "the event and its changes");
    clock.advance(Duration::from_secs(86_400));
    check().await.unwrap();
    assert!(
        stage.requests_to(stage.list_path()) >= 12,
        "what no change tells of is found by reading everything"
    );
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn a_broken_read_of_changes_forgets_none() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 330).await;
    let turn = take_turn(&stage.desk.ports, None).await.unwrap();
    let check = async || {
        let begun = actions::begin_check(&stage.desk.ports, &turn, &item, Default::default()).await?;
        begun.finish(&stage.desk.ports, patient()).await
    };
    stage.desk.sandbox.clock().advance(Duration::from_secs(1_800));
    for row in stage.truth().iter().take(120) {
        stage.check_in(&row.id);
    }
    let before = stage.desk.show(&item).await.last_synced_at;
    stage.door().fails_after(1, Fault::Reset);
    assert_eq!(code_of(&check().await), "PROVIDER_UNREACHABLE");
    let failed = stage.desk.show(&item).await;
    assert_eq!(failed.last_synced_at, before, "half of the changes are no sync");
    stage.door().clears_faults();
    check().await.unwrap();
    stage.assert_exact(&item).await;
}
