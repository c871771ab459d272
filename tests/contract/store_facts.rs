//! The store changes facts exactly as the pure rules say: the same effects lead to the same facts.

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use talkvalue_core::domain::failure::{Failure, FailureCode, Waiting};
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::{JobEnd, JobKind};
use talkvalue_core::domain::status::{ActiveJob, Effect, SyncFacts};
use talkvalue_core::ports::{Absences, Completion, Extent, Store};
use talkvalue_core::query::facts_of;
use talkvalue_tests::stored::{add_item, at, integration, open};

/// What happens to an item, as the engine makes it happen.
#[derive(Debug, Clone)]
enum Step {
    Run {
        kind: JobKind,
        end: End,
    },
    /// The process dies in the middle of a job; the next one takes over.
    Killed(JobKind),
    Sever(FailureCode),
    Reconnect,
}

#[derive(Debug, Clone)]
enum End {
    Complete { as_of: i64 },
    Fail(FailureCode),
    Hold(FailureCode),
}

fn any_step() -> impl Strategy<Value = Step> {
    let kinds = proptest::sample::select(JobKind::ALL.to_vec());
    let failures: Vec<_> = FailureCode::ALL
        .into_iter()
        .filter(|code| !code.severs() && !code.is_condition())
        .collect();
    let conditions: Vec<_> = FailureCode::ALL
        .into_iter()
        .filter(|code| code.is_condition())
        .collect();
    let severing: Vec<_> = FailureCode::ALL
        .into_iter()
        .filter(|code| code.severs())
        .collect();
    let end = prop_oneof![
        (0..100i64).prop_map(|as_of| End::Complete { as_of }),
        proptest::sample::select(failures).prop_map(End::Fail),
        proptest::sample::select(conditions).prop_map(End::Hold),
    ];
    prop_oneof![
        4 => (kinds.clone(), end).prop_map(|(kind, end)| Step::Run { kind, end }),
        1 => kinds.prop_map(Step::Killed),
        1 => proptest::sample::select(severing).prop_map(Step::Sever),
        1 => Just(Step::Reconnect),
    ]
}

#[test]
fn the_store_and_the_pure_rules_agree_after_every_step() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&proptest::collection::vec(any_step(), 1..12), |steps| {
            runtime.block_on(play(steps));
            Ok(())
        })
        .unwrap();
}

fn everything_read(as_of: Timestamp, at: Timestamp) -> Completion {
    Completion {
        as_of,
        watermark: None,
        extent: Extent::Everything { pages: 1, gap: None },
        absences: Absences::default(),
        at,
    }
}

async fn play(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let mut model = SyncFacts::default();
    for (index, step) in steps.into_iter().enumerate() {
        let now = at(1_000 + index as i64);
        match step {
            Step::Run { kind, end } => {
                // Nothing is read through a severed credential: the use cases refuse before a job is opened.
                if model.severed.is_some() {
                    continue;
                }
                let kept = store.item(&item).await.unwrap().unwrap().open_job;
                let condition = kept.filter(|job| job.held).and_then(|job| job.waiting);
                let id = store.open_job(&item, kind, now).await.unwrap();
                let job = ActiveJob {
                    id: id.clone(),
                    kind,
                    done: 0,
                    total: None,
                    // What held up the attempt before may last, until this one has got something.
                    waiting: condition.map(|waiting| Waiting {
                        until: None,
                        ..waiting
                    }),
                };
                model.apply(Effect::JobStarted { job, at: now });
                let record = store.item(&item).await.unwrap().unwrap();
                assert_eq!(
                    facts_of(&record, true, EngineView::default()),
                    model,
                    "while the job runs"
                );
                match end {
                    End::Complete { as_of } => {
                        store
                            .complete_job(&id, everything_read(at(as_of), now))
                            .await
                            .unwrap();
                        model.apply(Effect::Succeeded { as_of: at(as_of) });
                    }
                    End::Fail(code) => {
                        let failure = Failure::new(code, now);
                        store
                            .end_job(&id, JobEnd::Failed(failure.clone()), now)
                            .await
                            .unwrap();
                        model.apply(Effect::Failed(failure));
                    }
                    End::Hold(code) => {
                        let failure = Failure::new(code, now);
                        let waiting = Waiting { code, until: None };
                        store
                            .end_job(&id, JobEnd::Held(waiting, failure.clone()), now)
                            .await
                            .unwrap();
                        model.apply(Effect::Held(failure));
                    }
                }
            }
            Step::Killed(kind) => {
                if model.severed.is_some() {
                    continue;
                }
                let id = store.open_job(&item, kind, now).await.unwrap();
                let job = ActiveJob {
                    id,
                    kind,
                    done: 0,
                    total: None,
                    waiting: None,
                };
                model.apply(Effect::JobStarted { job, at: now });
                model.apply(Effect::LockLost);
                let record = store.item(&item).await.unwrap().unwrap();
                assert_eq!(
                    facts_of(&record, false, EngineView::default()),
                    model,
                    "a job without a live lock is not active"
                );
                store.end_orphaned_jobs(now).await.unwrap();
            }
            Step::Sever(code) => {
                let failure = Failure::new(code, now);
                store
                    .sever(&integration.id, integration.generation, &failure)
                    .await
                    .unwrap();
                // A first reason is kept, except that a person's own word replaces it.
                if model.severed.is_none() || code == FailureCode::DisconnectedByYou {
                    model.apply(Effect::Severed(failure));
                }
            }
            Step::Reconnect => {
                // A person repairs the account first: nothing is reconnected through one that is severed.
                store.save_integration(&integration).await.unwrap();
                store
                    .confirm_reconnect(&item, &integration.id, now)
                    .await
                    .unwrap();
                model.apply(Effect::ReconnectConfirmed { at: now });
            }
        }
        let record = store.item(&item).await.unwrap().unwrap();
        assert_eq!(
            facts_of(&record, false, EngineView::default()),
            model,
            "after step {index}"
        );
        assert_eq!(
            facts_of(&record, false, EngineView::default()).status(),
            model.status()
        );
    }
}

#[tokio::test]
async fn a_failure_that_lasts_keeps_the_time_at_which_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let integration = integration("1");
    store.save_integration(&integration).await.unwrap();
    let item = add_item(&store, &integration, "990", ItemKind::BadgeEvent).await;
    let read = async |now: i64, code: Option<FailureCode>| {
        let job = store.open_job(&item, JobKind::Sync, at(now)).await.unwrap();
        match code {
            None => store
                .complete_job(&job, everything_read(at(now), at(now)))
                .await
                .unwrap(),
            Some(code) => {
                let end = JobEnd::Failed(Failure::new(code, at(now)));
                store.end_job(&job, end, at(now)).await.unwrap();
            }
        }
        let record = store.item(&item).await.unwrap().unwrap();
        record.last_failure.map(|failure| failure.at)
    };
    let silent = Some(FailureCode::ProviderUnreachable);
    assert_eq!(read(10, None).await, None);
    assert_eq!(read(20, silent).await, Some(at(20)));
    assert_eq!(
        read(80, silent).await,
        Some(at(20)),
        "the same trouble met again is as old as it was: how rarely to ask, and whom to call, go by its age"
    );
    assert_eq!(
        read(140, Some(FailureCode::ProviderChanged)).await,
        Some(at(140)),
        "another trouble is a new one"
    );
    assert_eq!(read(200, None).await, None);
    assert_eq!(
        read(260, silent).await,
        Some(at(260)),
        "and after a success it is new as well"
    );
}
