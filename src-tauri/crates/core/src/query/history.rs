//! What happened to an item: its attendees' changes, its statuses, its jobs, its account's credential. Oldest first, or
//! newest first for a page that is read from today backwards.

use super::stored_item;
use crate::domain::attendee::Registration;
use crate::domain::failure::FailureCode;
use crate::domain::ids::{AttendeeId, ItemId, JobId, RegistrationId};
use crate::domain::job::JobKind;
use crate::domain::status::SyncStatus;
use crate::error::CommandError;
use crate::ports::{Order, Ports};
use crate::sync::plan::ChangeKind;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// One thing that happened, as `history --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub at: Timestamp,
    #[serde(rename = "type")]
    pub kind: HistoryKind,
    /// A [`ChangeKind`], a sync status, a [`JobKind`] or a [`CredentialChange`], by its code.
    pub change: &'static str,
    pub attendee_id: Option<AttendeeId>,
    /// The fields that changed, as they were; `null` where there was nothing.
    pub before: Value,
    /// The same fields as they are since; a job's end and counts.
    pub after: Value,
    pub job_id: Option<JobId>,
    /// The code of the failure, or the kind of the job, that explains it.
    pub cause: Option<&'static str>,
    /// The attendee's name as it is now. The window and the terminal show it; programs look it up by the id.
    #[serde(skip)]
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HistoryKind {
    Attendee,
    Status,
    Job,
    Credential,
}

/// A line of the change journal, with what is known of its registration now.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRecord {
    pub mark: ChangeMark,
    pub registration: RegistrationId,
    /// `None` where the registration is no longer stored.
    pub now: Option<Registration>,
    pub change: ChangeKind,
    pub before: Value,
    pub after: Value,
    /// `None`: a person's decision about a held removal.
    pub job: Option<JobId>,
}

/// Where the journal is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeMark {
    pub at: Timestamp,
    pub key: i64,
}

/// What happened to an item beside its attendees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    Status {
        at: Timestamp,
        status: SyncStatus,
        cause: Option<FailureCode>,
    },
    Job(EndedJob),
    Credential {
        at: Timestamp,
        change: CredentialChange,
        cause: Option<FailureCode>,
    },
}

/// A job as it is remembered, or as it stands while it has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedJob {
    pub id: JobId,
    pub kind: JobKind,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// `None` until it has ended.
    pub end: Option<EndKind>,
    pub failure: Option<FailureCode>,
    pub done: u64,
    pub total: Option<u64>,
    pub changes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndKind {
    Completed,
    Failed,
    Interrupted,
    Cancelled,
}

impl EndKind {
    pub const ALL: [EndKind; 4] = [
        EndKind::Completed,
        EndKind::Failed,
        EndKind::Interrupted,
        EndKind::Cancelled,
    ];

    pub fn code(self) -> &'static str {
        match self {
            EndKind::Completed => "COMPLETED",
            EndKind::Failed => "FAILED",
            EndKind::Interrupted => "INTERRUPTED",
            EndKind::Cancelled => "CANCELLED",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialChange {
    Connected,
    Renewed,
    Severed,
}

impl CredentialChange {
    pub const ALL: [CredentialChange; 3] = [
        CredentialChange::Connected,
        CredentialChange::Renewed,
        CredentialChange::Severed,
    ];

    pub fn code(self) -> &'static str {
        match self {
            CredentialChange::Connected => "CONNECTED",
            CredentialChange::Renewed => "RENEWED",
            CredentialChange::Severed => "SEVERED",
        }
    }
}

impl Activity {
    pub fn at(&self) -> Timestamp {
        match self {
            Activity::Status { at, .. } | Activity::Credential { at, .. } => *at,
            Activity::Job(job) => job.ended_at.unwrap_or(job.created_at),
        }
    }
}

/// How many changes are read at a time.
const BATCH: usize = 1_000;

/// The history of an item since a time, oldest first, in batches.
pub struct HistoryReader<'a> {
    ports: &'a Ports,
    item: ItemId,
    people: bool,
    since: Option<Timestamp>,
    mark: Option<ChangeMark>,
    /// Oldest last.
    activity: Vec<HistoryEntry>,
    finished: bool,
}

/// Opens the history of an item.
pub async fn history<'a>(
    ports: &'a Ports,
    id: &ItemId,
    since: Option<Timestamp>,
) -> Result<HistoryReader<'a>, CommandError> {
    let record = stored_item(ports, id).await?;
    let mut activity = activity(ports, id, since).await?;
    activity.reverse();
    Ok(HistoryReader {
        ports,
        item: record.item.id,
        people: record.item.kind.shows_people(),
        since,
        mark: None,
        activity,
        finished: false,
    })
}

