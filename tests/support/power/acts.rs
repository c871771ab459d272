//! What the recorded processes do: each act is one process over the folder that the act before it left, through the real
//! store. An act ends by closing the store, or as a killed process does.

use crate::stored::{add_item, at, integration, registration};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::store::{MIGRATIONS, SqliteStore};
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::failure::{Failure, FailureCode};
use talkvalue_core::domain::ids::{ExternalId, ItemId, JobId, RegistrationId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::ports::{Absences, Completion, Cursor, Extent, PageCommit, Store, WalkMark};
use talkvalue_core::sync::plan::plan_page;

/// Tell a process which act it plays, and where.
const ACT: &str = "TALKVALUE_TEST_POWER_ACT";
const FOLDER: &str = "TALKVALUE_TEST_POWER_FOLDER";

const DATA_FILE: &str = "talkvalue.sqlite3";
const PAGE: u64 = 50;
/// What makes a page of people so heavy that SQLite soon empties its log by itself.
const LONG: usize = 1_000;

/// A step that rewrites every row, as a later version may bring it.
const NEXT: &str = "
    CREATE TABLE later (feed INTEGER NOT NULL, external_id TEXT NOT NULL, copy TEXT) STRICT;
    INSERT INTO later SELECT feed, external_id, hex(zeroblob(200)) FROM registration;
    ALTER TABLE item ADD COLUMN note TEXT;
    UPDATE registration SET version = version;";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// A first start: an account, three lists, two pages of people. Killed.
    Begins,
    /// Goes on after a kill: so many pages that SQLite empties its log by itself. Closed.
    GoesOn,
    /// Only reads. Closed.
    Reads,
    /// Writes, settles as a window does that is about to be closed, writes once more. Killed.
    Settles,
    /// Changes of people, of lists and of the account. Closed.
    Changes,
    /// Connects another account and adds a list of it. Killed as soon as the person was told.
    Connects,
    /// Removes a list. Killed as soon as the person was told.
    Removes,
    /// A later version brings the file up to date and goes on. Closed.
    Updates,
    /// A letter of the file goes bad while nobody has it open: the next start sets it aside and makes a new one. Closed.
    Mends,
}

impl Act {
    const ALL: [Act; 9] = [
        Act::Begins,
        Act::GoesOn,
        Act::Reads,
        Act::Settles,
        Act::Changes,
        Act::Connects,
        Act::Removes,
        Act::Updates,
        Act::Mends,
    ];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// Whether everything is to be on the disk at its end.
    pub(super) fn ends_synced(self) -> bool {
        !matches!(self, Act::Begins | Act::Settles)
    }

    /// Makes of a program that calls [`plays_if_asked`] the process of this act.
    pub(super) fn over(self, folder: &Path, mut program: Command) -> Command {
        program.env(ACT, self.name()).env(FOLDER, folder);
        program
    }
}

/// What the version that opens a file of this story knows.
pub(super) fn steps(updated: bool) -> Vec<&'static str> {
    let next: &[&str] = if updated { &[NEXT] } else { &[] };
    [MIGRATIONS, next].concat()
}

/// Plays the act that the parent process asked for, and ends the process. Comes back if nobody asked.
pub fn plays_if_asked() {
    let (Some(name), Some(folder)) = (std::env::var_os(ACT), std::env::var_os(FOLDER)) else {
        return;
    };
    let act = Act::ALL.into_iter().find(|act| *act.name() == *name);
    let act = act.expect("a parent asks for acts that there are");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(plays(act, Path::new(&folder)));
    // What was not closed stays as it is, as after a kill.
    std::process::exit(0);
}

async fn plays(act: Act, folder: &Path) {
    if act == Act::Mends {
        goes_bad(folder);
    }
    let store =
        SqliteStore::open_with(&DataFolder::open(folder).unwrap(), &steps(act == Act::Updates)).unwrap();
    assert_eq!(
        store.mended().is_some(),
        act == Act::Mends,
        "{:?}",
        store.mended()
    );
    match act {
        Act::Begins => begins(&store).await,
        Act::GoesOn => goes_on(&store).await,
        Act::Reads => {
            store.items().await.unwrap();
        }
        Act::Settles => {
            for second in [40, 41] {
                touches(&store, second).await;
                store.settle().await.unwrap();
            }
            touches(&store, 42).await;
        }
        Act::Changes => changes(&store).await,
        Act::Connects => {
            let account = integration("2");
            store.save_integration(&account).await.unwrap();
            add_item(&store, &account, "992", ItemKind::BadgeEvent).await;
        }
        Act::Removes => {
            let item = items(&store).await.remove(0);
            store.remove(&item).await.unwrap();
        }
        Act::Updates | Act::Mends => {
            touches(&store, 90).await;
            let item = items(&store).await.remove(0);
            reads_list(&store, &item, 0..3, 91).await;
        }
    }
    if matches!(act, Act::Begins | Act::Settles | Act::Connects | Act::Removes) {
        std::mem::forget(store);
    }
}

