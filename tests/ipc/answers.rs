//! Every command answers, in the form that the window was promised.

use crate::stage::{Stage, refused, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn empty_app_answers_with_empty_lists() {
    let stage = Stage::open();
    assert_eq!(stage.calls("list_items", json!({})).unwrap(), json!([]));
    assert_eq!(stage.calls("list_integrations", json!({})).unwrap(), json!([]));
    let status = stage.calls("app_status", json!({})).unwrap();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["dataDir"], stage.folder.path().display().to_string());
    assert!(status["schema"].as_u64().is_some_and(|schema| schema > 0));
    assert_eq!(status["problem"], Value::Null);
}

#[test]
fn account_is_connected_proved_and_disconnected() {
    let stage = Stage::open();
    let (calendar, event) = stage.add_luma_event("Spring Repair Cafe", 12);
    let arguments = json!({ "provider": "LUMA", "secret": format!("  {}\n", calendar.key) });
    let connected = stage.calls("connect_account", arguments).unwrap();
    assert_eq!(
        connected["events"], 1,
        "the first thing a person sees is what it brought"
    );
    let integration = &connected["integration"];
    assert_eq!(integration["status"], "CONNECTED");
    assert_eq!(integration["signIn"], "KEY");
    assert_eq!(
        keys(integration),
        [
            "accountEmail",
            "accountId",
            "accountName",
            "connectedAt",
            "expiresAt",
            "failure",
            "id",
            "lastVerifiedAt",
            "offersWithdrawal",
            "provider",
            "signIn",
            "status",
        ]
        .into()
    );
    let id = text(&integration["id"]);
    let told = stage.hears("INTEGRATION_CHANGED");
    assert_eq!(told["integrationId"], id.as_str());
    assert_eq!(
        stage.calls("list_integrations", json!({})).unwrap()[0]["id"],
        id.as_str()
    );

    let candidates = stage
        .calls("list_candidates", json!({ "integrationId": id }))
        .unwrap();
    assert_eq!(candidates[0]["externalId"], event.as_str());
    assert_eq!(candidates[0]["kinds"], json!(["BADGE_EVENT", "PATH_EVENT"]));
    assert_eq!(candidates[0]["importedAs"], json!([]));

    let verified = stage
        .calls("verify_integration", json!({ "integrationId": id }))
        .unwrap();
    assert_eq!(verified["status"], "CONNECTED");
    let disconnected = stage
        .calls("disconnect_integration", json!({ "integrationId": id }))
        .unwrap();
    assert_eq!(disconnected["withdrawal"], "NOT_OFFERED");
    let disconnected = &disconnected["integration"];
    assert_eq!(disconnected["status"], "DISCONNECTED");
    assert_eq!(disconnected["failure"]["code"], "DISCONNECTED_BY_YOU");
    assert!(
        text(&disconnected["failure"]["since"])
            .parse::<jiff::Timestamp>()
            .is_ok(),
        "since when it lasts is a time, not a sentence"
    );
}

#[test]
fn item_has_the_promised_form() {
    let (stage, _, event, item) = Stage::with_item(12);
    let shown = stage.shows(&item);
    assert_eq!(
        keys(&shown),
        [
            "activeJob",
            "alert",
            "archived",
            "counts",
            "endsAt",
            "externalId",
            "failure",
            "freshness",
            "heldRemovals",
            "id",
            "integrationId",
            "kind",
            "lastAttemptedAt",
            "lastSyncedAt",
            "newSince",
            "nextAttemptAt",
            "provider",
            "startsAt",
            "syncStatus",
            "tickets",
            "timezone",
            "title",
            "unreadable",
            "waiting",
        ]
        .into()
    );
    assert_eq!(shown["externalId"], event.as_str());
    assert_eq!(shown["syncStatus"], "ACTIVE");
    assert_eq!(shown["freshness"], "LIVE");
    assert_eq!(shown["title"], "Spring Repair Cafe");
    assert_eq!(shown["counts"]["total"], 12);
    assert!(text(&shown["lastSyncedAt"]).ends_with('Z'), "times are UTC");
    assert_eq!(
        stage.calls("list_items", json!({})).unwrap(),
        json!([shown]),
        "list and page are told the same"
    );
}

