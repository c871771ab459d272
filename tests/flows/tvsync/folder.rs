//! Data folders that cannot be used: which one, why and what to do, and no other place chosen instead.

use crate::world::Harbour;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_tests::tvsync::Computer;

/// Gives what follows a mount table of its own, in which the data folder cannot be written to. Nobody's rights help
/// there, and nobody needs any to get there.
const READ_ONLY: [&str; 7] = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    r#"mount --bind "$TALKVALUE_DATA_DIR" "$TALKVALUE_DATA_DIR" &&
       mount -o remount,bind,ro "$TALKVALUE_DATA_DIR" && exec "$@""#,
    "read-only",
];

/// Makes what follows somebody whom this computer does not know, and who so has no home.
const SOMEBODY_UNKNOWN: [&str; 3] = ["unshare", "--user", "--map-user=54321"];

/// Whether this system lets anybody have namespaces; some allow it to nobody.
fn may(wrapper: &[&str]) -> bool {
    let probe = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg("true")
        .env("TALKVALUE_DATA_DIR", std::env::temp_dir())
        .stderr(Stdio::null())
        .status();
    let may = probe.is_ok_and(|status| status.success());
    if !may {
        eprintln!("skipped: this system gives nobody namespaces of their own");
    }
    may
}

/// `tvsync` inside of a wrapper.
fn wrapped(computer: &Computer, wrapper: &[&str], arguments: &[&str]) -> Command {
    let plain = computer.command(arguments);
    let mut command = Command::new(wrapper[0]);
    command
        .args(&wrapper[1..])
        .arg(plain.get_program())
        .args(plain.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.insert(path.display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

#[test]
fn a_folder_on_a_read_only_disk_is_named_and_left_as_it_is() {
    if !may(&READ_ONLY) {
        return;
    }
    let harbour = Harbour::open(KeychainState::NoBus);
    let computer = &harbour.computer;
    computer.run(&["items"]).exits(0);
    let before = files(computer.folder.path());

    let child = wrapped(computer, &READ_ONLY, &["items", "--json"])
        .spawn()
        .unwrap();
    let refused = computer.finish(child).exits(1).json();
    assert_eq!(refused["error"]["code"], "STORAGE_FAILED", "{refused}");
    assert_eq!(refused["error"]["recovery"], "CHECK_STORAGE");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(&computer.data_dir().display().to_string())
            && message.contains("it lies on a read-only disk")
            && message.contains("--data-dir"),
        "which folder, why, and what to do: {message}"
    );
    let child = wrapped(computer, &READ_ONLY, &["items"]).spawn().unwrap();
    let told = computer.finish(child).exits(1);
    assert!(told.stderr.contains("it lies on a read-only disk"), "{told:?}");
    assert_eq!(
        files(computer.folder.path()),
        before,
        "nothing is written, there or beside it"
    );

    computer.run(&["items"]).exits(0);
}

#[test]
fn an_account_without_a_home_is_told_to_name_a_folder() {
    if !may(&SOMEBODY_UNKNOWN) {
        return;
    }
    let harbour = Harbour::open(KeychainState::NoBus);
    let computer = &harbour.computer;
    let homeless = |arguments: &[&str]| {
        let mut command = wrapped(computer, &SOMEBODY_UNKNOWN, arguments);
        for name in ["HOME", "XDG_DATA_HOME", "TALKVALUE_DATA_DIR"] {
            command.env_remove(name);
        }
        computer.finish(command.spawn().unwrap())
    };
    let refused = homeless(&["items", "--json"]).exits(2).json();
    assert_eq!(refused["error"]["code"], "BAD_INPUT", "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("has no home folder") && message.contains("--data-dir"),
        "what is missing, and the way out: {message}"
    );
    assert!(!computer.data_dir().exists(), "no other place is chosen");

    let named = computer.data_dir().display().to_string();
    homeless(&["items", "--data-dir", &named]).exits(0);
    assert!(computer.data_dir().exists(), "the way out is one");
}

/// A computer without certificates cannot reach a provider; what is stored needs none.
#[test]
fn a_computer_without_certificates_shows_its_lists_and_says_so_when_it_is_to_connect() {
    let mut harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &mut harbour.computer;
    let none = computer.folder.path().join("none").display().to_string();
    computer.set("SSL_CERT_FILE", &none);
    computer.set("SSL_CERT_DIR", &none);
    let listed = computer.run(&["items", "--json"]).exits(0).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(0), "{listed}");
    let connect = ["connect", "luma", "--key-stdin", "--json"];
    let refused = computer.run_with_input(&connect, &harbour.calendar.key).exits(1);
    assert_eq!(
        refused.json()["error"]["code"],
        "PROVIDER_UNREACHABLE",
        "{refused:?}"
    );
}
