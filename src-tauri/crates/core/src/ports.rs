//! The traits through which the core reaches the world. Adapters implement them; their errors are named after the
//! decisions the core takes on them.

use crate::domain::attendee::{Counts, Registration, SetAside, Tickets};
use crate::domain::credential::{Credential, Generation};
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{Failure, FailureCode, KeychainTrouble, Waiting};
use crate::domain::ids::{AccountId, ExternalId, FeedId, IntegrationId, ItemId, JobId, RegistrationId};
use crate::domain::integration::{Account, Integration};
use crate::domain::item::{Item, ItemKind};
use crate::domain::job::{JobEnd, JobKind, OpenJob};
use crate::domain::provider::{Origin, Origins, Provider};
use crate::error::CommandError;
use crate::query::history::{Activity, ChangeMark, ChangeRecord, EndedJob};
use crate::sync::absence::Unlisted;
use crate::sync::plan::Plan;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// All ports together, as the use cases take them.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub vault: Arc<dyn Vault>,
    pub eventbrite: Arc<dyn ProviderApi>,
    pub luma: Arc<dyn ProviderApi>,
    pub clock: Arc<dyn Clock>,
    pub locks: Arc<dyn Locks>,
    pub notices: Arc<dyn Notices>,
}

impl Ports {
    pub fn provider(&self, provider: Provider) -> &Arc<dyn ProviderApi> {
        match provider {
            Provider::Eventbrite => &self.eventbrite,
            Provider::Luma => &self.luma,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Time

/// Time as the core sees it. A test's clock jumps instead of sleeping.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    async fn sleep(&self, duration: Duration);
    /// A number in 0..1 for jitter.
    fn jitter(&self) -> f64;
}

// ---------------------------------------------------------------------------------------------------------------------
// Providers

/// Where a walk goes on, in the provider adapter's own terms. Opaque to the core; kept with the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A way through the registrations of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Everything there is.
    Full { event: ExternalId },
    /// What changed at or after a time (Eventbrite only).
    ChangedSince { event: ExternalId, since: Timestamp },
}

/// One page of registrations, parsed. What could not be read is in `set_aside`; nothing is dropped silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationPage {
    pub rows: Vec<Registration>,
    pub set_aside: Vec<SetAside>,
    /// `None` when the provider says that this was the last page.
    pub next: Option<Cursor>,
    /// The provider's own count, where it tells one; approximate.
    pub total: Option<u64>,
    /// The provider's clock when it answered (its `Date`), or ours where it sent none.
    pub server_time: Timestamp,
}

/// An organization or calendar: a standing source of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub external_id: ExternalId,
    pub name: String,
}

/// One page of an account's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<ProviderEvent>,
    /// Events that could not be read.
    pub unreadable: u64,
    pub next: Option<Cursor>,
    /// The provider's clock when it answered.
    pub server_time: Timestamp,
}

/// Why a provider's answer is no answer, named after what we do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("this computer reaches no network")]
    Offline,
    /// Refused, reset, timed out, 5xx, or an answer that is not the provider's.
    #[error("no usable answer ({detail})")]
    Unreachable { detail: String },
    #[error("the network wants a sign-in first")]
    NetworkSignIn,
    /// `retry_after` is what the answer's headers said; `None` where they said nothing.
    #[error("too many requests")]
    RateLimited { retry_after: Option<Duration> },
    #[error("the credential is refused")]
    CredentialsRejected,
    #[error("the credential may not see this")]
    PermissionMissing,
    #[error("not found")]
    Gone,
    /// The continuation token is no longer good: the walk starts again.
    #[error("the place in the list is no longer known to the provider")]
    CursorRejected,
    /// The answer has a shape this version does not know.
    #[error("an answer of unknown form ({detail})")]
    Malformed { detail: String },
}

