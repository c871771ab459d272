//! Records in forms that no provider has promised: whatever stands in a field, the record becomes a row or is set aside
//! with its id, and costs no other record.

use super::eventbrite::record::AttendeeWire;
use super::luma::record::GuestWire;
use super::wire::parse_records;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use talkvalue_core::domain::attendee::{Registration, SetAside};

type Read = (Vec<Registration>, Vec<SetAside>);

fn attendee() -> Value {
    json!({
        "id": "1", "created": "2026-11-01T10:00:00Z", "changed": "2026-11-02T10:00:00Z",
        "ticket_class_name": "Standard", "checked_in": true, "cancelled": false, "refunded": false,
        "status": "Checked In", "order_id": "2", "event_id": "3",
        "profile": {
            "name": "Robin Vale", "first_name": "Robin", "last_name": "Vale", "email": "robin@harbour.example",
            "company": "Harbour Makers",
        },
        "barcodes": [{ "status": "used", "changed": "2026-11-02T10:00:00Z" }],
    })
}

fn guest() -> Value {
    json!({
        "id": "gst-1", "user_email": "robin@harbour.example", "user_name": "Robin Vale", "user_first_name": "Robin",
        "user_last_name": "Vale", "approval_status": "approved", "registered_at": "2026-11-01T10:00:00.123Z",
        "registration_answers": [{ "question_type": "company", "value": { "company": "Harbour Makers" } }],
        "event_tickets": [
            { "checked_in_at": "2026-11-02T10:00:00Z", "is_captured": true, "name": "Standard" },
            { "checked_in_at": null, "is_captured": false, "name": "Standard" },
        ],
    })
}

fn read_attendees(records: &[&RawValue]) -> Read {
    parse_records(records, AttendeeWire::into_registration)
}

fn read_attendees_of_events(records: &[&RawValue]) -> Read {
    let (rows, set_aside) = parse_records(records, AttendeeWire::into_registration_of_event);
    (rows.into_iter().map(|(_, row)| row).collect(), set_aside)
}

fn read_guests(records: &[&RawValue]) -> Read {
    parse_records(records, GuestWire::into_registration)
}

