//! Facts about the database for a support file: sizes and codes, no names, e-mails or titles.

use rusqlite::{Error, Transaction};
use serde_json::{Map, Value, json};

pub(super) fn collect(transaction: &Transaction<'_>) -> Result<Value, Error> {
    let mut rows = Map::new();
    for table in [
        "integration",
        "feed",
        "item",
        "job",
        "registration",
        "set_aside",
        "change",
    ] {
        let count: i64 =
            transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        rows.insert(table.to_owned(), count.into());
    }
    let jobs: Vec<Value> = transaction
        .prepare(
            "SELECT kind, end_code, failure_code, waiting_code, done, total, created_at, ended_at
             FROM job ORDER BY created_at DESC LIMIT 50",
        )?
        .query_map([], |row| {
            Ok(json!({
                "kind": row.get::<_, String>(0)?,
                "end": row.get::<_, Option<String>>(1)?,
                "failure": row.get::<_, Option<String>>(2)?,
                "waiting": row.get::<_, Option<String>>(3)?,
                "done": row.get::<_, i64>(4)?,
                "total": row.get::<_, Option<i64>>(5)?,
                "createdAtMicros": row.get::<_, i64>(6)?,
                "endedAtMicros": row.get::<_, Option<i64>>(7)?,
            }))
        })?
        .collect::<Result<_, Error>>()?;
    Ok(json!({
        "sqlite": rusqlite::version(),
        "schema": super::SCHEMA_VERSION,
        "rows": rows,
        "latestJobs": jobs,
    }))
}
