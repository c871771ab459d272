//! Processes that die, and processes that meet.

use crate::world::{Harbour, ids};
use serde_json::Value;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_tests::tvsync::block_on;

#[test]
fn a_dead_process_waits_for_nothing() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    harbour.sandbox.eventbrite().rate_limits_next(100, Some(3_000));
    let mut import = computer.start(&["import", &integration, &harbour.event, "--as", "badge-event"]);
    let item = || computer.run(&["items", "--json"]).exits(0).json()["items"][0].clone();
    while item()["waiting"]["code"] != "RATE_LIMITED" {
        assert_eq!(import.try_wait().unwrap(), None, "it waits out the limit");
    }
    assert!(item()["nextAttemptAt"].is_string(), "and says until when");
    import.kill().unwrap();
    import.wait().unwrap();
    let dead = item();
    assert_eq!(
        (&dead["waiting"], &dead["nextAttemptAt"], &dead["activeJob"]),
        (&Value::Null, &Value::Null, &Value::Null),
        "nobody goes on by himself any more: {dead}"
    );
    assert_eq!(dead["alert"], "IMPORT_FAILED", "so a person is asked");
}

#[test]
fn a_killed_import_says_so_and_retry_ends_with_the_exact_set() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let eventbrite = harbour.sandbox.eventbrite();
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    // Requests of an import: the event, then its pages. The third page never arrives.
    let pause = eventbrite.pause_at(4);
    let mut import = computer.start(&[
        "import",
        &integration,
        &harbour.event,
        "--as",
        "badge-event",
        "--json",
    ]);
    block_on(pause.reached());

    let running = computer.run(&["items", "--json"]).exits(0).json();
    assert_eq!(running["items"][0]["syncStatus"], "PENDING");
    assert_eq!(
        running["items"][0]["activeJob"]["kind"], "IMPORT",
        "readers see a running import and never wait"
    );
    assert_eq!(running["items"][0]["alert"], Value::Null);

    import.kill().unwrap();
    import.wait().unwrap();
    pause.release();
    let items = computer.run(&["items", "--json"]).exits(0).json();
    let item = items["items"][0]["id"].as_str().unwrap();
    let shown = computer.run(&["show", item, "--json"]).exits(0).json();
    assert_eq!(shown["syncStatus"], "PENDING");
    assert_eq!(shown["activeJob"], Value::Null, "a dead process works on nothing");
    assert_eq!(shown["alert"], "IMPORT_FAILED");
    assert_eq!(shown["failure"]["code"], "INTERRUPTED");
    assert_eq!(
        shown["counts"]["total"], 100,
        "what arrived before the kill is kept"
    );

    eventbrite.clears_requests();
    let done = computer.run(&["retry", item, "--json"]).exits(0).json();
    assert_eq!(done["syncStatus"], "ACTIVE");
    let pages = eventbrite
        .requests()
        .iter()
        .filter(|request| request.path.ends_with("/attendees/"))
        .count();
    assert_eq!(
        pages, 3,
        "one page was missing: it, the one before it once more, and the pass over what changed meanwhile"
    );
    let ours: Vec<String> = ids(computer, item)
        .into_iter()
        .map(|(_, external)| external)
        .collect();
    let truth = eventbrite.attendees(&harbour.event);
    assert_eq!(ours.len(), truth.len());
    assert!(
        truth.iter().all(|registration| ours.contains(&registration.id)),
        "nobody is lost to a kill"
    );
    computer.sweep();
}

#[test]
fn of_two_one_acts_and_the_other_waits_for_it_and_readers_never_wait() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let eventbrite = harbour.sandbox.eventbrite();
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    let luma = computer.connect_luma(&harbour.calendar.key);
    let pause = eventbrite.pause_at(2);
    let first = computer.start(&[
        "import",
        &integration,
        &harbour.event,
        "--as",
        "badge-event",
        "--json",
    ]);
    block_on(pause.reached());
    let requests = harbour.sandbox.luma().request_count();
    let impatient = computer
        .run(&[
            "import",
            &luma,
            &harbour.luma_event,
            "--as",
            "badge-event",
            "--wait",
            "0",
            "--json",
        ])
        .exits(1)
        .json();
    assert_eq!(impatient["error"]["code"], "WAITING");
    assert_eq!(
        harbour.sandbox.luma().request_count(),
        requests,
        "who waits asks nobody"
    );
    let second = computer.start(&[
        "import",
        &luma,
        &harbour.luma_event,
        "--as",
        "badge-event",
        "--json",
    ]);
    for _ in 0..3 {
        computer.run(&["items", "--json"]).exits(0);
        computer.run(&["integrations", "--json"]).exits(0);
    }
    pause.release();
    let (first, second) = (computer.finish(first).exits(0), computer.finish(second).exits(0));
    assert_eq!(first.json()["counts"]["total"], 120);
    assert_eq!(
        second.json()["counts"]["total"],
        150,
        "it had its turn afterwards"
    );
}

#[test]
fn connecting_does_not_wait_for_an_import() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    let pause = harbour.sandbox.eventbrite().pause_at(2);
    let import = computer.start(&[
        "import",
        &integration,
        &harbour.event,
        "--as",
        "badge-event",
        "--json",
    ]);
    block_on(pause.reached());
    computer.connect_luma(&harbour.calendar.key);
    pause.release();
    computer.finish(import).exits(0);
}
