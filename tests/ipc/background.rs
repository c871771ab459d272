//! Actions that go on after their command has answered.

use crate::stage::{Stage, refused, text};
use serde_json::{Value, json};
use talkvalue_sandbox::EventSpec;

#[test]
fn import_answers_at_once_and_is_told_to_its_end() {
    let (stage, _, event, integration) = Stage::with_luma(350);
    let arguments = json!({ "integrationId": integration, "externalId": event, "kind": "BADGE_EVENT" });
    let item = stage.calls("import_event", arguments).unwrap();
    assert_eq!(item["syncStatus"], "PENDING");
    assert_eq!(
        item["activeJob"]["kind"], "IMPORT",
        "no moment in which it looks failed"
    );
    assert_eq!(item["alert"], Value::Null);
    let id = text(&item["id"]);

    let first = stage.hears("JOB_PROGRESSED");
    assert_eq!(first["itemId"], id.as_str());
    assert!(
        first["done"].as_u64().is_some_and(|done| done > 0 && done <= 350),
        "{first}"
    );
    let ended = stage.hears("JOB_ENDED");
    assert_eq!(ended["itemId"], id.as_str());
    assert_eq!(ended["jobId"], item["activeJob"]["id"]);
    let shown = stage.shows(&id);
    assert_eq!(
        (&shown["syncStatus"], &shown["counts"]["total"]),
        (&json!("ACTIVE"), &json!(350))
    );
}

#[test]
fn two_events_are_imported_side_by_side() {
    let (stage, calendar, first, integration) = Stage::with_luma(300);
    let luma = stage.sandbox.luma();
    let second = luma.add_event(&calendar.id, EventSpec::new("Autumn Summit"));
    luma.add_guests(&second, 300);
    let mut items = Vec::new();
    for (event, kind) in [
        (&first, "BADGE_EVENT"),
        (&second, "BADGE_EVENT"),
        (&first, "PATH_EVENT"),
    ] {
        let arguments = json!({ "integrationId": integration, "externalId": event, "kind": kind });
        let item = stage.calls("import_event", arguments).unwrap();
        assert_eq!(
            item["alert"],
            Value::Null,
            "an import that waits for another one has not failed"
        );
        items.push(text(&item["id"]));
    }
    // An import over a list that is live already needs no job of its own.
    loop {
        let shown: Vec<Value> = items.iter().map(|item| stage.shows(item)).collect();
        for item in &shown {
            assert_eq!(item["alert"], Value::Null, "nothing ever looks failed: {item}");
        }
        if shown.iter().all(|item| item["syncStatus"] == "ACTIVE") {
            break;
        }
        stage.hears("JOB_ENDED");
    }
}

#[test]
fn second_click_starts_no_second_job() {
    let (stage, _, event, integration) = Stage::with_luma(400);
    let arguments = json!({ "integrationId": integration, "externalId": event, "kind": "BADGE_EVENT" });
    let first = stage.calls("import_event", arguments.clone()).unwrap();
    let again = stage.calls("import_event", arguments).unwrap();
    assert_eq!(
        first["id"], again["id"],
        "importing again opens the item there is"
    );
    if again["syncStatus"] == "PENDING" {
        assert_eq!(first["activeJob"]["id"], again["activeJob"]["id"]);
    }
    stage.hears("JOB_ENDED");
    let ends = stage
        .heard_so_far()
        .iter()
        .filter(|notice| notice["type"] == "JOB_ENDED")
        .count();
    assert_eq!(ends, 0, "one job, one end");
}

#[test]
fn failing_job_is_told_with_its_error() {
    let (stage, calendar, _, item) = Stage::with_item(30);
    stage.sandbox.luma().revoke_key(&calendar.key);
    let answered = stage.calls("sync_item", json!({ "itemId": item })).unwrap();
    assert_eq!(
        answered["syncStatus"], "ACTIVE",
        "a sync never makes an item look pending"
    );
    let failed = stage.hears("JOB_FAILED");
    assert_eq!(failed["itemId"], item.as_str());
    assert_eq!(failed["error"]["code"], "CREDENTIALS_REJECTED");
    assert_eq!(failed["error"]["recovery"], "RECONNECT");
    let shown = stage.shows(&item);
    assert_eq!(shown["syncStatus"], "DISCONNECTED");
    assert_eq!(shown["alert"], "INTEGRATION_DISCONNECTED");
    assert_eq!(shown["counts"]["total"], 30, "the list stays");
}

