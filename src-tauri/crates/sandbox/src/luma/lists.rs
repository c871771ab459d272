//! Luma's paging: a keyset cursor of sort value and row id, and the oddities around it.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::fmt::strtime;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::switches::SortChange;
use super::world::{Event, Guest, World};
use crate::clock::whole_milliseconds;
use crate::http::{Reply, Request};

pub(super) const DEFAULT_LIMIT: usize = 50;

/// What guests can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SortColumn {
    Name,
    Email,
    CreatedAt,
    RegisteredAt,
    CheckedInAt,
}

impl SortColumn {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "name" => Self::Name,
            "email" => Self::Email,
            "created_at" => Self::CreatedAt,
            "registered_at" => Self::RegisteredAt,
            "checked_in_at" => Self::CheckedInAt,
            _ => return None,
        })
    }
}

/// A value that rows are ordered by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortValue {
    Text(String),
    Time(Timestamp),
}

impl SortValue {
    /// As the database behind Luma prints it.
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Time(at) => {
                let whole = strtime::format("%Y-%m-%d %H:%M:%S", *at).unwrap_or_default();
                match at.subsec_millisecond() {
                    0 => json!(format!("{whole}+00")),
                    millis => json!(format!("{whole}.{millis:03}+00")),
                }
            }
        }
    }

    fn from_json(value: &Value, is_time: bool) -> Option<Self> {
        let text = value.as_str()?;
        if !is_time {
            return Some(Self::Text(text.to_owned()));
        }
        let text = text.strip_suffix("+00")?.replacen(' ', "T", 1);
        Some(Self::Time(format!("{text}Z").parse().ok()?))
    }
}

pub(super) fn sort_value(guest: &Guest, column: SortColumn) -> Option<SortValue> {
    match column {
        SortColumn::Name => guest.profile.name.clone().map(SortValue::Text),
        SortColumn::Email => guest.profile.email.clone().map(SortValue::Text),
        SortColumn::CreatedAt => Some(SortValue::Time(guest.created_at)),
        SortColumn::RegisteredAt => guest.registered_at.map(SortValue::Time),
        SortColumn::CheckedInAt => guest.checked_in_at().map(SortValue::Time),
    }
}

/// Direction, and where rows without a value go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    pub(super) descending: bool,
    pub(super) nulls_last: bool,
}

impl Direction {
    /// Without a word on nulls they count as the largest value.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let (descending, nulls_last) = match word {
            "asc" | "asc nulls last" => (false, true),
            "desc" => (true, false),
            "desc nulls last" => (true, true),
            _ => return None,
        };
        Some(Self {
            descending,
            nulls_last,
        })
    }

    fn compare(self, one: (&Option<SortValue>, &str), other: (&Option<SortValue>, &str)) -> Ordering {
        let nulls = one.0.is_none().cmp(&other.0.is_none());
        let nulls = if self.nulls_last { nulls } else { nulls.reverse() };
        let rest = one.0.cmp(other.0).then_with(|| one.1.cmp(other.1));
        let rest = if self.descending { rest.reverse() } else { rest };
        nulls.then(rest)
    }
}

/// The last row of the page before.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub(super) value: Option<SortValue>,
    pub(super) id: String,
    /// The number of the next page; sent only where an oddity needs it.
    pub(super) page: Option<u64>,
}

impl Cursor {
    pub(super) fn to_token(&self) -> String {
        let mut json = json!({ "sv": self.value.as_ref().map(SortValue::to_json), "fb": self.id });
        if let Some(page) = self.page {
            json["pg"] = page.into();
        }
        URL_SAFE_NO_PAD.encode(json.to_string())
    }

    pub(super) fn from_token(token: &str, is_time: bool) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok()?;
        let json: Value = serde_json::from_slice(&bytes).ok()?;
        let value = match json.get("sv")? {
            Value::Null => None,
            value => Some(SortValue::from_json(value, is_time)?),
        };
        let page = json.get("pg").and_then(Value::as_u64);
        Some(Self {
            value,
            id: json.get("fb")?.as_str()?.to_owned(),
            page,
        })
    }
}

/// A request's place in a list.
pub(super) struct Place {
    pub(super) cursor: Option<Cursor>,
    pub(super) limit: usize,
}

impl Place {
    pub(super) fn of(request: &Request, is_time: bool, cap: usize) -> Result<Self, Reply> {
        let limit = match request.query("pagination_limit").map(str::parse::<usize>) {
            None => DEFAULT_LIMIT,
            Some(Ok(wanted)) if wanted > 0 => wanted,
            Some(_) => {
                return Err(super::api::invalid(
                    "pagination_limit: Invalid input: expected number",
                ));
            }
        };
        let cursor = match request.query("pagination_cursor") {
            None => None,
            Some(token) => Some(Cursor::from_token(token, is_time).ok_or_else(bad_cursor)?),
        };
        Ok(Self {
            cursor,
            limit: limit.min(cap),
        })
    }
}

pub(super) fn bad_cursor() -> Reply {
    super::api::invalid("pagination_cursor: Invalid cursor")
}

/// Joins one page of rendered rows.
pub(super) fn envelope(rows: &[Arc<str>], has_more: bool, next: Option<&Cursor>) -> Reply {
    let mut out = String::with_capacity(rows.iter().map(|row| row.len() + 1).sum::<usize>() + 200);
    out.push_str("{\"entries\":[");
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(row);
    }
    out.push_str(&format!("],\"has_more\":{has_more}"));
    if let Some(next) = next {
        out.push_str(&format!(",\"next_cursor\":\"{}\"", next.to_token()));
    }
    out.push('}');
    Reply::json(200, out)
}

