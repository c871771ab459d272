//! Damage of the data file is found when it is opened, whatever it is; nothing wrong is read, and what only this
//! computer knew comes back.

use std::fs;
use std::path::{Path, PathBuf};
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::SqliteStore;
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::credential::Generation;
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::ExternalId;
use talkvalue_core::domain::integration::Integration;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::ports::{Absences, Completion, Extent, ItemRecord, Locks, Store, StoreError};
use talkvalue_core::sync::schedule::next_read;
use talkvalue_tests::rounds;
use talkvalue_tests::stored::{add_item, at, commit, integration, open, registration};

const PEOPLE: usize = 300;

fn data_file(folder: &Path) -> PathBuf {
    folder.join("talkvalue.sqlite3")
}

fn copy_of_facts(folder: &Path) -> PathBuf {
    folder.join("talkvalue.lists.json")
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("talkvalue.sqlite3-journal")
}

fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.display().to_string().contains("talkvalue.damaged-"))
        .collect();
    found.sort();
    found
}

/// Everything that a person could be shown.
#[derive(Debug, PartialEq)]
struct Seen {
    integrations: Vec<Integration>,
    items: Vec<ItemRecord>,
    rows: Vec<Vec<(String, Registration)>>,
}

async fn look(store: &SqliteStore) -> Result<Seen, StoreError> {
    let mut items = store.items().await?;
    items.sort_by_key(|record| (record.item.external_id.clone(), record.item.kind.code()));
    let mut rows = Vec::new();
    for record in &items {
        rows.push(store.registrations(&record.item.id, None, PEOPLE * 2).await?);
    }
    Ok(Seen {
        integrations: store.integrations().await?,
        items,
        rows,
    })
}

/// A folder with two lists that are complete, one of them archived, as a closed program leaves it.
async fn filled(folder: &Path) -> Seen {
    let store = open(folder);
    let mut own = integration("1");
    own.generation = Generation::FIRST.next();
    store.save_integration(&own).await.unwrap();
    for (event, kind) in [
        ("990", ItemKind::BadgeEvent),
        ("990", ItemKind::PathEvent),
        ("991", ItemKind::BadgeEvent),
    ] {
        let item = add_item(&store, &own, event, kind).await;
        let described = ProviderEvent {
            external_id: ExternalId::from_text(event),
            title: format!("Harbour Evening {event}"),
            starts_at: Some(at(3_600)),
            ends_at: Some(at(7_200)),
            timezone: Some("Europe/London".to_owned()),
            organization: None,
            headcount: None,
        };
        store.describe_item(&item, &described, at(1)).await.unwrap();
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
        let job = store.open_job(&item, JobKind::Sync, at(3)).await.unwrap();
        let completion = Completion {
            as_of: at(3),
            watermark: Some(at(3)),
            extent: Extent::Everything { pages: 1, gap: None },
            absences: Absences::default(),
            at: at(4),
        };
        store.complete_job(&job, completion).await.unwrap();
        if event == "991" {
            store.archive(&item, at(5)).await.unwrap();
        }
    }
    look(&store).await.unwrap()
}

/// Asserts that the accounts and lists are the same, and that every list is due to be read from its beginning.
fn assert_rebuilt(now: &Seen, before: &Seen) {
    assert_eq!(
        now.integrations, before.integrations,
        "accounts, with the generation that their credentials in the keychain have"
    );
    assert_eq!(now.items.len(), before.items.len(), "every list comes back");
    for (now, before) in now.items.iter().zip(&before.items) {
        let (is, was) = (&now.item, &before.item);
        assert_eq!(
            (&is.id, is.kind, &is.external_id, &is.integration_id, &is.title),
            (
                &was.id,
                was.kind,
                &was.external_id,
                &was.integration_id,
                &was.title
            )
        );
        assert_eq!(
            (is.starts_at, is.ends_at, &is.timezone, is.created_at),
            (was.starts_at, was.ends_at, &was.timezone, was.created_at)
        );
        assert_eq!(
            now.last_synced_at, None,
            "nobody may take an empty list for a complete one"
        );
        assert_eq!((now.reads.watermark, now.counts.total), (None, 0));
        assert_eq!(
            now.last_failure.as_ref().map(|failure| failure.code),
            Some(FailureCode::Interrupted)
        );
        let engine = EngineView {
            running_since: Some(at(9)),
        };
        assert_eq!(
            next_read(now, engine, at(9)).and_then(|read| read.goes_on),
            Some(JobKind::Retry),
            "a running window reads it again by itself, also one that was archived: its people are gone here"
        );
    }
    let (badge, path) = (&now.items[0].item, &now.items[1].item);
    assert_eq!(
        (&badge.external_id, &badge.feed),
        (&path.external_id, &path.feed),
        "views of one event share its rows"
    );
}

