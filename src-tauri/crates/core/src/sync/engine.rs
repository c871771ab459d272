//! The engine: runs one job of one item from its first page to its end. It is the only writer of the facts that the
//! status derives from: it saves, then notifies.
//!
//! Its caller holds the sync lock (see [`crate::sync::turn`]) and has checked that the job makes sense now.

use super::call::{CallError, Try, Waiter, Waits, call};
use super::plan::plan_page;
use super::verdict::{self, Question, Verdict};
use super::walk::Tally;
use crate::connect::{open_credential, sever};
use crate::domain::attendee::SetAside;
use crate::domain::credential::Credential;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{Failure, FailureCode, Waiting};
use crate::domain::ids::{ItemId, JobId};
use crate::domain::integration::Integration;
use crate::domain::item::Item;
use crate::domain::job::JobEnd;
use crate::domain::provider::Provider;
use crate::ports::{
    Cursor, Notice, PageCommit, Patience, Ports, ProviderApi, ProviderError, Severance, StoreError,
    VaultError, Walk,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info};

/// Eventbrite's reads lag by up to five minutes (its reference, "eventual consistency"): re-read twice that.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// A list that moved while it was read is read again, this often at most.
const MOST_REPEATED_WALKS: u32 = 2;

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

/// How a run ended. The facts are saved already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed(Failure),
    Severed(Failure),
    /// A condition stopped it; the job is kept.
    Held(Failure),
    /// The wait limit ran out while the provider's limit had not; the job is kept.
    WaitElapsed(Waiting),
}

/// Why a run cannot go on.
enum Stop {
    Provider(ProviderError),
    Vault(VaultError),
    WaitElapsed(Waiting),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Store(error)
    }
}