/// One page of an event's guests.
pub(super) fn guests(
    world: &mut World,
    event_id: &str,
    status: Option<&str>,
    column: SortColumn,
    direction: Direction,
    place: &Place,
    now: Timestamp,
) -> Reply {
    let switches = world.switches.clone();
    let Some(event) = world.events.get_mut(event_id) else {
        return bad_cursor();
    };
    if place
        .cursor
        .as_ref()
        .is_some_and(|cursor| cursor.page.is_none_or(|page| page == 2))
    {
        change_sort_value(
            event,
            switches.sort_change,
            column,
            direction,
            place.cursor.as_ref(),
            now,
        );
    }
    let ascending = event.order(column);
    let with_value = |at: usize| sort_value(&event.guests[at], column);
    let valued = ascending.partition_point(|at| with_value(*at).is_some());
    let mut order: Vec<usize> = ascending.as_ref().clone();
    if direction.descending {
        order[..valued].reverse();
        order[valued..].reverse();
    }
    if !direction.nulls_last {
        order.rotate_left(valued);
    }
    let start = place.cursor.as_ref().map_or(0, |cursor| {
        order.partition_point(|at| {
            let guest = &event.guests[*at];
            let here = with_value(*at);
            direction.compare((&here, &guest.id), (&cursor.value, &cursor.id)) != Ordering::Greater
        })
    });
    let page = place.cursor.as_ref().map_or(1, |cursor| cursor.page.unwrap_or(2));
    let numbered = event.empty_page.is_some() || switches.sort_change != SortChange::Still;
    if event.empty_page == Some(page) {
        let mut next = place.cursor.clone().unwrap_or(Cursor {
            value: None,
            id: String::new(),
            page: None,
        });
        if page == 1 {
            // A value before every other one, so that the first row comes next.
            next.value = Some(match column {
                SortColumn::Name | SortColumn::Email if direction.descending => {
                    SortValue::Text(char::MAX.to_string())
                }
                SortColumn::Name | SortColumn::Email => SortValue::Text(String::new()),
                _ if direction.descending => SortValue::Time(whole_milliseconds(Timestamp::MAX)),
                _ => SortValue::Time(Timestamp::UNIX_EPOCH),
            });
        }
        next.page = Some(page + 1);
        return envelope(&[], true, Some(&next));
    }
    let takes = |guest: &Guest| {
        status.is_none_or(|word| guest.approval_status == word) && !event.unlisted.contains(&guest.id)
    };
    let mut taken: Vec<usize> = order[start..]
        .iter()
        .copied()
        .filter(|at| takes(&event.guests[*at]))
        .take(place.limit + 1)
        .collect();
    let has_more = taken.len() > place.limit;
    taken.truncate(place.limit);
    let next = taken.last().map(|last| Cursor {
        value: with_value(*last),
        id: event.guests[*last].id.clone(),
        page: numbered.then_some(page + 1),
    });
    if event.repeats_rows
        && page > 1
        && let Some(previous) = place
            .cursor
            .as_ref()
            .and_then(|cursor| event.position(&cursor.id))
    {
        taken.insert(0, previous);
    }
    let rows: Vec<Arc<str>> = taken.into_iter().map(|at| event.rendered(at)).collect();
    let next = next.filter(|_| has_more || switches.cursor_on_last_page);
    envelope(&rows, has_more, next.as_ref())
}

/// Moves one row across the cursor, as an edit during the walk would.
fn change_sort_value(
    event: &mut Event,
    change: SortChange,
    column: SortColumn,
    direction: Direction,
    cursor: Option<&Cursor>,
    now: Timestamp,
) {
    let Some(cursor) = cursor else { return };
    if change == SortChange::Still || column == SortColumn::CreatedAt {
        return;
    }
    let served = |guest: &Guest| {
        let value = sort_value(guest, column);
        direction.compare((&value, &guest.id), (&cursor.value, &cursor.id)) != Ordering::Greater
    };
    let wants_served = change == SortChange::RowRepeated;
    let Some(guest) = event.guests.iter().find(|guest| served(guest) == wants_served) else {
        return;
    };
    let id = guest.id.clone();
    // To the far end if it shall repeat, to the near end if it shall be skipped.
    let largest = wants_served != direction.descending;
    event.change(&id, |guest| match column {
        SortColumn::Name if largest => guest.profile.name = Some("\u{10FFFF} Zuletzt".to_owned()),
        SortColumn::Name => guest.profile.name = Some("! First".to_owned()),
        SortColumn::Email if largest => guest.profile.email = Some("\u{10FFFF}@last.example".to_owned()),
        SortColumn::Email => guest.profile.email = Some("!first@tide.example".to_owned()),
        SortColumn::RegisteredAt => {
            let century = SignedDuration::from_hours(24 * 365 * 20);
            guest.registered_at = Some(if largest {
                whole_milliseconds(now)
            } else {
                whole_milliseconds(now - century)
            });
        }
        SortColumn::CheckedInAt => {
            for ticket in guest.tickets.iter_mut().filter(|ticket| ticket.captured) {
                ticket.checked_in_at = Some(whole_milliseconds(now));
            }
        }
        SortColumn::CreatedAt => {}
    });
}
