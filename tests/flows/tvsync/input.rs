//! Bad input gets one clear sentence, the right exit code, and loses nothing.

use crate::world::Harbour;
use talkvalue_adapters::store::SCHEMA_VERSION;
use talkvalue_sandbox::AttendeeSpec;
use talkvalue_sandbox::keychain::KeychainState;

#[test]
fn every_kind_of_bad_input_is_answered_in_one_sentence() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
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
    let item = imported["id"].as_str().unwrap();
    let table: Vec<(Vec<&str>, i32)> = vec![
        (vec!["show", "item-unknown"], 4),
        (vec!["attendees", "item-unknown"], 4),
        (vec!["sync", "item-unknown"], 4),
        (vec!["retry", "item-unknown"], 4),
        (vec!["reconnect", "item-unknown"], 4),
        (vec!["keep", "item-unknown"], 4),
        (vec!["remove", "item-unknown"], 4),
        (vec!["verify", "int-unknown"], 4),
        (vec!["disconnect", "int-unknown"], 4),
        (vec!["candidates", "int-unknown"], 4),
        (vec!["import", "int-unknown", "990", "--as", "badge-event"], 4),
        (
            vec!["import", &integration, "990000000000", "--as", "badge-event"],
            4,
        ),
        (vec!["reconnect", item, "--with", "int-unknown"], 4),
        (vec!["reconnect", item], 2),
        (vec!["retry", item], 2),
        (
            vec!["import", &integration, "990000000000", "--as", "path-channel"],
            4,
        ),
        (vec!["import", &integration, &harbour.event, "--as", "poster"], 2),
        (vec!["import", &integration, &harbour.event], 2),
        (vec!["sync"], 2),
        (vec!["sync", item, "--all"], 2),
        (vec!["attendees", item, "--csv", "--json"], 2),
        (vec!["connect", "eventbrite"], 2),
        (vec!["connect", "eventbrite", "--key-stdin"], 2),
        (vec!["frobnicate"], 2),
        (vec!["items", "--wait", "soon"], 2),
    ];
    for (arguments, code) in table {
        let run = computer.run(&arguments).exits(code);
        assert!(
            run.stdout.is_empty() || arguments.contains(&"--json"),
            "{arguments:?} prints its answer, not its error, on stdout: {run:?}"
        );
        assert!(
            !(run.stderr.trim().is_empty() && run.stdout.is_empty()),
            "{arguments:?} says what is wrong"
        );
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        let mut with_json = arguments.clone();
        with_json.push("--json");
        if !arguments.contains(&"--json") {
            let error = computer.run(&with_json).exits(code).json();
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.len() > 10, "{with_json:?}: {error}");
        }
    }
    let after = computer.run(&["show", item, "--json"]).exits(0).json();
    assert_eq!(after["counts"], imported["counts"], "no mistake costs a row");
    assert_eq!(after["syncStatus"], "ACTIVE");
    assert_eq!(
        computer.run(&["items", "--json"]).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_empty_or_wordy_secret_is_not_sent_anywhere() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    for input in ["", "\n", "   ", "two words", "snowman☃"] {
        let refused = harbour
            .computer
            .run_with_input(&["connect", "eventbrite", "--token-stdin", "--json"], input)
            .exits(2)
            .json();
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("Private token"),
            "it says what to paste instead: {message}"
        );
    }
    let foreign = harbour
        .computer
        .run_with_input(
            &["connect", "eventbrite", "--token-stdin", "--json"],
            &harbour.calendar.key,
        )
        .exits(3)
        .json();
    assert_eq!(foreign["error"]["code"], "CREDENTIALS_REJECTED", "{foreign}");
    assert_eq!(harbour.sandbox.eventbrite().request_count(), 0);
}

