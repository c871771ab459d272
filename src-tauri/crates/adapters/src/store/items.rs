//! Items: adding, describing, reading with their counts, archiving, removing.

use super::facts::{
    Cells, Columns, Names, count, failure, feed_reads, micros, optional_time, optional_word, required_time,
    word,
};
use super::history::{Whose, note_statuses};
use jiff::Timestamp;
use rusqlite::{Error, OptionalExtension, Transaction, named_params, params};
use talkvalue_core::domain::attendee::{Counts, Tickets};
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::failure::{Failure, FailureCode, Waiting};
use talkvalue_core::domain::ids::{ExternalId, FeedId, IntegrationId, ItemId, JobId};
use talkvalue_core::domain::item::{Item, ItemKind};
use talkvalue_core::domain::job::{JobKind, OpenJob};
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::ports::{ItemRecord, NewItem};

const SELECT: &str = "
    SELECT item.*, feed.id AS feed_id, feed.last_synced_at,
           -- Rows change and events come, and neither is ever taken back: the sum is of one picture only.
           CASE item.kind WHEN 'PATH_CHANNEL' THEN
               (SELECT coalesce(sum(own.revision), 0) + count(*) FROM member JOIN feed AS own ON own.key = member.feed
                WHERE member.item = item.id)
           ELSE feed.revision END AS revision,
           feed.watermark, feed.reconciled_at, feed.described_at, feed.checked_at, feed.looked_at, feed.walk_pages,
           feed.organization,
           CASE item.kind WHEN 'PATH_CHANNEL' THEN
               (SELECT sum(own.new_since) FROM member JOIN feed AS own ON own.key = member.feed
                WHERE member.item = item.id)
           ELSE feed.new_since END AS new_since,
           job.id AS job_id, job.kind AS job_kind, job.done AS job_done, job.total AS job_total,
           job.waiting_code, job.waiting_until, job.held, job.handed, job.created_at AS job_created_at,
           aside.unreadable, absent.held_removals,
           EXISTS (SELECT 1 FROM missing WHERE missing.feed = item.feed AND state = 'CANDIDATE') AS misses_some,
           EXISTS (SELECT 1 FROM missing WHERE missing.feed = item.feed AND state = 'HELD') AS holds_some,
           counted.revision AS counted_revision, counted.total, counted.attending, counted.awaiting,
           counted.not_attending, counted.checked_in, counted.tickets, counted.tickets_checked_in
    FROM item
    JOIN feed ON feed.key = item.feed
    LEFT JOIN counted ON counted.item = item.id
    -- Few records are set aside or missing: they are looked for once, and not item by item.
    LEFT JOIN (SELECT shown.item, count(*) AS unreadable
               FROM set_aside CROSS JOIN shown ON shown.feed = set_aside.feed GROUP BY shown.item) AS aside
        ON aside.item = item.id
    LEFT JOIN (SELECT shown.item, count(*) AS held_removals
               FROM missing CROSS JOIN shown ON shown.feed = missing.feed
               WHERE missing.state = 'HELD' GROUP BY shown.item) AS absent
        ON absent.item = item.id
    LEFT JOIN job ON job.item_id = item.id AND job.ended_at IS NULL";

pub(super) fn all(transaction: &Transaction<'_>) -> Result<Vec<ItemRecord>, Error> {
    selected(transaction, "ORDER BY item.created_at, item.id", [])
}

fn selected(
    transaction: &Transaction<'_>,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<ItemRecord>, Error> {
    rows(transaction, condition, parameters)?
        .into_iter()
        .map(|stored| with_counts(transaction, stored))
        .collect()
}

/// Items whose numbers nobody looks at.
pub(super) fn uncounted(
    transaction: &Transaction<'_>,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<ItemRecord>, Error> {
    let rows = rows(transaction, condition, parameters)?;
    Ok(rows.into_iter().map(|stored| stored.record).collect())
}

fn rows(
    transaction: &Transaction<'_>,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Stored>, Error> {
    let mut statement = transaction.prepare_cached(&format!("{SELECT} {condition}"))?;
    let names = Names::of(&statement);
    statement
        .query_map(parameters, |row| from_row(&Cells::of(row, &names)))?
        .collect()
}

/// A row of an item; its numbers may be of an earlier revision.
struct Stored {
    record: ItemRecord,
    counted: bool,
}

pub(super) fn one(transaction: &Transaction<'_>, id: &ItemId) -> Result<Option<ItemRecord>, Error> {
    Ok(selected(transaction, "WHERE item.id = ?1", [id.as_str()])?.pop())
}

