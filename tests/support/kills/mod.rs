//! `tvsync` killed at random moments, again and again, over one data folder: after every kill the database is whole, what
//! was stored is still there, and the next process goes on where the last one died.

mod database;

use crate::tvsync::{Computer, text};
use database::Stored;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{
    AttendeeSpec, Door, EventSpec, Eventbrite, GuestSpec, Luma, PausePoint, ProviderRegistration, Sandbox,
};

const ROWS: usize = 240;
const ROWS_PER_PAGE: usize = 20;
/// How long one process may take to come as far as it is to be killed, or to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What many kills came to.
#[derive(Debug, Default)]
pub struct Figures {
    pub kills: u64,
    /// Processes that were done before their moment came.
    pub ended: u64,
    /// Rows that were readable just before a kill, and looked for after it.
    pub acknowledged: u64,
    /// Pages that had been stored and were asked for again, in all and after the worst kill.
    pub asked_again: u64,
    pub most_asked_again: u64,
    /// What must not be, kill by kill.
    pub defects: Vec<String>,
    pub time: Duration,
}

/// One process, and when it dies.
#[derive(Debug, Clone)]
struct Round {
    luma: bool,
    how: How,
    /// The request at which it is held, and how long after its answer it is killed.
    request: u64,
    micros: u64,
    changes: Vec<(u8, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The list is removed first, if it is there: everything is stored anew.
    Import,
    Sync,
    Watch,
}

fn rounds() -> impl Strategy<Value = Round> {
    let ways = vec![
        How::Import,
        How::Import,
        How::Sync,
        How::Sync,
        How::Sync,
        How::Watch,
        How::Watch,
    ];
    (
        any::<bool>(),
        select(ways),
        1..=15u64,
        0..=4_000u64,
        proptest::collection::vec((0..4u8, 0..10_000usize), 0..3),
    )
        .prop_map(|(luma, how, request, micros, changes)| Round {
            luma,
            how,
            request,
            micros,
            changes,
        })
}

/// One event at each provider, and one computer whose processes die.
struct Ground {
    sandbox: Sandbox,
    computer: Computer,
    events: [String; 2],
    integrations: [String; 2],
    items: [Option<String>; 2],
    registered: usize,
    figures: Figures,
}

/// Kills that many processes, then holds both lists against the providers'.
pub fn soak(seed: u64, kills: u64) -> Figures {
    let started = Instant::now();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut ground = Ground::open();
    while ground.figures.kills < kills && ground.figures.defects.len() < 5 {
        let round = rounds()
            .new_tree(&mut runner)
            .expect("every round can be drawn")
            .current();
        let number = ground.figures.kills + ground.figures.ended + 1;
        if let Err(wrong) = ground.plays(&round) {
            let defect = format!("seed {seed}, round {number}: {wrong}\n{round:?}");
            ground.figures.defects.push(defect);
        }
    }
    ground.ends();
    ground.computer.sweep();
    ground.figures.time = started.elapsed();
    ground.figures
}

impl Ground {
    fn open() -> Self {
        let sandbox = Sandbox::builder().seed(11).start_blocking().unwrap();
        let (eventbrite, luma) = (sandbox.eventbrite(), sandbox.luma());
        let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
        let organization = eventbrite.add_organization(&account, "Harbour Guild");
        let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
        eventbrite.add_attendees(&event, ROWS);
        eventbrite.unlimited();
        eventbrite.switches(|switches| switches.attendees_per_page = ROWS_PER_PAGE);
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let luma_event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
        luma.add_guests(&luma_event, ROWS);
        luma.unlimited();
        luma.switches(|switches| switches.page_cap = ROWS_PER_PAGE);
        let computer = Computer::with(&sandbox, KeychainState::Unlocked);
        let integrations = [
            computer.connect_eventbrite(&account.private_token),
            computer.connect_luma(&calendar.key),
        ];
        Self {
            sandbox,
            computer,
            events: [event, luma_event],
            integrations,
            items: [None, None],
            registered: 0,
            figures: Figures::default(),
        }
    }

