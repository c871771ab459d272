//! Opening the database file: refuse what is newer, find damage and mend it, set the pragmas and check that they hold,
//! bring an older file up to date.
//!
//! Whoever comes in alone does all of that; whoever comes in beside others finds it done.

use super::presence::{self, Presence};
use super::{damage, local_facts, migrate, seal, sums};
use crate::data_folder::{DataFolder, plain_reason};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};
use talkvalue_core::ports::StoreError;

pub(super) const FILE_NAME: &str = "talkvalue.sqlite3";
/// How long a call waits for another process's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long somebody who has to be alone with the file waits for that.
pub(super) const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(1);
/// Below this SQLite had a fault that could corrupt a database in WAL mode (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Step *n* makes version *n*, counted from 1. A step that was released is never changed.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];
pub(super) const SCHEMA_VERSION: usize = MIGRATIONS.len();

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) presence: Presence,
    /// What a person must be told: the file was damaged and has been replaced.
    pub(super) mended: Option<String>,
}

pub(super) enum Trouble {
    Sqlite(rusqlite::Error),
    Store(StoreError),
    /// The file is not what a program of ours left.
    Damaged,
    /// An older version wrote the file, and somebody has it open.
    Older,
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            return Trouble::Damaged;
        }
        Trouble::Sqlite(error)
    }
}

impl Trouble {
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Trouble::Sqlite(error) => at_path(path, error),
            Trouble::Store(error) => error,
            Trouble::Damaged => damage::is_damaged(path),
            Trouble::Older => StoreError::Unusable(format!(
                "The data file {} was written by an older TalkValue Sync, which still has it open. Nothing was \
                 changed: close the older one and start again.",
                path.display()
            )),
        }
    }
}

/// Opens the file with the `steps` that this version has.
pub(super) fn open(folder: &DataFolder, steps: &[&str]) -> Result<Opened, StoreError> {
    if !is_new_enough(rusqlite::version_number()) {
        return Err(StoreError::Unusable(format!(
            "This build was linked with SQLite {}, which is too old. It cannot be used.",
            rusqlite::version()
        )));
    }
    let path = folder.path().join(FILE_NAME);
    let since = Instant::now();
    let presence = loop {
        let (presence, alone) = Presence::enter(folder)?;
        if alone {
            break presence;
        }
        match open_beside(folder, &path, steps) {
            Ok(connection) => {
                return Ok(Opened {
                    connection,
                    presence,
                    mended: None,
                });
            }
            // The other one may be on its way out, or be a child that has not yet let go of what it inherited.
            Err(Trouble::Damaged | Trouble::Older) if since.elapsed() < PATIENCE_WITH_OTHERS => {
                drop(presence);
                std::thread::sleep(presence::LOOK_AGAIN);
            }
            Err(trouble) => return Err(trouble.at(&path)),
        }
    };
    let (connection, mended) = match open_alone(folder, &path, steps) {
        Ok(connection) => (connection, None),
        Err(Trouble::Damaged) => {
            let sentence = damage::mend(folder)?;
            let connection = open_alone(folder, &path, steps).map_err(|trouble| trouble.at(&path))?;
            (connection, Some(sentence))
        }
        Err(trouble) => return Err(trouble.at(&path)),
    };
    presence.share()?;
    Ok(Opened {
        connection,
        presence,
        mended,
    })
}

fn is_new_enough(sqlite: i32) -> bool {
    sqlite >= OLDEST_SQLITE
}

/// What is known about the file before SQLite touches it.
#[derive(PartialEq, Eq)]
enum Known {
    /// There is none yet.
    New,
    /// It is, byte for byte, what was closed.
    Sound,
    /// The last process did not close it cleanly.
    Unproved,
}

fn open_alone(folder: &DataFolder, path: &Path, steps: &[&str]) -> Result<Connection, Trouble> {
    let known = inspect(folder, path, steps.len())?;
    make_private(folder, path)?;
    let mut connection = connect(path)?;
    let version = user_version(&connection)?;
    refuse_newer(path, version, steps.len()).map_err(Trouble::Store)?;
    if known == Known::Unproved {
        prove(&connection, &steps[..version])?;
    }
    set_pragmas(path, &connection)?;
    if version < steps.len() {
        break_seal(folder).map_err(Trouble::Store)?;
        migrate::to_latest(folder, &mut connection, steps)?;
    } else {
        migrate::forget_copy(folder);
    }
    match local_facts::refresh(folder, &connection) {
        Ok(()) => Ok(connection),
        // Tables or columns are not there, or hold what we never write.
        Err(_) if known == Known::Unproved => Err(Trouble::Damaged),
        Err(error) => Err(error.into()),
    }
}

