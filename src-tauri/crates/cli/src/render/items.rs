//! The list of items: a table where it fits, two lines an item on a narrow terminal.

use super::grid::{Cell, Column, write_table};
use super::text::{self, plain, shorten};
use super::{BOLD, Badge, DIM, Page, Tone, moments, painted};
use std::io::{self, Write};
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::Freshness;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::domain::words::{Reader, counted, number};
use talkvalue_core::query::ItemView;

/// The one word of an item, with its symbol. The green one only for ACTIVE and LIVE.
pub(crate) fn badge(item: &ItemView) -> Badge {
    if item.archived {
        return Badge::new(Tone::Quiet, "Archived");
    }
    match (item.sync_status, item.alert) {
        (SyncStatus::Disconnected, _) => Badge::new(Tone::Severed, "Disconnected"),
        (_, Some(Alert::ImportFailed)) => {
            let stopped = item
                .failure
                .as_ref()
                .is_some_and(|failure| failure.code == FailureCode::ImportCancelled);
            Badge::new(
                Tone::Trouble,
                if stopped {
                    "Import stopped"
                } else {
                    "Import failed"
                },
            )
        }
        (SyncStatus::Failed, _) => Badge::new(Tone::Trouble, "Sync failed"),
        (SyncStatus::Pending, _) => pending(item),
        (SyncStatus::Active, _) if item.held_removals > 0 => Badge::new(
            Tone::Trouble,
            format!("Check {}", counted(item.held_removals, "removal", "removals")),
        ),
        (SyncStatus::Active, _) => match item.freshness {
            Freshness::Live => Badge::new(Tone::Good, "Syncing"),
            Freshness::Checking => Badge::new(Tone::Quiet, "Checking"),
            Freshness::Offline => Badge::new(Tone::Quiet, "Offline"),
            Freshness::Paused => Badge::new(Tone::Quiet, "Paused"),
            Freshness::Stale => Badge::new(Tone::Quiet, "Not confirmed"),
            Freshness::Ended => Badge::new(Tone::Quiet, "Event over"),
        },
    }
}

fn pending(item: &ItemView) -> Badge {
    let progress = match &item.active_job {
        None => return Badge::new(Tone::Working, "Importing"),
        Some(_) if item.last_synced_at.is_some() => "Catching up".to_owned(),
        Some(job) => match job.total {
            Some(total) if total >= job.done => {
                format!("Importing {} of {}", number(job.done), number(total))
            }
            _ => format!("Importing, {} so far", number(job.done)),
        },
    };
    match item.freshness {
        Freshness::Offline | Freshness::Paused => Badge::new(Tone::Quiet, format!("Paused · {progress}")),
        _ => Badge::new(Tone::Working, progress),
    }
}

/// "412 attending" for registrations, "88 people" for people.
pub(crate) fn who(item: &ItemView) -> String {
    if item.kind.shows_people() {
        counted(item.counts.total, "person", "people")
    } else {
        format!("{} attending", number(item.counts.attending))
    }
}

/// What the list is as of; never silent about a list that was never read to its end.
pub(crate) fn as_of(item: &ItemView, reader: &Reader) -> String {
    match item.last_synced_at {
        Some(at) => moments::as_of(at, reader),
        None => "not complete".to_owned(),
    }
}

/// The same, and who was met since: "14:02, 3 new since".
pub(crate) fn as_of_and_since(item: &ItemView, reader: &Reader) -> String {
    let as_of = as_of(item, reader);
    match item.new_since {
        0 => as_of,
        new => format!("{as_of}, {} new since", number(new)),
    }
}

/// "Sync failed · as of 11:45 (2 h ago)": what stands beside a list.
pub(crate) fn trust(item: &ItemView, reader: &Reader) -> String {
    let badge = badge(item);
    match item.last_synced_at {
        Some(at) => format!("{} · as of {}", badge.word, moments::as_of(at, reader)),
        None => format!("{} · the list is not complete", badge.word),
    }
}

pub(crate) fn starts(item: &ItemView, reader: &Reader) -> String {
    if item.kind == ItemKind::PathChannel {
        return "ongoing".to_owned();
    }
    moments::starts(item.starts_at, item.ends_at, reader)
}

