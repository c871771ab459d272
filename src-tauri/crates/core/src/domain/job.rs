//! Jobs: one import, retry, reconnect or sync, persisted so that a crash loses nothing.

use super::failure::{Failure, Waiting};
use super::ids::{ItemId, JobId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobKind {
    Import,
    Retry,
    Reconnect,
    /// A hard pull a person asked for, or an automatic run. Never makes an item PENDING.
    Sync,
}

impl JobKind {
    pub const ALL: [JobKind; 4] = [JobKind::Import, JobKind::Retry, JobKind::Reconnect, JobKind::Sync];

    pub fn code(self) -> &'static str {
        match self {
            JobKind::Import => "IMPORT",
            JobKind::Retry => "RETRY",
            JobKind::Reconnect => "RECONNECT",
            JobKind::Sync => "SYNC",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Import, retry and reconnect make an item PENDING while they are active; a sync never does.
    pub fn makes_pending(self) -> bool {
        !matches!(self, JobKind::Sync)
    }

    /// Whether an open job of this kind does what one of `wanted` would. A pull is of everything, from when it was asked
    /// for: no job that has begun is that; and one that has begun as a sync may be a check, which reads changes alone.
    pub fn serves(self, has_begun: bool, wanted: JobKind) -> bool {
        match self {
            JobKind::Sync => !has_begun,
            JobKind::Import | JobKind::Retry | JobKind::Reconnect => wanted != JobKind::Sync,
        }
    }
}

/// A job that has not ended. Whether it is *active* also needs a live process that holds the sync lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJob {
    pub id: JobId,
    pub item: ItemId,
    pub kind: JobKind,
    /// Registrations read so far in the current walk.
    pub done: u64,
    /// What the provider says there are; `None` where it does not say.
    pub total: Option<u64>,
    pub waiting: Option<Waiting>,
    /// Kept after a condition ended its command: nobody works on it until it is taken up again.
    pub held: bool,
    /// Left by a process without the turn: whoever has it takes it up.
    pub handed: bool,
    pub created_at: Timestamp,
}

/// How a job ended, other than by completing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// The item failed.
    Failed(Failure),
    /// A condition stopped it: the job is kept, the status stays as it is. Only items that never completed keep the
    /// reason as their failure.
    Held(Waiting, Failure),
    /// The credential was severed meanwhile, or a newer job took its place: the facts are set elsewhere.
    Interrupted,
    /// A person stopped it: what arrived is kept. Only items that never completed keep that as their failure.
    Cancelled(Failure),
}
