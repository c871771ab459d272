//! Reading: items, integrations and attendees as every outside interface shows them. Never opens the vault, never
//! takes a lock, works offline.

pub mod attendee_list;
pub mod history;
pub mod pace;

use crate::domain::attendee::{Attendee, Counts, Tickets};
use crate::domain::credential::SignIn;
use crate::domain::failure::{Failure, FailureCode, Recovery, Waiting};
use crate::domain::freshness::{self, EngineView, Freshness, Span};
use crate::domain::ids::{AccountId, ExternalId, IntegrationId, ItemId, JobId};
use crate::domain::integration::{Integration, IntegrationStatus};
use crate::domain::item::{Item, ItemKind};
use crate::domain::job::JobKind;
use crate::domain::provider::Provider;
use crate::domain::status::{ActiveJob, Alert, SyncFacts, SyncStatus};
use crate::domain::words::{self, Reader, Subject};
use crate::error::CommandError;
use crate::ports::{ItemRecord, Ports, RowMark};
use crate::sync::schedule;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::collections::HashMap;

/// An item as lists, pages and `--json` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemView {
    pub id: ItemId,
    pub kind: ItemKind,
    pub provider: Provider,
    pub external_id: ExternalId,
    pub integration_id: IntegrationId,
    pub title: String,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub timezone: Option<String>,
    pub sync_status: SyncStatus,
    pub freshness: Freshness,
    pub alert: Option<Alert>,
    pub failure: Option<FailureView>,
    pub waiting: Option<Waiting>,
    pub active_job: Option<JobView>,
    pub counts: Counts,
    pub tickets: Tickets,
    pub unreadable: u64,
    /// Registrations that the provider no longer lists, kept until a person decides.
    pub held_removals: u64,
    pub archived: bool,
    pub last_synced_at: Option<Timestamp>,
    /// Registrations met since then, between two complete reads; for people only.
    #[serde(skip)]
    pub new_since: u64,
    pub last_attempted_at: Option<Timestamp>,
    pub next_attempt_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureView {
    pub code: FailureCode,
    pub recovery: Recovery,
    pub message: String,
    /// When it was first seen. The command line's JSON has a fixed form without it.
    #[serde(skip)]
    pub since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    pub id: JobId,
    pub kind: JobKind,
    pub done: u64,
    pub total: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationView {
    pub id: IntegrationId,
    pub provider: Provider,
    pub account_id: AccountId,
    pub account_name: String,
    pub account_email: Option<String>,
    pub status: IntegrationStatus,
    pub sign_in: SignIn,
    pub connected_at: Timestamp,
    pub last_verified_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub failure: Option<FailureView>,
}

/// The sync facts of a stored item. `lock_held` tells whether a live process can be working on its open job; a job that
/// is held goes on only where an engine runs, which takes it up again.
pub fn facts_of(record: &ItemRecord, lock_held: bool, engine: EngineView) -> SyncFacts {
    SyncFacts {
        severed: record.severed.clone(),
        active_job: record
            .open_job
            .as_ref()
            .filter(|job| {
                if job.held {
                    engine.running_since.is_some()
                } else {
                    lock_held
                }
            })
            .map(|job| ActiveJob {
                id: job.id.clone(),
                kind: job.kind,
                done: job.done,
                total: job.total,
                waiting: job.waiting,
            }),
        last_synced_at: record.last_synced_at,
        last_failure: record.last_failure.clone(),
        last_attempted_at: record.last_attempted_at,
    }
}

/// When the item's event takes place.
pub(crate) fn span_of(item: &Item) -> Span {
    Span {
        starts_at: item.starts_at,
        ends_at: item.ends_at,
        standing: item.kind == ItemKind::PathChannel,
    }
}

/// Builds the view of one item. `account` is the label of its integration.
pub fn view_item(
    record: ItemRecord,
    integration: Option<&Integration>,
    lock_held: bool,
    engine: EngineView,
    reader: &Reader,
) -> ItemView {
    let facts = facts_of(&record, lock_held, engine);
    let item = &record.item;
    let subject = Subject {
        provider: item.provider,
        account: integration.map_or("this account", Integration::label),
        sign_in: integration.map_or(SignIn::Token, |integration| integration.sign_in),
        last_synced_at: record.last_synced_at,
        attending: record.counts.attending,
        total: record.counts.total,
        shows_people: item.kind.shows_people(),
    };
    // An archive asks nothing of anybody.
    let failure = facts
        .failure()
        .filter(|_| !item.archived)
        .map(|failure| view_failure(&failure, &subject, reader));
    // Nobody waits any more where the process that did is gone.
    let waiting = record
        .open_job
        .as_ref()
        .filter(|job| lock_held || job.held)
        .and_then(|job| job.waiting);
    let by_itself = (failure.is_some() || waiting.is_some())
        .then(|| schedule::next_read(&record, engine, reader.now))
        .flatten();
    let next_attempt_at = waiting
        .and_then(|waiting| waiting.until)
        .or(by_itself.map(|next| next.at));
    ItemView {
        sync_status: facts.status(),
        freshness: freshness::freshness(
            &facts,
            record.reads.checked_at,
            span_of(item),
            item.archived,
            engine,
            reader.now,
        ),
        alert: facts.alert(item.archived),
        failure,
        waiting,
        active_job: facts.active_job.as_ref().map(|job| JobView {
            id: job.id.clone(),
            kind: job.kind,
            done: job.done,
            total: job.total,
        }),
        title: item.display_title(),
        counts: record.counts,
        tickets: record.tickets,
        unreadable: record.unreadable,
        held_removals: record.held_removals,
        archived: item.archived,
        last_synced_at: record.last_synced_at,
        new_since: record.new_since,
        last_attempted_at: record.last_attempted_at,
        next_attempt_at,
        id: record.item.id,
        kind: record.item.kind,
        provider: record.item.provider,
        external_id: record.item.external_id,
        integration_id: record.item.integration_id,
        starts_at: record.item.starts_at,
        ends_at: record.item.ends_at,
        timezone: record.item.timezone,
    }
}

fn view_failure(failure: &Failure, subject: &Subject<'_>, reader: &Reader) -> FailureView {
    FailureView {
        code: failure.code,
        recovery: failure.code.recovery(),
        message: words::failure_sentence(failure, subject, reader),
        since: failure.at,
    }
}

/// Builds the view of one integration.
pub fn view_integration(integration: Integration, reader: &Reader) -> IntegrationView {
    let failure = integration.severed.as_ref().map(|failure| {
        let provider = integration.provider.name();
        let since = reader.moment(failure.at);
        let message = match failure.code {
            FailureCode::DisconnectedByYou => format!("You disconnected {} ({since}).", integration.label()),
            FailureCode::CredentialsMissing => format!(
                "The sign-in of {} is no longer in this computer's keychain (since {since}).",
                integration.label()
            ),
            _ => format!(
                "{provider} refuses the {} of {} (since {since}).",
                integration.credential_name(),
                integration.label()
            ),
        };
        FailureView {
            code: failure.code,
            recovery: failure.code.recovery(),
            message,
            since: failure.at,
        }
    });
    IntegrationView {
        status: integration.status(),
        id: integration.id,
        provider: integration.provider,
        account_id: integration.account.id,
        account_name: integration.account.name,
        account_email: integration.account.email,
        sign_in: integration.sign_in,
        connected_at: integration.connected_at,
        last_verified_at: integration.last_verified_at,
        expires_at: integration.expires_at,
        failure,
    }
}

/// The reader at this moment, in this computer's time zone.
pub fn reader(ports: &Ports) -> Reader {
    Reader {
        now: ports.clock.now(),
        zone: TimeZone::system(),
    }
}

/// All integrations, in the order in which they were connected.
pub async fn integrations(ports: &Ports) -> Result<Vec<IntegrationView>, CommandError> {
    let reader = reader(ports);
    let integrations = ports.store.integrations().await?;
    Ok(integrations
        .into_iter()
        .map(|integration| view_integration(integration, &reader))
        .collect())
}

/// One integration, or a sentence that says there is none of that id.
pub async fn integration(ports: &Ports, id: &IntegrationId) -> Result<IntegrationView, CommandError> {
    Ok(view_integration(
        stored_integration(ports, id).await?,
        &reader(ports),
    ))
}

/// One integration as stored, or a sentence that says there is none of that id.
pub(crate) async fn stored_integration(
    ports: &Ports,
    id: &IntegrationId,
) -> Result<Integration, CommandError> {
    ports
        .store
        .integration(id)
        .await?
        .ok_or_else(|| CommandError::not_found(format!("There is no integration {id} here.")))
}

/// All items: those that need a person first, then by start.
pub async fn items(ports: &Ports, engine: EngineView) -> Result<Vec<ItemView>, CommandError> {
    let reader = reader(ports);
    let integrations: HashMap<IntegrationId, Integration> = ports
        .store
        .integrations()
        .await?
        .into_iter()
        .map(|integration| (integration.id.clone(), integration))
        .collect();
    let lock_held = ports.locks.sync_is_held();
    let mut views: Vec<ItemView> = ports
        .store
        .items()
        .await?
        .into_iter()
        .map(|record| {
            let integration = integrations.get(&record.item.integration_id);
            view_item(record, integration, lock_held, engine, &reader)
        })
        .collect();
    views.sort_by_cached_key(|view| {
        (
            urgency(view),
            view.starts_at.unwrap_or(Timestamp::MAX),
            view.title.clone(),
        )
    });
    Ok(views)
}

/// Lower comes first: disconnected, failed, importing, live, archived.
fn urgency(view: &ItemView) -> u8 {
    if view.archived {
        return 5;
    }
    match (view.sync_status, view.alert) {
        (SyncStatus::Disconnected, _) => 0,
        (_, Some(Alert::ImportFailed)) => 1,
        (SyncStatus::Failed, _) => 2,
        (SyncStatus::Pending, _) => 3,
        (SyncStatus::Active, _) => 4,
    }
}

/// One item, or a sentence that says there is none of that id.
pub async fn item(ports: &Ports, id: &ItemId, engine: EngineView) -> Result<ItemView, CommandError> {
    let record = stored_item(ports, id).await?;
    let integration = ports.store.integration(&record.item.integration_id).await?;
    Ok(view_item(
        record,
        integration.as_ref(),
        ports.locks.sync_is_held(),
        engine,
        &reader(ports),
    ))
}

/// One item as stored, or a sentence that says there is none of that id.
pub(crate) async fn stored_item(ports: &Ports, id: &ItemId) -> Result<ItemRecord, CommandError> {
    ports
        .store
        .item(id)
        .await?
        .ok_or_else(|| CommandError::not_found(format!("There is no item {id} here.")))
}

/// How many stored registrations are read at a time.
const BATCH: usize = 1_000;

/// The rows of one item, read in batches, so that a list of any length needs little memory.
pub struct AttendeeReader<'a> {
    ports: &'a Ports,
    item: ItemId,
    people: bool,
    mark: Option<RowMark>,
    /// Registrations of the person at the end of the last batch: more of them may follow.
    held: Vec<(String, crate::domain::attendee::Registration)>,
    finished: bool,
}