impl HistoryReader<'_> {
    /// The next entries; empty at the end.
    pub async fn next_batch(&mut self) -> Result<Vec<HistoryEntry>, CommandError> {
        if self.finished {
            return Ok(Vec::new());
        }
        let changes = self
            .ports
            .store
            .changes(&self.item, self.since, self.mark, Order::OldestFirst, BATCH)
            .await?;
        self.finished = changes.len() < BATCH;
        let mut entries = Vec::with_capacity(changes.len());
        for change in changes {
            self.mark = Some(change.mark);
            while self
                .activity
                .last()
                .is_some_and(|activity| activity.at <= change.mark.at)
            {
                entries.extend(self.activity.pop());
            }
            entries.push(entry_of_change(&self.item, self.people, change));
        }
        if self.finished {
            entries.extend(self.activity.drain(..).rev());
        }
        Ok(entries)
    }
}

/// What happened to an item beside its attendees, oldest first.
pub async fn activity(
    ports: &Ports,
    id: &ItemId,
    since: Option<Timestamp>,
) -> Result<Vec<HistoryEntry>, CommandError> {
    stored_item(ports, id).await?;
    let mut facts = ports.store.activity(id).await?;
    facts.sort_by_key(Activity::at);
    let mut before: Option<SyncStatus> = None;
    let mut entries = Vec::with_capacity(facts.len());
    for fact in facts {
        let at = fact.at();
        let entry = entry_of_activity(fact, &mut before);
        if since.is_none_or(|since| at >= since) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// One page of the attendees' changes, newest first, and where the next one begins.
pub async fn changes(
    ports: &Ports,
    id: &ItemId,
    since: Option<Timestamp>,
    mark: Option<ChangeMark>,
    limit: usize,
) -> Result<(Vec<HistoryEntry>, Option<ChangeMark>), CommandError> {
    let record = stored_item(ports, id).await?;
    let people = record.item.kind.shows_people();
    let changes = ports
        .store
        .changes(id, since, mark, Order::NewestFirst, limit)
        .await?;
    let next = changes
        .last()
        .filter(|_| changes.len() == limit)
        .map(|change| change.mark);
    Ok((
        changes
            .into_iter()
            .map(|change| entry_of_change(id, people, change))
            .collect(),
        next,
    ))
}

/// When the item was last not live, if it ever was: what changed since then is what happened meanwhile and after.
pub async fn last_outage(ports: &Ports, id: &ItemId) -> Result<Option<Timestamp>, CommandError> {
    let facts = ports.store.activity(id).await?;
    Ok(facts
        .iter()
        .filter_map(|fact| match fact {
            Activity::Status {
                at,
                status: SyncStatus::Failed | SyncStatus::Disconnected,
                ..
            } => Some(*at),
            _ => None,
        })
        .max())
}

fn entry_of_change(item: &ItemId, people: bool, record: ChangeRecord) -> HistoryEntry {
    let attendee = match &record.now {
        Some(now) if people => AttendeeId::of(item, &now.person_key()),
        _ => AttendeeId::of(item, record.registration.as_str()),
    };
    HistoryEntry {
        at: record.mark.at,
        kind: HistoryKind::Attendee,
        change: record.change.code(),
        attendee_id: Some(attendee),
        before: record.before,
        after: record.after,
        job_id: record.job,
        cause: None,
        name: record.now.and_then(|now| now.name.or(now.email)),
    }
}

fn entry_of_activity(fact: Activity, before: &mut Option<SyncStatus>) -> HistoryEntry {
    let at = fact.at();
    let bare = |kind, change, cause: Option<FailureCode>| HistoryEntry {
        at,
        kind,
        change,
        attendee_id: None,
        before: Value::Null,
        after: Value::Null,
        job_id: None,
        cause: cause.map(FailureCode::code),
        name: None,
    };
    match fact {
        Activity::Credential { change, cause, .. } => bare(HistoryKind::Credential, change.code(), cause),
        Activity::Status { status, cause, .. } => HistoryEntry {
            before: before
                .replace(status)
                .map_or(Value::Null, |before| json!({ "syncStatus": before })),
            after: json!({ "syncStatus": status }),
            ..bare(HistoryKind::Status, status.code(), cause)
        },
        Activity::Job(job) => HistoryEntry {
            after: json!({
                "end": job.end.map(EndKind::code),
                "done": job.done,
                "total": job.total,
                "changes": job.changes,
            }),
            job_id: Some(job.id),
            ..bare(HistoryKind::Job, job.kind.code(), job.failure)
        },
    }
}
