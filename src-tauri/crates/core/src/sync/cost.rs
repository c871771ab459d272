//! Which way of reading is the cheaper one: pure rules over what is known before the first request.

use crate::domain::freshness::{Span, longest_live_age_secs, planned_interval_secs};
use jiff::{SignedDuration, Timestamp};

/// Luma allows 200 requests a minute and calendar (its limits page); what nobody waits for takes half of them.
const BACKGROUND_REQUESTS_PER_MINUTE: u64 = 100;
/// Everything in so few requests costs no more than a look for what is new, which finds less.
const FEW_PAGES: u64 = 3;

/// What is known of a Luma list that is due.
#[derive(Debug, Clone, Copy)]
pub struct LumaList<'a> {
    /// When each that shows the list takes place; a channel stands.
    pub spans: &'a [Span],
    /// How many requests its last complete walk took.
    pub pages: Option<u64>,
    /// As of when it is complete, by the provider's clock.
    pub complete_as_of: Option<Timestamp>,
    /// When that read ended, by ours.
    pub checked_at: Option<Timestamp>,
    /// Since when somebody watches: an earlier read proves nothing to them.
    pub watched_since: Option<Timestamp>,
    /// Whether something is to be found out that only a complete walk tells: a failure, a record that cannot be read,
    /// a registration that was missed.
    pub in_doubt: bool,
    /// What it takes to walk everything that is read through its account.
    pub pages_of_account: u64,
}

/// How a Luma list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LumaWay {
    /// A complete walk.
    Everything,
    /// A look for what is new, between two complete walks.
    News,
}

/// Whether everything costs no more than a look for what is new. Of a list that was never walked nobody knows.
pub fn is_short(pages: Option<u64>) -> bool {
    pages.is_none_or(|pages| pages <= FEW_PAGES)
}

/// A long list is walked at the planned interval, or as often as half of the request limit allows all lists of its
/// account, but always before it would go stale; between walks a look for news does. A short one is always walked.
pub fn luma_way(list: &LumaList<'_>, now: Timestamp) -> LumaWay {
    let (Some(pages), Some(complete_as_of), Some(checked_at)) =
        (list.pages, list.complete_as_of, list.checked_at)
    else {
        return LumaWay::Everything;
    };
    let unseen = list.watched_since.is_some_and(|since| checked_at < since);
    if is_short(list.pages) || list.in_doubt || unseen {
        return LumaWay::Everything;
    }
    let least = |secs: fn(Span, Timestamp) -> Option<i64>| {
        let each = list.spans.iter().map(|span| secs(*span, now));
        // One that plans no more reads is read because somebody asks.
        each.min().flatten()
    };
    let (Some(planned), Some(longest)) = (least(planned_interval_secs), least(longest_live_age_secs)) else {
        return LumaWay::Everything;
    };
    let affordable = list.pages_of_account.max(pages).saturating_mul(60) / BACKGROUND_REQUESTS_PER_MINUTE;
    let interval = planned
        .max(i64::try_from(affordable).unwrap_or(i64::MAX))
        // A walk that begins by then is complete before the list goes stale.
        .min(longest / 2);
    let age = now.duration_since(complete_as_of);
    // A time in the future means that a clock was wrong: it proves nothing.
    if age.is_negative() || age >= SignedDuration::from_secs(interval) {
        LumaWay::Everything
    } else {
        LumaWay::News
    }
}

/// Attendees on a page of Eventbrite's.
pub const PAGE_OF_CHANGES: usize = 50;

/// From where a walk over an organization reads what changed, if it is cheaper than asking event by event. `since`:
/// from when each list that is due has to be read; `changes`: the times of change stored for all of them, the newest
/// first. A list whose `since` is earlier than the answer is read by itself: one that has not changed for long would
/// have the walk bring back everything since.
pub fn organization_walk(since: &[Timestamp], changes: &[Timestamp]) -> Option<Timestamp> {
    let mut since: Vec<Timestamp> = since.to_vec();
    since.sort_unstable_by(|one, other| other.cmp(one));
    let spared = |(index, from): (usize, &Timestamp)| {
        let rows = changes.partition_point(|change| change >= from);
        let pages = rows.div_ceil(PAGE_OF_CHANGES).max(1);
        let lists = index + 1;
        (lists > pages).then(|| (lists - pages, *from))
    };
    // Of two that spare as much, the one that reads less.
    let best = since
        .iter()
        .enumerate()
        .filter_map(spared)
        .max_by_key(|(spared, from)| (*spared, *from));
    best.map(|(_, from)| from)
}