fn from_row(row: &impl Columns) -> Result<Stored, Error> {
    let id = ItemId::from_text(row.cell::<String>("id")?);
    let open_job = match row.cell::<Option<String>>("job_id")? {
        None => None,
        Some(job) => Some(OpenJob {
            id: JobId::from_text(job),
            item: id.clone(),
            kind: word(row, "job_kind", JobKind::from_code)?,
            done: count(row, "job_done")?,
            total: row.cell::<Option<i64>>("job_total")?.map(i64::unsigned_abs),
            waiting: match optional_word(row, "waiting_code", FailureCode::from_code)? {
                None => None,
                Some(code) => Some(Waiting {
                    code,
                    until: optional_time(row, "waiting_until")?,
                }),
            },
            held: row.cell("held")?,
            handed: row.cell("handed")?,
            created_at: required_time(row, "job_created_at")?,
        }),
    };
    let record = ItemRecord {
        item: Item {
            id,
            kind: word(row, "kind", ItemKind::from_code)?,
            provider: word(row, "provider", Provider::from_code)?,
            api_origin: Origin::from_stored(row.cell::<String>("api_origin")?),
            external_id: ExternalId::from_text(row.cell::<String>("external_id")?),
            integration_id: IntegrationId::from_text(row.cell::<String>("integration_id")?),
            title: row.cell("title")?,
            starts_at: optional_time(row, "starts_at")?,
            ends_at: optional_time(row, "ends_at")?,
            timezone: row.cell("timezone")?,
            archived: row.cell("archived")?,
            feed: FeedId::from_text(row.cell::<String>("feed_id")?),
            created_at: required_time(row, "created_at")?,
        },
        severed: failure(row, "severed")?,
        last_failure: failure(row, "last_failure")?,
        last_synced_at: optional_time(row, "last_synced_at")?,
        last_attempted_at: optional_time(row, "last_attempted_at")?,
        open_job,
        counts: Counts {
            total: count(row, "total")?,
            attending: count(row, "attending")?,
            awaiting: count(row, "awaiting")?,
            not_attending: count(row, "not_attending")?,
            checked_in: count(row, "checked_in")?,
        },
        tickets: Tickets {
            total: count(row, "tickets")?,
            checked_in: count(row, "tickets_checked_in")?,
        },
        unreadable: count(row, "unreadable")?,
        held_removals: count(row, "held_removals")?,
        revision: count(row, "revision")?,
        new_since: count(row, "new_since")?,
        organization: row
            .cell::<Option<String>>("organization")?
            .map(ExternalId::from_text),
        reads: feed_reads(row)?,
    };
    let counted = row.cell::<Option<i64>>("counted_revision")?;
    Ok(Stored {
        counted: counted.map(i64::unsigned_abs) == Some(record.revision),
        record,
    })
}

/// The record with its numbers: as they were kept, or counted now where the rows have changed since.
fn with_counts(transaction: &Transaction<'_>, stored: Stored) -> Result<ItemRecord, Error> {
    let Stored { record, counted } = stored;
    if counted {
        return Ok(record);
    }
    let item = record.item.id.as_str();
    // Counts registrations, or people for Path items (the best of a person's statuses, any check-in).
    let rows = if record.item.kind.shows_people() {
        "SELECT max(CASE status WHEN 'ATTENDING' THEN 2 WHEN 'AWAITING' THEN 1 ELSE 0 END) AS rank,
                max(checked_in_at IS NOT NULL) AS present
         FROM shown CROSS JOIN registration USING (feed) WHERE item = ?1 GROUP BY person_key"
    } else {
        "SELECT CASE status WHEN 'ATTENDING' THEN 2 WHEN 'AWAITING' THEN 1 ELSE 0 END AS rank,
                checked_in_at IS NOT NULL AS present
         FROM shown CROSS JOIN registration USING (feed) WHERE item = ?1"
    };
    let counts = transaction
        .prepare_cached(&format!(
            "SELECT count(*) AS total, sum(rank = 2) AS attending, sum(rank = 1) AS awaiting,
                    sum(rank = 0) AS not_attending, sum(rank = 2 AND present) AS checked_in
             FROM ({rows})"
        ))?
        .query_row([item], |row| {
            Ok(Counts {
                total: count(row, "total")?,
                attending: count(row, "attending")?,
                awaiting: count(row, "awaiting")?,
                not_attending: count(row, "not_attending")?,
                checked_in: count(row, "checked_in")?,
            })
        })?;
    let tickets = transaction
        .prepare_cached(
            "SELECT sum(tickets) AS total, sum(tickets_checked_in) FILTER (WHERE status = 'ATTENDING') AS checked_in
             FROM shown CROSS JOIN registration USING (feed) WHERE item = ?1",
        )?
        .query_row([item], |row| {
            Ok(Tickets { total: count(row, "total")?, checked_in: count(row, "checked_in")? })
        })?;
    Ok(ItemRecord {
        counts,
        tickets,
        ..record
    })
}

