//! `tvsync` and a keychain that is locked, absent, hung or emptied: different sentences, the right codes, and reading
//! commands that do not care.

use crate::world::Harbour;
use std::collections::BTreeSet;
use talkvalue_sandbox::keychain::KeychainState;

/// Connects, imports, and answers with the integration and the item.
fn set_up(harbour: &Harbour) -> (String, String) {
    let integration = harbour
        .computer
        .connect_eventbrite(&harbour.account.private_token);
    let imported = harbour
        .computer
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
    (integration, imported["id"].as_str().unwrap().to_owned())
}

/// Asserts that everything which only reads works as ever.
fn assert_readable(harbour: &Harbour, item: &str, status: &str) {
    let shown = harbour.computer.run(&["show", item, "--json"]).exits(0).json();
    assert_eq!(shown["syncStatus"], status);
    assert_eq!(
        shown["counts"]["total"], 120,
        "the list is there without any keychain"
    );
    for reading in [
        vec!["items"],
        vec!["integrations"],
        vec!["attendees", item, "--csv"],
    ] {
        harbour.computer.run(&reading).exits(0);
    }
}

#[test]
fn a_locked_keychain_pauses_and_nothing_is_called_disconnected() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let (_, item) = set_up(&harbour);
    harbour.computer.keychain.restart_locked().unwrap();
    let locked = harbour.computer.run(&["sync", &item, "--json"]).exits(6).json();
    assert_eq!(locked["error"]["code"], "VAULT_LOCKED");
    assert_eq!(locked["error"]["recovery"], "UNLOCK_KEYCHAIN");
    assert_readable(&harbour, &item, "ACTIVE");
    harbour.computer.keychain.restart().unwrap();
    harbour.computer.run(&["sync", &item]).exits(0);
}

#[test]
fn a_hung_keychain_is_named_in_seconds_and_changes_nothing() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let (integration, item) = set_up(&harbour);
    harbour.computer.keychain.hang().unwrap();
    let hung = harbour.computer.run(&["sync", &item, "--json"]).exits(6).json();
    assert_eq!(hung["error"]["code"], "VAULT_UNAVAILABLE");
    harbour
        .computer
        .run_with_input(
            &["connect", "luma", "--key-stdin", "--json"],
            &harbour.calendar.key,
        )
        .exits(6);
    harbour
        .computer
        .run(&["disconnect", &integration, "--json"])
        .exits(6);
    assert_readable(&harbour, &item, "ACTIVE");
    harbour.computer.keychain.resume().unwrap();
    harbour.computer.run(&["sync", &item]).exits(0);
}

#[test]
fn an_absent_keychain_refuses_to_connect_and_keeps_no_secret_anywhere() {
    let mut sentences = BTreeSet::new();
    for state in [
        KeychainState::NoBus,
        KeychainState::NoService,
        KeychainState::Locked,
        KeychainState::Hung,
    ] {
        let harbour = Harbour::open(state);
        let refused = harbour
            .computer
            .run_with_input(
                &["connect", "eventbrite", "--token-stdin", "--json"],
                &harbour.account.private_token,
            )
            .exits(6)
            .json();
        let code = refused["error"]["code"].as_str().unwrap().to_owned();
        let expected = if state == KeychainState::Locked {
            "VAULT_LOCKED"
        } else {
            "VAULT_UNAVAILABLE"
        };
        assert_eq!(code, expected, "{state:?}: {refused}");
        sentences.insert(refused["error"]["message"].as_str().unwrap().to_owned());
        let none = harbour.computer.run(&["integrations", "--json"]).exits(0).json();
        assert_eq!(
            none["integrations"].as_array().unwrap().len(),
            0,
            "{state:?}: nothing was saved"
        );
    }
    assert!(
        sentences.len() >= 2,
        "a lock is told from an absence: {sentences:?}"
    );
}

#[test]
fn sync_tells_a_locked_an_absent_and_a_hung_keychain_apart() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let (_, item) = set_up(&harbour);
    let sync = |words: &str| {
        let refused = harbour.computer.run(&["sync", &item, "--json"]).exits(6).json();
        let message = refused["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains(words) && message.contains("The list is as of"),
            "it must say \"{words}\" and what is kept: {message}"
        );
    };
    harbour.computer.keychain.hang().unwrap();
    sync("keychain does not answer");
    harbour.computer.keychain.resume().unwrap();
    harbour.computer.keychain.stop_service().unwrap();
    sync("offers no keychain");
    harbour.computer.keychain.restart_locked().unwrap();
    sync("keychain is locked");
    assert_readable(&harbour, &item, "ACTIVE");
    harbour.computer.keychain.restart().unwrap();
    harbour.computer.run(&["sync", &item]).exits(0);
}

#[test]
fn an_entry_that_was_removed_asks_for_a_reconnect() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let (integration, item) = set_up(&harbour);
    // Another integration keeps the sentinel company; this one's entry goes.
    let removed = std::process::Command::new("secret-tool")
        .args([
            "clear",
            "service",
            "com.talkvalue.sync.test",
            "username",
            &integration,
        ])
        .envs(harbour.computer.keychain.environment())
        .status()
        .unwrap();
    assert!(removed.success());
    let missing = harbour.computer.run(&["sync", &item, "--json"]).exits(3).json();
    assert_eq!(missing["error"]["code"], "CREDENTIALS_MISSING");
    assert_readable(&harbour, &item, "DISCONNECTED");
    harbour
        .computer
        .connect_eventbrite(&harbour.account.private_token);
    harbour.computer.run(&["reconnect", &item]).exits(0);
    assert_readable(&harbour, &item, "ACTIVE");
}

#[test]
fn a_locked_keychain_that_shows_nothing_is_not_taken_for_emptied() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let (_, item) = set_up(&harbour);
    harbour.computer.keychain.empty().unwrap();
    harbour.computer.keychain.restart_locked().unwrap();
    let locked = harbour.computer.run(&["sync", &item, "--json"]).exits(6).json();
    assert_eq!(
        locked["error"]["code"], "VAULT_LOCKED",
        "no false alarm: {locked}"
    );
    assert_readable(&harbour, &item, "ACTIVE");
}

/// Takes a minute: an emptied keychain may still be starting, and is given that long.
#[test]
fn slow_an_emptied_keychain_is_believed_after_a_minute() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let (_, item) = set_up(&harbour);
    harbour.computer.keychain.empty().unwrap();
    let missing = harbour.computer.run(&["sync", &item, "--json"]).exits(3).json();
    assert_eq!(missing["error"]["code"], "CREDENTIALS_MISSING");
    assert_readable(&harbour, &item, "DISCONNECTED");
}
