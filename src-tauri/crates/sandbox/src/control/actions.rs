//! What `POST /control` can do: `{"provider": "eventbrite" | "luma", "action": …}` and its parameters.
//! Checks every name before it acts: the handles panic on records that are not there.

use std::time::Duration;

use serde_json::{Value, json};

use super::oauth;

use crate::door::Door;
use crate::eventbrite::Eventbrite;
use crate::fault::Fault;
use crate::luma::Luma;
use crate::oauth::Oauth;
use crate::registration::{Attendance, ProviderRegistration};

const ADD_LIMIT: u64 = 200_000;

/// Carries the order out; what it made, or why not.
pub(super) fn act(eventbrite: &Eventbrite, luma: &Luma, order: &Value) -> Result<Value, String> {
    let shared = |oauth: &Oauth, door: &Door| oauth::act(oauth, order).or_else(|| act_on_door(door, order));
    match text(order, "provider")? {
        "eventbrite" => {
            shared(&eventbrite.oauth(), eventbrite).unwrap_or_else(|| act_on_eventbrite(eventbrite, order))
        }
        "luma" => shared(&luma.oauth(), luma).unwrap_or_else(|| act_on_luma(luma, order)),
        other => Err(format!("no provider {other}")),
    }
}

pub(super) fn text<'a>(order: &'a Value, name: &str) -> Result<&'a str, String> {
    order[name].as_str().ok_or_else(|| format!("{name} is missing"))
}

pub(super) fn number(order: &Value, name: &str, otherwise: u64) -> u64 {
    order[name].as_u64().unwrap_or(otherwise)
}

/// Actions that both providers share; nothing for any other.
fn act_on_door(door: &Door, order: &Value) -> Option<Result<Value, String>> {
    match order["action"].as_str()? {
        "fault" => return Some(set_fault(door, order)),
        "clear-faults" => door.clears_faults(),
        "latency" => door.latency(Duration::from_millis(number(order, "milliseconds", 0))),
        "rate-limit-after" => door.rate_limits_after(number(order, "requests", 0)),
        "revoke-after" => door.revokes_after(number(order, "requests", 0)),
        "unlimited" => door.unlimited(),
        "clear-requests" => door.clears_requests(),
        "advance-clock" => door
            .clock()
            .advance(Duration::from_secs(number(order, "seconds", 60))),
        _ => return None,
    }
    Some(Ok(Value::Null))
}

/// `fault` is a name of the catalogue; `times` (absent: until cleared), `after` and `path` narrow it.
fn set_fault(door: &Door, order: &Value) -> Result<Value, String> {
    let name = text(order, "fault")?;
    let fault = match (name, order["redirectTo"].as_str(), order["status"].as_u64()) {
        ("redirect", Some(to), _) => Fault::Redirect(to.to_owned()),
        ("status", _, Some(status)) => Fault::Status(u16::try_from(status).unwrap_or(500)),
        _ => Fault::named(name).ok_or_else(|| format!("no fault {name}"))?,
    };
    let (times, after) = (order["times"].as_u64(), order["after"].as_u64());
    match (order["path"].as_str(), times, after) {
        (Some(path), Some(times), _) => door.fails_path_next(path, times, fault),
        (Some(path), None, _) => door.fails_path(path, fault),
        (None, Some(1), Some(after)) => door.fails_once_after(after, fault),
        (None, _, Some(after)) => door.fails_after(after, fault),
        (None, Some(times), None) => door.fails_next(times, fault),
        (None, None, None) => door.fails_always(fault),
    }
    Ok(Value::Null)
}

/// The registration that is named, or the first one that suits.
fn chosen(
    order: &Value,
    all: &[ProviderRegistration],
    suits: impl Fn(&ProviderRegistration) -> bool,
) -> Result<String, String> {
    match order["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => all
            .iter()
            .find(|one| suits(one))
            .map(|one| one.id.clone())
            .ok_or_else(|| "no registration is left for that".to_owned()),
    }
}

fn is_expected(one: &ProviderRegistration) -> bool {
    one.attending == Attendance::Attending && !one.checked_in()
}

