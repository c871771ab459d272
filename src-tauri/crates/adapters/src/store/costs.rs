//! What is known of lists before they are read: what they cost, which of them one walk may read, what is stored of them.

use super::facts::{count, feed_reads, micros, optional_time, time};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Error, OptionalExtension, Row, Transaction, params};
use talkvalue_core::domain::event::{Gap, Headcount};
use talkvalue_core::domain::ids::{ExternalId, FeedId, IntegrationId};
use talkvalue_core::ports::{Neighbour, Stocktaking};

/// Every event list that is kept live through an account, each with its times. One that an item of its own shows is
/// asked about by itself now and then.
const KEPT_LIVE: &str = "
    SELECT item.feed AS feed, item.starts_at, item.ends_at, 1 AS has_item
    FROM item JOIN feed ON feed.key = item.feed
    WHERE item.integration_id = ?1 AND archived = 0 AND severed_code IS NULL AND last_failure_code IS NULL
        AND feed.kind = 'EVENT'
    UNION ALL
    SELECT member.feed, member.starts_at, member.ends_at, 0
    FROM item JOIN member ON member.item = item.id
    WHERE item.integration_id = ?1 AND archived = 0 AND severed_code IS NULL AND member.closed_at IS NULL";

pub(super) fn walk_pages(transaction: &Transaction<'_>, integration: &IntegrationId) -> Result<u64, Error> {
    transaction
        .prepare_cached(&format!(
            "SELECT sum(walk_pages) AS pages FROM feed WHERE key IN (SELECT feed FROM ({KEPT_LIVE}))"
        ))?
        .query_row([integration.as_str()], |row| count(row, "pages"))
}

/// A list that a walk has begun on goes on with that, and one that was never complete is not covered by changes.
pub(super) fn neighbours(
    transaction: &Transaction<'_>,
    integration: &IntegrationId,
    organization: &ExternalId,
    at: Timestamp,
) -> Result<Vec<Neighbour>, Error> {
    transaction
        .prepare_cached(&format!(
            "SELECT feed.*, max(own.starts_at) AS starts_at, max(own.ends_at) AS ends_at,
                    max(own.has_item) AS has_item,
                    (SELECT count(*) FROM set_aside WHERE set_aside.feed = feed.key) AS unreadable,
                    EXISTS (SELECT 1 FROM missing WHERE missing.feed = feed.key AND state = 'CANDIDATE') AS misses_some,
                    EXISTS (SELECT 1 FROM missing WHERE missing.feed = feed.key AND state = 'HELD') AS holds_some
             FROM feed JOIN ({KEPT_LIVE}) AS own ON own.feed = feed.key
             WHERE feed.organization = ?2 AND last_synced_at IS NOT NULL
                 AND (alone_until IS NULL OR alone_until <= ?3)
                 AND NOT EXISTS (SELECT 1 FROM walk WHERE walk.feed = feed.key)
                 -- What ails one of the items that show it wants a read of its own.
                 AND NOT EXISTS (SELECT 1 FROM item WHERE item.feed = feed.key AND last_failure_code IS NOT NULL)
             GROUP BY feed.key"
        ))?
        .query_map(
            params![integration.as_str(), organization.as_str(), micros(at)],
            neighbour,
        )?
        .collect()
}

fn neighbour(row: &Row<'_>) -> Result<Neighbour, Error> {
    Ok(Neighbour {
        feed: FeedId::from_text(row.get::<_, String>("id")?),
        event: ExternalId::from_text(row.get::<_, String>("external_id")?),
        starts_at: optional_time(row, "starts_at")?,
        ends_at: optional_time(row, "ends_at")?,
        has_item: row.get("has_item")?,
        unreadable: count(row, "unreadable")?,
        reads: feed_reads(row)?,
    })
}

/// Asked every minute for every list of an organization: it must not sort them.
const NEWEST_CHANGES: &str = "
    SELECT updated_at FROM registration WHERE feed = (SELECT key FROM feed WHERE id = ?1) AND updated_at IS NOT NULL
    ORDER BY updated_at DESC LIMIT ?2";

pub(super) fn newest_changes(
    transaction: &Transaction<'_>,
    feeds: &[FeedId],
    limit: usize,
) -> Result<Vec<Timestamp>, Error> {
    let limit_of_sql = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = transaction.prepare_cached(NEWEST_CHANGES)?;
    let mut newest = Vec::new();
    for feed in feeds {
        let times = statement.query_map(params![feed.as_str(), limit_of_sql], |row| time(0, row.get(0)?))?;
        newest.extend(times.collect::<Result<Vec<Timestamp>, Error>>()?);
    }
    newest.sort_unstable_by(|one, other| other.cmp(one));
    newest.truncate(limit);
    Ok(newest)
}

pub(super) fn read_alone(
    transaction: &Transaction<'_>,
    feeds: &[FeedId],
    until: Timestamp,
) -> Result<(), Error> {
    let mut mark = transaction.prepare_cached("UPDATE feed SET alone_until = ?2 WHERE id = ?1")?;
    for feed in feeds {
        mark.execute(params![feed.as_str(), micros(until)])?;
    }
    Ok(())
}

pub(super) fn take_stock(transaction: &Transaction<'_>, feed: &FeedId) -> Result<Stocktaking, Error> {
    let mut stored = Headcount::default();
    let mut checked_in = 0;
    let mut statement = transaction.prepare_cached(
        "SELECT provider_status, count(*) AS there, sum(checked_in_at IS NOT NULL) AS checked_in
         FROM registration WHERE feed = (SELECT key FROM feed WHERE id = ?1) GROUP BY provider_status",
    )?;
    let mut rows = statement.query([feed.as_str()])?;
    while let Some(row) = rows.next()? {
        stored
            .by_status
            .insert(row.get("provider_status")?, count(row, "there")?);
        checked_in += count(row, "checked_in")?;
    }
    stored.checked_in = Some(checked_in);
    let tolerated: Option<Option<String>> = transaction
        .prepare_cached("SELECT tolerated_gap FROM feed WHERE id = ?1")?
        .query_row([feed.as_str()], |row| row.get(0))
        .optional()?;
    let tolerated = match tolerated.flatten() {
        None => Gap::default(),
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?,
    };
    Ok(Stocktaking { stored, tolerated })
}

#[cfg(test)]
mod tests {
    use super::NEWEST_CHANGES;
    use crate::store::{MIGRATIONS, migrate};

    #[test]
    fn the_newest_changes_of_a_list_are_found_without_looking_at_all_of_it() -> Result<(), rusqlite::Error> {
        let connection = migrate::empty(MIGRATIONS)?;
        let steps: Vec<String> = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {NEWEST_CHANGES}"))?
            .query_map(["feed-1", "50"], |row| row.get("detail"))?
            .collect::<Result<_, _>>()?;
        assert!(
            steps.iter().any(|step| step.contains("registration_by_change")),
            "{steps:?}"
        );
        assert!(!steps.iter().any(|step| step.contains("ORDER BY")), "{steps:?}");
        Ok(())
    }
}
