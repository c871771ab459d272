//! Eventbrite's paging: an offset inside an opaque token, pages of fifty, and the oddities around them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::switches::{AttendeeOrder, EventbriteSwitches, WalkChange};
use super::wire;
use super::world::{Attendee, World};
use crate::clock::whole_seconds;
use crate::http::{Reply, Request};

pub(super) const PAGE_SIZE: usize = 50;

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Continuation {
    page: u64,
    offset: usize,
    issued: i64,
}

impl Continuation {
    fn first() -> Self {
        Self {
            page: 1,
            offset: 0,
            issued: 0,
        }
    }

    fn to_token(self) -> String {
        let json = format!(
            r#"{{"page": {}, "offset": {}, "issued": {}}}"#,
            self.page, self.offset, self.issued
        );
        STANDARD_NO_PAD.encode(json)
    }

    fn from_token(token: &str) -> Option<Self> {
        let json = STANDARD_NO_PAD.decode(token.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// Where in a list the request wants to go on, and how many rows it wants.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) at: Continuation,
    pub(super) page_size: usize,
}

impl Position {
    /// Reads `continuation`, or the older `page`.
    pub(super) fn of(
        request: &Request,
        page_size: usize,
        now: Timestamp,
        switches: &EventbriteSwitches,
    ) -> Result<Self, Reply> {
        if let Some(token) = request.query("continuation") {
            let at = Continuation::from_token(token).ok_or_else(bad_continuation)?;
            let lifetime = switches
                .continuation_lifetime_minutes
                .map(|minutes| i64::from(minutes) * 60);
            if lifetime.is_some_and(|lifetime| now.as_second() - at.issued > lifetime) {
                return Err(bad_continuation());
            }
            return Ok(Self { at, page_size });
        }
        let page = request
            .query("page")
            .map_or(Ok(1), str::parse::<u64>)
            .unwrap_or(0);
        if page == 0 {
            return Err(bad_page());
        }
        let offset = usize::try_from(page - 1)
            .unwrap_or(usize::MAX)
            .saturating_mul(page_size);
        Ok(Self {
            at: Continuation {
                page,
                offset,
                ..Continuation::first()
            },
            page_size,
        })
    }

    pub(super) fn is_second_page(&self) -> bool {
        self.at.page == 2
    }
}

pub(super) fn bad_continuation() -> Reply {
    Reply::json(
        400,
        wire::error(
            400,
            "BAD_CONTINUATION_TOKEN",
            "The continuation token is invalid or has expired.",
        ),
    )
}

fn bad_page() -> Reply {
    Reply::json(
        400,
        wire::error(400, "BAD_PAGE", "Sorry, the page you requested is invalid."),
    )
}

/// Oddities that one list shows.
#[derive(Clone, Copy, Default)]
pub(super) struct Oddities {
    pub(super) repeats_rows: bool,
    pub(super) empty_page: Option<u64>,
}

/// Joins one page. `row` renders the row at an index below `total`.
pub(super) fn page(
    key: &str,
    total: usize,
    position: Position,
    oddities: Oddities,
    switches: &EventbriteSwitches,
    now: Timestamp,
    mut row: impl FnMut(usize) -> std::sync::Arc<str>,
) -> Reply {
    let Position { at, page_size } = position;
    if at.page > 1 && at.issued == 0 && at.offset >= total {
        return bad_page();
    }
    let emptied = oddities.empty_page == Some(at.page);
    let start = at.offset.min(total);
    let end = if emptied {
        start
    } else {
        (start + page_size).min(total)
    };
    let first = if oddities.repeats_rows && at.page > 1 && !emptied {
        start.saturating_sub(1)
    } else {
        start
    };
    let has_more = emptied || end < total;
    let mut out = String::with_capacity((end - first) * 2_000 + 300);
    out.push_str("{\"pagination\":{");
    if switches.counts {
        let pages = total.div_ceil(page_size).max(1);
        out.push_str(&format!("\"object_count\":{total},\"page_count\":{pages},"));
    }
    out.push_str(&format!("\"page_number\":{},\"page_size\":{page_size},", at.page));
    if has_more || switches.continuation_on_last_page {
        let next = Continuation {
            page: at.page + 1,
            offset: end,
            issued: now.as_second(),
        };
        out.push_str(&format!("\"continuation\":\"{}\",", next.to_token()));
    }
    out.push_str(&format!("\"has_more_items\":{has_more}}},\"{key}\":["));
    for index in first..end {
        if index > first {
            out.push(',');
        }
        out.push_str(&row(index));
    }
    out.push_str("]}");
    Reply::json(200, out)
}

/// Which attendees a list asks for.
pub(super) struct Wanted<'a> {
    pub(super) changed_since: Option<Timestamp>,
    pub(super) status: Option<&'a str>,
    pub(super) attendee_ids: Option<Vec<&'a str>>,
    pub(super) last_item_seen: Option<&'a str>,
}

impl Wanted<'_> {
    fn everything(&self) -> bool {
        self.changed_since.is_none()
            && self.status.is_none()
            && self.attendee_ids.is_none()
            && self.last_item_seen.is_none()
    }

    fn takes(&self, attendee: &Attendee, switches: &EventbriteSwitches) -> bool {
        let word = attendee.status.as_str();
        let status = match self.status {
            None => switches.deleted_without_filter || word != "Deleted",
            Some("attending") => matches!(word, "Attending" | "Checked In"),
            Some("not_attending") => matches!(word, "Not Attending" | "Deleted"),
            Some(_) => word == "Unpaid",
        };
        status
            && self
                .attendee_ids
                .as_ref()
                .is_none_or(|ids| ids.contains(&attendee.id.as_str()))
            && self
                .last_item_seen
                .is_none_or(|last| id_number(&attendee.id) > id_number(last))
    }
}

