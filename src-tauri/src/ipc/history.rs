//! What happened to an item, as the window shows it: fields as texts, so that it has nothing to interpret.

use super::arguments::Argument;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use talkvalue_core::query::history;
use ts_rs::TS;

/// What an entry tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HistoryKind {
    Attendee,
    Status,
    Job,
    Credential,
}

impl From<history::HistoryKind> for HistoryKind {
    fn from(kind: history::HistoryKind) -> Self {
        match kind {
            history::HistoryKind::Attendee => Self::Attendee,
            history::HistoryKind::Status => Self::Status,
            history::HistoryKind::Job => Self::Job,
            history::HistoryKind::Credential => Self::Credential,
        }
    }
}

/// One field, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub at: String,
    pub r#type: HistoryKind,
    /// A kind of change, a sync status, a kind of job, or what happened to the credential, by its code.
    pub change: String,
    pub attendee_id: Option<String>,
    /// The attendee's name as it is now.
    pub name: Option<String>,
    pub fields: Vec<FieldChange>,
    pub cause: Option<String>,
}

impl From<history::HistoryEntry> for HistoryEntry {
    fn from(entry: history::HistoryEntry) -> Self {
        Self {
            at: entry.at.to_string(),
            r#type: entry.kind.into(),
            change: entry.change.to_owned(),
            attendee_id: entry.attendee_id.map(|id| id.to_string()),
            name: entry.name,
            fields: fields(&entry.before, &entry.after),
            cause: entry.cause.map(str::to_owned),
        }
    }
}

fn fields(before: &Value, after: &Value) -> Vec<FieldChange> {
    let none = Map::new();
    let (before, after) = (
        before.as_object().unwrap_or(&none),
        after.as_object().unwrap_or(&none),
    );
    let names = after
        .keys()
        .chain(before.keys().filter(|name| !after.contains_key(*name)));
    names
        .map(|name| FieldChange {
            field: name.clone(),
            before: text(before.get(name)),
            after: text(after.get(name)),
        })
        .collect()
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// One page of the attendees' changes, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChangePage {
    pub entries: Vec<HistoryEntry>,
    /// Asks for the page after this one; `null` on the last.
    pub next: Option<String>,
}

impl From<(Vec<history::HistoryEntry>, Option<history::ChangeMark>)> for ChangePage {
    fn from((entries, next): (Vec<history::HistoryEntry>, Option<history::ChangeMark>)) -> Self {
        Self {
            entries: entries.into_iter().map(Into::into).collect(),
            next: next.map(|mark| format!("{}/{}", mark.at.as_microsecond(), mark.key)),
        }
    }
}

/// What happened beside the attendees' changes, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    pub entries: Vec<HistoryEntry>,
    /// When the item was last not live, if it ever was.
    pub last_outage_at: Option<String>,
}

/// Which changes the window asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeRequest {
    /// Only what happened since then.
    pub since: Option<String>,
    /// A page's `next`; `null` for the newest.
    pub after: Option<String>,
}

/// The same, understood.
pub(crate) struct ChangesWanted {
    pub(crate) since: Option<Timestamp>,
    pub(crate) mark: Option<history::ChangeMark>,
}

impl Argument for ChangesWanted {
    fn check(value: &Value) -> Result<Self, String> {
        let expected = || "a page of changes: since and after".to_owned();
        if !value.is_object() {
            return Err(expected());
        }
        let request = <ChangeRequest as Deserialize>::deserialize(value).map_err(|_| expected())?;
        let since = request.since.map(|time| time.parse()).transpose();
        let mark = request.after.map(|mark| mark_of(&mark).ok_or(())).transpose();
        match (since, mark) {
            (Ok(since), Ok(mark)) => Ok(Self { since, mark }),
            _ => Err(expected()),
        }
    }
}

fn mark_of(text: &str) -> Option<history::ChangeMark> {
    let (at, key) = text.split_once('/')?;
    Some(history::ChangeMark {
        at: Timestamp::from_microsecond(at.parse().ok()?).ok()?,
        key: key.parse().ok()?,
    })
}
