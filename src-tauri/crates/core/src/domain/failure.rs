//! Failures and conditions: what went wrong, as small facts that are stored, and whose move it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What went wrong. Some codes are *failures* (they set an item's last failure or sever an integration), some are
/// *conditions* (the status stays, the job waits): see [`FailureCode::is_condition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureCode {
    /// This computer reaches no network.
    Offline,
    /// The provider does not answer, or not with an answer of its own.
    ProviderUnreachable,
    /// The network wants a person to sign in first (captive portal).
    NetworkSignIn,
    /// The provider's request limit is used up.
    RateLimited,
    /// The provider refuses the credential, confirmed by a second call.
    CredentialsRejected,
    /// The keychain no longer holds the credential.
    CredentialsMissing,
    /// A person disconnected the integration.
    DisconnectedByYou,
    /// The provider refuses the workspace's own app (OAuth client).
    AppRejected,
    /// Luma refuses every call of a calendar whose key is otherwise known.
    PlanRequired,
    /// The account may not see this event's attendees.
    PermissionMissing,
    /// The provider no longer shows the event.
    RemoteGone,
    /// The provider answered in a form this version does not know.
    ProviderChanged,
    /// The keychain is locked.
    VaultLocked,
    /// There is no keychain, or it does not answer.
    VaultUnavailable,
    /// The keychain refused to keep a credential.
    VaultWriteFailed,
    /// The local database cannot be read or written.
    StorageFailed,
    /// The work was cut off: a crash, a kill, or a reconnect whose re-import has not succeeded yet.
    Interrupted,
    /// A person cancelled the import.
    ImportCancelled,
}

/// The one action offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recovery {
    /// It goes on by itself.
    Wait,
    Retry,
    Reconnect,
    UnlockKeychain,
    /// Open the network's sign-in page.
    SignInToNetwork,
    CheckAppSettings,
    /// Keep the item as an archive, or remove it.
    KeepOrRemove,
    /// Make room on the disk, or make the data folder writable.
    CheckStorage,
    /// Correct what was typed.
    CorrectInput,
}

impl FailureCode {
    pub const ALL: [FailureCode; 18] = [
        FailureCode::Offline,
        FailureCode::ProviderUnreachable,
        FailureCode::NetworkSignIn,
        FailureCode::RateLimited,
        FailureCode::CredentialsRejected,
        FailureCode::CredentialsMissing,
        FailureCode::DisconnectedByYou,
        FailureCode::AppRejected,
        FailureCode::PlanRequired,
        FailureCode::PermissionMissing,
        FailureCode::RemoteGone,
        FailureCode::ProviderChanged,
        FailureCode::VaultLocked,
        FailureCode::VaultUnavailable,
        FailureCode::VaultWriteFailed,
        FailureCode::StorageFailed,
        FailureCode::Interrupted,
        FailureCode::ImportCancelled,
    ];

