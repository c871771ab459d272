//! Signing in from the command line: a scripted browser opens the page that `tvsync` names, and a listener of ours takes
//! the provider's answer.

use crate::world::Harbour;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Oauth};
use talkvalue_tests::loopback::{OWN, free_port, is_closed};
use talkvalue_tests::sweep::CANARY;
use talkvalue_tests::tvsync::{block_on, text};

/// A harbour whose account and calendar have approved, at whatever port.
fn harbour() -> Harbour {
    let harbour = Harbour::open(KeychainState::Unlocked);
    for (oauth, account) in [
        (eventbrite(&harbour), &harbour.account.id),
        (luma(&harbour), &harbour.calendar.id),
    ] {
        oauth.approves_as(account);
        oauth.switches(|switches| switches.any_redirect_port = true);
    }
    harbour
}

fn eventbrite(harbour: &Harbour) -> Oauth {
    harbour.sandbox.eventbrite().oauth()
}

fn luma(harbour: &Harbour) -> Oauth {
    harbour.sandbox.luma().oauth()
}

/// `connect eventbrite --oauth …` with the registered app at `port`.
fn eventbrite_line<'a>(client_id: &'a str, port: &'a str) -> Vec<&'a str> {
    vec![
        "connect",
        "eventbrite",
        "--oauth",
        "--client-id",
        client_id,
        "--client-secret-stdin",
        "--redirect-port",
        port,
        "--no-browser",
    ]
}

fn luma_line<'a>(client_id: &'a str, port: &'a str) -> Vec<&'a str> {
    vec![
        "connect",
        "luma",
        "--oauth",
        "--client-id",
        client_id,
        "--redirect-port",
        port,
        "--no-browser",
        "--json",
    ]
}

fn signs_in_at_luma(harbour: &Harbour) -> Value {
    let (app, port) = (luma(harbour).app(), free_port().to_string());
    let run = harbour.computer.signed_in(&luma_line(&app.client_id, &port), "");
    run.exits(0).json()
}

/// Every run of these tests is swept, for what the client made as well.
#[test]
#[should_panic(expected = "credentials belong into the keychain only")]
fn a_verifier_left_in_a_folder_fails_any_test_here() {
    let harbour = harbour();
    signs_in_at_luma(&harbour);
    let secrets = luma(&harbour).secrets();
    let verifier = secrets.iter().find(|secret| !secret.contains(CANARY));
    fs::write(harbour.computer.data_dir().join("left"), verifier.unwrap()).unwrap();
    harbour.computer.run(&["items"]);
}

#[test]
fn eventbrite_is_connected_through_an_app_that_is_remembered() {
    let harbour = harbour();
    let (computer, oauth) = (&harbour.computer, eventbrite(&harbour));
    let (app, port) = (oauth.app(), free_port());
    let (secret, port_text) = (app.client_secret.unwrap(), port.to_string());
    let mut line = eventbrite_line(&app.client_id, &port_text);
    line.extend(["--json", "-vvv"]);
    let signing_in = computer.signs_in(&line, &format!("{secret}\n"));
    let callback = format!("redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Foauth%2Feventbrite%2Fcallback");
    assert!(signing_in.address().starts_with(&oauth.url()));
    assert!(
        signing_in.address().contains(&callback),
        "{}",
        signing_in.address()
    );
    assert!(signing_in.address().contains("code_challenge_method=S256"));
    signing_in.browses();
    let first = signing_in.ends(computer).exits(0);
    assert!(block_on(is_closed(port)), "the port is closed after the end");
    let told = first
        .stderr
        .lines()
        .filter(|line| line.starts_with("Open: "))
        .count();
    assert_eq!(told, 1, "one line names the page");
    let integration = first.json();
    assert_eq!(integration["signIn"], "OAUTH");
    assert_eq!(integration["status"], "CONNECTED");
    assert_eq!(integration["accountEmail"], "events@harbour.example");
    assert_eq!(integration["expiresAt"], Value::Null, "Eventbrite tells no end");

    let again = computer
        .signed_in(
            &[
                "connect",
                "eventbrite",
                "--oauth",
                "--no-browser",
                "--json",
                "-vvv",
            ],
            "",
        )
        .exits(0);
    assert!(
        again.stderr.contains(&callback),
        "the app is remembered with its port: {}",
        again.stderr
    );
    assert_eq!(
        again.json()["id"],
        integration["id"],
        "the same account under the same id"
    );

    let id = text(&integration, "id");
    let import = [
        "import",
        &id,
        &harbour.event,
        "--as",
        "badge-event",
        "--json",
        "-vvv",
    ];
    let imported = computer.run(&import).exits(0);
    assert_eq!(imported.json()["counts"]["total"], 120);
    computer.run(&["verify", &id, "-vvv"]).exits(0);
}

