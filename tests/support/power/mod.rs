//! Power cuts: the processes of a story are recorded as they write, then the power is cut at any moment of it, and what
//! a disk may hold after that is opened as a start of the app opens it. It must open as it is, without being called
//! damaged, and hold what stood after one of the transactions: none that was synced is missing, and none is there in
//! part. `disk` owns what a disk may do, `recording` what was asked of it, `acts` who asked.

mod acts;
mod disk;
mod recording;
mod start;

use acts::{Act, steps};
use disk::{Disk, Draw, Image, Operation};
use recording::Recording;
use start::Found;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::Command;
use std::time::{Duration, Instant};

pub use acts::plays_if_asked;

const DATA_FILE: &str = "talkvalue.sqlite3";
const LOG: &str = "talkvalue.sqlite3-wal";
const SEAL: &str = "talkvalue.seal";
/// After so many bad images one knows enough.
const ENOUGH: usize = 5;

/// What many power cuts came to.
#[derive(Debug, Default)]
pub struct Figures {
    /// Changes and syncs that the processes asked the disk for, and transactions in them.
    pub operations: usize,
    pub transactions: usize,
    pub cuts: u64,
    /// Disks on which something was missing that had been written.
    pub losses: u64,
    /// Disks with a seal on, and with a log that was not folded into the file.
    pub sealed: u64,
    pub with_log: u64,
    /// Disks that held less than the process had committed.
    pub earlier: u64,
    /// What must not be, disk by disk.
    pub defects: Vec<String>,
    pub time: Duration,
}

/// Processes over one folder, and what is to be found there at any time.
struct Story {
    name: &'static str,
    acts: &'static [Act],
    /// Whether a later version opens the disks.
    updated: bool,
    /// In a hundred cuts.
    share: u64,
}

const STORIES: [Story; 3] = [
    Story {
        name: "an app's life",
        acts: &[
            Act::Begins,
            Act::GoesOn,
            Act::Reads,
            Act::Settles,
            Act::Connects,
            Act::Changes,
            Act::Reads,
            Act::Removes,
            Act::Changes,
        ],
        updated: false,
        share: 70,
    },
    Story {
        name: "an update",
        acts: &[Act::Begins, Act::Settles, Act::Updates],
        updated: true,
        share: 15,
    },
    Story {
        name: "a damaged file",
        acts: &[Act::Begins, Act::Changes, Act::Mends],
        updated: false,
        share: 15,
    },
];

/// Whether this computer can record what a process writes.
pub fn is_possible() -> bool {
    recording::is_possible()
}

/// Records the stories, played by `program` (which calls [`plays_if_asked`]), and cuts the power so many times.
pub fn soak(seed: u64, cuts: u64, program: impl Fn() -> Command) -> Figures {
    let started = Instant::now();
    let mut figures = Figures::default();
    for story in &STORIES {
        let share = (cuts * story.share).div_ceil(100);
        if let Err(wrong) = story.is_cut(seed, share, &program, &mut figures) {
            figures.defects.push(format!("{}: {wrong}", story.name));
        }
    }
    figures.time = started.elapsed();
    figures
}

/// What was recorded, and how many transactions were committed and synced after each operation.
struct Recorded {
    operations: Vec<Operation>,
    committed: Vec<usize>,
    synced: Vec<usize>,
    /// Each act with the number of operations at its end.
    ends: Vec<(Act, usize)>,
    damage: Option<Damage>,
}

/// A file that went bad, as it is to be found again, and when.
struct Damage {
    bytes: Vec<u8>,
    /// The damage is on its way to the disk.
    begins: usize,
    /// It is there.
    is_there: usize,
    /// A new file is in its place for good.
    is_mended: usize,
}

