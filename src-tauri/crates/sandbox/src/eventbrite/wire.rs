//! Eventbrite's JSON. Owns field names and their order; the caller says what is true.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::world::{Attendee, Event, EventbriteAccount, Organization, TicketClass};
use crate::fault::Spoil;
use crate::json::{push_field, push_optional, push_text, seconds};

const ADDRESS: &str = "https://www.eventbriteapi.com/v3";
const COSTS: &str = r#","costs":{"base_price":{"display":"£0.00","currency":"GBP","value":0,"major_value":"0.00"},"eventbrite_fee":{"display":"£0.00","currency":"GBP","value":0,"major_value":"0.00"},"payment_fee":{"display":"£0.00","currency":"GBP","value":0,"major_value":"0.00"},"tax":{"display":"£0.00","currency":"GBP","value":0,"major_value":"0.00"},"gross":{"display":"£0.00","currency":"GBP","value":0,"major_value":"0.00"}}"#;

/// `{"status_code", "error", "error_description"}`.
pub(super) fn error(status: u16, code: &str, description: &str) -> String {
    json!({ "status_code": status, "error_description": description, "error": code }).to_string()
}

pub(super) fn account(account: &EventbriteAccount) -> String {
    let (first, last) = account.name.split_once(' ').unwrap_or((&account.name, ""));
    json!({
        "emails": [{ "email": account.email, "verified": true, "primary": true }],
        "id": account.id, "name": account.name, "first_name": first, "last_name": last,
        "is_public": false, "image_id": null,
    })
    .to_string()
}

pub(super) fn organization(organization: &Organization) -> String {
    // The one timestamp that has no zone on the wire.
    let created = seconds(organization.created);
    json!({
        "_type": "organization", "id": organization.id, "name": organization.name, "vertical": "default",
        "parent_id": null, "locale": "en_GB", "image_id": null, "created": created.trim_end_matches('Z'),
    })
    .to_string()
}

/// `live` turns into `started` and `ended` as time goes by; every other word stays.
pub(super) fn event_status(event: &Event, now: Timestamp) -> &str {
    match event.status.as_str() {
        "live" if event.ends_at <= now => "ended",
        "live" if event.starts_at <= now => "started",
        word => word,
    }
}

fn moment(at: Timestamp, timezone: &str) -> Value {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let local = zone.to_datetime(at);
    json!({ "timezone": timezone, "local": format!("{local:.0}"), "utc": seconds(at) })
}

pub(super) fn event(event: &Event, now: Timestamp) -> String {
    let html = event
        .title
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let capacity = event.attendees.len() + 80;
    json!({
        "id": event.id,
        "name": { "text": event.title, "html": html },
        "summary": "Bring something broken, take it home fixed.",
        "description": { "text": "Bring something broken, take it home fixed.", "html": "Bring something broken, take it home fixed." },
        "url": format!("https://www.eventbrite.com/e/event-tickets-{}", event.id),
        "start": moment(event.starts_at, &event.timezone),
        "end": moment(event.ends_at, &event.timezone),
        "organization_id": event.organization_id,
        "organizer_id": "77000000042",
        "created": seconds(event.created), "changed": seconds(event.changed), "published": seconds(event.created),
        "capacity": capacity, "capacity_is_custom": false, "status": event_status(event, now), "currency": "GBP",
        "listed": true, "shareable": true, "invite_only": false, "online_event": false, "show_remaining": true,
        "tx_time_limit": 1200, "hide_start_date": false, "hide_end_date": false, "locale": "en_GB",
        "is_locked": false, "privacy_setting": "unlocked", "is_series": false, "is_series_parent": false,
        "inventory_type": "limited", "is_reserved_seating": false, "is_free": true,
        "is_externally_ticketed": false, "source": "coyote", "version": null,
        "resource_uri": format!("{ADDRESS}/events/{}/", event.id),
        "logo_id": null, "venue_id": "250000001", "category_id": null, "subcategory_id": null, "format_id": null,
    })
    .to_string()
}

pub(super) fn ticket_class(class: &TicketClass, event: &Event, sold: usize, sorting: usize) -> String {
    json!({
        "id": class.id, "event_id": event.id, "name": class.name, "display_name": class.name,
        "description": null, "category": "admission", "free": true, "donation": false,
        "cost": null, "fee": null, "tax": null, "capacity": sold + 80, "quantity_total": sold + 80,
        "quantity_sold": sold, "sorting": sorting, "hidden": false, "minimum_quantity": 1,
        "maximum_quantity": null, "sales_start": seconds(event.created), "sales_end": seconds(event.starts_at),
        "on_sale_status": "AVAILABLE",
        "resource_uri": format!("{ADDRESS}/events/{}/ticket_classes/{}/", event.id, class.id),
    })
    .to_string()
}

pub(super) fn attendee(attendee: &Attendee, event_id: &str, classes: &[TicketClass]) -> String {
    let json = sound_attendee(attendee, event_id, classes);
    match attendee.spoil {
        Some(spoil) => spoiled(&json, spoil),
        None => json,
    }
}