/// Keeps the numbers of every item that views the feed, so that nobody has to count rows that did not change.
pub(super) fn keep_counts(transaction: &Transaction<'_>, feed: i64) -> Result<(), Error> {
    let showing = "WHERE item.id IN (SELECT item FROM shown WHERE shown.feed = ?1)";
    for stored in rows(transaction, showing, [feed])? {
        if stored.counted {
            continue;
        }
        let record = with_counts(transaction, stored)?;
        let (counts, tickets) = (record.counts, record.tickets);
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO counted (item, revision, total, attending, awaiting, not_attending, checked_in,
                     tickets, tickets_checked_in)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                record.item.id.as_str(),
                number(record.revision),
                number(counts.total),
                number(counts.attending),
                number(counts.awaiting),
                number(counts.not_attending),
                number(counts.checked_in),
                number(tickets.total),
                number(tickets.checked_in),
            ])?;
    }
    Ok(())
}

pub(super) fn find(
    transaction: &Transaction<'_>,
    provider: Provider,
    api_origin: &Origin,
    external_id: &ExternalId,
    kind: ItemKind,
) -> Result<Option<ItemId>, Error> {
    transaction
        .prepare_cached(
            "SELECT id FROM item WHERE provider = ?1 AND api_origin = ?2 AND external_id = ?3 AND kind = ?4",
        )?
        .query_row(
            params![
                provider.code(),
                api_origin.as_str(),
                external_id.as_str(),
                kind.code()
            ],
            |row| row.get::<_, String>(0),
        )
        .optional()
        .map(|id| id.map(ItemId::from_text))
}

pub(super) struct OwnedNewItem {
    kind: ItemKind,
    provider: Provider,
    api_origin: Origin,
    external_id: ExternalId,
    integration_id: IntegrationId,
    proved: bool,
    at: Timestamp,
}

impl From<NewItem<'_>> for OwnedNewItem {
    fn from(new: NewItem<'_>) -> Self {
        Self {
            kind: new.kind,
            provider: new.provider,
            api_origin: new.api_origin.clone(),
            external_id: new.external_id.clone(),
            integration_id: new.integration_id.clone(),
            proved: new.proved,
            at: new.at,
        }
    }
}

/// What the feed of an item of this kind holds.
pub(super) fn feed_kind(item: Option<ItemKind>) -> &'static str {
    match item {
        Some(ItemKind::PathChannel) => "EVENT_LIST",
        Some(ItemKind::BadgeEvent | ItemKind::PathEvent) | None => "EVENT",
    }
}

/// Adds the item, and the feed it views unless another item views it already.
pub(super) fn add(transaction: &Transaction<'_>, new: &OwnedNewItem) -> Result<Option<ItemId>, Error> {
    let (provider, origin, external) = (
        new.provider.code(),
        new.api_origin.as_str(),
        new.external_id.as_str(),
    );
    let feed_kind = feed_kind(Some(new.kind));
    transaction.execute(
        "INSERT INTO feed (id, provider, api_origin, kind, external_id) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (provider, api_origin, kind, external_id) DO NOTHING",
        params![FeedId::random().as_str(), provider, origin, feed_kind, external],
    )?;
    let id = ItemId::random();
    let added = transaction.execute(
        "INSERT INTO item (id, kind, provider, api_origin, external_id, integration_id, created_at, last_failure_code,
             last_failure_at, feed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, CASE WHEN ?8 IS NULL THEN NULL ELSE ?7 END,
             (SELECT key FROM feed WHERE provider = ?3 AND api_origin = ?4 AND kind = ?9 AND external_id = ?5))
         ON CONFLICT (provider, api_origin, external_id, kind) DO NOTHING",
        params![
            id.as_str(),
            new.kind.code(),
            provider,
            origin,
            external,
            new.integration_id.as_str(),
            micros(new.at),
            (!new.proved).then_some("INTERRUPTED"),
            feed_kind
        ],
    )?;
    if added == 0 {
        return Ok(None);
    }
    // Where it is not live by what is stored already, its first job says so.
    if new.proved {
        note_statuses(transaction, Whose::Item(&id), new.at)?;
    }
    Ok(Some(id))
}

pub(super) fn describe(
    transaction: &Transaction<'_>,
    id: &ItemId,
    event: &ProviderEvent,
    at: Timestamp,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "UPDATE feed SET described_at = ?2, organization = coalesce(?3, organization)
             WHERE key = (SELECT feed FROM item WHERE id = ?1)",
        )?
        .execute(params![
            id.as_str(),
            micros(at),
            event.organization.as_ref().map(ExternalId::as_str)
        ])?;
    transaction
        .prepare_cached(
            "UPDATE item SET title = :title, starts_at = :starts_at, ends_at = :ends_at, timezone = :timezone
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": id.as_str(),
            ":title": event.title,
            ":starts_at": event.starts_at.map(micros),
            ":ends_at": event.ends_at.map(micros),
            ":timezone": event.timezone,
        })?;
    Ok(())
}