    fn plays(&mut self, round: &Round) -> Result<(), String> {
        let which = usize::from(round.luma);
        for (kind, index) in &round.changes {
            self.changes(which, *kind, *index);
        }
        let arguments = self.begins(round.how, which);
        let before = self.look()?;
        self.door(0).clears_requests();
        self.door(1).clears_requests();
        let pause = self.door(which).pause_at(round.request);
        let mut process = self
            .computer
            .command(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let held = self.comes_to(&pause, &mut process, round.how, &before)?;
        pause.release();
        if held {
            // Nothing is waited for: the moment is part of the round.
            std::thread::sleep(Duration::from_micros(round.micros));
        }
        let acknowledged = self.look()?;
        let done = process.try_wait().unwrap().is_some();
        process.kill().unwrap();
        process.wait().unwrap();
        if done {
            self.figures.ended += 1;
        } else {
            self.figures.kills += 1;
        }
        self.figures.acknowledged += acknowledged.rows.len() as u64;
        let after = self.look()?;
        acknowledged.is_whole()?;
        after.is_whole()?;
        acknowledged.keeps(&before)?;
        after.keeps(&acknowledged)?;
        for (number, event) in self.events.iter().enumerate() {
            let progress = after.place(event).pages_since(&before.place(event));
            // The page that was under way was never stored.
            let again = self.pages_asked(number).saturating_sub(progress + 1);
            if again > 1 {
                return Err(format!(
                    "{again} stored pages were asked for again: {} requests for {progress} pages, {:?} to {:?}",
                    self.pages_asked(number),
                    before.place(event),
                    after.place(event)
                ));
            }
            self.figures.asked_again += again;
            self.figures.most_asked_again = self.figures.most_asked_again.max(again);
        }
        Ok(())
    }

    /// What the process of a round is called with. An import begins with nothing.
    fn begins(&mut self, how: How, which: usize) -> Vec<String> {
        self.items[which] = self.item_of(which);
        let item = self.items[which].clone();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match (how, item) {
            (How::Watch, _) => words(&["watch", "--json"]),
            (How::Sync, Some(item)) => words(&["sync", &item, "--json"]),
            (_, item) => {
                if let Some(item) = item {
                    self.computer.run(&["remove", &item]).exits(0);
                }
                let (integration, event) = (&self.integrations[which], &self.events[which]);
                words(&["import", integration, event, "--as", "badge-event", "--json"])
            }
        }
    }

    /// Waits until the process is held where it is to die (`true`), or has nothing more to do.
    fn comes_to(
        &self,
        pause: &PausePoint,
        process: &mut Child,
        how: How,
        before: &Stored,
    ) -> Result<bool, String> {
        let begun = Instant::now();
        while !pause.is_reached() {
            if process.try_wait().unwrap().is_some() {
                return Ok(false);
            }
            // A watch never ends; it has read what was due once its jobs have.
            if how == How::Watch && self.look()?.is_idle_since(before) {
                return Ok(false);
            }
            if begun.elapsed() > PATIENCE {
                return Err("the process neither ends nor asks".to_owned());
            }
            std::thread::yield_now();
        }
        Ok(true)
    }

    fn look(&self) -> Result<Stored, String> {
        Stored::read(&self.computer.data_dir(), ROWS_PER_PAGE)
            .map_err(|error| format!("the database: {error}"))
    }

    fn door(&self, which: usize) -> Doorway {
        if which == 0 {
            Doorway::Eventbrite(self.sandbox.eventbrite())
        } else {
            Doorway::Luma(self.sandbox.luma())
        }
    }

    /// Requests for pages of everything, as against those for what changed.
    fn pages_asked(&self, which: usize) -> u64 {
        let lists = self.door(which).requests().into_iter().filter(|request| {
            (request.path.ends_with("/attendees/") || request.path.ends_with("/guests/list"))
                && !request.query.contains("changed_since")
        });
        lists.count() as u64
    }

    fn item_of(&self, which: usize) -> Option<String> {
        let items = self.computer.run(&["items", "--json"]).exits(0).json();
        let items = items["items"].as_array().unwrap();
        let own = items
            .iter()
            .find(|item| item["externalId"] == self.events[which].as_str());
        own.map(|item| text(item, "id"))
    }

    fn truth(&self, which: usize) -> Vec<ProviderRegistration> {
        match self.door(which) {
            Doorway::Eventbrite(eventbrite) => eventbrite.attendees(&self.events[which]),
            Doorway::Luma(luma) => luma.guests(&self.events[which]),
        }
    }

    fn changes(&mut self, which: usize, kind: u8, index: usize) {
        let truth = self.truth(which);
        let (event, id) = (&self.events[which], &truth[index % truth.len()].id);
        self.registered += 1;
        let name = format!("Guest {}", self.registered);
        match (self.door(which), kind) {
            (Doorway::Eventbrite(eventbrite), 0) => {
                // Who registers in the very second in which a walk begins may be one it counted already: it is made again.
                let earlier = self.sandbox.clock().now() - SignedDuration::from_secs(2);
                eventbrite.add_attendee(event, AttendeeSpec::new(name).created(earlier));
            }
            (Doorway::Eventbrite(eventbrite), 1) => eventbrite.cancel_attendee(event, id),
            (Doorway::Eventbrite(eventbrite), 2) => {
                eventbrite.edit_attendee(event, id, |profile| profile.name = Some(name));
            }
            (Doorway::Eventbrite(eventbrite), _) => eventbrite.check_in(event, id),
            (Doorway::Luma(luma), 0) => {
                luma.add_guest(event, GuestSpec::new(name));
            }
            (Doorway::Luma(luma), 1) => luma.decline(event, id),
            (Doorway::Luma(luma), 2) => luma.edit_guest(event, id, |profile| profile.name = Some(name)),
            (Doorway::Luma(luma), _) => luma.check_in(event, id),
        }
    }

    /// Nobody is killed any more: one sync of each list, and it is the provider's.
    fn ends(&mut self) {
        for which in 0..2 {
            if let Err(wrong) = self.ends_exactly(which) {
                self.figures.defects.push(wrong);
            }
        }
    }

    fn ends_exactly(&self, which: usize) -> Result<(), String> {
        let event = &self.events[which];
        match self.item_of(which) {
            Some(item) => self.computer.run(&["sync", &item, "--json"]).exits(0),
            None => {
                let words = ["import", &self.integrations[which], event, "--as", "badge-event"];
                self.computer.run(&words).exits(0)
            }
        };
        let item = self.item_of(which).ok_or("the item is gone")?;
        let listed = self.computer.run(&["attendees", &item, "--json"]).exits(0).json();
        let ours: BTreeMap<String, Said> = listed["attendees"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let text = |member: &str| row[member].as_str().map(str::to_owned);
                let at = text("checkedInAt").map(|at| at.parse().unwrap());
                let said = (
                    text("name"),
                    text("email"),
                    text("status").unwrap_or_default(),
                    at,
                );
                (text("externalId").unwrap_or_default(), said)
            })
            .collect();
        let theirs: BTreeMap<String, Said> = self
            .truth(which)
            .into_iter()
            .map(|row| {
                let said = (
                    row.name,
                    row.email,
                    row.attending.as_str().to_owned(),
                    row.checked_in_at,
                );
                (row.id, said)
            })
            .collect();
        let differing: Vec<&String> = ours
            .keys()
            .chain(theirs.keys())
            .filter(|id| ours.get(*id) != theirs.get(*id))
            .collect();
        if differing.is_empty() {
            return Ok(());
        }
        Err(format!("in the end these of {event} differ: {differing:?}"))
    }
}

/// Name, e-mail, status, check-in.
type Said = (Option<String>, Option<String>, String, Option<Timestamp>);

enum Doorway {
    Eventbrite(Eventbrite),
    Luma(Luma),
}

impl std::ops::Deref for Doorway {
    type Target = Door;

    fn deref(&self) -> &Door {
        match self {
            Doorway::Eventbrite(eventbrite) => eventbrite,
            Doorway::Luma(luma) => luma,
        }
    }
}