/// Opens the rows of one item, ordered by person, then registration.
pub async fn attendees<'a>(ports: &'a Ports, id: &ItemId) -> Result<AttendeeReader<'a>, CommandError> {
    let record = stored_item(ports, id).await?;
    Ok(AttendeeReader {
        ports,
        item: record.item.id,
        people: record.item.kind.shows_people(),
        mark: None,
        held: Vec::new(),
        finished: false,
    })
}

impl AttendeeReader<'_> {
    /// The next rows; empty at the end.
    pub async fn next_batch(&mut self) -> Result<Vec<Attendee>, CommandError> {
        loop {
            if self.finished {
                return Ok(Vec::new());
            }
            let batch = self
                .ports
                .store
                .registrations(&self.item, self.mark.as_ref(), BATCH)
                .await?;
            self.finished = batch.len() < BATCH;
            if let Some((person_key, row)) = batch.last() {
                self.mark = Some(RowMark {
                    person_key: person_key.clone(),
                    external_id: row.external_id.clone(),
                });
            }
            let attendees = if self.people {
                self.fold_people(batch)
            } else {
                batch
                    .into_iter()
                    .map(|(_, row)| Attendee::of_registration(&self.item, row))
                    .collect()
            };
            if !attendees.is_empty() {
                return Ok(attendees);
            }
        }
    }

    fn fold_people(&mut self, batch: Vec<(String, crate::domain::attendee::Registration)>) -> Vec<Attendee> {
        let mut rows = std::mem::take(&mut self.held);
        rows.extend(batch);
        let complete_until = if self.finished {
            rows.len()
        } else {
            let last_key = rows.last().map(|(key, _)| key.clone());
            rows.iter()
                .position(|(key, _)| Some(key) == last_key.as_ref())
                .unwrap_or(rows.len())
        };
        self.held = rows.split_off(complete_until);
        rows.chunk_by(|left, right| left.0 == right.0)
            .filter_map(|person| {
                let registrations: Vec<_> = person.iter().map(|(_, row)| row.clone()).collect();
                Attendee::of_person(&self.item, &registrations)
            })
            .collect()
    }
}
