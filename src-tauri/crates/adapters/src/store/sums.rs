//! A checksum in every row, for the start that finds no seal: SQLite's own check finds torn structure there, but not a
//! flipped letter in a name or a flipped digit in a time.
//!
//! Every table has the generated column `sum`, which SQLite computes at each write by our function `cell_sum`. Whoever
//! only reads needs no function; whoever writes must have [`install`]ed it.

use super::migrate;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

const FUNCTION: &str = "cell_sum";

/// Makes `cell_sum` known to this connection.
pub(super) fn install(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        // The schema may use it although `trusted_schema` is off.
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(FUNCTION, -1, flags, |cells| {
        let mut sum = crc32fast::Hasher::new();
        for place in 0..cells.len() {
            add(&mut sum, cells.get_raw(place));
        }
        Ok(i64::from(sum.finalize()))
    })
}

/// Each cell with its kind and length, so that no two rows look alike by moving a letter over a border.
fn add(sum: &mut crc32fast::Hasher, cell: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match &cell {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_le_bytes()),
        ValueRef::Real(number) => (2, &number.to_le_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    sum.update(&[kind]);
    sum.update(&bytes.len().to_le_bytes());
    sum.update(bytes);
}

/// Whether the tables are those of the first `steps`, and every row is the one that was written.
pub(super) fn hold(connection: &Connection, steps: &[&str]) -> Result<bool, Error> {
    let tables = schema(connection)?;
    if tables != schema(&migrate::empty(steps)?)? {
        return Ok(false);
    }
    for (name, statement) in tables {
        let Some((_, rest)) = statement.split_once(FUNCTION) else {
            continue;
        };
        let Some((cells, _)) = rest.split_once(')') else {
            continue;
        };
        // Names and columns are those of our own steps.
        let flipped: bool = connection.query_row(
            &format!("SELECT EXISTS (SELECT 1 FROM \"{name}\" WHERE sum IS NOT {FUNCTION}{cells}))"),
            [],
            |row| row.get(0),
        )?;
        if flipped {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the file consists of, by name.
fn schema(connection: &Connection) -> Result<Vec<(String, String)>, Error> {
    connection
        .prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::MIGRATIONS;

    #[test]
    fn every_cell_of_every_table_is_summed() {
        let connection = migrate::empty(MIGRATIONS).unwrap();
        for (table, statement) in schema(&connection).unwrap() {
            if !statement.starts_with("CREATE TABLE") {
                continue;
            }
            let cells = statement
                .split_once(FUNCTION)
                .and_then(|(_, rest)| rest.strip_prefix('(')?.split_once(')'))
                .map(|(cells, _)| {
                    cells
                        .split(',')
                        .map(|cell| cell.trim().to_owned())
                        .collect::<Vec<_>>()
                });
            let columns: Vec<String> = connection
                .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")
                .unwrap()
                .query_map([&table], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert_eq!(
                cells,
                Some(columns),
                "{table}: a cell outside the sum could flip unseen"
            );
        }
    }

    #[test]
    fn no_two_rows_look_alike() {
        let sum = |cells: &[ValueRef<'_>]| {
            let mut sum = crc32fast::Hasher::new();
            for cell in cells {
                add(&mut sum, *cell);
            }
            sum.finalize()
        };
        let rows: [&[ValueRef<'_>]; 6] = [
            &[ValueRef::Text(b"ab"), ValueRef::Text(b"c")],
            &[ValueRef::Text(b"a"), ValueRef::Text(b"bc")],
            &[ValueRef::Null, ValueRef::Text(b"abc")],
            &[ValueRef::Text(b""), ValueRef::Text(b"abc")],
            &[ValueRef::Integer(7)],
            &[ValueRef::Real(7.0)],
        ];
        let sums: std::collections::HashSet<u32> = rows.iter().map(|row| sum(row)).collect();
        assert_eq!(
            sums.len(),
            rows.len(),
            "moved letters and other kinds are other rows"
        );
    }
}
