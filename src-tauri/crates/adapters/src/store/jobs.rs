//! Jobs: opening, waiting, ending, and what their end does to the facts of the items that view the feed.

use super::facts::{micros, word};
use super::history::{Whose, note_statuses};
use super::registrations::feed_key;
use super::{absences, items, walks};
use jiff::Timestamp;
use rusqlite::{Error, OptionalExtension, Transaction, params};
use talkvalue_core::domain::failure::{Failure, Waiting};
use talkvalue_core::domain::ids::{FeedId, ItemId, JobId};
use talkvalue_core::domain::job::{JobEnd, JobKind};
use talkvalue_core::ports::{Completion, Extent};

const ONE_DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

pub(super) fn end_orphaned(transaction: &Transaction<'_>, at: Timestamp) -> Result<(), Error> {
    let orphaned = transaction.execute(
        "UPDATE job SET ended_at = ?1, end_code = 'INTERRUPTED', waiting_code = NULL, waiting_until = NULL
         WHERE ended_at IS NULL AND held = 0 AND handed = 0",
        [micros(at)],
    )?;
    if orphaned > 0 {
        note_statuses(transaction, Whose::Everybody, at)?;
    }
    Ok(())
}

/// Ends the item's open job, if any, at the time of its own start: nobody saw when it stopped.
pub(super) fn interrupt_open(transaction: &Transaction<'_>, item: &ItemId) -> Result<(), Error> {
    transaction.execute(
        "UPDATE job SET ended_at = created_at, end_code = 'INTERRUPTED', waiting_code = NULL, waiting_until = NULL
         WHERE item_id = ?1 AND ended_at IS NULL",
        [item.as_str()],
    )?;
    Ok(())
}

pub(super) fn open(
    transaction: &Transaction<'_>,
    item: &ItemId,
    kind: JobKind,
    at: Timestamp,
) -> Result<JobId, Error> {
    let id = insert(transaction, item, kind, at, false)?;
    begun(transaction, &id, at)?;
    Ok(id)
}

/// The item is attempted from now on.
fn begun(transaction: &Transaction<'_>, job: &JobId, at: Timestamp) -> Result<(), Error> {
    transaction.execute(
        "UPDATE item SET last_attempted_at = ?2 WHERE id = (SELECT item_id FROM job WHERE id = ?1)",
        params![job.as_str(), micros(at)],
    )?;
    note_statuses(transaction, Whose::Feed(feed_of(transaction, job)?), at)
}

pub(super) fn hand(
    transaction: &Transaction<'_>,
    item: &ItemId,
    kind: JobKind,
    at: Timestamp,
) -> Result<Option<JobId>, Error> {
    let open: Option<(String, JobKind, bool)> = transaction
        .query_row(
            "SELECT id, kind, handed FROM job WHERE item_id = ?1 AND ended_at IS NULL AND held = 0",
            [item.as_str()],
            |row| Ok((row.get(0)?, word(row, "kind", JobKind::from_code)?, row.get(2)?)),
        )
        .optional()?;
    match open {
        None => insert(transaction, item, kind, at, true).map(Some),
        Some((id, its, handed)) => Ok(its.serves(!handed, kind).then(|| JobId::from_text(id))),
    }
}

pub(super) fn take_handed(transaction: &Transaction<'_>, job: &JobId, at: Timestamp) -> Result<bool, Error> {
    let taken = transaction.execute(
        "UPDATE job SET handed = 0 WHERE id = ?1 AND handed = 1 AND ended_at IS NULL",
        [job.as_str()],
    )?;
    if taken == 1 {
        begun(transaction, job, at)?;
    }
    Ok(taken == 1)
}