#[test]
fn other_accounts_are_offered_only_with_proof() {
    let (stage, calendar, _, item) = Stage::with_item(5);
    let (stranger, _) = stage.add_luma_event("Elsewhere", 1);
    let other = stage.connects("LUMA", &stranger.key);
    let options = stage
        .calls("reconnect_options", json!({ "itemId": item }))
        .unwrap();
    assert_eq!(options["own"]["sees"], true, "a connected account is asked");
    assert_eq!(options["others"][0]["integration"]["id"], other.as_str());
    assert_eq!(
        options["others"][0]["sees"], false,
        "another calendar's key does not see it"
    );

    stage.sandbox.luma().revoke_key(&calendar.key);
    let options = stage
        .calls("reconnect_options", json!({ "itemId": item }))
        .unwrap();
    assert_eq!(
        options["own"]["sees"],
        Value::Null,
        "a refused credential proves nothing about the event"
    );
    assert_eq!(options["own"]["integration"]["status"], "DISCONNECTED");

    stage.sandbox.luma().goes_down();
    let options = stage
        .calls("reconnect_options", json!({ "itemId": item }))
        .unwrap();
    assert_eq!(
        options["others"][0]["sees"],
        Value::Null,
        "no answer is neither yes nor no"
    );
    assert_eq!(options["others"][0]["integration"]["status"], "CONNECTED");
}

#[test]
fn kept_item_is_an_archive_and_removed_item_is_gone() {
    let (stage, _, _, item) = Stage::with_item(5);
    let kept = stage.calls("keep_item", json!({ "itemId": item })).unwrap();
    assert_eq!(
        (&kept["archived"], &kept["freshness"]),
        (&json!(true), &json!("ENDED"))
    );
    let removed = stage.calls("remove_item", json!({ "itemId": item })).unwrap();
    assert_eq!(removed["counts"]["total"], 5, "the answer tells what was erased");
    refused(stage.calls("show_item", json!({ "itemId": item })), "NOT_FOUND");
    refused(
        stage.calls(
            "list_attendees",
            json!({ "itemId": item, "request": crate::attendees::everybody() }),
        ),
        "NOT_FOUND",
    );
}

#[test]
fn what_does_not_exist_is_not_found() {
    let stage = Stage::open();
    for command in [
        "show_item",
        "sync_item",
        "retry_item",
        "keep_item",
        "remove_item",
        "reconnect_options",
    ] {
        refused(
            stage.calls(command, json!({ "itemId": "item-none" })),
            "NOT_FOUND",
        );
    }
    refused(
        stage.calls(
            "reconnect_item",
            json!({ "itemId": "item-none", "withIntegrationId": null }),
        ),
        "NOT_FOUND",
    );
    for command in ["verify_integration", "disconnect_integration", "list_candidates"] {
        refused(
            stage.calls(command, json!({ "integrationId": "int-none" })),
            "NOT_FOUND",
        );
    }
}

#[test]
fn key_of_another_calendar_renews_nothing() {
    let (stage, _, _, own) = Stage::with_luma(1);
    let other = stage
        .sandbox
        .luma()
        .add_calendar("Dock Hall", "Ada Lake", "ada@dock.example");
    let arguments = json!({ "provider": "LUMA", "secret": other.key, "renews": own });
    let message = refused(stage.calls("connect_account", arguments), "WRONG_ACCOUNT");
    assert!(
        message.contains("Dock Hall") && message.contains("Harbour Makers"),
        "it names both: {message}"
    );
    let listed = stage.calls("list_integrations", json!({})).unwrap();
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(1),
        "nothing was saved: {listed}"
    );
}

#[test]
fn keychain_that_serves_is_not_complained_about() {
    let (stage, ..) = Stage::with_luma(1);
    for ask in [false, true] {
        assert_eq!(
            stage.calls("check_keychain", json!({ "ask": ask })).unwrap(),
            Value::Null
        );
    }
}

#[test]
fn refused_key_is_told_without_being_repeated() {
    let stage = Stage::open();
    let message = refused(
        stage.calls(
            "connect_account",
            json!({ "provider": "LUMA", "secret": "secret-nobodyknowsthis" }),
        ),
        "CREDENTIALS_REJECTED",
    );
    assert!(!message.contains("nobodyknowsthis"), "{message}");
    assert_eq!(stage.calls("list_integrations", json!({})).unwrap(), json!([]));
}