pub(super) fn confirm_reconnect(
    transaction: &Transaction<'_>,
    id: &ItemId,
    integration: &IntegrationId,
    at: Timestamp,
) -> Result<bool, Error> {
    let linked = transaction.execute(
        "UPDATE item SET integration_id = ?2, severed_code = NULL, severed_at = NULL, severed_detail = NULL,
             last_failure_code = 'INTERRUPTED', last_failure_at = ?3, last_failure_detail = NULL
         WHERE id = ?1 AND EXISTS (SELECT 1 FROM integration WHERE id = ?2 AND severed_code IS NULL)",
        params![id.as_str(), integration.as_str(), micros(at)],
    )?;
    // Its status is noted when its job opens, in the next breath.
    Ok(linked == 1)
}

/// Sets the last failure of items, named by a condition over `item` whose value is parameter 1. The same trouble keeps
/// the time since when it lasts ([`Failure::after`]).
fn set_failure(
    transaction: &Transaction<'_>,
    condition: &str,
    value: &dyn rusqlite::ToSql,
    failure: &Failure,
) -> Result<(), Error> {
    transaction
        .prepare_cached(&format!(
            "UPDATE item SET last_failure_code = ?2, last_failure_detail = ?4,
                 last_failure_at = CASE WHEN last_failure_code = ?2 THEN last_failure_at ELSE ?3 END
             WHERE {condition} AND severed_code IS NULL AND archived = 0"
        ))?
        .execute(params![
            value,
            failure.code.code(),
            micros(failure.at),
            failure.detail
        ])?;
    Ok(())
}

pub(super) fn fail_of_integration(
    transaction: &Transaction<'_>,
    integration: &IntegrationId,
    failure: &Failure,
) -> Result<(), Error> {
    set_failure(transaction, "integration_id = ?1", &integration.as_str(), failure)?;
    note_statuses(transaction, Whose::Integration(integration), failure.at)
}

/// The items that view a job's feed through the same account: a failure speaks of the account it was met with.
const ALIKE: &str = "(feed, integration_id) =
    (SELECT own.feed, own.integration_id FROM job JOIN item AS own ON own.id = job.item_id WHERE job.id = ?1)";

pub(super) fn fail_of_job(
    transaction: &Transaction<'_>,
    job: &JobId,
    failure: &Failure,
) -> Result<(), Error> {
    set_failure(transaction, ALIKE, &job.as_str(), failure)
}

/// A read of the feed by this job succeeded: nothing is the matter with the items that view it through its account.
pub(super) fn clear_failure(transaction: &Transaction<'_>, job: &JobId, feed: i64) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "UPDATE item SET last_failure_code = NULL, last_failure_at = NULL, last_failure_detail = NULL
             WHERE feed = ?2 AND integration_id =
                (SELECT own.integration_id FROM job JOIN item AS own ON own.id = job.item_id WHERE job.id = ?1)",
        )?
        .execute(params![job.as_str(), feed])?;
    Ok(())
}

/// Only items that never completed keep the reason of a condition.
pub(super) fn hold_of_job(
    transaction: &Transaction<'_>,
    job: &JobId,
    failure: &Failure,
) -> Result<(), Error> {
    let never_completed =
        format!("{ALIKE} AND (SELECT last_synced_at FROM feed WHERE key = item.feed) IS NULL");
    set_failure(transaction, &never_completed, &job.as_str(), failure)
}

pub(super) fn archive(transaction: &Transaction<'_>, id: &ItemId, at: Timestamp) -> Result<(), Error> {
    transaction.execute("UPDATE item SET archived = 1 WHERE id = ?1", [id.as_str()])?;
    super::jobs::interrupt_open(transaction, id)?;
    note_statuses(transaction, Whose::Item(id), at)
}

pub(super) fn remove(transaction: &Transaction<'_>, id: &ItemId) -> Result<(), Error> {
    let feeds: Vec<i64> = transaction
        .prepare("SELECT feed FROM shown WHERE item = ?1")?
        .query_map([id.as_str()], |row| row.get(0))?
        .collect::<Result<_, Error>>()?;
    transaction.execute("DELETE FROM item WHERE id = ?1", [id.as_str()])?;
    for feed in feeds {
        let shown: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM shown WHERE feed = ?1)",
            [feed],
            |row| row.get(0),
        )?;
        if shown {
            continue;
        }
        for table in ["registration", "set_aside", "change", "walk", "listed", "missing"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE feed = ?1"), [feed])?;
        }
        transaction.execute("DELETE FROM feed WHERE key = ?1", [feed])?;
    }
    Ok(())
}
