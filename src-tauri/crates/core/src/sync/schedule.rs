//! When an item is read next without anybody asking: one pure rule over stored facts, for the engine that reads it and
//! for the window that tells when.

use crate::domain::failure::FailureCode;
use crate::domain::freshness::{EngineView, Span, is_ahead, planned_interval_secs};
use crate::domain::job::JobKind;
use crate::ports::{ItemRecord, MemberRecord, Neighbour};
use crate::query::{facts_of, span_of};
use jiff::{SignedDuration, Timestamp};

/// Between two reads of a list that is watched.
pub const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// While something is wrong with this computer (no network, a locked keychain, a full disk) one list after another would
/// only find out the same: all of them rest this long.
pub(super) const REST: SignedDuration = SignedDuration::from_secs(15);
/// While a provider does not answer, reads become this rare and no rarer.
const RAREST_WHILE_FAILING: SignedDuration = SignedDuration::from_mins(15);
/// What waits for a person is looked at this often: they may have mended it elsewhere.
const WHILE_A_PERSON_IS_NEEDED: SignedDuration = SignedDuration::from_hours(1);

/// A read that nobody has to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRead {
    pub at: Timestamp,
    /// A kept or interrupted job that goes on as what it was; `None`: a check of a list that is complete.
    pub goes_on: Option<JobKind>,
}

/// The next read of an item while an engine runs; `None` where none is planned. What was noted by a clock that has been
/// set back since counts as never tried.
pub fn next_read(record: &ItemRecord, engine: EngineView, now: Timestamp) -> Option<NextRead> {
    let since = engine.running_since?;
    if record.item.archived || record.severed.is_some() {
        return None;
    }
    let attempted = record
        .last_attempted_at
        .max(record.reads.seen_at())
        .filter(|at| !is_ahead(*at, now));
    if let Some(job) = &record.open_job {
        // A job that is not held is being worked on.
        let waiting = job.waiting.filter(|_| job.held)?;
        let rest = if is_this_computers(waiting.code) {
            REST
        } else {
            EVERY
        };
        let pause = attempted.and_then(|at| at.checked_add(rest).ok());
        return Some(NextRead {
            at: waiting.until.or(pause).unwrap_or(since),
            goes_on: Some(job.kind),
        });
    }
    let tried_since_start = attempted.filter(|at| *at >= since);
    let facts = facts_of(record, false, engine);
    let failure = facts.failure();
    if failure
        .as_ref()
        .is_some_and(|failure| failure.code == FailureCode::Interrupted)
    {
        // What a kill cut off goes on once; if it is cut off again, a person is asked.
        return tried_since_start.is_none().then_some(NextRead {
            at: since,
            goes_on: Some(JobKind::Retry),
        });
    }
    // An import that failed waits for its Retry.
    record.last_synced_at?;
    let interval = planned_interval_secs(span_of(&record.item), attempted.unwrap_or(since))?;
    let check = |at| Some(NextRead { at, goes_on: None });
    let Some(attempted) = tried_since_start else {
        return check(since);
    };
    let pause = match failure {
        Some(failure) if failure.code == FailureCode::ProviderUnreachable => attempted
            .duration_since(failure.at)
            .clamp(EVERY, RAREST_WHILE_FAILING),
        Some(_) => WHILE_A_PERSON_IS_NEEDED,
        // After its end an event is read once a day.
        None if interval > 12 * 3_600 => SignedDuration::from_secs(interval),
        None => EVERY,
    };
    check(attempted.checked_add(pause).unwrap_or(Timestamp::MAX))
}

/// Conditions that hold for every list, whatever its account.
pub(super) fn is_this_computers(code: FailureCode) -> bool {
    let elsewhere = matches!(
        code,
        FailureCode::VaultLocked | FailureCode::VaultUnavailable | FailureCode::StorageFailed
    );
    elsewhere || is_the_networks(code)
}

/// Conditions of the network that this computer is in, found out on the way to one provider.
pub(super) fn is_the_networks(code: FailureCode) -> bool {
    matches!(code, FailureCode::Offline | FailureCode::NetworkSignIn)
}

/// Two timers that mean the same moment never meet exactly.
const ABOUT_NOW: SignedDuration = SignedDuration::from_secs(5);
/// What a person's job need not read again: it was read in the job that was cut off, or beside it.
const JUST_READ: SignedDuration = SignedDuration::from_mins(10);

/// A channel wants each of its events complete as of so long ago at most.
const CHANNEL_COMPLETE_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Whose turn comes within the next half minute may as well be read now, and then always along with the others.
const JOINS_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Whether a walk that is made over the organization anyway reads this list too.
pub fn joins_a_walk(list: &Neighbour, now: Timestamp) -> bool {
    let span = Span {
        starts_at: list.starts_at,
        ends_at: list.ends_at,
        standing: false,
    };
    let live = planned_interval_secs(span, now).is_some_and(|interval| interval <= 12 * 3_600);
    let age = list.reads.checked_at.map(|at| now.duration_since(at));
    live && age.is_none_or(|age| age.is_negative() || age >= JOINS_AFTER)
}

/// Why a channel reads its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelRead {
    /// A person pulls: all of them.
    Pull,
    /// An import, a retry, a reconnect: all that were not read a moment ago.
    CatchUp,
    /// It is due by itself: each event as it would be by itself.
    Check,
}

/// Whether a channel's job reads this event of it.
pub fn member_is_due(member: &MemberRecord, read: ChannelRead, now: Timestamp) -> bool {
    if member.closed_at.is_some() {
        return false;
    }
    let (Some(_), Some(checked_at)) = (member.last_synced_at, member.reads.checked_at) else {
        return true;
    };
    let age = now.duration_since(checked_at);
    // A time in the future means that a clock was wrong.
    let older_than = |limit: SignedDuration| age.is_negative() || age >= limit;
    let looked_at_long_ago = member.reads.seen_at().is_none_or(|at| {
        let age = now.duration_since(at);
        age.is_negative() || age >= EVERY - ABOUT_NOW
    });
    match (read, planned_interval_secs(member_span(member), now)) {
        (ChannelRead::Pull, _) => true,
        // Long over: read once, and then on demand.
        (_, None) => false,
        (ChannelRead::CatchUp, Some(_)) => older_than(JUST_READ),
        (ChannelRead::Check, Some(interval)) if interval > 12 * 3_600 => {
            older_than(SignedDuration::from_secs(interval))
        }
        // Who else looks at it for news may need a complete walk less often than the channel does.
        (ChannelRead::Check, Some(_)) => looked_at_long_ago || older_than(CHANNEL_COMPLETE_EVERY),
    }
}

/// Whether what a channel says of now depends on this event: it is neither gone nor over.
pub fn member_counts(member: &MemberRecord, now: Timestamp) -> bool {
    member.closed_at.is_none()
        && planned_interval_secs(member_span(member), now).is_some_and(|interval| interval <= 12 * 3_600)
}

pub(super) fn member_span(member: &MemberRecord) -> Span {
    Span {
        starts_at: member.event.starts_at,
        ends_at: member.event.ends_at,
        standing: false,
    }
}