fn act_on_eventbrite(eventbrite: &Eventbrite, order: &Value) -> Result<Value, String> {
    let action = text(order, "action")?;
    match action {
        "down" => eventbrite.goes_down(),
        "up" => eventbrite.comes_back(),
        "revoke-all" => eventbrite.revokes_tokens(),
        "revoke" => {
            let token = text(order, "credential")?;
            if !eventbrite
                .private_tokens()
                .iter()
                .any(|(_, known, _)| known == token)
            {
                return Err("no such token".to_owned());
            }
            eventbrite.revoke_token(token);
        }
        "issue" => {
            let owner = text(order, "owner")?;
            let accounts = eventbrite.accounts();
            let account = accounts.iter().find(|account| account.id == owner);
            return Ok(json!(eventbrite.issue_token(account.ok_or("no such account")?)));
        }
        _ => return act_on_eventbrite_event(eventbrite, action, order),
    }
    Ok(Value::Null)
}

fn act_on_eventbrite_event(eventbrite: &Eventbrite, action: &str, order: &Value) -> Result<Value, String> {
    let event = text(order, "event")?;
    if !eventbrite.has_event(event) {
        return Err(format!("no event {event}"));
    }
    match action {
        "add" => {
            let count = number(order, "count", 1).min(ADD_LIMIT);
            eventbrite.add_attendees(event, usize::try_from(count).unwrap_or(0));
            return Ok(Value::Null);
        }
        "cancel-event" => {
            eventbrite.cancel_event(event);
            return Ok(Value::Null);
        }
        "delete-event" => {
            eventbrite.delete_event(event);
            return Ok(Value::Null);
        }
        _ => {}
    }
    let all = eventbrite.attendees(event);
    let id = match action {
        "undo-check-in" => chosen(order, &all, ProviderRegistration::checked_in)?,
        "restore" => chosen(order, &all, |one| one.attending == Attendance::NotAttending)?,
        _ => chosen(order, &all, is_expected)?,
    };
    if !eventbrite.has_attendee(event, &id) {
        return Err(format!("no attendee {id}"));
    }
    match action {
        "cancel" => eventbrite.cancel_attendee(event, &id),
        "refund" => eventbrite.refund_attendee(event, &id),
        "delete" => eventbrite.delete_attendee(event, &id),
        "restore" => eventbrite.restore_attendee(event, &id),
        "check-in" => eventbrite.check_in(event, &id),
        "undo-check-in" => eventbrite.undo_check_in(event, &id),
        "vanish" => eventbrite.vanish_attendee(event, &id),
        other => return Err(format!("no action {other}")),
    }
    Ok(json!(id))
}

fn act_on_luma(luma: &Luma, order: &Value) -> Result<Value, String> {
    let action = text(order, "action")?;
    let calendar = || {
        let owner = text(order, "owner")?;
        let known = luma.calendars().iter().any(|calendar| calendar.id == owner);
        if known {
            Ok(owner)
        } else {
            Err("no such calendar".to_owned())
        }
    };
    match action {
        "down" => luma.goes_down(),
        "up" => luma.comes_back(),
        "revoke-all" => luma.revokes_keys(),
        "revoke" => {
            let key = text(order, "credential")?;
            if !luma.keys().iter().any(|(_, known, _)| known == key) {
                return Err("no such key".to_owned());
            }
            luma.revoke_key(key);
        }
        "issue" => return Ok(json!(luma.issue_key(calendar()?))),
        "plan-lapses" => luma.plan_lapses(calendar()?),
        "plan-renews" => luma.plan_renews(calendar()?),
        _ => return act_on_luma_event(luma, action, order),
    }
    Ok(Value::Null)
}

fn act_on_luma_event(luma: &Luma, action: &str, order: &Value) -> Result<Value, String> {
    let event = text(order, "event")?;
    if !luma.has_event(event) {
        return Err(format!("no event {event}"));
    }
    match action {
        "add" => {
            let count = number(order, "count", 1).min(ADD_LIMIT);
            luma.add_guests(event, usize::try_from(count).unwrap_or(0));
            return Ok(Value::Null);
        }
        "cancel-event" | "delete-event" => {
            luma.delete_event(event);
            return Ok(Value::Null);
        }
        _ => {}
    }
    let all = luma.guests(event);
    let id = match action {
        "undo-check-in" => chosen(order, &all, ProviderRegistration::checked_in)?,
        "restore" => chosen(order, &all, |one| one.attending != Attendance::Attending)?,
        _ => chosen(order, &all, is_expected)?,
    };
    if !luma.has_guest(event, &id) {
        return Err(format!("no guest {id}"));
    }
    match action {
        "cancel" => luma.decline(event, &id),
        "restore" => luma.approve(event, &id),
        "check-in" => luma.check_in(event, &id),
        "undo-check-in" => luma.undo_check_in(event, &id),
        "vanish" => luma.vanish_guest(event, &id),
        other => return Err(format!("no action {other}")),
    }
    Ok(json!(id))
}
