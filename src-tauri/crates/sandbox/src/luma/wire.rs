//! Luma's JSON. Owns field names and their order; the caller says what is true.

use std::fmt::Write;

use serde_json::{Value, json};

use super::switches::LumaSwitches;
use super::world::{Event, Guest, LumaCalendar};
use crate::fault::Spoil;
use crate::json::{milliseconds, push_field, push_optional};

/// `{"message", "code": null}`.
pub(super) fn error(message: &str) -> String {
    json!({ "message": message, "code": null }).to_string()
}

pub(super) fn owner(calendar: &LumaCalendar) -> Value {
    let (first, last) = calendar
        .owner_name
        .split_once(' ')
        .unwrap_or((&calendar.owner_name, ""));
    json!({
        "id": calendar.user_id, "name": calendar.owner_name, "email": calendar.owner_email,
        "avatar_url": "https://images.lumacdn.com/avatars/x.png", "first_name": first, "last_name": last,
    })
}

pub(super) fn calendar(calendar: &LumaCalendar) -> Value {
    let slug = calendar.name.to_lowercase().replace(' ', "-");
    json!({
        "id": calendar.id, "name": calendar.name, "slug": slug,
        "avatar_url": "https://images.lumacdn.com/calendars/y.png", "url": format!("https://luma.com/{slug}"),
        "description": "Repair evenings by the water.", "social_image_url": null, "cover_image_url": null,
        "is_personal": false,
        "location": { "city": "Bristol", "region": "England", "country": "United Kingdom", "country_code": "GB", "timezone": "Europe/London" },
        "coordinate": { "longitude": -2.5879, "latitude": 51.4545 },
        "instagram_handle": null, "twitter_handle": null, "youtube_handle": null, "website": null,
    })
}

pub(super) fn event(event: &Event, owner: &LumaCalendar, switches: &LumaSwitches, in_list: bool) -> Value {
    let length = event.ends_at.as_second() - event.starts_at.as_second();
    let (hours, minutes) = (length / 3_600, length % 3_600 / 60);
    let mut value = json!({
        "platform": "luma", "id": event.id, "user_id": owner.user_id, "calendar_id": owner.id,
        "start_at": milliseconds(event.starts_at), "end_at": milliseconds(event.ends_at),
        "duration_interval": format!("P0Y0M{}DT{}H{minutes}M{}S", hours / 24, hours % 24, length % 60),
        "created_at": milliseconds(event.created_at), "timezone": event.timezone, "name": event.title,
        "geo_address_json": {
            "address": "Dock Hall", "city": "Bristol", "region": "England", "country": "United Kingdom",
            "city_state": "Bristol, England", "full_address": "Dock Hall, 1 Quay St, Bristol",
            "google_maps_place_id": null, "apple_maps_place_id": null, "description": "Side door",
        },
        "coordinate": { "longitude": -2.5982, "latitude": 51.4491 },
        "meeting_url": null, "location_type": "offline", "location_visibility": "public",
        "cover_url": "https://images.lumacdn.com/event-covers/z.png",
        "registration_questions": [
            { "id": "q1a2b3", "label": "What will you bring?", "required": false, "question_type": "text" },
            { "id": "q4c5d6", "label": "Where do you work?", "required": false, "question_type": "company" },
        ],
        "url": "https://luma.com/abc123de", "visibility": "public", "waitlist_status": "disabled",
        "feedback_email": { "enabled": false }, "tags": [{ "id": "tag-11aa22bb33cc44d", "name": "repair" }],
        "registration_open": true, "require_approval": false, "access": "manage", "submitted_by": null,
    });
    if !in_list || switches.description_in_list {
        value["description"] = "Bring something broken.".into();
        value["description_md"] = "Bring something **broken**.".into();
    }
    if switches.spots_remaining {
        let taken = event
            .guests
            .iter()
            .filter(|guest| guest.approval_status == "approved")
            .count();
        value["spots_remaining"] = (taken / 10 + 40).into();
    }
    if switches.display_price {
        value["display_price"] = Value::Null;
    }
    if switches.unknown_values {
        value["location_type"] = "hologram".into();
        value["holograms"] = json!([{ "count": 3 }]);
    }
    if !in_list {
        let mut host = self::owner(owner);
        host["email"] = owner.owner_email.clone().into();
        value["hosts"] = json!([host]);
        if switches.guest_counts {
            value["guest_counts"] = guest_counts(event);
        }
    }
    value
}

fn guest_counts(event: &Event) -> Value {
    let mut counts = json!({});
    for status in ["approved", "pending_approval", "waitlist", "invited", "declined"] {
        let of_status = || {
            event
                .guests
                .iter()
                .filter(|guest| guest.approval_status == status)
        };
        let tickets: usize = of_status().map(|guest| guest.captured().count().max(1)).sum();
        counts[status] = json!({ "guests": of_status().count(), "tickets": tickets });
    }
    let came = || {
        event
            .guests
            .iter()
            .filter(|guest| guest.checked_in_at().is_some())
    };
    let tickets: usize = came()
        .map(|guest| {
            guest
                .captured()
                .filter(|ticket| ticket.checked_in_at.is_some())
                .count()
        })
        .sum();
    counts["checked_in"] = json!({ "guests": came().count(), "tickets": tickets });
    counts
}

