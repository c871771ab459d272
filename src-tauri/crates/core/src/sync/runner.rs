//! Jobs that go on by themselves, several at once, over one turn. Owns whose turn this process holds, which jobs run and
//! since when it has been awake; what a job does and whether it may is decided where it is begun.

use super::engine::EngineOptions;
use super::opened::{Begun, OpenedJob, give_up_job};
use super::turn::{Turn, take_turn, try_turn};
use crate::domain::failure::{FailureCode, Recovery};
use crate::domain::freshness::{EngineView, is_ahead};
use crate::domain::ids::{FeedId, IntegrationId, ItemId, JobId};
use crate::error::{CommandError, ErrorCode};
use crate::ports::{ItemRecord, Notice, Ports};
use crate::query::ItemView;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tracing::error;

/// How long a click waits while another process works on the data folder.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(30);
/// Jobs that read through one account at a time.
const JOBS_PER_INTEGRATION: usize = 2;
/// An engine looks at the clock every 15 seconds. If it has not for so long, the computer slept.
const LONGEST_ABSENCE: SignedDuration = SignedDuration::from_secs(75);

/// Runs the jobs of one process.
pub struct Runner {
    pub(super) ports: Ports,
    /// One turn for all jobs of this process; given back with the last of them.
    turn: AsyncMutex<Weak<Turn>>,
    lanes: Mutex<Lanes>,
    running: Mutex<HashMap<ItemId, Running>>,
    awake: Mutex<Awake>,
}

/// When this process was started or last woke, and when it last looked at the clock.
struct Awake {
    since: Timestamp,
    looked_at: Timestamp,
}

/// Who may read through an account at the same time: a few jobs, in the order in which they came.
type Lanes = HashMap<IntegrationId, Arc<Semaphore>>;

/// A place in the lanes, until dropped.
pub(super) struct Lane {
    _walker: OwnedMutexGuard<()>,
    _integration: Option<OwnedSemaphorePermit>,
    _queue: OwnedMutexGuard<()>,
}

struct Running {
    job: JobId,
    abort: AbortHandle,
    ended: oneshot::Receiver<()>,
}

impl Runner {
    pub fn new(ports: Ports) -> Self {
        let now = ports.clock.now();
        Self {
            awake: Mutex::new(Awake {
                since: now,
                looked_at: now,
            }),
            ports,
            turn: AsyncMutex::default(),
            lanes: Mutex::default(),
            running: Mutex::default(),
        }
    }

    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// This process as an engine that keeps lists live. After the computer slept nothing counts as checked: not by one
    /// who asks before the engine itself has noticed, either.
    pub fn engine(&self) -> EngineView {
        let now = self.ports.clock.now();
        let mut awake = self.awake.lock().unwrap_or_else(PoisonError::into_inner);
        let absence = now.duration_since(awake.looked_at);
        // Nor after the clock was set back: nobody knows how long ago anything was, then.
        if absence > LONGEST_ABSENCE || is_ahead(awake.looked_at, now) {
            awake.since = now;
        }
        awake.looked_at = now;
        EngineView {
            running_since: Some(awake.since),
        }
    }

    /// This process's turn, shared with the jobs that run already.
    pub async fn turn(&self) -> Result<Arc<Turn>, CommandError> {
        let mut held = self.turn.lock().await;
        if let Some(turn) = held.upgrade() {
            return Ok(turn);
        }
        let turn = Arc::new(take_turn(&self.ports, Some(PATIENCE_WITH_OTHERS)).await?);
        *held = Arc::downgrade(&turn);
        Ok(turn)
    }

    /// The same, unless another process holds it now.
    pub(super) async fn turn_if_free(&self) -> Result<Option<Arc<Turn>>, CommandError> {
        let mut held = self.turn.lock().await;
        if let Some(turn) = held.upgrade() {
            return Ok(Some(turn));
        }
        let turn = try_turn(&self.ports).await?.map(Arc::new);
        if let Some(turn) = &turn {
            *held = Arc::downgrade(turn);
        }
        Ok(turn)
    }

    /// Lets the job go on after its command has answered, and answers with the item as it is now. If it ends in an
    /// error, a notice says so.
    pub fn run_in_background(
        self: &Arc<Self>,
        turn: Arc<Turn>,
        begun: Begun,
        options: EngineOptions,
    ) -> ItemView {
        let Begun { item, job } = begun;
        if let Some(job) = job {
            self.start(turn, job, options);
        }
        item
    }