#[test]
fn luma_is_connected_by_signing_in_and_disconnecting_ends_it_there_too() {
    let harbour = harbour();
    let (computer, oauth) = (&harbour.computer, luma(&harbour));
    let (app, port) = (oauth.app(), free_port().to_string());
    let mut line = luma_line(&app.client_id, &port);
    line.push("-vvv");
    let first = computer.signed_in(&line, "").exits(0);
    let integration = first.json();
    for (member, expected) in [("provider", "LUMA"), ("signIn", "OAUTH"), ("status", "CONNECTED")] {
        assert_eq!(integration[member], expected);
    }
    let until: jiff::Timestamp = text(&integration, "expiresAt").parse().unwrap();
    assert!(until > text(&integration, "connectedAt").parse().unwrap());
    let id = text(&integration, "id");
    let imported = computer
        .run(&[
            "import",
            &id,
            &harbour.luma_event,
            "--as",
            "badge-event",
            "--json",
        ])
        .exits(0);
    assert_eq!(imported.json()["counts"]["total"], 150);
    // Everything has lapsed at once: one renewal, and the list is read.
    oauth.expires_access_tokens();
    computer.run(&["sync", "--all", "--json", "-vvv"]).exits(0);
    assert_eq!(oauth.tally().refreshes, 1);
    let gone = computer.run(&["disconnect", &id, "--json", "-vvv"]).exits(0);
    assert_eq!(gone.json()["status"], "DISCONNECTED");
    assert_eq!(oauth.tally().revocations, 1, "told to Luma once");
    assert!(
        gone.stderr.contains("note: Luma has withdrawn the sign-in."),
        "{}",
        gone.stderr
    );
    assert!(oauth.grants()[0].revoked);
}

#[test]
fn a_sign_in_is_not_renewed_while_the_keychain_is_locked() {
    let harbour = harbour();
    let (computer, oauth) = (&harbour.computer, luma(&harbour));
    let id = text(&signs_in_at_luma(&harbour), "id");
    let import = [
        "import",
        &id,
        &harbour.luma_event,
        "--as",
        "badge-event",
        "--json",
    ];
    let item = text(&computer.run(&import).exits(0).json(), "id");
    let renewed = oauth.refresh_requests();
    // Everything has lapsed at once: a renewal is due before anything else.
    oauth.expires_access_tokens();
    computer.keychain.restart_locked().unwrap();
    for line in [
        ["sync", item.as_str(), "--json"],
        ["verify", id.as_str(), "--json"],
    ] {
        let refused = computer.run(&line).exits(6).json();
        assert_eq!(refused["error"]["code"], "VAULT_LOCKED", "{line:?}: {refused}");
    }
    computer.run(&["sync", "--all"]).exits(6);
    assert_eq!(
        oauth.refresh_requests(),
        renewed,
        "its successor could not be kept"
    );
    let shown = computer.run(&["show", &item, "--json"]).exits(0).json();
    assert_eq!(shown["syncStatus"], "ACTIVE", "no false alarm: {shown}");
    computer.keychain.restart().unwrap();
    computer.run(&["sync", &item]).exits(0);
    assert_eq!(oauth.refresh_requests(), renewed + 1, "now it can");
    assert_eq!(oauth.tally().family_revocations, 0);
}

#[test]
fn an_app_that_is_refused_is_told_with_the_way_on() {
    let harbour = harbour();
    let computer = &harbour.computer;
    let (app, port) = (eventbrite(&harbour).app(), free_port().to_string());
    let line = eventbrite_line(&app.client_id, &port);
    let refused = computer.signed_in(&line, "WRONGSECRET").exits(3);
    assert!(refused.stderr.contains("refuses your app"), "{}", refused.stderr);
    let hint = refused.stderr.lines().find(|line| line.starts_with("hint: "));
    assert!(
        hint.is_some_and(|hint| hint.contains("--client-secret-stdin")),
        "{}",
        refused.stderr
    );
    let mut as_json = line.clone();
    as_json.push("--json");
    let refused = computer.signed_in(&as_json, "WRONGSECRET").exits(3).json();
    assert_eq!(refused["error"]["code"], "APP_REJECTED");
    assert_eq!(refused["error"]["recovery"], "CHECK_APP_SETTINGS");
    let alone = computer
        .run(&["connect", "eventbrite", "--oauth", "--no-browser", "--json"])
        .exits(2)
        .json();
    let message = text(&alone["error"], "message");
    assert!(
        message.contains("No app is remembered") && message.contains("--client-secret-stdin"),
        "a refused app is not remembered: {message}"
    );
    let none = computer.run(&["integrations", "--json"]).exits(0).json();
    assert_eq!(none["integrations"].as_array().unwrap().len(), 0);
}

