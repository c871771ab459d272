//! Bringing an older data file up to date: a copy of it first, then every step in one transaction. What fails or is
//! killed leaves the old file as it was, for this version and for the one that wrote it.

use super::open::{FILE_NAME, Trouble, user_version};
use super::sums;
use crate::data_folder::{DataFolder, plain_reason};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::{fs, io};
use talkvalue_core::ports::StoreError;

/// The copy that stands beside the file while it is brought up to date; it stays only if that failed.
const COPY: &str = "talkvalue.before-update.sqlite3";

/// Runs the `steps` that the file does not have yet: step *n* makes version *n*, counted from 1.
pub(super) fn to_latest(
    folder: &DataFolder,
    connection: &mut Connection,
    steps: &[&str],
) -> Result<(), Trouble> {
    let before = user_version(connection)?;
    if before >= steps.len() {
        return Ok(());
    }
    if before == 0 {
        return run(connection, steps).map_err(|error| failed(folder, error));
    }
    copy(folder, connection).map_err(|error| match error {
        Trouble::Sqlite(error) if is_full(&error) => Trouble::Store(no_room()),
        other => other,
    })?;
    run(connection, steps).map_err(|error| failed(folder, error))?;
    forget_copy(folder);
    Ok(())
}

/// What a new file looks like after the `steps`, in memory.
pub(super) fn empty(steps: &[&str]) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_in_memory()?;
    sums::install(&connection)?;
    for step in steps {
        connection.execute_batch(step)?;
    }
    Ok(connection)
}

/// Removes the copy that a killed or failed update left.
pub(super) fn forget_copy(folder: &DataFolder) {
    let _ = fs::remove_file(folder.path().join(COPY));
}

/// A whole copy needs as much room as the rewriting of every table, so that it also is the check for free space.
fn copy(folder: &DataFolder, connection: &Connection) -> Result<(), Trouble> {
    forget_copy(folder);
    let unusable = |error: io::Error| {
        if error.kind() == io::ErrorKind::StorageFull {
            return Trouble::Store(no_room());
        }
        Trouble::Store(StoreError::Unusable(format!(
            "A copy of the data file could not be made in {} ({}), so it was not brought up to date. It was left as \
             it is; make the folder writable for you and start again.",
            folder.path().display(),
            plain_reason(&error)
        )))
    };
    // Made by us first, so that it is private to its owner; SQLite fills an empty file.
    let file = folder.open_private(COPY).map_err(unusable)?;
    let path = folder.path().join(COPY);
    let copied = connection.execute("VACUUM INTO ?1", [path.to_string_lossy()]);
    if let Err(error) = copied {
        forget_copy(folder);
        return Err(error.into());
    }
    file.sync_all().map_err(unusable)
}

fn run(connection: &mut Connection, steps: &[&str]) -> Result<(), Trouble> {
    // A step may rebuild a table that others refer to; what it leaves is checked before it is committed.
    connection.pragma_update(None, "foreign_keys", false)?;
    let done = run_in_one(connection, steps);
    connection.pragma_update(None, "foreign_keys", true)?;
    done
}

fn run_in_one(connection: &mut Connection, steps: &[&str]) -> Result<(), Trouble> {
    // IMMEDIATE: of two processes that open a new folder at once the second waits and finds the work done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = user_version(&transaction)?;
    for step in steps.iter().skip(before) {
        transaction.execute_batch(step)?;
    }
    if before < steps.len() {
        transaction.pragma_update(
            None,
            "user_version",
            i64::try_from(steps.len()).unwrap_or(i64::MAX),
        )?;
    }
    if before > 0 {
        let torn: i64 =
            transaction.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                row.get(0)
            })?;
        let sound: String = transaction.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if torn > 0 || sound != "ok" {
            return Err(Trouble::Damaged);
        }
    }
    transaction.commit()?;
    Ok(())
}

fn failed(folder: &DataFolder, trouble: Trouble) -> Trouble {
    let reason = match trouble {
        Trouble::Store(error) => return Trouble::Store(error),
        Trouble::Sqlite(error) if is_full(&error) => return Trouble::Store(no_room()),
        Trouble::Sqlite(error) => error
            .sqlite_error_code()
            .map_or_else(|| "a step failed".to_owned(), |code| format!("{code:?}")),
        // A step of ours that tears the file is our defect, not damage of the file: it was rolled back.
        Trouble::Damaged | Trouble::Older => "what came out did not fit together".to_owned(),
    };
    Trouble::Store(StoreError::Unusable(format!(
        "The data file {} could not be brought up to date ({reason}). It was left as it is, and the version that wrote \
         it can still use it.",
        folder.path().join(FILE_NAME).display()
    )))
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

fn no_room() -> StoreError {
    StoreError::Unusable(
        "The disk has too little room to bring the data file up to date. It was left as it is: free some space (about \
         twice the size of the data file) and start again."
            .to_owned(),
    )
}
