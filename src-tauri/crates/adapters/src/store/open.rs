//! Opening the database file: refuse what is newer, set the pragmas and check that they hold, migrate.

use crate::data_folder::{DataFolder, plain_reason};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{M, Migrations};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;
use talkvalue_core::ports::StoreError;

pub(super) const FILE_NAME: &str = "talkvalue.sqlite3";
/// How long a call waits for another process's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Below this SQLite had a fault that could corrupt a database in WAL mode (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

const MIGRATIONS: &[M<'_>] = &[M::up(include_str!("migrations/0001_first.sql"))];
pub(super) const SCHEMA_VERSION: usize = MIGRATIONS.len();

pub(super) fn open(folder: &DataFolder) -> Result<Connection, StoreError> {
    let path = folder.path().join(FILE_NAME);
    refuse_newer(&path, version_in_file(&path)?)?;
    // Made by us first, so that it and the files beside it are private to their owner.
    folder.open_private(FILE_NAME).map_err(|error| {
        StoreError::Unusable(format!(
            "The data file {} cannot be used: {}. Make it writable for you, or name another folder with --data-dir.",
            path.display(),
            plain_reason(&error)
        ))
    })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(|error| at_path(&path, error))?;
    prepare(&path, &mut connection).map_err(|error| match error {
        Trouble::Sqlite(error) => at_path(&path, error),
        Trouble::Store(error) => error,
    })?;
    Ok(connection)
}

enum Trouble {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Sqlite(error)
    }
}

fn prepare(path: &Path, connection: &mut Connection) -> Result<(), Trouble> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Trouble::Store(StoreError::Unusable(format!(
            "This build was linked with SQLite {}, which is too old. It cannot be used.",
            rusqlite::version()
        ))));
    }
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The header may lag behind the write-ahead log: the version counts as SQLite sees it, before anything is written.
    let version = user_version(connection)?;
    refuse_newer(path, version).map_err(Trouble::Store)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    let held =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    use rusqlite::types::Value::{Integer, Text};
    let expected = [
        ("journal_mode", Text("wal".to_owned())),
        ("synchronous", Integer(1)),
        ("foreign_keys", Integer(1)),
        ("secure_delete", Integer(1)),
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
    if version < SCHEMA_VERSION {
        migrate(path, connection)?;
    }
    Ok(())
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), Trouble> {
    // Two processes may open a new folder at once: the second waits and finds the work done.
    Migrations::from_slice(MIGRATIONS)
        .to_latest(connection)
        .or_else(|error| {
            let version = user_version(connection)?;
            if version == SCHEMA_VERSION {
                return Ok(());
            }
            Err(Trouble::Store(StoreError::Unusable(format!(
                "The data file {} could not be brought up to date ({}). It was left as it is.",
                path.display(),
                kind_of(&error)
            ))))
        })
}

fn user_version(connection: &Connection) -> Result<usize, rusqlite::Error> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn kind_of(error: &rusqlite_migration::Error) -> &'static str {
    match error {
        rusqlite_migration::Error::RusqliteError { .. } => "a step failed",
        _ => "its version is unknown",
    }
}

/// The schema version in the file's header, 0 where there is no file or header yet. SQLite keeps it big-endian at
/// offset 60 (its "Database File Format").
fn version_in_file(path: &Path) -> Result<usize, StoreError> {
    let Ok(mut file) = std::fs::File::open(path) else {
        return Ok(0);
    };
    let mut start = [0u8; 16];
    let mut version = [0u8; 4];
    if file.read_exact(&mut start).is_err() {
        return Ok(0);
    }
    if &start != b"SQLite format 3\0" {
        return Err(StoreError::Unusable(format!(
            "{} is not a data file of TalkValue Sync, or it is damaged. It was left as it is: move it away, or name \
             another folder with --data-dir.",
            path.display()
        )));
    }
    match file
        .seek(SeekFrom::Start(60))
        .and_then(|_| file.read_exact(&mut version))
    {
        Ok(()) => Ok(usize::try_from(u32::from_be_bytes(version)).unwrap_or(usize::MAX)),
        Err(_) => Ok(0),
    }
}

fn refuse_newer(path: &Path, version: usize) -> Result<(), StoreError> {
    if version > SCHEMA_VERSION {
        return Err(StoreError::Newer(format!(
            "The data file {} was written by a newer TalkValue Sync (form {version}, this one knows {SCHEMA_VERSION}). \
             It was left untouched: use the newer version, or name another folder with --data-dir.",
            path.display()
        )));
    }
    Ok(())
}

pub(super) fn empty_write_ahead_log(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn at_path(path: &Path, error: rusqlite::Error) -> StoreError {
    match store_error(error) {
        StoreError::Unusable(reason) => StoreError::Unusable(format!("{reason} ({})", path.display())),
        other => other,
    }
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
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Unusable(
            "The data file is damaged. It was left as it is: move it away and import the lists again."
                .to_owned(),
        ),
        _ => StoreError::Unusable(format!(
            "The data file cannot be used ({code:?}). Nothing was half-saved."
        )),
    }
}
