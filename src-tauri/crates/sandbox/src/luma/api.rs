//! Luma's routes: key, rate limit per calendar, then what the path asks for.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::LumaApi;
use super::lists::{self, Cursor, Direction, Place, SortColumn, SortValue};
use super::wire;
use super::world::{Event, World};
use crate::door::Door;
use crate::fault::Fault;
use crate::http::{Api, Reply, Request, html_error};
use crate::lock;
use crate::oauth::OauthServer;

const MINUTE_SECS: i64 = 60;
const APPROVAL_STATUSES: &[&str] = &[
    "approved",
    "session",
    "pending_approval",
    "invited",
    "declined",
    "waitlist",
];

impl Api for LumaApi {
    fn door(&self) -> &Door {
        &self.door
    }

    fn credential(&self, request: &Request) -> Option<String> {
        let key = request.header("x-luma-api-key").or_else(|| bearer(request));
        key.map(str::to_owned)
    }

    fn asks_for_registrations(&self, request: &Request) -> bool {
        matches!(
            request.path.as_str(),
            "/v1/events/guests/list" | "/v1/event/get-guests"
        )
    }

    fn cursor_parameter(&self) -> &'static str {
        "pagination_cursor"
    }

    fn answer(&self, request: &Request, unlimited: bool) -> Reply {
        let now = self.now();
        let mut world = lock(&self.world);
        if let Some(status) = world.switches.gateway_error {
            return html_error(status);
        }
        answer(&mut world, &self.oauth, request, unlimited, now).unwrap_or_else(|refusal| refusal)
    }

    fn error(&self, status: u16) -> Reply {
        let message = match status {
            400 => "Invalid request.",
            401 => "You are not signed in.",
            403 => "You don’t have access to this event.",
            404 => "Not found.",
            429 => "Too many requests.",
            _ => "Something went wrong.",
        };
        refusal(status, message)
    }

    fn rate_limited(&self, _request: &Request, retry_after_secs: Option<u64>) -> Reply {
        let reply = self.error(429);
        let Some(wait) = retry_after_secs else {
            return reply;
        };
        let reset = self
            .now()
            .as_second()
            .saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        reply
            .with_header("retry-after", wait.to_string())
            .with_header("x-ratelimit-limit", "200")
            .with_header("x-ratelimit-remaining", "0")
            .with_header("x-ratelimit-reset", reset.to_string())
    }

    fn bad_cursor(&self) -> Reply {
        lists::bad_cursor()
    }

    fn bend_list(&self, request: &Request, reply: Reply, fault: &Fault) -> Reply {
        let Ok(mut page) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        let Some(envelope) = page.as_object_mut() else {
            return reply;
        };
        if !envelope.contains_key("entries") {
            return reply;
        }
        if let Some(Value::Array(rows)) = envelope.get_mut("entries") {
            match fault {
                Fault::EmptyList => rows.clear(),
                Fault::HalfList => rows.truncate(rows.len() / 2),
                _ => {}
            }
        }
        let more = matches!(fault, Fault::RepeatedCursor | Fault::MissingCursor);
        envelope.insert("has_more".to_owned(), more.into());
        match (fault, request.query("pagination_cursor")) {
            (Fault::MissingCursor | Fault::EmptyList, _) => {
                envelope.remove("next_cursor");
            }
            (Fault::RepeatedCursor, Some(same)) => {
                envelope.insert("next_cursor".to_owned(), same.into());
            }
            _ => {}
        }
        Reply {
            body: page.to_string().into(),
            ..reply
        }
    }

    fn revoke_all(&self) {
        lock(&self.world)
            .keys
            .values_mut()
            .for_each(|key| key.revoked = true);
        self.oauth.revoke_all_grants();
    }

    fn exhaust_limiter(&self, request: &Request) {
        let now = self.now();
        let mut world = lock(&self.world);
        if let Ok(index) = calendar(&world, &self.oauth, request) {
            let calendar = &mut world.calendars[index];
            if now.as_second() - calendar.window.0.as_second() >= MINUTE_SECS {
                calendar.window.0 = now;
            }
            calendar.window.1 = u64::MAX;
        }
    }
}

fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, wire::error(message))
}

/// 400 with the faults listed below the first line.
pub(super) fn invalid(fault: &str) -> Reply {
    refusal(400, &format!("Invalid request.\n- {fault}"))
}

fn no_access() -> Reply {
    refusal(403, "You don’t have access to this event.")
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The calendar of the key, or of the OAuth token where there is no key.
fn calendar(world: &World, oauth: &OauthServer, request: &Request) -> Result<usize, Reply> {
    let unsigned = |status| refusal(status, "You are not signed in.");
    if let Some(key) = request.header("x-luma-api-key") {
        let known = world.keys.get(key).filter(|known| !known.revoked);
        return known.map(|known| known.calendar).ok_or_else(|| unsigned(401));
    }
    let token = bearer(request).ok_or_else(|| unsigned(world.switches.missing_key_status))?;
    oauth
        .caller(token)
        .and_then(|caller| world.calendar_index(&caller.account_id))
        .ok_or_else(|| unsigned(401).with_header("www-authenticate", "Bearer error=\"invalid_token\""))
}

fn answer(
    world: &mut World,
    oauth: &OauthServer,
    request: &Request,
    unlimited: bool,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let index = calendar(world, oauth, request)?;
    let headers = count(world, index, unlimited, now)?;
    let reply = if world.calendars[index].lapsed {
        refusal(403, "This calendar needs Luma Plus to use the API.")
    } else {
        route(world, request, index, now).unwrap_or_else(|refused| refused)
    };
    Ok(with_rate(reply, headers))
}

/// Limit, what remains, and when it starts anew.
type Rate = Option<(u64, u64, i64)>;

fn with_rate(reply: Reply, rate: Rate) -> Reply {
    let Some((limit, remaining, reset)) = rate else {
        return reply;
    };
    reply
        .with_header("x-ratelimit-limit", limit.to_string())
        .with_header("x-ratelimit-remaining", remaining.to_string())
        .with_header("x-ratelimit-reset", reset.to_string())
}

/// Counts the request against its calendar; beyond the limit the calendar is blocked for a minute.
fn count(world: &mut World, index: usize, unlimited: bool, now: Timestamp) -> Result<Rate, Reply> {
    let limit = world.switches.requests_per_minute;
    let headers = world.switches.rate_headers;
    if unlimited {
        let limit = 1_000_000_000;
        return Ok(headers.then_some((limit, limit, now.as_second() + MINUTE_SECS)));
    }
    let calendar = &mut world.calendars[index];
    if calendar.blocked_until.is_some_and(|until| until <= now) {
        calendar.blocked_until = None;
        calendar.window = (now, 0);
    }
    let (opened, used) = &mut calendar.window;
    if now.as_second() - opened.as_second() >= MINUTE_SECS {
        (*opened, *used) = (now, 0);
    }
    if calendar.blocked_until.is_none() && *used >= limit {
        calendar.blocked_until = Some(now + SignedDuration::from_secs(MINUTE_SECS));
    }
    if let Some(until) = calendar.blocked_until {
        // Rounded up: a client that waits that long finds the block gone.
        let wait = (until.duration_since(now).as_millis() + 999) / 1_000;
        let reply = refusal(429, "Too many requests.").with_header("retry-after", wait.to_string());
        return Err(with_rate(
            reply,
            headers.then_some((limit, 0, until.as_second() + 1)),
        ));
    }
    *used += 1;
    Ok(headers.then_some((
        limit,
        limit.saturating_sub(*used),
        opened.as_second() + MINUTE_SECS,
    )))
}

fn route(world: &mut World, request: &Request, calendar: usize, now: Timestamp) -> Result<Reply, Reply> {
    let owner = world.calendars[calendar].public.clone();
    let legacy = world.switches.legacy_routes;
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/users/get-self") => Ok(json_reply(&wire::owner(&owner))),
        ("GET", "/v1/user/get-self") if legacy => {
            let mut user = wire::owner(&owner);
            user["api_id"] = owner.user_id.into();
            Ok(json_reply(&json!({ "user": user })))
        }
        ("GET", "/v1/calendars/get") => Ok(json_reply(&wire::calendar(&owner))),
        ("GET", "/v1/calendars/events/list") => events(world, request, calendar),
        ("GET", "/v1/calendar/list-events") if legacy => {
            wrapped_entries(events(world, request, calendar)?, "event")
        }
        ("GET", "/v1/events/get") => {
            let event = event_asked_for(world, request, calendar, "event_id")?;
            Ok(json_reply(&wire::event(event, &owner, &world.switches, false)))
        }
        ("GET", "/v1/event/get") if legacy => {
            let event = event_asked_for(world, request, calendar, "id")?;
            let mut value = wire::event(event, &owner, &world.switches, false);
            value["api_id"] = event.id.clone().into();
            let hosts = value["hosts"].take();
            Ok(json_reply(&json!({ "event": value, "hosts": hosts })))
        }
        ("GET", "/v1/events/guests/list") => guests(world, request, calendar, "event_id", now),
        ("GET", "/v1/event/get-guests") if legacy => {
            wrapped_entries(guests(world, request, calendar, "event_api_id", now)?, "guest")
        }
        ("GET", "/v1/events/guests/get") => {
            one_guest(world, request, calendar, "event_id").map(|guest| json_reply(&guest))
        }
        ("GET", "/v1/event/get-guest") if legacy => {
            let guest = one_guest(world, request, calendar, "event_api_id")?;
            Ok(json_reply(&json!({ "guest": guest })))
        }
        ("GET", "/v1/events/ticket-types/list") => {
            let event = event_asked_for(world, request, calendar, "event_id")?;
            Ok(json_reply(&wire::ticket_types(event)))
        }
        _ => Err(refusal(404, "Not found.")),
    }
}