pub(super) fn ticket_types(event: &Event) -> Value {
    let entries: Vec<Value> = event
        .ticket_types
        .iter()
        .map(|(id, name)| {
            json!({
                "id": id, "name": name, "type": "free", "cents": null, "currency": null, "is_flexible": false,
                "min_cents": null, "max_capacity": 60, "require_approval": false, "is_hidden": false,
                "description": null, "valid_start_at": null, "valid_end_at": null,
            })
        })
        .collect();
    json!({ "entries": entries })
}

pub(super) fn guest(guest: &Guest, event_id: &str) -> String {
    let json = sound_guest(guest, event_id);
    match guest.spoil {
        Some(spoil) => spoiled(&json, spoil),
        None => json,
    }
}

fn sound_guest(guest: &Guest, event_id: &str) -> String {
    let mut out = String::with_capacity(1_400);
    let profile = &guest.profile;
    // Writing into a string cannot fail.
    let _ = write!(out, r#"{{"id":"{}","user_id":"{}""#, guest.id, guest.user_id);
    push_optional(&mut out, "user_email", profile.email.as_deref());
    push_optional(&mut out, "user_name", profile.name.as_deref());
    push_optional(&mut out, "user_first_name", profile.first_name.as_deref());
    push_optional(&mut out, "user_last_name", profile.last_name.as_deref());
    push_field(&mut out, "approval_status", &guest.approval_status);
    let _ = write!(
        out,
        r#","check_in_qr_code":"https://luma.com/check-in/{event_id}?pk={}","eth_address":null,"solana_address":null"#,
        guest.guest_key
    );
    push_optional(
        &mut out,
        "invited_at",
        guest.invited_at.map(milliseconds).as_deref(),
    );
    out.push_str(r#","joined_at":null,"phone_number":null"#);
    push_optional(
        &mut out,
        "registered_at",
        guest.registered_at.map(milliseconds).as_deref(),
    );
    push_answers(&mut out, guest);
    out.push_str(r#","utm_source":null,"event_tickets":["#);
    for (number, ticket) in guest.tickets.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        let _ = write!(
            out,
            r#"{{"id":"{}","amount":0,"amount_discount":0,"amount_tax":0,"currency":null"#,
            ticket.id
        );
        push_optional(
            &mut out,
            "checked_in_at",
            ticket.checked_in_at.map(milliseconds).as_deref(),
        );
        push_field(&mut out, "event_ticket_type_id", &ticket.type_id);
        push_field(&mut out, "name", &ticket.name);
        let _ = write!(out, r#","is_captured":{}}}"#, ticket.captured);
    }
    out.push_str("]}");
    out
}

fn push_answers(out: &mut String, guest: &Guest) {
    if guest.answers_null {
        out.push_str(r#","registration_answers":null"#);
        return;
    }
    out.push_str(r#","registration_answers":["#);
    let talkative = guest.id.len() + usize::from(guest.id.bytes().last().unwrap_or(0)) % 3 == guest.id.len();
    if talkative {
        out.push_str(r#"{"label":"What will you bring?","question_id":"q1a2b3","question_type":"text","value":"A toaster","answer":"A toaster"},{"label":"House rules","question_id":"q7e8f9","question_type":"agree-check","value":true,"answer":true},{"label":"Evenings","question_id":"q0a1b2","question_type":"multi-select","value":["Mon","Tue"],"answer":["Mon","Tue"]}"#);
    }
    if let Some(company) = &guest.profile.company {
        if talkative {
            out.push(',');
        }
        let value = if guest.profile.company_as_text {
            json!(company)
        } else {
            json!({ "company": company, "job_title": guest.profile.job_title })
        };
        let _ = write!(
            out,
            r#"{{"label":"Where do you work?","question_id":"q4c5d6","question_type":"company","value":{value},"answer":{value}}}"#
        );
    }
    out.push(']');
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
            object.insert("id".to_owned(), json!(1_234_567));
        }
        // Both change the record itself.
        Spoil::NullProfile | Spoil::UnknownStatus => {}
        Spoil::WrongTypes => {
            object.insert("user_name".to_owned(), json!(["Imani"]));
            object.insert("event_tickets".to_owned(), json!("none"));
            object.insert("approval_status".to_owned(), json!({ "is": "approved" }));
            object.insert("registration_answers".to_owned(), json!(7));
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
            object.insert("registered_at".to_owned(), json!("2026-13-45T99:00:00.000Z"));
            object.insert("invited_at".to_owned(), json!("yesterday"));
        }
        Spoil::NotAnObject => return json!("guest").to_string(),
    }
    value.to_string()
}
