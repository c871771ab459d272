//! The copy of what no provider can tell again: which accounts are connected and which items exist. It stands beside
//! the data file, is replaced whole whenever those facts change, and is what a damaged data file is rebuilt from. It
//! holds no attendee and no credential.

use super::facts::micros;
use super::history::{Whose, note_statuses};
use super::items;
use crate::data_folder::DataFolder;
use jiff::Timestamp;
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Error, Params, Transaction, params, params_from_iter};
use serde_json::{Map, Value, json};
use std::{fs, io};
use talkvalue_core::domain::ids::{FeedId, ItemId};
use talkvalue_core::domain::item::ItemKind;

const NAME: &str = "talkvalue.lists.json";
const INTEGRATIONS: &str = "SELECT * FROM integration ORDER BY id";
const ITEMS: &str = "SELECT * FROM item ORDER BY created_at, id";
/// Columns that speak of attendees' reads, which begin anew in a rebuilt file, and of rows that it does not have.
const NOT_KEPT: [&str; 5] = [
    "feed",
    "last_failure_code",
    "last_failure_at",
    "last_failure_detail",
    "last_attempted_at",
];

pub(super) struct LocalFacts {
    integrations: Vec<Map<String, Value>>,
    items: Vec<Map<String, Value>>,
}

/// Brings the copy up to date with what `connection` sees. A copy that cannot be written is removed: an old one would
/// bring back what a person removed.
pub(super) fn refresh(folder: &DataFolder, connection: &Connection) -> Result<(), Error> {
    let facts =
        json!({ "integrations": rows(connection, INTEGRATIONS, [])?, "items": rows(connection, ITEMS, [])? });
    let text = with_sum(&facts.to_string());
    let path = folder.path().join(NAME);
    if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    if let Err(error) = folder.replace(NAME, text.as_bytes()) {
        tracing::warn!(%error, "the copy of accounts and lists could not be written");
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// The copy, if there is one that is whole.
pub(super) fn read(folder: &DataFolder) -> io::Result<Option<LocalFacts>> {
    match fs::read_to_string(folder.path().join(NAME)) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Option<LocalFacts> {
    let body = text.split_once('\n')?.1;
    if with_sum(body) != text {
        return None;
    }
    let mut facts: Map<String, Value> = serde_json::from_str(body).ok()?;
    let mut take =
        |name: &str| -> Option<Vec<Map<String, Value>>> { serde_json::from_value(facts.remove(name)?).ok() };
    Some(LocalFacts {
        integrations: take("integrations")?,
        items: take("items")?,
    })
}

fn with_sum(body: &str) -> String {
    format!("{:08x}\n{body}", crc32fast::hash(body.as_bytes()))
}

/// What the copy says of one item.
pub(super) fn of_item(connection: &Connection, id: &ItemId) -> Result<Vec<Value>, Error> {
    rows(connection, "SELECT * FROM item WHERE id = ?1", [id.as_str()])
}

fn rows(connection: &Connection, query: &str, parameters: impl Params) -> Result<Vec<Value>, Error> {
    let mut statement = connection.prepare_cached(query)?;
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    statement
        .query_map(parameters, |row| {
            let mut cells = Map::new();
            for (column, name) in names.iter().enumerate() {
                if NOT_KEPT.contains(&name.as_str()) {
                    continue;
                }
                let value = match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => number.into(),
                    ValueRef::Text(_) => row.get::<_, String>(column)?.into(),
                    ValueRef::Real(_) | ValueRef::Blob(_) => {
                        return Err(Error::InvalidColumnType(
                            column,
                            name.clone(),
                            row.get_ref(column)?.data_type(),
                        ));
                    }
                };
                cells.insert(name.clone(), value);
            }
            Ok(Value::Object(cells))
        })?
        .collect()
}

impl LocalFacts {
    pub(super) fn is_empty(&self) -> bool {
        self.integrations.is_empty() && self.items.is_empty()
    }

    /// Writes the facts into an empty database. Every list is due to be read from its beginning, also an archived one:
    /// its people stood only in the lost file, and a person must see that they are gone. Answers how many lists there are.
    pub(super) fn restore(&self, transaction: &Transaction<'_>, at: Timestamp) -> Result<usize, Error> {
        for row in &self.integrations {
            insert(transaction, "integration", row)?;
        }
        for row in &self.items {
            let kind = items::feed_kind(
                row.get("kind")
                    .and_then(Value::as_str)
                    .and_then(ItemKind::from_code),
            );
            let feed: i64 = transaction.query_row(
                "INSERT INTO feed (id, provider, api_origin, kind, external_id) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (provider, api_origin, kind, external_id) DO UPDATE SET kind = excluded.kind
                 RETURNING key",
                params![
                    FeedId::random().as_str(),
                    cell(row.get("provider")),
                    cell(row.get("api_origin")),
                    kind,
                    cell(row.get("external_id"))
                ],
                |row| row.get(0),
            )?;
            let mut row = row.clone();
            row.insert("feed".to_owned(), feed.into());
            row.insert("archived".to_owned(), 0.into());
            row.insert("last_failure_code".to_owned(), "INTERRUPTED".into());
            row.insert("last_failure_at".to_owned(), micros(at).into());
            insert(transaction, "item", &row)?;
        }
        note_statuses(transaction, Whose::Everybody, at)?;
        Ok(self.items.len())
    }
}

/// Inserts the cells whose columns the table has: an older copy may know others.
fn insert(transaction: &Transaction<'_>, table: &str, row: &Map<String, Value>) -> Result<(), Error> {
    let known: Vec<String> = transaction
        .prepare_cached("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |column| column.get(0))?
        .collect::<Result<_, Error>>()?;
    let columns: Vec<&str> = known
        .iter()
        .map(String::as_str)
        .filter(|name| row.contains_key(*name))
        .collect();
    let places = vec!["?"; columns.len()].join(", ");
    transaction
        .prepare_cached(&format!(
            "INSERT INTO {table} ({}) VALUES ({places})",
            columns.join(", ")
        ))?
        .execute(params_from_iter(columns.iter().map(|name| cell(row.get(*name)))))?;
    Ok(())
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        Some(Value::String(text)) => Cell::Text(text.clone()),
        Some(Value::Number(number)) => number.as_i64().map_or(Cell::Null, Cell::Integer),
        _ => Cell::Null,
    }
}
