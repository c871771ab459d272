//! Jobs between their opening and their run. Opening checks that the list can be read at all and marks the item as
//! being worked on, so that whoever asked can be answered at once; running reads the list.
//!
//! Whoever opens a job holds the turn until the job has run or was dropped.

use super::actions::{require_connected, tell};
use super::engine::{self, Assignment, EngineOptions, Outcome, Reach};
use super::turn::{Claim, FeedLocks, Turn};
use crate::connect::check_origin;
use crate::domain::failure::{Failure, FailureCode, Waiting};
use crate::domain::freshness::EngineView;
use crate::domain::ids::{FeedId, IntegrationId, ItemId, JobId};
use crate::domain::integration::Integration;
use crate::domain::item::{Item, ItemKind};
use crate::domain::job::{JobEnd, JobKind};
use crate::domain::provider::Provider;
use crate::error::CommandError;
use crate::ports::{ItemRecord, Notice, Ports, StoreError};
use crate::query::{self, ItemView, stored_integration, stored_item};
use jiff::Timestamp;
use tracing::debug;

/// An action that has begun: the item as it is now, and the job that remains to be run.
pub struct Begun {
    pub item: ItemView,
    /// `None` when there is nothing to read, or a job of this turn reads it already.
    pub job: Option<OpenedJob>,
}

/// A job that is open and counts as active. Dropping it unrun leaves an interrupted job behind.
pub struct OpenedJob {
    id: JobId,
    kind: JobKind,
    reach: Reach,
    record: ItemRecord,
    integration: Integration,
    feeds: FeedLocks,
    watched_since: Option<Timestamp>,
    claim: Option<Claim>,
}

impl Begun {
    pub(super) fn nothing(item: ItemView) -> Self {
        Self { item, job: None }
    }

    /// Opens a job, unless one of this turn works on the item already.
    pub(crate) async fn job(
        ports: &Ports,
        turn: &Turn,
        record: ItemRecord,
        kind: JobKind,
    ) -> Result<Self, CommandError> {
        let integration = stored_integration(ports, &record.item.integration_id).await?;
        check_origin(ports, &integration)?;
        require_connected(&integration)?;
        let id = record.item.id.clone();
        let opened = match turn.claim(&id) {
            None => None,
            Some(claim) => {
                let job = ports.store.open_job(&id, kind, ports.clock.now()).await?;
                ports.notices.notify(Notice::ItemChanged(id.clone()));
                Some(OpenedJob {
                    id: job,
                    kind,
                    reach: Reach::Everything,
                    record,
                    integration,
                    feeds: turn.feeds().clone(),
                    watched_since: None,
                    claim: Some(claim),
                })
            }
        };
        Ok(Self {
            item: query::item(ports, &id, EngineView::default()).await?,
            job: opened,
        })
    }

    /// Takes up a job that another process handed over. `None` where it is gone, or cannot be run: then it has ended.
    pub(super) async fn handed(
        ports: &Ports,
        turn: &Turn,
        record: ItemRecord,
    ) -> Result<Option<OpenedJob>, CommandError> {
        let Some(job) = record.open_job.clone().filter(|job| job.handed) else {
            return Ok(None);
        };
        let integration = stored_integration(ports, &record.item.integration_id).await?;
        let possible = check_origin(ports, &integration).and_then(|()| require_connected(&integration));
        if possible.is_err() || record.severed.is_some() || record.item.archived {
            give_up_job(ports, &record.item.id, &job.id).await?;
            return Ok(None);
        }
        let Some(claim) = turn.claim(&record.item.id) else {
            return Ok(None);
        };
        if !ports.store.take_handed_job(&job.id, ports.clock.now()).await? {
            return Ok(None);
        }
        ports.notices.notify(Notice::ItemChanged(record.item.id.clone()));
        Ok(Some(OpenedJob {
            id: job.id,
            kind: job.kind,
            reach: Reach::Everything,
            record,
            integration,
            feeds: turn.feeds().clone(),
            watched_since: None,
            claim: Some(claim),
        }))
    }

    /// The same, reading only what changed where that is enough for an engine that has run since then.
    pub(super) fn for_changes(mut self, watched_since: Option<Timestamp>) -> Self {
        if let Some(job) = &mut self.job {
            job.reach = Reach::Changes;
            job.watched_since = watched_since;
        }
        self
    }

    /// Runs the job, if there is one, and answers with the item as it is then.
    pub async fn finish(self, ports: &Ports, options: EngineOptions) -> Result<ItemView, CommandError> {
        match self.job {
            None => Ok(self.item),
            Some(job) => job.run(ports, options).await,
        }
    }
}

impl OpenedJob {
    pub fn item(&self) -> &ItemId {
        &self.record.item.id
    }

    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// The account it reads through.
    pub fn integration(&self) -> &IntegrationId {
        &self.integration.id
    }

    /// The registrations it writes: no two jobs may walk one feed at a time.
    pub fn feed(&self) -> &FeedId {
        &self.record.item.feed
    }

    /// Runs the job to its end.
    pub async fn run(self, ports: &Ports, options: EngineOptions) -> Result<ItemView, CommandError> {
        self.run_in(std::future::ready(()), ports, options).await
    }

    /// The same once there is a `place` for it, which it keeps to the end. It can be stopped while it waits.
    pub(super) async fn run_in<P>(
        mut self,
        place: impl Future<Output = P>,
        ports: &Ports,
        options: EngineOptions,
    ) -> Result<ItemView, CommandError> {
        let result = self.read(place, ports, options).await;
        if let Err(error) = &result {
            self.withdraw_unknown(ports, error).await?;
        }
        result.map_err(|error| self.explain_unknown(error))
    }

