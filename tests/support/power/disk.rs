//! A disk under one folder, of which the power can be cut: what was synced is there, and of what was not each sector is
//! old or new by itself. It owns what a disk may do and knows nothing of who writes to it.
//!
//! The rules are those that SQLite relies on. A sector holds what it held after one of the writes to it, a sector that
//! grew a file and was lost holds zeros or noise, a file's length follows no other rule than its own, and the names in
//! the folder change in their order, as in every journal of a file system, up to some point. A file that is synced is
//! not for that in the folder: only a sync of the folder puts it there.

use std::collections::{BTreeMap, HashMap, HashSet};

/// What a folder holds: names and bytes.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

/// What a process asks the disk for. Files have numbers: names come and go.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Make { name: String, file: usize },
    Rename { from: String, to: String },
    Remove { name: String },
    Write { file: usize, at: u64, bytes: Vec<u8> },
    SetLength { file: usize, length: u64 },
    SyncFile { file: usize },
    SyncFolder,
}

impl Operation {
    /// One line for whoever looks for what went wrong.
    pub(super) fn in_words(&self) -> String {
        match self {
            Operation::Make { name, file } => format!("makes {name} as file {file}"),
            Operation::Rename { from, to } => format!("renames {from} to {to}"),
            Operation::Remove { name } => format!("removes {name}"),
            Operation::Write { file, at, bytes } => {
                format!("writes {} bytes at {at} of file {file}", bytes.len())
            }
            Operation::SetLength { file, length } => format!("makes file {file} {length} bytes long"),
            Operation::SyncFile { file } => format!("syncs file {file}"),
            Operation::SyncFolder => "syncs the folder".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    /// The names that are there whatever happens.
    names: BTreeMap<String, usize>,
    renaming: Vec<Renaming>,
}

#[derive(Debug, Clone)]
enum Renaming {
    Make(String, usize),
    Rename(String, String),
    Remove(String),
}

/// A change of a file that nobody has synced.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLength(usize),
}

#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    changes: Vec<Change>,
}

impl Disk {
    pub(super) fn performs(&mut self, operation: &Operation) {
        match operation {
            Operation::Make { name, file } => {
                self.file(*file);
                self.renaming.push(Renaming::Make(name.clone(), *file));
            }
            Operation::Rename { from, to } => {
                self.renaming.push(Renaming::Rename(from.clone(), to.clone()));
            }
            Operation::Remove { name } => self.renaming.push(Renaming::Remove(name.clone())),
            Operation::Write { file, at, bytes } => {
                let change = Change::Write(position(*at), bytes.clone());
                self.file(*file).changes.push(change);
            }
            Operation::SetLength { file, length } => {
                self.file(*file)
                    .changes
                    .push(Change::SetLength(position(*length)));
            }
            Operation::SyncFile { file } => {
                let file = self.file(*file);
                file.synced = file.with_all();
                file.changes.clear();
            }
            Operation::SyncFolder => {
                self.names = self.named(self.renaming.len());
                self.renaming.clear();
            }
        }
    }

    /// What programs see, and find after a kill: everything is there.
    pub(super) fn as_seen(&self) -> Image {
        self.named(self.renaming.len())
            .into_iter()
            .map(|(name, file)| (name, self.files[file].with_all()))
            .collect()
    }

    /// What the next start finds after a power cut: one of the many things that it may find.
    pub(super) fn after_a_cut(&self, draw: &mut Draw) -> Image {
        let sector = [512, 4_096][draw.below(2)];
        let noisy = draw.below(4) == 0;
        // Now and then all files fare alike.
        let common = (draw.below(4) == 0).then(|| Luck::draw(draw));
        let kept = common
            .unwrap_or_else(|| Luck::draw(draw))
            .until(self.renaming.len(), draw);
        self.named(kept)
            .into_iter()
            .map(|(name, file)| {
                let luck = common.unwrap_or_else(|| Luck::draw(draw));
                (name, self.files[file].after_a_cut(luck, sector, noisy, draw))
            })
            .collect()
    }

    fn file(&mut self, number: usize) -> &mut File {
        if self.files.len() <= number {
            self.files.resize_with(number + 1, File::default);
        }
        &mut self.files[number]
    }

