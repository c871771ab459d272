//! Notices to the window: what has changed, so that it asks again. They carry no state but a job's progress.

use super::dto::Waiting;
use super::error::CommandError;
use super::sign_in::SignInProgress;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use talkvalue_core::ports;
use talkvalue_core::query::pace;
use tauri::{AppHandle, Emitter as _, Runtime};
use tracing::warn;
use ts_rs::TS;

use crate::window::MAIN_WINDOW;

/// The name of the one event that the window listens to.
pub const EVENT: &str = "notice";

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeType {
    ItemChanged,
    IntegrationChanged,
    JobProgressed,
    JobWaits,
    JobResumed,
    JobEnded,
    /// A job that went on after its command had answered ended in an error.
    JobFailed,
    /// The keychain is asked and may show a prompt.
    VaultAsked,
    /// Another process works on the data folder; this one waits for it.
    WaitingForLock,
    /// Another process has changed something: whatever is shown may be out of date.
    OutOfDate,
    /// An attempt to sign in has begun, goes on in another way, or has ended.
    SignInChanged,
    /// A sign-in is kept in memory only, or no longer.
    SignInsHeldChanged,
    /// The person closes the window while a sign-in is kept in memory only: the window asks what to do.
    QuitAsked,
}

/// About so many in each second or minute, and how long the rest takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    pub count: u64,
    pub per: Per,
    /// 0 for less than one; `null` where the provider names no total.
    pub minutes_left: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Per {
    Second,
    Minute,
}

impl From<pace::Pace> for Pace {
    fn from(told: pace::Pace) -> Self {
        Self {
            count: told.count,
            per: match told.per {
                pace::Per::Second => Per::Second,
                pace::Per::Minute => Per::Minute,
            },
            minutes_left: told.minutes_left,
        }
    }
}

/// One push to the window. Fields that say nothing are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct Notice {
    pub r#type: NoticeType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// How fast a job reads, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CommandError>,
    /// Absent once nobody signs in any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInProgress>,
}

impl Notice {
    pub(crate) fn new(r#type: NoticeType) -> Self {
        Self {
            r#type,
            item_id: None,
            integration_id: None,
            job_id: None,
            done: None,
            total: None,
            pace: None,
            waiting: None,
            error: None,
            sign_in: None,
        }
    }

    fn of_job(r#type: NoticeType, item: impl ToString, job: impl ToString) -> Self {
        Self {
            item_id: Some(item.to_string()),
            job_id: Some(job.to_string()),
            ..Self::new(r#type)
        }
    }
}

impl From<ports::Notice> for Notice {
    fn from(notice: ports::Notice) -> Self {
        match notice {
            ports::Notice::ItemChanged(item) => Self {
                item_id: Some(item.to_string()),
                ..Self::new(NoticeType::ItemChanged)
            },
            ports::Notice::IntegrationChanged(integration) => Self {
                integration_id: Some(integration.to_string()),
                ..Self::new(NoticeType::IntegrationChanged)
            },
            ports::Notice::JobProgressed {
                item,
                job,
                done,
                total,
            } => Self {
                done: Some(done),
                total,
                ..Self::of_job(NoticeType::JobProgressed, item, job)
            },
            ports::Notice::JobWaits { item, job, waiting } => Self {
                waiting: Some(waiting.into()),
                ..Self::of_job(NoticeType::JobWaits, item, job)
            },
            ports::Notice::JobResumed { item, job } => Self::of_job(NoticeType::JobResumed, item, job),
            ports::Notice::JobEnded { item, job } => Self::of_job(NoticeType::JobEnded, item, job),
            ports::Notice::JobFailed { item, job, error } => Self {
                error: Some(error.into()),
                ..Self::of_job(NoticeType::JobFailed, item, job)
            },
            ports::Notice::WaitingForLock => Self::new(NoticeType::WaitingForLock),
            ports::Notice::OutOfDate => Self::new(NoticeType::OutOfDate),
            ports::Notice::AskingVault => Self::new(NoticeType::VaultAsked),
            ports::Notice::SignInsHeldChanged => Self::new(NoticeType::SignInsHeldChanged),
        }
    }
}

/// Where notices go: to the main window and no other.
#[derive(Clone)]
pub(crate) struct Push {
    to_window: Arc<dyn Fn(Notice) + Send + Sync>,
    paces: Arc<Mutex<pace::Paces>>,
}

impl Push {
    pub(crate) fn to_main_window<R: Runtime>(app: AppHandle<R>) -> Self {
        Self {
            to_window: Arc::new(move |notice| {
                // A window that is closing misses a notice and nothing else: it asks for everything when it opens.
                if let Err(error) = app.emit_to(MAIN_WINDOW, EVENT, notice) {
                    warn!(error = %error, "a notice did not reach the window");
                }
            }),
            paces: Arc::default(),
        }
    }

    pub(crate) fn send(&self, notice: Notice) {
        (self.to_window)(notice);
    }

    fn pace_after(&self, notice: &ports::Notice, now: Instant) -> Option<Pace> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.hear(notice, now);
        match notice {
            ports::Notice::JobProgressed { job, .. } => paces.of(job, now).map(Into::into),
            _ => None,
        }
    }
}

impl ports::Notices for Push {
    fn notify(&self, notice: ports::Notice) {
        let pace = self.pace_after(&notice, Instant::now());
        self.send(Notice {
            pace,
            ..notice.into()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use talkvalue_core::domain::failure::FailureCode;
    use talkvalue_core::domain::ids::{ItemId, JobId};

    #[test]
    fn a_steady_job_tells_its_pace_with_its_progress_and_one_that_waits_tells_none() {
        let push = Push {
            to_window: Arc::new(|_| {}),
            paces: Arc::default(),
        };
        let (item, job, start) = (
            ItemId::from_text("item-1"),
            JobId::from_text("job-1"),
            Instant::now(),
        );
        let told = |secs: u64| {
            let notice = ports::Notice::JobProgressed {
                item: item.clone(),
                job: job.clone(),
                done: secs * 180,
                total: Some(3_000),
            };
            push.pace_after(&notice, start + Duration::from_secs(secs))
        };
        assert_eq!(told(0), None, "one page tells no speed");
        assert_eq!(told(1), None);
        let expected = Pace {
            count: 180,
            per: Per::Second,
            minutes_left: Some(0),
        };
        assert_eq!(told(2), Some(expected));
        let waits = ports::Notice::JobWaits {
            item: item.clone(),
            job: job.clone(),
            waiting: talkvalue_core::domain::failure::Waiting {
                code: FailureCode::RateLimited,
                until: None,
            },
        };
        assert_eq!(push.pace_after(&waits, start + Duration::from_secs(3)), None);
        assert_eq!(told(63), None, "a wait is not taken for slowness");
    }
}
