//! The engine: runs one job of one item from its first page to its end. It is the only writer of the facts that the
//! status derives from: it saves, then notifies.
//!
//! Its caller holds the sync lock (see [`crate::sync::turn`]) and has checked that the job makes sense now.

use super::plan::plan_page;
use super::retry::{self, NextStep};
use super::verdict::{self, Question, Verdict};
use crate::connect::open_credential;
use crate::domain::attendee::SetAside;
use crate::domain::credential::Credential;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{Failure, FailureCode, Waiting};
use crate::domain::ids::{ItemId, JobId};
use crate::domain::integration::Integration;
use crate::domain::item::Item;
use crate::domain::job::{JobEnd, JobKind};
use crate::domain::provider::Provider;
use crate::ports::{
    Cursor, Notice, PageCommit, Patience, Ports, ProviderApi, ProviderError, Severance, StoreError,
    VaultError, Walk,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info, warn};

/// Eventbrite's reads lag by up to five minutes (its reference, "eventual consistency"): re-read twice that.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// More unreadable records than this AND than one in a hundred mean that the provider changed, not the records.
const SET_ASIDE_TOLERATED: u64 = 5;
/// Pages in a row without a record: a list that never ends.
const EMPTY_PAGES_TOLERATED: u32 = 20;

/// How far the one who asked will go.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// The longest time spent waiting out rate limits, over the whole command; `None` waits as long as it takes.
    pub wait_limit: Option<Duration>,
    pub patience: Patience,
}

/// How a run ended. The facts are saved already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed(FailureCode),
    Severed(FailureCode),
    /// A condition stopped it; the job is kept.
    Held(Waiting),
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

/// Runs one job of `item` to its end.
pub async fn run(
    ports: &Ports,
    item: &Item,
    integration: &Integration,
    kind: JobKind,
    options: EngineOptions,
) -> Result<Outcome, StoreError> {
    let started = ports.clock.now();
    let job = ports.store.open_job(&item.id, kind, started).await?;
    ports.notices.notify(Notice::ItemChanged(item.id.clone()));
    info!(item.id = %item.id, job.id = %job, kind = kind.code(), provider = item.provider.code(), "job started");
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
    let outcome = match run.read_everything().await {
        Ok(as_of) => {
            ports
                .store
                .complete_job(&run.job, as_of, ports.clock.now())
                .await?;
            ports
                .store
                .mark_verified(&integration.id, ports.clock.now())
                .await?;
            Outcome::Completed
        }
        Err(stop) => run.settle(stop).await?,
    };
    info!(item.id = %item.id, job.id = %run.job, outcome = ?outcome, duration_ms = ms_since(ports, started), "job ended");
    ports.notices.notify(Notice::JobEnded {
        item: item.id.clone(),
        job: run.job.clone(),
    });
    ports.notices.notify(Notice::ItemChanged(item.id.clone()));
    Ok(outcome)
}

fn ms_since(ports: &Ports, started: Timestamp) -> i64 {
    ports.clock.now().as_millisecond() - started.as_millisecond()
}

/// Waits out rate limits, within what the person allowed.
pub(crate) struct Waiter {
    left: Option<Duration>,
}

impl Waiter {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self { left: limit }
    }

    /// How much of `wanted` may be waited; less than `wanted` means that the limit ends it.
    fn take(&mut self, wanted: Duration) -> Duration {
        match &mut self.left {
            None => wanted,
            Some(left) => {
                let granted = wanted.min(*left);
                *left -= granted;
                granted
            }
        }
    }
}

/// What a call does while a rate limit is waited out.
pub(crate) trait Waits {
    async fn waits(&mut self, waiting: Waiting) -> Result<(), StoreError>;
    async fn goes_on(&mut self) -> Result<(), StoreError>;
}

/// Why a call gave up.
pub(crate) enum CallError {
    Provider(ProviderError),
    WaitElapsed(Waiting),
    Store(StoreError),
}

