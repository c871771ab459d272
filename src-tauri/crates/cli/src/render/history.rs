//! What happened to an item, a line each: when, to whom, what, before and after.

use super::text::plain;
use super::{BOLD, DIM, Page, painted};
use serde_json::{Map, Value};
use std::io::{self, Write};
use talkvalue_core::query::history::{HistoryEntry, HistoryKind};

/// The fields of a registration that a person knows, in the order in which they are told.
const FIELDS: [(&str, &str); 8] = [
    ("name", "name"),
    ("email", "e-mail"),
    ("company", "company"),
    ("ticketType", "ticket"),
    ("status", "status"),
    ("checkedInAt", "checked in"),
    ("tickets", "tickets"),
    ("providerStatus", "provider's word"),
];

pub(crate) fn write(out: &mut dyn Write, entry: &HistoryEntry, page: &Page) -> io::Result<()> {
    let moment = page.reader.moment(entry.at);
    let what = match entry.kind {
        HistoryKind::Attendee => {
            let name = plain(entry.name.as_deref().unwrap_or("Somebody"));
            format!("{}  {}", painted(&name, BOLD), change(entry))
        }
        HistoryKind::Status => format!("Status {}{}", spoken(entry.change), because(entry)),
        HistoryKind::Job => format!("{} {}{}", spoken_job(entry.change), end(entry), because(entry)),
        HistoryKind::Credential => format!("Credential {}{}", spoken(entry.change), because(entry)),
    };
    writeln!(out, "{}  {what}", painted(&format!("{moment:>15}"), DIM))
}

fn change(entry: &HistoryEntry) -> String {
    let word = match entry.change {
        "REGISTERED" => "registered",
        "CANCELLED" => "no longer attends",
        "RESTORED" => "attends again",
        "CHECKED_IN" => "checked in",
        "CHECK_IN_UNDONE" => "check-in undone",
        _ => "changed",
    };
    let empty = Map::new();
    let (before, after) = (
        entry.before.as_object().unwrap_or(&empty),
        entry.after.as_object().unwrap_or(&empty),
    );
    let details: Vec<String> = FIELDS
        .iter()
        .filter(|(field, _)| before.contains_key(*field) || after.contains_key(*field))
        .map(|(field, label)| {
            format!(
                "{label}: {} → {}",
                told(before.get(*field)),
                told(after.get(*field))
            )
        })
        .collect();
    if details.is_empty() {
        word.to_owned()
    } else {
        format!("{word}  {}", painted(&details.join(", "), DIM))
    }
}

fn told(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => plain(text),
        Some(other) => other.to_string(),
    }
}

fn spoken(code: &str) -> String {
    code.to_lowercase().replace('_', " ")
}

fn spoken_job(kind: &str) -> &'static str {
    match kind {
        "IMPORT" => "Import",
        "RETRY" => "Retry",
        "RECONNECT" => "Reconnect",
        _ => "Sync",
    }
}

fn end(entry: &HistoryEntry) -> String {
    let number = |name: &str| entry.after.get(name).and_then(Value::as_u64).unwrap_or(0);
    let end = entry.after.get("end").and_then(Value::as_str);
    let end = end.map_or_else(|| "under way".to_owned(), spoken);
    format!("{end}: {} read, {} changed", number("done"), number("changes"))
}

fn because(entry: &HistoryEntry) -> String {
    entry
        .cause
        .map_or_else(String::new, |cause| format!(" ({cause})"))
}
