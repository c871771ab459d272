//! The database file, read as it lies there: by SQL, beside or after the process that writes it.

use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;

/// Facts that hold in a database to which every page came whole or not at all; each counts what breaks it.
const TORN: [(&str, &str); 6] = [
    (
        "rows without their own line in the journal",
        "SELECT count(*) FROM registration WHERE (SELECT count(*) FROM change
           WHERE change.feed = registration.feed AND registration = external_id AND change = 'REGISTERED') <> 1",
    ),
    (
        "lines in the journal without their row",
        "SELECT count(*) FROM change WHERE NOT EXISTS (SELECT 1 FROM registration
           WHERE registration.feed = change.feed AND external_id = registration)",
    ),
    (
        "records listed and not there",
        "SELECT count(*) FROM listed
           WHERE NOT EXISTS (SELECT 1 FROM registration WHERE registration.feed = listed.feed AND external_id = record)
             AND NOT EXISTS (SELECT 1 FROM set_aside WHERE set_aside.feed = listed.feed AND set_aside.record = listed.record)",
    ),
    (
        "records listed by no walk",
        "SELECT count(*) FROM listed WHERE NOT EXISTS (SELECT 1 FROM walk WHERE walk.feed = listed.feed)",
    ),
    (
        "open jobs that count other pages than are there",
        // The closing pass lists who came meanwhile, and counts nobody again.
        "SELECT count(*) FROM job JOIN item ON item.id = item_id JOIN walk ON walk.feed = item.feed
         CROSS JOIN (SELECT feed, count(*) AS listed FROM listed GROUP BY feed) AS met ON met.feed = item.feed
         WHERE ended_at IS NULL AND done <> 0 AND (done > listed OR done < listed AND walk.next IS NOT NULL)",
    ),
    (
        "feeds that are complete without a job that completed them",
        "SELECT count(*) FROM feed WHERE last_synced_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job
           JOIN item ON item.id = item_id WHERE item.feed = feed.key AND end_code = 'COMPLETED')",
    ),
];

/// What one look at the database finds.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Every registration with its version.
    pub(super) rows: BTreeMap<(String, String), i64>,
    places: BTreeMap<String, Place>,
    attempted_at: i64,
    open_jobs: i64,
    wrong: Vec<String>,
}

/// How far the read of one feed has come.
#[derive(Debug, Default, Clone)]
pub(super) struct Place {
    feed: String,
    /// Pages of the walk in progress.
    stored: u64,
    /// Pages of the whole list, as it is stored.
    all: u64,
    /// Reads of everything that came to their end.
    complete: Option<i64>,
}

impl Place {
    /// How many pages were stored since then.
    pub(super) fn pages_since(&self, earlier: &Place) -> u64 {
        let earlier = if earlier.feed == self.feed {
            earlier.clone()
        } else {
            Place::default()
        };
        if self.complete == earlier.complete {
            self.stored.saturating_sub(earlier.stored)
        } else {
            self.all.saturating_sub(earlier.stored) + self.stored
        }
    }
}

impl Stored {
    pub(super) fn read(data_dir: &Path, rows_per_page: usize) -> Result<Self, rusqlite::Error> {
        let file = data_dir.join("talkvalue.sqlite3");
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        // One moment for all of it.
        connection.execute_batch("BEGIN")?;
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let mut stored = Self {
            attempted_at: count("SELECT coalesce(max(last_attempted_at), 0) FROM item")?,
            open_jobs: count("SELECT count(*) FROM job WHERE ended_at IS NULL")?,
            ..Self::default()
        };
        let mut rows = connection.prepare(
            "SELECT feed.id, registration.external_id, version FROM registration JOIN feed ON feed.key = feed",
        )?;
        let rows = rows.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        stored.rows = rows.collect::<Result<_, _>>()?;
        let mut places = connection.prepare(
            "SELECT external_id, id, reconciled_at, (SELECT count(*) FROM listed WHERE feed = key),
               (SELECT count(*) FROM registration WHERE feed = key) FROM feed",
        )?;
        let pages = |rows: i64| rows.unsigned_abs().div_ceil(rows_per_page as u64);
        let places = places.query_map([], |row| {
            let place = Place {
                feed: row.get(1)?,
                complete: row.get(2)?,
                stored: pages(row.get(3)?),
                all: pages(row.get(4)?),
            };
            Ok((row.get::<_, String>(0)?, place))
        })?;
        stored.places = places.collect::<Result<_, _>>()?;
        let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if verdict != "ok" {
            stored.wrong.push(verdict);
        }
        for (what, sql) in TORN {
            let torn = count(sql)?;
            if torn != 0 {
                stored.wrong.push(format!("{torn} {what}"));
            }
        }
        Ok(stored)
    }

    pub(super) fn is_whole(&self) -> Result<(), String> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        Err(format!("the database is torn: {}", self.wrong.join("; ")))
    }

    /// Whether all is still there that was there at an earlier look.
    pub(super) fn keeps(&self, earlier: &Stored) -> Result<(), String> {
        let lost = earlier
            .rows
            .iter()
            .filter(|(row, version)| self.rows.get(*row).is_none_or(|now| now < version));
        match lost.count() {
            0 => Ok(()),
            lost => Err(format!("{lost} rows that could be read before the kill are lost")),
        }
    }

    /// Whether jobs were begun since an earlier look, and all have ended.
    pub(super) fn is_idle_since(&self, earlier: &Stored) -> bool {
        self.attempted_at > earlier.attempted_at && self.open_jobs == 0
    }

    pub(super) fn place(&self, event: &str) -> Place {
        self.places.get(event).cloned().unwrap_or_default()
    }
}