pub(super) fn ask_cancel(transaction: &Transaction<'_>, job: &JobId, stopped: &Failure) -> Result<(), Error> {
    let waits: Option<bool> = transaction
        .query_row(
            "SELECT held OR handed FROM job WHERE id = ?1 AND ended_at IS NULL",
            [job.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    match waits {
        None => Ok(()),
        Some(true) => end(transaction, job, &JobEnd::Cancelled(stopped.clone()), stopped.at),
        Some(false) => transaction
            .execute("UPDATE job SET cancel_asked = 1 WHERE id = ?1", [job.as_str()])
            .map(drop),
    }
}

pub(super) fn is_cancel_asked(transaction: &Transaction<'_>, job: &JobId) -> Result<bool, Error> {
    let asked = transaction
        .prepare_cached("SELECT cancel_asked FROM job WHERE id = ?1")?
        .query_row([job.as_str()], |row| row.get(0))
        .optional()?;
    Ok(asked == Some(true))
}

fn insert(
    transaction: &Transaction<'_>,
    item: &ItemId,
    kind: JobKind,
    at: Timestamp,
    handed: bool,
) -> Result<JobId, Error> {
    // What held up the attempt before may last: nothing of the list is known to hold until this one has got something.
    let condition: Option<String> = transaction
        .query_row(
            "SELECT waiting_code FROM job WHERE item_id = ?1 AND ended_at IS NULL AND held = 1",
            [item.as_str()],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    // Attempts at a condition that lasts would fill the history with nothing.
    transaction.execute(
        "DELETE FROM job WHERE item_id = ?1 AND ended_at IS NULL AND held = 1 AND kind = 'SYNC' AND changes = 0",
        [item.as_str()],
    )?;
    interrupt_open(transaction, item)?;
    let id = JobId::random();
    transaction.execute(
        "INSERT INTO job (id, item_id, kind, created_at, handed, waiting_code) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.as_str(), item.as_str(), kind.code(), micros(at), handed, condition],
    )?;
    Ok(id)
}

pub(super) fn set_waiting(
    transaction: &Transaction<'_>,
    job: &JobId,
    waiting: Option<Waiting>,
) -> Result<(), Error> {
    transaction.execute(
        "UPDATE job SET waiting_code = ?2, waiting_until = ?3 WHERE id = ?1",
        params![
            job.as_str(),
            waiting.map(|waiting| waiting.code.code()),
            waiting.and_then(|waiting| waiting.until).map(micros)
        ],
    )?;
    Ok(())
}

/// The feed a job reads.
fn feed_of(transaction: &Transaction<'_>, job: &JobId) -> Result<i64, Error> {
    transaction
        .prepare_cached("SELECT item.feed FROM job JOIN item ON item.id = job.item_id WHERE job.id = ?1")?
        .query_row([job.as_str()], |row| row.get(0))
}

pub(super) fn complete(
    transaction: &Transaction<'_>,
    job: &JobId,
    completion: &Completion,
) -> Result<(), Error> {
    let (feed, at) = (feed_of(transaction, job)?, micros(completion.at));
    complete_feed(transaction, job, feed, completion)?;
    transaction.execute(
        "UPDATE job SET ended_at = ?2, end_code = 'COMPLETED', waiting_code = NULL, waiting_until = NULL WHERE id = ?1",
        params![job.as_str(), at],
    )?;
    // Of the checks that found nothing, only the last one says anything.
    transaction.execute(
        "DELETE FROM job WHERE item_id = (SELECT item_id FROM job WHERE id = ?1) AND id <> ?1
             AND kind = 'SYNC' AND end_code = 'COMPLETED' AND changes = 0",
        [job.as_str()],
    )?;
    note_statuses(transaction, Whose::Feed(feed), completion.at)
}

pub(super) fn complete_feeds(
    transaction: &Transaction<'_>,
    job: &JobId,
    completions: &[(FeedId, Completion)],
) -> Result<Vec<ItemId>, Error> {
    let mut shown = Vec::new();
    for (feed, completion) in completions {
        // It may have been removed while it was read along with others.
        let Some(feed) = feed_key(transaction, feed)? else {
            continue;
        };
        complete_feed(transaction, job, feed, completion)?;
        note_statuses(transaction, Whose::Feed(feed), completion.at)?;
        let items: Vec<String> = transaction
            .prepare_cached("SELECT item FROM shown WHERE feed = ?1")?
            .query_map([feed], |row| row.get(0))?
            .collect::<Result<_, Error>>()?;
        shown.extend(items);
    }
    shown.sort_unstable();
    shown.dedup();
    Ok(shown.into_iter().map(ItemId::from_text).collect())
}

/// A read of one feed that has come to its end.
fn complete_feed(
    transaction: &Transaction<'_>,
    job: &JobId,
    feed: i64,
    completion: &Completion,
) -> Result<(), Error> {
    let (as_of, at) = (micros(completion.as_of), micros(completion.at));
    if completion.extent == Extent::News {
        transaction.execute("UPDATE feed SET looked_at = ?2 WHERE key = ?1", params![feed, at])?;
        return items::keep_counts(transaction, feed);
    }
    // A later success is never replaced by an earlier one, unless it lies in the future: then a clock was wrong.
    transaction.execute(
        "UPDATE feed SET last_synced_at = ?2
         WHERE key = ?1 AND (last_synced_at IS NULL OR last_synced_at < ?2 OR last_synced_at > ?3)",
        params![feed, as_of, at.saturating_add(ONE_DAY_MICROS)],
    )?;
    transaction.execute(
        "UPDATE feed SET watermark = max(coalesce(watermark, ?2), ?2) WHERE key = ?1 AND ?2 IS NOT NULL",
        params![feed, completion.watermark.map(micros)],
    )?;
    transaction.execute(
        "UPDATE feed SET checked_at = ?2 WHERE key = ?1",
        params![feed, at],
    )?;
    if let Extent::Everything { pages, gap } = &completion.extent {
        let gap = gap.as_ref().and_then(|gap| serde_json::to_string(gap).ok());
        transaction.execute(
            "UPDATE feed SET reconciled_at = ?2, walk_pages = ?3, tolerated_gap = ?4, new_since = 0 WHERE key = ?1",
            params![feed, at, i64::try_from(*pages).unwrap_or(i64::MAX), gap],
        )?;
        absences::settle(transaction, feed, job, &completion.absences, completion.at)?;
        walks::close(transaction, feed)?;
    }
    items::keep_counts(transaction, feed)?;
    items::clear_failure(transaction, job, feed)
}

pub(super) fn end(
    transaction: &Transaction<'_>,
    job: &JobId,
    end: &JobEnd,
    at: Timestamp,
) -> Result<(), Error> {
    let feed = feed_of(transaction, job)?;
    items::keep_counts(transaction, feed)?;
    let (code, failure) = match end {
        JobEnd::Held(waiting, failure) => {
            // Kept open: whoever runs jobs next takes it up again.
            set_waiting(transaction, job, Some(*waiting))?;
            transaction.execute("UPDATE job SET held = 1 WHERE id = ?1", [job.as_str()])?;
            items::hold_of_job(transaction, job, failure)?;
            return note_statuses(transaction, Whose::Feed(feed), at);
        }
        JobEnd::Failed(failure) => {
            items::fail_of_job(transaction, job, failure)?;
            ("FAILED", Some(failure.code.code()))
        }
        JobEnd::Interrupted => ("INTERRUPTED", None),
        JobEnd::Cancelled(failure) => {
            items::hold_of_job(transaction, job, failure)?;
            ("CANCELLED", Some(failure.code.code()))
        }
    };
    transaction.execute(
        "UPDATE job SET ended_at = ?2, end_code = ?3, failure_code = ?4, waiting_code = NULL, waiting_until = NULL
         WHERE id = ?1",
        params![job.as_str(), micros(at), code, failure],
    )?;
    note_statuses(transaction, Whose::Feed(feed), at)
}
