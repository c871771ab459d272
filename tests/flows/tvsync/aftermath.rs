//! What a person asks and decides afterwards: what happened, who is missing, what shall stop.

use crate::world::Harbour;
use serde_json::Value;
use talkvalue_sandbox::keychain::KeychainState;

#[test]
fn history_is_one_document_of_the_promised_form_and_lines_for_people() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    let item = computer
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
    let id = item["id"].as_str().unwrap();
    let eventbrite = harbour.sandbox.eventbrite();
    let attendee = eventbrite.attendees(&harbour.event)[0].id.clone();
    eventbrite.transfer_attendee(
        &harbour.event,
        &attendee,
        "Noor\u{202e} Haddad",
        "noor@harbour.example",
    );
    computer.run(&["sync", id]).exits(0);

    let history = computer.run(&["history", id, "--json"]).exits(0).json();
    let entries = history["history"].as_array().unwrap();
    for entry in entries {
        let mut fields: Vec<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "after",
                "at",
                "attendeeId",
                "before",
                "cause",
                "change",
                "jobId",
                "type"
            ]
        );
    }
    let of = |kind: &str| entries.iter().filter(|entry| entry["type"] == kind).count();
    assert_eq!(of("ATTENDEE"), 121, "every arrival and one change");
    assert!(
        of("STATUS") >= 2 && of("JOB") == 2 && of("CREDENTIAL") == 1,
        "{history}"
    );
    let changed = entries.iter().find(|entry| entry["change"] == "UPDATED").unwrap();
    assert_eq!(changed["after"]["email"], "noor@harbour.example");

    let lines = computer.run(&["history", id, "--since", "1h"]).exits(0).stdout;
    assert!(
        lines.contains("noor@harbour.example") && !lines.contains('\u{202e}'),
        "by name, and nothing that steers a terminal: {lines}"
    );
    let none = computer
        .run(&["history", id, "--since", "2099-01-01", "--json"])
        .exits(0)
        .json();
    assert_eq!(none["history"], Value::Array(Vec::new()));
    computer.run(&["history", id, "--since", "recently"]).exits(2);
}

#[test]
fn an_import_is_stopped_from_another_terminal() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_luma(&harbour.calendar.key);
    let pause = harbour.sandbox.luma().pause_at(3);
    let mut import = computer.start(&["import", &integration, &harbour.luma_event, "--as", "badge-event"]);
    while !pause.is_reached() {
        assert_eq!(import.try_wait().unwrap(), None, "the import runs");
    }
    let items = computer.run(&["items", "--json"]).exits(0).json();
    let id = items["items"][0]["id"].as_str().unwrap().to_owned();
    let stopped = computer.run(&["cancel", &id, "--json"]).exits(0).json();
    assert_eq!(
        (&stopped["syncStatus"], &stopped["failure"]["code"]),
        (&"PENDING".into(), &"IMPORT_CANCELLED".into())
    );
    let told = import.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(1), "whoever waited for it is told");
    pause.release();
    computer.run(&["cancel", &id]).exits(2);
    let done = computer.run(&["retry", &id, "--json"]).exits(0).json();
    assert_eq!(done["counts"]["total"], 150);
}

#[test]
fn missing_people_are_listed_and_decided_about() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_luma(&harbour.calendar.key);
    let item = computer
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
    let id = item["id"].as_str().unwrap();
    let none = computer.run(&["removals", id, "--json"]).exits(0).json();
    assert_eq!(none["attendees"], Value::Array(Vec::new()));
    let kept = computer
        .run(&["removals", id, "--reject", "--json"])
        .exits(0)
        .json();
    assert_eq!(kept["heldRemovals"], 0, "an action prints the item");
    computer.run(&["removals", id, "--accept", "--reject"]).exits(2);
    computer.run(&["removals", "item-nobody"]).exits(4);
}