    async fn read<P>(
        &mut self,
        place: impl Future<Output = P>,
        ports: &Ports,
        options: EngineOptions,
    ) -> Result<ItemView, CommandError> {
        let assignment = Assignment {
            job: &self.id,
            kind: self.kind,
            reach: self.reach,
            record: &self.record,
            integration: &self.integration,
            feeds: &self.feeds,
            watched_since: self.watched_since,
        };
        let work = async {
            let _place = place.await;
            engine::run(ports, assignment, options).await
        };
        let outcome = tokio::select! {
            biased;
            outcome = work => match outcome {
                Ok(outcome) => outcome,
                Err(error) => return Err(self.wait_for_storage(ports, error).await),
            },
            () = ports.store.cancel_asked(&self.id) => {
                let failure = Failure::new(FailureCode::ImportCancelled, ports.clock.now());
                let (at, end) = (failure.at, JobEnd::Cancelled(failure.clone()));
                ports.store.end_job(&self.id, end, at).await?;
                Outcome::Cancelled(failure)
            }
        };
        // Whoever hears of the end may begin the next job at once.
        self.claim = None;
        let id = &self.record.item.id;
        ports.notices.notify(Notice::JobEnded {
            item: id.clone(),
            job: self.id.clone(),
        });
        ports.notices.notify(Notice::ItemChanged(id.clone()));
        match outcome {
            Outcome::Completed => query::item(ports, id, EngineView::default()).await,
            Outcome::Failed(failure)
            | Outcome::Severed(failure)
            | Outcome::Held(failure)
            | Outcome::Cancelled(failure) => Err(tell(ports, id, &failure).await?),
            Outcome::WaitElapsed(waiting) => {
                let until = waiting.until.map_or(String::new(), |until| {
                    format!(" It could go on at {}.", query::reader(ports).moment(until))
                });
                Err(CommandError::waiting(format!(
                    "{}'s request limit is used up.{until} What arrived is kept; sync again then.",
                    self.record.item.provider.name()
                )))
            }
        }
    }

    /// The storage stopped the run. Where not even that can be saved the job stays open: whoever looks for what is due
    /// next, or takes the next turn, finds it.
    async fn wait_for_storage(&self, ports: &Ports, error: StoreError) -> CommandError {
        if let Err(again) = hold(ports, &self.record.item.id, &self.id, FailureCode::StorageFailed).await {
            debug!(job.id = %self.id, code = again.code.code(), "what the storage stopped could not be kept yet");
        }
        error.into()
    }

    /// An id that the provider never showed to this account leaves no item behind.
    async fn withdraw_unknown(&self, ports: &Ports, error: &CommandError) -> Result<(), CommandError> {
        let id = &self.record.item.id;
        if self.is_first_import()
            && is_unknown_event(error)
            && stored_item(ports, id).await?.item.title.is_none()
        {
            ports.store.remove(id).await?;
            ports.notices.notify(Notice::ItemChanged(id.clone()));
        }
        Ok(())
    }

    fn explain_unknown(&self, error: CommandError) -> CommandError {
        if !(self.is_first_import() && is_unknown_event(&error)) {
            return error;
        }
        CommandError {
            message: unknown_event(&self.record.item, &self.integration),
            ..error
        }
    }

    fn is_first_import(&self) -> bool {
        self.kind == JobKind::Import && self.record.item.title.is_none()
    }
}

/// That the provider never showed the event to the account.
pub(super) fn unknown_event(item: &Item, integration: &Integration) -> String {
    let own = match integration.provider {
        Provider::Luma => " A Luma event is visible to its own calendar's key only.",
        Provider::Eventbrite => "",
    };
    let (what, own) = match item.kind {
        ItemKind::PathChannel => ("organization or calendar", ""),
        ItemKind::BadgeEvent | ItemKind::PathEvent => ("event", own),
    };
    format!(
        "{} shows no {what} {} to {}.{own} Nothing was imported.",
        integration.provider.name(),
        item.external_id,
        integration.label()
    )
}

/// Ends a job whose run broke off without an outcome: what arrived is kept, and Retry goes on.
pub async fn give_up_job(ports: &Ports, item: &ItemId, job: &JobId) -> Result<(), CommandError> {
    ports
        .store
        .end_job(job, JobEnd::Interrupted, ports.clock.now())
        .await?;
    ports.notices.notify(Notice::ItemChanged(item.clone()));
    Ok(())
}

/// Keeps a job that a condition of this computer holds up: it waits for that, and goes on by itself.
pub(super) async fn hold(
    ports: &Ports,
    item: &ItemId,
    job: &JobId,
    code: FailureCode,
) -> Result<(), CommandError> {
    let failure = Failure::new(code, ports.clock.now());
    let waiting = Waiting {
        code: failure.code,
        until: None,
    };
    let (at, end) = (failure.at, JobEnd::Held(waiting, failure));
    ports.store.end_job(job, end, at).await?;
    ports.notices.notify(Notice::ItemChanged(item.clone()));
    Ok(())
}

fn is_unknown_event(error: &CommandError) -> bool {
    use crate::error::ErrorCode::Failure;
    matches!(
        error.code,
        Failure(FailureCode::RemoteGone) | Failure(FailureCode::PermissionMissing)
    )
}
