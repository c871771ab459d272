//! What an answer means and when to ask again: the failure table.

use std::time::Duration;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::provider::{Origin, OriginError, Provider};
use talkvalue_core::ports::ProviderError;
use talkvalue_core::sync::retry::{LONGEST_GUESSED_WAIT, LONGEST_TOLD_WAIT, NextStep, TRIES, next_step};
use talkvalue_core::sync::verdict::{Question, Verdict, judge, question};

fn unreachable() -> ProviderError {
    ProviderError::Unreachable {
        detail: String::new(),
    }
}

fn malformed() -> ProviderError {
    ProviderError::Malformed {
        detail: String::new(),
    }
}

fn limited(secs: Option<u64>) -> ProviderError {
    ProviderError::RateLimited {
        retry_after: secs.map(Duration::from_secs),
    }
}

#[test]
fn a_rejection_severs_only_when_the_probe_is_rejected_too() {
    use ProviderError as E;
    for provider in Provider::ALL {
        let rejected = |probe: Result<(), E>| judge(provider, &E::CredentialsRejected, Some(&probe), None);
        assert_eq!(rejected(Err(E::CredentialsRejected)), Verdict::Sever);
        assert_eq!(rejected(Ok(())), Verdict::Fail(FailureCode::PermissionMissing));
        assert_eq!(
            rejected(Err(unreachable())),
            Verdict::Fail(FailureCode::ProviderUnreachable)
        );
        assert_eq!(
            rejected(Err(limited(None))),
            Verdict::Hold(FailureCode::RateLimited)
        );
        assert_eq!(rejected(Err(E::Offline)), Verdict::Hold(FailureCode::Offline));
        assert_eq!(
            rejected(Err(E::NetworkSignIn)),
            Verdict::Hold(FailureCode::NetworkSignIn)
        );
        assert_eq!(
            rejected(Err(malformed())),
            Verdict::Fail(FailureCode::ProviderChanged)
        );
        assert_ne!(
            judge(provider, &E::CredentialsRejected, None, None),
            Verdict::Sever,
            "no probe, no proof"
        );
    }
}