fn id_number(id: &str) -> (u64, u64) {
    let (base, suffix) = id.split_once('-').unwrap_or((id, "0"));
    (base.parse().unwrap_or(0), suffix.parse().unwrap_or(0))
}

/// A lagging replica does not know a row yet that is new within the lag.
fn shown(attendee: &Attendee, lag: SignedDuration, now: Timestamp) -> bool {
    lag.is_zero() || attendee.former.is_some() || now.duration_since(attendee.touched) >= lag
}

/// Whether a lagging replica still has the row as it was before its last change.
fn lags(attendee: &Attendee, lag: SignedDuration, now: Timestamp) -> bool {
    !lag.is_zero() && attendee.former.is_some() && now.duration_since(attendee.touched) < lag
}

/// The time of change that this read of the row shows.
fn shown_change(attendee: &Attendee, lag: SignedDuration, now: Timestamp) -> Timestamp {
    match &attendee.former {
        Some(former) if lags(attendee, lag, now) => former.changed,
        _ => attendee.changed,
    }
}

/// A page of the attendees of these events, in one list.
pub(super) fn attendees(
    world: &mut World,
    event_ids: &[String],
    wanted: &Wanted<'_>,
    position: Position,
    now: Timestamp,
) -> Reply {
    if position.is_second_page() {
        change_during_walk(world, event_ids, now);
    }
    let switches = world.switches.clone();
    let lag = SignedDuration::from_secs(i64::from(switches.replica_lag_secs));
    let single = match event_ids {
        [only] => world.events.get(only),
        _ => None,
    };
    let oddities = single.map_or_else(Oddities::default, |event| Oddities {
        repeats_rows: event.repeats_rows,
        empty_page: event.empty_page,
    });
    let plain = wanted.everything()
        && single.is_none_or(|event| event.unlisted.is_empty())
        && switches.deleted_without_filter
        && lag.is_zero()
        && switches.attendee_order == AttendeeOrder::ById;
    if plain && let Some(event) = single {
        // The usual walk: no row is looked at that is not served.
        let total = event.attendees.len();
        let id = event.id.clone();
        return page("attendees", total, position, oddities, &switches, now, |index| {
            served(world, &id, index, lag, now)
        });
    }
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for (number, id) in event_ids.iter().enumerate() {
        let Some(event) = world.events.get(id) else {
            continue;
        };
        // A moment between two seconds excludes the earlier one, as rows have no fractions.
        let since = wanted
            .changed_since
            .map(|at| at.as_second() + i64::from(at.subsec_nanosecond() > 0));
        let taken = event.changed_since(since).filter(|at| {
            let attendee = &event.attendees[*at];
            let changed = shown_change(attendee, lag, now).as_second();
            wanted.takes(attendee, &switches)
                && shown(attendee, lag, now)
                && since.is_none_or(|since| changed >= since)
                && !event.unlisted.contains(&attendee.id)
        });
        rows.extend(taken.map(|at| (number, at)));
    }
    let order_key = |&(number, at): &(usize, usize)| {
        world.events.get(&event_ids[number]).map(|event| {
            let attendee = &event.attendees[at];
            match switches.attendee_order {
                AttendeeOrder::ByChanged => shown_change(attendee, lag, now).as_second(),
                AttendeeOrder::ByCreatedDescending => -attendee.created.as_second(),
                AttendeeOrder::ById => 0,
            }
        })
    };
    if switches.attendee_order != AttendeeOrder::ById {
        rows.sort_by_key(order_key);
    }
    page(
        "attendees",
        rows.len(),
        position,
        oddities,
        &switches,
        now,
        |index| {
            let (number, at) = rows[index];
            served(world, &event_ids[number], at, lag, now)
        },
    )
}

/// The row as this read of an eventually consistent store gives it.
pub(super) fn served(
    world: &mut World,
    event_id: &str,
    index: usize,
    lag: SignedDuration,
    now: Timestamp,
) -> std::sync::Arc<str> {
    let older_once = world.switches.older_row_once;
    let Some(event) = world.events.get_mut(event_id) else {
        return "null".into();
    };
    let attendee = &mut event.attendees[index];
    let lags = lags(attendee, lag, now);
    if let Some(former) = &attendee.former {
        if lags {
            return former.json.clone();
        }
        if older_once && attendee.older_reads > 0 {
            attendee.older_reads -= 1;
            if attendee.older_reads == 0 {
                return former.json.clone();
            }
        }
    }
    event.rendered(index)
}

fn change_during_walk(world: &mut World, event_ids: &[String], now: Timestamp) {
    let Some(event_id) = event_ids.first() else { return };
    match world.switches.change_during_walk {
        WalkChange::Still => {}
        WalkChange::DeleteBefore => {
            if let Some(event) = world.events.get_mut(event_id)
                && let Some(first) = event.attendees.first()
            {
                let id = first.id.clone();
                event.remove(&id);
            }
        }
        WalkChange::InsertBefore => {
            let (id, order_id) = (world.next_attendee_id(), world.next_order_id());
            let attendee = world.new_attendee(id, order_id, whole_seconds(now));
            if let Some(event) = world.events.get_mut(event_id) {
                event.insert_first(attendee);
            }
        }
    }
}