impl Story {
    fn is_cut(
        &self,
        seed: u64,
        cuts: u64,
        program: &impl Fn() -> Command,
        figures: &mut Figures,
    ) -> Result<(), String> {
        let recorded = self.is_recorded(program)?;
        let states = self.states(&recorded)?;
        figures.operations += recorded.operations.len();
        figures.transactions += states.len() - 1;
        let sorts = recorded.sorts();
        let mut moments: Vec<(usize, u64)> = (0..cuts)
            .map(|cut| (recorded.moment(&sorts, &mut Draw::of(!seed, cut)), cut))
            .collect();
        moments.sort_unstable();
        let mut disk = Disk::default();
        let mut performed = 0;
        for (moment, cut) in moments {
            for operation in &recorded.operations[performed..=moment] {
                disk.performs(operation);
            }
            performed = moment + 1;
            let image = disk.after_a_cut(&mut Draw::of(seed, cut));
            figures.cuts += 1;
            figures.losses += u64::from(image != disk.as_seen());
            figures.sealed += u64::from(image.contains_key(SEAL));
            figures.with_log += u64::from(image.get(LOG).is_some_and(|log| !log.is_empty()));
            match self.starts_on(&image, &recorded, moment, &states) {
                Ok(is_earlier) => figures.earlier += u64::from(is_earlier),
                Err(wrong) => figures.defects.push(format!(
                    "{}, seed {seed}, cut {cut}, after operation {moment} ({}): {wrong}\nThe disk is kept in {}; \
                     before the cut:\n{}",
                    self.name,
                    recorded.act_at(moment),
                    start::kept(&image).display(),
                    recorded.before(moment)
                )),
            }
            if figures.defects.len() >= ENOUGH {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Plays the acts, and holds the disk that they make against the folder that they leave.
    fn is_recorded(&self, program: &impl Fn() -> Command) -> Result<Recorded, String> {
        let folder = start::scratch();
        let mut recording = Recording::of(folder.path());
        let mut disk = Disk::default();
        let mut ends = Vec::new();
        for act in self.acts {
            let begun = recording.operations.len();
            let process = act.over(recording.folder(), program());
            recording
                .watches(&process)
                .map_err(|wrong| format!("{act:?}: {wrong}"))?;
            for operation in &recording.operations[begun..] {
                disk.performs(operation);
            }
            let differing = recording.differs_from(&disk.as_seen());
            if !differing.is_empty() {
                return Err(format!(
                    "the record of {act:?} is not what it did to {differing:?}"
                ));
            }
            ends.push((*act, recording.operations.len()));
        }
        let recorded = Recorded::of(recording.operations, ends);
        for (act, end) in &recorded.ends {
            let (committed, synced) = (recorded.committed[end - 1], recorded.synced[end - 1]);
            if act.ends_synced() && committed != synced {
                return Err(format!(
                    "{act:?} is over, and a power cut could still take back {} of its transactions",
                    committed - synced
                ));
            }
        }
        Ok(recorded)
    }

    /// What a start finds after a kill before the first transaction, and after each of them.
    fn states(&self, recorded: &Recorded) -> Result<Vec<Found>, String> {
        let mut disk = Disk::default();
        let mut states = vec![self.starts_after_kill(&disk)?];
        for (operation, committed) in recorded.operations.iter().zip(&recorded.committed) {
            disk.performs(operation);
            if *committed == states.len() {
                states.push(self.starts_after_kill(&disk)?);
            }
        }
        Ok(states)
    }

    fn starts_after_kill(&self, disk: &Disk) -> Result<Found, String> {
        let folder = start::scratch();
        start::lay_down(&disk.as_seen(), folder.path());
        start::looks(folder.path(), &steps(self.updated)).map_err(|wrong| format!("after a kill: {wrong}"))
    }

    /// Whether the start finds less than had been committed.
    fn starts_on(
        &self,
        image: &Image,
        recorded: &Recorded,
        moment: usize,
        states: &[Found],
    ) -> Result<bool, String> {
        let folder = start::scratch();
        start::lay_down(image, folder.path());
        let found = start::starts(folder.path(), &steps(self.updated))?;
        let (committed, synced) = (recorded.committed[moment], recorded.synced[moment]);
        let damage = recorded.damage.as_ref().filter(|damage| moment >= damage.begins);
        if let Some(damage) = damage {
            if moment >= damage.is_there && !found.aside.contains(&damage.bytes) {
                return Err("the damaged file is lost".to_owned());
            }
            // A start that mends makes a file that no recorded process made: its times are its own.
            if moment < damage.is_mended && found.told.is_some() {
                let whole = found.lists == states[synced].lists && found.people.is_empty();
                return if whole {
                    Ok(false)
                } else {
                    Err("the mended file has other lists, or people that nobody has read".to_owned())
                };
            }
        }
        if let Some(told) = found.told {
            return Err(format!("a good file is called damaged: {told}"));
        }
        if states[synced..=committed]
            .iter()
            .any(|state| state.digest == found.digest)
        {
            return Ok(states[committed].digest != found.digest);
        }
        let place = states.iter().position(|state| state.digest == found.digest);
        Err(match place {
            Some(place) => {
                format!("{synced} transactions were synced, {committed} committed, and {place} are there")
            }
            None => "it holds what no transaction ever made".to_owned(),
        })
    }
}

impl Damage {
    fn of(operations: &[Operation], ends: &[(Act, usize)]) -> Option<Self> {
        let act = ends.iter().position(|(act, _)| *act == Act::Mends)?;
        let begins = ends[act.checked_sub(1)?].1;
        let first = |from: usize, is_it: fn(&Operation) -> bool| {
            operations[from..]
                .iter()
                .position(is_it)
                .map(|place| from + place)
        };
        let is_there = first(begins, |operation| {
            matches!(operation, Operation::SyncFile { .. })
        })?;
        let replaced = first(
            is_there,
            |operation| matches!(operation, Operation::Rename { to, .. } if to == DATA_FILE),
        )?;
        let mut disk = Disk::default();
        for operation in &operations[..=is_there] {
            disk.performs(operation);
        }
        Some(Self {
            bytes: disk.as_seen().remove(DATA_FILE)?,
            begins,
            is_there,
            is_mended: first(replaced, |operation| matches!(operation, Operation::SyncFolder))?,
        })
    }
}

impl Recorded {
    fn of(operations: Vec<Operation>, ends: Vec<(Act, usize)>) -> Self {
        let (mut committed, mut synced) = (Vec::new(), Vec::new());
        let (mut done, mut safe) = (0, 0);
        let mut is_replaced = false;
        let (mut logs, mut files) = (HashSet::new(), HashSet::new());
        let mut ends_transaction = false;
        for operation in &operations {
            match operation {
                Operation::Make { name, file } if name == LOG => {
                    logs.insert(*file);
                }
                Operation::Make { name, file } if name == DATA_FILE => {
                    files.insert(*file);
                }
                // SQLite's "WAL File Format": before each page 24 bytes, of which the second four say how many pages the
                // file has after the transaction that ends here, or 0 where none does.
                Operation::Write { file, bytes, .. } if logs.contains(file) => {
                    if bytes.len() == 24 {
                        ends_transaction = bytes[4..8] != [0; 4];
                    } else if ends_transaction {
                        ends_transaction = false;
                        done += 1;
                    }
                }
                Operation::SyncFile { file } if logs.contains(file) || files.contains(file) => safe = done,
                // A whole new file comes and goes as one transaction does.
                Operation::Rename { to, .. } if to == DATA_FILE => {
                    done += 1;
                    is_replaced = true;
                }
                Operation::SyncFolder if is_replaced => {
                    safe = done;
                    is_replaced = false;
                }
                _ => {}
            }
            committed.push(done);
            synced.push(safe);
        }
        Self {
            damage: Damage::of(&operations, &ends),
            operations,
            committed,
            synced,
            ends,
        }
    }

    /// Every sort of operation of every act, with the moments at which it happens. What happens once in an act is met
    /// as often as the thousand writes to a log are.
    fn sorts(&self) -> Vec<Vec<usize>> {
        let mut names = HashMap::new();
        let mut sorts: BTreeMap<(usize, &str, &str), Vec<usize>> = BTreeMap::new();
        let mut act = 0;
        for (moment, operation) in self.operations.iter().enumerate() {
            act += usize::from(moment >= self.ends[act].1);
            let (what, name) = match operation {
                Operation::Make { name, file } => {
                    names.insert(*file, name.as_str());
                    ("make", name.as_str())
                }
                Operation::Rename { to, .. } => ("rename", to.as_str()),
                Operation::Remove { name } => ("remove", name.as_str()),
                Operation::Write { file, .. } => ("write", names[file]),
                Operation::SetLength { file, .. } => ("set length", names[file]),
                Operation::SyncFile { file } => ("sync", names[file]),
                Operation::SyncFolder => ("sync", ""),
            };
            sorts.entry((act, what, name)).or_default().push(moment);
        }
        sorts.into_values().collect()
    }

    /// When the power goes: at an operation of some sort, or just beside it.
    fn moment(&self, sorts: &[Vec<usize>], draw: &mut Draw) -> usize {
        let sort = &sorts[draw.below(sorts.len())];
        let beside = sort[draw.below(sort.len())] + draw.below(3);
        beside.saturating_sub(1).min(self.operations.len() - 1)
    }

    fn act_at(&self, moment: usize) -> String {
        let act = self.ends.iter().find(|(_, end)| moment < *end);
        act.map_or_else(String::new, |(act, _)| format!("{act:?}"))
    }

    fn before(&self, moment: usize) -> String {
        let last: Vec<String> = self.operations[moment.saturating_sub(12)..=moment]
            .iter()
            .map(Operation::in_words)
            .collect();
        last.join("\n")
    }
}
