//! `tvsync watch`: lists become live by themselves, and every change is one line.

use crate::world::{Harbour, ids};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use talkvalue_sandbox::AttendeeSpec;
use talkvalue_sandbox::keychain::KeychainState;

/// A watch that runs; what it prints is read line by line.
pub(crate) struct Watching {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watching {
    pub(crate) fn start(harbour: &Harbour, arguments: &[&str]) -> Self {
        let mut child = harbour.computer.start(arguments);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Nobody looks at the log, but a full pipe would stop the watch.
        let mut stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("the watch goes on").unwrap()
    }

    /// Reads on to the line that is wanted.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line: Value = serde_json::from_str(&self.line()).unwrap();
            assert!(line["at"].is_string() && line["type"].is_string(), "{line}");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Ends it as Ctrl-C does; its exit code.
    pub(crate) fn interrupt(mut self) -> i32 {
        let told = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

#[test]
fn a_watch_finds_what_changed_while_nobody_looked_and_ends_in_peace() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    computer
        .run(&["import", &integration, &harbour.event, "--as", "badge-event"])
        .exits(0);
    let eventbrite = harbour.sandbox.eventbrite();
    eventbrite.add_attendee(&harbour.event, AttendeeSpec::new("Noor Haddad"));

    let mut watching = Watching::start(&harbour, &["watch", "--json"]);
    let first = watching.until(|line| line["type"] == "ITEM");
    assert_eq!(
        (&first["item"]["syncStatus"], &first["item"]["freshness"]),
        (&"ACTIVE".into(), &"CHECKING".into()),
        "not green before it was looked at: {first}"
    );
    let live = watching.until(|line| line["item"]["freshness"] == "LIVE");
    assert_eq!(
        live["item"]["counts"]["total"], 121,
        "the new one is there: {live}"
    );

    eventbrite.revokes_tokens();
    let id = live["item"]["id"].as_str().unwrap().to_owned();
    let other = computer.run(&["sync", &id, "--json"]);
    assert_eq!(
        other.code, 3,
        "a command comes between the reads of a watch: {other:?}"
    );
    assert_eq!(watching.interrupt(), 0, "being interrupted is its ordinary end");
    assert_eq!(ids(computer, &id).len(), 121, "nobody is lost");
    let shown = computer.run(&["show", &id, "--json"]).exits(0).json();
    assert_eq!(
        shown["activeJob"],
        Value::Null,
        "nothing is left running: {shown}"
    );
}

#[test]
fn a_watch_goes_on_with_an_import_that_a_kill_cut_off() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_luma(&harbour.calendar.key);
    let pause = harbour.sandbox.luma().pause_at(3);
    let mut import = computer.start(&["import", &integration, &harbour.luma_event, "--as", "badge-event"]);
    while !pause.is_reached() {
        assert_eq!(import.try_wait().unwrap(), None, "the import runs");
    }
    import.kill().unwrap();
    import.wait().unwrap();
    pause.release();

    let mut watching = Watching::start(&harbour, &["watch", "--json"]);
    let done = watching.until(|line| line["item"]["freshness"] == "LIVE");
    assert_eq!(done["item"]["syncStatus"], "ACTIVE");
    assert_eq!(done["item"]["counts"]["total"], 150);
    assert_eq!(watching.interrupt(), 0);

    let mut watching = Watching::start(&harbour, &["watch"]);
    let line = watching.line();
    assert!(
        line.contains("Spring Repair Cafe") && line.contains("Checking"),
        "for people it is one plain line: {line}"
    );
    assert_eq!(watching.interrupt(), 0);
}

#[test]
fn a_crash_leaves_no_picture_of_the_memory() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let mut watching = Watching::start(&harbour, &["watch", "--json"]);
    let file = format!("/proc/{}/limits", watching.child.id());
    let keeps_none = || {
        let limits = std::fs::read_to_string(&file).unwrap();
        let cores = limits.lines().find(|line| line.starts_with("Max core file size"));
        cores.is_some_and(|line| line.split_whitespace().filter(|word| *word == "0").count() == 2)
    };
    while !keeps_none() {
        assert_eq!(
            watching.child.try_wait().unwrap(),
            None,
            "secrets stand in the memory, so none of it may be written on a crash"
        );
    }
    watching.child.kill().unwrap();
    watching.child.wait().unwrap();
}
