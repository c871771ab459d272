//! The database as the core sees it: what is stored, in which transactions it changes, and how it fails.

use super::Cursor;
use crate::domain::attendee::{Counts, Registration, SetAside, Tickets};
use crate::domain::credential::Generation;
use crate::domain::event::{Gap, Headcount, ProviderEvent};
use crate::domain::failure::{Failure, Waiting};
use crate::domain::ids::{AccountId, ExternalId, FeedId, IntegrationId, ItemId, JobId, RegistrationId};
use crate::domain::integration::Integration;
use crate::domain::item::{Item, ItemKind};
use crate::domain::job::{JobEnd, JobKind, OpenJob};
use crate::domain::provider::{Origin, Provider};
use crate::query::history::{Activity, ChangeMark, ChangeRecord, EndedJob};
use crate::sync::absence::Unlisted;
use crate::sync::plan::Plan;
use async_trait::async_trait;
use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be opened, read or written. The message says which and what to do.
    #[error("{0}")]
    Unusable(String),
    /// The data was written by a newer version; it is left untouched.
    #[error("{0}")]
    Newer(String),
    /// The disk is full.
    #[error("the disk is full: {0}")]
    Full(String),
    /// A rule of the database was about to be broken: a defect of ours, nothing was written.
    #[error("the database refused a change: {0}")]
    Refused(String),
}

/// An item with everything its JSON and its card need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRecord {
    pub item: Item,
    pub severed: Option<Failure>,
    pub last_failure: Option<Failure>,
    pub last_synced_at: Option<Timestamp>,
    pub last_attempted_at: Option<Timestamp>,
    /// The newest job that has not ended. Whether it is active depends on the lock.
    pub open_job: Option<OpenJob>,
    pub counts: Counts,
    pub tickets: Tickets,
    pub unreadable: u64,
    /// Registrations that are missing at the provider in such numbers that a person is asked.
    pub held_removals: u64,
    /// Rises with every change of the feed's rows: readings of one revision are alike.
    pub revision: u64,
    /// Registrations that came after the last complete read and were met by a look for what is new.
    pub new_since: u64,
    /// The Eventbrite organization of its event, once that has told it.
    pub organization: Option<ExternalId>,
    pub reads: FeedReads,
}

/// What is known of earlier reads of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedReads {
    /// Changes up to here are stored, in the provider's times of change.
    pub watermark: Option<Timestamp>,
    /// When everything was last read, rather than what changed.
    pub reconciled_at: Option<Timestamp>,
    /// When the event itself was last asked for.
    pub described_at: Option<Timestamp>,
    /// When a complete read of it last succeeded, by our clock.
    pub checked_at: Option<Timestamp>,
    /// When somebody last looked for what is new without reading everything, by our clock.
    pub looked_at: Option<Timestamp>,
    /// How many requests the last read of everything took.
    pub walk_pages: Option<u64>,
    /// Whether registrations were missed by the last complete walk, so that the next one decides about them.
    pub misses_some: bool,
    /// Whether removals are held for a person: whoever is listed again is back, which no change tells of.
    pub holds_some: bool,
}

impl FeedReads {
    /// When somebody last looked at the list successfully, whether at all of it or not.
    pub fn seen_at(&self) -> Option<Timestamp> {
        self.checked_at.max(self.looked_at)
    }
}

/// Where the stored registrations of an item are read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowMark {
    pub person_key: String,
    pub external_id: RegistrationId,
}

/// One event of a Path channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    pub feed: FeedId,
    pub event: ProviderEvent,
    /// When it was found to be gone: it is read no more.
    pub closed_at: Option<Timestamp>,
    pub last_synced_at: Option<Timestamp>,
    pub unreadable: u64,
    pub reads: FeedReads,
}

/// A list that a walk over its organization may read along with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    pub feed: FeedId,
    pub event: ExternalId,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// Whether an item of its own shows it, whose event has to be asked for now and then.
    pub has_item: bool,
    pub unreadable: u64,
    pub reads: FeedReads,
}

/// What is stored of an event, to be held against what its provider counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stocktaking {
    pub stored: Headcount,
    /// What the last read of everything could not bring to agree.
    pub tolerated: Gap,
}

/// In which order the journal is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

