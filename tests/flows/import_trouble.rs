//! Lists that do not make sense and bodies meant to harm: an import ends with a reason and keeps what it has.

use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use std::time::{Duration, Instant};
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_sandbox::Fault;
use talkvalue_tests::desk::patient;

#[tokio::test]
async fn a_continuation_refused_once_restarts_the_walk_and_completes() {
    for provider in BOTH {
        let stage = Stage::open(provider, 330).await;
        stage
            .door()
            .fails_path_next(stage.list_path(), 1, Fault::BadContinuation);
        let item = stage.import().await.unwrap();
        assert_eq!(item.sync_status, SyncStatus::Active, "{provider:?}");
        assert_eq!(
            item.counts.total, 330,
            "{provider:?}: rows read twice are stored once"
        );
        stage.assert_exact(&item.id).await;
    }
}

#[tokio::test]
async fn a_continuation_that_wears_out_further_on_each_time_still_completes() {
    for provider in BOTH {
        let stage = Stage::open(provider, 330).await;
        for requests in [3, 6] {
            stage.door().fails_once_after(requests, Fault::BadContinuation);
        }
        let item = stage.import().await.unwrap();
        assert_eq!(
            item.sync_status,
            SyncStatus::Active,
            "{provider:?}: every restart came further"
        );
        stage.assert_exact(&item.id).await;
    }
}

#[tokio::test]
async fn a_list_that_makes_no_sense_is_a_changed_provider_and_loses_no_row() {
    for provider in BOTH {
        for fault in [
            Fault::BadContinuation,
            Fault::RepeatedCursor,
            Fault::MissingCursor,
            Fault::NotAnEnvelope,
            Fault::DeepJson,
        ] {
            let stage = Stage::open(provider, 230).await;
            stage.door().fails_path(stage.list_path(), fault.clone());
            let result = stage.import().await;
            assert_eq!(code_of(&result), "PROVIDER_CHANGED", "{fault:?} at {provider:?}");
            assert_sentence(&result.unwrap_err());
            let item = stage.desk.only_item().await;
            assert_eq!(
                item.sync_status,
                SyncStatus::Pending,
                "{fault:?}: it never completed"
            );
            assert_eq!(item.alert, Some(Alert::ImportFailed), "{fault:?}");
            assert_eq!(
                item.failure.unwrap().code,
                FailureCode::ProviderChanged,
                "{fault:?}"
            );
            assert!(
                stage.door().request_count() < 20,
                "{fault:?} at {provider:?}: nothing goes round in circles"
            );

            stage.door().clears_faults();
            stage.retry(&item.id).await.unwrap();
            stage.assert_exact(&item.id).await;
            let before = stage.desk.show(&item.id).await;
            stage.door().fails_path(stage.list_path(), fault.clone());
            assert_eq!(
                code_of(&stage.sync(&item.id).await),
                "PROVIDER_CHANGED",
                "{fault:?}"
            );
            let after = stage.desk.show(&item.id).await;
            assert_eq!(
                after.sync_status,
                SyncStatus::Failed,
                "{fault:?}: it completed before"
            );
            assert_eq!(after.alert, Some(Alert::SyncFailed), "{fault:?}");
            assert_eq!(after.last_synced_at, before.last_synced_at, "{fault:?}");
            stage.assert_exact(&item.id).await;
        }
    }
}

#[tokio::test]
async fn bodies_meant_to_harm_end_in_an_error_and_stay_bounded() {
    for provider in BOTH {
        for fault in [
            Fault::HugeBody { bytes: 256 << 20 },
            Fault::GzipBomb {
                decoded_bytes: 1 << 30,
            },
            Fault::DeepJson,
        ] {
            let (stage, item) = Stage::imported(provider, 60).await;
            stage.door().fails_always(fault.clone());
            let started = Instant::now();
            let result = stage.sync(&item).await;
            assert_eq!(code_of(&result), "PROVIDER_CHANGED", "{fault:?} at {provider:?}");
            assert_sentence(&result.unwrap_err());
            assert!(
                started.elapsed() < Duration::from_secs(8),
                "{fault:?} is cut off at the limit, not read to its end"
            );
            stage.door().clears_faults();
            stage.assert_exact(&item).await;
            stage.retry(&item).await.unwrap();
            assert_eq!(stage.desk.show(&item).await.sync_status, SyncStatus::Active);
        }
    }
}

#[tokio::test]
async fn nothing_that_the_sandbox_can_do_to_an_answer_loses_a_row_or_hides_as_success() {
    for provider in BOTH {
        for (name, fault) in Fault::catalogue() {
            // Time limits end the first two, the limit of size the others: see above.
            if matches!(
                fault,
                Fault::Hang | Fault::SlowBody { .. } | Fault::HugeBody { .. } | Fault::GzipBomb { .. }
            ) {
                continue;
            }
            // Nothing tells a shorter list from a true one.
            let looks_true = matches!(fault, Fault::EmptyList | Fault::HalfList);
            let (stage, item) = Stage::imported(provider, 130).await;
            let before = stage.desk.show(&item).await;
            stage.desk.sandbox.clock().advance(Duration::from_secs(60));
            stage.door().fails_path(stage.list_path(), fault);
            let options = talkvalue_tests::desk::patient_for(Duration::from_secs(10));
            let result = talkvalue_core::sync::actions::sync_item(&stage.desk.ports, &item, options).await;
            let after = stage.desk.show(&item).await;
            assert_eq!(
                result.is_ok(),
                looks_true,
                "{name} at {provider:?} must not pass for a complete read"
            );
            if let Err(error) = &result {
                assert_sentence(error);
                assert_eq!(
                    after.last_synced_at, before.last_synced_at,
                    "{name} at {provider:?}"
                );
            }
            assert_ne!(
                after.sync_status,
                SyncStatus::Disconnected,
                "{name} at {provider:?}: the probe works, so the credential is good"
            );
            stage.assert_exact(&item).await;
            stage.assert_no_leak();
        }
    }
}

#[tokio::test]
async fn a_lapsed_continuation_of_the_event_list_is_read_again_once() {
    for provider in BOTH {
        let stage = Stage::open(provider, 0).await;
        for number in 0..120 {
            stage.add_event(&format!("Night {number}"), 0);
        }
        let list = async || {
            connect::candidates(&stage.desk.ports, &stage.integration, patient())
                .await
                .map(|all| all.len())
        };
        let all = list().await.unwrap();
        assert!(all > 100, "{provider:?}: more than one page");
        stage.door().fails_path_next("events", 1, Fault::BadContinuation);
        assert_eq!(
            list().await,
            Ok(all),
            "{provider:?}: nothing is missing and nobody is troubled"
        );
        stage.door().fails_path("events", Fault::BadContinuation);
        let refused = list().await;
        assert_eq!(
            code_of(&refused),
            "PROVIDER_CHANGED",
            "{provider:?}: it does not ask for ever"
        );
    }
}
