//! Turning columns into the core's facts and back. A stored word that the core does not know is a defect or damage:
//! it is reported, never guessed.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use talkvalue_core::domain::failure::{Failure, FailureCode};

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn time(column: usize, value: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(value).map_err(|error| bad(column, Type::Integer, error))
}

pub(super) fn optional_time(row: &Row<'_>, name: &str) -> Result<Option<Timestamp>, Error> {
    let column = row.as_ref().column_index(name)?;
    row.get::<_, Option<i64>>(column)?
        .map(|value| time(column, value))
        .transpose()
}

pub(super) fn required_time(row: &Row<'_>, name: &str) -> Result<Timestamp, Error> {
    let column = row.as_ref().column_index(name)?;
    time(column, row.get(column)?)
}

/// A word that must be one the core knows.
pub(super) fn word<T>(row: &Row<'_>, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let column = row.as_ref().column_index(name)?;
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| bad(column, Type::Text, UnknownWord))
}

pub(super) fn optional_word<T>(
    row: &Row<'_>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let column = row.as_ref().column_index(name)?;
    match row.get::<_, Option<String>>(column)? {
        None => Ok(None),
        Some(text) => parse(&text)
            .map(Some)
            .ok_or_else(|| bad(column, Type::Text, UnknownWord)),
    }
}

/// A failure kept in the columns `<prefix>_code`, `<prefix>_at`, `<prefix>_detail`.
pub(super) fn failure(row: &Row<'_>, prefix: &str) -> Result<Option<Failure>, Error> {
    let Some(code) = optional_word(row, &format!("{prefix}_code"), FailureCode::from_code)? else {
        return Ok(None);
    };
    Ok(Some(Failure {
        code,
        at: required_time(row, &format!("{prefix}_at"))?,
        detail: row.get(format!("{prefix}_detail").as_str())?,
    }))
}

pub(super) fn count(row: &Row<'_>, name: &str) -> Result<u64, Error> {
    Ok(u64::try_from(row.get::<_, Option<i64>>(name)?.unwrap_or(0)).unwrap_or(0))
}

fn bad(column: usize, kind: Type, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

#[derive(Debug, thiserror::Error)]
#[error("a stored word is not one this version knows")]
struct UnknownWord;