/// Makes one call with the retries and waits that its errors ask for.
pub(crate) async fn call<T, F>(
    ports: &Ports,
    waiter: &mut Waiter,
    waits: &mut impl Waits,
    mut make: F,
) -> Result<T, CallError>
where
    F: AsyncFnMut() -> Result<T, ProviderError>,
{
    let (mut tries, mut limits_met) = (0, 0);
    loop {
        let error = match make().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        tries += 1;
        match retry::next_step(&error, tries, limits_met, ports.clock.jitter()) {
            NextStep::Again(delay) => {
                debug!(error = %error, tries, delay_ms = delay.as_millis() as u64, "trying again");
                ports.clock.sleep(delay).await;
            }
            NextStep::WaitOut(wanted) => {
                tries -= 1;
                limits_met += 1;
                let until = ports.clock.now().checked_add(wanted).unwrap_or(Timestamp::MAX);
                let waiting = Waiting {
                    code: FailureCode::RateLimited,
                    until: Some(until),
                };
                warn!(until = %until, "rate limit met");
                waits.waits(waiting).await.map_err(CallError::Store)?;
                let granted = waiter.take(wanted);
                ports.clock.sleep(granted).await;
                if granted < wanted {
                    return Err(CallError::WaitElapsed(waiting));
                }
                waits.goes_on().await.map_err(CallError::Store)?;
            }
            NextStep::GiveUp => return Err(CallError::Provider(error)),
        }
    }
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
        self.ports
            .store
            .begin_walk(&self.job, event.registrations_hint)
            .await?;
        let full = Walk::Full {
            event: self.item.external_id.clone(),
        };
        let walked = self
            .walk(credential, &full, Tally::starting(event.registrations_hint))
            .await?;
        if self.item.provider == Provider::Eventbrite {
            // Pages are cut by offset: a change during the walk can push a row over a page boundary. What changed
            // since shortly before the walk is read once more.
            let since = walked.as_of.checked_sub(OVERLAP).unwrap_or(walked.as_of);
            let closing = Walk::ChangedSince {
                event: self.item.external_id.clone(),
                since,
            };
            self.walk(credential, &closing, walked.clone()).await?;
        }
        Ok(walked.as_of)
    }

    async fn read_event(&mut self, credential: &Credential) -> Result<ProviderEvent, Stop> {
        let (api, external_id) = (self.api.clone(), self.item.external_id.clone());
        self.call(async || api.event(credential, &external_id).await)
            .await
    }

    /// Walks to the end, page by page: fetch, plan, commit, notify.
    async fn walk(&mut self, credential: &Credential, walk: &Walk, start: Tally) -> Result<Tally, Stop> {
        let mut restarts_without_progress = 0;
        let mut furthest = 0;
        'walk: loop {
            let mut tally = start.clone();
            let mut cursor: Option<Cursor> = None;
            let mut seen: HashSet<String> = HashSet::new();
            let mut pages = 0u64;
            let mut empty_pages = 0;
            loop {
                let api = self.api.clone();
                let place = cursor.clone();
                let page = match self
                    .call(async || api.registration_page(credential, walk, place.as_ref()).await)
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
                if let Some(next) = &page.next
                    && !seen.insert(next.0.clone())
                {
                    return Err(malformed("the list repeats itself without end"));
                }
                empty_pages = if page.rows.is_empty() && page.set_aside.is_empty() {
                    empty_pages + 1
                } else {
                    0
                };
                if empty_pages > EMPTY_PAGES_TOLERATED && page.next.is_some() {
                    return Err(malformed("the list goes on without any records"));
                }
                if tally.pages == 0 {
                    tally.as_of = page.server_time;
                }
                tally.pages += 1;
                tally.read += (page.rows.len() + page.set_aside.len()) as u64;
                tally
                    .set_aside
                    .extend(page.set_aside.iter().map(|record| record.key().to_owned()));
                let set_aside = tally.set_aside.len() as u64;
                if set_aside > SET_ASIDE_TOLERATED && set_aside * 100 > tally.read {
                    return Err(malformed("too many records cannot be read"));
                }
                if let Walk::Full { .. } = walk {
                    tally.done = tally.read;
                    tally.total = page.total.or(tally.total);
                }
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
                cursor,
                done: tally.done,
                total: tally.total,
                at: self.ports.clock.now(),
            })
            .await?;
        self.ports.notices.notify(Notice::JobProgressed {
            item: self.item.id.clone(),
            job: self.job.clone(),
            done: tally.done,
            total: tally.total,
        });
        Ok(())
    }

    async fn load_credential(&self) -> Result<Credential, Stop> {
        open_credential(self.ports, self.integration, self.patience)
            .await
            .map_err(Stop::Vault)
    }

    async fn call<T>(&mut self, make: impl AsyncFnMut() -> Result<T, ProviderError>) -> Result<T, Stop> {
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

    /// Judges why the run stopped and saves what follows from it.
    async fn settle(&mut self, stop: Stop) -> Result<Outcome, StoreError> {
        let error = match stop {
            Stop::Store(error) => return Err(error),
            Stop::WaitElapsed(waiting) => {
                self.hold(waiting).await?;
                return Ok(Outcome::WaitElapsed(waiting));
            }
            Stop::Vault(VaultError::Missing) => {
                return self.sever(FailureCode::CredentialsMissing, None).await;
            }
            Stop::Vault(error) => {
                let waiting = Waiting {
                    code: FailureCode::from(&error),
                    until: None,
                };
                self.hold(waiting).await?;
                return Ok(Outcome::Held(waiting));
            }
            Stop::Provider(error) => error,
        };
        let judged = judge_with_probe(self.ports, self.integration, self.credential.as_ref(), &error).await;
        let failure = |code| Failure::new(code, self.ports.clock.now()).with_detail(error.to_string());
        match judged.verdict {
            Verdict::Sever => {
                self.sever(FailureCode::CredentialsRejected, Some(error.to_string()))
                    .await
            }
            Verdict::Fail(code) => {
                let end = JobEnd::Failed(failure(code));
                self.ports
                    .store
                    .end_job(&self.job, end, self.ports.clock.now())
                    .await?;
                Ok(Outcome::Failed(code))
            }
            Verdict::FailAll(code) => {
                let end = JobEnd::Failed(failure(code));
                self.ports
                    .store
                    .end_job(&self.job, end, self.ports.clock.now())
                    .await?;
                self.ports
                    .store
                    .fail_items_of(&self.integration.id, &failure(code))
                    .await?;
                Ok(Outcome::Failed(code))
            }
            Verdict::Hold(code) => {
                let waiting = Waiting {
                    code,
                    until: judged.until,
                };
                self.hold(waiting).await?;
                Ok(Outcome::Held(waiting))
            }
            Verdict::RestartWalk => {
                let code = FailureCode::ProviderChanged;
                self.ports
                    .store
                    .end_job(&self.job, JobEnd::Failed(failure(code)), self.ports.clock.now())
                    .await?;
                Ok(Outcome::Failed(code))
            }
        }
    }

    async fn hold(&self, waiting: Waiting) -> Result<(), StoreError> {
        let at = self.ports.clock.now();
        let end = JobEnd::Held(waiting, Failure::new(waiting.code, at));
        self.ports.store.end_job(&self.job, end, at).await
    }

    async fn sever(&self, code: FailureCode, detail: Option<String>) -> Result<Outcome, StoreError> {
        let at = self.ports.clock.now();
        let mut failure = Failure::new(code, at);
        failure.detail = detail;
        // A rejection of a credential that was replaced meanwhile says nothing about the new one.
        let generation = self
            .credential
            .as_ref()
            .map_or(self.integration.generation, |held| held.generation);
        let severance = self
            .ports
            .store
            .sever(&self.integration.id, generation, &failure)
            .await?;
        match severance {
            Severance::Severed => {
                self.ports
                    .store
                    .end_job(&self.job, JobEnd::Interrupted, at)
                    .await?;
                self.ports
                    .notices
                    .notify(Notice::IntegrationChanged(self.integration.id.clone()));
                Ok(Outcome::Severed(code))
            }
            Severance::Superseded => {
                let failure = Failure::new(FailureCode::Interrupted, at);
                self.ports
                    .store
                    .end_job(&self.job, JobEnd::Failed(failure), at)
                    .await?;
                Ok(Outcome::Failed(FailureCode::Interrupted))
            }
        }
    }
}

/// What the walk has seen so far.
#[derive(Debug, Clone)]
struct Tally {
    /// The provider's clock at the start.
    as_of: Timestamp,
    pages: u64,
    /// Records of the walk, readable or not.
    read: u64,
    /// The records set aside, each once however often it is met.
    set_aside: HashSet<String>,
    done: u64,
    total: Option<u64>,
}

impl Tally {
    fn starting(total: Option<u64>) -> Self {
        Self {
            as_of: Timestamp::UNIX_EPOCH,
            pages: 0,
            read: 0,
            set_aside: HashSet::new(),
            done: 0,
            total,
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
