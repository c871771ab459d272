//! The database file: private, migrated, refused when newer, never destroyed.

use std::fs;
use std::path::{Path, PathBuf};
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::{SCHEMA_VERSION, SqliteStore};
use talkvalue_core::ports::{Store, StoreError};
use talkvalue_tests::stored::open;

fn data_file(folder: &Path) -> PathBuf {
    folder.join("talkvalue.sqlite3")
}

fn refused(folder: &Path) -> StoreError {
    let opened = DataFolder::open(folder).and_then(|folder| SqliteStore::open(&folder));
    opened.expect_err("this folder cannot be used")
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_what_is_stored() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("made").join("by us");
    let store = open(&folder);
    store.end_orphaned_jobs(talkvalue_tests::noon()).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(
        files >= 4,
        "the data file, its log and its index, and the locks: {files}"
    );
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let newer = SCHEMA_VERSION + 1;
    let connection = rusqlite::Connection::open(data_file(folder.path())).unwrap();
    connection
        .pragma_update(None, "user_version", i64::try_from(newer).unwrap())
        .unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    let before = fs::read(data_file(folder.path())).unwrap();
    let StoreError::Newer(message) = refused(folder.path()) else {
        panic!("a newer file has its own error")
    };
    assert!(
        message.contains("newer TalkValue Sync") && message.contains("left untouched"),
        "{message}"
    );
    assert_eq!(fs::read(data_file(folder.path())).unwrap(), before);
}

#[tokio::test]
async fn a_newer_version_that_stands_only_in_the_log_is_refused_too() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let connection = rusqlite::Connection::open(data_file(folder.path())).unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    // As after a crash: the log is not folded into the file.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    assert!(matches!(refused(copy.path()), StoreError::Newer(_)));
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_named() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("data");
    fs::write(&path, b"").unwrap();
    let StoreError::Unusable(message) = refused(&path) else {
        panic!("it is unusable")
    };
    assert!(message.contains(&path.display().to_string()), "{message}");
}

#[tokio::test]
async fn two_processes_may_open_a_new_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let folder = DataFolder::open(&path)?;
                SqliteStore::open(&folder).map(drop)
            })
        })
        .collect();
    for opener in openers {
        opener.join().unwrap().unwrap();
    }
}
