//! The engine: runs one job of one item from its first page to its end. It is the only writer of the facts that the
//! status derives from: it saves, then notifies.
//!
//! Its caller holds the sync lock (see [`crate::sync::turn`]) and has checked that the job makes sense now.

use super::call::{CallError, Try, Waiter, Waits, call};
use super::turn::FeedLocks;
use super::verdict::{self, Question, Verdict};
use crate::connect::{CredentialError, open_credential, renew_refused, sever};
use crate::domain::credential::{Credential, Need};
use crate::domain::failure::{Failure, FailureCode, Waiting};
use crate::domain::freshness::Span;
use crate::domain::ids::{ExternalId, FeedId, ItemId, JobId};
use crate::domain::integration::Integration;
use crate::domain::item::{Item, ItemKind};
use crate::domain::job::{JobEnd, JobKind};
use crate::domain::provider::Provider;
use crate::ports::{
    FeedReads, ItemRecord, Notice, Patience, Ports, ProviderApi, ProviderError, Severance, StoreError,
    VaultError, WalkMark,
};
use crate::query::span_of;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// How far the one who asked will go.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// The longest time spent waiting out rate limits, over the whole command; `None` waits as long as it takes.
    pub wait_limit: Option<Duration>,
    pub patience: Patience,
}

impl EngineOptions {
    /// What is left of the wait limit at `now`, for a command that began at `started`.
    pub fn after(self, started: Timestamp, now: Timestamp) -> Self {
        let spent = Duration::try_from(now.duration_since(started)).unwrap_or(Duration::ZERO);
        Self {
            wait_limit: self.wait_limit.map(|limit| limit.saturating_sub(spent)),
            ..self
        }
    }
}

/// How much of the feed a job is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every registration there is: what a person asks for.
    Everything,
    /// What changed since the last read, where that is known to be enough: what is due by itself.
    Changes,
}

/// How a run ended. The facts are saved already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed(Failure),
    Severed(Failure),
    /// A condition stopped it; the job is kept.
    Held(Failure),
    /// A person stopped it.
    Cancelled(Failure),
    /// The wait limit ran out while the provider's limit had not; the job is kept.
    WaitElapsed(Waiting),
}

/// Why a run cannot go on.
pub(super) enum Stop {
    Provider(ProviderError),
    /// There is no credential to go on with.
    Credential(CredentialError),
    WaitElapsed(Waiting),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Store(error)
    }
}

/// An open job, with what it is about.
pub(super) struct Assignment<'a> {
    pub(super) job: &'a JobId,
    pub(super) kind: JobKind,
    pub(super) reach: Reach,
    pub(super) record: &'a ItemRecord,
    pub(super) integration: &'a Integration,
    /// Shared with the other jobs of this process.
    pub(super) feeds: &'a FeedLocks,
    /// Since when somebody watches the item, where somebody does.
    pub(super) watched_since: Option<Timestamp>,
}

/// Runs a job to its end. The caller tells of the end.
pub(super) async fn run(
    ports: &Ports,
    assignment: Assignment<'_>,
    options: EngineOptions,
) -> Result<Outcome, StoreError> {
    let Assignment {
        job,
        kind,
        reach,
        record,
        integration,
        feeds,
        watched_since,
    } = assignment;
    let item = &record.item;
    let started = ports.clock.now();
    info!(item.id = %item.id, job.id = %job, provider = item.provider.code(), "job started");
    let mut run = Run {
        api: ports.provider(item.provider).clone(),
        ports,
        item,
        integration,
        job: job.clone(),
        kind,
        reach,
        target: Target {
            feed: item.feed.clone(),
            event: item.external_id.clone(),
            reads: record.reads,
            unreadable: record.unreadable,
            last_synced_at: record.last_synced_at,
            span: span_of(item),
            organization: record.organization.clone(),
            is_member: false,
        },
        read_before: 0,
        feeds: feeds.clone(),
        watched_since,
        in_doubt: record.last_failure.is_some(),
        mark: None,
        credential: None,
        pages: 0,
        waiter: Waiter::new(options.wait_limit),
        patience: options.patience,
    };
    let mut outcome = run.attempt().await?;
    let mut pages_before = 0;
    let mut tries = 1;
    // The credential that was refused was replaced meanwhile: the new one gets its own chance. One that was good for a
    // page and then refused does not count: some providers end their tokens early.
    while outcome.is_none() && (tries < MOST_TRIES || run.pages > pages_before) {
        tries += 1;
        pages_before = run.pages;
        outcome = run.attempt().await?;
    }
    let outcome = match outcome {
        Some(outcome) => outcome,
        None => {
            run.fail(Failure::new(FailureCode::Interrupted, ports.clock.now()))
                .await?
        }
    };
    info!(item.id = %item.id, job.id = %run.job, outcome = ?outcome, duration_ms = ms_since(ports, started), "job ended");
    Ok(outcome)
}

