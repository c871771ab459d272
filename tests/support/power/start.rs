//! What a start of the app makes of a disk, and whether it may.

use super::disk::Image;
use crate::stored::at;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::SqliteStore;
use talkvalue_core::ports::Store as _;
use tempfile::TempDir;

const DATA_FILE: &str = "talkvalue.sqlite3";
const SEAL: &str = "talkvalue.seal";
const ASIDE: &str = "talkvalue.damaged-";

/// A folder of its own, in memory where that is possible: what is synced in there is played.
pub(super) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// The disk as a folder that stays, for whoever looks for what went wrong.
pub(super) fn kept(image: &Image) -> PathBuf {
    let folder = tempfile::tempdir().unwrap().keep();
    lay_down(image, &folder);
    folder
}

pub(super) fn lay_down(image: &Image, folder: &Path) {
    for (name, bytes) in image {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// What the first start found.
#[derive(Debug)]
pub(super) struct Found {
    /// What a person was told: the file was damaged.
    pub(super) told: Option<String>,
    /// Of every cell of every table.
    pub(super) digest: u64,
    /// The lists, by their ids.
    pub(super) lists: BTreeSet<String>,
    pub(super) people: Vec<String>,
    /// Damaged files that were set aside.
    pub(super) aside: Vec<Vec<u8>>,
}

/// Starts on a folder, closes, starts again and writes, and starts once more: `Err` if any of it goes wrong.
pub(super) fn starts(folder: &Path, steps: &[&str]) -> Result<Found, String> {
    let found = looks(folder, steps).map_err(|wrong| format!("the first start: {wrong}"))?;
    // What was sealed is what was looked at; it has to be believed, and written to.
    for (which, writes) in [("second", true), ("third", false)] {
        let again = opens(folder, steps).and_then(|store| {
            if writes {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let written = runtime.block_on(store.end_orphaned_jobs(at(1_000)));
                written.map_err(|error| format!("it cannot be written: {error}"))?;
            }
            match store.mended() {
                Some(told) => Err(told.to_owned()),
                None => closes(folder, store),
            }
        });
        again.map_err(|wrong| format!("the {which} start: {wrong}"))?;
    }
    Ok(found)
}

/// What one start finds, and leaves closed.
pub(super) fn looks(folder: &Path, steps: &[&str]) -> Result<Found, String> {
    let store = opens(folder, steps)?;
    let found = reads(folder, &store).map_err(|error| format!("it cannot be read: {error}"))??;
    closes(folder, store)?;
    Ok(found)
}

fn opens(folder: &Path, steps: &[&str]) -> Result<SqliteStore, String> {
    let opened = DataFolder::open(folder).map_err(|error| error.to_string())?;
    SqliteStore::open_with(&opened, steps).map_err(|error| format!("it does not open: {error}"))
}

fn closes(folder: &Path, store: SqliteStore) -> Result<(), String> {
    drop(store);
    if folder.join(SEAL).exists() {
        return Ok(());
    }
    Err("it is not sealed when it is closed".to_owned())
}

fn reads(folder: &Path, store: &SqliteStore) -> Result<Result<Found, String>, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(folder.join(DATA_FILE), flags)?;
    let texts = |sql: &str| -> Result<Vec<String>, rusqlite::Error> {
        connection
            .prepare(sql)?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    for check in ["PRAGMA quick_check", "PRAGMA integrity_check"] {
        let verdict = texts(check)?;
        if verdict != ["ok"] {
            return Ok(Err(format!("{check}: {}", verdict.join("; "))));
        }
    }
    let orphans: i64 = connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
        row.get(0)
    })?;
    if orphans > 0 {
        return Ok(Err(format!("{orphans} rows belong to nothing")));
    }
    let mut digest = DefaultHasher::new();
    for table in texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")? {
        table.hash(&mut digest);
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => 0_u8.hash(&mut digest),
                    ValueRef::Integer(number) => number.hash(&mut digest),
                    ValueRef::Real(number) => number.to_bits().hash(&mut digest),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.hash(&mut digest),
                }
            }
        }
    }
    let aside = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(ASIDE))
        .map(|entry| fs::read(entry.path()).unwrap())
        .collect();
    Ok(Ok(Found {
        told: store.mended().map(str::to_owned),
        digest: digest.finish(),
        lists: texts("SELECT id FROM item")?.into_iter().collect(),
        people: texts("SELECT coalesce(name, '') FROM registration")?,
        aside,
    }))
}
