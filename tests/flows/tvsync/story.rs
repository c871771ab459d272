//! `tvsync` as a person runs it: from connecting to the list, revoked and repaired, with a real keychain. Every run is
//! swept for credentials at trace level.

use crate::world::{Harbour, ids};
use serde_json::Value;
use talkvalue_sandbox::Fault;
use talkvalue_sandbox::keychain::KeychainState;

#[test]
fn connect_import_look_revoke_reconnect_and_remove() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);

    let candidates = computer
        .run(&["candidates", &integration, "--json"])
        .exits(0)
        .json();
    let offered = candidates["candidates"].as_array().unwrap();
    assert!(
        offered
            .iter()
            .any(|candidate| candidate["externalId"] == harbour.event.as_str())
    );

    let imported = computer
        .run(&[
            "import",
            &integration,
            &harbour.event,
            "--as",
            "badge-event",
            "--json",
        ])
        .exits(0)
        .json();
    assert_eq!(imported["syncStatus"], "ACTIVE");
    assert_eq!(imported["counts"]["total"], 120);
    assert_eq!(imported["alert"], Value::Null);
    assert_eq!(imported["kind"], "BADGE_EVENT");
    let item = imported["id"].as_str().unwrap();
    let before = ids(computer, item);
    assert_eq!(before.len(), 120);

    harbour.sandbox.eventbrite().revokes_tokens();
    let refused = computer.run(&["sync", item, "--json"]).exits(3).json();
    assert_eq!(refused["error"]["code"], "CREDENTIALS_REJECTED");
    assert_eq!(refused["error"]["recovery"], "RECONNECT");
    let shown = computer.run(&["show", item, "--json"]).exits(0).json();
    assert_eq!(shown["syncStatus"], "DISCONNECTED");
    assert_eq!(shown["alert"], "INTEGRATION_DISCONNECTED");
    assert_eq!(shown["counts"]["total"], 120, "the list is kept");
    assert_eq!(
        shown["lastSyncedAt"], imported["lastSyncedAt"],
        "a failure never erases a success"
    );
    computer.run(&["retry", item]).exits(3);
    computer.run(&["reconnect", item]).exits(3);

    let token = harbour.sandbox.eventbrite().issue_token(&harbour.account);
    let renewed = computer.connect_eventbrite(&token);
    assert_eq!(
        renewed, integration,
        "connecting a known account renews it under the same id"
    );
    let still = computer.run(&["show", item, "--json"]).exits(0).json();
    assert_eq!(
        still["syncStatus"], "DISCONNECTED",
        "its items wait until they are reconnected"
    );
    let live = computer.run(&["reconnect", item, "--json"]).exits(0).json();
    assert_eq!(live["syncStatus"], "ACTIVE");
    assert_eq!(ids(computer, item), before, "the same people under the same ids");

    let support = computer.folder.path().join("support.json");
    computer
        .run(&["diagnostics", "--out", support.to_str().unwrap()])
        .exits(0);
    let text = std::fs::read_to_string(&support).unwrap();
    for private in ["harbour.example", "Harbour Makers Night"] {
        assert!(
            !text.contains(private),
            "a support file names nobody and nothing: {private}"
        );
    }

    computer.run(&["disconnect", &integration, "--json"]).exits(0);
    let shown = computer.run(&["show", item, "--json"]).exits(0).json();
    assert_eq!(shown["failure"]["code"], "DISCONNECTED_BY_YOU");
    computer.run(&["remove", item, "--json"]).exits(0);
    computer.run(&["show", item]).exits(4);
    let none = computer.run(&["items", "--json"]).exits(0).json();
    assert_eq!(none["items"].as_array().unwrap().len(), 0);
}

#[test]
fn luma_works_by_key_and_its_people_are_counted_once() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_luma(&harbour.calendar.key);
    let badge = computer
        .run(&[
            "import",
            &integration,
            &harbour.luma_event,
            "--as",
            "badge-event",
            "--json",
        ])
        .exits(0)
        .json();
    let path = computer
        .run(&[
            "import",
            &integration,
            &harbour.luma_event,
            "--as",
            "path-event",
            "--json",
        ])
        .exits(0)
        .json();
    assert_eq!(badge["counts"]["total"], 150);
    let emails: std::collections::BTreeSet<String> = harbour
        .sandbox
        .luma()
        .guests(&harbour.luma_event)
        .iter()
        .map(|guest| {
            guest
                .email_key()
                .unwrap_or_else(|| format!("registration {}", guest.id))
        })
        .collect();
    assert_eq!(path["counts"]["total"], emails.len(), "one row per e-mail");
    let csv = computer
        .run(&["attendees", path["id"].as_str().unwrap(), "--csv"])
        .exits(0);
    assert_eq!(
        csv.stdout
            .lines()
            .next()
            .map(|line| line.starts_with("name,email,")),
        Some(true),
        "{}",
        csv.stdout
    );
}

#[test]
fn sync_all_reports_each_item_and_ends_by_the_gravest() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let eventbrite = computer.connect_eventbrite(&harbour.account.private_token);
    let luma = computer.connect_luma(&harbour.calendar.key);
    computer
        .run(&[
            "import",
            &eventbrite,
            &harbour.event,
            "--as",
            "badge-event",
            "--json",
        ])
        .exits(0);
    computer
        .run(&[
            "import",
            &luma,
            &harbour.luma_event,
            "--as",
            "badge-event",
            "--json",
        ])
        .exits(0);
    computer.run(&["sync", "--all", "--json"]).exits(0);
    harbour.sandbox.eventbrite().fails_always(Fault::HtmlGateway(502));
    harbour.sandbox.luma().revokes_keys();
    let synced = computer.run(&["sync", "--all", "--json"]).exits(3).json();
    let mut statuses: Vec<&str> = synced["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["syncStatus"].as_str().unwrap())
        .collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        ["DISCONNECTED", "FAILED"],
        "credentials come before an outage: 6, 3, 5, 4, 1"
    );
}

#[test]
fn a_wait_limit_ends_a_rate_limited_command_and_keeps_what_arrived() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    // The event and one page are let through.
    harbour.sandbox.eventbrite().fails_after(
        2,
        Fault::RateLimited {
            retry_after_secs: Some(600),
        },
    );
    let waiting = computer
        .run(&[
            "import",
            &integration,
            &harbour.event,
            "--as",
            "badge-event",
            "--wait",
            "1",
            "--json",
        ])
        .exits(1)
        .json();
    assert_eq!(waiting["error"]["code"], "WAITING");
    let items = computer.run(&["items", "--json"]).exits(0).json();
    let item = &items["items"][0];
    assert_eq!(item["syncStatus"], "PENDING");
    assert_eq!(item["activeJob"], Value::Null, "nobody works on it now");
    assert_eq!(item["counts"]["total"], 50, "what arrived is kept");
    assert_eq!(item["waiting"]["code"], "RATE_LIMITED");
    harbour.sandbox.eventbrite().clears_faults();
    let done = computer
        .run(&["retry", item["id"].as_str().unwrap(), "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&done["syncStatus"], &done["counts"]["total"]),
        (&"ACTIVE".into(), &120.into())
    );
}
