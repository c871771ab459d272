//! Two processes on one data folder: what one asks for the other does, and what one runs the other can stop.

use crate::live::{Open, green};
use crate::stage::{BOTH, Stage, code_of};
use std::time::Duration;
use talkvalue_core::domain::failure::{Failure, FailureCode, Waiting};
use talkvalue_core::domain::ids::{ExternalId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::{JobEnd, JobKind};
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::error::CommandError;
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::actions;
use talkvalue_core::sync::cancel::cancel_item;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{PausePoint, Spoil};
use talkvalue_tests::desk::{patient, patient_for};

#[tokio::test]
async fn a_command_is_served_while_the_engine_is_held_up_with_another_list() {
    for provider in BOTH {
        let (stage, first) = Stage::imported(provider, 60).await;
        let other = stage.add_event("Rope Splicing", 70);
        let open = Open::over(&stage, stage.desk.restarted());
        open.until(&first, "the first check", green).await;
        let pause = stage.door().pause_at(1);
        open.until(&first, "the next check", |view| view.active_job.is_some())
            .await;
        pause.reached().await;
        let imported = actions::import_event(
            &stage.desk.ports,
            &stage.integration,
            &ExternalId::from_text(&other),
            ItemKind::BadgeEvent,
            patient(),
        )
        .await
        .unwrap();
        // The engine's own read is still held up.
        assert_eq!(
            (imported.sync_status, imported.counts.total),
            (SyncStatus::Active, 70),
            "{provider:?}: the engine did what the command asked for"
        );
        stage
            .desk
            .assert_exact(&imported.id, &stage.truth_of(&other))
            .await;
        pause.release();
    }
}

#[tokio::test]
async fn what_the_engine_cannot_do_for_a_command_is_told_as_its_own_failure() {
    let (stage, item) = Stage::imported(BOTH[0], 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    // Held for the whole test: every command has to hand its job over.
    let _turn = take_turn(&stage.desk.restarted(), None).await.unwrap();
    let unknown = actions::import_event(
        &stage.desk.ports,
        &stage.integration,
        &ExternalId::from_text("404404404404"),
        ItemKind::BadgeEvent,
        patient_for(Duration::from_secs(30)),
    )
    .await;
    // Nobody took it up in that time: the command gives up waiting, and says that its job is kept.
    assert_eq!(code_of(&unknown), "WAITING");
}

/// An import that stands still at its third request, seen from another process.
async fn import_at_a_standstill(stage: &Stage) -> (ItemId, PausePoint) {
    let pause = stage.door().pause_at(3);
    pause.reached().await;
    (stage.items().await[0].id.clone(), pause)
}

#[tokio::test]
async fn a_stopped_import_keeps_what_arrived_and_goes_on_from_there() {
    for provider in BOTH {
        let stage = Stage::open(provider, 330).await;
        let elsewhere = stage.desk.restarted();
        let stopping = async {
            let (item, pause) = import_at_a_standstill(&stage).await;
            let view = cancel_item(&elsewhere, &item).await.unwrap();
            pause.release();
            view
        };
        let (imported, stopped) = tokio::join!(stage.import(), stopping);
        assert_eq!(
            code_of(&imported),
            "IMPORT_CANCELLED",
            "{provider:?}: whoever waited is told"
        );
        assert_eq!(
            (stopped.sync_status, stopped.alert),
            (SyncStatus::Pending, Some(Alert::ImportFailed))
        );
        assert_eq!(
            stopped.failure.map(|failure| failure.code),
            Some(FailureCode::ImportCancelled)
        );
        let kept = stage.desk.show(&stopped.id).await.counts.total;
        assert!(kept > 0, "what arrived is kept");
        // A window that opens leaves it alone: a person stopped it.
        let open = Open::over(&stage, stage.desk.restarted());
        open.passes(120).await;
        assert_eq!(
            open.shows(&stopped.id).await.failure.map(|failure| failure.code),
            Some(FailureCode::ImportCancelled)
        );
        drop(open);
        stage.door().clears_requests();
        let done = stage.retry(&stopped.id).await.unwrap();
        assert_eq!(done.sync_status, SyncStatus::Active);
        stage.assert_exact(&stopped.id).await;
    }
}

#[tokio::test]
async fn stopping_a_sync_leaves_the_status_as_it_was() {
    let (stage, item) = Stage::imported(BOTH[1], 330).await;
    let elsewhere = stage.desk.restarted();
    let pause = stage.door().pause_at(2);
    let stopping = async {
        pause.reached().await;
        let view = cancel_item(&elsewhere, &item).await.unwrap();
        pause.release();
        view
    };
    let (synced, stopped) = tokio::join!(stage.sync(&item), stopping);
    assert!(synced.is_err());
    assert_eq!(
        (stopped.sync_status, stopped.alert, stopped.counts.total),
        (SyncStatus::Active, None, 330)
    );
}

#[tokio::test]
async fn with_nothing_running_there_is_nothing_to_stop() {
    let (stage, item) = Stage::imported(BOTH[0], 5).await;
    assert_eq!(
        code_of(&cancel_item(&stage.desk.ports, &item).await),
        "NOT_POSSIBLE"
    );
}

#[tokio::test]
async fn a_job_that_was_handed_over_and_taken_up_anew_is_never_told_as_done_when_it_failed() {
    let (stage, item) = Stage::imported(BOTH[0], 20).await;
    let elsewhere = stage.desk.restarted();
    let _turn = take_turn(&elsewhere, None).await.unwrap();
    let (store, clock) = (&elsewhere.store, &elsewhere.clock);
    let holder = async {
        let handed = loop {
            let open = store.item(&item).await.unwrap().unwrap().open_job;
            match open.filter(|job| job.handed) {
                Some(job) => break job.id,
                None => tokio::task::yield_now().await,
            }
        };
        assert!(store.take_handed_job(&handed, clock.now()).await.unwrap());
        let waiting = Waiting {
            code: FailureCode::RateLimited,
            until: None,
        };
        let limited = Failure::new(FailureCode::RateLimited, clock.now());
        let held = JobEnd::Held(waiting, limited);
        store.end_job(&handed, held, clock.now()).await.unwrap();
        // The limit is over: the read is taken up as a new job, which meets an outage.
        let again = store.open_job(&item, JobKind::Sync, clock.now()).await.unwrap();
        let outage = Failure::new(FailureCode::ProviderUnreachable, clock.now());
        store
            .end_job(&again, JobEnd::Failed(outage), clock.now())
            .await
            .unwrap();
    };
    let (result, ()) = tokio::join!(stage.sync(&item), holder);
    assert_eq!(
        code_of(&result),
        "PROVIDER_UNREACHABLE",
        "nothing fetched is never a success"
    );
}

/// Pulls in another process. The engine's read goes on once the pull has met it.
async fn pull_beside(
    stage: &Stage,
    open: &Open,
    item: &ItemId,
    pause: PausePoint,
) -> Result<ItemView, CommandError> {
    stage.desk.clock.take_sleeps();
    let goes_on = async {
        let mut looked = 0;
        // It looks ten times a second, and hands its job over, or finds that it cannot, before that many.
        while looked < 10 {
            looked += stage.desk.clock.take_sleeps().len();
            tokio::task::yield_now().await;
        }
        drop(pause);
        loop {
            open.passes(1).await;
        }
    };
    tokio::select! {
        pulled = stage.sync(item) => pulled,
        () = goes_on => unreachable!("time passes for ever"),
    }
}

#[tokio::test]
async fn a_pull_beside_a_check_that_was_under_way_reads_everything_itself() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 230).await;
        let open = Open::over(&stage, stage.desk.restarted());
        open.until(&item, "the first check", green).await;
        // Eventbrite's check asks for changes alone, Luma's has its first pages already.
        let pause = stage.door().pause_at(match provider {
            Provider::Eventbrite => 1,
            Provider::Luma => 3,
        });
        open.until(&item, "the next check", |view| view.active_job.is_some())
            .await;
        pause.reached().await;
        // It bears no time of change.
        let registered = stage
            .truth()
            .into_iter()
            .filter(|row| row.registered_at.is_some());
        let first = registered.min_by_key(|row| row.registered_at).unwrap();
        stage.spoils(&first.id, Spoil::UnknownStatus);
        let pulled = pull_beside(&stage, &open, &item, pause).await.unwrap();
        assert_eq!(pulled.sync_status, SyncStatus::Active);
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn a_pull_beside_a_check_that_finds_the_list_severed_says_so() {
    let (stage, item) = Stage::imported(BOTH[0], 60).await;
    let open = Open::over(&stage, stage.desk.restarted());
    open.until(&item, "the first check", green).await;
    let pause = stage.door().pause_at(1);
    open.until(&item, "the next check", |view| view.active_job.is_some())
        .await;
    pause.reached().await;
    stage.revokes_credentials();
    let pulled = pull_beside(&stage, &open, &item, pause).await;
    assert_eq!(code_of(&pulled), "CREDENTIALS_REJECTED");
}
