//! A provider's event, as far as an item needs to know it.

use super::ids::ExternalId;
use jiff::Timestamp;

/// One event at a provider. Unknown facts are `None`, never guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    pub external_id: ExternalId,
    pub title: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// IANA name, for example `Europe/London`.
    pub timezone: Option<String>,
    /// How many registrations the provider says there are; a hint for progress, never compared against.
    pub registrations_hint: Option<u64>,
}
