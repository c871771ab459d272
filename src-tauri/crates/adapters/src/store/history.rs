//! What happened: the change journal, read; statuses and credential events, noted as they change; jobs, read.

use super::facts::{count, micros, optional_time, optional_word, required_time, word};
use super::{items, registrations};
use jiff::Timestamp;
use rusqlite::{Error, OptionalExtension, Row, Transaction, params};
use serde_json::Value;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::{IntegrationId, ItemId, JobId, RegistrationId};
use talkvalue_core::domain::job::JobKind;
use talkvalue_core::domain::status::{SyncFacts, SyncStatus};
use talkvalue_core::ports::{ItemRecord, Order};
use talkvalue_core::query::facts_of;
use talkvalue_core::query::history::{
    Activity, ChangeMark, ChangeRecord, CredentialChange, EndKind, EndedJob,
};
use talkvalue_core::sync::plan::ChangeKind;

/// Whose status may have changed.
#[derive(Clone, Copy)]
pub(super) enum Whose<'a> {
    Item(&'a ItemId),
    Feed(i64),
    Integration(&'a IntegrationId),
    Everybody,
}

/// Notes the status of each of these items where it is another than the one noted last. Called at the end of every
/// transaction that changes what a status derives from.
pub(super) fn note_statuses(
    transaction: &Transaction<'_>,
    whose: Whose<'_>,
    at: Timestamp,
) -> Result<(), Error> {
    let records = match whose {
        Whose::Item(id) => items::uncounted(transaction, "WHERE item.id = ?1", [id.as_str()]),
        Whose::Feed(feed) => items::uncounted(transaction, "WHERE item.feed = ?1", [feed]),
        Whose::Integration(id) => {
            items::uncounted(transaction, "WHERE item.integration_id = ?1", [id.as_str()])
        }
        Whose::Everybody => items::uncounted(transaction, "", []),
    }?;
    for record in records {
        note_status(transaction, &record, at)?;
    }
    Ok(())
}

fn note_status(transaction: &Transaction<'_>, record: &ItemRecord, at: Timestamp) -> Result<(), Error> {
    let facts = facts_of(record, true, EngineView::default());
    let status = facts.status();
    let before: Option<String> = transaction
        .prepare_cached("SELECT status FROM status_change WHERE item = ?1 ORDER BY key DESC LIMIT 1")?
        .query_row([record.item.id.as_str()], |row| row.get(0))
        .optional()?;
    if before.as_deref() == Some(status.code()) {
        return Ok(());
    }
    transaction
        .prepare_cached("INSERT INTO status_change (item, at, status, cause) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            record.item.id.as_str(),
            micros(at),
            status.code(),
            cause_of(&facts).map(FailureCode::code)
        ])?;
    Ok(())
}

fn cause_of(facts: &SyncFacts) -> Option<FailureCode> {
    facts.failure().map(|failure| failure.code)
}

pub(super) fn note_credential(
    transaction: &Transaction<'_>,
    integration: &IntegrationId,
    change: CredentialChange,
    cause: Option<FailureCode>,
    at: Timestamp,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT INTO credential_change (integration, at, change, cause) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            integration.as_str(),
            micros(at),
            change.code(),
            cause.map(FailureCode::code)
        ])?;
    Ok(())
}