#[tokio::test]
async fn whatever_the_damage_the_file_is_set_aside_and_made_anew() {
    type Break = fn(Vec<u8>) -> Vec<u8>;
    let breaks: [(&str, Break); 7] = [
        ("somebody's notes", |_| {
            b"these are somebody's notes, not a database of ours".to_vec()
        }),
        ("cut off in its header", |bytes| bytes[..50].to_vec()),
        ("cut in half", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("a page of zeros", |mut bytes| {
            let middle = bytes.len() / 2 / 4_096 * 4_096;
            bytes[middle..middle + 4_096].fill(0);
            bytes
        }),
        ("all zeros", |bytes| vec![0; bytes.len()]),
        ("grown", |mut bytes| {
            bytes.extend([7; 4_096]);
            bytes
        }),
        ("a letter of a name", |mut bytes| {
            let name = "Δήμητρα".as_bytes();
            let place = bytes.windows(name.len()).position(|window| window == name);
            bytes[place.expect("names stand in the file") + 1] ^= 1;
            bytes
        }),
    ];
    for (damage, breaks) in breaks {
        let folder = tempfile::tempdir().unwrap();
        let before = filled(folder.path()).await;
        let broken = breaks(fs::read(data_file(folder.path())).unwrap());
        fs::write(data_file(folder.path()), &broken).unwrap();

        let store = open(folder.path());
        let told = store
            .mended()
            .unwrap_or_else(|| panic!("{damage}: a person is told"));
        assert_rebuilt(&look(&store).await.unwrap(), &before);
        let aside = set_aside(folder.path());
        assert_eq!(aside.len(), 1, "{damage}: {aside:?}");
        assert_eq!(
            fs::read(&aside[0]).unwrap(),
            broken,
            "{damage}: nothing is destroyed"
        );
        assert!(
            told.contains(&aside[0].display().to_string()) && told.contains("your 3 lists"),
            "{damage}: {told}"
        );
        drop(store);
        assert_eq!(
            open(folder.path()).mended(),
            None,
            "{damage}: the new file is sound"
        );
    }
}

#[tokio::test]
async fn an_empty_or_missing_file_is_made_anew_from_the_copy() {
    for missing in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let before = filled(folder.path()).await;
        if missing {
            fs::remove_file(data_file(folder.path())).unwrap();
        } else {
            fs::write(data_file(folder.path()), b"").unwrap();
        }
        let store = open(folder.path());
        assert!(store.mended().unwrap().contains("gone or empty"));
        assert_rebuilt(&look(&store).await.unwrap(), &before);
        assert!(set_aside(folder.path()).is_empty(), "there is nothing to keep");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(data_file(folder.path()), b"").unwrap();
    assert_eq!(open(folder.path()).mended(), None, "a first start mends nothing");
}

/// Flips one bit after another of the data file in copies of `folder`, and opens each: nothing but what was there
/// before is ever read, and more than `found` of a hundred flips are noticed.
async fn flips_bits(folder: &Path, before: &Seen, found: usize) {
    let flips = rounds("FLIPS", 60);
    let whole = fs::read(data_file(folder)).unwrap();
    let mut draw = {
        let mut state = 0x5eed_u64;
        move |below: usize| {
            // SplitMix64 with a fixed seed: the same places in every run.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
        }
    };
    let mut noticed = 0;
    for round in 0..flips {
        // Every fourth flip hits the header, which is a small part of the file and the most fragile.
        let offset = draw(if round % 4 == 0 { 100 } else { whole.len() });
        let bit = draw(8);
        let copy = copied(folder);
        let mut bytes = whole.clone();
        bytes[offset] ^= 1 << bit;
        fs::write(data_file(copy.path()), bytes).unwrap();

        let place = format!("bit {bit} of byte {offset}");
        let store = match DataFolder::open(copy.path()).and_then(|folder| SqliteStore::open(&folder)) {
            Ok(store) => store,
            // The number of the version: what another version may have written is left untouched.
            Err(StoreError::Newer(_)) if (60..64).contains(&offset) => {
                noticed += 1;
                continue;
            }
            Err(error) => panic!("{place}: it must open: {error}"),
        };
        let now = look(&store).await.unwrap();
        if store.mended().is_some() {
            noticed += 1;
            assert_rebuilt(&now, before);
        } else {
            assert_eq!(&now, before, "{place} was read as if it were right");
        }
    }
    eprintln!("{flips} flips: {noticed} noticed, 0 read as if they were right");
    assert!(
        noticed >= flips * found / 100,
        "only what nobody reads may be flipped without a loss: {noticed} of {flips}"
    );
}

#[tokio::test]
async fn no_flipped_bit_is_ever_read() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    flips_bits(folder.path(), &before, 75).await;
}