#[test]
fn a_base_url_must_be_secure_or_loopback() {
    let mut harbour = Harbour::open(KeychainState::Unlocked);
    for bad in [
        "http://www.eventbriteapi.com/v3",
        "http://127.0.0.1.example.com",
        "nonsense",
        "https://a:b@c.example",
    ] {
        harbour.computer.set("TALKVALUE_EVENTBRITE_API_URL", bad);
        let run = harbour.computer.run(&["items"]).exits(2);
        assert!(run.stderr.contains("TALKVALUE_EVENTBRITE_API_URL"), "{run:?}");
        assert!(
            !run.stderr.contains("a:b"),
            "what may be a password is not repeated"
        );
    }
}

#[test]
fn a_credential_is_never_sent_to_another_server() {
    let mut harbour = Harbour::open(KeychainState::Unlocked);
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
    let item = imported["id"].as_str().unwrap();
    let other = talkvalue_sandbox::Sandbox::builder()
        .seed(5)
        .start_blocking()
        .unwrap();
    harbour
        .computer
        .set("TALKVALUE_EVENTBRITE_API_URL", &other.eventbrite().api_url());
    for acting in [
        vec!["sync", item],
        vec!["verify", &integration],
        vec!["candidates", &integration],
    ] {
        let run = harbour.computer.run(&acting).exits(2);
        assert!(run.stderr.contains("belongs to another server"), "{run:?}");
    }
    assert_eq!(
        other.eventbrite().request_count(),
        0,
        "not a single request may carry it there"
    );
    harbour.computer.run(&["show", item]).exits(0);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_used_is_named_and_left_alone() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let file = computer.folder.path().join("a-file");
    std::fs::write(&file, b"mine").unwrap();
    let run = computer
        .run(&["items", "--data-dir", file.to_str().unwrap()])
        .exits(1);
    assert!(run.stderr.contains(file.to_str().unwrap()), "{run:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");

    let nowhere = "/proc/no-such-place/data";
    let run = computer.run(&["items", "--data-dir", nowhere]).exits(1);
    assert!(
        run.stderr.contains(nowhere),
        "no other place is chosen silently: {run:?}"
    );

    computer.run(&["items"]).exits(0);
    let data = computer.data_dir().join("talkvalue.sqlite3");
    let connection = rusqlite::Connection::open(&data).unwrap();
    connection
        .pragma_update(None, "user_version", i64::try_from(SCHEMA_VERSION + 1).unwrap())
        .unwrap();
    drop(connection);
    let before = std::fs::read(&data).unwrap();
    let run = computer.run(&["items", "--json"]).exits(1).json();
    assert_eq!(run["error"]["code"], "STORAGE_FAILED");
    assert!(
        run["error"]["message"].as_str().unwrap().contains("newer"),
        "{run}"
    );
    assert_eq!(
        std::fs::read(&data).unwrap(),
        before,
        "a newer file is left untouched"
    );
}

#[test]
fn no_cell_of_an_export_becomes_a_formula() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let eventbrite = harbour.sandbox.eventbrite();
    let hostile = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "=cmd|' /C calc'!A0",
        "＝1+1",
        "＠x",
    ];
    for name in hostile {
        let spec = AttendeeSpec::new(name)
            .email("x@example.net")
            .company(name)
            .ticket(name)
            .order_id(name);
        eventbrite.add_attendee(&harbour.event, spec);
    }
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
    let csv = harbour
        .computer
        .run(&["attendees", imported["id"].as_str().unwrap(), "--csv"])
        .exits(0)
        .stdout;
    let mut seen = 0;
    for cell in cells(&csv) {
        let first = cell.chars().next();
        let formula = first.is_some_and(|first| "=+-@\t\r＝＋－＠".contains(first));
        assert!(!formula, "a spreadsheet would run {cell:?}");
        seen += usize::from(cell.starts_with('\''));
    }
    assert!(
        seen >= hostile.len() * 3,
        "the hostile cells are in the export, defused: {seen}"
    );
}

/// The cells of a CSV text: quoted ones may hold commas, quotes and line breaks.
fn cells(csv: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = csv.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}
