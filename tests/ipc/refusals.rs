//! Hostile and oversized arguments are refused before any use case sees them.

use crate::attendees::everybody;
use crate::stage::{Stage, call, refused};
use serde_json::{Value, json};
use tauri::ipc::InvokeBody;

/// Commands with the name of an id they take, and the rest of their arguments.
fn commands_with_ids() -> Vec<(&'static str, &'static str, Value)> {
    let import = json!({ "integrationId": "int-1", "externalId": "evt-1", "kind": "BADGE_EVENT" });
    vec![
        ("show_item", "itemId", json!({})),
        ("sync_item", "itemId", json!({})),
        ("retry_item", "itemId", json!({})),
        ("keep_item", "itemId", json!({})),
        ("cancel_item", "itemId", json!({})),
        ("list_activity", "itemId", json!({})),
        ("list_removals", "itemId", json!({})),
        (
            "decide_removals",
            "itemId",
            json!({ "accept": false, "shown": { "count": 0, "mark": null } }),
        ),
        (
            "list_changes",
            "itemId",
            json!({ "request": { "since": null, "after": null } }),
        ),
        ("remove_item", "itemId", json!({})),
        ("reconnect_options", "itemId", json!({})),
        ("reconnect_item", "itemId", json!({ "withIntegrationId": null })),
        (
            "reconnect_item",
            "withIntegrationId",
            json!({ "itemId": "item-1" }),
        ),
        ("list_attendees", "itemId", json!({ "request": everybody() })),
        ("verify_integration", "integrationId", json!({})),
        ("disconnect_integration", "integrationId", json!({})),
        (
            "reconnect_all",
            "integrationId",
            json!({ "withIntegrationId": "int-1" }),
        ),
        (
            "reconnect_all",
            "withIntegrationId",
            json!({ "integrationId": "int-1" }),
        ),
        (
            "sign_in",
            "renews",
            json!({ "provider": "LUMA", "way": "BROWSER" }),
        ),
        ("list_candidates", "integrationId", json!({})),
        ("import_event", "integrationId", import.clone()),
        ("import_event", "externalId", import),
        ("open_link", "id", json!({ "kind": "ITEM" })),
    ]
}

#[test]
fn ids_are_short_and_plain() {
    let stage = Stage::open();
    let mut hostile: Vec<Value> = [
        "",
        " ",
        "item 1",
        "item-1'; DROP TABLE item; --",
        "../../etc/passwd",
        "item\u{0}",
        "item-1\n",
        "item\u{202e}1",
        "ïtem-1",
        "<script>alert(1)</script>",
        "https://evil.example/",
        "item%2f1",
    ]
    .into_iter()
    .map(Value::from)
    .collect();
    hostile.push(json!("a".repeat(201)));
    hostile.push(json!("a".repeat(5_000_000)));
    hostile.extend([
        json!(1),
        json!(true),
        json!(["item-1"]),
        json!({ "id": "item-1" }),
        json!(1e300),
    ]);
    for (command, key, rest) in commands_with_ids() {
        for id in &hostile {
            let mut arguments = rest.clone();
            arguments[key] = id.clone();
            let message = refused(stage.calls(command, arguments), "BAD_INPUT");
            assert!(
                message.contains(key) && message.len() < 200,
                "the refusal names the argument and repeats nothing: {message}"
            );
        }
    }
}

#[test]
fn missing_arguments_are_refused_in_the_same_words() {
    let stage = Stage::open();
    let takes_nothing = [
        "app_status",
        "cancel_sign_in",
        "keep_live",
        "list_items",
        "list_integrations",
        "save_sign_ins",
    ];
    // They take nothing either, and say that nobody signs in.
    let asks_for_a_sign_in = ["add_signed_in_account", "show_sign_in", "sign_in_address"];
    for command in talkvalue_sync_app::commands::NAMES {
        let bodies = [
            InvokeBody::Json(json!({})),
            InvokeBody::Json(Value::Null),
            InvokeBody::Json(json!([1, 2])),
            InvokeBody::Raw(vec![0xff; 64]),
        ];
        for body in bodies {
            let answer = call(&stage.window, command, body);
            if takes_nothing.contains(&command) {
                assert!(answer.is_ok(), "{command} takes nothing and minds nothing");
            } else if asks_for_a_sign_in.contains(&command) {
                refused(answer, "NOT_POSSIBLE");
            } else {
                refused(answer, "BAD_INPUT");
            }
        }
    }
}

