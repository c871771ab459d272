//! The events of a Path channel.

use super::facts::{count, feed_reads, micros, optional_time};
use jiff::Timestamp;
use rusqlite::{Error, OptionalExtension, Row, Transaction, params};
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::ids::{ExternalId, FeedId, ItemId};
use talkvalue_core::ports::MemberRecord;

const SELECT: &str = "
    SELECT member.*, feed.id AS feed_id, feed.external_id, feed.last_synced_at, feed.watermark, feed.reconciled_at,
           feed.described_at, feed.checked_at, feed.looked_at, feed.walk_pages,
           (SELECT count(*) FROM set_aside WHERE set_aside.feed = member.feed) AS unreadable,
           EXISTS (SELECT 1 FROM missing WHERE missing.feed = member.feed AND state = 'CANDIDATE') AS misses_some,
           EXISTS (SELECT 1 FROM missing WHERE missing.feed = member.feed AND state = 'HELD') AS holds_some
    FROM member JOIN feed ON feed.key = member.feed
    WHERE member.item = ?1";

pub(super) fn all(transaction: &Transaction<'_>, item: &ItemId) -> Result<Vec<MemberRecord>, Error> {
    transaction
        .prepare_cached(&format!("{SELECT} ORDER BY member.starts_at, member.feed"))?
        .query_map([item.as_str()], from_row)?
        .collect()
}

pub(super) fn one(
    transaction: &Transaction<'_>,
    item: &ItemId,
    feed: &FeedId,
) -> Result<Option<MemberRecord>, Error> {
    transaction
        .prepare_cached(&format!("{SELECT} AND feed.id = ?2"))?
        .query_row(params![item.as_str(), feed.as_str()], from_row)
        .optional()
}

fn from_row(row: &Row<'_>) -> Result<MemberRecord, Error> {
    Ok(MemberRecord {
        feed: FeedId::from_text(row.get::<_, String>("feed_id")?),
        event: ProviderEvent {
            external_id: ExternalId::from_text(row.get::<_, String>("external_id")?),
            title: row.get("title")?,
            starts_at: optional_time(row, "starts_at")?,
            ends_at: optional_time(row, "ends_at")?,
            timezone: row.get("timezone")?,
            organization: None,
            headcount: None,
        },
        closed_at: optional_time(row, "closed_at")?,
        last_synced_at: optional_time(row, "last_synced_at")?,
        unreadable: count(row, "unreadable")?,
        reads: feed_reads(row)?,
    })
}

pub(super) fn set(
    transaction: &Transaction<'_>,
    item: &ItemId,
    events: &[ProviderEvent],
    at: Timestamp,
) -> Result<Vec<ItemId>, Error> {
    let (provider, origin): (String, String) = transaction.query_row(
        "SELECT provider, api_origin FROM item WHERE id = ?1",
        [item.as_str()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut feed = transaction.prepare_cached(
        "INSERT INTO feed (id, provider, api_origin, kind, external_id, organization, described_at)
         VALUES (?1, ?2, ?3, 'EVENT', ?4, ?5, ?6)
         ON CONFLICT (provider, api_origin, kind, external_id) DO UPDATE SET
             organization = coalesce(excluded.organization, organization), described_at = excluded.described_at
         RETURNING key",
    )?;
    let mut member = transaction.prepare_cached(
        "INSERT INTO member (item, feed, title, starts_at, ends_at, timezone)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (item, feed) DO UPDATE SET title = excluded.title, starts_at = excluded.starts_at,
             ends_at = excluded.ends_at, timezone = excluded.timezone, closed_at = NULL",
    )?;
    let mut view = transaction.prepare_cached(
        "UPDATE item SET title = ?2, starts_at = ?3, ends_at = ?4, timezone = ?5
         WHERE feed = ?1 AND archived = 0 AND (title, starts_at, ends_at, timezone) IS NOT (?2, ?3, ?4, ?5)
         RETURNING id",
    )?;
    let mut changed = Vec::new();
    for event in events {
        let organization = event.organization.as_ref().map(ExternalId::as_str);
        let new = FeedId::random();
        let key: i64 = feed.query_row(
            params![
                new.as_str(),
                provider,
                origin,
                event.external_id.as_str(),
                organization,
                micros(at)
            ],
            |row| row.get(0),
        )?;
        let (starts_at, ends_at) = (event.starts_at.map(micros), event.ends_at.map(micros));
        member.execute(params![
            item.as_str(),
            key,
            event.title,
            starts_at,
            ends_at,
            event.timezone
        ])?;
        let views = view.query_map(
            params![key, event.title, starts_at, ends_at, event.timezone],
            |row| row.get::<_, String>(0),
        )?;
        for id in views {
            changed.push(ItemId::from_text(id?));
        }
    }
    Ok(changed)
}

pub(super) fn close(
    transaction: &Transaction<'_>,
    item: &ItemId,
    feed: &FeedId,
    at: Timestamp,
) -> Result<(), Error> {
    transaction.execute(
        "UPDATE member SET closed_at = ?3 WHERE item = ?1 AND feed = (SELECT key FROM feed WHERE id = ?2)",
        params![item.as_str(), feed.as_str(), micros(at)],
    )?;
    Ok(())
}
