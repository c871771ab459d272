//! The seal: a small file that holds the checksum of the data file, as the last process left it when it closed it.
//!
//! SQLite's own check finds damaged structure, but not a flipped bit inside a name; the checksum finds both, and costs
//! a fourteenth of it (1,000,000 registrations, 333 MB: 75 ms against 1.05 s). So a start after a clean end compares
//! the checksum, and only a start after a kill or a power cut, which left no seal, runs `quick_check`.
//!
//! The seal is taken off, and that made durable, before the first write: a seal on a file that was changed after it
//! would call a good file damaged. Nobody but TalkValue Sync writes the file; a change by another hand is damage.

use super::open::FILE_NAME;
use crate::data_folder::DataFolder;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

const NAME: &str = "talkvalue.seal";
const FORM: &str = "seal-1";
const DAMAGED: &str = "damaged";
const HEADER: usize = 100;
const CHUNK: usize = 1 << 18;
/// What SQLite itself moves in the header when a version number is set: the change counter, the version number, and
/// the two numbers that say who wrote last. A flip there changes nothing that is read, except for the version.
const NOT_SUMMED: [std::ops::Range<usize>; 3] = [24..28, 60..64, 92..100];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// No seal, or one of another form: the last process did not close the file cleanly.
    Nothing,
    Sum(Seal),
    /// A process met damage while it ran.
    Damaged,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seal {
    sum: u32,
    length: u64,
    version: u32,
    changes: u32,
}

pub(super) fn read(folder: &DataFolder) -> Word {
    let Ok(text) = fs::read_to_string(folder.path().join(NAME)) else {
        return Word::Nothing;
    };
    if text.trim() == DAMAGED {
        return Word::Damaged;
    }
    parse(&text).map_or(Word::Nothing, Word::Sum)
}

fn parse(text: &str) -> Option<Seal> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    if words.next()? != FORM {
        return None;
    }
    let seal = Seal {
        sum: u32::from_str_radix(words.next()?, 16).ok()?,
        length: words.next()?.parse().ok()?,
        version: words.next()?.parse().ok()?,
        changes: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(seal)
}

/// Writes the seal for the file as it is. The caller is alone with it and has emptied the write-ahead log.
pub(super) fn put_on(folder: &DataFolder) -> io::Result<()> {
    let seal = sum_up(&folder.path().join(FILE_NAME))?;
    let text = format!(
        "{FORM} {:08x} {} {} {}\n",
        seal.sum, seal.length, seal.version, seal.changes
    );
    folder.replace(NAME, text.as_bytes())
}

/// Takes the seal off before the file changes.
pub(super) fn take_off(folder: &DataFolder) -> io::Result<()> {
    match fs::remove_file(folder.path().join(NAME)) {
        Ok(()) => folder.sync(),
        // Whoever took it off may have died, or failed, before that was durable.
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder.sync(),
        Err(error) => Err(error),
    }
}

pub(super) fn is_on(folder: &DataFolder) -> bool {
    folder.path().join(NAME).exists()
}

/// Tells the next start that the file is damaged, whatever its check says.
pub(super) fn mark_damaged(folder: &DataFolder) {
    if let Err(error) = folder.replace(NAME, DAMAGED.as_bytes()) {
        tracing::warn!(%error, "the damage of the data file could not be noted for the next start");
    }
}

impl Seal {
    pub(super) fn fits(&self, path: &Path) -> io::Result<bool> {
        let found = sum_up(path)?;
        Ok(found.sum == self.sum && found.length == self.length && !self.version_flipped(&found))
    }

    /// Whoever sets another version through SQLite moves the change counter with it.
    fn version_flipped(&self, found: &Seal) -> bool {
        found.version != self.version && found.changes == self.changes
    }

    /// Whether a version number in the file's header was not written by any program.
    pub(super) fn disowns_version(&self, path: &Path) -> bool {
        let mut header = [0; HEADER];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
        read.is_ok()
            && self.version_flipped(&Seal {
                sum: 0,
                length: 0,
                version: number(&header, 60),
                changes: number(&header, 24),
            })
    }
}

fn number(header: &[u8; HEADER], at: usize) -> u32 {
    header[at..at + 4]
        .iter()
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

fn sum_up(path: &Path) -> io::Result<Seal> {
    let mut file = File::open(path)?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    let (version, changes) = (number(&header, 60), number(&header, 24));
    for range in NOT_SUMMED {
        header[range].fill(0);
    }
    let mut sum = crc32fast::Hasher::new();
    sum.update(&header);
    let mut length = HEADER as u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sum.update(&chunk[..read]);
        length += read as u64;
    }
    Ok(Seal {
        sum: sum.finalize(),
        length,
        version,
        changes,
    })
}
