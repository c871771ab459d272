//! A provider's event, as far as an item needs to know it.

use super::ids::ExternalId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One event at a provider. Unknown facts are `None`, never guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    pub external_id: ExternalId,
    pub title: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// IANA name, for example `Europe/London`.
    pub timezone: Option<String>,
    /// The organization it belongs to, where the provider says so and has lists over all events of one.
    pub organization: Option<ExternalId>,
    /// How many registrations the provider itself counts, where it does.
    pub headcount: Option<Headcount>,
}

/// How many registrations stand at each of the provider's words, and how many have checked in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headcount {
    pub by_status: BTreeMap<String, u64>,
    pub checked_in: Option<u64>,
}

/// By how much two headcounts differ: only what differs is named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gap {
    pub by_status: BTreeMap<String, i64>,
    pub checked_in: i64,
}

impl Headcount {
    /// Everybody, whatever their status.
    pub fn total(&self) -> u64 {
        self.by_status
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// By how much this one exceeds `stored`, in the words that this one counts.
    pub fn gap(&self, stored: &Headcount) -> Gap {
        let less = |ours: u64, theirs: u64| ours.cast_signed().saturating_sub(theirs.cast_signed());
        let by_status = self.by_status.iter().map(|(word, count)| {
            let here = stored.by_status.get(word).copied().unwrap_or(0);
            (word.clone(), less(*count, here))
        });
        Gap {
            by_status: by_status.filter(|(_, gap)| *gap != 0).collect(),
            checked_in: self
                .checked_in
                .map_or(0, |count| less(count, stored.checked_in.unwrap_or(0))),
        }
    }
}

impl Gap {
    pub fn is_none(&self) -> bool {
        *self == Gap::default()
    }
}
