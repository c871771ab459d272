//! What has happened to a list, what waits for a person's word about it, and what a person stops.

use crate::stage::{Stage, refused, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Two reads that miss somebody count only so far apart.
const APART: Duration = Duration::from_secs(61);

fn synced(stage: &Stage, item: &str) {
    stage.calls("sync_item", json!({ "itemId": item })).unwrap();
    stage.hears("JOB_ENDED");
}

fn changes(stage: &Stage, item: &str, since: Value, after: Value) -> Value {
    let arguments = json!({ "itemId": item, "request": { "since": since, "after": after } });
    stage.calls("list_changes", arguments).unwrap()
}

fn entries(page: &Value) -> &Vec<Value> {
    page["entries"].as_array().unwrap()
}

#[test]
fn changes_are_told_by_name_with_before_and_after_newest_first() {
    let (stage, _, event, item) = Stage::with_item(12);
    let luma = stage.sandbox.luma();
    let guest = luma.guests(&event).remove(0);
    luma.edit_guest(&event, &guest.id, |guest| {
        guest.name = Some("Zoë Łuczak".to_owned());
    });
    synced(&stage, &item);
    let page = changes(&stage, &item, Value::Null, Value::Null);
    assert_eq!(page["next"], Value::Null, "thirteen changes are one page: {page}");
    assert_eq!(entries(&page).len(), 13, "twelve came, one was renamed: {page}");
    let newest = &entries(&page)[0];
    assert_eq!(
        (&newest["type"], &newest["change"], &newest["name"]),
        (&json!("ATTENDEE"), &json!("UPDATED"), &json!("Zoë Łuczak"))
    );
    assert_eq!(
        newest["fields"],
        json!([{ "field": "name", "before": guest.name, "after": "Zoë Łuczak" }]),
        "only what changed is told"
    );
    assert!(newest["attendeeId"].is_string());
    assert!(text(&newest["at"]).ends_with('Z'), "times are UTC");

    let since = changes(&stage, &item, newest["at"].clone(), Value::Null);
    assert_eq!(entries(&since), std::slice::from_ref(newest), "{since}");
}

#[test]
fn pages_of_changes_hold_every_change_once() {
    let (stage, _, _, item) = Stage::with_item(250);
    let (mut seen, mut after, mut pages) = (BTreeSet::new(), Value::Null, 0);
    loop {
        let page = changes(&stage, &item, Value::Null, after);
        pages += 1;
        assert!(entries(&page).len() <= 100, "a page is bounded");
        for entry in entries(&page) {
            assert!(
                seen.insert(text(&entry["attendeeId"])),
                "no change twice: {entry}"
            );
        }
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (250, 3));
}

#[test]
fn activity_tells_statuses_jobs_and_the_account_newest_first() {
    let (stage, calendar, _, item) = Stage::with_item(12);
    let activity = |stage: &Stage| stage.calls("list_activity", json!({ "itemId": item })).unwrap();
    let quiet = activity(&stage);
    assert_eq!(
        quiet["lastOutageAt"],
        Value::Null,
        "it was live ever since: {quiet}"
    );
    let kinds: Vec<&Value> = entries(&quiet).iter().map(|entry| &entry["type"]).collect();
    assert!(kinds.contains(&&json!("STATUS")), "that it became live: {quiet}");
    let imported = entries(&quiet)
        .iter()
        .find(|entry| entry["type"] == "JOB")
        .expect("the import is told");
    assert_eq!(imported["change"], "IMPORT");
    let field = |name: &str| {
        let fields = imported["fields"].as_array().unwrap();
        fields
            .iter()
            .find(|field| field["field"] == name)
            .map(|field| text(&field["after"]))
    };
    assert_eq!(
        field("done").as_deref(),
        Some("12"),
        "with its counts: {imported}"
    );

    stage.sandbox.luma().revoke_key(&calendar.key);
    stage.calls("sync_item", json!({ "itemId": item })).unwrap();
    stage.hears("JOB_FAILED");
    let severed = activity(&stage);
    assert!(severed["lastOutageAt"].is_string(), "{severed}");
    let told = |kind: &str, change: &str| {
        entries(&severed)
            .iter()
            .find(|entry| entry["type"] == kind && entry["change"] == change)
            .unwrap_or_else(|| panic!("{kind} {change} is told: {severed}"))
    };
    assert_eq!(told("STATUS", "DISCONNECTED")["cause"], "CREDENTIALS_REJECTED");
    assert_eq!(told("CREDENTIAL", "SEVERED")["cause"], "CREDENTIALS_REJECTED");
    let times: Vec<String> = entries(&severed).iter().map(|entry| text(&entry["at"])).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
}

/// An item whose provider has left out thirty of ninety for two reads; who they are.
fn with_held_removals() -> (Stage, String, BTreeSet<String>) {
    let (stage, _, event, item) = Stage::with_item(90);
    let luma = stage.sandbox.luma();
    let missing: Vec<String> = luma
        .guests(&event)
        .into_iter()
        .take(30)
        .map(|guest| guest.id)
        .collect();
    luma.leaves_out(&event, &missing);
    for _ in 0..2 {
        stage.sandbox.clock().advance(APART);
        synced(&stage, &item);
    }
    (stage, item, missing.into_iter().collect())
}

#[test]
fn held_removals_are_shown_one_by_one_and_kept_on_a_persons_word() {
    let (stage, item, missing) = with_held_removals();
    let before = stage.shows(&item);
    let held = stage.calls("list_removals", json!({ "itemId": item })).unwrap();
    let people = held["people"].as_array().unwrap();
    assert_eq!(held["shown"]["count"], json!(people.len()));
    assert_eq!(before["heldRemovals"], held["shown"]["count"]);
    assert!(people.len() > 20, "so many are a person's to decide");
    for person in people {
        assert!(
            missing.contains(&text(&person["externalId"])),
            "only who is missing: {person}"
        );
    }

    let arguments = json!({ "itemId": item, "accept": false, "shown": held["shown"] });
    let kept = stage.calls("decide_removals", arguments).unwrap();
    assert_eq!(
        (&kept["heldRemovals"], &kept["counts"]),
        (&json!(0), &before["counts"])
    );
    assert_eq!(
        stage.hears("ITEM_CHANGED")["itemId"],
        item.as_str(),
        "the list is asked for again"
    );
    let held = stage.calls("list_removals", json!({ "itemId": item })).unwrap();
    assert_eq!(held["people"], json!([]));
}

#[test]
fn held_removals_that_are_accepted_no_longer_attend_and_stay_in_the_list() {
    let (stage, item, _) = with_held_removals();
    let before = stage.shows(&item);
    let shown = stage.calls("list_removals", json!({ "itemId": item })).unwrap()["shown"].clone();
    let number = |item: &Value, count: &str| item["counts"][count].as_u64().unwrap();

    let others = json!({ "count": shown["count"], "mark": "0123456789abcdef" });
    let arguments = json!({ "itemId": item, "accept": true, "shown": others });
    refused(stage.calls("decide_removals", arguments), "NOT_POSSIBLE");
    assert_eq!(
        stage.shows(&item)["counts"],
        before["counts"],
        "a refused decision changes nothing"
    );

    let arguments = json!({ "itemId": item, "accept": true, "shown": shown });
    let decided = stage.calls("decide_removals", arguments).unwrap();
    assert_eq!(decided["heldRemovals"], 0);
    assert_eq!(number(&decided, "total"), 90, "nobody's row is removed");
    assert_eq!(
        number(&decided, "notAttending"),
        number(&before, "notAttending") + shown["count"].as_u64().unwrap()
    );
}

#[test]
fn stopped_import_keeps_what_arrived_and_goes_on_when_asked() {
    let (stage, _, event, integration) = Stage::with_luma(5_000);
    let arguments = json!({ "integrationId": integration, "externalId": event, "kind": "BADGE_EVENT" });
    let item = text(&stage.calls("import_event", arguments).unwrap()["id"]);
    stage.hears("JOB_PROGRESSED");
    let stopped = stage.calls("cancel_item", json!({ "itemId": item })).unwrap();
    assert_eq!(
        (&stopped["syncStatus"], &stopped["activeJob"], &stopped["alert"]),
        (&json!("PENDING"), &Value::Null, &json!("IMPORT_FAILED"))
    );
    assert_eq!(stopped["failure"]["code"], "IMPORT_CANCELLED");
    let arrived = stopped["counts"]["total"].as_u64().unwrap();
    assert!(arrived > 0 && arrived < 5_000, "what arrived is kept: {arrived}");
    refused(
        stage.calls("cancel_item", json!({ "itemId": item })),
        "NOT_POSSIBLE",
    );

    let resumed = stage.calls("retry_item", json!({ "itemId": item })).unwrap();
    assert_eq!(resumed["syncStatus"], "PENDING");
    stage.waits_until("the import is complete", |stage| {
        stage.shows(&item)["syncStatus"] == "ACTIVE"
    });
    assert_eq!(stage.shows(&item)["counts"]["total"], 5_000);
}

#[test]
fn lists_are_kept_live_from_the_moment_the_window_asks_for_it() {
    let (stage, _, event, item) = Stage::with_item(20);
    let stage = stage.restarts();
    let luma = stage.sandbox.luma();
    luma.add_guests(&event, 5);
    luma.clears_requests();
    let shown = stage.shows(&item);
    assert_eq!(
        (&shown["freshness"], &shown["counts"]["total"]),
        (&json!("CHECKING"), &json!(20)),
        "the stored list, until it is checked"
    );
    assert_eq!(
        luma.requests().len(),
        0,
        "nobody is asked before the list is painted"
    );

    for _ in 0..3 {
        // The window asks again and again; it begins once.
        assert_eq!(stage.calls("keep_live", json!({})).unwrap(), Value::Null);
    }
    stage.waits_until("the new guests are there", |stage| {
        let shown = stage.shows(&item);
        shown["counts"]["total"] == 25 && shown["freshness"] == "LIVE"
    });
}

#[test]
fn sign_in_that_no_keychain_took_is_saved_once_there_is_one() {
    let stage = Stage::open();
    let (calendar, event) = stage.add_luma_event("Spring Repair Cafe", 5);
    stage.has_keychain(false);
    let integration = stage.connects("LUMA", &calendar.key);
    stage.hears("SIGN_INS_HELD_CHANGED");
    let unsaved = |stage: &Stage| stage.calls("app_status", json!({})).unwrap()["unsaved"].clone();
    assert!(text(&unsaved(&stage)).contains("until you quit"), "it is said");
    stage.imports(&integration, &event, "BADGE_EVENT");
    stage.calls("save_sign_ins", json!({})).unwrap();
    assert!(
        unsaved(&stage).is_string(),
        "there is still none that could take it"
    );

    stage.has_keychain(true);
    stage.calls("save_sign_ins", json!({})).unwrap();
    stage.hears("SIGN_INS_HELD_CHANGED");
    assert_eq!(unsaved(&stage), Value::Null);
    let stage = stage.restarts();
    let verified = stage.calls("verify_integration", json!({ "integrationId": integration }));
    assert_eq!(verified.unwrap()["status"], "CONNECTED", "it was saved for good");
}