    pub(super) fn start(self: &Arc<Self>, turn: Arc<Turn>, job: OpenedJob, options: EngineOptions) {
        let (item, id) = (job.item().clone(), job.id().clone());
        let (tell_end, ended) = oneshot::channel();
        let runner = self.clone();
        // Held until the job is listed, so that it cannot end before.
        let mut running = self.running();
        let in_lane = turn.clone();
        let work = tokio::spawn(async move {
            let (feed, integration) = (job.feed().clone(), job.integration().clone());
            let lane = runner.lane(&in_lane, &feed, &integration);
            job.run_in(lane, &runner.ports, options).await
        });
        running.insert(
            item.clone(),
            Running {
                job: id.clone(),
                abort: work.abort_handle(),
                ended,
            },
        );
        drop(running);
        let runner = self.clone();
        tokio::spawn(async move {
            let end = work.await;
            runner.settle(&item, &id, end).await;
            drop(turn);
            // Nobody may be waiting for it.
            let _ = tell_end.send(());
        });
    }

    /// Runs a job whose caller goes on with it and has its place. It ends with the caller, and with [`Self::stop`].
    pub(super) async fn run_here(
        self: &Arc<Self>,
        job: OpenedJob,
        options: EngineOptions,
    ) -> Result<(), CommandError> {
        let (item, id) = (job.item().clone(), job.id().clone());
        let (tell_end, ended) = oneshot::channel();
        let runner = self.clone();
        // Dropping it stops the work.
        let mut work = JoinSet::new();
        {
            let mut running = self.running();
            let abort = work.spawn(async move { job.run(&runner.ports, options).await });
            let job = id.clone();
            running.insert(item.clone(), Running { job, abort, ended });
        }
        let end = work.join_next().await;
        self.forget(&item, &id);
        let result = match end {
            Some(Ok(result)) => result.map(drop),
            stopped => {
                if let Some(Err(stopped)) = stopped
                    && !stopped.is_cancelled()
                {
                    error!(item.id = %item, job.id = %id, "a read broke off: this is a defect");
                }
                give_up_job(&self.ports, &item, &id).await
            }
        };
        // Nobody may be waiting for it.
        let _ = tell_end.send(());
        result
    }

    /// Waits for a place in the lanes of a feed and an account.
    ///
    /// The order matters. A channel has its place at the account while it waits for the walkers of its events, so that
    /// nobody may be a walker and wait for a place. Jobs over one feed have waited for each other before they take one,
    /// so that they do not fill the account. Who walks waits for no other walker, except a channel for one of an event
    /// at a time (`read_together` only tries).
    pub(super) async fn lane(&self, turn: &Turn, feed: &FeedId, integration: &IntegrationId) -> Lane {
        let lane = {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            lanes
                .entry(integration.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(JOBS_PER_INTEGRATION)))
                .clone()
        };
        let queue = turn.queues().lock(feed).await;
        // The semaphore is never closed; if it were, the job would run without its limit.
        let integration = lane.acquire_owned().await.ok();
        Lane {
            _walker: turn.feeds().lock(feed).await,
            _integration: integration,
            _queue: queue,
        }
    }

    /// Tells how a job ended, and ends it in the store where it could not do so itself.
    async fn settle(
        &self,
        item: &ItemId,
        job: &JobId,
        end: Result<Result<ItemView, CommandError>, JoinError>,
    ) {
        self.forget(item, job);
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
        if let Some(error) = failure {
            self.ports.notices.notify(Notice::JobFailed {
                item: item.clone(),
                job: job.clone(),
                error,
            });
        }
    }

    fn forget(&self, item: &ItemId, job: &JobId) {
        let mut running = self.running();
        if running.get(item).is_some_and(|running| running.job == *job) {
            running.remove(item);
        }
    }

    /// Stops the job that runs for an item, whoever wanted it, and waits until it has stopped. What arrived is kept.
    pub async fn stop(&self, item: &ItemId) {
        let running = self.running().remove(item);
        if let Some(running) = running {
            running.abort.abort();
            // An error says that it ended already.
            let _ = running.ended.await;
        }
    }

    /// Whether a job runs for the item, or waits for its place.
    pub(super) fn is_running(&self, record: &ItemRecord) -> bool {
        self.running().contains_key(&record.item.id)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ItemId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