fn sound_attendee(attendee: &Attendee, event_id: &str, classes: &[TicketClass]) -> String {
    let mut out = String::with_capacity(1_900);
    let (class_id, class_name) = classes
        .get(attendee.ticket_class)
        .map_or(("", ""), |class| (class.id.as_str(), class.name.as_str()));
    let created = seconds(attendee.created);
    let changed = seconds(attendee.changed);
    // Writing into a string cannot fail.
    let _ = write!(
        out,
        r#"{{"resource_uri":"{ADDRESS}/events/{event_id}/attendees/{id}/","id":"{id}","created":"{created}","changed":"{changed}","ticket_class_id":"{class_id}""#,
        id = attendee.id,
    );
    push_field(&mut out, "ticket_class_name", class_name);
    out.push_str(r#","variant_id":null,"quantity":1"#);
    out.push_str(COSTS);
    push_profile(&mut out, attendee);
    out.push_str(r#","addresses":{}"#);
    push_answers(&mut out, attendee);
    let (word, kind) = match (attendee.checked_in, attendee.cancelled || attendee.refunded) {
        (true, _) => ("used", 1),
        (false, true) => ("refunded", 0),
        (false, false) => ("unused", 0),
    };
    let _ = write!(
        out,
        r#","barcodes":[{{"barcode":"{order}{id}001","status":"{word}","created":"{created}","changed":"{barcode_changed}","checkin_type":{kind},"is_printed":false}}],"team":null,"affiliate":null,"checked_in":{checked_in},"cancelled":{cancelled},"refunded":{refunded}"#,
        // A barcode is digits, whatever a test calls its order.
        order = attendee
            .order_id
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>(),
        id = attendee.id.replace('-', ""),
        barcode_changed = seconds(attendee.barcode_changed),
        checked_in = attendee.checked_in,
        cancelled = attendee.cancelled,
        refunded = attendee.refunded,
    );
    push_field(&mut out, "status", &attendee.status);
    push_field(&mut out, "event_id", event_id);
    push_field(&mut out, "order_id", &attendee.order_id);
    out.push_str(r#","guestlist_id":null,"invited_by":null,"delivery_method":"electronic"}"#);
    out
}

/// Absent and null mean the same at Eventbrite; both occur here.
fn push_profile(out: &mut String, attendee: &Attendee) {
    let Some(profile) = &attendee.profile else {
        out.push_str(r#","profile":null"#);
        return;
    };
    out.push_str(r#","profile":{"addresses":{}"#);
    push_optional(out, "first_name", profile.first_name.as_deref());
    push_optional(out, "last_name", profile.last_name.as_deref());
    for (name, value) in [
        ("name", &profile.name),
        ("email", &profile.email),
        ("company", &profile.company),
        ("job_title", &profile.job_title),
    ] {
        if let Some(value) = value {
            push_field(out, name, value);
        }
    }
    out.push('}');
}

fn push_answers(out: &mut String, attendee: &Attendee) {
    // Some people answer, some leave blanks (then `answer` is absent), some were never asked.
    match attendee.id.bytes().last().unwrap_or(b'0') % 4 {
        0 => {
            out.push_str(r#","answers":[{"question_id":"61000001","question":"What will you bring?","type":"text","answer":"#);
            push_text(out, "A toaster");
            out.push_str(
                r#"},{"question_id":"61000002","question":"Dietary needs","type":"multiple_choice"}]"#,
            );
        }
        _ => out.push_str(r#","answers":[]"#),
    }
}

fn spoiled(json: &str, spoil: Spoil) -> String {
    let mut value: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let Some(object) = value.as_object_mut() else {
        return json.to_owned();
    };
    match spoil {
        Spoil::NoId => {
            object.remove("id");
        }
        Spoil::IdIsNumber => {
            let digits: String = object["id"].as_str().unwrap_or("0").split('-').take(1).collect();
            object.insert("id".to_owned(), json!(digits.parse::<u64>().unwrap_or(0)));
        }
        // Both change the record itself.
        Spoil::NullProfile | Spoil::UnknownStatus => {}
        Spoil::WrongTypes => {
            object.insert("profile".to_owned(), json!("Imani Okoro"));
            object.insert("barcodes".to_owned(), json!({ "0": 12 }));
            object.insert("cancelled".to_owned(), json!("no"));
            object.insert("checked_in".to_owned(), json!(1));
            object.insert("status".to_owned(), json!(["Attending"]));
        }
        Spoil::UnknownFields => {
            object.insert(
                "hologram".to_owned(),
                json!({ "deep": [[[[{ "er": null }]]]], "size": 1e300 }),
            );
            object.insert("padding".to_owned(), json!("x".repeat(20_000)));
        }
        Spoil::NullEverything => {
            for (name, field) in object.iter_mut() {
                if name != "id" {
                    *field = Value::Null;
                }
            }
        }
        Spoil::BadTimestamps => {
            object.insert("created".to_owned(), json!("yesterday"));
            object.insert("changed".to_owned(), json!("2026-13-45T99:00:00Z"));
        }
        Spoil::NotAnObject => return json!("attendee").to_string(),
    }
    value.to_string()
}