fn ms_since(ports: &Ports, started: Timestamp) -> i64 {
    ports.clock.now().as_millisecond() - started.as_millisecond()
}

/// How often a job tries again with a newer credential while none of them gets it a page further.
const MOST_TRIES: u32 = 2;

/// The feed that is being read.
pub(super) struct Target {
    pub(super) feed: FeedId,
    pub(super) event: ExternalId,
    /// How many of its records are set aside.
    pub(super) unreadable: u64,
    /// What earlier reads of it came to.
    pub(super) reads: FeedReads,
    pub(super) last_synced_at: Option<Timestamp>,
    pub(super) span: Span,
    /// The Eventbrite organization of the item's own event.
    pub(super) organization: Option<ExternalId>,
    /// Whether it is one of a channel's events rather than the item's own.
    pub(super) is_member: bool,
}

pub(super) struct Run<'a> {
    pub(super) ports: &'a Ports,
    pub(super) api: Arc<dyn ProviderApi>,
    pub(super) item: &'a Item,
    pub(super) integration: &'a Integration,
    pub(super) job: JobId,
    pub(super) kind: JobKind,
    pub(super) reach: Reach,
    pub(super) target: Target,
    /// What was read of other events of the channel before.
    pub(super) read_before: u64,
    /// One walker per feed.
    pub(super) feeds: FeedLocks,
    /// Since when somebody watches: what was read earlier proves nothing to them.
    pub(super) watched_since: Option<Timestamp>,
    /// Whether the last attempt failed, so that only a complete read says that all is well.
    pub(super) in_doubt: bool,
    /// Where the full walk stands that this run makes or goes on with.
    pub(super) mark: Option<WalkMark>,
    /// The credential in use: what a rejection speaks about.
    pub(super) credential: Option<Credential>,
    /// Pages that arrived.
    pages: u64,
    waiter: Waiter,
    pub(super) patience: Patience,
}

/// Shows on the job that it waits.
struct JobWaits<'a> {
    ports: &'a Ports,
    item: &'a ItemId,
    job: &'a JobId,
}

impl Waits for JobWaits<'_> {
    async fn waits(&mut self, waiting: Waiting) -> Result<(), StoreError> {
        self.ports.store.set_waiting(self.job, Some(waiting)).await?;
        self.ports.notices.notify(Notice::JobWaits {
            item: self.item.clone(),
            job: self.job.clone(),
            waiting,
        });
        Ok(())
    }

    async fn goes_on(&mut self) -> Result<(), StoreError> {
        self.ports.store.set_waiting(self.job, None).await?;
        self.ports.notices.notify(Notice::JobResumed {
            item: self.item.clone(),
            job: self.job.clone(),
        });
        Ok(())
    }
}

