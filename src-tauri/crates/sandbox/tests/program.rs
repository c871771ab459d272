//! The program: announces itself, serves, and ends when it should.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_talkvalue-sandbox"))
}

#[test]
fn serve_announces_itself_and_ends_with_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("announcement.json");
    let mut child = program()
        .args([
            "serve",
            "--demo",
            "--attendees",
            "60",
            "--guests",
            "70",
            "--unlimited",
            "--until-stdin-closes",
        ])
        .arg("--announce")
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        line,
        "the file says the same"
    );
    let announcement: Value = serde_json::from_str(&line).unwrap();
    let token = announcement["demo"]["eventbriteAccounts"][0]["privateToken"]
        .as_str()
        .unwrap();
    assert!(token.starts_with("CANARYEB"));
    assert_eq!(announcement["bulkAttendees"]["registrations"], 60);
    let app = &announcement["eventbriteOauthApp"];
    assert!(app["clientSecret"].as_str().unwrap().contains("CANARY"));
    assert!(!app["clientId"].as_str().unwrap().contains("CANARY"));
    assert_eq!(
        app["redirectUris"][0],
        "http://localhost:47831/oauth/eventbrite/callback"
    );
    let app = &announcement["lumaOauthApp"];
    assert!(app["clientId"].as_str().unwrap().starts_with("https://"));
    assert!(app["clientSecret"].is_null());
    for url in ["eventbriteOauthUrl", "lumaOauthUrl"] {
        assert!(
            announcement[url]
                .as_str()
                .unwrap()
                .starts_with("http://127.0.0.1:")
        );
    }
    let port: u16 = announcement["lumaApiUrl"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success(), "ends in good order");
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "and serves no longer"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn session_passes_its_environment_and_the_exit_code_through() {
    let script = "secret-tool lookup service none; test -n \"$DBUS_SESSION_BUS_ADDRESS\" && test -z \"$DISPLAY\" && exit 42";
    for state in [&[][..], &["--locked"], &["--absent"], &["--no-service"]] {
        let status = program()
            .arg("session")
            .args(state)
            .args(["--", "sh", "-c", script])
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(42), "with {state:?}");
    }
    let killed = program()
        .args(["session", "--absent", "--", "sh", "-c", "kill -TERM $$"])
        .status()
        .unwrap();
    assert_eq!(
        killed.code(),
        Some(128 + 15),
        "a signal is passed on as shells do"
    );
}
