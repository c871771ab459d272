//! The words that stand for a fixed set of values, as JSON carries them. Each says the same as the core's word of that
//! name: adding one there does not compile until it is here.

use serde::{Deserialize, Serialize};
use talkvalue_core::connect;
use talkvalue_core::domain::{
    attendee, credential, failure, freshness, integration, item, job, provider, status,
};
use talkvalue_core::query::attendee_list;
use ts_rs::TS;

macro_rules! words {
    ($(#[$meaning:meta])* $name:ident = $core:path { $($word:ident),+ $(,)? }) => {
        $(#[$meaning])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name {
            $($word),+
        }

        impl From<$core> for $name {
            fn from(word: $core) -> Self {
                match word {
                    $(<$core>::$word => Self::$word),+
                }
            }
        }

        impl From<$name> for $core {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word),+
                }
            }
        }
    };
}

words!(
    /// Where events come from.
    Provider = provider::Provider { Eventbrite, Luma }
);
words!(
    /// What an item is.
    ItemKind = item::ItemKind { BadgeEvent, PathEvent, PathChannel }
);
words!(
    /// Exactly four.
    SyncStatus = status::SyncStatus { Pending, Active, Failed, Disconnected }
);
words!(
    /// How far the status can be trusted now.
    Freshness = freshness::Freshness { Live, Checking, Offline, Paused, Stale, Ended }
);
words!(
    /// The one alert of an item's page.
    Alert = status::Alert { IntegrationDisconnected, SyncFailed, ImportFailed }
);
words!(
    /// What a job does.
    JobKind = job::JobKind { Import, Retry, Reconnect, Sync }
);
words!(
    /// Whether somebody is expected.
    AttendeeStatus = attendee::AttendeeStatus { NotAttending, Awaiting, Attending }
);
words!(
    /// Whether an account can be read through.
    IntegrationStatus = integration::IntegrationStatus { Connected, Disconnected }
);
words!(
    /// How an account signs in.
    SignIn = credential::SignIn { Oauth, Token, Key }
);
words!(
    /// What became of a sign-in at its provider.
    Withdrawal = connect::Withdrawal { Withdrawn, NotOffered, Failed, Over }
);
words!(
    /// What went wrong.
    FailureCode = failure::FailureCode {
        Offline, ProviderUnreachable, NetworkSignIn, RateLimited, CredentialsRejected, CredentialsMissing,
        DisconnectedByYou, AppRejected, PlanRequired, PermissionMissing, RemoteGone, ProviderChanged, VaultLocked,
        VaultUnavailable, VaultWriteFailed, StorageFailed, Interrupted, ImportCancelled,
    }
);
words!(
    /// The one action offered.
    Recovery = failure::Recovery {
        Wait, Retry, Reconnect, UnlockKeychain, SignInToNetwork, CheckAppSettings, KeepOrRemove, CheckStorage,
        CorrectInput,
    }
);
words!(
    /// What attendees are sorted by.
    AttendeeSort = attendee_list::AttendeeSort { Name, Email, Status, CheckedIn, Registered, Ticket }
);

/// What the window may ask to be opened in the person's browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LinkKind {
    /// The event's page at its provider; needs the item's id.
    Item,
    EventbriteKeys,
    LumaKeys,
    LumaBilling,
    EventbriteStatus,
    LumaStatus,
    /// A plain page of the provider's, which a network that wants a sign-in answers with its own. Takes an item's id.
    NetworkSignIn,
}
