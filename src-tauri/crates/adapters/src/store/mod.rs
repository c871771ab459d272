//! The database: SQLite in the data folder. One method of the `Store` port is one transaction.
//!
//! Calls run on the blocking pool, one at a time; waiting for another process is bounded by [`open::BUSY_TIMEOUT`].

mod absences;
mod costs;
mod damage;
mod facts;
mod file;
mod history;
mod integrations;
mod items;
mod jobs;
mod local_facts;
mod members;
mod migrate;
mod open;
mod presence;
mod registrations;
mod seal;
mod sums;
mod support_facts;
mod walks;

use crate::data_folder::DataFolder;
use async_trait::async_trait;
use file::OpenFile;
use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use talkvalue_core::domain::attendee::Registration;
use talkvalue_core::domain::credential::Generation;
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::failure::{Failure, Waiting};
use talkvalue_core::domain::ids::{
    AccountId, ExternalId, FeedId, IntegrationId, ItemId, JobId, RegistrationId,
};
use talkvalue_core::domain::integration::Integration;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::job::{JobEnd, JobKind};
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::ports::{
    Completion, ItemRecord, MemberRecord, Neighbour, NewItem, OpenWalk, Order, PageCommit, Renewed, RowMark,
    Ruling, Severance, Stocktaking, Store, StoreError,
};
use talkvalue_core::query::history::{Activity, ChangeMark, ChangeRecord, EndedJob};
use talkvalue_core::sync::absence::Unlisted;

/// The store of one data folder.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    file: Arc<OpenFile>,
    /// The state of the file that [`Store::changed_elsewhere`] spoke of last.
    seen: Arc<AtomicI64>,
}

/// How often another process's word is looked for: well within the second that it may take.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The schema this version writes.
pub const SCHEMA_VERSION: usize = open::SCHEMA_VERSION;

/// The steps that make it, for tests that go on with steps of their own.
#[doc(hidden)]
pub const MIGRATIONS: &[&str] = open::MIGRATIONS;

impl SqliteStore {
    /// Opens the folder's database, making or migrating it. A newer one is refused and left untouched; a damaged one is
    /// set aside and made anew with the accounts and lists of its copy, see [`Store::mended`].
    pub fn open(folder: &DataFolder) -> Result<Self, StoreError> {
        Self::open_with(folder, open::MIGRATIONS)
    }

    /// Opens as a version with these migrations would, step *n* making version *n*. For tests of what is not written
    /// yet.
    #[doc(hidden)]
    pub fn open_with(folder: &DataFolder, migrations: &[&str]) -> Result<Self, StoreError> {
        let opened = open::open(folder, migrations)?;
        Ok(Self {
            file: Arc::new(OpenFile {
                connection: Mutex::new(opened.connection),
                presence: opened.presence,
                folder: folder.clone(),
                mended: opened.mended,
                written: AtomicBool::new(false),
                damaged: AtomicBool::new(false),
                log_to_empty: AtomicBool::new(false),
            }),
            seen: Arc::default(),
        })
    }

