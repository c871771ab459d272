//! The opened data folder and the jobs that run over it after their command has answered. Owns whose turn this
//! process holds and which jobs run; what they do and whether they may is the core's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use talkvalue_core::domain::failure::{FailureCode, Recovery};
use talkvalue_core::domain::ids::{FeedId, IntegrationId, ItemId, JobId};
use talkvalue_core::error::{CommandError, ErrorCode};
use talkvalue_core::ports::{Patience, Ports};
use talkvalue_core::query::ItemView;
use talkvalue_core::query::attendee_list::AttendeeLists;
use talkvalue_core::sync::engine::EngineOptions;
use talkvalue_core::sync::opened::{Begun, OpenedJob, give_up_job};
use talkvalue_core::sync::turn::{Turn, take_turn};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinError};
use tracing::error;

use crate::ipc::notices::{Notice, Push};

/// How long a click waits while another process works on the data folder.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(30);
/// How long a click waits for a provider's request limit; jobs wait as long as it takes.
const PATIENCE_WITH_LIMITS: Duration = Duration::from_secs(10);
/// Jobs that read through one account at a time.
const JOBS_PER_INTEGRATION: usize = 2;

/// One opened data folder.
pub(crate) struct Desk {
    pub(crate) ports: Ports,
    pub(crate) lists: AttendeeLists,
    push: Push,
    /// One turn for all jobs of this process; given back with the last of them.
    turn: AsyncMutex<Weak<Turn>>,
    lanes: Mutex<Lanes>,
    running: Mutex<HashMap<ItemId, Running>>,
}

/// Who may read at the same time: one job per feed, a few per account.
#[derive(Default)]
struct Lanes {
    feeds: HashMap<FeedId, Arc<AsyncMutex<()>>>,
    integrations: HashMap<IntegrationId, Arc<Semaphore>>,
}

struct Running {
    job: JobId,
    abort: AbortHandle,
    ended: oneshot::Receiver<()>,
}

/// For calls that a person waits for in front of the window.
pub(crate) fn while_waiting() -> EngineOptions {
    EngineOptions {
        wait_limit: Some(PATIENCE_WITH_LIMITS),
        patience: Patience::PersonAsked,
    }
}

/// For calls that nobody asked for in so many words: no prompt is waited for.
pub(crate) fn in_passing() -> EngineOptions {
    EngineOptions {
        wait_limit: Some(Duration::ZERO),
        patience: Patience::Background,
    }
}

/// For jobs that a person started and that go on by themselves.
fn until_done() -> EngineOptions {
    EngineOptions {
        wait_limit: None,
        patience: Patience::PersonAsked,
    }
}

impl Desk {
    pub(crate) fn new(ports: Ports, push: Push) -> Self {
        Self {
            ports,
            lists: AttendeeLists::default(),
            push,
            turn: AsyncMutex::default(),
            lanes: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// This process's turn, shared with the jobs that run already.
    pub(crate) async fn turn(&self) -> Result<Arc<Turn>, CommandError> {
        let mut held = self.turn.lock().await;
        if let Some(turn) = held.upgrade() {
            return Ok(turn);
        }
        let turn = Arc::new(take_turn(&self.ports, Some(PATIENCE_WITH_OTHERS)).await?);
        *held = Arc::downgrade(&turn);
        Ok(turn)
    }

    /// Lets the job go on after its command has answered, and answers with the item as it is now.
    pub(crate) fn run_in_background(self: &Arc<Self>, turn: Arc<Turn>, begun: Begun) -> ItemView {
        let Begun { item, job } = begun;
        if let Some(job) = job {
            self.start(turn, job);
        }
        item
    }

    fn start(self: &Arc<Self>, turn: Arc<Turn>, job: OpenedJob) {
        let (item, id) = (job.item().clone(), job.id().clone());
        let (tell_end, ended) = oneshot::channel();
        let desk = self.clone();
        // Held until the job is listed, so that it cannot end before.
        let mut running = self.running();
        let work = tokio::spawn(async move { desk.work(job).await });
        running.insert(
            item.clone(),
            Running {
                job: id.clone(),
                abort: work.abort_handle(),
                ended,
            },
        );
        drop(running);
        let desk = self.clone();
        tokio::spawn(async move {
            let end = work.await;
            desk.settle(&item, &id, end).await;
            drop(turn);
            // Nobody may be waiting for it.
            let _ = tell_end.send(());
        });
    }

    async fn work(&self, job: OpenedJob) -> Result<ItemView, CommandError> {
        let (feed, integration) = self.lanes_of(&job);
        let _feed = feed.lock().await;
        // The semaphore is never closed; if it were, the job would run without its limit.
        let _permit = integration.acquire().await.ok();
        job.run(&self.ports, until_done()).await
    }

    fn lanes_of(&self, job: &OpenedJob) -> (Arc<AsyncMutex<()>>, Arc<Semaphore>) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let feed = lanes.feeds.entry(job.feed().clone()).or_default().clone();
        let integration = lanes
            .integrations
            .entry(job.integration().clone())
            .or_insert_with(|| Arc::new(Semaphore::new(JOBS_PER_INTEGRATION)))
            .clone();
        (feed, integration)
    }

    /// Tells how a job ended, and ends it in the store where it could not do so itself.
    async fn settle(
        &self,
        item: &ItemId,
        job: &JobId,
        end: Result<Result<ItemView, CommandError>, JoinError>,
    ) {
        {
            let mut running = self.running();
            if running.get(item).is_some_and(|running| running.job == *job) {
                running.remove(item);
            }
        }
        let failure = match end {
            Ok(Ok(_)) => return,
            Ok(Err(failure)) => Some(failure),
            Err(stopped) if stopped.is_cancelled() => None,
            Err(_) => {
                error!(item.id = %item, job.id = %job, "a job broke off: this is a defect");
                Some(CommandError {
                    code: ErrorCode::Failure(FailureCode::Interrupted),
                    message: "The last run was cut off by a mistake of this app. What arrived is kept."
                        .to_owned(),
                    recovery: Recovery::Retry,
                })
            }
        };
        let unfinished = failure
            .as_ref()
            .is_none_or(|failure| failure.code == ErrorCode::Failure(FailureCode::Interrupted));
        if unfinished && let Err(failure) = give_up_job(&self.ports, item, job).await {
            error!(item.id = %item, code = failure.code.code(), "a broken job could not be ended");
        }
        if let Some(failure) = failure {
            self.push.send(Notice::job_failed(item, job, failure.into()));
        }
    }

    /// Stops the job that runs for an item, if one does, and waits until it has stopped. What arrived is kept.
    pub(crate) async fn stop(&self, item: &ItemId) {
        let running = self.running().remove(item);
        if let Some(running) = running {
            running.abort.abort();
            // An error says that it ended already.
            let _ = running.ended.await;
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ItemId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