#[test]
fn revoked_key_is_repaired_without_losing_anybody() {
    let (stage, calendar, _, item) = Stage::with_item(30);
    let luma = stage.sandbox.luma();
    luma.revoke_key(&calendar.key);
    stage.calls("sync_item", json!({ "itemId": item })).unwrap();
    stage.hears("JOB_FAILED");
    let reconnect = json!({ "itemId": item, "withIntegrationId": null });
    refused(
        stage.calls("reconnect_item", reconnect.clone()),
        "CREDENTIALS_REJECTED",
    );

    stage.connects("LUMA", &luma.issue_key(&calendar.id));
    assert_eq!(
        stage.shows(&item)["syncStatus"],
        "DISCONNECTED",
        "repairing the account leaves its items to the person"
    );
    let item_now = stage.calls("reconnect_item", reconnect).unwrap();
    assert_eq!(
        (&item_now["id"], &item_now["syncStatus"]),
        (&json!(item), &json!("PENDING"))
    );
    assert_eq!(item_now["activeJob"]["kind"], "RECONNECT");
    stage.hears("JOB_ENDED");
    let shown = stage.shows(&item);
    assert_eq!(
        (&shown["syncStatus"], &shown["counts"]["total"]),
        (&json!("ACTIVE"), &json!(30))
    );
}

#[test]
fn account_that_cannot_see_the_event_is_refused_before_anything_changes() {
    let (stage, _, _, item) = Stage::with_item(5);
    let (stranger, _) = stage.add_luma_event("Elsewhere", 1);
    let other = stage.connects("LUMA", &stranger.key);
    let before = stage.shows(&item);
    let answer = stage.calls(
        "reconnect_item",
        json!({ "itemId": item, "withIntegrationId": other }),
    );
    let code = answer.expect_err("it must be refused")["code"].clone();
    assert!(code == "REMOTE_GONE" || code == "PERMISSION_MISSING", "{code}");
    assert_eq!(stage.shows(&item), before);
}

#[test]
fn removing_an_item_stops_its_import() {
    let (stage, _, event, integration) = Stage::with_luma(2_000);
    let arguments = json!({ "integrationId": integration, "externalId": event, "kind": "BADGE_EVENT" });
    let item = stage.calls("import_event", arguments.clone()).unwrap();
    stage.hears("JOB_PROGRESSED");
    stage
        .calls("remove_item", json!({ "itemId": item["id"] }))
        .unwrap();
    assert_eq!(
        stage.calls("list_items", json!({})).unwrap(),
        json!([]),
        "it is gone at once"
    );
    // The way is free for the same event.
    let again = stage.calls("import_event", arguments).unwrap();
    assert_ne!(again["id"], item["id"]);
    stage.hears("JOB_ENDED");
    assert_eq!(stage.shows(&text(&again["id"]))["counts"]["total"], 2_000);
}

#[test]
fn retry_of_a_live_item_is_refused_with_a_sentence() {
    let (stage, _, _, item) = Stage::with_item(3);
    refused(
        stage.calls("retry_item", json!({ "itemId": item })),
        "NOT_POSSIBLE",
    );
}

#[test]
fn failed_sync_is_retried() {
    let (stage, _, _, item) = Stage::with_item(3);
    let luma = stage.sandbox.luma();
    luma.goes_down();
    stage.calls("sync_item", json!({ "itemId": item })).unwrap();
    let failed = stage.hears("JOB_FAILED");
    assert_eq!(failed["error"]["code"], "PROVIDER_UNREACHABLE");
    assert_eq!(stage.shows(&item)["alert"], "SYNC_FAILED");
    luma.comes_back();
    let retried = stage.calls("retry_item", json!({ "itemId": item })).unwrap();
    assert_eq!(retried["activeJob"]["kind"], "RETRY");
    stage.hears("JOB_ENDED");
    assert_eq!(stage.shows(&item)["syncStatus"], "ACTIVE");
}
