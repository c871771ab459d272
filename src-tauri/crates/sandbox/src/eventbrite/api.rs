//! Eventbrite's routes: credential, hourly limit, then what the path asks for.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::EventbriteApi;
use super::lists::{self, Oddities, PAGE_SIZE, Position, Wanted};
use super::wire;
use super::world::{Event, TokenKind, World};
use crate::door::Door;
use crate::fault::Fault;
use crate::http::{Api, Reply, Request, html_error};
use crate::lock;
use crate::oauth::OauthServer;

const EVENT_STATUSES: &[&str] = &[
    "draft",
    "live",
    "started",
    "ended",
    "completed",
    "canceled",
    "all",
];

/// Who is asking.
struct Caller {
    account: usize,
    kind: TokenKind,
}

impl Api for EventbriteApi {
    fn door(&self) -> &Door {
        &self.door
    }

    fn credential(&self, request: &Request) -> Option<String> {
        bearer(request).ok().flatten()
    }

    fn asks_for_registrations(&self, request: &Request) -> bool {
        request.path.ends_with("/attendees/")
    }

    fn cursor_parameter(&self) -> &'static str {
        "continuation"
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
        let (code, text) = match status {
            400 => ("ARGUMENTS_ERROR", "There are errors with your arguments."),
            401 => ("INVALID_AUTH", "The OAuth token you provided was invalid."),
            403 => (
                "NOT_AUTHORIZED",
                "You do not have permission to access the resource you requested.",
            ),
            404 => ("NOT_FOUND", "The resource you requested does not exist."),
            405 => ("METHOD_NOT_ALLOWED", "Method not allowed."),
            409 => ("REQUEST_CONFLICT", "There was a conflict."),
            429 => ("HIT_RATE_LIMIT", "You have reached your hourly rate limit."),
            _ => ("INTERNAL_ERROR", "Sorry, an internal error occurred."),
        };
        refusal(status, code, text)
    }

    fn rate_limited(&self, request: &Request, retry_after_secs: Option<u64>) -> Reply {
        let reply = self.error(429);
        let Some(wait) = retry_after_secs else {
            return reply;
        };
        let token = self.credential(request).unwrap_or_default();
        let header = format!("token:{token} 2000/2000 reset={wait}s");
        reply
            .with_header("retry-after", wait.to_string())
            .with_header("x-rate-limit", header)
    }

    fn bad_cursor(&self) -> Reply {
        lists::bad_continuation()
    }

    fn bend_list(&self, request: &Request, reply: Reply, fault: &Fault) -> Reply {
        let Ok(mut page) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        let Some(envelope) = page.as_object_mut() else {
            return reply;
        };
        for (key, value) in envelope.iter_mut() {
            match (key.as_str(), value) {
                ("pagination", Value::Object(pagination)) => {
                    let more = matches!(fault, Fault::RepeatedCursor | Fault::MissingCursor);
                    pagination.insert("has_more_items".to_owned(), more.into());
                    if *fault == Fault::MissingCursor {
                        pagination.remove("continuation");
                    } else if *fault == Fault::RepeatedCursor
                        && let Some(same) = request.query("continuation")
                    {
                        pagination.insert("continuation".to_owned(), same.into());
                    }
                    if *fault == Fault::EmptyList && pagination.contains_key("object_count") {
                        pagination.insert("object_count".to_owned(), 0.into());
                    }
                }
                (_, Value::Array(rows)) => match fault {
                    Fault::EmptyList => rows.clear(),
                    Fault::HalfList => rows.truncate(rows.len() / 2),
                    _ => {}
                },
                _ => {}
            }
        }
        Reply {
            body: page.to_string().into(),
            ..reply
        }
    }

    fn revoke_all(&self) {
        lock(&self.world)
            .tokens
            .values_mut()
            .for_each(|token| token.revoked = true);
        self.oauth.revoke_all_grants();
    }

    fn exhaust_limiter(&self, request: &Request) {
        let now = self.now();
        if let Some(token) = self.credential(request) {
            lock(&self.world).limiter.exhaust(&token, now);
        }
    }
}

