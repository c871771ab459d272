//! The status over whole flows: what a person sees while jobs run, after kills, and through one failure after another.

use crate::stage::{BOTH, Stage, code_of};
use std::time::Duration;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::ports::Ports;
use talkvalue_core::query::{self, ItemView};
use talkvalue_core::sync::actions;
use talkvalue_sandbox::Fault;
use talkvalue_tests::desk::patient;

async fn seen_by(ports: &Ports, item: &ItemId) -> ItemView {
    query::item(ports, item, EngineView::default()).await.unwrap()
}

#[tokio::test]
async fn an_import_is_pending_with_live_counts_and_without_alert() {
    for provider in BOTH {
        let stage = Stage::open(provider, 230).await;
        let reader = stage.desk.restarted();
        // Held is the third request: the event and one page are read.
        let pause = stage.door().pause_at(3);
        let (result, seen) = tokio::join!(stage.import(), async {
            pause.reached().await;
            let mut items = query::items(&reader, EngineView::default()).await.unwrap();
            pause.release();
            items.remove(0)
        });
        assert_eq!(
            (seen.sync_status, seen.alert),
            (SyncStatus::Pending, None),
            "{provider:?}"
        );
        assert_eq!(seen.failure, None);
        let job = seen.active_job.expect("a live process works on it");
        assert_eq!(job.kind, JobKind::Import);
        assert!(
            job.done > 0 && job.done < 230,
            "{provider:?}: {} have arrived",
            job.done
        );
        let total = job.total.expect("the provider told how many there are");
        assert!(
            (220..=240).contains(&total),
            "{provider:?}: about 230, but {total} (Luma's count leaves some statuses out)"
        );
        assert_eq!(seen.counts.total, job.done, "what arrived can be used already");
        let done = result.unwrap();
        assert_eq!((done.sync_status, done.active_job), (SyncStatus::Active, None));
    }
}

/// Starts an import, and drops it while the `further`-th request is held: what a kill leaves behind.
async fn killed_at(stage: &Stage, further: u64) -> Ports {
    let pause = stage.door().pause_at(further);
    tokio::select! {
        _ = stage.import() => panic!("the import must not end before it is killed"),
        () = pause.reached() => {}
    }
    drop(pause);
    stage.desk.restarted()
}

#[tokio::test]
async fn a_killed_import_is_pending_and_interrupted_and_retry_ends_exactly() {
    for provider in BOTH {
        for further in 1..=4 {
            let stage = Stage::open(provider, 330).await;
            let restarted = killed_at(&stage, further).await;
            let mut items = query::items(&restarted, EngineView::default()).await.unwrap();
            assert_eq!(items.len(), 1);
            let seen = items.remove(0);
            assert_eq!(
                seen.sync_status,
                SyncStatus::Pending,
                "{provider:?}, killed at {further}"
            );
            assert_eq!(seen.active_job, None, "nobody works on it any more");
            assert_eq!(seen.alert, Some(Alert::ImportFailed));
            assert_eq!(seen.failure.unwrap().code, FailureCode::Interrupted);
            let done = actions::retry_item(&restarted, &seen.id, patient())
                .await
                .unwrap();
            assert_eq!((done.sync_status, done.alert), (SyncStatus::Active, None));
            stage.assert_exact(&seen.id).await;
        }
    }
}

#[tokio::test]
async fn importing_again_goes_on_with_what_a_kill_left() {
    for provider in BOTH {
        let stage = Stage::open(provider, 330).await;
        killed_at(&stage, 3).await;
        let left = stage.desk.only_item().await;
        let done = stage.import().await.unwrap();
        assert_eq!(done.id, left.id, "{provider:?}: the same item, completed");
        stage.assert_exact(&done.id).await;
    }
}