impl Run<'_> {
    /// Reads everything and saves what came of it. `None`: the refused credential is no longer the current one.
    async fn attempt(&mut self) -> Result<Option<Outcome>, StoreError> {
        let read = if self.item.kind == ItemKind::PathChannel {
            self.read_channel().await
        } else {
            self.read().await
        };
        match read {
            Ok(completion) => {
                let at = completion.at;
                self.ports.store.complete_job(&self.job, completion).await?;
                self.ports.store.mark_verified(&self.integration.id, at).await?;
                self.ports.sign_ins.accepted(&self.integration.id);
                Ok(Some(Outcome::Completed))
            }
            Err(stop) => self.settle(stop).await,
        }
    }

    pub(super) async fn load_credential(&self) -> Result<Credential, Stop> {
        open_credential(self.ports, self.integration, self.patience)
            .await
            .map_err(Stop::Credential)
    }

    /// Renews the credential where it is about to lapse: a walk may take longer than its tokens live.
    pub(super) async fn keep_fresh(&mut self, credential: &mut Credential) -> Result<(), Stop> {
        if credential.need(self.ports.clock.now()) != Need::None {
            *credential = self.load_credential().await?;
            self.credential = Some(credential.clone());
        }
        Ok(())
    }

    /// The provider took the credential for one more page.
    pub(super) fn page_arrived(&mut self) {
        self.pages += 1;
        self.ports.sign_ins.accepted(&self.integration.id);
    }

    pub(super) async fn call<'t, T>(&mut self, make: impl FnMut() -> Try<'t, T>) -> Result<T, Stop> {
        let mut waits = JobWaits {
            ports: self.ports,
            item: &self.item.id,
            job: &self.job,
        };
        call(self.ports, &mut self.waiter, &mut waits, make)
            .await
            .map_err(|error| match error {
                CallError::Provider(error) => Stop::Provider(error),
                CallError::WaitElapsed(waiting) => Stop::WaitElapsed(waiting),
                CallError::Store(error) => Stop::Store(error),
            })
    }

    /// Judges why the run stopped and saves what follows from it. `None`: the credential is newer than the one that
    /// was refused, so the run begins again.
    async fn settle(&mut self, stop: Stop) -> Result<Option<Outcome>, StoreError> {
        let at = self.ports.clock.now();
        let error = match stop {
            Stop::Store(error) => return Err(error),
            Stop::WaitElapsed(waiting) => {
                self.hold(Failure::new(waiting.code, at), waiting.until).await?;
                return Ok(Some(Outcome::WaitElapsed(waiting)));
            }
            Stop::Credential(error) => return self.without_credential(error).await,
            Stop::Provider(error) => error,
        };
        let held = self.credential.as_ref();
        let judged = judge_with_probe(self.ports, self.integration, held, &error, self.patience).await;
        let failure = |code| Failure {
            code,
            at: self.ports.clock.now(),
            detail: Some(error.to_string()),
        };
        match judged.verdict {
            Verdict::Sever if judged.is_severed => self.without_credential(CredentialError::Severed).await,
            Verdict::Sever => self.sever(failure(FailureCode::CredentialsRejected)).await,
            Verdict::Fail(code) => self.fail(failure(code)).await.map(Some),
            Verdict::FailAll(code) => {
                let outcome = self.fail(failure(code)).await?;
                self.ports
                    .store
                    .fail_items_of(&self.integration.id, &failure(code))
                    .await?;
                Ok(Some(outcome))
            }
            Verdict::Hold(code) => self.hold(failure(code), judged.until).await.map(Some),
            Verdict::Again => Ok(None),
            Verdict::RestartWalk => self.fail(failure(FailureCode::ProviderChanged)).await.map(Some),
        }
    }

    /// What follows where no credential could be had.
    async fn without_credential(&mut self, error: CredentialError) -> Result<Option<Outcome>, StoreError> {
        let failure = error.failure(self.ports.clock.now());
        match error {
            CredentialError::Store(error) => Err(error),
            CredentialError::Vault(VaultError::Missing) => self.sever(failure).await,
            // Its renewal has severed it already.
            CredentialError::Severed => {
                let (at, end) = (failure.at, JobEnd::Interrupted);
                self.ports.store.end_job(&self.job, end, at).await?;
                Ok(Some(Outcome::Severed(failure)))
            }
            CredentialError::AppRejected => {
                let outcome = self.fail(failure.clone()).await?;
                let id = &self.integration.id;
                self.ports.store.fail_items_of(id, &failure).await?;
                Ok(Some(outcome))
            }
            CredentialError::Vault(_) | CredentialError::Provider(_) if failure.code.is_condition() => {
                self.hold(failure, None).await.map(Some)
            }
            CredentialError::Vault(_) | CredentialError::Provider(_) => self.fail(failure).await.map(Some),
        }
    }

    async fn fail(&self, failure: Failure) -> Result<Outcome, StoreError> {
        let (at, end) = (failure.at, JobEnd::Failed(failure.clone()));
        self.ports.store.end_job(&self.job, end, at).await?;
        Ok(Outcome::Failed(failure))
    }

    async fn hold(&self, failure: Failure, until: Option<Timestamp>) -> Result<Outcome, StoreError> {
        let waiting = Waiting {
            code: failure.code,
            until,
        };
        let (at, end) = (failure.at, JobEnd::Held(waiting, failure.clone()));
        self.ports.store.end_job(&self.job, end, at).await?;
        Ok(Outcome::Held(failure))
    }

    /// Severs the integration, unless its credential is newer than the one that was refused: then `None`.
    async fn sever(&self, failure: Failure) -> Result<Option<Outcome>, StoreError> {
        let generation = self
            .credential
            .as_ref()
            .map_or(self.integration.generation, |held| held.generation);
        match sever(self.ports, &self.integration.id, generation, &failure).await? {
            Severance::Severed => {
                self.ports
                    .store
                    .end_job(&self.job, JobEnd::Interrupted, failure.at)
                    .await?;
                Ok(Some(Outcome::Severed(failure)))
            }
            Severance::Superseded => Ok(None),
        }
    }
}