const COLUMNS: [Column; 8] = [
    Column::left("STATUS", 27, 0),
    Column::left("EVENT", 20, 0),
    Column::left("KIND", 11, 0),
    Column::left("PROVIDER", 10, 1),
    Column::right("PEOPLE", 16, 0),
    Column::left("AS OF", 26, 0),
    Column::left("STARTS", 16, 0),
    Column::left("ITEM", 17, 0),
];

pub(crate) fn write(out: &mut dyn Write, items: &[ItemView], page: &Page) -> io::Result<()> {
    if items.is_empty() {
        writeln!(out, "Nothing is kept here yet. First steps:")?;
        writeln!(
            out,
            "  tvsync connect eventbrite --token-stdin    (or: connect luma --key-stdin)"
        )?;
        writeln!(
            out,
            "  tvsync integrations, candidates, import    `tvsync --help` shows the way"
        )?;
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = items.iter().map(|item| row(item, page)).collect();
    if !write_table(out, &COLUMNS, &rows, page.width)? {
        for item in items {
            write_card(out, item, page)?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{}", painted(&summary(items), DIM))
}

fn row(item: &ItemView, page: &Page) -> Vec<Cell> {
    vec![
        badge(item).cell(),
        plain(&item.title).into(),
        item.kind.name().into(),
        item.provider.name().into(),
        who(item).into(),
        as_of(item, &page.reader).into(),
        starts(item, &page.reader).into(),
        Cell::new(item.id.as_str(), DIM),
    ]
}

/// One item in a few lines: status, name and start, then the rest below the name.
pub(crate) fn write_card(out: &mut dyn Write, item: &ItemView, page: &Page) -> io::Result<()> {
    let width = page.text_width();
    let (badge, when, title) = (badge(item), starts(item, &page.reader), plain(&item.title));
    let state = format!("{:<14}", format!("{} {}", badge.symbol, badge.word));
    let painted_state = painted(&state, badge.tone.style());
    let used = text::width(&state) + text::width(&when) + 4;
    let rest = width.saturating_sub(used);
    if rest >= text::width(&title).min(16) {
        let title = shorten(&title, rest);
        let gap = width - used - text::width(&title) + 2;
        writeln!(out, "{painted_state}  {}{:gap$}{when}", painted(&title, BOLD), "")?;
    } else {
        writeln!(out, "{painted_state}  {when}")?;
        writeln!(
            out,
            "  {}",
            painted(&shorten(&title, width.saturating_sub(2)), BOLD)
        )?;
    }
    let facts = [
        format!("{} · {}", item.kind.name(), item.provider.name()),
        who(item),
        match item.last_synced_at {
            Some(_) => format!("as of {}", as_of(item, &page.reader)),
            None => as_of(item, &page.reader),
        },
        item.id.to_string(),
    ];
    let indent = if width < 60 { 2 } else { 16 };
    let mut line = String::new();
    for fact in facts {
        if !line.is_empty() && indent + text::width(&line) + text::width(&fact) + 3 > width {
            writeln!(out, "{:indent$}{}", "", painted(&line, DIM))?;
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(" · ");
        }
        line.push_str(&fact);
    }
    writeln!(out, "{:indent$}{}", "", painted(&line, DIM))
}

/// "17 items: 2 need you · 1 importing · 13 live · 1 not confirmed".
fn summary(items: &[ItemView]) -> String {
    let mut parts = Vec::new();
    let tones = [
        (&[Tone::Severed, Tone::Trouble][..], "need you", "needs you"),
        (&[Tone::Working], "at work", "at work"),
        (&[Tone::Good], "live", "live"),
        (&[Tone::Quiet], "not live", "not live"),
    ];
    for (tones, many, one) in tones {
        let count = items
            .iter()
            .filter(|item| tones.contains(&badge(item).tone))
            .count();
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    format!(
        "{}: {}",
        counted(items.len() as u64, "item", "items"),
        parts.join(" · ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{failure, live_item, page};
    use super::*;
    use talkvalue_core::domain::ids::JobId;
    use talkvalue_core::domain::job::JobKind;
    use talkvalue_core::query::JobView;

    fn printed(items: &[ItemView], width: Option<usize>) -> String {
        let mut out = Vec::new();
        write(&mut out, items, &page(width)).expect("memory takes everything");
        let text = String::from_utf8(out).expect("we write text");
        anstream::adapter::strip_str(&text).to_string()
    }

    fn importing(done: u64, total: Option<u64>) -> ItemView {
        ItemView {
            sync_status: SyncStatus::Pending,
            freshness: Freshness::Checking,
            last_synced_at: None,
            new_since: 0,
            active_job: Some(JobView {
                id: JobId::from_text("job-1"),
                kind: JobKind::Import,
                done,
                total,
            }),
            ..live_item()
        }
    }

    #[test]
    fn only_active_and_live_is_green() {
        const STATUSES: [SyncStatus; 4] = [
            SyncStatus::Pending,
            SyncStatus::Active,
            SyncStatus::Failed,
            SyncStatus::Disconnected,
        ];
        const FRESHNESSES: [Freshness; 6] = [
            Freshness::Live,
            Freshness::Checking,
            Freshness::Offline,
            Freshness::Paused,
            Freshness::Stale,
            Freshness::Ended,
        ];
        for sync_status in STATUSES {
            for freshness in FRESHNESSES {
                for archived in [false, true] {
                    let item = ItemView {
                        sync_status,
                        freshness,
                        archived,
                        ..live_item()
                    };
                    let expected =
                        sync_status == SyncStatus::Active && freshness == Freshness::Live && !archived;
                    let badge = badge(&item);
                    assert_eq!(
                        badge.tone == Tone::Good,
                        expected,
                        "{sync_status:?} {freshness:?} {archived}"
                    );
                    assert_eq!(badge.word == "Syncing", expected, "the word goes with the colour");
                    assert_eq!(badge.symbol == '✓', expected, "the symbol goes with the colour");
                }
            }
        }
    }

    #[test]
    fn pending_items_say_how_far_they_are() {
        let table = [
            (importing(1_240, Some(3_000)), "Importing 1,240 of 3,000"),
            (importing(1_240, None), "Importing, 1,240 so far"),
            (importing(3_001, Some(3_000)), "Importing, 3,001 so far"),
            (
                ItemView {
                    last_synced_at: live_item().last_synced_at,
                    ..importing(5, Some(10))
                },
                "Catching up",
            ),
            (
                ItemView {
                    freshness: Freshness::Paused,
                    ..importing(5, Some(10))
                },
                "Paused · Importing 5 of 10",
            ),
            (
                ItemView {
                    active_job: None,
                    alert: Some(Alert::ImportFailed),
                    failure: failure(FailureCode::Interrupted),
                    ..importing(5, Some(10))
                },
                "Import failed",
            ),
            (
                ItemView {
                    active_job: None,
                    alert: Some(Alert::ImportFailed),
                    failure: failure(FailureCode::ImportCancelled),
                    ..importing(5, Some(10))
                },
                "Import stopped",
            ),
        ];
        for (item, expected) in table {
            assert_eq!(badge(&item).word, expected);
        }
    }

    #[test]
    fn a_pipe_gets_one_line_an_item() {
        let disconnected = ItemView {
            title: "Spring\n\u{1b}[2JRepair \u{202e}Cafe".to_owned(),
            kind: ItemKind::PathEvent,
            sync_status: SyncStatus::Disconnected,
            ..live_item()
        };
        assert_eq!(
            printed(&[disconnected, live_item()], None),
            "STATUS          EVENT                   KIND         PROVIDER             PEOPLE  AS OF              STARTS  ITEM\n\
             ⛓ Disconnected  Spring \u{fffd}[2JRepair Cafe  Path event   Eventbrite     1,431 people  14:00 (2 min ago)  in 3 h  item-0a1b2c3d4e5f\n\
             ✓ Syncing       Harbour Makers Night    Badge event  Eventbrite  1,412 attending  14:00 (2 min ago)  in 3 h  item-0a1b2c3d4e5f\n\
             \n\
             2 items: 1 needs you · 1 live\n"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_cards_that_fit() {
        let text = printed(&[live_item(), importing(1_240, Some(3_000))], Some(60));
        assert_eq!(
            text,
            "✓ Syncing       Harbour Makers Night                  in 3 h\n\
             \x20               Badge event · Eventbrite · 1,412 attending\n\
             \x20               as of 14:00 (2 min ago) · item-0a1b2c3d4e5f\n\
             ↻ Importing 1,240 of 3,000  Harbour Makers Night      in 3 h\n\
             \x20               Badge event · Eventbrite · 1,412 attending\n\
             \x20               not complete · item-0a1b2c3d4e5f\n\
             \n\
             2 items: 1 at work · 1 live\n"
        );
        assert!(text.lines().all(|line| text::width(line) <= 60));
    }
}