fn refusal(status: u16, code: &str, text: &str) -> Reply {
    Reply::json(status, wire::error(status, code, text))
}

fn not_found(kind: &str) -> Reply {
    refusal(
        404,
        "NOT_FOUND",
        &format!("The {kind} you requested does not exist."),
    )
}

fn not_authorized() -> Reply {
    refusal(
        403,
        "NOT_AUTHORIZED",
        "You do not have permission to access the resource you requested.",
    )
}

fn bad_argument(name: &str) -> Reply {
    let body = serde_json::json!({
        "status_code": 400,
        "error_description": format!("There are errors with your arguments: {name} - INVALID"),
        "error": "ARGUMENTS_ERROR",
        "error_detail": { "ARGUMENTS_ERROR": { name: ["INVALID"] } },
    });
    Reply::json(400, body.to_string())
}

/// The token: from the header, or from the query, which Eventbrite accepts too.
fn bearer(request: &Request) -> Result<Option<String>, ()> {
    if !request.headers.contains_key("authorization") {
        return Ok(request.query("token").map(str::to_owned));
    }
    let value = request.header("authorization").ok_or(())?;
    let (scheme, token) = value.split_once(' ').ok_or(())?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(Some(token.to_owned()))
    } else {
        Err(())
    }
}

/// Who the token belongs to, and the API key that its calls count for.
fn caller(world: &World, oauth: &OauthServer, token: &str) -> Option<(Caller, String)> {
    if let Some(known) = world.tokens.get(token) {
        let caller = Caller {
            account: known.account,
            kind: known.kind,
        };
        let key = world.accounts[known.account].api_key.clone();
        return (!known.revoked).then_some((caller, key));
    }
    let known = oauth.caller(token)?;
    let caller = Caller {
        account: world.account_index(&known.account_id)?,
        kind: TokenKind::Private,
    };
    Some((caller, known.client_id))
}

fn answer(
    world: &mut World,
    oauth: &OauthServer,
    request: &Request,
    unlimited: bool,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let Some(path) = request.path.strip_prefix("/v3/") else {
        return Err(not_found("path"));
    };
    if !request.path.ends_with('/') {
        let query = if request.raw_query.is_empty() {
            String::new()
        } else {
            format!("?{}", request.raw_query)
        };
        let moved = refusal(301, "PERMANENTLY_MOVED", "The resource has moved permanently.");
        return Err(moved.with_header("location", format!("{}/{query}", request.path)));
    }
    let invalid = refusal(
        world.switches.invalid_auth_status,
        "INVALID_AUTH",
        "The OAuth token you provided was invalid.",
    );
    let token = bearer(request)
        .map_err(|()| {
            refusal(
                400,
                "INVALID_AUTH_HEADER",
                "The authorization header is malformed.",
            )
        })?
        .ok_or_else(|| refusal(401, "NO_AUTH", "An OAuth token is required for all requests"))?;
    let (caller, key) = caller(world, oauth, &token).ok_or(invalid)?;
    let header = count(world, (&token, &key), unlimited, now)?;
    if request.method != "GET" {
        return Err(refusal(405, "METHOD_NOT_ALLOWED", "Method not allowed."));
    }
    let reply = route(world, request, &caller, path, now).unwrap_or_else(|refused| refused);
    Ok(match header {
        Some(header) => reply.with_header("x-rate-limit", header),
        None => reply,
    })
}

/// Counts the call against the token and the API key; the header to send, which repeats both in clear.
fn count(
    world: &mut World,
    (token, key): (&str, &str),
    unlimited: bool,
    now: Timestamp,
) -> Result<Option<String>, Reply> {
    let limit = if unlimited {
        1_000_000_000
    } else {
        world.switches.calls_per_hour
    };
    if unlimited {
        let header = format!("token:{token} 0/{limit} reset=3600s, key:{key} 0/{limit} reset=3600s");
        return Ok(world.switches.rate_header.then_some(header));
    }
    let (token_allowed, of_token) = world.limiter.take(token, limit, now);
    let (key_allowed, of_key) = world.limiter.take(key, limit, now);
    let header = world.switches.rate_header.then(|| {
        format!(
            "token:{token} {}/{limit} reset={}s, key:{key} {}/{limit} reset={}s",
            of_token.used, of_token.reset_secs, of_key.used, of_key.reset_secs
        )
    });
    if token_allowed && key_allowed {
        return Ok(header);
    }
    let mut reply = refusal(429, "HIT_RATE_LIMIT", "You have reached your hourly rate limit.");
    if world.switches.retry_after_on_429 {
        let wait = if token_allowed {
            of_key.reset_secs
        } else {
            of_token.reset_secs
        };
        reply = reply.with_header("retry-after", wait.to_string());
    }
    Err(match header {
        Some(header) => reply.with_header("x-rate-limit", header),
        None => reply,
    })
}