/// Anything that JSON can hold, with what is nearly right among it.
fn anything() -> impl Strategy<Value = Value> {
    let near = [
        "",
        " ",
        "0",
        "-0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "2026-02-30T10:00:00Z",
        "2026-11-01T10:00:00",
        "2026-11-01T10:00:00+99:00",
        "company",
        "used",
        "approved",
        "Deleted",
        "\u{0}",
        "\u{202e}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(near.to_vec()).prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(".{0,10}", inner, 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Where a record can be wrong: every field, and every field of what stands in a field.
fn places(record: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match record {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let mut places = Vec::new();
    for (name, value) in children {
        places.extend(places_below(&name, value));
        places.push(format!("/{name}"));
    }
    places
}

fn places_below(name: &str, value: &Value) -> impl Iterator<Item = String> {
    let name = name.to_owned();
    places(value)
        .into_iter()
        .map(move |place| format!("/{name}{place}"))
}

/// A record with some of its fields replaced, left out or added.
fn surprising(record: Value) -> impl Strategy<Value = Value> {
    let changes = vec((select(places(&record)), proptest::option::of(anything())), 1..4);
    let added = btree_map("[a-z_]{1,12}", anything(), 0..3);
    (changes, added).prop_map(move |(changes, added)| {
        let mut record = record.clone();
        for (place, value) in changes {
            match value {
                Some(value) => {
                    if let Some(field) = record.pointer_mut(&place) {
                        *field = value;
                    }
                }
                None => leave_out(&mut record, &place),
            }
        }
        if let Value::Object(fields) = &mut record {
            for (name, value) in added {
                fields.entry(name).or_insert(value);
            }
        }
        record
    })
}

fn leave_out(record: &mut Value, place: &str) {
    let Some((outer, name)) = place.rsplit_once('/') else {
        return;
    };
    match record.pointer_mut(outer) {
        Some(Value::Object(fields)) => {
            fields.remove(name);
        }
        Some(Value::Array(values)) => {
            if let Ok(at) = name.parse::<usize>()
                && at < values.len()
            {
                values.remove(at);
            }
        }
        _ => {}
    }
}

/// The id as anybody would read it, where there is one.
fn id_of(record: &Value) -> Option<String> {
    match record.get("id")? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => number.as_i64().map(|number| number.to_string()),
        _ => None,
    }
}

/// Reads the record between two that are right.
fn costs_no_other(
    read: fn(&[&RawValue]) -> Read,
    right: &Value,
    record: &Value,
) -> Result<(), TestCaseError> {
    let neighbour = |id: &str| {
        let mut neighbour = right.clone();
        neighbour["id"] = json!(id);
        to_raw_value(&neighbour).expect("JSON can be written")
    };
    let (before, after) = (neighbour("before"), neighbour("after"));
    let raw = to_raw_value(record).expect("JSON can be written");
    let (rows, set_aside) = read(&[&*before, &*raw, &*after]);
    prop_assert_eq!(
        rows.len() + set_aside.len(),
        3,
        "no record is lost and none invented"
    );
    let ids: Vec<&str> = rows.iter().map(|row| row.external_id.as_str()).collect();
    prop_assert_eq!(ids.first(), Some(&"before"));
    prop_assert_eq!(ids.last(), Some(&"after"));
    match (id_of(record), set_aside.first()) {
        (Some(id), Some(aside)) => {
            let kept = aside.external_id.as_ref().map(|kept| kept.as_str());
            prop_assert_eq!(
                kept,
                Some(id.as_str()),
                "what cannot be read is set aside with its id"
            );
        }
        (Some(id), None) => prop_assert_eq!(ids[1], id.as_str()),
        (None, aside) => {
            let aside = aside.expect("a record without an id is no row");
            prop_assert_eq!(&aside.external_id, &None);
        }
    }
    for aside in &set_aside {
        prop_assert!(
            aside.reason.len() < 60 && !aside.reason.contains("Robin"),
            "the reason quotes nothing of the record: {}",
            aside.reason
        );
    }
    Ok(())
}

#[test]
fn records_as_they_are_promised_become_rows() {
    for (read, right) in [
        (read_attendees as fn(&[&RawValue]) -> Read, attendee()),
        (read_attendees_of_events, attendee()),
        (read_guests, guest()),
    ] {
        let raw = to_raw_value(&right).expect("JSON can be written");
        let (rows, set_aside) = read(&[&*raw]);
        assert_eq!(set_aside, [], "else the properties below would prove nothing");
        assert_eq!(rows[0].company.as_deref(), Some("Harbour Makers"));
        assert!(rows[0].checked_in_at.is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn a_surprising_attendee_becomes_a_row_or_is_set_aside_and_costs_no_other(record in surprising(attendee())) {
        costs_no_other(read_attendees, &attendee(), &record)?;
    }

    #[test]
    fn a_surprising_guest_becomes_a_row_or_is_set_aside_and_costs_no_other(record in surprising(guest())) {
        costs_no_other(read_guests, &guest(), &record)?;
    }

    #[test]
    fn what_is_no_record_at_all_is_set_aside(record in anything()) {
        costs_no_other(read_attendees, &attendee(), &record)?;
        costs_no_other(read_guests, &guest(), &record)?;
    }

    #[test]
    fn a_surprising_attendee_of_some_event_costs_no_other(record in surprising(attendee())) {
        let raw = to_raw_value(&record).expect("JSON can be written");
        let right = to_raw_value(&attendee()).expect("JSON can be written");
        let (rows, set_aside) = read_attendees_of_events(&[&*right, &*raw]);
        prop_assert_eq!(rows.len() + set_aside.len(), 2);
    }
}

/// The places in a record where an object stands.
fn objects(record: &Value) -> Vec<String> {
    let all = std::iter::once(String::new()).chain(places(record));
    all.filter(|place| record.pointer(place).is_some_and(Value::is_object))
        .collect()
}

#[test]
fn a_list_where_an_object_belongs_makes_nobody_up() {
    for (read, right) in [
        (read_attendees as fn(&[&RawValue]) -> Read, attendee()),
        (read_guests, guest()),
    ] {
        let places = objects(&right);
        // What an answer to a question holds is read as it comes.
        for place in places.iter().filter(|place| !place.ends_with("/value")) {
            let mut record = right.clone();
            let object = record.pointer_mut(place).expect("it was found there");
            let values: Vec<Value> = object
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, value)| value.clone())
                .collect();
            *object = Value::from(values);
            let raw = to_raw_value(&record).expect("JSON can be written");
            let (rows, set_aside) = read(&[&raw]);
            assert_eq!(
                (rows.len(), set_aside.len()),
                (0, 1),
                "{place:?} as a list of its values: {rows:?}"
            );
        }
    }
}