#[test]
fn words_of_a_fixed_set_are_exact() {
    let stage = Stage::open();
    for provider in [
        json!("luma"),
        json!("LUMA "),
        json!("MEETUP"),
        json!(0),
        Value::Null,
    ] {
        let arguments = json!({ "provider": provider, "secret": "secret-abc" });
        refused(stage.calls("connect_account", arguments), "BAD_INPUT");
    }
    for kind in [
        json!("badge_event"),
        json!(""),
        json!("BADGE_EVENT,PATH_EVENT"),
        Value::Null,
    ] {
        let arguments = json!({ "integrationId": "int-1", "externalId": "evt-1", "kind": kind });
        refused(stage.calls("import_event", arguments), "BAD_INPUT");
    }
}

#[test]
fn secrets_are_bounded_and_never_repeated() {
    let stage = Stage::open();
    let telling = "S3CRETWORD";
    for secret in [
        json!(format!("{telling}{}", "x".repeat(4_096))),
        json!(telling.repeat(1_000_000)),
        json!([telling]),
        json!({ telling: telling }),
        Value::Null,
        json!(""),
        json!(format!("{telling} {telling}")),
        json!(format!("{telling}\u{0}")),
    ] {
        let arguments = json!({ "provider": "EVENTBRITE", "secret": secret });
        let message = refused(stage.calls("connect_account", arguments), "BAD_INPUT");
        assert!(!message.contains(telling), "{message}");
    }
}

#[test]
fn page_requests_are_bounded() {
    let stage = Stage::open();
    let cases = [
        ("search", json!("a".repeat(201))),
        ("search", Value::Null),
        ("search", json!(["a"])),
        ("status", json!("attending")),
        ("status", json!(1)),
        ("ticket", json!("t".repeat(2_001))),
        ("sort", json!("name")),
        ("sort", json!("id; DROP TABLE item")),
        ("sort", Value::Null),
        ("descending", json!("yes")),
        ("offset", json!(-1)),
        ("offset", json!(1.5)),
        ("offset", json!(1e20)),
        ("limit", json!(201)),
        ("limit", json!(-1)),
        ("limit", json!(u64::MAX)),
        ("more", json!(true)),
    ];
    for (key, value) in cases {
        let mut request = everybody();
        request[key] = value.clone();
        let arguments = json!({ "itemId": "item-1", "request": request });
        let message = refused(stage.calls("list_attendees", arguments), "BAD_INPUT");
        assert!(message.len() < 200, "{key}: {value}: {message}");
    }
    for request in [json!(null), json!([]), json!("all"), json!({})] {
        let arguments = json!({ "itemId": "item-1", "request": request });
        refused(stage.calls("list_attendees", arguments), "BAD_INPUT");
    }
    // The greatest that is allowed passes on to the use case.
    let mut widest = everybody();
    widest["search"] = json!("ü".repeat(200));
    widest["offset"] = json!(u32::MAX);
    let arguments = json!({ "itemId": "item-1", "request": widest });
    refused(stage.calls("list_attendees", arguments), "NOT_FOUND");
}

#[test]
fn luma_key_is_not_sent_to_eventbrite() {
    let stage = Stage::open();
    let arguments = json!({ "provider": "EVENTBRITE", "secret": "secret-lumalumaluma" });
    let answer = stage.calls("connect_account", arguments);
    assert!(answer.is_err());
    assert_eq!(
        stage.sandbox.eventbrite().requests().len(),
        0,
        "nothing was sent anywhere"
    );
}

#[test]
fn what_was_shown_is_a_number_and_a_short_mark() {
    let stage = Stage::open();
    for shown in [
        Value::Null,
        json!({}),
        json!({ "count": -1, "mark": null }),
        json!({ "count": 1.5, "mark": null }),
        json!({ "count": 1, "mark": "a".repeat(17) }),
        json!({ "count": 1, "mark": 7 }),
        json!({ "count": 1, "mark": null, "ids": [] }),
    ] {
        let arguments = json!({ "itemId": "item-1", "accept": true, "shown": shown });
        let message = refused(stage.calls("decide_removals", arguments), "BAD_INPUT");
        assert!(message.contains("shown"), "{message}");
    }
}
