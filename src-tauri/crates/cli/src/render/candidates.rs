//! What an account offers for import, with the ids to copy and what is here already.

use super::grid::{Cell, Column, write_table};
use super::text::plain;
use super::{DIM, Page, moments, painted};
use std::io::{self, Write};
use talkvalue_core::connect::Candidate;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::item::ItemKind;

const COLUMNS: [Column; 4] = [
    Column::left("EVENT", 20, 0),
    Column::left("STARTS", 12, 2),
    Column::left("IMPORTED AS", 11, 1),
    Column::left("EXTERNAL", 12, 0),
];

pub(crate) fn write(
    out: &mut dyn Write,
    candidates: &[Candidate],
    integration: &IntegrationId,
    page: &Page,
) -> io::Result<()> {
    let Some(first) = candidates.first() else {
        return writeln!(out, "This account has no events.");
    };
    // An id is useless when cut: its column never shrinks.
    let mut columns = COLUMNS;
    let widest = |candidate: &Candidate| super::text::width(candidate.external_id.as_str());
    columns[3].least = candidates.iter().map(widest).max().unwrap_or(0);
    let rows: Vec<Vec<Cell>> = candidates
        .iter()
        .map(|candidate| {
            vec![
                title(candidate).into(),
                moments::starts(candidate.starts_at, None, &page.reader).into(),
                Cell::new(imported_as(candidate), DIM),
                plain(candidate.external_id.as_str()).into(),
            ]
        })
        .collect();
    if !write_table(out, &columns, &rows, page.width)? {
        for candidate in candidates {
            writeln!(out, "{}", title(candidate))?;
            writeln!(out, "  {}", plain(candidate.external_id.as_str()))?;
        }
    }
    writeln!(out)?;
    let next = candidates
        .iter()
        .find(|it| it.imported_as.is_empty())
        .unwrap_or(first);
    // What stands for all events is imported as nothing else.
    let kind = if next.kinds.contains(&ItemKind::BadgeEvent) {
        "badge-event"
    } else {
        "path-channel"
    };
    let example = format!(
        "tvsync import {integration} {} --as {kind}",
        plain(next.external_id.as_str())
    );
    writeln!(out, "{} {example}", painted("Import one:", DIM))
}

fn title(candidate: &Candidate) -> String {
    match plain(&candidate.title) {
        title if title.is_empty() => "(no title)".to_owned(),
        title => title,
    }
}

fn imported_as(candidate: &Candidate) -> String {
    let names: Vec<String> = candidate
        .imported_as
        .iter()
        .map(|imported| format!("{} {}", imported.kind.name(), imported.item_id))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, page};
    use super::*;
    use talkvalue_core::connect::ImportedAs;
    use talkvalue_core::domain::ids::{ExternalId, ItemId};

    fn printed(width: Option<usize>) -> String {
        let candidate = |id: &str, title: &str| Candidate {
            external_id: ExternalId::from_text(id),
            title: title.to_owned(),
            starts_at: Some(at("2026-12-05T10:00:00Z")),
            kinds: vec![ItemKind::BadgeEvent, ItemKind::PathEvent],
            imported_as: Vec::new(),
        };
        let imported = Candidate {
            imported_as: vec![ImportedAs {
                kind: ItemKind::BadgeEvent,
                item_id: ItemId::from_text("item-0a1b2c3d4e5f"),
            }],
            ..candidate("1001", "Autumn Summit")
        };
        let mut out = Vec::new();
        let id = IntegrationId::from_text("int-001122334455");
        write(
            &mut out,
            &[imported, candidate("1002", "\u{202e}\n")],
            &id,
            &page(width),
        )
        .expect("memory takes everything");
        let text = String::from_utf8(out).expect("we write text");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn candidates_show_ids_and_what_is_imported() {
        assert_eq!(
            printed(Some(100)),
            "EVENT          STARTS      IMPORTED AS                    EXTERNAL\n\
             Autumn Summit  in 12 days  Badge event item-0a1b2c3d4e5f  1001\n\
             (no title)     in 12 days                                 1002\n\
             \n\
             Import one: tvsync import int-001122334455 1002 --as badge-event\n"
        );
    }

    #[test]
    fn an_account_without_events_is_offered_as_a_whole() {
        let mut out = Vec::new();
        let id = IntegrationId::from_text("int-001122334455");
        let everybody = Candidate {
            external_id: ExternalId::from_text("cal-1"),
            title: "Harbour Makers".to_owned(),
            starts_at: None,
            kinds: vec![ItemKind::PathChannel],
            imported_as: Vec::new(),
        };
        write(&mut out, &[everybody], &id, &page(None)).expect("memory takes everything");
        let text = String::from_utf8(out).expect("we write text");
        assert!(
            text.contains("int-001122334455 cal-1 --as path-channel"),
            "{text}"
        );
    }

    #[test]
    fn narrow_keeps_event_and_id() {
        let text = printed(Some(40));
        assert!(text.starts_with("EVENT"), "{text}");
        assert!(text.contains("1002"), "{text}");
    }
}
