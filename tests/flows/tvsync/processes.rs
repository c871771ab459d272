//! Processes that die, and processes that meet.

use crate::watch::Watching;
use crate::world::{Harbour, ids};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{AttendeeSpec, GuestSpec, ProviderRegistration, Spoil};
use talkvalue_tests::tvsync::{block_on, text};

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

/// How often all of them meet.
const ROUNDS: usize = 3;

/// Two accounts whose lists several processes want at once.
struct Crowd {
    harbour: Harbour,
    /// The account and the event, at each provider.
    lists: [(String, String); 2],
}

impl Crowd {
    fn open() -> Self {
        let harbour = Harbour::open(KeychainState::Unlocked);
        let eventbrite = harbour
            .computer
            .connect_eventbrite(&harbour.account.private_token);
        let luma = harbour.computer.connect_luma(&harbour.calendar.key);
        let lists = [
            (eventbrite, harbour.event.clone()),
            (luma, harbour.luma_event.clone()),
        ];
        Self { harbour, lists }
    }

    fn truth(&self, list: usize) -> Vec<ProviderRegistration> {
        match list {
            0 => self.harbour.sandbox.eventbrite().attendees(&self.harbour.event),
            _ => self.harbour.sandbox.luma().guests(&self.harbour.luma_event),
        }
    }

    /// Something that the lists held here cannot know yet.
    fn changes(&self, round: usize) {
        let (eventbrite, luma) = (self.harbour.sandbox.eventbrite(), self.harbour.sandbox.luma());
        let (event, luma_event) = (&self.harbour.event, &self.harbour.luma_event);
        eventbrite.add_attendee(event, AttendeeSpec::new(format!("Noor {round}")));
        luma.add_guest(luma_event, GuestSpec::new(format!("Ines {round}")));
        eventbrite.cancel_attendee(event, &self.truth(0)[round].id);
        luma.decline(luma_event, &self.truth(1)[round].id);
        // It bears no time of change: only a read of everything finds it.
        eventbrite.spoils_attendee(event, &self.truth(0)[10 + round].id, Spoil::UnknownStatus);
    }

    /// Runs all of them at once while somebody looks on; each comes to a good end. Their answers, in order.
    fn run_at_once(
        &self,
        commands: &[Vec<&str>],
        seen: &[(String, BTreeSet<(String, String)>)],
    ) -> Vec<Value> {
        let computer = &self.harbour.computer;
        let running: Vec<_> = commands.iter().map(|words| computer.start(words)).collect();
        for (item, before) in seen {
            assert!(
                ids(computer, item).is_superset(before),
                "nobody is missing from a list that is being read"
            );
        }
        let ended = running.into_iter().zip(commands);
        ended
            .map(|(child, words)| {
                let run = computer.finish(child);
                assert_eq!(run.code, 0, "{words:?} ends well beside the others: {run:?}");
                run.json()
            })
            .collect()
    }

    /// Everybody who is at the provider stands in the Badge event as there, and nobody else.
    fn assert_exact(&self, list: usize, item: &str) {
        let listed = self.harbour.computer.run(&["attendees", item, "--json"]);
        let listed = listed.exits(0).json();
        let rows = listed["attendees"].as_array().unwrap();
        let ours: BTreeMap<String, (Value, Value)> = rows
            .iter()
            .map(|row| {
                (
                    text(row, "externalId"),
                    (row["name"].clone(), row["status"].clone()),
                )
            })
            .collect();
        let theirs = self.truth(list).into_iter();
        let theirs: BTreeMap<String, (Value, Value)> = theirs
            .map(|row| (row.id, (row.name.into(), row.attending.as_str().into())))
            .collect();
        assert_eq!(rows.len(), theirs.len(), "nobody stands there twice");
        assert_eq!(ours, theirs);
    }

    fn assert_whole(&self) {
        let file = self.harbour.computer.data_dir().join("talkvalue.sqlite3");
        let connection = rusqlite::Connection::open(file).unwrap();
        let open: i64 = connection
            .query_row("SELECT count(*) FROM job WHERE ended_at IS NULL", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(open, 0, "no job is left behind");
        let twice: i64 = connection
            .query_row(
                "SELECT count(*) - count(DISTINCT feed || ' ' || external_id) FROM registration",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(twice, 0, "every registration is stored once");
    }
}

fn import<'a>((account, event): &'a (String, String), kind: &'a str) -> Vec<&'a str> {
    vec!["import", account, event, "--as", kind, "--json"]
}

#[test]
fn several_imports_of_one_list_at_once_make_one_item_that_is_exact() {
    for _ in 0..ROUNDS {
        let crowd = Crowd::open();
        let mut commands = Vec::new();
        for list in &crowd.lists {
            for kind in ["badge-event", "badge-event", "path-event"] {
                commands.push(import(list, kind));
            }
        }
        let imported = crowd.run_at_once(&commands, &[]);
        for (list, answers) in imported.chunks(3).enumerate() {
            let [one, other, people] = [0, 1, 2].map(|place| text(&answers[place], "id"));
            assert_eq!(one, other, "two that import the same open the same item");
            crowd.assert_exact(list, &one);
            let distinct: BTreeSet<String> = crowd
                .truth(list)
                .iter()
                .map(|row| row.email_key().unwrap_or_else(|| row.id.clone()))
                .collect();
            assert_eq!(
                ids(&crowd.harbour.computer, &people).len(),
                distinct.len(),
                "and the people of the same list are complete"
            );
        }
        crowd.assert_whole();
    }
}

#[test]
fn several_pulls_and_imports_at_once_end_well_and_with_exact_lists() {
    pulls_meet(|_| None);
}

#[test]
fn several_pulls_and_imports_beside_a_watch_end_well_and_with_exact_lists() {
    pulls_meet(|crowd| {
        let mut watching = Watching::start(&crowd.harbour, &["watch", "--json"]);
        watching.until(|line| line["item"]["freshness"] == "LIVE");
        Some(watching)
    });
}

fn pulls_meet(beside: impl Fn(&Crowd) -> Option<Watching>) {
    let crowd = Crowd::open();
    let computer = &crowd.harbour.computer;
    let items = [0, 1].map(|list| {
        let imported = computer.run(&import(&crowd.lists[list], "badge-event"));
        text(&imported.exits(0).json(), "id")
    });
    let watching = beside(&crowd);
    for round in 0..ROUNDS {
        let seen: Vec<_> = items
            .iter()
            .map(|item| (item.clone(), ids(computer, item)))
            .collect();
        crowd.changes(round);
        let mut commands = vec![vec!["sync", "--all", "--json"]];
        for (list, item) in crowd.lists.iter().zip(&items) {
            commands.push(vec!["sync", item, "--json"]);
            commands.push(vec!["sync", item, "--json"]);
            commands.push(import(list, "path-event"));
        }
        crowd.run_at_once(&commands, &seen);
        for (list, item) in items.iter().enumerate() {
            crowd.assert_exact(list, item);
        }
    }
    if let Some(watching) = watching {
        assert_eq!(watching.interrupt(), 0, "the watch lives through all of it");
    }
    crowd.assert_whole();
    computer.sweep();
}
