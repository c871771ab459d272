//! The plan: a pure difference between what a page says and what is stored. It decides; the store only carries it out.

use crate::domain::attendee::{AttendeeStatus, Registration};
use crate::domain::ids::RegistrationId;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What one registration's reading changes.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    Insert(Registration),
    Update {
        row: Registration,
        journal: JournalEntry,
    },
}

impl RowChange {
    /// Whether it is about this registration.
    pub fn of(&self, id: &RegistrationId) -> bool {
        match self {
            RowChange::Insert(row) | RowChange::Update { row, .. } => row.external_id == *id,
        }
    }
}

/// One line of the change journal: what kind of change, and the fields that changed, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    pub change: ChangeKind,
    pub before: Value,
    pub after: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    Registered,
    Updated,
    Cancelled,
    Restored,
    CheckedIn,
    CheckInUndone,
}

impl ChangeKind {
    pub const ALL: [ChangeKind; 6] = [
        ChangeKind::Registered,
        ChangeKind::Updated,
        ChangeKind::Cancelled,
        ChangeKind::Restored,
        ChangeKind::CheckedIn,
        ChangeKind::CheckInUndone,
    ];

    pub fn code(self) -> &'static str {
        match self {
            ChangeKind::Registered => "REGISTERED",
            ChangeKind::Updated => "UPDATED",
            ChangeKind::Cancelled => "CANCELLED",
            ChangeKind::Restored => "RESTORED",
            ChangeKind::CheckedIn => "CHECKED_IN",
            ChangeKind::CheckInUndone => "CHECK_IN_UNDONE",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.code() == code)
    }
}

/// The changes of one page, at most one per registration, in the order in which the page named them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    pub changes: Vec<RowChange>,
    /// Rows that say what is stored already.
    pub unchanged: u64,
    /// Rows older than what is stored: not applied.
    pub outdated: u64,
}

/// Compares a page with the stored readings of the registrations it names. A row is applied only if it is not older
/// than the stored one, nor than an earlier row of the same page; `stored` may hold other registrations too.
pub fn plan_page(page: Vec<Registration>, stored: Vec<Registration>) -> Plan {
    let stored: HashMap<RegistrationId, Registration> = stored
        .into_iter()
        .map(|row| (row.external_id.clone(), row))
        .collect();
    let mut plan = Plan::default();
    // A page may name a registration twice (repeated rows): the newest reading counts, later ones win ties.
    let mut newest: HashMap<RegistrationId, Registration> = HashMap::with_capacity(page.len());
    let mut order: Vec<RegistrationId> = Vec::with_capacity(page.len());
    for row in page {
        match newest.get_mut(&row.external_id) {
            None => {
                order.push(row.external_id.clone());
                newest.insert(row.external_id.clone(), row);
            }
            Some(earlier) if row.version >= earlier.version => *earlier = row,
            Some(_) => plan.outdated += 1,
        }
    }
    for id in order {
        let Some(row) = newest.remove(&id) else { continue };
        match stored.get(&id) {
            None => plan.changes.push(RowChange::Insert(row)),
            Some(before) if row.version < before.version => plan.outdated += 1,
            Some(before) if row.says_the_same(before) => plan.unchanged += 1,
            Some(before) => {
                let journal = describe_change(before, &row);
                plan.changes.push(RowChange::Update { row, journal });
            }
        }
    }
    plan
}

/// Names the change and keeps the fields that differ, before and after.
fn describe_change(before: &Registration, after: &Registration) -> JournalEntry {
    let change = match (before.status, after.status) {
        (from, AttendeeStatus::NotAttending) if from != AttendeeStatus::NotAttending => ChangeKind::Cancelled,
        (AttendeeStatus::NotAttending, to) if to != AttendeeStatus::NotAttending => ChangeKind::Restored,
        _ => match (before.checked_in_at, after.checked_in_at) {
            (None, Some(_)) => ChangeKind::CheckedIn,
            (Some(_), None) => ChangeKind::CheckInUndone,
            _ => ChangeKind::Updated,
        },
    };
    let (before, after) = (fields_of(before), fields_of(after));
    let differing = |own: &Map<String, Value>, other: &Map<String, Value>| -> Value {
        own.iter()
            .filter(|(name, value)| other.get(*name) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<String, Value>>()
            .into()
    };
    JournalEntry {
        change,
        before: differing(&before, &after),
        after: differing(&after, &before),
    }
}

fn fields_of(row: &Registration) -> Map<String, Value> {
    match serde_json::to_value(row) {
        Ok(Value::Object(fields)) => fields,
        // A registration serialises to an object of plain values; there is no other outcome.
        _ => Map::new(),
    }
}