fn route(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    path: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    if caller.kind == TokenKind::Public {
        return Err(not_authorized());
    }
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        ["users", "me"] => Ok(Reply::json(200, wire::account(&world.accounts[caller.account]))),
        ["users", "me", "organizations"] => organizations(world, request, caller, now),
        ["organizations", id, "events"] => {
            visible_organization(world, caller, id)?;
            organization_events(world, request, caller, id, now)
        }
        ["organizations", id, "attendees"] => {
            visible_organization(world, caller, id)?;
            let events = visible_events(world, caller, id);
            attendees(world, request, &events, false, now)
        }
        ["events", id] => Ok(Reply::json(
            200,
            wire::event(visible_event(world, caller, id)?, now),
        )),
        ["events", id, "attendees"] => {
            visible_event(world, caller, id)?;
            attendees(world, request, &[(*id).to_owned()], true, now)
        }
        ["events", id, "attendees", attendee_id] => {
            let event = visible_event(world, caller, id)?;
            let position = event
                .position(attendee_id)
                .ok_or_else(|| not_found("attendee_id"))?;
            let lag = SignedDuration::from_secs(i64::from(world.switches.replica_lag_secs));
            Ok(Reply::json(
                200,
                lists::served(world, id, position, lag, now).to_string(),
            ))
        }
        ["events", id, "ticket_classes"] => {
            visible_event(world, caller, id)?;
            ticket_classes(world, request, id, now)
        }
        _ => Err(not_found("path")),
    }
}

fn visible_organization(world: &World, caller: &Caller, id: &str) -> Result<(), Reply> {
    let organization = world
        .organization(id)
        .ok_or_else(|| not_found("organization_id"))?;
    let allowed =
        organization.members.contains(&caller.account) && !organization.forbidden.contains(&caller.account);
    if allowed { Ok(()) } else { Err(not_authorized()) }
}

fn visible_event<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a Event, Reply> {
    let event = world
        .events
        .get(id)
        .filter(|event| !event.deleted)
        .ok_or_else(|| not_found("event"))?;
    visible_organization(world, caller, &event.organization_id)?;
    if event.forbidden.contains(&caller.account) {
        Err(not_authorized())
    } else {
        Ok(event)
    }
}

fn visible_events(world: &World, caller: &Caller, organization_id: &str) -> Vec<String> {
    let ids = world
        .organization(organization_id)
        .map(|organization| organization.events.as_slice());
    ids.unwrap_or_default()
        .iter()
        .filter(|id| visible_event(world, caller, id).is_ok())
        .cloned()
        .collect()
}

fn organizations(world: &World, request: &Request, caller: &Caller, now: Timestamp) -> Result<Reply, Reply> {
    let position = Position::of(request, PAGE_SIZE, now, &world.switches)?;
    let rows: Vec<String> = world
        .organizations
        .iter()
        .filter(|organization| visible_organization(world, caller, &organization.id).is_ok())
        .map(wire::organization)
        .collect();
    let row = |index: usize| rows[index].as_str().into();
    Ok(lists::page(
        "organizations",
        rows.len(),
        position,
        Oddities::default(),
        &world.switches,
        now,
        row,
    ))
}