    /// Runs `work` on the blocking pool in one transaction that is committed if it succeeds.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_file(move |file, connection| file.write(connection, work))
            .await
    }

    /// Like `write`, for what changes which accounts or items there are: their copy is brought up to date with it, and
    /// once it is done no power cut takes it back, because no provider could tell it again.
    async fn write_local<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_file(move |file, connection| {
            open::sync_commits(connection, true)?;
            let written = file.write(connection, |transaction| {
                let value = work(transaction)?;
                // Before the commit, while no other process can change them: copies are written in the order of
                // changes. Should the commit fail, the next change or start writes the copy again.
                local_facts::refresh(&file.folder, transaction)?;
                Ok(value)
            });
            // Where this fails, later commits take longer, and that is all.
            let _ = open::sync_commits(connection, false);
            written
        })
        .await
    }

    /// Runs `work` on the blocking pool over one consistent picture.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_file(move |_, connection| Ok(work(&connection.transaction()?)?))
            .await
    }

    async fn with_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&OpenFile, &mut Connection) -> Result<T, open::Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || {
            // A panic while the lock was held rolled its transaction back: the connection is still good.
            let mut connection = file.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let result = work(&file, &mut connection).map_err(|trouble| file.met(trouble));
            if file.log_to_empty.load(Ordering::Acquire) {
                file.empty_log(&connection, Duration::ZERO);
            }
            result
        })
        .await
        .unwrap_or_else(|_| {
            Err(StoreError::Unusable(
                "The database worker stopped unexpectedly.".to_owned(),
            ))
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn integrations(&self) -> Result<Vec<Integration>, StoreError> {
        self.read(integrations::all).await
    }

    async fn integration(&self, id: &IntegrationId) -> Result<Option<Integration>, StoreError> {
        let id = id.clone();
        self.read(move |transaction| integrations::one(transaction, &id))
            .await
    }

    async fn integration_of_account(
        &self,
        provider: Provider,
        account: &AccountId,
        api_origin: &Origin,
    ) -> Result<Option<Integration>, StoreError> {
        let (account, api_origin) = (account.clone(), api_origin.clone());
        self.read(move |transaction| integrations::of_account(transaction, provider, &account, &api_origin))
            .await
    }

    async fn save_integration(&self, integration: &Integration) -> Result<(), StoreError> {
        let integration = integration.clone();
        self.write_local(move |transaction| integrations::save(transaction, &integration))
            .await
    }

    async fn mark_verified(&self, id: &IntegrationId, at: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |transaction| integrations::mark_verified(transaction, &id, at))
            .await
    }

    async fn note_renewal(
        &self,
        id: &IntegrationId,
        generation: Generation,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |transaction| integrations::note_renewal(transaction, &id, generation, at))
            .await
    }

    async fn end_renewal(&self, id: &IntegrationId, renewed: Option<&Renewed>) -> Result<(), StoreError> {
        let (id, renewed) = (id.clone(), renewed.cloned());
        self.write(move |transaction| integrations::end_renewal(transaction, &id, renewed.as_ref()))
            .await
    }

    async fn sever(
        &self,
        id: &IntegrationId,
        generation: Generation,
        failure: &Failure,
    ) -> Result<Severance, StoreError> {
        let (id, failure) = (id.clone(), failure.clone());
        self.write_local(move |transaction| integrations::sever(transaction, &id, generation, &failure))
            .await
    }

    async fn items(&self) -> Result<Vec<ItemRecord>, StoreError> {
        self.read(items::all).await
    }

    async fn item(&self, id: &ItemId) -> Result<Option<ItemRecord>, StoreError> {
        let id = id.clone();
        self.read(move |transaction| items::one(transaction, &id)).await
    }

    async fn item_of(
        &self,
        provider: Provider,
        api_origin: &Origin,
        external_id: &ExternalId,
        kind: ItemKind,
    ) -> Result<Option<ItemId>, StoreError> {
        let (api_origin, external_id) = (api_origin.clone(), external_id.clone());
        self.read(move |transaction| items::find(transaction, provider, &api_origin, &external_id, kind))
            .await
    }

    async fn add_item(&self, new: NewItem<'_>) -> Result<Option<ItemId>, StoreError> {
        let owned = items::OwnedNewItem::from(new);
        self.write_local(move |transaction| items::add(transaction, &owned))
            .await
    }

    async fn describe_item(
        &self,
        id: &ItemId,
        event: &ProviderEvent,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, event) = (id.clone(), event.clone());
        let folder = self.file.folder.clone();
        self.write(move |transaction| {
            let before = local_facts::of_item(transaction, &id)?;
            items::describe(transaction, &id, &event, at)?;
            // Asked with every read of a list; the copy of all lists is made only if the event has changed.
            if local_facts::of_item(transaction, &id)? != before {
                local_facts::refresh(&folder, transaction)?;
            }
            Ok(())
        })
        .await
    }

    async fn members(&self, id: &ItemId) -> Result<Vec<MemberRecord>, StoreError> {
        let id = id.clone();
        self.read(move |transaction| members::all(transaction, &id)).await
    }

    async fn member(&self, id: &ItemId, feed: &FeedId) -> Result<Option<MemberRecord>, StoreError> {
        let (id, feed) = (id.clone(), feed.clone());
        self.read(move |transaction| members::one(transaction, &id, &feed))
            .await
    }

    async fn set_members(
        &self,
        id: &ItemId,
        events: &[ProviderEvent],
        at: Timestamp,
    ) -> Result<Vec<ItemId>, StoreError> {
        let (id, events) = (id.clone(), events.to_vec());
        self.write_local(move |transaction| members::set(transaction, &id, &events, at))
            .await
    }

    async fn close_member(&self, id: &ItemId, feed: &FeedId, at: Timestamp) -> Result<(), StoreError> {
        let (id, feed) = (id.clone(), feed.clone());
        self.write(move |transaction| members::close(transaction, &id, &feed, at))
            .await
    }

    async fn confirm_reconnect(
        &self,
        id: &ItemId,
        integration: &IntegrationId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, integration) = (id.clone(), integration.clone());
        self.write_local(move |transaction| items::confirm_reconnect(transaction, &id, &integration, at))
            .await
    }

    async fn fail_items_of(&self, integration: &IntegrationId, failure: &Failure) -> Result<(), StoreError> {
        let (integration, failure) = (integration.clone(), failure.clone());
        self.write(move |transaction| items::fail_of_integration(transaction, &integration, &failure))
            .await
    }

    async fn archive(&self, id: &ItemId, at: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write_local(move |transaction| items::archive(transaction, &id, at))
            .await
    }

    async fn remove(&self, id: &ItemId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write_local(move |transaction| items::remove(transaction, &id))
            .await?;
        // What was deleted still stands in the write-ahead log until that is emptied (secure_delete zeroes the rest).
        self.with_file(|file, connection| {
            damage::forget_set_aside(&file.folder);
            migrate::forget_copy(&file.folder);
            file.empty_log(connection, open::PATIENCE_WITH_OTHERS);
            Ok(())
        })
        .await
    }

    async fn end_orphaned_jobs(&self, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| jobs::end_orphaned(transaction, at))
            .await
    }

    async fn open_job(&self, item: &ItemId, kind: JobKind, at: Timestamp) -> Result<JobId, StoreError> {
        let item = item.clone();
        self.write(move |transaction| jobs::open(transaction, &item, kind, at))
            .await
    }

    async fn hand_job(
        &self,
        item: &ItemId,
        kind: JobKind,
        at: Timestamp,
    ) -> Result<Option<JobId>, StoreError> {
        let item = item.clone();
        self.write(move |transaction| jobs::hand(transaction, &item, kind, at))
            .await
    }

    async fn take_handed_job(&self, job: &JobId, at: Timestamp) -> Result<bool, StoreError> {
        let job = job.clone();
        self.write(move |transaction| jobs::take_handed(transaction, &job, at))
            .await
    }

    async fn ended_job(&self, job: &JobId) -> Result<Option<EndedJob>, StoreError> {
        let job = job.clone();
        self.read(move |transaction| history::ended_job(transaction, &job))
            .await
    }

    async fn ask_cancel(&self, job: &JobId, stopped: &Failure) -> Result<(), StoreError> {
        let (job, stopped) = (job.clone(), stopped.clone());
        self.write(move |transaction| jobs::ask_cancel(transaction, &job, &stopped))
            .await
    }

    async fn cancel_asked(&self, job: &JobId) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let own = job.clone();
            let asked = self.read(move |transaction| jobs::is_cancel_asked(transaction, &own));
            // A file that cannot be read now may be readable later, and the job will say so itself.
            if asked.await == Ok(true) {
                return;
            }
        }
    }

    async fn changed_elsewhere(&self) {
        loop {
            let seen = self.seen.clone();
            let look = self.with_file(move |_, connection| {
                // Moves with every commit of another connection, never with our own (SQLite, "PRAGMA data_version").
                let version: i64 = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
                Ok(seen.swap(version, Ordering::Relaxed) != version)
            });
            if look.await == Ok(true) {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn set_waiting(&self, job: &JobId, waiting: Option<Waiting>) -> Result<(), StoreError> {
        let job = job.clone();
        self.write(move |transaction| jobs::set_waiting(transaction, &job, waiting))
            .await
    }

    async fn open_walk(&self, feed: &FeedId) -> Result<Option<OpenWalk>, StoreError> {
        let feed = feed.clone();
        self.read(move |transaction| walks::open(transaction, &feed))
            .await
    }

    async fn begin_walk(
        &self,
        job: &JobId,
        feed: &FeedId,
        done: u64,
        total: Option<u64>,
    ) -> Result<(), StoreError> {
        let (job, feed) = (job.clone(), feed.clone());
        self.write(move |transaction| walks::begin(transaction, &job, &feed, done, total))
            .await
    }

    async fn stored(&self, feed: &FeedId, ids: &[RegistrationId]) -> Result<Vec<Registration>, StoreError> {
        let (feed, ids) = (feed.clone(), ids.to_vec());
        self.read(move |transaction| registrations::stored(transaction, &feed, &ids))
            .await
    }

    async fn commit_page(&self, page: PageCommit<'_>) -> Result<(), StoreError> {
        let owned = registrations::OwnedPage::from(page);
        self.write(move |transaction| registrations::commit_page(transaction, &owned))
            .await
    }

    async fn complete_job(&self, job: &JobId, completion: Completion) -> Result<(), StoreError> {
        let job = job.clone();
        self.write(move |transaction| jobs::complete(transaction, &job, &completion))
            .await
    }

    async fn commit_pages(&self, pages: Vec<PageCommit<'_>>) -> Result<(), StoreError> {
        let owned: Vec<registrations::OwnedPage> = pages.into_iter().map(Into::into).collect();
        self.write(move |transaction| {
            owned
                .iter()
                .try_for_each(|page| registrations::commit_shared(transaction, page))
        })
        .await
    }

    async fn take_stock(&self, feed: &FeedId) -> Result<Stocktaking, StoreError> {
        let feed = feed.clone();
        self.read(move |transaction| costs::take_stock(transaction, &feed))
            .await
    }

    async fn walk_pages(&self, integration: &IntegrationId) -> Result<u64, StoreError> {
        let integration = integration.clone();
        self.read(move |transaction| costs::walk_pages(transaction, &integration))
            .await
    }

    async fn neighbours(
        &self,
        integration: &IntegrationId,
        organization: &ExternalId,
        at: Timestamp,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let (integration, organization) = (integration.clone(), organization.clone());
        self.read(move |transaction| costs::neighbours(transaction, &integration, &organization, at))
            .await
    }

    async fn newest_changes(&self, feeds: &[FeedId], limit: usize) -> Result<Vec<Timestamp>, StoreError> {
        let feeds = feeds.to_vec();
        self.read(move |transaction| costs::newest_changes(transaction, &feeds, limit))
            .await
    }

    async fn read_alone(&self, feeds: &[FeedId], until: Timestamp) -> Result<(), StoreError> {
        let feeds = feeds.to_vec();
        self.write(move |transaction| costs::read_alone(transaction, &feeds, until))
            .await
    }

    async fn complete_feeds(
        &self,
        job: &JobId,
        completions: Vec<(FeedId, Completion)>,
    ) -> Result<Vec<ItemId>, StoreError> {
        let job = job.clone();
        self.write(move |transaction| jobs::complete_feeds(transaction, &job, &completions))
            .await
    }

    async fn end_job(&self, job: &JobId, end: JobEnd, at: Timestamp) -> Result<(), StoreError> {
        let job = job.clone();
        self.write(move |transaction| jobs::end(transaction, &job, &end, at))
            .await
    }

    async fn unlisted(&self, feed: &FeedId) -> Result<Unlisted, StoreError> {
        let feed = feed.clone();
        self.read(move |transaction| absences::unlisted(transaction, &feed))
            .await
    }

    async fn held_removals(&self, item: &ItemId) -> Result<Vec<(FeedId, Registration)>, StoreError> {
        let item = item.clone();
        self.read(move |transaction| absences::held(transaction, &item))
            .await
    }

    async fn rule_removals(&self, feed: &FeedId, ruling: &Ruling, at: Timestamp) -> Result<(), StoreError> {
        let (feed, ruling) = (feed.clone(), ruling.clone());
        self.write(move |transaction| absences::rule(transaction, &feed, &ruling, at))
            .await
    }

    async fn registrations(
        &self,
        item: &ItemId,
        mark: Option<&RowMark>,
        limit: usize,
    ) -> Result<Vec<(String, Registration)>, StoreError> {
        let (item, mark) = (item.clone(), mark.cloned());
        self.read(move |transaction| registrations::of_item(transaction, &item, mark.as_ref(), limit))
            .await
    }

    async fn changes(
        &self,
        item: &ItemId,
        since: Option<Timestamp>,
        mark: Option<ChangeMark>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        let item = item.clone();
        self.read(move |transaction| history::changes(transaction, &item, since, mark, order, limit))
            .await
    }

    async fn activity(&self, item: &ItemId) -> Result<Vec<Activity>, StoreError> {
        let item = item.clone();
        self.read(move |transaction| history::activity(transaction, &item))
            .await
    }

    fn mended(&self) -> Option<&str> {
        self.file.mended.as_deref()
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.with_file(|file, connection| {
            file.seal(connection);
            file.presence.share().map_err(open::Trouble::Store)
        })
        .await
    }

    async fn diagnostics(&self) -> Result<serde_json::Value, StoreError> {
        self.read(support_facts::collect).await
    }
}