#[tokio::test]
async fn no_flipped_bit_is_ever_read_after_a_kill_either() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, before) = killed(folder.path()).await;
    // Without a checksum over the whole file, its unused parts go unnoticed.
    flips_bits(killed.path(), &before, 50).await;
}

#[tokio::test]
async fn what_is_no_text_any_more_is_damage_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, before) = killed(folder.path()).await;
    let whole = fs::read(data_file(killed.path())).unwrap();
    for words in ["PATH_CHANNEL", "CREATE TABLE item", "Harbour"] {
        let places = whole.windows(words.len()).enumerate();
        let places: Vec<usize> = places
            .filter(|(_, bytes)| *bytes == words.as_bytes())
            .map(|(place, _)| place)
            .collect();
        for place in places.into_iter().take(3) {
            let mut bytes = whole.clone();
            // A letter becomes a byte that stands in no text.
            bytes[place] ^= 1 << 7;
            starts_on(killed.path(), bytes, &before, &format!("{words:?} at {place}")).await;
        }
    }
}

#[tokio::test]
async fn a_schema_format_that_sqlite_does_not_know_is_damage_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, before) = killed(folder.path()).await;
    let whole = fs::read(data_file(killed.path())).unwrap();
    // Four bytes of the header (https://www.sqlite.org/fileformat.html).
    for bit in 0..32 {
        let mut bytes = whole.clone();
        bytes[44 + bit / 8] ^= 1 << (bit % 8);
        starts_on(killed.path(), bytes, &before, &format!("bit {bit}")).await;
    }
}

/// Starts on a copy of the folder with another data file, which is made anew, or holds what it held before.
async fn starts_on(folder: &Path, bytes: Vec<u8>, before: &Seen, what: &str) {
    let copy = copied(folder);
    fs::write(data_file(copy.path()), bytes).unwrap();
    let store = open(copy.path());
    let now = look(&store).await.unwrap();
    match store.mended() {
        Some(_) => assert_rebuilt(&now, before),
        None => assert_eq!(&now, before, "{what} is read by nobody"),
    }
}

fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// The folder as a killed program leaves it: with its log, and without a seal.
async fn killed(folder: &Path) -> (tempfile::TempDir, Seen) {
    let before = filled(folder).await;
    let store = open(folder);
    store.end_orphaned_jobs(at(5)).await.unwrap();
    (copied(folder), before)
}