#[test]
fn no_error_but_a_confirmed_rejection_ever_severs() {
    use ProviderError as E;
    let errors = [
        E::Offline,
        unreachable(),
        E::NetworkSignIn,
        limited(Some(3)),
        E::CredentialsRejected,
        E::PermissionMissing,
        E::Gone,
        E::CursorRejected,
        malformed(),
    ];
    for provider in Provider::ALL {
        for error in &errors {
            let probes = errors
                .iter()
                .cloned()
                .map(Err)
                .chain([Ok(())])
                .map(Some)
                .chain([None]);
            for probe in probes {
                for others_work in [None, Some(true), Some(false)] {
                    let verdict = judge(provider, error, probe.as_ref(), others_work);
                    let confirmed = matches!(error, E::CredentialsRejected | E::PermissionMissing)
                        && probe == Some(Err(E::CredentialsRejected));
                    assert_eq!(
                        verdict == Verdict::Sever,
                        confirmed,
                        "{provider:?} {error:?} {probe:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_refused_right_is_read_as_each_provider_means_it() {
    use ProviderError as E;
    let judged =
        |provider, probe: Result<(), E>, others| judge(provider, &E::PermissionMissing, Some(&probe), others);
    let (eventbrite, luma) = (Provider::Eventbrite, Provider::Luma);
    assert_eq!(
        judged(eventbrite, Ok(()), None),
        Verdict::Fail(FailureCode::PermissionMissing)
    );
    assert_eq!(
        judged(luma, Ok(()), Some(true)),
        Verdict::Fail(FailureCode::RemoteGone),
        "Luma says 403 for gone"
    );
    assert_eq!(
        judged(luma, Ok(()), Some(false)),
        Verdict::Fail(FailureCode::PermissionMissing)
    );
    assert_eq!(
        judged(luma, Err(E::PermissionMissing), None),
        Verdict::FailAll(FailureCode::PlanRequired)
    );
    assert_eq!(
        judged(eventbrite, Err(E::PermissionMissing), None),
        Verdict::Fail(FailureCode::PermissionMissing)
    );
}

#[test]
fn the_rest_of_the_table_needs_no_probe() {
    use ProviderError as E;
    let table = [
        (E::Offline, Verdict::Hold(FailureCode::Offline)),
        (E::NetworkSignIn, Verdict::Hold(FailureCode::NetworkSignIn)),
        (limited(None), Verdict::Hold(FailureCode::RateLimited)),
        (unreachable(), Verdict::Fail(FailureCode::ProviderUnreachable)),
        (E::Gone, Verdict::Fail(FailureCode::RemoteGone)),
        (E::CursorRejected, Verdict::RestartWalk),
        (malformed(), Verdict::Fail(FailureCode::ProviderChanged)),
    ];
    for (error, verdict) in table {
        assert_eq!(question(&error), Question::None);
        for provider in Provider::ALL {
            assert_eq!(judge(provider, &error, None, None), verdict, "{error:?}");
        }
    }
    assert_eq!(question(&E::CredentialsRejected), Question::Probe);
    assert_eq!(question(&E::PermissionMissing), Question::Probe);
}

#[test]
fn a_call_is_tried_three_times_with_full_jitter() {
    for jitter in [0.0, 0.5, 1.0] {
        for tries in 1..TRIES {
            let NextStep::Again(delay) = next_step(&unreachable(), tries, 0, jitter) else {
                panic!("try {tries} of {TRIES} is followed by another");
            };
            assert!(
                delay <= Duration::from_secs(1 << (tries - 1)),
                "{delay:?} after try {tries}"
            );
        }
        assert_eq!(next_step(&unreachable(), TRIES, 0, jitter), NextStep::GiveUp);
    }
    assert_eq!(
        next_step(&ProviderError::CredentialsRejected, 1, 0, 0.5),
        NextStep::GiveUp,
        "a refusal is no outage"
    );
    assert!(
        matches!(next_step(&ProviderError::Gone, 1, 0, 0.5), NextStep::Again(_)),
        "a 404 counts when said twice"
    );
    assert_eq!(next_step(&ProviderError::Gone, 2, 0, 0.5), NextStep::GiveUp);
}

#[test]
fn a_rate_limit_is_waited_out_as_told() {
    let wait = |told, limits_met| match next_step(&limited(told), 1, limits_met, 0.5) {
        NextStep::WaitOut(wait) => wait,
        other => panic!("a rate limit is waited out: {other:?}"),
    };
    assert_eq!(wait(Some(30), 0), Duration::from_secs(30));
    assert_eq!(wait(Some(0), 0), Duration::from_secs(1), "at least a second");
    assert_eq!(
        wait(Some(3600), 5),
        Duration::from_secs(3600),
        "an hour is Eventbrite's window"
    );
    assert_eq!(
        wait(Some(1_000_000), 0),
        LONGEST_TOLD_WAIT,
        "an absurd header is not obeyed for days"
    );
    assert_eq!(wait(None, 0), Duration::from_secs(60));
    assert_eq!(wait(None, 1), Duration::from_secs(120));
    assert_eq!(wait(None, 30), LONGEST_GUESSED_WAIT);
}

#[test]
fn only_https_or_loopback_is_an_origin() {
    for good in [
        "https://www.eventbriteapi.com/v3",
        "http://127.0.0.1:8080/v3",
        "http://localhost:1",
        "http://[::1]:9/",
    ] {
        assert!(Origin::parse(good).is_ok(), "{good}");
    }
    assert_eq!(
        Origin::parse("https://api.example/v3/").unwrap().as_str(),
        "https://api.example/v3"
    );
    for (bad, why) in [
        ("http://api.example", OriginError::NotSecure),
        ("http://127.0.0.1.example.com", OriginError::NotSecure),
        ("http://localhost.example.com", OriginError::NotSecure),
        ("ftp://127.0.0.1", OriginError::NotSecure),
        ("https://user:word@api.example", OriginError::TooMuch),
        ("https://api.example/?token=x", OriginError::TooMuch),
        ("api.example", OriginError::NotAnAddress),
        ("", OriginError::NotAnAddress),
    ] {
        assert_eq!(Origin::parse(bad), Err(why), "{bad}");
    }
}