/// One provider's API at one origin. Implementations make one request per call (plus what its own rules ask for) and
/// never retry: the core decides that.
#[async_trait]
pub trait ProviderApi: Send + Sync {
    fn provider(&self) -> Provider;
    fn origins(&self) -> &Origins;
    /// Who the credential belongs to. Also the probe that confirms or refutes a rejection.
    async fn identify(&self, credential: &Credential) -> Result<Account, ProviderError>;
    /// Whether the account can list anything at all; tells "this event is gone" from "this account sees nothing".
    async fn lists_events(&self, credential: &Credential) -> Result<(), ProviderError>;
    /// Events of the whole account, or of one of its [`Self::channels`].
    async fn event_page(
        &self,
        credential: &Credential,
        channel: Option<&ExternalId>,
        cursor: Option<&Cursor>,
    ) -> Result<EventPage, ProviderError>;
    /// What stands for all its events: the organizations of an Eventbrite user, the calendar of a Luma key.
    async fn channels(
        &self,
        credential: &Credential,
        account: &Account,
    ) -> Result<Vec<Channel>, ProviderError>;
    async fn event(
        &self,
        credential: &Credential,
        event: &ExternalId,
    ) -> Result<ProviderEvent, ProviderError>;
    async fn registration_page(
        &self,
        credential: &Credential,
        walk: &Walk,
        cursor: Option<&Cursor>,
    ) -> Result<RegistrationPage, ProviderError>;
    /// Asks for one registration that a walk did not list: a page of it, or [`ProviderError::Gone`]. `None` where the
    /// provider has no call whose "not found" can be believed.
    async fn registration(
        &self,
        credential: &Credential,
        event: &ExternalId,
        registration: &RegistrationId,
    ) -> Result<Option<RegistrationPage>, ProviderError>;
}

// ---------------------------------------------------------------------------------------------------------------------
// Vault

/// How long a vault call may take: nobody waits for a background call, a person may have to answer a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Background,
    PersonAsked,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("the keychain is locked")]
    Locked,
    /// There is none: no session bus, no secret service, no logon session.
    #[error("this computer offers no keychain ({detail})")]
    Absent { detail: String },
    /// Hung, or failing.
    #[error("the keychain does not answer ({detail})")]
    Unavailable { detail: String },
    /// The entry is not there although this keychain has kept entries of ours before: it was removed.
    #[error("the entry is no longer in the keychain")]
    Missing,
    /// Neither the entry nor our sentinel is there: the keychain may not be ready yet.
    #[error("the keychain holds nothing of ours (yet)")]
    NotThereYet,
    /// The keychain refused to keep the entry, or gave back something else.
    #[error("the keychain did not keep the entry ({detail})")]
    WriteFailed { detail: String },
    #[error("the credential is {bytes} bytes long, more than the {limit} every keychain can keep")]
    TooLarge { bytes: usize, limit: usize },
    /// The entry was written by a newer version.
    #[error("the entry has a form this version does not know")]
    Unreadable,
}

/// The OS keychain as the core sees it.
#[async_trait]
pub trait Vault: Send + Sync {
    async fn load(&self, integration: &IntegrationId, patience: Patience) -> Result<Credential, VaultError>;
    /// Saves and reads back.
    async fn save(
        &self,
        integration: &IntegrationId,
        credential: &Credential,
        patience: Patience,
    ) -> Result<(), VaultError>;
    /// Erasing what is not there is fine.
    async fn erase(&self, integration: &IntegrationId, patience: Patience) -> Result<(), VaultError>;
    /// Whether the keychain serves at all. In the background no prompt is shown: a locked one is told as locked. When
    /// a person asked, its own prompt may ask to unlock it.
    async fn check(&self, patience: Patience) -> Result<(), VaultError>;
}

// ---------------------------------------------------------------------------------------------------------------------
// Locks

/// Who may act on a data folder. The OS frees both locks when their process dies.
#[async_trait]
pub trait Locks: Send + Sync {
    /// Takes the sync lock if nobody holds it.
    fn try_sync(&self) -> Result<Option<LockGuard>, StoreError>;
    /// Whether a live process holds the sync lock. Never blocks and never disturbs the holder.
    fn sync_is_held(&self) -> bool;
    /// The short lock around changes of credentials.
    fn try_credentials(&self) -> Result<Option<LockGuard>, StoreError>;
}

/// Holds a lock until dropped.
pub struct LockGuard(pub Box<dyn Send>);

// ---------------------------------------------------------------------------------------------------------------------
// Notices

/// Push to whoever watches. Sent after the facts are saved, never before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    ItemChanged(ItemId),
    IntegrationChanged(IntegrationId),
    JobProgressed {
        item: ItemId,
        job: JobId,
        done: u64,
        total: Option<u64>,
    },
    JobWaits {
        item: ItemId,
        job: JobId,
        waiting: Waiting,
    },
    JobResumed {
        item: ItemId,
        job: JobId,
    },
    JobEnded {
        item: ItemId,
        job: JobId,
    },
    /// A job that went on after its command had answered ended in an error.
    JobFailed {
        item: ItemId,
        job: JobId,
        error: CommandError,
    },
    /// Somebody else acts on the data folder; this process waits for it.
    WaitingForLock,
    /// Another process has changed something: whatever is shown may be out of date.
    ChangedElsewhere,
    /// The keychain is asked and may show a prompt.
    AskingVault,
}

