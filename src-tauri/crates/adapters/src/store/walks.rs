//! Full walks in progress: where they stand and what they have listed, so that a later job can go on with them.

use super::facts::{micros, optional_time, required_time};
use super::registrations::feed_key;
use rusqlite::{Error, OptionalExtension, Row, Transaction, params};
use talkvalue_core::domain::ids::{FeedId, JobId, RegistrationId};
use talkvalue_core::ports::{Cursor, OpenWalk, WalkMark};

pub(super) fn open(transaction: &Transaction<'_>, feed: &FeedId) -> Result<Option<OpenWalk>, Error> {
    let Some(feed) = feed_key(transaction, feed)? else {
        return Ok(None);
    };
    let mark = transaction
        .prepare_cached("SELECT * FROM walk WHERE feed = ?1")?
        .query_row([feed], from_row)
        .optional()?;
    let Some(mark) = mark else { return Ok(None) };
    let listed = transaction
        .prepare_cached("SELECT record FROM listed WHERE feed = ?1")?
        .query_map([feed], |row| row.get(0))?
        .collect::<Result<_, Error>>()?;
    let arrived = transaction
        .prepare_cached("SELECT external_id FROM registration WHERE feed = ?1 AND registered_at >= ?2")?
        .query_map(params![feed, micros(mark.as_of)], |row| {
            row.get::<_, String>(0).map(RegistrationId::from_text)
        })?
        .collect::<Result<_, Error>>()?;
    let newest_change = transaction
        .prepare_cached("SELECT max(updated_at) AS newest FROM registration WHERE feed = ?1")?
        .query_row([feed], |row| optional_time(row, "newest"))?;
    Ok(Some(OpenWalk {
        mark,
        listed,
        arrived,
        newest_change,
    }))
}

fn from_row(row: &Row<'_>) -> Result<WalkMark, Error> {
    let counted = |name| Ok::<_, Error>(row.get::<_, Option<i64>>(name)?.map(i64::unsigned_abs));
    Ok(WalkMark {
        as_of: required_time(row, "as_of")?,
        place: row.get::<_, Option<String>>("place")?.map(Cursor),
        next: row.get::<_, Option<String>>("next")?.map(Cursor),
        first_count: counted("first_count")?,
        last_count: counted("last_count")?,
    })
}

pub(super) fn begin(
    transaction: &Transaction<'_>,
    job: &JobId,
    feed: &FeedId,
    done: u64,
    total: Option<u64>,
) -> Result<(), Error> {
    let feed = feed_key(transaction, feed)?.ok_or(Error::QueryReturnedNoRows)?;
    forget(transaction, feed)?;
    transaction.execute(
        "UPDATE job SET done = ?2, total = ?3 WHERE id = ?1",
        params![job.as_str(), sql_count(done), total.map(sql_count)],
    )?;
    Ok(())
}

/// Moves the walk on by one page, which lists these records.
pub(super) fn move_on<'a>(
    transaction: &Transaction<'_>,
    feed: i64,
    mark: &WalkMark,
    records: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT INTO walk (feed, as_of, place, next, first_count, last_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (feed) DO UPDATE SET as_of = excluded.as_of, place = excluded.place, next = excluded.next,
                 first_count = excluded.first_count, last_count = excluded.last_count",
        )?
        .execute(params![
            feed,
            micros(mark.as_of),
            mark.place.as_ref().map(|cursor| &cursor.0),
            mark.next.as_ref().map(|cursor| &cursor.0),
            mark.first_count.map(sql_count),
            mark.last_count.map(sql_count),
        ])?;
    let mut list =
        transaction.prepare_cached("INSERT OR IGNORE INTO listed (feed, record) VALUES (?1, ?2)")?;
    for record in records {
        list.execute(params![feed, record])?;
    }
    Ok(())
}

/// The walk became a complete read: what it did not list is no longer set aside.
pub(super) fn close(transaction: &Transaction<'_>, feed: i64) -> Result<(), Error> {
    transaction.execute(
        "DELETE FROM set_aside WHERE feed = ?1
           AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.feed = ?1 AND listed.record = set_aside.record)",
        [feed],
    )?;
    forget(transaction, feed)
}

fn forget(transaction: &Transaction<'_>, feed: i64) -> Result<(), Error> {
    transaction.execute("DELETE FROM walk WHERE feed = ?1", [feed])?;
    transaction.execute("DELETE FROM listed WHERE feed = ?1", [feed])?;
    Ok(())
}

fn sql_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