#[tokio::test]
async fn a_killed_programs_file_is_checked_and_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (copy, before) = killed(folder.path()).await;
    let store = open(copy.path());
    assert_eq!(store.mended(), None, "a kill damages nothing");
    assert_eq!(look(&store).await.unwrap(), before);
}

#[tokio::test]
async fn torn_structure_is_found_without_a_seal() {
    let folder = tempfile::tempdir().unwrap();
    let (copy, before) = killed(folder.path()).await;
    let mut bytes = fs::read(data_file(copy.path())).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xa5);
    fs::write(data_file(copy.path()), bytes).unwrap();
    let store = open(copy.path());
    assert!(store.mended().is_some());
    assert_rebuilt(&look(&store).await.unwrap(), &before);
}

#[tokio::test]
async fn damage_met_while_open_is_mended_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let store = open(folder.path());
    let mut bytes = fs::read(data_file(folder.path())).unwrap();
    // All but the first page, which says what the tables are.
    bytes[4_096..].fill(0xa5);
    fs::write(data_file(folder.path()), bytes).unwrap();
    let Err(StoreError::Unusable(message)) = look(&store).await else {
        panic!("what is damaged is never answered")
    };
    assert!(
        message.contains("damaged") && message.contains("start it again"),
        "{message}"
    );
    let other = DataFolder::open(folder.path()).unwrap();
    assert!(
        !matches!(SqliteStore::open(&other), Ok(store) if store.mended().is_some()),
        "a file that somebody has open is not moved away under him"
    );
    assert!(set_aside(folder.path()).is_empty());
    drop(store);
    let store = open(folder.path());
    assert!(store.mended().is_some());
    assert_rebuilt(&look(&store).await.unwrap(), &before);
}

#[tokio::test]
async fn only_who_may_sync_sets_a_file_aside() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    fs::write(data_file(folder.path()), b"torn").unwrap();
    let opened = DataFolder::open(folder.path()).unwrap();
    let turn = opened.try_sync().unwrap();
    let Err(StoreError::Unusable(message)) = SqliteStore::open(&opened) else {
        panic!("another process syncs")
    };
    assert!(message.contains("another TalkValue Sync"), "{message}");
    assert_eq!(fs::read(data_file(folder.path())).unwrap(), b"torn");
    drop(turn);
    assert!(SqliteStore::open(&opened).unwrap().mended().is_some());
}

#[tokio::test]
async fn the_newest_damaged_file_is_kept_and_goes_when_a_list_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let older = folder.path().join("talkvalue.damaged-20260101T000000.sqlite3");
    fs::write(&older, b"older").unwrap();
    fs::write(data_file(folder.path()), b"newer").unwrap();
    let store = open(folder.path());
    let kept = set_aside(folder.path());
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::read(&kept[0]).unwrap(), b"newer");
    let item = store.items().await.unwrap().remove(0).item;
    store.remove(&item.id).await.unwrap();
    assert!(
        set_aside(folder.path()).is_empty(),
        "it could hold the people who were to be erased"
    );
}

#[tokio::test]
async fn the_copy_follows_every_change_and_holds_no_attendee() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let text = || fs::read_to_string(copy_of_facts(folder.path())).unwrap();
    assert!(text().contains("Harbour Evening 991") && text().contains("robin@harbour.example"));
    assert!(
        !text().contains("guests.example") && !text().contains("Δήμητρα"),
        "people stand in the data file only"
    );
    let store = open(folder.path());
    store.remove(&before.items[2].item.id).await.unwrap();
    assert!(
        !text().contains("991"),
        "what a person removed is gone from the copy too"
    );
    drop(store);
    fs::write(data_file(folder.path()), b"torn").unwrap();
    assert_eq!(
        open(folder.path()).items().await.unwrap().len(),
        2,
        "and does not come back"
    );

    // A copy that is older than the file, or none, is made anew by a start.
    fs::remove_file(copy_of_facts(folder.path())).unwrap();
    drop(open(folder.path()));
    assert!(text().contains("Harbour Evening 990"));
}