    fn named(&self, kept: usize) -> BTreeMap<String, usize> {
        let mut names = self.names.clone();
        for renaming in &self.renaming[..kept] {
            match renaming {
                Renaming::Make(name, file) => {
                    names.insert(name.clone(), *file);
                }
                Renaming::Rename(from, to) => {
                    if let Some(file) = names.remove(from) {
                        names.insert(to.clone(), file);
                    }
                }
                Renaming::Remove(name) => {
                    names.remove(name);
                }
            }
        }
        names
    }
}

impl File {
    fn with_all(&self) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.changes {
            match change {
                Change::Write(at, written) => {
                    let end = at + written.len();
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    bytes[*at..end].copy_from_slice(written);
                }
                Change::SetLength(length) => bytes.resize(*length, 0),
            }
        }
        bytes
    }

    fn after_a_cut(&self, luck: Luck, sector: usize, noisy: bool, draw: &mut Draw) -> Vec<u8> {
        if self.changes.is_empty() {
            return self.synced.clone();
        }
        let length_until = match luck {
            Luck::LengthOnly => self.changes.len(),
            _ => luck.until(self.changes.len(), draw),
        };
        let mut until = HashMap::new();
        let mut length = self.synced.len();
        let mut bytes = self.synced.clone();
        let mut written_sectors = HashSet::new();
        for (number, change) in self.changes.iter().enumerate() {
            let changes_length = number < length_until;
            match change {
                Change::SetLength(new) if changes_length => {
                    let from = (*new).min(bytes.len());
                    bytes[from..].fill(0);
                    length = *new;
                }
                Change::SetLength(_) => {}
                Change::Write(at, written) => {
                    let end = at + written.len();
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    for number_of_sector in at / sector..end.div_ceil(sector) {
                        let kept = *until
                            .entry(number_of_sector)
                            .or_insert_with(|| luck.until(self.changes.len(), draw));
                        if number < kept {
                            let from = (number_of_sector * sector).max(*at);
                            let to = ((number_of_sector + 1) * sector).min(end);
                            bytes[from..to].copy_from_slice(&written[from - at..to - at]);
                            written_sectors.insert(number_of_sector);
                        }
                    }
                    if changes_length {
                        length = length.max(end);
                    }
                }
            }
        }
        bytes.resize(length, 0);
        if noisy {
            // What a lost sector at the end held before it belonged to this file.
            let grown = self.synced.len().div_ceil(sector);
            for lost in (grown..length.div_ceil(sector)).filter(|place| !written_sectors.contains(place)) {
                let end = ((lost + 1) * sector).min(length);
                for eight in bytes[lost * sector..end].chunks_mut(8) {
                    eight.copy_from_slice(&draw.next().to_le_bytes()[..eight.len()]);
                }
            }
        }
        bytes
    }
}

/// How much of what was not synced is there after all, for one file or for the names.
#[derive(Clone, Copy)]
enum Luck {
    Nothing,
    Everything,
    /// A file has its new length, and nothing of what was written: what journals of lengths and names are known for.
    LengthOnly,
    /// All of it up to one moment, so many thousandths of the way: a disk that keeps the order.
    InOrder(usize),
    /// Each sector by itself is there to its last write, so many times in a hundred, or only up to some earlier one.
    Each(usize),
}

impl Luck {
    fn draw(draw: &mut Draw) -> Self {
        match draw.below(10) {
            0 => Luck::Nothing,
            1..=2 => Luck::Everything,
            3 => Luck::LengthOnly,
            4 => Luck::InOrder(draw.below(1_001)),
            5..=6 => Luck::Each(5),
            7 => Luck::Each(50),
            _ => Luck::Each(95),
        }
    }

    /// How many of these changes one sector has seen.
    fn until(self, changes: usize, draw: &mut Draw) -> usize {
        match self {
            Luck::Nothing | Luck::LengthOnly => 0,
            Luck::Everything => changes,
            Luck::InOrder(thousandths) => changes * thousandths / 1_000,
            Luck::Each(chance) if draw.below(100) < chance => changes,
            // One of the earlier ones, and often none.
            Luck::Each(_) if draw.below(2) == 0 => 0,
            Luck::Each(_) => draw.below(changes + 1),
        }
    }
}

fn position(number: u64) -> usize {
    usize::try_from(number).expect("a file of a test fits into memory")
}

/// SplitMix64: the same cuts for the same seed, in every run.
#[derive(Debug, Clone)]
pub(super) struct Draw(u64);

impl Draw {
    /// One for each cut, so that any of them can be made alone.
    pub(super) fn of(seed: u64, cut: u64) -> Self {
        let mut draw = Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ cut);
        draw.next();
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        position(self.next() % bound as u64)
    }
}
