//! Opaque identifiers. Local ids are random and carry a short prefix that tells a person what they name; external ids
//! are the provider's and are kept exactly as received.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! local_id {
    ($(#[$meaning:meta])* $name:ident, $prefix:literal) => {
        $(#[$meaning])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new random id: 48 random bits, ample for one data folder, whose tables also hold it unique.
            pub fn random() -> Self {
                let hex = Uuid::new_v4().simple().to_string();
                Self(format!(concat!($prefix, "-{}"), &hex[..12]))
            }

            /// Takes an id as it was stored or typed; whether it names anything is the store's to say.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

macro_rules! external_id {
    ($(#[$meaning:meta])* $name:ident) => {
        $(#[$meaning])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

local_id!(
    /// Names one connected provider account in this data folder.
    IntegrationId,
    "int"
);
local_id!(
    /// Names one Badge event, Path event or Path channel.
    ItemId,
    "item"
);
local_id!(
    /// Names the stored registrations of one provider event.
    FeedId,
    "feed"
);
local_id!(
    /// Names one import, retry, reconnect or sync.
    JobId,
    "job"
);

external_id!(
    /// The provider's id of an event, an organization or a calendar.
    ExternalId
);
external_id!(
    /// The provider's id of one registration (Eventbrite attendee, Luma guest).
    RegistrationId
);
external_id!(
    /// The provider's id of the account behind an integration (Eventbrite user, Luma calendar).
    AccountId
);

/// The id of one row of an item. It follows from the item and the row's key, so it outlives reconnects and re-imports
/// of the same item without being stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttendeeId(String);

impl AttendeeId {
    /// `key` is the registration's id (Badge event) or the person's key (Path items).
    pub fn of(item: &ItemId, key: &str) -> Self {
        let name = format!("{item}\n{key}");
        let hex = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
            .simple()
            .to_string();
        Self(format!("att-{}", &hex[..20]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AttendeeId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}
