//! Registrations: the stored rows, and the one transaction that a page is.

use super::facts::{Cells, Columns, Names, count, micros, optional_time, word};
use super::walks;
use jiff::Timestamp;
use rusqlite::{CachedStatement, Error, OptionalExtension, Transaction, named_params, params};
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration, SetAside};
use talkvalue_core::domain::ids::{FeedId, ItemId, JobId, RegistrationId};
use talkvalue_core::ports::{PageCommit, RowMark, WalkMark};
use talkvalue_core::sync::plan::{ChangeKind, Plan, RowChange};

/// A page that owns what it carries, so that it can go to the blocking pool.
pub(super) struct OwnedPage {
    job: JobId,
    feed: FeedId,
    plan: Plan,
    set_aside: Vec<SetAside>,
    readable: Vec<RegistrationId>,
    mark: Option<WalkMark>,
    is_news: bool,
    done: u64,
    total: Option<u64>,
    at: Timestamp,
}

impl From<PageCommit<'_>> for OwnedPage {
    fn from(page: PageCommit<'_>) -> Self {
        Self {
            job: page.job.clone(),
            feed: page.feed.clone(),
            plan: page.plan.clone(),
            set_aside: page.set_aside.to_vec(),
            readable: page.readable.to_vec(),
            mark: page.mark.cloned(),
            is_news: page.is_news,
            done: page.done,
            total: page.total,
            at: page.at,
        }
    }
}

pub(super) fn feed_key(transaction: &Transaction<'_>, feed: &FeedId) -> Result<Option<i64>, Error> {
    transaction
        .prepare_cached("SELECT key FROM feed WHERE id = ?1")?
        .query_row([feed.as_str()], |row| row.get(0))
        .optional()
}

pub(super) fn from_row(row: &impl Columns) -> Result<Registration, Error> {
    Ok(Registration {
        external_id: RegistrationId::from_text(row.cell::<String>("external_id")?),
        name: row.cell("name")?,
        email: row.cell("email")?,
        company: row.cell("company")?,
        ticket_type: row.cell("ticket_type")?,
        status: word(row, "status", AttendeeStatus::from_code)?,
        provider_status: row.cell("provider_status")?,
        checked_in_at: optional_time(row, "checked_in_at")?,
        order_id: row.cell("order_id")?,
        registered_at: optional_time(row, "registered_at")?,
        updated_at: optional_time(row, "updated_at")?,
        tickets: u32::try_from(count(row, "tickets")?).unwrap_or(u32::MAX),
        tickets_checked_in: u32::try_from(count(row, "tickets_checked_in")?).unwrap_or(u32::MAX),
        version: row.cell("version")?,
    })
}