pub(super) fn malformed(detail: &str) -> Stop {
    Stop::Provider(ProviderError::Malformed {
        detail: detail.to_owned(),
    })
}

/// A verdict, and until when its condition is said to last.
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) until: Option<Timestamp>,
    /// Whether the renewal that was tried has severed it already, and told so.
    pub(crate) is_severed: bool,
}

/// Asks what the failure table wants asked (at most one probe with the credential that was refused, and for a Luma 403
/// whether other events work), then judges. The probe is not retried: no answer is no proof.
pub(crate) async fn judge_with_probe(
    ports: &Ports,
    integration: &Integration,
    credential: Option<&Credential>,
    error: &ProviderError,
    patience: Patience,
) -> Judged {
    let api = ports.provider(integration.provider);
    if *error == ProviderError::CredentialsRejected
        && let Some(refused) = credential
    {
        let now = |verdict| Judged {
            verdict,
            until: None,
            is_severed: false,
        };
        match renew_refused(ports, integration, refused, patience).await {
            Ok(Some(_)) => return now(Verdict::Again),
            // Nothing could renew it: the probe decides.
            Ok(None) => {}
            Err(CredentialError::Severed) => {
                return Judged {
                    is_severed: true,
                    ..now(Verdict::Sever)
                };
            }
            Err(error) => {
                let code = error.failure(ports.clock.now()).code;
                return now(match (error, code.is_condition()) {
                    (CredentialError::AppRejected, _) => Verdict::FailAll(code),
                    (_, true) => Verdict::Hold(code),
                    (_, false) => Verdict::Fail(code),
                });
            }
        }
    }
    let mut probe = None;
    let mut others_work = None;
    if verdict::question(error) == Question::Probe
        && let Some(credential) = credential
    {
        let answer = api.identify(credential).await.map(|_| ());
        if answer.is_ok()
            && *error == ProviderError::PermissionMissing
            && integration.provider == Provider::Luma
        {
            others_work = Some(api.lists_events(credential).await.is_ok());
        }
        probe = Some(answer);
    }
    let until = match &probe {
        Some(Err(ProviderError::RateLimited {
            retry_after: Some(wait),
        })) => ports.clock.now().checked_add(*wait).ok(),
        _ => None,
    };
    Judged {
        verdict: verdict::judge(integration.provider, error, probe.as_ref(), others_work),
        until,
        is_severed: false,
    }
}