#[test]
fn declining_and_never_answering_end_in_time_and_close_the_port() {
    let harbour = harbour();
    let (computer, oauth) = (&harbour.computer, luma(&harbour));
    let (app, port) = (oauth.app(), free_port());
    let port_text = port.to_string();
    let line = luma_line(&app.client_id, &port_text);
    oauth.refuses();
    let declined = computer.signed_in(&line, "").exits(2).json();
    assert!(text(&declined["error"], "message").contains("You declined"));
    assert!(block_on(is_closed(port)));

    let mut bounded = line.clone();
    bounded.extend(["--wait", "1"]);
    let waited = computer.signs_in(&bounded, "").ends(computer).exits(1).json();
    assert_eq!(waited["error"]["code"], "WAITING");
    assert!(text(&waited["error"], "message").contains("Nothing was changed"));
    assert!(block_on(is_closed(port)));

    let interrupted = computer.signs_in(&line, "");
    let id = interrupted.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    interrupted.ends(computer).exits(130);
    assert!(block_on(is_closed(port)));
    assert_eq!(oauth.token_requests(), 0, "nothing was redeemed");
}

#[test]
fn a_port_of_somebody_else_ends_it_before_anything_is_sent_or_opened() {
    let mut harbour = harbour();
    let browser = Browser::first_in_path(&mut harbour);
    let (oauth, port) = (luma(&harbour), free_port());
    let (app, port_text) = (oauth.app(), port.to_string());
    for own in OWN {
        let _theirs = TcpListener::bind((own, port)).unwrap();
        let mut line = luma_line(&app.client_id, &port_text);
        line.retain(|word| *word != "--no-browser");
        let refused = harbour.computer.run(&line).exits(2);
        let message = text(&refused.json()["error"], "message");
        assert!(
            message.contains(&format!("Port {port}"))
                && message.contains(&format!("http://localhost:{port}/oauth/luma/callback")),
            "{message}"
        );
        assert!(!refused.stderr.contains("Open: "));
    }
    // Whoever else has the usual port by chance serves as well.
    let _usual = TcpListener::bind((OWN[0], 47_832));
    let line = [
        "connect",
        "luma",
        "--oauth",
        "--client-id",
        &app.client_id,
        "--json",
    ];
    let refused = harbour.computer.run(&line).exits(2).json();
    assert!(text(&refused["error"], "message").contains("Port 47832"));
    assert_eq!(oauth.request_count(), 0, "nobody was asked anything");
    assert!(!browser.was_started(), "no browser was opened");
}

/// A stand-in for the person's browser, by the name that desktops start it with.
struct Browser {
    folder: PathBuf,
}

impl Browser {
    /// The only program that `tvsync` finds.
    fn first_in_path(harbour: &mut Harbour) -> Self {
        let folder = harbour.computer.folder.path().join("programs");
        fs::create_dir(&folder).unwrap();
        let script = folder.join("xdg-open");
        // Whole at once, under its last name.
        let body = format!(
            "#!/bin/sh\nprintf '%s' \"$1\" > {0}/part && /bin/mv {0}/part {0}/opened\n",
            folder.display()
        );
        fs::write(&script, body).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        harbour.computer.set("PATH", folder.to_str().unwrap());
        Self { folder }
    }

    fn was_started(&self) -> bool {
        self.folder.join("opened").exists()
    }
}

#[test]
fn the_browser_gets_the_address_unless_it_is_not_wanted() {
    let mut harbour = harbour();
    let browser = Browser::first_in_path(&mut harbour);
    let (app, port) = (luma(&harbour).app(), free_port().to_string());
    let line = luma_line(&app.client_id, &port);
    harbour.computer.signed_in(&line, "").exits(0);
    assert!(!browser.was_started(), "--no-browser starts none");

    let with_browser: Vec<&str> = line
        .iter()
        .copied()
        .filter(|word| *word != "--no-browser")
        .collect();
    let mut signing_in = harbour.computer.signs_in(&with_browser, "");
    while !browser.was_started() {
        assert_eq!(
            signing_in.child.try_wait().unwrap(),
            None,
            "it waits for its answer"
        );
    }
    let opened = fs::read_to_string(browser.folder.join("opened")).unwrap();
    assert_eq!(
        opened,
        signing_in.address(),
        "the browser shows what the line names"
    );
    signing_in.browses();
    signing_in.ends(&harbour.computer).exits(0);

    fs::remove_file(browser.folder.join("xdg-open")).unwrap();
    let mut by_hand = harbour.computer.signs_in(&with_browser, "");
    by_hand.tells("note: No browser could be started");
    by_hand.browses();
    by_hand.ends(&harbour.computer).exits(0);
}