    /// The word in stored rows and JSON.
    pub fn code(self) -> &'static str {
        match self {
            FailureCode::Offline => "OFFLINE",
            FailureCode::ProviderUnreachable => "PROVIDER_UNREACHABLE",
            FailureCode::NetworkSignIn => "NETWORK_SIGN_IN",
            FailureCode::RateLimited => "RATE_LIMITED",
            FailureCode::CredentialsRejected => "CREDENTIALS_REJECTED",
            FailureCode::CredentialsMissing => "CREDENTIALS_MISSING",
            FailureCode::DisconnectedByYou => "DISCONNECTED_BY_YOU",
            FailureCode::AppRejected => "APP_REJECTED",
            FailureCode::PlanRequired => "PLAN_REQUIRED",
            FailureCode::PermissionMissing => "PERMISSION_MISSING",
            FailureCode::RemoteGone => "REMOTE_GONE",
            FailureCode::ProviderChanged => "PROVIDER_CHANGED",
            FailureCode::VaultLocked => "VAULT_LOCKED",
            FailureCode::VaultUnavailable => "VAULT_UNAVAILABLE",
            FailureCode::VaultWriteFailed => "VAULT_WRITE_FAILED",
            FailureCode::StorageFailed => "STORAGE_FAILED",
            FailureCode::Interrupted => "INTERRUPTED",
            FailureCode::ImportCancelled => "IMPORT_CANCELLED",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.code() == code)
    }

    /// A condition leaves every status as it is: the job waits, with this reason.
    pub fn is_condition(self) -> bool {
        matches!(
            self,
            FailureCode::Offline
                | FailureCode::NetworkSignIn
                | FailureCode::RateLimited
                | FailureCode::VaultLocked
                | FailureCode::VaultUnavailable
                | FailureCode::VaultWriteFailed
                | FailureCode::StorageFailed
        )
    }

    /// Whether this is a definite loss of the credential: the only codes that make an item DISCONNECTED.
    pub fn severs(self) -> bool {
        matches!(
            self,
            FailureCode::CredentialsRejected
                | FailureCode::CredentialsMissing
                | FailureCode::DisconnectedByYou
        )
    }

    pub fn recovery(self) -> Recovery {
        match self {
            FailureCode::Offline | FailureCode::RateLimited => Recovery::Wait,
            FailureCode::NetworkSignIn => Recovery::SignInToNetwork,
            FailureCode::CredentialsRejected
            | FailureCode::CredentialsMissing
            | FailureCode::DisconnectedByYou => Recovery::Reconnect,
            FailureCode::AppRejected => Recovery::CheckAppSettings,
            FailureCode::RemoteGone => Recovery::KeepOrRemove,
            FailureCode::VaultLocked => Recovery::UnlockKeychain,
            FailureCode::StorageFailed => Recovery::CheckStorage,
            FailureCode::ProviderUnreachable
            | FailureCode::PlanRequired
            | FailureCode::PermissionMissing
            | FailureCode::ProviderChanged
            | FailureCode::VaultUnavailable
            | FailureCode::VaultWriteFailed
            | FailureCode::Interrupted
            | FailureCode::ImportCancelled => Recovery::Retry,
        }
    }
}

/// The small persisted reason. `at` is when it was first seen: being met with again does not make it younger. `detail` is for diagnostics: it never holds a secret, a name or an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: FailureCode,
    pub at: Timestamp,
    pub detail: Option<String>,
}

impl Failure {
    pub fn new(code: FailureCode, at: Timestamp) -> Self {
        Self {
            code,
            at,
            detail: None,
        }
    }

    /// This failure, met after `before`: the same trouble keeps the time since when it lasts.
    #[must_use]
    pub fn after(self, before: Option<&Failure>) -> Self {
        match before {
            Some(before) if before.code == self.code => Self {
                at: before.at,
                ..self
            },
            _ => self,
        }
    }
}

/// What is the matter with a keychain that does not serve: [`FailureCode::VaultUnavailable`] more exactly. Kept as the
/// failure's detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeychainTrouble {
    /// This computer has none.
    NoKeychain,
    /// Its entry was written by a newer version.
    NewerEntry,
    /// It hangs, or fails.
    NoAnswer,
}

impl KeychainTrouble {
    pub fn word(self) -> &'static str {
        match self {
            KeychainTrouble::NoKeychain => "no keychain",
            KeychainTrouble::NewerEntry => "entry of a newer version",
            KeychainTrouble::NoAnswer => "no answer",
        }
    }

    /// What a failure of the keychain tells in its detail.
    pub fn of(failure: &Failure) -> Self {
        [KeychainTrouble::NoKeychain, KeychainTrouble::NewerEntry]
            .into_iter()
            .find(|trouble| failure.detail.as_deref() == Some(trouble.word()))
            .unwrap_or(KeychainTrouble::NoAnswer)
    }
}

/// Why a job waits, and until when if anybody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    pub code: FailureCode,
    pub until: Option<Timestamp>,
}
