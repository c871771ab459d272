//! The sync status: one pure function over stored facts, used for the list, the page, the tray and the command line.

use super::failure::{Failure, FailureCode, Waiting};
use super::ids::JobId;
use super::job::JobKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SyncStatus {
    Pending,
    Active,
    Failed,
    Disconnected,
}

impl SyncStatus {
    pub const ALL: [SyncStatus; 4] = [
        SyncStatus::Pending,
        SyncStatus::Active,
        SyncStatus::Failed,
        SyncStatus::Disconnected,
    ];

    pub fn code(self) -> &'static str {
        match self {
            SyncStatus::Pending => "PENDING",
            SyncStatus::Active => "ACTIVE",
            SyncStatus::Failed => "FAILED",
            SyncStatus::Disconnected => "DISCONNECTED",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Alert {
    IntegrationDisconnected,
    SyncFailed,
    ImportFailed,
}

/// A job that is active: it has not ended AND a live process holds the data folder's sync lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveJob {
    pub id: JobId,
    pub kind: JobKind,
    pub done: u64,
    pub total: Option<u64>,
    pub waiting: Option<Waiting>,
}

/// Everything the status of one item derives from. Only the engine changes these facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncFacts {
    /// Why the item's credential is severed, if it is.
    pub severed: Option<Failure>,
    pub active_job: Option<ActiveJob>,
    /// Server time at the START of the last complete read; `None` until one completed.
    pub last_synced_at: Option<Timestamp>,
    pub last_failure: Option<Failure>,
    pub last_attempted_at: Option<Timestamp>,
}

impl SyncFacts {
    /// > severed → DISCONNECTED; else a person-started job is active → PENDING; else never completed → PENDING;
    /// > else a last failure is set → FAILED; else ACTIVE.
    pub fn status(&self) -> SyncStatus {
        let person_waits = self
            .active_job
            .as_ref()
            .is_some_and(|job| job.kind.makes_pending());
        if self.severed.is_some() {
            SyncStatus::Disconnected
        } else if person_waits || self.last_synced_at.is_none() {
            SyncStatus::Pending
        } else if self.last_failure.is_some() {
            SyncStatus::Failed
        } else {
            SyncStatus::Active
        }
    }

    /// The alert on the item's page. An archived item has none.
    pub fn alert(&self, archived: bool) -> Option<Alert> {
        if archived {
            return None;
        }
        match self.status() {
            SyncStatus::Disconnected => Some(Alert::IntegrationDisconnected),
            SyncStatus::Failed => Some(Alert::SyncFailed),
            SyncStatus::Pending if self.active_job.is_none() => Some(Alert::ImportFailed),
            SyncStatus::Pending | SyncStatus::Active => None,
        }
    }

    /// The failure that explains the status; `None` while there is nothing to explain. An import that never completed
    /// and left no reason behind was cut off.
    pub fn failure(&self) -> Option<Failure> {
        match self.status() {
            SyncStatus::Disconnected => self.severed.clone(),
            SyncStatus::Failed => self.last_failure.clone(),
            SyncStatus::Pending if self.active_job.is_none() => {
                Some(self.last_failure.clone().unwrap_or_else(|| {
                    Failure::new(
                        FailureCode::Interrupted,
                        self.last_attempted_at.unwrap_or(Timestamp::UNIX_EPOCH),
                    )
                }))
            }
            SyncStatus::Pending | SyncStatus::Active => None,
        }
    }
}

/// What happens to the facts. Every change of them goes through [`SyncFacts::apply`], in the engine, in a test, and
/// (as the same few column updates) in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    JobStarted {
        job: ActiveJob,
        at: Timestamp,
    },
    /// A complete read ended; `as_of` is the server's time at its start.
    Succeeded {
        as_of: Timestamp,
    },
    Failed(Failure),
    /// A condition: the job ends or waits, the status stays. Only an item that never completed keeps the reason.
    Held(Failure),
    /// The process died or let the lock go.
    LockLost,
    Severed(Failure),
    /// A person confirmed the item's Reconnect.
    ReconnectConfirmed {
        at: Timestamp,
    },
}

impl SyncFacts {
    pub fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::JobStarted { job, at } => {
                self.active_job = Some(job);
                self.last_attempted_at = Some(at);
            }
            Effect::Succeeded { as_of } => {
                // Reads may finish out of order; a later success is never replaced by an earlier one.
                self.last_synced_at = Some(self.last_synced_at.map_or(as_of, |before| before.max(as_of)));
                self.last_failure = None;
                self.active_job = None;
            }
            Effect::Failed(failure) => {
                self.last_failure = Some(failure.after(self.last_failure.as_ref()));
                self.active_job = None;
            }
            Effect::Held(failure) => {
                if self.last_synced_at.is_none() {
                    self.last_failure = Some(failure.after(self.last_failure.as_ref()));
                }
                self.active_job = None;
            }
            Effect::LockLost => self.active_job = None,
            Effect::Severed(failure) => {
                self.severed = Some(failure);
                self.active_job = None;
            }
            Effect::ReconnectConfirmed { at } => {
                self.severed = None;
                self.last_failure = Some(Failure::new(FailureCode::Interrupted, at));
            }
        }
    }
}