/// Six events of a calendar, imported in another order than that of their start, which is the order of the answer.
fn six_lists(harbour: &Harbour, calendar: &str, integration: &str) -> Vec<(String, String)> {
    let luma = harbour.sandbox.luma();
    let now = luma.clock().now();
    let mut lists = Vec::new();
    for days in [4, 2, 6, 1, 5, 3] {
        let start = now
            .checked_add(jiff::SignedDuration::from_hours(24 * days))
            .unwrap();
        let spec = EventSpec::new(format!("Evening {days}")).starts_at(start);
        let event = luma.add_event(calendar, spec);
        luma.add_guests(&event, 5);
        let import = ["import", integration, &event, "--as", "badge-event", "--json"];
        let item = harbour.computer.run(&import).exits(0).json();
        lists.push((days, event, text(&item, "id")));
    }
    lists.sort();
    lists.into_iter().map(|(_, event, item)| (event, item)).collect()
}

#[test]
fn one_sign_in_repairs_all_that_its_account_sees_and_no_more() {
    let harbour = harbour();
    let (computer, oauth) = (&harbour.computer, luma(&harbour));
    let other = harbour
        .sandbox
        .luma()
        .add_calendar("Dock Hall", "Kim Dock", "kim@dockhall.example");
    let calendars = [harbour.calendar.id.clone(), other.id];
    let mut accounts = Vec::new();
    for calendar in &calendars {
        oauth.approves_as(calendar);
        let integration = text(&signs_in_at_luma(&harbour), "id");
        let lists = six_lists(&harbour, calendar, &integration);
        accounts.push((integration, lists));
    }
    oauth.revokes_all();
    let refused = computer.run(&["sync", "--all", "--json"]).exits(3).json();
    assert!(
        refused["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["syncStatus"] == "DISCONNECTED")
    );
    let (first, _) = &accounts[0];
    computer.run(&["reconnect", "--all", "--with", first]).exits(3);

    let status = |item: &str| {
        text(
            &computer.run(&["show", item, "--json"]).exits(0).json(),
            "syncStatus",
        )
    };
    let asked = oauth.tally().codes_issued;
    for (round, (calendar, (integration, lists))) in calendars.iter().zip(&accounts).enumerate() {
        oauth.approves_as(calendar);
        assert_eq!(text(&signs_in_at_luma(&harbour), "id"), *integration);
        harbour.sandbox.luma().clears_requests();
        let repaired = computer
            .run(&["reconnect", "--all", "--with", integration, "--json"])
            .exits(0)
            .json();
        let mut named: Vec<String> = repaired["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| text(item, "id"))
            .collect();
        let mut meant: Vec<String> = lists.iter().map(|(_, item)| item.clone()).collect();
        named.sort();
        meant.sort();
        assert_eq!(named, meant, "its own six, and none that it cannot see");
        for (_, item) in lists {
            assert_eq!(status(item), "ACTIVE");
        }
        let journal = harbour.sandbox.luma().requests();
        let first_met = |event: &String| {
            journal
                .iter()
                .position(|one| one.path.contains("guests") && one.query.contains(event.as_str()))
        };
        let met: Vec<Option<usize>> = lists.iter().map(|(event, _)| first_met(event)).collect();
        assert!(met.iter().all(Option::is_some), "each list was read: {met:?}");
        assert!(met.is_sorted(), "what starts first is live first: {met:?}");
        for (other, lists) in &accounts[round + 1..] {
            for (_, item) in lists {
                let shown = computer.run(&["show", item, "--json"]).exits(0).json();
                assert_eq!(shown["integrationId"], **other, "nothing is switched silently");
                assert_eq!(shown["syncStatus"], "DISCONNECTED");
                assert_eq!(
                    shown["failure"]["code"], "CREDENTIALS_REJECTED",
                    "and nothing failed"
                );
            }
        }
    }
    assert_eq!(
        oauth.tally().codes_issued - asked,
        2,
        "twelve lists of two accounts took two sign-ins"
    );
}
