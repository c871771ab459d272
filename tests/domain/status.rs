//! The sync status over facts and effects (the table of the design), and what no sequence of effects may do.

use jiff::Timestamp;
use proptest::prelude::*;
use talkvalue_core::domain::failure::{Failure, FailureCode};
use talkvalue_core::domain::ids::JobId;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::status::{ActiveJob, Alert, Effect, SyncFacts, SyncStatus};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn job(kind: JobKind) -> ActiveJob {
    ActiveJob {
        id: JobId::from_text("job-1"),
        kind,
        done: 0,
        total: None,
        waiting: None,
    }
}

fn facts(severed: bool, active: Option<JobKind>, completed: bool, failed: bool) -> SyncFacts {
    SyncFacts {
        severed: severed.then(|| Failure::new(FailureCode::CredentialsRejected, at(1))),
        active_job: active.map(job),
        last_synced_at: completed.then(|| at(2)),
        last_failure: failed.then(|| Failure::new(FailureCode::ProviderUnreachable, at(3))),
        last_attempted_at: Some(at(4)),
    }
}

#[test]
fn the_status_follows_the_rule_for_every_combination_of_facts() {
    let kinds = [
        None,
        Some(JobKind::Import),
        Some(JobKind::Retry),
        Some(JobKind::Reconnect),
        Some(JobKind::Sync),
    ];
    for severed in [false, true] {
        for active in kinds {
            for completed in [false, true] {
                for failed in [false, true] {
                    let person_started = matches!(
                        active,
                        Some(JobKind::Import | JobKind::Retry | JobKind::Reconnect)
                    );
                    let expected = match (severed, person_started, completed, failed) {
                        (true, _, _, _) => SyncStatus::Disconnected,
                        (false, true, _, _) | (false, false, false, _) => SyncStatus::Pending,
                        (false, false, true, true) => SyncStatus::Failed,
                        (false, false, true, false) => SyncStatus::Active,
                    };
                    let facts = facts(severed, active, completed, failed);
                    assert_eq!(
                        facts.status(),
                        expected,
                        "severed {severed}, {active:?}, completed {completed}, failed {failed}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_alert_says_what_a_person_must_know_and_an_archive_has_none() {
    let table = [
        (
            facts(true, None, true, true),
            Some(Alert::IntegrationDisconnected),
        ),
        (facts(false, None, true, true), Some(Alert::SyncFailed)),
        (facts(false, None, false, false), Some(Alert::ImportFailed)),
        (facts(false, None, false, true), Some(Alert::ImportFailed)),
        (facts(false, Some(JobKind::Import), false, false), None),
        (facts(false, Some(JobKind::Reconnect), true, true), None),
        (facts(false, None, true, false), None),
        // A sync that runs does not hide that the last attempt failed.
        (
            facts(false, Some(JobKind::Sync), true, true),
            Some(Alert::SyncFailed),
        ),
    ];
    for (facts, expected) in table {
        assert_eq!(facts.alert(false), expected, "{facts:?}");
        assert_eq!(facts.alert(true), None, "an archived item needs nobody");
    }
}

#[test]
fn an_import_that_left_no_reason_behind_was_interrupted() {
    let cut_off = facts(false, None, false, false);
    assert_eq!(
        cut_off.failure().map(|failure| failure.code),
        Some(FailureCode::Interrupted)
    );
    let failed = facts(false, None, false, true);
    assert_eq!(
        failed.failure().map(|failure| failure.code),
        Some(FailureCode::ProviderUnreachable)
    );
    assert_eq!(
        facts(false, None, true, false).failure(),
        None,
        "an active item has nothing to explain"
    );
    assert_eq!(
        facts(false, Some(JobKind::Retry), true, true).failure(),
        None,
        "a running retry is no failure"
    );
}

#[test]
fn only_a_definite_loss_of_the_credential_severs() {
    let severing: Vec<FailureCode> = FailureCode::ALL
        .into_iter()
        .filter(|code| code.severs())
        .collect();
    assert_eq!(
        severing,
        [
            FailureCode::CredentialsRejected,
            FailureCode::CredentialsMissing,
            FailureCode::DisconnectedByYou
        ],
        "no false alarm: nothing else may ever make an item DISCONNECTED"
    );
    for code in FailureCode::ALL {
        assert_eq!(
            FailureCode::from_code(code.code()),
            Some(code),
            "a stored code is read back"
        );
        assert!(
            !(code.severs() && code.is_condition()),
            "{code:?} is either a failure or a condition"
        );
    }
}

#[test]
fn a_confirmed_reconnect_is_not_green_before_a_read_succeeded() {
    let mut facts = facts(true, None, true, false);
    facts.apply(Effect::ReconnectConfirmed { at: at(10) });
    assert_eq!(
        facts.status(),
        SyncStatus::Failed,
        "a crash right now must not leave a green badge"
    );
    facts.apply(Effect::JobStarted {
        job: job(JobKind::Reconnect),
        at: at(11),
    });
    assert_eq!(facts.status(), SyncStatus::Pending);
    facts.apply(Effect::Succeeded { as_of: at(12) });
    assert_eq!(facts.status(), SyncStatus::Active);
}

fn any_effect() -> impl Strategy<Value = Effect> {
    let code = proptest::sample::select(FailureCode::ALL.to_vec());
    prop_oneof![
        (proptest::sample::select(JobKind::ALL.to_vec()), 0..1000i64).prop_map(|(kind, second)| {
            Effect::JobStarted {
                job: job(kind),
                at: at(second),
            }
        }),
        (0..1000i64).prop_map(|second| Effect::Succeeded { as_of: at(second) }),
        (code.clone(), 0..1000i64).prop_map(|(code, second)| Effect::Failed(Failure::new(code, at(second)))),
        (code.clone(), 0..1000i64).prop_map(|(code, second)| Effect::Held(Failure::new(code, at(second)))),
        Just(Effect::LockLost),
        (code, 0..1000i64).prop_map(|(code, second)| Effect::Severed(Failure::new(code, at(second)))),
        (0..1000i64).prop_map(|second| Effect::ReconnectConfirmed { at: at(second) }),
    ]
}

proptest! {
    #[test]
    fn no_sequence_loses_the_last_success(effects in proptest::collection::vec(any_effect(), 0..40)) {
        let mut facts = SyncFacts::default();
        let mut newest_success = None;
        for effect in effects {
            if let Effect::Succeeded { as_of } = &effect {
                newest_success = newest_success.max(Some(*as_of));
            }
            facts.apply(effect);
            prop_assert_eq!(facts.last_synced_at, newest_success, "a failure never erases a success");
        }
    }

    #[test]
    fn without_a_live_lock_no_job_is_active(effects in proptest::collection::vec(any_effect(), 0..40)) {
        let mut facts = SyncFacts::default();
        for effect in effects {
            facts.apply(effect);
            facts.apply(Effect::LockLost);
            prop_assert!(facts.active_job.is_none());
            let pending_for_a_job = facts.status() == SyncStatus::Pending && facts.last_synced_at.is_some();
            prop_assert!(!pending_for_a_job, "nothing may look busy while nobody works on it");
        }
    }

    #[test]
    fn green_needs_a_success_and_nothing_after_it(effects in proptest::collection::vec(any_effect(), 0..40)) {
        let mut facts = SyncFacts::default();
        for effect in effects {
            let failing = matches!(effect, Effect::Failed(_) | Effect::Severed(_) | Effect::ReconnectConfirmed { .. });
            facts.apply(effect);
            if facts.status() == SyncStatus::Active {
                prop_assert!(facts.last_synced_at.is_some(), "never green unless we know");
                prop_assert!(!failing, "no failure leaves an item green");
            }
        }
    }

    #[test]
    fn disconnected_means_severed_and_nothing_else(effects in proptest::collection::vec(any_effect(), 0..40)) {
        let mut facts = SyncFacts::default();
        for effect in effects {
            facts.apply(effect);
            prop_assert_eq!(facts.status() == SyncStatus::Disconnected, facts.severed.is_some());
        }
    }

    #[test]
    fn a_condition_leaves_the_status_of_a_completed_item_alone(
        effects in proptest::collection::vec(any_effect(), 0..40),
        code in proptest::sample::select(FailureCode::ALL.to_vec()),
    ) {
        let mut facts = SyncFacts::default();
        for effect in effects {
            facts.apply(effect);
        }
        facts.apply(Effect::Succeeded { as_of: at(5) });
        let before = facts.status();
        facts.apply(Effect::JobStarted { job: job(JobKind::Sync), at: at(6) });
        facts.apply(Effect::Held(Failure::new(code, at(7))));
        prop_assert_eq!(facts.status(), before);
    }
}