pub(super) fn stored(
    transaction: &Transaction<'_>,
    feed: &FeedId,
    ids: &[RegistrationId],
) -> Result<Vec<Registration>, Error> {
    let Some(feed) = feed_key(transaction, feed)? else {
        return Ok(Vec::new());
    };
    let mut statement =
        transaction.prepare_cached("SELECT * FROM registration WHERE feed = ?1 AND external_id = ?2")?;
    let mut rows = Vec::new();
    for id in ids {
        if let Some(row) = statement
            .query_row(params![feed, id.as_str()], |row| from_row(row))
            .optional()?
        {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Writes a plan's rows and their lines of the journal.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    feed: i64,
    job: Option<&JobId>,
    plan: &Plan,
    at: Timestamp,
) -> Result<(), Error> {
    if plan.changes.is_empty() {
        return Ok(());
    }
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO registration (feed, external_id, person_key, name, email, company, ticket_type, status,
             provider_status, checked_in_at, order_id, registered_at, updated_at, tickets, tickets_checked_in, version)
         VALUES (:feed, :external_id, :person_key, :name, :email, :company, :ticket_type, :status,
             :provider_status, :checked_in_at, :order_id, :registered_at, :updated_at, :tickets, :tickets_checked_in,
             :version)
         ON CONFLICT (feed, external_id) DO UPDATE SET
             person_key = excluded.person_key, name = excluded.name, email = excluded.email,
             company = excluded.company, ticket_type = excluded.ticket_type, status = excluded.status,
             provider_status = excluded.provider_status, checked_in_at = excluded.checked_in_at,
             order_id = excluded.order_id, registered_at = excluded.registered_at, updated_at = excluded.updated_at,
             tickets = excluded.tickets, tickets_checked_in = excluded.tickets_checked_in, version = excluded.version",
    )?;
    let mut journal = transaction.prepare_cached(
        "INSERT INTO change (feed, registration, job_id, at, change, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for change in &plan.changes {
        let (row, kind, before, after) = match change {
            RowChange::Insert(row) => (row, ChangeKind::Registered, None, None),
            RowChange::Update { row, journal } => (
                row,
                journal.change,
                Some(journal.before.to_string()),
                Some(journal.after.to_string()),
            ),
        };
        write_row(&mut upsert, feed, row)?;
        journal.execute(params![
            feed,
            row.external_id.as_str(),
            job.map(JobId::as_str),
            micros(at),
            kind.code(),
            before,
            after
        ])?;
    }
    transaction
        .prepare_cached("UPDATE feed SET revision = revision + 1 WHERE key = ?1")?
        .execute([feed])?;
    transaction
        .prepare_cached("UPDATE job SET changes = changes + ?2 WHERE id = ?1")?
        .execute(params![
            job.map(JobId::as_str),
            i64::try_from(plan.changes.len()).unwrap_or(i64::MAX)
        ])?;
    Ok(())
}

/// Rows, journal, set-aside records, cursor and counts of one page: all or nothing.
pub(super) fn commit_page(transaction: &Transaction<'_>, page: &OwnedPage) -> Result<(), Error> {
    let feed = feed_key(transaction, &page.feed)?.ok_or(Error::QueryReturnedNoRows)?;
    apply(transaction, feed, Some(&page.job), &page.plan, page.at)?;
    let readable = || page.readable.iter().map(RegistrationId::as_str);
    forget_records(transaction, ("set_aside", "record"), feed, readable())?;
    // What is listed is not missing, whether it can be read or not.
    let listed = || readable().chain(page.set_aside.iter().map(SetAside::key));
    forget_records(transaction, ("missing", "registration"), feed, listed())?;
    let mut put_aside = transaction.prepare_cached(
        "INSERT INTO set_aside (feed, record, reason, job_id) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (feed, record) DO UPDATE SET reason = excluded.reason, job_id = excluded.job_id",
    )?;
    for record in &page.set_aside {
        put_aside.execute(params![feed, record.key(), record.reason, page.job.as_str()])?;
    }
    transaction
        .prepare_cached(
            "UPDATE job SET done = ?2, total = ?3, waiting_code = NULL, waiting_until = NULL WHERE id = ?1",
        )?
        .execute(params![
            page.job.as_str(),
            i64::try_from(page.done).unwrap_or(i64::MAX),
            page.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX)),
        ])?;
    if page.is_news {
        let inserts = |change: &&RowChange| matches!(change, RowChange::Insert(_));
        let new = page.plan.changes.iter().filter(inserts).count();
        transaction
            .prepare_cached("UPDATE feed SET new_since = new_since + ?2 WHERE key = ?1")?
            .execute(params![feed, i64::try_from(new).unwrap_or(i64::MAX)])?;
    }
    if let Some(mark) = &page.mark {
        walks::move_on(transaction, feed, mark, listed())?;
    }
    Ok(())
}

/// The same for a list that is read along with others: it may have been removed meanwhile.
pub(super) fn commit_shared(transaction: &Transaction<'_>, page: &OwnedPage) -> Result<(), Error> {
    match feed_key(transaction, &page.feed)? {
        Some(_) => commit_page(transaction, page),
        None => Ok(()),
    }
}