/// Runs `job`, which is open, to its end. The caller tells of the end.
pub async fn run(
    ports: &Ports,
    item: &Item,
    integration: &Integration,
    job: JobId,
    options: EngineOptions,
) -> Result<Outcome, StoreError> {
    let started = ports.clock.now();
    info!(item.id = %item.id, job.id = %job, provider = item.provider.code(), "job started");
    let mut run = Run {
        api: ports.provider(item.provider).clone(),
        ports,
        item,
        integration,
        job,
        credential: None,
        waiter: Waiter::new(options.wait_limit),
        patience: options.patience,
    };
    let mut outcome = run.attempt().await?;
    if outcome.is_none() {
        // The credential that was refused had been replaced meanwhile: the new one gets its own chance.
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

struct Run<'a> {
    ports: &'a Ports,
    api: Arc<dyn ProviderApi>,
    item: &'a Item,
    integration: &'a Integration,
    job: JobId,
    /// The credential in use: what a rejection speaks about.
    credential: Option<Credential>,
    waiter: Waiter,
    patience: Patience,
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
        match self.read_everything().await {
            Ok(as_of) => {
                let now = self.ports.clock.now();
                self.ports.store.complete_job(&self.job, as_of, now).await?;
                self.ports.store.mark_verified(&self.integration.id, now).await?;
                Ok(Some(Outcome::Completed))
            }
            Err(stop) => self.settle(stop).await,
        }
    }

    /// The whole read. Returns what the list is as of: the provider's clock at the start of the complete walk.
    async fn read_everything(&mut self) -> Result<Timestamp, Stop> {
        let mut credential = self.load_credential().await?;
        loop {
            self.credential = Some(credential.clone());
            match self.read_with(&credential).await {
                Err(Stop::Provider(ProviderError::CredentialsRejected)) => {
                    // The credential may have been replaced while we read: the newer one gets its own chance.
                    let newer = self.load_credential().await?;
                    if newer.generation <= credential.generation {
                        return Err(Stop::Provider(ProviderError::CredentialsRejected));
                    }
                    credential = newer;
                }
                other => return other,
            }
        }
    }

    async fn read_with(&mut self, credential: &Credential) -> Result<Timestamp, Stop> {
        let event = self.read_event(credential).await?;
        self.ports.store.describe_item(&self.item.id, &event).await?;
        self.ports
            .notices
            .notify(Notice::ItemChanged(self.item.id.clone()));
        let full = Walk::Full {
            event: self.item.external_id.clone(),
        };
        let mut before: Option<Tally> = None;
        for _ in 0..=MOST_REPEATED_WALKS {
            self.ports
                .store
                .begin_walk(&self.job, event.registrations_hint)
                .await?;
            let mut tally = self
                .walk(credential, &full, Tally::starting(event.registrations_hint))
                .await?;
            if self.item.provider == Provider::Luma {
                // A keyset cursor over an unchanging value skips nobody.
                return Ok(tally.as_of());
            }
            // Eventbrite cuts pages by offset: a change during the walk can push a row over a page boundary. What
            // changed since shortly before the walk is read once more; a row that was skipped because another left
            // the list did not change, and shows only in the counts.
            let since = tally.as_of().checked_sub(OVERLAP).unwrap_or(tally.as_of());
            let closing = Walk::ChangedSince {
                event: self.item.external_id.clone(),
                since,
            };
            tally = self.walk(credential, &closing, tally.closing()).await?;
            if !tally.may_have_skipped() || before.as_ref().is_some_and(|before| before.says_the_same(&tally))
            {
                return Ok(tally.as_of());
            }
            debug!(item.id = %self.item.id, "the list moved while it was read: reading it again");
            before = Some(tally);
        }
        // The counts are approximate by the provider's own word: they are believed only so often.
        before
            .map(|tally| tally.as_of())
            .ok_or_else(|| malformed("no walk was made"))
    }

    async fn read_event(&mut self, credential: &Credential) -> Result<ProviderEvent, Stop> {
        let (api, external_id) = (self.api.clone(), self.item.external_id.clone());
        self.call(|| api.event(credential, &external_id)).await
    }

    /// Walks to the end, page by page: fetch, plan, commit, notify.
    async fn walk(&mut self, credential: &Credential, walk: &Walk, start: Tally) -> Result<Tally, Stop> {
        let mut restarts_without_progress = 0;
        let mut furthest = 0;
        'walk: loop {
            let mut tally = start.clone();
            let mut cursor: Option<Cursor> = None;
            let mut pages = 0u64;
            loop {
                let api = self.api.clone();
                let place = cursor.clone();
                let mut page = match self
                    .call(|| api.registration_page(credential, walk, place.as_ref()))
                    .await
                {
                    Ok(page) => page,
                    Err(Stop::Provider(ProviderError::CursorRejected)) => {
                        if pages <= furthest {
                            restarts_without_progress += 1;
                        }
                        if restarts_without_progress >= 2 {
                            return Err(malformed("the continuation is refused again and again"));
                        }
                        furthest = furthest.max(pages);
                        continue 'walk;
                    }
                    Err(stop) => return Err(stop),
                };
                pages += 1;
                tally.number_alike(&mut page);
                tally.take(walk, &page).map_err(malformed)?;
                self.commit(page.rows, &page.set_aside, page.next.as_ref(), &tally)
                    .await?;
                cursor = page.next;
                if cursor.is_none() {
                    return Ok(tally);
                }
            }
        }
    }

    async fn commit(
        &mut self,
        rows: Vec<crate::domain::attendee::Registration>,
        set_aside: &[SetAside],
        cursor: Option<&Cursor>,
        tally: &Tally,
    ) -> Result<(), Stop> {
        let ids: Vec<_> = rows.iter().map(|row| row.external_id.clone()).collect();
        let stored = self.ports.store.stored(&self.item.feed, &ids).await?;
        let plan = plan_page(rows, stored);
        self.ports
            .store
            .commit_page(PageCommit {
                job: &self.job,
                feed: &self.item.feed,
                plan: &plan,
                set_aside,
                readable: &ids,
                cursor,
                done: tally.done(),
                total: tally.total(),
                at: self.ports.clock.now(),
            })
            .await?;
        self.ports.notices.notify(Notice::JobProgressed {
            item: self.item.id.clone(),
            job: self.job.clone(),
            done: tally.done(),
            total: tally.total(),
        });
        Ok(())
    }

    async fn load_credential(&self) -> Result<Credential, Stop> {
        open_credential(self.ports, self.integration, self.patience)
            .await
            .map_err(Stop::Vault)
    }

    async fn call<'t, T>(&mut self, make: impl FnMut() -> Try<'t, T>) -> Result<T, Stop> {
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
            Stop::Vault(error @ VaultError::Missing) => return self.sever(error.failure(at)).await,
            Stop::Vault(error) => return self.hold(error.failure(at), None).await.map(Some),
            Stop::Provider(error) => error,
        };
        let judged = judge_with_probe(self.ports, self.integration, self.credential.as_ref(), &error).await;
        let failure = |code| Failure {
            code,
            at: self.ports.clock.now(),
            detail: Some(error.to_string()),
        };
        match judged.verdict {
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
            Verdict::RestartWalk => self.fail(failure(FailureCode::ProviderChanged)).await.map(Some),
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

fn malformed(detail: &str) -> Stop {
    Stop::Provider(ProviderError::Malformed {
        detail: detail.to_owned(),
    })
}

/// A verdict, and until when its condition is said to last.
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) until: Option<Timestamp>,
}

/// Asks what the failure table wants asked (at most one probe with the credential that was refused, and for a Luma 403
/// whether other events work), then judges. The probe is not retried: no answer is no proof.
pub(crate) async fn judge_with_probe(
    ports: &Ports,
    integration: &Integration,
    credential: Option<&Credential>,
    error: &ProviderError,
) -> Judged {
    let api = ports.provider(integration.provider);
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
    }
}