fn json_reply(value: &Value) -> Reply {
    Reply::json(200, value.to_string())
}

/// The old routes wrap each entry and repeat its id as `api_id`.
fn wrapped_entries(reply: Reply, kind: &str) -> Result<Reply, Reply> {
    let Ok(mut page) = serde_json::from_slice::<Value>(&reply.body) else {
        return Ok(reply);
    };
    if let Some(Value::Array(entries)) = page.get_mut("entries") {
        for entry in entries {
            let id = entry["id"].clone();
            let mut inner = entry.take();
            if inner.is_object() {
                inner["api_id"] = id.clone();
            }
            *entry = json!({ "api_id": id, kind: inner, "tags": [] });
        }
    }
    Ok(json_reply(&page))
}

fn event_asked_for<'a>(
    world: &'a World,
    request: &Request,
    calendar: usize,
    parameter: &str,
) -> Result<&'a Event, Reply> {
    let id = request.query(parameter).ok_or_else(|| {
        invalid(&format!(
            "{parameter}: Invalid input: expected string, received undefined"
        ))
    })?;
    world
        .events
        .get(id)
        .filter(|event| event.calendar == calendar)
        .filter(|event| !event.deleted || world.switches.cancelled_event_listed)
        .ok_or_else(no_access)
}

fn time(request: &Request, name: &str) -> Result<Option<Timestamp>, Reply> {
    match request.query(name).map(str::parse::<Timestamp>) {
        None => Ok(None),
        Some(Ok(at)) => Ok(Some(at)),
        Some(Err(_)) => Err(invalid(&format!("{name}: Invalid ISO datetime"))),
    }
}

fn direction(request: &Request) -> Result<Direction, Reply> {
    Direction::parse(request.query("sort_direction").unwrap_or("asc"))
        .ok_or_else(|| invalid("sort_direction: Invalid option"))
}