async fn begins(store: &SqliteStore) {
    let account = integration("1");
    store.save_integration(&account).await.unwrap();
    for (event, kind) in [
        ("990", ItemKind::BadgeEvent),
        ("990", ItemKind::PathEvent),
        ("991", ItemKind::BadgeEvent),
    ] {
        let item = add_item(store, &account, event, kind).await;
        describes(store, &item, event, "Harbour Evening").await;
    }
    let item = items(store).await.remove(0);
    let job = store.open_job(&item, JobKind::Import, at(3)).await.unwrap();
    for page in 0..2 {
        commits_page(store, &item, &job, page, 4).await;
    }
}

async fn goes_on(store: &SqliteStore) {
    store.end_orphaned_jobs(at(10)).await.unwrap();
    let items = items(store).await;
    for second in 20..24 {
        reads_list(store, &items[0], 0..6, second).await;
    }
    reads_list(store, &items[2], 0..2, 30).await;
}

async fn changes(store: &SqliteStore) {
    store.end_orphaned_jobs(at(50)).await.unwrap();
    let items = items(store).await;
    reads_list(store, &items[0], 0..2, 60).await;
    describes(store, &items[0], "990", "Harbour Morning").await;
    let account = store.integrations().await.unwrap().remove(0);
    let refused = Failure {
        code: FailureCode::CredentialsRejected,
        at: at(61),
        detail: None,
    };
    store
        .sever(&account.id, account.generation, &refused)
        .await
        .unwrap();
    let mut renewed = integration("1");
    renewed.id = account.id;
    renewed.generation = account.generation.next();
    store.save_integration(&renewed).await.unwrap();
    for item in &items {
        store.confirm_reconnect(item, &renewed.id, at(62)).await.unwrap();
    }
    let last = items.last().expect("a list is left");
    store.archive(last, at(63)).await.unwrap();
    reads_list(store, &items[0], 1..2, 64).await;
}

/// A read of one list from its beginning to its end.
async fn reads_list(store: &SqliteStore, item: &ItemId, pages: std::ops::Range<u64>, second: i64) {
    let job = store.open_job(item, JobKind::Sync, at(second)).await.unwrap();
    for page in pages.clone() {
        commits_page(store, item, &job, page, second).await;
    }
    let completion = Completion {
        as_of: at(second),
        watermark: Some(at(second)),
        extent: Extent::Everything {
            pages: pages.end,
            gap: None,
        },
        absences: Absences::default(),
        at: at(second + 1),
    };
    store.complete_job(&job, completion).await.unwrap();
}

/// A page as a walk stores it: rows, journal, and where the walk stands. The rows say when they were read.
async fn commits_page(store: &SqliteStore, item: &ItemId, job: &JobId, page: u64, second: i64) {
    let feed = store.item(item).await.unwrap().unwrap().item.feed;
    let rows: Vec<Registration> = (page * PAGE..(page + 1) * PAGE)
        .map(|number| {
            let mut row = registration(
                &number.to_string(),
                &format!("{number}@guests.example"),
                AttendeeStatus::Attending,
            );
            row.name = Some(format!("Guest {number}, as read at {second}{}", " ".repeat(LONG)));
            row.version = at(second).as_microsecond();
            row
        })
        .collect();
    let ids: Vec<RegistrationId> = rows.iter().map(|row| row.external_id.clone()).collect();
    let stored = store.stored(&feed, &ids).await.unwrap();
    let plan = plan_page(rows, stored);
    let mark = WalkMark {
        as_of: at(second),
        place: (page > 0).then(|| Cursor(page.to_string())),
        next: Some(Cursor((page + 1).to_string())),
        first_count: None,
        last_count: None,
    };
    store
        .commit_page(PageCommit {
            job,
            feed: &feed,
            plan: &plan,
            set_aside: &[],
            readable: &ids,
            mark: Some(&mark),
            is_news: false,
            done: (page + 1) * PAGE,
            total: None,
            at: at(second),
        })
        .await
        .unwrap();
}

async fn touches(store: &SqliteStore, second: i64) {
    let account = store.integrations().await.unwrap().remove(0);
    store.mark_verified(&account.id, at(second)).await.unwrap();
}

async fn describes(store: &SqliteStore, item: &ItemId, event: &str, title: &str) {
    let event = ProviderEvent {
        external_id: ExternalId::from_text(event),
        title: format!("{title} {event}"),
        starts_at: Some(at(3_600)),
        ends_at: Some(at(7_200)),
        timezone: Some("Europe/London".to_owned()),
        organization: None,
        headcount: None,
    };
    store.describe_item(item, &event, at(1)).await.unwrap();
}

/// All lists, always in the same order.
async fn items(store: &SqliteStore) -> Vec<ItemId> {
    let mut records = store.items().await.unwrap();
    records.sort_by_key(|record| (record.item.external_id.clone(), record.item.kind.code()));
    records.into_iter().map(|record| record.item.id).collect()
}

/// Long after the file was closed a letter of a name changes. It is on the disk at once: nobody's program wrote it.
fn goes_bad(folder: &Path) {
    // By now the seal has reached the disk, without which a changed letter is not found.
    fs::File::open(folder).unwrap().sync_all().unwrap();
    let path = folder.join(DATA_FILE);
    let bytes = fs::read(&path).unwrap();
    let place = bytes.windows(5).rposition(|window| window == b"Guest").unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"g", place as u64).unwrap();
    file.sync_all().unwrap();
}