#[tokio::test]
async fn a_damaged_copy_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let copy = copy_of_facts(folder.path());
    fs::write(
        &copy,
        fs::read_to_string(&copy).unwrap().replace("Evening", "Morning"),
    )
    .unwrap();
    fs::write(data_file(folder.path()), b"torn").unwrap();
    let store = open(folder.path());
    let told = store.mended().unwrap();
    assert!(
        told.contains("No copy of your accounts and lists") && told.contains("import the lists again"),
        "{told}"
    );
    assert!(store.items().await.unwrap().is_empty());
    assert_eq!(
        set_aside(folder.path()).len(),
        1,
        "the damaged file is kept all the same"
    );
}

/// A window that is closed while its engine still holds the store is killed by its own end.
#[tokio::test]
async fn a_settled_file_is_sealed_until_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let seal = folder.path().join("talkvalue.seal");
    let store = open(folder.path());
    store.end_orphaned_jobs(at(5)).await.unwrap();
    let reader = open(folder.path());
    store.settle().await.unwrap();
    assert!(!seal.exists(), "the other one may write at any time");
    drop(reader);
    store.settle().await.unwrap();
    assert!(seal.exists());
    let reader = open(folder.path());
    assert_eq!(reader.mended(), None, "others come in as before");
    store.end_orphaned_jobs(at(6)).await.unwrap();
    assert!(!seal.exists(), "a late write takes it off");
}

/// A good file would be called damaged if the seal did not come off before the first write.
#[tokio::test]
async fn a_program_that_only_reads_leaves_the_seal_and_a_kill_after_a_write_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let seal = folder.path().join("talkvalue.seal");
    let sealed = fs::read(&seal).unwrap();
    let store = open(folder.path());
    look(&store).await.unwrap();
    assert_eq!(fs::read(&seal).unwrap(), sealed, "reading breaks no seal");
    store.end_orphaned_jobs(at(5)).await.unwrap();
    assert!(!seal.exists(), "a write does, before it happens");
    let other = open(folder.path());
    drop(store);
    assert!(
        !seal.exists(),
        "while somebody has the file open, nobody seals it"
    );
    drop(other);
    assert!(seal.exists(), "the last one does");
}

/// SQLite's "The Rollback Journal", as it stands beside the first page while that is written, the only one that has a
/// journal: its mark, no pages, a nonce, a file that had no pages, the sizes of sectors and pages.
fn journal_of_a_first_page() -> Vec<u8> {
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0_u32, 7, 0, 512, 4_096] {
        journal.extend(number.to_be_bytes());
    }
    journal.resize(512, 0);
    journal
}

#[test]
fn a_first_start_whose_first_page_was_lost_begins_again() {
    let pages: [(&str, Vec<u8>); 3] = [
        ("zeros", vec![0; 4_096]),
        (
            "noise",
            (0..4_096_u32).map(|place| place.to_le_bytes()[0]).collect(),
        ),
        ("not even a header", vec![0; 50]),
    ];
    for (what, page) in pages {
        let folder = tempfile::tempdir().unwrap();
        fs::write(data_file(folder.path()), &page).unwrap();
        fs::write(journal(folder.path()), journal_of_a_first_page()).unwrap();
        for start in ["the first", "the next"] {
            let store = open(folder.path());
            assert_eq!(
                store.mended(),
                None,
                "{what}, {start} start: nothing was ever in it that could be damaged"
            );
        }
    }
}

/// A journal that stayed where it is would be played back into the new file.
#[tokio::test]
async fn a_damaged_file_takes_its_journal_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let account = integration("1");
    open(folder.path()).save_integration(&account).await.unwrap();
    fs::write(data_file(folder.path()), b"torn").unwrap();
    fs::write(journal(folder.path()), journal_of_a_first_page()).unwrap();
    for mended in [true, false] {
        let store = open(folder.path());
        assert_eq!(store.mended().is_some(), mended);
        assert_eq!(
            store.integrations().await.unwrap(),
            std::slice::from_ref(&account)
        );
    }
}