pub trait Notices: Send + Sync {
    fn notify(&self, notice: Notice);
}

// ---------------------------------------------------------------------------------------------------------------------
// Store

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
    /// When a read of it last succeeded, by our clock.
    pub checked_at: Option<Timestamp>,
    /// Whether registrations were missed by the last complete walk, so that the next one decides about them.
    pub misses_some: bool,
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

/// What a complete read came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The provider's clock from which on the list is complete.
    pub as_of: Timestamp,
    /// Changes up to here are stored; `None` where the provider tells no times of change.
    pub watermark: Option<Timestamp>,
    /// Whether everything was read, rather than what changed.
    pub everything: bool,
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
    async fn add_item(&self, new: NewItem<'_>) -> Result<ItemId, StoreError>;
    async fn describe_item(
        &self,
        id: &ItemId,
        event: &ProviderEvent,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// The events of a Path channel, in order of their start.
    async fn members(&self, id: &ItemId) -> Result<Vec<MemberRecord>, StoreError>;
    async fn member(&self, id: &ItemId, feed: &FeedId) -> Result<Option<MemberRecord>, StoreError>;
    /// Adds the events that are new, describes all of them, and opens again those that were closed.
    async fn set_members(&self, id: &ItemId, events: &[ProviderEvent]) -> Result<(), StoreError>;
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
    /// Leaves a job for the process that has the turn, unless the item has one that is worked on: then that one's id.
    async fn hand_job(&self, item: &ItemId, kind: JobKind, at: Timestamp) -> Result<JobId, StoreError>;
    /// Takes up a job that was handed over; `false` where it is no longer there to be taken.
    async fn take_handed_job(&self, job: &JobId, at: Timestamp) -> Result<bool, StoreError>;
    /// A job that has ended; `None` while it has not, and where it left no trace.
    async fn ended_job(&self, job: &JobId) -> Result<Option<EndedJob>, StoreError>;
    /// Asks whoever runs the job to stop it.
    async fn ask_cancel(&self, job: &JobId) -> Result<(), StoreError>;
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
    /// The job's read is complete: sets the feed's time, clears the failure of every item that views it. After a read
    /// of everything its walk is closed, and what it did not list again is no longer set aside.
    async fn complete_job(&self, job: &JobId, completion: Completion) -> Result<(), StoreError>;
    /// The same for one event of a channel, whose job goes on.
    async fn complete_member(
        &self,
        job: &JobId,
        feed: &FeedId,
        completion: Completion,
    ) -> Result<(), StoreError>;
    /// The job ended without success. A failure becomes the last failure of every item that views the feed (severed
    /// and archived ones apart); nothing that was read is lost.
    async fn end_job(&self, job: &JobId, end: JobEnd, at: Timestamp) -> Result<(), StoreError>;

    // Absences
    /// What the full walk of a feed has not listed so far, of those that are expected.
    async fn unlisted(&self, feed: &FeedId) -> Result<Unlisted, StoreError>;
    /// The registrations that wait for a person's decision.
    async fn held_removals(&self, feed: &FeedId) -> Result<Vec<Registration>, StoreError>;
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

impl VaultError {
    /// The failure that a job ends or waits with.
    pub fn failure(&self, at: Timestamp) -> Failure {
        let trouble = match self {
            VaultError::Absent { .. } => Some(KeychainTrouble::NoKeychain),
            VaultError::Unreadable => Some(KeychainTrouble::NewerEntry),
            VaultError::Unavailable { .. } | VaultError::NotThereYet => Some(KeychainTrouble::NoAnswer),
            VaultError::Locked
            | VaultError::Missing
            | VaultError::WriteFailed { .. }
            | VaultError::TooLarge { .. } => None,
        };
        Failure {
            code: FailureCode::from(self),
            at,
            detail: trouble.map(|trouble| trouble.word().to_owned()),
        }
    }
}

impl From<&VaultError> for FailureCode {
    fn from(error: &VaultError) -> Self {
        match error {
            VaultError::Locked => FailureCode::VaultLocked,
            VaultError::Missing => FailureCode::CredentialsMissing,
            VaultError::Absent { .. }
            | VaultError::Unavailable { .. }
            | VaultError::NotThereYet
            | VaultError::Unreadable => FailureCode::VaultUnavailable,
            VaultError::WriteFailed { .. } | VaultError::TooLarge { .. } => FailureCode::VaultWriteFailed,
        }
    }
}
