//! Registrations that a complete walk did not list: what is missing, what a person is asked about, what becomes of it.

use super::facts::{count, micros, optional_time, optional_word};
use super::items;
use super::registrations::{self, feed_key};
use jiff::Timestamp;
use rusqlite::{Error, Row, Transaction, params};
use talkvalue_core::domain::attendee::{Registration, SetAside};
use talkvalue_core::domain::ids::{FeedId, ItemId, JobId, RegistrationId};
use talkvalue_core::ports::{Absences, Ruling};
use talkvalue_core::sync::absence::{Absence, Missing, Unlisted};

pub(super) fn unlisted(transaction: &Transaction<'_>, feed: &FeedId) -> Result<Unlisted, Error> {
    let Some(feed) = feed_key(transaction, feed)? else {
        return Ok(Unlisted::default());
    };
    let missing = transaction
        .prepare_cached(
            "SELECT registration.external_id, missing.since, missing.state
             FROM registration
             LEFT JOIN missing ON missing.feed = ?1 AND missing.registration = registration.external_id
             WHERE registration.feed = ?1 AND registration.status <> 'NOT_ATTENDING'
               AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.feed = ?1 AND listed.record = registration.external_id)",
        )?
        .query_map([feed], from_row)?
        .collect::<Result<_, Error>>()?;
    let expected: i64 = transaction
        .prepare_cached("SELECT count(*) FROM registration WHERE feed = ?1 AND status <> 'NOT_ATTENDING'")?
        .query_row([feed], |row| row.get(0))?;
    let (listed, nameless) = transaction
        .prepare_cached(
            "SELECT count(*) AS listed, sum(substr(record, 1, 1) = ?2) AS nameless FROM listed WHERE feed = ?1",
        )?
        .query_row(params![feed, SetAside::NAMELESS.to_string()], |row| {
            Ok((count(row, "listed")?, count(row, "nameless")?))
        })?;
    Ok(Unlisted {
        missing,
        expected: expected.unsigned_abs(),
        listed,
        nameless,
    })
}

fn from_row(row: &Row<'_>) -> Result<Missing, Error> {
    let since = optional_time(row, "since")?;
    Ok(Missing {
        id: RegistrationId::from_text(row.get::<_, String>("external_id")?),
        known: optional_word(row, "state", |state| match state {
            "CANDIDATE" => since.map(Absence::Candidate),
            "HELD" => Some(Absence::Held),
            "KEPT" => Some(Absence::Kept),
            _ => None,
        })?,
    })
}

/// Writes what a complete walk came to.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    feed: i64,
    job: &JobId,
    absences: &Absences,
    at: Timestamp,
) -> Result<(), Error> {
    let mut note = transaction.prepare_cached(
        "INSERT INTO missing (feed, registration, since, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (feed, registration) DO UPDATE SET state = excluded.state",
    )?;
    for (ids, state) in [(&absences.candidates, "CANDIDATE"), (&absences.held, "HELD")] {
        for id in ids {
            note.execute(params![feed, id.as_str(), micros(absences.walked_at), state])?;
        }
    }
    registrations::apply(transaction, feed, Some(job), &absences.gone, at)?;
    forget_settled(transaction, feed)
}

/// Who is no longer expected is no longer missing.
fn forget_settled(transaction: &Transaction<'_>, feed: i64) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "DELETE FROM missing WHERE feed = ?1 AND NOT EXISTS (
                 SELECT 1 FROM registration WHERE registration.feed = ?1
                    AND registration.external_id = missing.registration AND status <> 'NOT_ATTENDING')",
        )?
        .execute([feed])?;
    Ok(())
}

pub(super) fn held(
    transaction: &Transaction<'_>,
    item: &ItemId,
) -> Result<Vec<(FeedId, Registration)>, Error> {
    transaction
        .prepare_cached(
            "SELECT registration.*, feed.id AS feed_id FROM shown
             JOIN feed ON feed.key = shown.feed
             JOIN missing ON missing.feed = shown.feed AND state = 'HELD'
             JOIN registration ON registration.feed = missing.feed
                AND registration.external_id = missing.registration
             WHERE shown.item = ?1 ORDER BY person_key, registration.external_id",
        )?
        .query_map([item.as_str()], |row| {
            let feed = FeedId::from_text(row.get::<_, String>("feed_id")?);
            Ok((feed, registrations::from_row(row)?))
        })?
        .collect()
}

pub(super) fn rule(
    transaction: &Transaction<'_>,
    feed: &FeedId,
    ruling: &Ruling,
    at: Timestamp,
) -> Result<(), Error> {
    let feed = feed_key(transaction, feed)?.ok_or(Error::QueryReturnedNoRows)?;
    match ruling {
        Ruling::Accepted(plan) => {
            registrations::apply(transaction, feed, None, plan, at)?;
            forget_settled(transaction, feed)?;
            items::keep_counts(transaction, feed)?;
        }
        Ruling::Rejected => {
            transaction.execute(
                "UPDATE missing SET state = 'KEPT' WHERE feed = ?1 AND state = 'HELD'",
                [feed],
            )?;
        }
    }
    Ok(())
}