/// Others have the file open: it was checked when the first of them came.
fn open_beside(folder: &DataFolder, path: &Path, steps: &[&str]) -> Result<Connection, Trouble> {
    make_private(folder, path)?;
    let mut connection = connect(path)?;
    let version = user_version(&connection)?;
    refuse_newer(path, version, steps.len()).map_err(Trouble::Store)?;
    if (1..steps.len()).contains(&version) {
        return Err(Trouble::Older);
    }
    set_pragmas(path, &connection)?;
    if version < steps.len() {
        migrate::to_latest(folder, &mut connection, steps)?;
    }
    Ok(connection)
}

fn inspect(folder: &DataFolder, path: &Path, newest: usize) -> Result<Known, Trouble> {
    let read = |error: io::Error| {
        Trouble::Store(StoreError::Unusable(format!(
            "The data file {} cannot be read: {}. Make it readable for you, or name another folder with --data-dir.",
            path.display(),
            plain_reason(&error)
        )))
    };
    let length = match fs::metadata(path) {
        Ok(data) => data.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(read(error)),
    };
    let header = if length == 0 {
        None
    } else {
        header_of(path).map_err(read)?
    };
    let Some(header) = header else {
        // Made a moment ago by a process that died or lost its power, or lost: the copy beside it knows. Only the first
        // page is ever written with a journal, by which SQLite takes back what there is of it.
        let is_begun = length == 0 || has_journal(folder);
        let known = local_facts::read(folder).map_err(read)?;
        return match known {
            Some(facts) if !facts.is_empty() => Err(Trouble::Damaged),
            _ if is_begun => Ok(Known::New),
            _ => Err(Trouble::Damaged),
        };
    };
    let word = seal::read(folder);
    let version = u32::from_be_bytes([header[60], header[61], header[62], header[63]]);
    let flipped = matches!(&word, seal::Word::Sum(seal) if seal.disowns_version(path));
    if !flipped {
        // Before anything is written, the seal included: a newer version has its own ideas about all of it.
        refuse_newer(path, usize::try_from(version).unwrap_or(usize::MAX), newest).map_err(Trouble::Store)?;
    }
    match word {
        seal::Word::Damaged => Err(Trouble::Damaged),
        seal::Word::Nothing => Ok(Known::Unproved),
        seal::Word::Sum(seal) if !seal.fits(path).map_err(read)? => Err(Trouble::Damaged),
        seal::Word::Sum(_) => {
            let log = folder.path().join(format!("{FILE_NAME}-wal"));
            if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
                // Somebody else wrote through SQLite and was killed: closing will fold that into the file.
                break_seal(folder).map_err(Trouble::Store)?;
            }
            Ok(Known::Sound)
        }
    }
}

/// The header of a file that may be SQLite's and ours.
fn header_of(path: &Path) -> io::Result<Option<[u8; 100]>> {
    let mut header = [0; 100];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        // SQLite's "Database File Format": its name, then at 18 and 19 who may write and read (2: with a write-ahead
        // log).
        Ok(()) => Ok((&header[..16] == b"SQLite format 3\0"
            && header[18..20].iter().all(|form| (1..=2).contains(form)))
        .then_some(header)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn has_journal(folder: &DataFolder) -> bool {
    let journal = folder.path().join(format!("{FILE_NAME}-journal"));
    fs::metadata(journal).is_ok_and(|journal| journal.len() > 0)
}

/// Checks a file that has no seal: SQLite's structures, the indexes among them, then what stands in each row. Both read
/// the whole file.
fn prove(connection: &Connection, steps: &[&str]) -> Result<(), Trouble> {
    match is_sound(connection, steps) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Trouble::Damaged),
        // What SQLite reads without a complaint may still be no text, or of another kind than we ever write.
        Err(
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..),
        ) => Err(Trouble::Damaged),
        // Statements of ours that SQLite calls wrong: the schema, or its format in the header, is not what we wrote.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Err(Trouble::Damaged),
        Err(error) => Err(error.into()),
    }
}

fn is_sound(connection: &Connection, steps: &[&str]) -> Result<bool, rusqlite::Error> {
    let sound: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok(sound == "ok" && sums::hold(connection, steps)?)
}