/// Where a full walk stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkMark {
    /// The provider's clock when the walk began.
    pub as_of: Timestamp,
    /// What fetched the last page that is stored; `None`: it was the first.
    pub place: Option<Cursor>,
    /// What fetches the page after it; `None` where there is none.
    pub next: Option<Cursor>,
    /// The provider's own counts on the first page and on the last one read.
    pub first_count: Option<u64>,
    pub last_count: Option<u64>,
}

/// A full walk that was begun and has not become a complete read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWalk {
    pub mark: WalkMark,
    /// The records it has listed, readable or not.
    pub listed: Vec<String>,
    /// Stored registrations that came after the walk began.
    pub arrived: Vec<RegistrationId>,
    /// The latest time of change among the stored registrations.
    pub newest_change: Option<Timestamp>,
}

/// How much a read has read.
#[derive(Debug, Clone, PartialEq)]
pub enum Extent {
    /// Every registration there is, in so many requests. `gap`: what the provider counts otherwise nevertheless.
    Everything { pages: u64, gap: Option<Gap> },
    /// All that changed.
    Changes,
    /// What a look for news met. It completes nothing: the list stays as of its last complete read.
    News,
}

/// What a read came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub extent: Extent,
    /// The provider's clock from which on the list is complete.
    pub as_of: Timestamp,
    /// Changes up to here are stored; `None` where the provider tells no times of change.
    pub watermark: Option<Timestamp>,
    /// What the read of everything did not list.
    pub absences: Absences,
    /// Our clock.
    pub at: Timestamp,
}

/// What becomes of the registrations that a read of everything did not list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Absences {
    /// Missed for the first time, by a walk that began then.
    pub candidates: Vec<RegistrationId>,
    /// Shown to a person, who decides.
    pub held: Vec<RegistrationId>,
    /// Taken to be gone: kept as not attending.
    pub gone: Plan,
    /// The provider's clock when the walk began.
    pub walked_at: Timestamp,
}

/// What a person decided about held removals.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// They are no longer attending: these changes are made.
    Accepted(Plan),
    /// They stay in the list.
    Rejected,
}

/// Everything one page changes, written in one transaction.
#[derive(Debug, Clone)]
pub struct PageCommit<'a> {
    pub job: &'a JobId,
    pub feed: &'a FeedId,
    pub plan: &'a Plan,
    pub set_aside: &'a [SetAside],
    /// Every registration that the page could read: none of them is set aside any more.
    pub readable: &'a [RegistrationId],
    /// Where the full walk stands with this page; `None` for pages of other reads, which leave it as it is.
    pub mark: Option<&'a WalkMark>,
    /// Whether a look for news met it: who is on it for the first time is new since the last complete read.
    pub is_news: bool,
    pub done: u64,
    pub total: Option<u64>,
    pub at: Timestamp,
}

/// A new item with its first job.
#[derive(Debug, Clone)]
pub struct NewItem<'a> {
    pub kind: ItemKind,
    pub provider: Provider,
    pub api_origin: &'a Origin,
    pub external_id: &'a ExternalId,
    pub integration_id: &'a IntegrationId,
    /// Whether the account is known to see the event, and its stored list to be live. Else the item counts as
    /// interrupted until a read of its own succeeds.
    pub proved: bool,
    pub at: Timestamp,
}

/// A renewed credential, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    pub generation: Generation,
    pub expires_at: Option<Timestamp>,
    pub at: Timestamp,
}

/// What became of a severance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severance {
    Severed,
    /// The rejected credential had been replaced already: nothing changed.
    Superseded,
}

