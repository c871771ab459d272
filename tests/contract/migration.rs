//! An older data file is brought up to date as a whole or stays as it was.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::{MIGRATIONS, SqliteStore};
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::integration::Integration;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::ports::{ItemRecord, Store, StoreError};
use talkvalue_tests::rounds;
use talkvalue_tests::stored::{add_item, commit, integration, registration};

const PEOPLE: usize = 400;
const COPY: &str = "talkvalue.before-update.sqlite3";
/// Tells the child which folder it migrates.
const CHILD: &str = "TALKVALUE_TEST_MIGRATES";

/// A step that rewrites every row and takes its time, so that there is a middle to be killed in.
const NEXT: &str = "
    CREATE TABLE later (feed INTEGER NOT NULL, external_id TEXT NOT NULL, copy TEXT) STRICT;
    WITH RECURSIVE times (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM times WHERE n < 40)
    INSERT INTO later SELECT feed, external_id, hex(randomblob(400)) FROM registration, times;
    ALTER TABLE item ADD COLUMN note TEXT;
    UPDATE registration SET version = version;";
const FAILS: &str = "ALTER TABLE item ADD COLUMN second_note TEXT; INSERT INTO item (id) VALUES ('nobody');";

fn with(steps: &[&'static str]) -> Vec<&'static str> {
    [MIGRATIONS, steps].concat()
}

fn open(folder: &Path, steps: &[&str]) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_with(&DataFolder::open(folder)?, steps)
}

fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap()
}

fn version(folder: &Path) -> i64 {
    rusqlite::Connection::open(folder.join("talkvalue.sqlite3"))
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

type Seen = (
    Vec<Integration>,
    Vec<ItemRecord>,
    Vec<Vec<(String, Registration)>>,
);

async fn look(store: &SqliteStore) -> Seen {
    let items = store.items().await.unwrap();
    let mut rows = Vec::new();
    for record in &items {
        rows.push(
            store
                .registrations(&record.item.id, None, PEOPLE * 2)
                .await
                .unwrap(),
        );
    }
    (store.integrations().await.unwrap(), items, rows)
}

/// A folder as the version of today leaves it.
async fn filled(folder: &Path) -> Seen {
    let store = open(folder, MIGRATIONS).unwrap();
    let own = integration("1");
    store.save_integration(&own).await.unwrap();
    let item = add_item(&store, &own, "990", ItemKind::BadgeEvent).await;
    let people = (0..PEOPLE)
        .map(|number| {
            registration(
                &number.to_string(),
                &format!("{number}@guests.example"),
                AttendeeStatus::Attending,
            )
        })
        .collect();
    commit(&store, &item, people, &[]).await;
    look(&store).await
}

#[tokio::test]
async fn an_older_file_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let store = open(folder.path(), &with(&[NEXT])).unwrap();
    assert_eq!(store.mended(), None);
    assert_eq!(look(&store).await, before);
    drop(store);
    assert_eq!(version(folder.path()), latest() + 1);
    assert!(
        !folder.path().join(COPY).exists(),
        "the copy has done its service"
    );
    assert!(
        matches!(open(folder.path(), MIGRATIONS), Err(StoreError::Newer(_))),
        "today's version refuses it"
    );
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_file_to_the_version_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    for _ in 0..2 {
        let Err(StoreError::Unusable(message)) = open(folder.path(), &with(&[NEXT, FAILS])) else {
            panic!("a step fails")
        };
        assert!(
            message.contains("could not be brought up to date") && message.contains("left as it is"),
            "{message}"
        );
        assert_eq!(
            version(folder.path()),
            latest(),
            "the steps before it are taken back"
        );
    }
    let copy = rusqlite::Connection::open(folder.path().join(COPY)).unwrap();
    let kept: i64 = copy
        .query_row("SELECT count(*) FROM registration", [], |row| row.get(0))
        .unwrap();
    assert_eq!(
        usize::try_from(kept).unwrap(),
        PEOPLE,
        "after a failure the copy stays"
    );
    drop(copy);
    let mut store = open(folder.path(), MIGRATIONS).unwrap();
    assert_eq!(store.mended(), None);
    assert_eq!(look(&store).await, before);
    // A process that another test is just starting holds our locks until it has become its program: a start beside it
    // is not alone, and leaves the copy to the next one.
    for _ in 0..100 {
        if folder.path().join(COPY).exists() {
            drop(store);
            store = open(folder.path(), MIGRATIONS).unwrap();
        }
    }
    assert!(
        !folder.path().join(COPY).exists(),
        "a good start needs no copy: it would keep people who are removed later"
    );
}

#[tokio::test]
async fn a_step_that_tears_the_file_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let orphans = "UPDATE registration SET feed = 77;";
    assert!(matches!(
        open(folder.path(), &with(&[orphans])),
        Err(StoreError::Unusable(_))
    ));
    assert_eq!(look(&open(folder.path(), MIGRATIONS).unwrap()).await, before);
}

#[tokio::test]
async fn a_file_that_an_older_version_has_open_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let older = open(folder.path(), MIGRATIONS).unwrap();
    let Err(StoreError::Unusable(message)) = open(folder.path(), &with(&[NEXT])) else {
        panic!("its tables would change under the older one")
    };
    assert!(message.contains("close the older one"), "{message}");
    drop(older);
    assert!(open(folder.path(), &with(&[NEXT])).is_ok());
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_that_migrates() {
    let folder = std::env::var_os(CHILD).expect("its parent names the folder");
    open(Path::new(&folder), &with(&[NEXT])).unwrap();
}

#[tokio::test]
async fn a_kill_in_the_middle_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let length = |folder: &Path, name: &str| fs::metadata(folder.join(name)).map_or(0, |data| data.len());
    let kills = u64::try_from(rounds("MIGRATION_KILLS", 20)).unwrap();
    let while_copying = kills / 5;
    let (mut killed, mut old, mut new) = (0, 0, 0);
    for round in 0..kills {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "migration::child_that_migrates", "--ignored"])
            .env(CHILD, copy.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It dies as soon as it has come so far: a part of the copy, then more and more of the log, then the file.
        let reached = || match round.checked_sub(while_copying) {
            None => length(copy.path(), COPY) > round * 80_000 / while_copying,
            Some(later) => {
                length(copy.path(), "talkvalue.sqlite3-wal") > later * 16_000_000 / (kills - while_copying)
            }
        };
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if reached() {
                break None;
            }
        };
        match ended {
            Some(status) => assert!(status.success(), "{status}"),
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
            }
        }
        match open(copy.path(), MIGRATIONS) {
            Ok(store) => {
                old += 1;
                assert_eq!(store.mended(), None, "round {round}: a kill damages nothing");
                assert_eq!(look(&store).await, before, "round {round}");
            }
            Err(StoreError::Newer(_)) => new += 1,
            Err(error) => panic!("round {round}: {error}"),
        }
        let store = open(copy.path(), &with(&[NEXT])).unwrap();
        assert_eq!(store.mended(), None, "round {round}");
        assert_eq!(
            look(&store).await,
            before,
            "round {round}: and the update goes through afterwards"
        );
        assert!(!copy.path().join(COPY).exists());
    }
    eprintln!(
        "{kills} updates: {killed} killed, {old} left the old file, {new} the new one, 0 anything else"
    );
    assert!(
        killed >= kills / 2 && old > 0,
        "too few died in the middle: {killed} killed, {old} old, {new} new"
    );
}