/// Deletes records of a feed from a table that is mostly empty.
fn forget_records<'a>(
    transaction: &Transaction<'_>,
    (table, column): (&str, &str),
    feed: i64,
    records: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    let any: bool = transaction
        .prepare_cached(&format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE feed = ?1)"))?
        .query_row([feed], |row| row.get(0))?;
    if any {
        let mut forget =
            transaction.prepare_cached(&format!("DELETE FROM {table} WHERE feed = ?1 AND {column} = ?2"))?;
        for record in records {
            forget.execute(params![feed, record])?;
        }
    }
    Ok(())
}

fn write_row(upsert: &mut CachedStatement<'_>, feed: i64, row: &Registration) -> Result<(), Error> {
    upsert.execute(named_params! {
        ":feed": feed,
        ":external_id": row.external_id.as_str(),
        ":person_key": row.person_key(),
        ":name": row.name,
        ":email": row.email,
        ":company": row.company,
        ":ticket_type": row.ticket_type,
        ":status": row.status.code(),
        ":provider_status": row.provider_status,
        ":checked_in_at": row.checked_in_at.map(micros),
        ":order_id": row.order_id,
        ":registered_at": row.registered_at.map(micros),
        ":updated_at": row.updated_at.map(micros),
        ":tickets": row.tickets,
        ":tickets_checked_in": row.tickets_checked_in.min(row.tickets),
        ":version": row.version,
    })?;
    Ok(())
}

/// Rows read of each feed at a time where an item shows several: at least so many.
const LEAST_OF_A_FEED: usize = 32;

pub(super) fn of_item(
    transaction: &Transaction<'_>,
    item: &ItemId,
    mark: Option<&RowMark>,
    limit: usize,
) -> Result<Vec<(String, Registration)>, Error> {
    let feeds: Vec<i64> = transaction
        .prepare_cached("SELECT feed FROM shown WHERE item = ?1")?
        .query_map([item.as_str()], |row| row.get(0))?
        .collect::<Result<_, Error>>()?;
    if let [feed] = feeds[..] {
        return of_feed(transaction, feed, mark, limit);
    }
    let mut mark = mark.cloned();
    let mut merged = Vec::new();
    // Each feed is read in order; up to the least of the last rows read, nothing can come between.
    while merged.len() < limit {
        let each = (2 * (limit - merged.len()) / feeds.len().max(1)).max(LEAST_OF_A_FEED);
        let mut rows: Vec<(String, Registration)> = Vec::new();
        let mut certain: Option<(String, RegistrationId)> = None;
        for feed in &feeds {
            let own = of_feed(transaction, *feed, mark.as_ref(), each)?;
            if own.len() == each
                && let Some((key, row)) = own.last()
            {
                let last = (key.clone(), row.external_id.clone());
                certain = Some(certain.map_or(last.clone(), |certain| certain.min(last)));
            }
            rows.extend(own);
        }
        rows.sort_by(|(left_key, left), (right_key, right)| {
            (left_key, &left.external_id).cmp(&(right_key, &right.external_id))
        });
        if let Some((key, id)) = &certain {
            let end = rows.partition_point(|(own_key, own)| (own_key, &own.external_id) <= (key, id));
            rows.truncate(end);
        }
        mark = certain.map(|(person_key, external_id)| RowMark {
            person_key,
            external_id,
        });
        merged.extend(rows);
        if mark.is_none() {
            break;
        }
    }
    merged.truncate(limit);
    Ok(merged)
}

/// Rows of one feed in the order of (person key, id).
fn of_feed(
    transaction: &Transaction<'_>,
    feed: i64,
    mark: Option<&RowMark>,
    limit: usize,
) -> Result<Vec<(String, Registration)>, Error> {
    let (person_key, external_id) = mark.map_or(("", ""), |mark| {
        (mark.person_key.as_str(), mark.external_id.as_str())
    });
    let mut statement = transaction.prepare_cached(
        "SELECT * FROM registration WHERE feed = ?1 AND (person_key, external_id) > (?2, ?3)
         ORDER BY person_key, external_id LIMIT ?4",
    )?;
    let names = Names::of(&statement);
    statement
        .query_map(
            params![
                feed,
                person_key,
                external_id,
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            |row| {
                let row = Cells::of(row, &names);
                Ok((row.cell("person_key")?, from_row(&row)?))
            },
        )?
        .collect()
}