/// The database. Each method is one transaction: it happens whole or not at all.
#[async_trait]
pub trait Store: Send + Sync {
    // Integrations
    async fn integrations(&self) -> Result<Vec<Integration>, StoreError>;
    async fn integration(&self, id: &IntegrationId) -> Result<Option<Integration>, StoreError>;
    async fn integration_of_account(
        &self,
        provider: Provider,
        account: &AccountId,
        api_origin: &Origin,
    ) -> Result<Option<Integration>, StoreError>;
    /// Inserts or renews. Renewing clears the integration's severance; its items stay severed.
    async fn save_integration(&self, integration: &Integration) -> Result<(), StoreError>;
    async fn mark_verified(&self, id: &IntegrationId, at: Timestamp) -> Result<(), StoreError>;
    /// Notes that the credential of this generation is about to be renewed: a process that dies in between leaves the
    /// note. Answers whether one stood already.
    async fn note_renewal(
        &self,
        id: &IntegrationId,
        generation: Generation,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// The renewal is over: the note is taken away, and what it brought is kept, if it brought anything.
    async fn end_renewal(&self, id: &IntegrationId, renewed: Option<&Renewed>) -> Result<(), StoreError>;
    /// Severs the integration and every item that reads through it, unless its credential is newer than `generation`.
    async fn sever(
        &self,
        id: &IntegrationId,
        generation: Generation,
        failure: &Failure,
    ) -> Result<Severance, StoreError>;

    // Items
    async fn items(&self) -> Result<Vec<ItemRecord>, StoreError>;
    async fn item(&self, id: &ItemId) -> Result<Option<ItemRecord>, StoreError>;
    async fn item_of(
        &self,
        provider: Provider,
        api_origin: &Origin,
        external_id: &ExternalId,
        kind: ItemKind,
    ) -> Result<Option<ItemId>, StoreError>;
    /// `None` where there is one already: another process may have added it a moment ago.
    async fn add_item(&self, new: NewItem<'_>) -> Result<Option<ItemId>, StoreError>;
    async fn describe_item(
        &self,
        id: &ItemId,
        event: &ProviderEvent,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// The events of a Path channel, in order of their start.
    async fn members(&self, id: &ItemId) -> Result<Vec<MemberRecord>, StoreError>;
    async fn member(&self, id: &ItemId, feed: &FeedId) -> Result<Option<MemberRecord>, StoreError>;
    /// Adds the events that are new, describes all of them, and opens again those that were closed. The items that view
    /// them are described, too; answers which of those say something else now.
    async fn set_members(
        &self,
        id: &ItemId,
        events: &[ProviderEvent],
        at: Timestamp,
    ) -> Result<Vec<ItemId>, StoreError>;
    /// The event is gone: its rows are kept, and read no more.
    async fn close_member(&self, id: &ItemId, feed: &FeedId, at: Timestamp) -> Result<(), StoreError>;
    /// Clears the severance, sets `integration` and the failure INTERRUPTED until a read succeeds. `false`, and nothing
    /// changed, where that integration is severed itself.
    async fn confirm_reconnect(
        &self,
        id: &ItemId,
        integration: &IntegrationId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Sets a failure on every item of an integration that is not severed or archived.
    async fn fail_items_of(&self, integration: &IntegrationId, failure: &Failure) -> Result<(), StoreError>;
    async fn archive(&self, id: &ItemId, at: Timestamp) -> Result<(), StoreError>;
    /// Erases the item, and its feed with everything of it when no other item views it. Leaves no readable trace in
    /// the database files.
    async fn remove(&self, id: &ItemId) -> Result<(), StoreError>;

    // Jobs
    /// Ends every open job as interrupted, except those that are held. Called by whoever has just taken the sync lock: the processes that ran
    /// them are gone.
    async fn end_orphaned_jobs(&self, at: Timestamp) -> Result<(), StoreError>;
    /// Ends whatever job of the item is still open as interrupted, and opens a new one.
    async fn open_job(&self, item: &ItemId, kind: JobKind, at: Timestamp) -> Result<JobId, StoreError>;
    /// Leaves a job for the process that has the turn. If the item has one that is worked on, or was left before: that
    /// one's id where it serves ([`JobKind::serves`]), else `None`, and nothing is left.
    async fn hand_job(
        &self,
        item: &ItemId,
        kind: JobKind,
        at: Timestamp,
    ) -> Result<Option<JobId>, StoreError>;
    /// Takes up a job that was handed over; `false` where it is no longer there to be taken.
    async fn take_handed_job(&self, job: &JobId, at: Timestamp) -> Result<bool, StoreError>;
    /// A job that has ended; `None` while it has not, and where it left no trace.
    async fn ended_job(&self, job: &JobId) -> Result<Option<EndedJob>, StoreError>;
    /// Asks whoever runs the job to stop it. One that nobody runs, because it is held or was handed over and not taken up
    /// yet, ends with `stopped`.
    async fn ask_cancel(&self, job: &JobId, stopped: &Failure) -> Result<(), StoreError>;
    /// Comes back once somebody has asked to stop the job, in this process or another.
    async fn cancel_asked(&self, job: &JobId);
    /// Comes back once another process has changed something since the last call.
    async fn changed_elsewhere(&self);
    async fn set_waiting(&self, job: &JobId, waiting: Option<Waiting>) -> Result<(), StoreError>;
    /// The full walk of a feed that a later job can go on with.
    async fn open_walk(&self, feed: &FeedId) -> Result<Option<OpenWalk>, StoreError>;
    /// A new full walk begins: counts start at `done`, an earlier walk is forgotten.
    async fn begin_walk(
        &self,
        job: &JobId,
        feed: &FeedId,
        done: u64,
        total: Option<u64>,
    ) -> Result<(), StoreError>;
    /// The stored readings of these registrations, for planning.
    async fn stored(&self, feed: &FeedId, ids: &[RegistrationId]) -> Result<Vec<Registration>, StoreError>;
    async fn commit_page(&self, page: PageCommit<'_>) -> Result<(), StoreError>;
    /// One page that is about several feeds, in one transaction.
    async fn commit_pages(&self, pages: Vec<PageCommit<'_>>) -> Result<(), StoreError>;
    /// What is stored of a feed, counted by the provider's words.
    async fn take_stock(&self, feed: &FeedId) -> Result<Stocktaking, StoreError>;
    /// How many requests it takes to read everything that is kept live through an integration.
    async fn walk_pages(&self, integration: &IntegrationId) -> Result<u64, StoreError>;
    /// The event lists of an organization that are kept live through this integration, with nothing the matter with
    /// them, unless they have to be read by themselves until later than `at`.
    async fn neighbours(
        &self,
        integration: &IntegrationId,
        organization: &ExternalId,
        at: Timestamp,
    ) -> Result<Vec<Neighbour>, StoreError>;
    /// Times of change of the stored registrations of these feeds, the newest first, at most `limit`.
    async fn newest_changes(&self, feeds: &[FeedId], limit: usize) -> Result<Vec<Timestamp>, StoreError>;
    /// No walk over their organization reads these until then.
    async fn read_alone(&self, feeds: &[FeedId], until: Timestamp) -> Result<(), StoreError>;
    /// The job's read is complete: sets the feed's time, clears the failure of every item that views it. After a read
    /// of everything its walk is closed, and what it did not list again is no longer set aside. A look for news ends
    /// the job, and completes nothing.
    async fn complete_job(&self, job: &JobId, completion: Completion) -> Result<(), StoreError>;
    /// The same for lists that a job reads beside or instead of its own, all in one transaction; the job goes on.
    /// Answers which items show them.
    async fn complete_feeds(
        &self,
        job: &JobId,
        completions: Vec<(FeedId, Completion)>,
    ) -> Result<Vec<ItemId>, StoreError>;
    /// The job ended without success. A failure becomes the last failure of every item that views the feed (severed
    /// and archived ones apart); nothing that was read is lost.
    async fn end_job(&self, job: &JobId, end: JobEnd, at: Timestamp) -> Result<(), StoreError>;

    // Absences
    /// What the full walk of a feed has not listed so far, of those that are expected.
    async fn unlisted(&self, feed: &FeedId) -> Result<Unlisted, StoreError>;
    /// The registrations of an item that wait for a person's decision, each with its feed.
    async fn held_removals(&self, item: &ItemId) -> Result<Vec<(FeedId, Registration)>, StoreError>;
    /// Carries the decision out, for exactly those that are held.
    async fn rule_removals(&self, feed: &FeedId, ruling: &Ruling, at: Timestamp) -> Result<(), StoreError>;

    // Rows
    /// Stored registrations of an item in the order of (person key, id), so that a person's registrations stand
    /// together; at most `limit` after `mark`.
    async fn registrations(
        &self,
        item: &ItemId,
        mark: Option<&RowMark>,
        limit: usize,
    ) -> Result<Vec<(String, Registration)>, StoreError>;

    // History
    /// Lines of the change journal of an item's feed at or after `since`, at most `limit` after `mark` in this order.
    async fn changes(
        &self,
        item: &ItemId,
        since: Option<Timestamp>,
        mark: Option<ChangeMark>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<ChangeRecord>, StoreError>;
    /// Everything else that happened to an item, in no order.
    async fn activity(&self, item: &ItemId) -> Result<Vec<Activity>, StoreError>;

    /// What a person must be told if what was stored was found to be damaged and had to be made anew: what happened,
    /// what was kept, and what to do.
    fn mended(&self) -> Option<&str>;

    /// Leaves what is stored as a clean end does. Called when the process is about to end and something may still hold
    /// the store; writing afterwards is allowed and undoes it.
    async fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Facts for a support file, free of names, e-mails and secrets.
    async fn diagnostics(&self) -> Result<serde_json::Value, StoreError>;
}
