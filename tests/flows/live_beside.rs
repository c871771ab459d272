//! What befalls one list costs the others nothing while they are kept live: storage that fails, an item that is removed or
//! kept as an archive in the middle of its read.

use crate::lanes::pulls;
use crate::live::{Open, PATIENCE, green};
use crate::stage::Stage;
use std::time::Duration;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::Freshness;
use talkvalue_core::domain::ids::{ExternalId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::PausePoint;
use talkvalue_tests::desk::patient;

/// Rows of jobs that the data file refuses to change, until dropped.
struct Refusal(rusqlite::Connection);

impl Refusal {
    fn of(stage: &Stage, jobs: &str) -> Self {
        let file = stage.desk.folder.path().join("talkvalue.sqlite3");
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TRIGGER refusal BEFORE UPDATE ON job WHEN {jobs} BEGIN SELECT raise(ABORT, 'refused'); END"
            ))
            .unwrap();
        Self(connection)
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.execute_batch("DROP TRIGGER refusal").unwrap();
    }
}

/// Three lists that are live. The read of one is held up and takes one of the two places of its account.
struct HeldUp {
    stage: Stage,
    open: Open,
    others: [ItemId; 2],
    busy: ItemId,
    standstill: PausePoint,
}

async fn one_is_held_up() -> HeldUp {
    let (stage, busy) = Stage::imported(Provider::Luma, 12).await;
    let mut others = Vec::new();
    for title in ["Rope Splicing", "Sail Mending"] {
        let event = stage.add_event(title, 9);
        let imported = stage
            .desk
            .import(&stage.integration, &event, ItemKind::BadgeEvent)
            .await;
        others.push(imported.unwrap().id);
    }
    let open = Open::over(&stage, stage.desk.restarted());
    for item in others.iter().chain([&busy]) {
        open.until(item, "the first check", green).await;
    }
    let others: [ItemId; 2] = others.try_into().unwrap();
    let works = async |item: &ItemId| open.shows(item).await.active_job.is_some();
    // A read that was due anyway may have come first: then once more.
    let standstill = loop {
        for item in others.iter().chain([&busy]) {
            while works(item).await {
                tokio::task::yield_now().await;
            }
        }
        let standstill = stage.door().pause_at(1);
        pulls(&open.runner, &busy).await;
        standstill.reached().await;
        if works(&busy).await && !works(&others[0]).await && !works(&others[1]).await {
            break standstill;
        }
    };
    HeldUp {
        stage,
        open,
        others,
        busy,
        standstill,
    }
}

impl HeldUp {
    /// The read of another list that is due is held up, too, and the third waits for its place.
    async fn another_one(&self) -> (PausePoint, ItemId, ItemView) {
        let standstill = self.stage.door().pause_at(1);
        while !standstill.is_reached() {
            self.open.passes(1).await;
        }
        // By then the other one is due, too.
        self.open.passes(90).await;
        let [one, other] = &self.others;
        let (reads, waits) = match self.open.shows(one).await.active_job {
            Some(_) => (one, other),
            None => (other, one),
        };
        let waits = self.open.shows(waits).await;
        assert_eq!(waits.active_job, None, "it has no place yet");
        (standstill, reads.clone(), waits)
    }

    /// Waits until the list is read again. No time passes meanwhile.
    async fn is_read_at_once(&self, before: &ItemView) {
        let read = async {
            while self.open.shows(&before.id).await.last_synced_at == before.last_synced_at {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the next list is read at once");
    }
}

#[tokio::test]
async fn a_job_whose_end_could_not_be_saved_keeps_nobody_else_from_being_read() {
    let at = one_is_held_up().await;
    let [broken, well] = &at.others;
    let refusal = Refusal::of(&at.stage, &format!("NEW.item_id = '{}'", broken.as_str()));
    let started = at.open.ports.clock.now();
    at.open
        .until(well, "the reads going on beside it", |view| {
            view.last_synced_at
                .is_some_and(|read| read.duration_since(started).as_secs() >= 200)
        })
        .await;
    assert_eq!(
        at.open.shows(broken).await.sync_status,
        SyncStatus::Active,
        "trouble of this computer is nobody's failure"
    );
    drop(refusal);
    let mended = at.open.ports.clock.now();
    at.open
        .until(broken, "its own reads once it can be saved", |view| {
            green(view) && view.last_synced_at > Some(mended)
        })
        .await;
    assert!(
        at.open.shows(&at.busy).await.active_job.is_some(),
        "all that while a job kept the turn"
    );
    drop(at.standstill);
}

#[tokio::test]
async fn an_import_that_the_storage_stopped_waits_and_goes_on_by_itself() {
    let stage = Stage::open(Provider::Luma, 12).await;
    let open = Open::over(&stage, stage.desk.restarted());
    let refusal = Refusal::of(&stage, "NEW.end_code = 'COMPLETED'");
    let turn = open.runner.turn().await.unwrap();
    let event = ExternalId::from_text(stage.event.as_str());
    let kind = ItemKind::BadgeEvent;
    let begun = actions::begin_import(&open.ports, &turn, &stage.integration, &event, kind).await;
    let item = open.runner.run_in_background(turn, begun.unwrap(), patient()).id;
    let paused = open
        .until(&item, "the pause", |view| view.waiting.is_some())
        .await;
    assert_eq!(
        (paused.waiting.map(|waiting| waiting.code), paused.freshness),
        (Some(FailureCode::StorageFailed), Freshness::Paused)
    );
    drop(refusal);
    open.until(&item, "the rest of the import", green).await;
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn an_item_that_is_removed_in_the_middle_of_its_read_costs_the_others_nothing() {
    let at = one_is_held_up().await;
    let (standstill, removed, waits) = at.another_one().await;
    let turn = at.open.runner.turn().await.unwrap();
    // Nobody has stopped its read: it began in the moment of the click.
    actions::remove_item_in(&at.open.ports, &turn, &removed)
        .await
        .unwrap();
    drop(standstill);
    at.is_read_at_once(&waits).await;
}

#[tokio::test]
async fn what_is_kept_as_an_archive_is_no_longer_read_from_that_moment() {
    let at = one_is_held_up().await;
    let (standstill, kept, waits) = at.another_one().await;
    let turn = at.open.runner.turn().await.unwrap();
    // As the window does.
    at.open.runner.stop(&kept).await;
    let archived = actions::keep_item_in(&at.open.ports, &turn, &kept).await.unwrap();
    assert_eq!((archived.archived, archived.active_job), (true, None));
    // Its request still stands: nobody waits for the answer.
    at.is_read_at_once(&waits).await;
    drop(standstill);
}