pub(super) fn changes(
    transaction: &Transaction<'_>,
    item: &ItemId,
    since: Option<Timestamp>,
    mark: Option<ChangeMark>,
    order: Order,
    limit: usize,
) -> Result<Vec<ChangeRecord>, Error> {
    let (comparison, direction) = match order {
        Order::OldestFirst => (">", "ASC"),
        Order::NewestFirst => ("<", "DESC"),
    };
    let beyond = match order {
        Order::OldestFirst => i64::MIN,
        Order::NewestFirst => i64::MAX,
    };
    let (at, key) = mark.map_or((beyond, beyond), |mark| (micros(mark.at), mark.key));
    transaction
        .prepare_cached(&format!(
            "SELECT change.key, change.registration, change.job_id, change.at, change.change, change.before,
                    change.after, registration.*
             FROM change
             LEFT JOIN registration
                ON registration.feed = change.feed AND registration.external_id = change.registration
             WHERE change.feed = (SELECT feed FROM item WHERE id = ?1)
               AND change.at >= ?2 AND (change.at, change.key) {comparison} (?3, ?4)
             ORDER BY change.at {direction}, change.key {direction} LIMIT ?5"
        ))?
        .query_map(
            params![
                item.as_str(),
                since.map_or(i64::MIN, micros),
                at,
                key,
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            change_from_row,
        )?
        .collect()
}

fn change_from_row(row: &Row<'_>) -> Result<ChangeRecord, Error> {
    let kept = row.get::<_, Option<String>>("external_id")?.is_some();
    Ok(ChangeRecord {
        mark: ChangeMark {
            at: required_time(row, "at")?,
            key: row.get("key")?,
        },
        registration: RegistrationId::from_text(row.get::<_, String>("registration")?),
        now: kept.then(|| registrations::from_row(row)).transpose()?,
        change: word(row, "change", ChangeKind::from_code)?,
        before: json(row, "before")?,
        after: json(row, "after")?,
        job: row.get::<_, Option<String>>("job_id")?.map(JobId::from_text),
    })
}

fn json(row: &Row<'_>, name: &str) -> Result<Value, Error> {
    let column = row.as_ref().column_index(name)?;
    let Some(text) = row.get::<_, Option<String>>(column)? else {
        return Ok(Value::Null);
    };
    serde_json::from_str(&text).map_err(|error| {
        Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

pub(super) fn activity(transaction: &Transaction<'_>, item: &ItemId) -> Result<Vec<Activity>, Error> {
    let mut all: Vec<Activity> = transaction
        .prepare_cached("SELECT at, status, cause FROM status_change WHERE item = ?1 ORDER BY key")?
        .query_map([item.as_str()], |row| {
            Ok(Activity::Status {
                at: required_time(row, "at")?,
                status: word(row, "status", SyncStatus::from_code)?,
                cause: optional_word(row, "cause", FailureCode::from_code)?,
            })
        })?
        .collect::<Result<_, Error>>()?;
    let mut jobs = transaction.prepare_cached(
        "SELECT id, kind, created_at, ended_at, end_code, failure_code, done, total, changes FROM job
         WHERE item_id = ?1 ORDER BY created_at",
    )?;
    for job in jobs.query_map([item.as_str()], job_from_row)? {
        all.push(Activity::Job(job?));
    }
    let mut credentials = transaction.prepare_cached(
        "SELECT at, change, cause FROM credential_change
         WHERE integration = (SELECT integration_id FROM item WHERE id = ?1) ORDER BY key",
    )?;
    for change in credentials.query_map([item.as_str()], |row| {
        Ok(Activity::Credential {
            at: required_time(row, "at")?,
            change: word(row, "change", |code| {
                CredentialChange::ALL
                    .into_iter()
                    .find(|change| change.code() == code)
            })?,
            cause: optional_word(row, "cause", FailureCode::from_code)?,
        })
    })? {
        all.push(change?);
    }
    Ok(all)
}

pub(super) fn ended_job(transaction: &Transaction<'_>, job: &JobId) -> Result<Option<EndedJob>, Error> {
    transaction
        .prepare_cached(
            "SELECT id, kind, created_at, ended_at, end_code, failure_code, done, total, changes FROM job
             WHERE id = ?1 AND ended_at IS NOT NULL",
        )?
        .query_row([job.as_str()], job_from_row)
        .optional()
}

fn job_from_row(row: &Row<'_>) -> Result<EndedJob, Error> {
    Ok(EndedJob {
        id: JobId::from_text(row.get::<_, String>("id")?),
        kind: word(row, "kind", JobKind::from_code)?,
        created_at: required_time(row, "created_at")?,
        ended_at: optional_time(row, "ended_at")?,
        end: optional_word(row, "end_code", |code| {
            EndKind::ALL.into_iter().find(|end| end.code() == code)
        })?,
        failure: optional_word(row, "failure_code", FailureCode::from_code)?,
        done: count(row, "done")?,
        total: row.get::<_, Option<i64>>("total")?.map(i64::unsigned_abs),
        changes: count(row, "changes")?,
    })
}
