//! Commands that print lists of any length, batch by batch as they are read: attendees, history, held removals.

use crate::csv_export::CsvExport;
use crate::exit;
use crate::json;
use crate::render::attendees::AttendeeTable;
use crate::render::{history, items};
use crate::run::{Session, Stop, complain, for_people, for_programs};
use crate::terminal;
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;
use talkvalue_core::domain::freshness::{EngineView, Freshness};
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::error::CommandError;
use talkvalue_core::query;
use talkvalue_core::sync::removals::{self, Decision};

impl Session {
    pub(crate) async fn print_attendees(&self, id: &ItemId, csv: bool) -> Result<u8, Stop> {
        let mut rows = query::attendees(&self.ports, id).await?;
        // What fails at once is told instead of a list, not after its beginning.
        let mut batch = rows.next_batch().await?;
        if self.json {
            return stream("attendees", batch, async || rows.next_batch().await).await;
        }
        if csv {
            let item = query::item(&self.ports, id, EngineView::default()).await?;
            if (item.sync_status, item.freshness) != (SyncStatus::Active, Freshness::Live) {
                // The file itself cannot say how far it can be trusted.
                complain("note", &items::trust(&item, &self.page.reader));
            }
            let mut export = CsvExport::begin(for_programs(), terminal::stdout_is_terminal())?;
            while !batch.is_empty() {
                export.write(&batch)?;
                batch = rows.next_batch().await?;
            }
            export.end()?;
        } else {
            let item = query::item(&self.ports, id, EngineView::default()).await?;
            let mut out = for_people();
            let mut table = AttendeeTable::begin(&mut out, &item, &self.page)?;
            while !batch.is_empty() {
                table.write(&mut out, &batch)?;
                batch = rows.next_batch().await?;
            }
            out.flush()?;
        }
        Ok(exit::DONE)
    }

    pub(crate) async fn print_history(&self, id: &ItemId, since: Option<Timestamp>) -> Result<u8, Stop> {
        let mut entries = query::history::history(&self.ports, id, since).await?;
        let mut batch = entries.next_batch().await?;
        if self.json {
            return stream("history", batch, async || entries.next_batch().await).await;
        }
        let mut out = for_people();
        if batch.is_empty() {
            writeln!(out, "Nothing has happened in that time.")?;
        }
        while !batch.is_empty() {
            for entry in &batch {
                history::write(&mut out, entry, &self.page)?;
            }
            batch = entries.next_batch().await?;
        }
        out.flush()?;
        Ok(exit::DONE)
    }

    /// Decides about those whom it lists, and nobody else.
    pub(crate) async fn decide_removals(&self, id: &ItemId, decision: Decision) -> Result<(), Stop> {
        let held = removals::held_removals(&self.ports, id).await?;
        let item = removals::decide_removals(&self.ports, id, decision, &held.shown).await?;
        self.print(
            |out| json::document(out, &item),
            |out| {
                if !held.rows.is_empty() {
                    let mut table = AttendeeTable::begin(out, &item, &self.page)?;
                    table.write(out, &held.rows)?;
                    let done = match decision {
                        Decision::Accept => "marked as not attending",
                        Decision::Reject => "kept",
                    };
                    writeln!(out, "\nThese {} were {done}.\n", held.rows.len())?;
                }
                items::write_card(out, &item, &self.page)
            },
        )
    }

    pub(crate) async fn print_removals(&self, id: &ItemId) -> Result<u8, Stop> {
        let held = removals::held_removals(&self.ports, id).await?.rows;
        let item = query::item(&self.ports, id, EngineView::default()).await?;
        self.print(
            |out| json::list(out, "attendees", &held),
            |out| {
                if held.is_empty() {
                    return writeln!(out, "Nobody of this list is missing at {}.", item.provider.name());
                }
                let mut table = AttendeeTable::begin(out, &item, &self.page)?;
                table.write(out, &held)?;
                writeln!(
                    out,
                    "\n{}'s answer lacks these {}. They are still in your list.\n\n\
                     Next    tvsync sync {id}              reads the list again\n        \
                     tvsync removals {id} --reject  keeps them\n        \
                     tvsync removals {id} --accept  marks them as not attending",
                    item.provider.name(),
                    held.len()
                )
            },
        )?;
        Ok(exit::DONE)
    }
}

/// Prints a list as one JSON document while it is read. Where it breaks off, the document stays one and says so.
async fn stream<T: Serialize>(
    name: &'static str,
    mut batch: Vec<T>,
    mut next_batch: impl AsyncFnMut() -> Result<Vec<T>, CommandError>,
) -> Result<u8, Stop> {
    let mut out = for_programs();
    let mut list = json::List::begin(&mut out, name)?;
    while !batch.is_empty() {
        list.write(&mut out, &batch)?;
        batch = match next_batch().await {
            Ok(batch) => batch,
            Err(error) => {
                list.end_with_error(&mut out, &error)?;
                out.flush()?;
                return Ok(exit::exit_code(error.code));
            }
        };
    }
    list.end(&mut out)?;
    out.flush()?;
    Ok(exit::DONE)
}
