//! The attendees of an item, page by page.

use crate::stage::{Stage, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Everybody, by name.
pub(crate) fn everybody() -> Value {
    json!({
        "search": "", "status": null, "ticket": null, "sort": "NAME", "descending": false, "offset": 0, "limit": 200,
    })
}

fn page(stage: &Stage, item: &str, changes: Value) -> Value {
    let mut request = everybody();
    for (key, value) in changes.as_object().unwrap() {
        request[key] = value.clone();
    }
    stage
        .calls("list_attendees", json!({ "itemId": item, "request": request }))
        .unwrap()
}

#[test]
fn pages_hold_everybody_once() {
    let (stage, _, event, item) = Stage::with_item(450);
    let mut seen = BTreeSet::new();
    for offset in [0, 200, 400] {
        let page = page(&stage, &item, json!({ "offset": offset }));
        assert_eq!((&page["total"], &page["matching"]), (&json!(450), &json!(450)));
        for row in page["rows"].as_array().unwrap() {
            assert!(seen.insert(text(&row["externalId"])), "nobody twice");
        }
    }
    let truth: BTreeSet<String> = stage
        .sandbox
        .luma()
        .guests(&event)
        .into_iter()
        .map(|guest| guest.id)
        .collect();
    assert_eq!(seen, truth, "nobody is lost and nobody invented");
}

#[test]
fn search_and_filters_narrow_the_list() {
    let (stage, _, event, item) = Stage::with_item(60);
    let guest = stage.sandbox.luma().guests(&event).remove(7);
    let email = guest.email.expect("guests of the sandbox have an e-mail");
    let found = page(&stage, &item, json!({ "search": email.to_uppercase() }));
    assert_eq!(found["matching"], 1);
    assert_eq!(found["total"], 60);
    assert_eq!(found["rows"][0]["externalId"], guest.id.as_str());

    let shown = stage.shows(&item);
    for (status, count) in [
        ("ATTENDING", "attending"),
        ("AWAITING", "awaiting"),
        ("NOT_ATTENDING", "notAttending"),
    ] {
        let narrowed = page(&stage, &item, json!({ "status": status }));
        assert_eq!(
            narrowed["matching"], shown["counts"][count],
            "the filter and the card count alike"
        );
    }
    let tickets = page(&stage, &item, json!({}))["tickets"].clone();
    let mut with_ticket = 0;
    for ticket in tickets.as_array().unwrap() {
        with_ticket += page(&stage, &item, json!({ "ticket": ticket }))["matching"]
            .as_u64()
            .unwrap();
    }
    assert!(with_ticket > 0 && with_ticket <= 60);
}

#[test]
fn rows_follow_what_a_sync_brings() {
    let (stage, _, event, item) = Stage::with_item(20);
    assert_eq!(page(&stage, &item, json!({}))["total"], 20);
    let luma = stage.sandbox.luma();
    luma.add_guests(&event, 5);
    let renamed = luma.guests(&event).remove(0).id;
    luma.edit_guest(&event, &renamed, |guest| {
        guest.name = Some("Zoë Łuczak".to_owned())
    });
    stage.calls("sync_item", json!({ "itemId": item })).unwrap();
    stage.hears("JOB_ENDED");
    assert_eq!(
        page(&stage, &item, json!({}))["total"],
        25,
        "new rows are there at once"
    );
    let found = page(&stage, &item, json!({ "search": "luczak zoe" }));
    assert_eq!(
        found["rows"][0]["externalId"],
        renamed.as_str(),
        "and so is what changed in old ones"
    );
}
