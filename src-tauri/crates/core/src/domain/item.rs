//! Items: what we keep in sync and show. An item is a view over one or more feeds.

use super::ids::{ExternalId, FeedId, IntegrationId, ItemId};
use super::provider::{Origin, Provider};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ItemKind {
    /// One row per registration, for the check-in desk.
    BadgeEvent,
    /// One row per e-mail, over one event.
    PathEvent,
    /// One row per e-mail, over all events of an organization or calendar.
    PathChannel,
}

impl ItemKind {
    pub const ALL: [ItemKind; 3] = [ItemKind::BadgeEvent, ItemKind::PathEvent, ItemKind::PathChannel];

    pub fn code(self) -> &'static str {
        match self {
            ItemKind::BadgeEvent => "BADGE_EVENT",
            ItemKind::PathEvent => "PATH_EVENT",
            ItemKind::PathChannel => "PATH_CHANNEL",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name a person reads.
    pub fn name(self) -> &'static str {
        match self {
            ItemKind::BadgeEvent => "Badge event",
            ItemKind::PathEvent => "Path event",
            ItemKind::PathChannel => "Path channel",
        }
    }

    /// Whether a row stands for a person (one per e-mail) rather than for a registration.
    pub fn shows_people(self) -> bool {
        !matches!(self, ItemKind::BadgeEvent)
    }
}

/// What an item is, apart from its sync facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: ItemId,
    pub kind: ItemKind,
    pub provider: Provider,
    pub api_origin: Origin,
    pub external_id: ExternalId,
    pub integration_id: IntegrationId,
    /// `None` until the provider has told it once.
    pub title: Option<String>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub timezone: Option<String>,
    pub archived: bool,
    pub feed: FeedId,
    pub created_at: Timestamp,
}

impl Item {
    /// The title, or a stand-in that names the provider's id until the title is known.
    pub fn display_title(&self) -> String {
        match &self.title {
            Some(title) if !title.trim().is_empty() => title.clone(),
            _ => format!("{} event {}", self.provider.name(), self.external_id),
        }
    }
}
