//! How far a status can be trusted.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use talkvalue_core::domain::failure::{FailureCode, Waiting};
use talkvalue_core::domain::freshness::{
    EngineView, Freshness, Span, freshness, longest_live_age_secs, planned_interval_secs,
};
use talkvalue_core::domain::ids::JobId;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::status::{ActiveJob, SyncFacts};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn now() -> Timestamp {
    talkvalue_tests::noon()
}

fn after(secs: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_secs(secs)).unwrap()
}

fn event(starts_in: i64, lasts: i64) -> Span {
    Span {
        starts_at: Some(after(starts_in)),
        ends_at: Some(after(starts_in + lasts)),
        standing: false,
    }
}

fn read_ago(secs: i64) -> SyncFacts {
    SyncFacts {
        last_synced_at: Some(after(-secs)),
        ..SyncFacts::default()
    }
}

fn waiting(code: FailureCode) -> SyncFacts {
    let job = ActiveJob {
        id: JobId::from_text("job-1"),
        kind: JobKind::Sync,
        done: 0,
        total: None,
        waiting: Some(Waiting { code, until: None }),
    };
    SyncFacts {
        active_job: Some(job),
        ..read_ago(1)
    }
}

#[test]
fn the_longest_live_age_shrinks_as_the_start_comes_near() {
    let table = [
        (
            event(2 * HOUR, 4 * HOUR),
            Some(360),
            "today: three intervals of two minutes",
        ),
        (event(-HOUR, 4 * HOUR), Some(360), "doors open"),
        (event(3 * DAY, 4 * HOUR), Some(1800), "this week"),
        (event(20 * DAY, 4 * HOUR), Some(1800), "this month"),
        (event(90 * DAY, 4 * HOUR), Some(12 * HOUR), "later"),
        (event(-2 * DAY, 4 * HOUR), Some(DAY), "past, still read daily"),
        (
            event(-30 * DAY, 4 * HOUR),
            None,
            "long past: no more planned reads",
        ),
        (
            Span {
                starts_at: None,
                ends_at: None,
                standing: true,
            },
            Some(2700),
            "a channel's interval is 15 minutes",
        ),
    ];
    for (span, expected, why) in table {
        assert_eq!(longest_live_age_secs(span, now()), expected, "{why}");
    }
}

#[test]
fn last_nights_list_is_not_shown_as_todays() {
    let today = event(2 * HOUR, 4 * HOUR);
    let none = EngineView::default();
    assert_eq!(
        freshness(&read_ago(60), None, today, false, none, now()),
        Freshness::Live
    );
    assert_eq!(
        freshness(&read_ago(361), None, today, false, none, now()),
        Freshness::Stale
    );
    assert_eq!(
        freshness(&read_ago(12 * HOUR), None, today, false, none, now()),
        Freshness::Stale
    );
    assert_eq!(
        freshness(&SyncFacts::default(), None, today, false, none, now()),
        Freshness::Stale,
        "nothing was ever read"
    );
}

#[test]
fn a_read_from_the_future_proves_nothing() {
    let facts = read_ago(-2 * HOUR);
    assert_eq!(
        freshness(
            &facts,
            None,
            event(HOUR, HOUR),
            false,
            EngineView::default(),
            now()
        ),
        Freshness::Stale
    );
}

#[test]
fn a_running_engine_is_believed_only_after_its_first_check() {
    let span = event(2 * HOUR, HOUR);
    let engine = EngineView {
        running_since: Some(now()),
    };
    let list = read_ago(1);
    let of = |checked_at| freshness(&list, checked_at, span, false, engine, now());
    assert_eq!(of(None), Freshness::Checking, "never checked");
    assert_eq!(
        of(now().checked_sub(SignedDuration::from_secs(1)).ok()),
        Freshness::Checking,
        "what was checked before the start says nothing of now"
    );
    assert_eq!(of(Some(now())), Freshness::Live);
    assert_eq!(
        of(Some(after(1))),
        Freshness::Live,
        "clocks are adjusted a little now and then"
    );
    assert_eq!(
        of(Some(after(60))),
        Freshness::Checking,
        "a clock that was set back says nothing of when the check was"
    );
}

#[test]
fn a_waiting_job_names_its_condition() {
    let span = event(2 * HOUR, HOUR);
    for (code, expected) in [
        (FailureCode::Offline, Freshness::Offline),
        (FailureCode::NetworkSignIn, Freshness::Offline),
        (FailureCode::RateLimited, Freshness::Paused),
        (FailureCode::VaultLocked, Freshness::Paused),
        (FailureCode::StorageFailed, Freshness::Paused),
    ] {
        assert_eq!(
            freshness(&waiting(code), None, span, false, EngineView::default(), now()),
            expected,
            "{code:?}"
        );
    }
}

#[test]
fn what_is_over_or_archived_has_ended() {
    let over = event(-30 * DAY, HOUR);
    assert_eq!(
        freshness(&read_ago(1), None, over, false, EngineView::default(), now()),
        Freshness::Ended
    );
    assert_eq!(
        freshness(
            &read_ago(1),
            None,
            event(HOUR, HOUR),
            true,
            EngineView::default(),
            now()
        ),
        Freshness::Ended
    );
}

proptest! {
    #[test]
    fn live_never_outlasts_the_caps(
        starts_in in -400 * DAY..400 * DAY,
        lasts in 0..10 * DAY,
        age in 0..30 * DAY,
    ) {
        let span = event(starts_in, lasts);
        if freshness(&read_ago(age), None, span, false, EngineView::default(), now()) == Freshness::Live {
            prop_assert!(age <= DAY, "nothing older than a day is live");
            let near = starts_in <= DAY && starts_in + lasts >= 0;
            prop_assert!(!near || age <= 600, "within a day of the start ten minutes is the most");
            let this_week = (0..=7 * DAY).contains(&starts_in);
            prop_assert!(!this_week || age <= HOUR, "this week an hour is the most");
        }
    }

    #[test]
    fn planning_knows_every_moment(starts_in in -4000 * DAY..4000 * DAY, lasts in -DAY..40 * DAY) {
        let interval = planned_interval_secs(event(starts_in, lasts), now());
        prop_assert!(interval.is_none_or(|secs| secs > 0));
    }
}
