//! The traits through which the core reaches the world. Adapters implement them; their errors are named after the
//! decisions the core takes on them.

mod store;

pub use store::*;

use crate::connect::SignIns;
use crate::domain::attendee::{Registration, SetAside};
use crate::domain::credential::{Credential, OauthApp};
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{Failure, FailureCode, KeychainTrouble, Waiting};
use crate::domain::ids::{ExternalId, IntegrationId, ItemId, JobId, RegistrationId};
use crate::domain::integration::Account;
use crate::domain::provider::{Origins, Provider};
use crate::error::CommandError;
use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// All ports together, as the use cases take them.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub vault: Arc<dyn Vault>,
    pub eventbrite: Arc<dyn ProviderApi>,
    pub luma: Arc<dyn ProviderApi>,
    pub eventbrite_oauth: Arc<dyn OauthServer>,
    pub luma_oauth: Arc<dyn OauthServer>,
    pub clock: Arc<dyn Clock>,
    pub locks: Arc<dyn Locks>,
    pub notices: Arc<dyn Notices>,
    /// The sign-ins of this process, shared by everything that acts in it.
    pub sign_ins: Arc<SignIns>,
}

impl Ports {
    pub fn provider(&self, provider: Provider) -> &Arc<dyn ProviderApi> {
        match provider {
            Provider::Eventbrite => &self.eventbrite,
            Provider::Luma => &self.luma,
        }
    }

    pub fn oauth(&self, provider: Provider) -> &Arc<dyn OauthServer> {
        match provider {
            Provider::Eventbrite => &self.eventbrite_oauth,
            Provider::Luma => &self.luma_oauth,
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
    /// The newest first (Luma only). Nobody walks it to its end: its order changes meanwhile.
    Newest { event: ExternalId, by: NewestBy },
}

/// What a list is newest by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewestBy {
    Registration,
    CheckIn,
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

/// One page of what changed in all events of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationPage {
    /// Each registration with the event it is for.
    pub rows: Vec<(ExternalId, Registration)>,
    /// Nothing tells for which event these are.
    pub set_aside: Vec<SetAside>,
    /// `None` when the provider says that this was the last page.
    pub next: Option<Cursor>,
    /// The provider's own count, where it tells one; approximate.
    pub total: Option<u64>,
    /// The provider's clock when it answered.
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
    /// What changed at or after `since` in all events of an organization (Eventbrite only: Luma tells no times of
    /// change, and the core never asks it).
    async fn organization_page(
        &self,
        credential: &Credential,
        organization: &ExternalId,
        since: Timestamp,
        cursor: Option<&Cursor>,
    ) -> Result<OrganizationPage, ProviderError>;
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
// Signing in

/// What one attempt to sign in begins with. Used for this attempt only. It cannot be printed: the address holds the
/// state too.
#[derive(Clone)]
pub struct AuthorizationRequest {
    /// The provider's page, with everything it has to know.
    pub address: String,
    /// Comes back with the answer, or the answer is not ours.
    pub state: SecretString,
    /// Proves that whoever redeems the code has begun the attempt (PKCE).
    pub verifier: SecretString,
    pub redirect_uri: String,
    /// Who must have answered, where the server names itself.
    pub issuer: Option<String>,
}

/// What a code or a refresh token was exchanged for.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    /// `None` where the server tells no end, or none that makes sense.
    pub expires_in: Option<Duration>,
}

/// Why a server of sign-ins did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The code or refresh token is no longer good (`invalid_grant`): certain.
    #[error("the grant is no longer good")]
    GrantRejected,
    /// The server refuses the app itself.
    #[error("the app is refused")]
    AppRejected,
    /// As any other call: it says nothing about the grant.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// One provider's OAuth server. As with [`ProviderApi`], one request per call and no retries.
#[async_trait]
pub trait OauthServer: Send + Sync {
    fn origin(&self) -> &crate::domain::provider::Origin;
    /// The organization's app that this program was built with, if it was: it serves where no other was entered.
    fn built_in_app(&self) -> Option<OauthApp>;
    /// Prepares an attempt; asks the server where its pages are, if it is one that tells.
    async fn authorization(
        &self,
        app: &OauthApp,
        redirect_uri: &str,
    ) -> Result<AuthorizationRequest, SignInError>;
    async fn exchange(
        &self,
        app: &OauthApp,
        request: &AuthorizationRequest,
        code: &SecretString,
    ) -> Result<Tokens, SignInError>;
    async fn refresh(&self, app: &OauthApp, refresh_token: &SecretString) -> Result<Tokens, SignInError>;
    /// Makes a token worthless. `false` where the server offers no such call.
    async fn revoke(&self, app: &OauthApp, token: &SecretString) -> Result<bool, SignInError>;
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
    /// A newer credential than the keychain's lives in the memory of another process, which could not save it.
    #[error("the sign-in is in another process's memory only")]
    HeldElsewhere,
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
    /// Whether an entry would be kept now: proved by writing and reading back one that holds no secret.
    async fn check_keeps(&self, patience: Patience) -> Result<(), VaultError>;
    /// The workspace's own app at a provider, where one was entered.
    async fn load_app(&self, provider: Provider, patience: Patience) -> Result<Option<OauthApp>, VaultError>;
    async fn save_app(
        &self,
        provider: Provider,
        app: &OauthApp,
        patience: Patience,
    ) -> Result<(), VaultError>;
    async fn erase_app(&self, provider: Provider, patience: Patience) -> Result<(), VaultError>;
    /// Erasing what is not there is fine.
    async fn erase(&self, integration: &IntegrationId, patience: Patience) -> Result<(), VaultError>;
    /// Whether the keychain serves at all. In the background no prompt is shown: a locked one is told as locked. When
    /// a person asked, its own prompt may ask to unlock it.
    async fn check(&self, patience: Patience) -> Result<(), VaultError>;
}

// ---------------------------------------------------------------------------------------------------------------------
// Locks

/// Who may act on a data folder. The OS frees every lock when its process dies.
#[async_trait]
pub trait Locks: Send + Sync {
    /// Takes the sync lock if nobody holds it.
    fn try_sync(&self) -> Result<Option<LockGuard>, StoreError>;
    /// Whether a live process holds the sync lock. Never blocks and never disturbs the holder.
    fn sync_is_held(&self) -> bool;
    /// The short lock around changes of credentials.
    fn try_credentials(&self) -> Result<Option<LockGuard>, StoreError>;
    /// Says that this process has a sign-in in memory that the keychain did not take. Several may say so at once.
    fn say_unsaved(&self) -> Result<LockGuard, StoreError>;
    /// Whether a live process says so, this one included. In doubt it is.
    fn somebody_has_unsaved(&self) -> bool;
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
    /// Another process has changed something, or the computer slept: whatever is shown may be out of date.
    OutOfDate,
    /// The keychain is asked and may show a prompt.
    AskingVault,
    /// A credential is kept in memory only, or no longer: the keychain did not take it, or took it at last.
    SignInsHeldChanged,
}

pub trait Notices: Send + Sync {
    fn notify(&self, notice: Notice);
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
            | VaultError::HeldElsewhere
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
            VaultError::WriteFailed { .. } | VaultError::HeldElsewhere | VaultError::TooLarge { .. } => {
                FailureCode::VaultWriteFailed
            }
        }
    }
}