fn organization_events(
    world: &World,
    request: &Request,
    caller: &Caller,
    organization_id: &str,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let statuses: Vec<&str> = request
        .query("status")
        .unwrap_or("all")
        .split(',')
        .map(str::trim)
        .collect();
    if statuses.iter().any(|word| !EVENT_STATUSES.contains(word)) {
        return Err(bad_argument("status"));
    }
    let time_filter = request.query("time_filter").unwrap_or("all");
    if !matches!(time_filter, "all" | "past" | "current_future") {
        return Err(bad_argument("time_filter"));
    }
    let ids = visible_events(world, caller, organization_id);
    let mut events: Vec<&Event> = ids
        .iter()
        .filter_map(|id| world.events.get(id))
        .filter(|event| statuses.contains(&"all") || statuses.contains(&wire::event_status(event, now)))
        .filter(|event| match time_filter {
            "past" => event.ends_at < now,
            "current_future" => event.ends_at >= now,
            _ => true,
        })
        .collect();
    match request.query("order_by").unwrap_or("start_asc") {
        "start_asc" => events.sort_by_key(|event| event.starts_at),
        "start_desc" => events.sort_by_key(|event| std::cmp::Reverse(event.starts_at)),
        "created_asc" => events.sort_by_key(|event| event.created),
        "created_desc" => events.sort_by_key(|event| std::cmp::Reverse(event.created)),
        "name_asc" => events.sort_by(|one, other| one.title.cmp(&other.title)),
        "name_desc" => events.sort_by(|one, other| other.title.cmp(&one.title)),
        _ => return Err(bad_argument("order_by")),
    }
    let page_size = page_size(request, PAGE_SIZE)?;
    let position = Position::of(request, page_size, now, &world.switches)?;
    let row = |index: usize| wire::event(events[index], now).into();
    Ok(lists::page(
        "events",
        events.len(),
        position,
        Oddities::default(),
        &world.switches,
        now,
        row,
    ))
}

fn page_size(request: &Request, most: usize) -> Result<usize, Reply> {
    match request.query("page_size").map(str::parse::<usize>) {
        None => Ok(PAGE_SIZE),
        Some(Ok(wanted)) if wanted > 0 => Ok(wanted.min(most)),
        Some(_) => Err(bad_argument("page_size")),
    }
}

fn attendees(
    world: &mut World,
    request: &Request,
    event_ids: &[String],
    of_one_event: bool,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let changed_since = match request.query("changed_since").map(str::parse::<Timestamp>) {
        None => None,
        Some(Ok(since)) => Some(since),
        Some(Err(_)) => return Err(bad_argument("changed_since")),
    };
    let status = request.query("status").filter(|word| !word.is_empty());
    let known =
        |word: &str| matches!(word, "attending" | "not_attending") || (of_one_event && word == "unpaid");
    if status.is_some_and(|word| !known(word)) {
        return Err(bad_argument("status"));
    }
    let wanted = Wanted {
        changed_since,
        status,
        attendee_ids: request
            .query("attendee_ids")
            .filter(|_| of_one_event)
            .map(|ids| ids.split(',').collect()),
        last_item_seen: request
            .query("last_item_seen")
            .filter(|_| of_one_event && changed_since.is_some()),
    };
    let page_size = if world.switches.page_size_on_attendees {
        page_size(request, 100)?
    } else {
        world.switches.attendees_per_page
    };
    let position = Position::of(request, page_size, now, &world.switches)?;
    Ok(lists::attendees(world, event_ids, &wanted, position, now))
}

fn ticket_classes(world: &World, request: &Request, event_id: &str, now: Timestamp) -> Result<Reply, Reply> {
    let position = Position::of(request, PAGE_SIZE, now, &world.switches)?;
    let Some(event) = world.events.get(event_id) else {
        return Err(not_found("event"));
    };
    let row = |index: usize| {
        let live = |attendee: &&super::world::Attendee| {
            attendee.ticket_class == index && !attendee.cancelled && !attendee.refunded
        };
        let sold = event.attendees.iter().filter(live).count();
        wire::ticket_class(&event.ticket_classes[index], event, sold, index + 1).into()
    };
    let total = event.ticket_classes.len();
    Ok(lists::page(
        "ticket_classes",
        total,
        position,
        Oddities::default(),
        &world.switches,
        now,
        row,
    ))
}
