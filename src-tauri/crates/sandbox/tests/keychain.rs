//! Every state of the private keychain, seen through an ordinary secret-service client.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall stop where it stands"
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};

/// `secret-tool` inside that keychain, ended after `seconds` (status 124 then).
fn secret_tool(keychain: &PrivateKeychain, seconds: u32, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new("timeout");
    command
        .arg(seconds.to_string())
        .arg("secret-tool")
        .args(arguments);
    keychain.apply_to(&mut command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A client that has no service to talk to may be gone before it reads.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn store(keychain: &PrivateKeychain, name: &str, secret: &str) -> bool {
    let arguments = ["store", "--label=test", "service", "sandbox", "name", name];
    secret_tool(keychain, 10, &arguments, secret).status.success()
}

fn look_up(keychain: &PrivateKeychain, name: &str) -> Option<String> {
    let output = secret_tool(keychain, 10, &["lookup", "service", "sandbox", "name", name], "");
    let found = output.status.success() && !output.stdout.is_empty();
    found.then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn an_unlocked_keychain_keeps_secrets_through_lock_unlock_and_restart() {
    let keychain = PrivateKeychain::start(KeychainState::Unlocked).unwrap();
    assert!(store(&keychain, "one", "first secret"));
    assert_eq!(look_up(&keychain, "one").as_deref(), Some("first secret"));
    keychain.lock().unwrap();
    assert_eq!(
        look_up(&keychain, "one"),
        None,
        "a locked secret is not given out"
    );
    keychain.unlock().unwrap();
    assert_eq!(
        look_up(&keychain, "one").as_deref(),
        Some("first secret"),
        "unlocked in place"
    );
    keychain.restart().unwrap();
    assert_eq!(
        look_up(&keychain, "one").as_deref(),
        Some("first secret"),
        "kept on disk"
    );
    keychain.empty().unwrap();
    assert_eq!(look_up(&keychain, "one"), None, "emptied");
    assert!(
        store(&keychain, "two", "second secret"),
        "an emptied keychain takes new secrets"
    );
}

#[test]
fn a_locked_keychain_refuses_until_it_is_unlocked() {
    let keychain = PrivateKeychain::start(KeychainState::Locked).unwrap();
    assert!(
        !store(&keychain, "one", "first secret"),
        "nobody can be asked for the password"
    );
    keychain.unlock().unwrap();
    assert!(store(&keychain, "one", "first secret"));
    keychain.restart_locked().unwrap();
    assert_eq!(look_up(&keychain, "one"), None);
    keychain.unlock().unwrap();
    assert_eq!(look_up(&keychain, "one").as_deref(), Some("first secret"));
}

#[test]
fn without_a_bus_or_a_service_nothing_is_stored_at_once() {
    let no_bus = PrivateKeychain::start(KeychainState::NoBus).unwrap();
    let answer = secret_tool(&no_bus, 10, &["lookup", "service", "sandbox"], "");
    assert_eq!(answer.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&answer.stderr).contains("connect"),
        "{answer:?}"
    );
    assert!(no_bus.restart().is_err(), "nothing to restart on");
    let no_service = PrivateKeychain::start(KeychainState::NoService).unwrap();
    let answer = secret_tool(&no_service, 10, &["lookup", "service", "sandbox"], "");
    assert_eq!(answer.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&answer.stderr).contains("org.freedesktop.secrets"),
        "{answer:?}"
    );
    no_service.restart().unwrap();
    assert!(
        store(&no_service, "one", "late secret"),
        "a service can come later"
    );
}

#[test]
fn a_hung_keychain_never_answers_until_it_resumes() {
    let keychain = PrivateKeychain::start(KeychainState::Hung).unwrap();
    let answer = secret_tool(&keychain, 1, &["lookup", "service", "sandbox"], "");
    assert_eq!(
        answer.status.code(),
        Some(124),
        "the client waits until it is ended"
    );
    keychain.resume().unwrap();
    assert!(store(&keychain, "one", "first secret"));
    keychain.hang().unwrap();
    keychain.resume().unwrap();
    assert_eq!(look_up(&keychain, "one").as_deref(), Some("first secret"));
}

#[test]
fn nothing_is_left_after_the_drop() {
    let keychain = PrivateKeychain::start(KeychainState::Hung).unwrap();
    let home = keychain.home().to_owned();
    let noted = std::fs::read_to_string(home.join("processes")).unwrap();
    assert_eq!(noted.lines().count(), 2, "the bus and the keyring");
    drop(keychain);
    assert!(!home.exists(), "the folder is gone");
    for id in noted.lines() {
        assert!(
            !std::path::Path::new("/proc").join(id).exists(),
            "process {id} is gone"
        );
    }
}

#[test]
fn the_environment_leads_nowhere_else() {
    let keychain = PrivateKeychain::start(KeychainState::NoBus).unwrap();
    let environment = keychain.environment();
    let home = keychain.home().to_string_lossy().into_owned();
    for name in [
        "HOME",
        "XDG_RUNTIME_DIR",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "DBUS_SESSION_BUS_ADDRESS",
    ] {
        let (_, value) = environment.iter().find(|(known, _)| known == name).unwrap();
        assert!(
            value.contains(&home),
            "{name} points into the private home, not to {value}"
        );
    }
    assert!(keychain.removed_environment().contains(&"DISPLAY"));
}
