//! Freshness: how far a status can be trusted now. Computed, never stored.

use super::failure::FailureCode;
use super::status::SyncFacts;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Freshness {
    Live,
    /// An engine runs and has not completed its first check since start or wake.
    Checking,
    Offline,
    /// The keychain, a rate limit or storage holds the job up.
    Paused,
    /// No complete read for longer than the plan allows.
    Stale,
    /// Over, or archived: no more planned reads.
    Ended,
}

/// What is known of a running engine. With none, age alone decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineView {
    /// When the engine started or the computer woke; `None` where none runs.
    pub running_since: Option<Timestamp>,
}

impl EngineView {
    /// Whether a list that was last read at `checked_at` has had a good check since then. One of the future was made by
    /// a clock that has been set back, nobody knows when.
    fn has_checked(self, checked_at: Option<Timestamp>, now: Timestamp) -> bool {
        self.running_since
            .is_none_or(|since| checked_at.is_some_and(|at| at >= since && !is_ahead(at, now)))
    }
}

/// How far two readings of one clock may lie apart the wrong way round.
const CLOCKS_ADJUST_BY: SignedDuration = SignedDuration::from_secs(5);

/// Whether a time that was noted before lies in the future: the clock has been set back since.
pub(crate) fn is_ahead(noted: Timestamp, now: Timestamp) -> bool {
    noted.duration_since(now) > CLOCKS_ADJUST_BY
}

/// When an item's event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// A Path channel: it has no start and no end.
    pub standing: bool,
}

impl Span {
    /// The end, or a day after the start where no end is known.
    pub(crate) fn over_at(&self) -> Option<Timestamp> {
        self.ends_at
            .or_else(|| self.starts_at.map(|start| start.saturating_add_secs(24 * 3600)))
    }
}

/// Adds seconds without leaving the range of a timestamp.
trait SaturatingSeconds {
    fn saturating_add_secs(self, secs: i64) -> Timestamp;
}

impl SaturatingSeconds for Timestamp {
    fn saturating_add_secs(self, secs: i64) -> Timestamp {
        self.checked_add(SignedDuration::from_secs(secs))
            .unwrap_or(if secs < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// For a week after its end an event is still read daily; then only on demand.
const READS_AFTER_END_SECS: i64 = 7 * DAY;

/// Seconds between planned complete reads; `None` when no more are planned.
pub fn planned_interval_secs(span: Span, now: Timestamp) -> Option<i64> {
    if span.standing {
        return Some(15 * MINUTE);
    }
    let Some(over_at) = span.over_at() else {
        return Some(15 * MINUTE);
    };
    if now > over_at.saturating_add_secs(READS_AFTER_END_SECS) {
        return None;
    }
    if now > over_at {
        return Some(DAY);
    }
    let until_start = span
        .starts_at
        .map_or(0, |start| start.as_second() - now.as_second());
    Some(match until_start {
        ..=DAY => 2 * MINUTE,
        secs if secs <= 31 * DAY => 10 * MINUTE,
        _ => 4 * HOUR,
    })
}

/// The greatest age at which a complete read still counts as live: three planned intervals, at most 10 minutes within
/// a day of the start, an hour this week, a day otherwise.
pub fn longest_live_age_secs(span: Span, now: Timestamp) -> Option<i64> {
    let interval = planned_interval_secs(span, now)?;
    let until_start = span
        .starts_at
        .map_or(0, |start| start.as_second() - now.as_second());
    let over = span.over_at().is_some_and(|over_at| now > over_at);
    let cap = if span.standing {
        HOUR
    } else if over {
        DAY
    } else if until_start <= DAY {
        10 * MINUTE
    } else if until_start <= 7 * DAY {
        HOUR
    } else {
        DAY
    };
    Some((3 * interval).min(cap))
}

/// One value for one item, whose list was last read successfully at `checked_at` by our clock. Only ACTIVE and LIVE
/// together are green.
pub fn freshness(
    facts: &SyncFacts,
    checked_at: Option<Timestamp>,
    span: Span,
    archived: bool,
    engine: EngineView,
    now: Timestamp,
) -> Freshness {
    if archived {
        return Freshness::Ended;
    }
    if let Some(waiting) = facts.active_job.as_ref().and_then(|job| job.waiting) {
        return match waiting.code {
            FailureCode::Offline | FailureCode::NetworkSignIn => Freshness::Offline,
            _ => Freshness::Paused,
        };
    }
    let Some(longest) = longest_live_age_secs(span, now) else {
        return Freshness::Ended;
    };
    let Some(last_synced_at) = facts.last_synced_at else {
        return if facts.active_job.is_some() {
            Freshness::Checking
        } else {
            Freshness::Stale
        };
    };
    if !engine.has_checked(checked_at, now) {
        return Freshness::Checking;
    }
    // A read "from the future" means that clocks disagree: it proves nothing about now beyond the allowed age.
    let age = now.as_second() - last_synced_at.as_second();
    if age.abs() <= longest {
        Freshness::Live
    } else {
        Freshness::Stale
    }
}
