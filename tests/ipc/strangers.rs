//! Windows and pages that are not the main window's own are refused everything.

use crate::acl::tauris_own;
use crate::stage::{Stage, call, call_from, call_with_headers, own_address};
use serde_json::{Value, json};
use talkvalue_sync_app::MAIN_WINDOW;
use talkvalue_sync_app::commands::NAMES;
use tauri::ipc::InvokeBody;

/// The two of Tauri's own that the main window may call.
const GRANTED: [&str; 2] = ["plugin:event|listen", "plugin:event|unlisten"];

/// Arguments that every command would take.
fn arguments() -> InvokeBody {
    InvokeBody::Json(json!({
        "itemId": "item-1", "integrationId": "int-1", "withIntegrationId": null, "externalId": "evt-1",
        "kind": "BADGE_EVENT", "provider": "LUMA", "secret": "secret-abc", "id": null,
        "request": crate::attendees::everybody(),
        "event": "notice", "target": { "kind": "Any" }, "handler": 1, "payload": {},
    }))
}

/// Refused by the permissions: a plain text of Tauri's, and never one of our own errors, which a command would give.
fn assert_shut(answer: Result<Value, Value>, what: &str) {
    let refusal = answer.expect_err(what);
    assert!(
        refusal
            .as_str()
            .is_some_and(|text| text.contains("not allowed") || text.contains("not found")),
        "{what} must end at the permissions: {refusal}"
    );
}

#[test]
fn windows_of_other_labels_may_call_nothing() {
    let stage = Stage::open();
    for label in ["oauth-1", "main2", "Main", "main-1", "settings"] {
        let window = stage.opens_window(label);
        for command in NAMES.into_iter().chain(tauris_own()) {
            assert_shut(
                call(&window, command, arguments()),
                &format!("{command} from {label}"),
            );
        }
    }
    assert!(
        stage.calls("app_status", json!({})).is_ok(),
        "the main window goes on as if nothing had happened"
    );
}

#[test]
fn foreign_pages_may_call_nothing_even_in_the_main_window() {
    let stage = Stage::open();
    let sandbox = stage.sandbox.eventbrite().api_url();
    for address in [
        sandbox.as_str(),
        "https://www.eventbrite.com/oauth/authorize",
        "https://luma.com/",
        "http://localhost:5173/",
        "http://tauri.localhost.example/",
        "https://tauri.evil.example/",
        "file:///tmp/page.html",
    ] {
        for command in NAMES.into_iter().chain(tauris_own()) {
            let answer = call_from(&stage.window, command, arguments(), address);
            assert_shut(answer, &format!("{command} from {address}"));
        }
    }
}

#[test]
fn main_window_has_nothing_of_tauris_but_listening() {
    let stage = Stage::open();
    for command in tauris_own().filter(|command| !GRANTED.contains(command)) {
        let answer = call_from(&stage.window, command, arguments(), own_address());
        assert_shut(answer, &format!("{command} from {MAIN_WINDOW}"));
    }
}

#[test]
fn unknown_commands_are_refused() {
    let stage = Stage::open();
    for command in [
        "",
        "show_items",
        "LIST_ITEMS",
        "list_items ",
        "../list_items",
        "plugin:shell|execute",
    ] {
        assert_shut(call(&stage.window, command, arguments()), command);
    }
}

/// A page fetches here what was too long for a message, by a number that counts up from 0.
const CHANNEL_DATA: &str = "plugin:__TAURI_CHANNEL__|fetch";

/// More numbers than the main window's work could have used up.
const GUESSES: u32 = 200;

#[test]
fn a_second_window_finds_nothing_under_the_first_ones_numbers() {
    let (stage, _, _, item) = Stage::with_item(150);
    // Whatever the main window does, it is handed no resource: there is no number to guess.
    let listening = call_from(
        &stage.window,
        "plugin:event|listen",
        InvokeBody::Json(json!({ "event": "notice", "target": { "kind": "Any" }, "handler": 7 })),
        own_address(),
    );
    let listener = listening.expect("the main window may listen");
    for (command, arguments) in [
        ("list_items", json!({})),
        ("show_item", json!({ "itemId": item })),
        (
            "list_attendees",
            json!({ "itemId": item, "request": crate::attendees::everybody() }),
        ),
        ("list_activity", json!({ "itemId": item })),
        ("app_status", json!({})),
    ] {
        stage.calls(command, arguments).expect(command);
    }
    assert_eq!(
        stage.resources(),
        0,
        "no resource of Tauri's is handed to a window"
    );

    for label in ["oauth-1", "main2"] {
        let window = stage.opens_window(label);
        for id in 0..GUESSES {
            let headers = [("tauri-channel-id", id.to_string())];
            let data = call_with_headers(&window, CHANNEL_DATA, InvokeBody::Json(json!({})), &headers);
            assert!(
                data.is_err(),
                "{label} found data under the number {id}: {data:?}"
            );
            for command in ["plugin:resources|close", "plugin:event|unlisten"] {
                let body = json!({ "rid": id, "event": "notice", "eventId": id });
                assert_shut(call(&window, command, InvokeBody::Json(body)), command);
            }
        }
        let body = json!({ "event": "notice", "eventId": listener });
        assert_shut(
            call(&window, "plugin:event|unlisten", InvokeBody::Json(body)),
            "the main window's own listener",
        );
    }
    assert_eq!(stage.resources(), 0, "and a second window brings none");
    stage
        .calls("sync_item", json!({ "itemId": item }))
        .expect("a sync");
    assert_eq!(
        stage.hears("JOB_ENDED")["itemId"],
        item.as_str(),
        "the main window still hears what it listens to"
    );
}