#[tokio::test]
async fn a_killed_sync_leaves_the_last_success_standing() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 330).await;
        let before = stage.desk.show(&item).await;
        stage.desk.sandbox.clock().advance(Duration::from_secs(60));
        stage.add_registrations(20);
        let pause = stage.door().pause_at(3);
        tokio::select! {
            _ = stage.sync(&item) => panic!("the sync must not end before it is killed"),
            () = pause.reached() => {}
        }
        drop(pause);
        let restarted = stage.desk.restarted();
        let seen = seen_by(&restarted, &item).await;
        assert_eq!(
            (seen.sync_status, seen.alert),
            (SyncStatus::Active, None),
            "{provider:?}"
        );
        assert_eq!(
            seen.last_synced_at, before.last_synced_at,
            "as of the last complete read"
        );
        actions::sync_item(&restarted, &item, patient()).await.unwrap();
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn a_sync_of_a_failed_item_does_not_make_it_pending_and_a_retry_does() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        stage.door().fails_always(Fault::Status(500));
        assert_eq!(code_of(&stage.sync(&item).await), "PROVIDER_UNREACHABLE");
        stage.door().clears_faults();
        let reader = stage.desk.restarted();

        let pause = stage.door().pause_at(1);
        let (result, seen) = tokio::join!(stage.sync(&item), async {
            pause.reached().await;
            let seen = seen_by(&reader, &item).await;
            stage.door().fails_always(Fault::Status(500));
            pause.release();
            seen
        });
        assert_eq!(
            seen.sync_status,
            SyncStatus::Failed,
            "{provider:?}: a sync never makes PENDING"
        );
        assert_eq!(seen.alert, Some(Alert::SyncFailed));
        assert_eq!(seen.active_job.map(|job| job.kind), Some(JobKind::Sync));
        drop(result);
        stage.door().clears_faults();
        if stage.desk.show(&item).await.sync_status == SyncStatus::Active {
            stage.door().fails_always(Fault::Status(500));
            let _ = stage.sync(&item).await;
            stage.door().clears_faults();
        }

        let pause = stage.door().pause_at(1);
        let (result, seen) = tokio::join!(stage.retry(&item), async {
            pause.reached().await;
            let seen = seen_by(&reader, &item).await;
            pause.release();
            seen
        });
        assert_eq!(
            (seen.sync_status, seen.alert),
            (SyncStatus::Pending, None),
            "{provider:?}: a person waits"
        );
        assert!(seen.last_synced_at.is_some(), "with the earlier list usable");
        assert_eq!(result.unwrap().sync_status, SyncStatus::Active);
    }
}

#[tokio::test]
async fn the_last_success_survives_every_failure() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 130).await;
        let before = stage.desk.show(&item).await;
        for (name, fault) in Fault::catalogue() {
            if matches!(
                fault,
                Fault::Hang
                    | Fault::SlowBody { .. }
                    | Fault::EmptyList
                    | Fault::HalfList
                    | Fault::HugeBody { .. }
                    | Fault::GzipBomb { .. }
            ) {
                continue;
            }
            stage.door().clears_faults();
            stage.door().fails_path(stage.list_path(), fault);
            stage.desk.sandbox.clock().advance(Duration::from_secs(30));
            let options = talkvalue_tests::desk::patient_for(Duration::from_secs(5));
            let result = actions::sync_item(&stage.desk.ports, &item, options).await;
            assert!(result.is_err(), "{name}");
            let after = stage.desk.show(&item).await;
            assert_eq!(
                after.last_synced_at, before.last_synced_at,
                "{name} at {provider:?}"
            );
            assert_eq!(after.counts, before.counts, "{name} at {provider:?}");
            assert_ne!(
                after.sync_status,
                SyncStatus::Pending,
                "{name}: it completed once"
            );
        }
        stage.assert_exact(&item).await;
        stage.door().clears_faults();
        stage.sync(&item).await.unwrap();
        assert_eq!(stage.desk.show(&item).await.sync_status, SyncStatus::Active);
    }
}

#[tokio::test]
async fn a_list_is_as_of_the_start_of_the_pass_that_read_the_changes_last() {
    for provider in BOTH {
        let stage = Stage::open(provider, 230).await;
        let started = stage.desk.sandbox.clock().now();
        let clock = stage.desk.sandbox.clock();
        let pause = stage.door().pause_at(3);
        let (result, ()) = tokio::join!(stage.import(), async {
            pause.reached().await;
            clock.advance(Duration::from_secs(240));
            pause.release();
        });
        let as_of = match provider {
            // Its walk is closed by a pass over what changed meanwhile, which began four minutes later.
            Provider::Eventbrite => started.checked_add(Duration::from_secs(240)).unwrap(),
            Provider::Luma => started,
        };
        assert_eq!(
            result.unwrap().last_synced_at,
            Some(as_of),
            "{provider:?}: what changed after that may be missing"
        );
    }
}

#[tokio::test]
async fn two_commands_take_turns_and_readers_do_not_wait() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    let other_process = stage.desk.restarted();
    let pause = stage.door().pause_at(1);
    let (first, second, seen) = tokio::join!(
        stage.sync(&item),
        async {
            pause.reached().await;
            actions::sync_item(&other_process, &item, patient()).await
        },
        async {
            pause.reached().await;
            let seen = seen_by(&other_process, &item).await;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            pause.release();
            seen
        }
    );
    assert!(seen.active_job.is_some(), "a reader sees the other's job at once");
    assert_eq!(
        (code_of(&first), code_of(&second)),
        ("OK", "OK"),
        "each had its turn"
    );
}