fn events(world: &World, request: &Request, calendar: usize) -> Result<Reply, Reply> {
    let place = Place::of(request, true, world.switches.page_cap)?;
    let (before, after) = (time(request, "before")?, time(request, "after")?);
    if request
        .query("sort_column")
        .is_some_and(|word| word != "start_at")
    {
        return Err(invalid("sort_column: Invalid option"));
    }
    let descending = direction(request)?.descending;
    let wants_pending = request.query("status") == Some("pending");
    let platforms: Vec<&str> = request
        .parameters
        .iter()
        .filter(|(name, _)| name == "platforms")
        .map(|(_, word)| word.as_str())
        .collect();
    let wants_luma = platforms.is_empty() || platforms.contains(&"luma");
    let owner = &world.calendars[calendar].public;
    let mut listed: Vec<&Event> = world.calendars[calendar]
        .events
        .iter()
        .filter_map(|id| world.events.get(id))
        .filter(|event| !event.deleted || world.switches.cancelled_event_listed)
        .filter(|event| !wants_pending && wants_luma && before.is_none_or(|before| event.starts_at < before))
        .filter(|event| after.is_none_or(|after| event.starts_at >= after))
        .collect();
    let key = |event: &&Event| (event.starts_at, event.id.clone());
    listed.sort_by_key(key);
    if descending {
        listed.reverse();
    }
    let start = place.cursor.as_ref().map_or(0, |cursor| {
        let Some(SortValue::Time(at)) = cursor.value.clone() else {
            return 0;
        };
        let last = (at, cursor.id.clone());
        listed.partition_point(|event| {
            if descending {
                key(event) >= last
            } else {
                key(event) <= last
            }
        })
    });
    let rest = &listed[start..];
    let has_more = rest.len() > place.limit;
    let page = &rest[..rest.len().min(place.limit)];
    let next = page
        .last()
        .map(|event| Cursor {
            value: Some(SortValue::Time(event.starts_at)),
            id: event.id.clone(),
            page: None,
        })
        .filter(|_| has_more || world.switches.cursor_on_last_page);
    let rows: Vec<_> = page
        .iter()
        .map(|event| {
            wire::event(event, owner, &world.switches, true)
                .to_string()
                .into()
        })
        .collect();
    Ok(lists::envelope(&rows, has_more, next.as_ref()))
}

fn guests(
    world: &mut World,
    request: &Request,
    calendar: usize,
    parameter: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let event_id = event_asked_for(world, request, calendar, parameter)?.id.clone();
    let status = request.query("approval_status");
    if status.is_some_and(|word| !APPROVAL_STATUSES.contains(&word)) {
        return Err(invalid("approval_status: Invalid option"));
    }
    let column = SortColumn::parse(request.query("sort_column").unwrap_or("created_at"))
        .ok_or_else(|| invalid("sort_column: Invalid option"))?;
    let direction = direction(request)?;
    let is_time = !matches!(column, SortColumn::Name | SortColumn::Email);
    let place = Place::of(request, is_time, world.switches.page_cap)?;
    Ok(lists::guests(
        world, &event_id, status, column, direction, &place, now,
    ))
}

fn one_guest(world: &mut World, request: &Request, calendar: usize, parameter: &str) -> Result<Value, Reply> {
    let event_id = event_asked_for(world, request, calendar, parameter)?.id.clone();
    let wanted = request
        .query("id")
        .ok_or_else(|| invalid("id: Invalid input: expected string, received undefined"))?;
    let event = world.events.get_mut(&event_id).ok_or_else(no_access)?;
    let position = event
        .guests
        .iter()
        .position(|guest| {
            guest.id == wanted
                || guest.guest_key == wanted
                || guest.profile.email.as_deref() == Some(wanted)
                || guest.tickets.iter().any(|ticket| ticket.id == wanted)
        })
        .ok_or_else(|| refusal(403, "You don’t have access to this guest."))?;
    let mut value: Value = serde_json::from_str(&event.rendered(position)).unwrap_or(Value::Null);
    let captured = event.guests[position].captured().next().is_some();
    if value.is_object() {
        value["event_ticket_orders"] = json!([{
            "id": format!("order-{}", event.guests[position].guest_key), "amount": 0, "amount_discount": 0,
            "amount_tax": 0, "currency": null, "coupon_info": null, "is_captured": captured,
        }]);
    }
    Ok(value)
}