/// Takes the seal off before the first write.
pub(super) fn break_seal(folder: &DataFolder) -> Result<(), StoreError> {
    seal::take_off(folder).map_err(|error| {
        StoreError::Unusable(format!(
            "The data folder {} cannot be written to: {}. Nothing was changed; make it writable for you.",
            folder.path().display(),
            plain_reason(&error)
        ))
    })
}

/// Made by us first, so that it and the files beside it are private to their owner.
fn make_private(folder: &DataFolder, path: &Path) -> Result<(), Trouble> {
    folder.open_private(FILE_NAME).map(drop).map_err(|error| {
        Trouble::Store(StoreError::Unusable(format!(
            "The data file {} cannot be used: {}. Make it writable for you, or name another folder with --data-dir.",
            path.display(),
            plain_reason(&error)
        )))
    })
}

pub(super) fn connect(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    sums::install(&connection)?;
    // Pages are checked as they are read: damage that came after the check at the start ends in an error.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Whether a commit is on the disk once it is done, or when SQLite next folds its log into the file.
pub(super) fn sync_commits(connection: &Connection, at_once: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", if at_once { "FULL" } else { "NORMAL" })
}

/// Sets what every connection needs and checks that it holds.
pub(super) fn set_pragmas(path: &Path, connection: &Connection) -> Result<(), Trouble> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    sync_commits(connection, false)?;
    // macOS tells two kinds of syncs apart, and only this one outlives a power cut. Elsewhere there is one kind.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    let held =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    use rusqlite::types::Value::{Integer, Text};
    let expected = [
        ("journal_mode", Text("wal".to_owned())),
        ("synchronous", Integer(1)),
        ("fullfsync", Integer(1)),
        ("foreign_keys", Integer(1)),
        ("secure_delete", Integer(1)),
        ("trusted_schema", Integer(0)),
        ("cell_size_check", Integer(1)),
    ];
    for (name, value) in expected {
        if held(name)? != value {
            return Err(Trouble::Store(StoreError::Unusable(format!(
                "The data file {} does not take the setting {name}. It may lie on a network drive: name a folder on \
                 this computer with --data-dir.",
                path.display()
            ))));
        }
    }
    Ok(())
}

pub(super) fn user_version(connection: &Connection) -> Result<usize, rusqlite::Error> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn refuse_newer(path: &Path, version: usize, newest: usize) -> Result<(), StoreError> {
    if version > newest {
        return Err(StoreError::Newer(format!(
            "The data file {} was written by a newer TalkValue Sync (form {version}, this one knows {newest}). It was \
             left untouched: use the newer version, or name another folder with --data-dir.",
            path.display()
        )));
    }
    Ok(())
}

/// Folds the log into the file and empties it. `false`: another program still reads from it after so much `patience`,
/// in which nobody can write.
pub(super) fn empty_write_ahead_log(
    connection: &Connection,
    patience: Duration,
) -> Result<bool, rusqlite::Error> {
    connection.busy_timeout(patience)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(!busy?)
}

fn at_path(path: &Path, error: rusqlite::Error) -> StoreError {
    match store_error(error) {
        StoreError::Unusable(reason) => StoreError::Unusable(format!("{reason} ({})", path.display())),
        other => other,
    }
}

/// Whether SQLite met damage, as opposed to being hindered.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// SQLite's error in the core's terms. Its texts name tables and columns, never values.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let Some(code) = error.sqlite_error_code() else {
        return StoreError::Refused(error.to_string());
    };
    match code {
        ErrorCode::DiskFull => StoreError::Full("the data folder".to_owned()),
        ErrorCode::ConstraintViolation => StoreError::Refused(error.to_string()),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Unusable(
            "The data file is busy: another program holds it for long. Nothing was changed; try again."
                .to_owned(),
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => StoreError::Unusable(
            "The data file cannot be written to. Make it and its folder writable for you.".to_owned(),
        ),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => damaged_while_open(),
        _ => StoreError::Unusable(format!(
            "The data file cannot be used ({code:?}). Nothing was half-saved."
        )),
    }
}

pub(super) fn damaged_while_open() -> StoreError {
    StoreError::Unusable(
        "The data file is damaged. Nothing was changed: close TalkValue Sync and start it again, and the file is set \
         aside and the lists are read anew."
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_could_corrupt_its_log_is_too_old() {
        for (number, expected) in [
            (3_051_002, false),
            (3_040_001, false),
            (3_051_003, true),
            (3_052_000, true),
            (4_000_000, true),
        ] {
            assert_eq!(is_new_enough(number), expected, "{number}");
        }
        assert!(
            is_new_enough(rusqlite::version_number()),
            "the one this build is linked with"
        );
    }
}
