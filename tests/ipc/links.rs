//! Links: the window names one, Rust makes the address.

use crate::stage::{Stage, refused};
use serde_json::{Value, json};

#[test]
fn links_open_by_name_at_addresses_of_our_own() {
    let (stage, _, event, item) = Stage::with_item(1);
    let item_page = format!("https://luma.com/event/{event}");
    let table = [
        ("ITEM", json!(item), item_page.as_str()),
        ("EVENTBRITE_KEYS", Value::Null, "https://www.eventbrite.com/"),
        ("LUMA_KEYS", Value::Null, "https://luma.com/"),
        ("LUMA_BILLING", Value::Null, "https://luma.com/"),
        (
            "EVENTBRITE_STATUS",
            Value::Null,
            "https://www.eventbritestatus.com/",
        ),
        ("LUMA_STATUS", Value::Null, "https://status.luma.com/"),
        ("NETWORK_SIGN_IN", json!(item), "http://127.0.0.1/"),
    ];
    for (kind, id, beginning) in table {
        let answer = stage
            .calls("open_link", json!({ "kind": kind, "id": id }))
            .unwrap();
        assert_eq!(answer, Value::Null);
        let opened = stage
            .opened_addresses
            .lock()
            .unwrap()
            .pop()
            .expect("something was opened");
        assert!(opened.starts_with(beginning), "{kind} opened {opened}");
    }
    refused(
        stage.calls("open_link", json!({ "kind": "ITEM", "id": "item-none" })),
        "NOT_FOUND",
    );
    refused(
        stage.calls("open_link", json!({ "kind": "ITEM", "id": null })),
        "BAD_INPUT",
    );
    for (kind, id) in [
        ("ITEM", "https://evil.example/"),
        ("ITEM", "file:///etc/passwd"),
        ("ITEM", "item-1\n"),
        ("https://evil.example/", "item-1"),
        ("item", "item-1"),
    ] {
        refused(
            stage.calls("open_link", json!({ "kind": kind, "id": id })),
            "BAD_INPUT",
        );
    }
    assert!(
        stage.opened_addresses.lock().unwrap().is_empty(),
        "nothing else was opened"
    );
}
