//! Turning columns into the core's facts and back. A stored word that the core does not know is a defect or damage:
//! it is reported, never guessed.

use jiff::Timestamp;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Error, Row, Statement};
use std::collections::HashMap;
use talkvalue_core::domain::failure::{Failure, FailureCode};
use talkvalue_core::ports::FeedReads;

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A row whose columns are found by name. SQLite is asked for the names once per statement: asking for each cell costs
/// more than reading it.
pub(super) struct Cells<'a, 'row> {
    row: &'a Row<'row>,
    names: &'a Names,
}

/// The columns of a statement.
pub(super) struct Names(HashMap<String, usize>);

impl Names {
    pub(super) fn of(statement: &Statement<'_>) -> Self {
        let names = statement.column_names();
        // Of two columns of one name the first counts, as everywhere.
        let places = names.into_iter().enumerate().rev();
        Self(places.map(|(place, name)| (name.to_owned(), place)).collect())
    }
}

impl<'a, 'row> Cells<'a, 'row> {
    pub(super) fn of(row: &'a Row<'row>, names: &'a Names) -> Self {
        Self { row, names }
    }
}

/// Where a named column stands, and what stands in it.
pub(super) trait Columns {
    fn place(&self, name: &str) -> Result<usize, Error>;
    fn at<T: FromSql>(&self, column: usize) -> Result<T, Error>;

    fn cell<T: FromSql>(&self, name: &str) -> Result<T, Error> {
        self.at(self.place(name)?)
    }
}

impl Columns for Row<'_> {
    fn place(&self, name: &str) -> Result<usize, Error> {
        self.as_ref().column_index(name)
    }

    fn at<T: FromSql>(&self, column: usize) -> Result<T, Error> {
        self.get(column)
    }
}

impl Columns for Cells<'_, '_> {
    fn place(&self, name: &str) -> Result<usize, Error> {
        let place = self.names.0.get(name).copied();
        place.ok_or_else(|| Error::InvalidColumnName(name.to_owned()))
    }

    fn at<T: FromSql>(&self, column: usize) -> Result<T, Error> {
        self.row.get(column)
    }
}

pub(super) fn time(column: usize, value: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(value).map_err(|error| bad(column, Type::Integer, error))
}

pub(super) fn optional_time(row: &impl Columns, name: &str) -> Result<Option<Timestamp>, Error> {
    let column = row.place(name)?;
    row.at::<Option<i64>>(column)?
        .map(|value| time(column, value))
        .transpose()
}

pub(super) fn required_time(row: &impl Columns, name: &str) -> Result<Timestamp, Error> {
    let column = row.place(name)?;
    time(column, row.at(column)?)
}

/// A word that must be one the core knows.
pub(super) fn word<T>(row: &impl Columns, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let column = row.place(name)?;
    let text: String = row.at(column)?;
    parse(&text).ok_or_else(|| bad(column, Type::Text, UnknownWord))
}

pub(super) fn optional_word<T>(
    row: &impl Columns,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let column = row.place(name)?;
    match row.at::<Option<String>>(column)? {
        None => Ok(None),
        Some(text) => parse(&text)
            .map(Some)
            .ok_or_else(|| bad(column, Type::Text, UnknownWord)),
    }
}

/// A failure kept in the columns `<prefix>_code`, `<prefix>_at`, `<prefix>_detail`.
pub(super) fn failure(row: &impl Columns, prefix: &str) -> Result<Option<Failure>, Error> {
    let Some(code) = optional_word(row, &format!("{prefix}_code"), FailureCode::from_code)? else {
        return Ok(None);
    };
    Ok(Some(Failure {
        code,
        at: required_time(row, &format!("{prefix}_at"))?,
        detail: row.cell(&format!("{prefix}_detail"))?,
    }))
}

/// What is known of earlier reads, from the columns of a feed.
pub(super) fn feed_reads(row: &impl Columns) -> Result<FeedReads, Error> {
    Ok(FeedReads {
        watermark: optional_time(row, "watermark")?,
        reconciled_at: optional_time(row, "reconciled_at")?,
        described_at: optional_time(row, "described_at")?,
        checked_at: optional_time(row, "checked_at")?,
        looked_at: optional_time(row, "looked_at")?,
        walk_pages: row.cell::<Option<i64>>("walk_pages")?.map(i64::unsigned_abs),
        misses_some: row.cell("misses_some")?,
        holds_some: row.cell("holds_some")?,
    })
}

pub(super) fn count(row: &impl Columns, name: &str) -> Result<u64, Error> {
    Ok(u64::try_from(row.cell::<Option<i64>>(name)?.unwrap_or(0)).unwrap_or(0))
}

fn bad(column: usize, kind: Type, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

#[derive(Debug, thiserror::Error)]
#[error("a stored word is not one this version knows")]
struct UnknownWord;
