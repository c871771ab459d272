//! The rows of one item as a table that is written as the rows come: a list of any length needs little memory. Widths
//! follow from the first rows.

use super::grid::{Cell, Column, Layout, layout};
use super::items::{as_of_and_since, badge};
use super::text::plain;
use super::{BOLD, DIM, PLAIN, Page, Tone, painted};
use std::io::{self, Write};
use talkvalue_core::domain::attendee::{Attendee, AttendeeStatus};
use talkvalue_core::domain::words::counted;
use talkvalue_core::query::ItemView;

const COLUMNS: [Column; 7] = [
    Column::left("NAME", 12, 0),
    Column::left("E-MAIL", 20, 1),
    Column::left("STATUS", 13, 0),
    Column::left("CHECKED IN", 10, 2),
    Column::left("TICKET", 10, 3),
    Column::left("COMPANY", 10, 5),
    Column::left("REGISTERED", 10, 4),
];

/// The longest that may follow in the columns whose words we know: later rows must find room.
const LONGEST: [&str; 7] = [
    "",
    "",
    "Not attending",
    "yesterday 18:40",
    "",
    "",
    "yesterday 18:40",
];

/// Writes the heading, then batch by batch.
pub(crate) struct AttendeeTable {
    layout: Option<Layout>,
    page: Page,
}

impl AttendeeTable {
    /// Says first how far the list can be trusted.
    pub(crate) fn begin(out: &mut dyn Write, item: &ItemView, page: &Page) -> io::Result<Self> {
        let badge = badge(item);
        let rows = if item.kind.shows_people() {
            counted(item.counts.total, "person", "people")
        } else {
            counted(item.counts.total, "registration", "registrations")
        };
        let mark = match item.last_synced_at {
            Some(_) => format!("as of {}", as_of_and_since(item, &page.reader)),
            None => "the list is not complete".to_owned(),
        };
        writeln!(out, "{}", painted(&plain(&item.title), BOLD))?;
        writeln!(
            out,
            "{} · {mark} · {rows}",
            painted(&format!("{} {}", badge.symbol, badge.word), badge.tone.style())
        )?;
        Ok(Self {
            layout: None,
            page: page.clone(),
        })
    }

    pub(crate) fn write(&mut self, out: &mut dyn Write, attendees: &[Attendee]) -> io::Result<()> {
        let rows: Vec<Vec<Cell>> = attendees.iter().map(|attendee| self.row(attendee)).collect();
        let chosen = match self.layout.take() {
            Some(chosen) => chosen,
            None => {
                let mut measured = rows.clone();
                measured.push(Vec::from(LONGEST.map(Cell::from)));
                // Where not even name and status fit, lines run over.
                let Some(chosen) = layout(&COLUMNS, &measured, self.page.width)
                    .or_else(|| layout(&COLUMNS, &measured, None))
                else {
                    return Ok(());
                };
                writeln!(out)?;
                chosen.write_headings(out, &COLUMNS)?;
                chosen
            }
        };
        for row in &rows {
            chosen.write_row(out, row)?;
        }
        self.layout = Some(chosen);
        Ok(())
    }

    fn row(&self, attendee: &Attendee) -> Vec<Cell> {
        let optional = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
        let moment =
            |at: &Option<jiff::Timestamp>| at.map(|at| self.page.reader.moment(at)).unwrap_or_default();
        let (status, style) = match attendee.status {
            AttendeeStatus::Attending => ("Attending", PLAIN),
            AttendeeStatus::Awaiting => ("Awaiting", Tone::Trouble.style()),
            AttendeeStatus::NotAttending => ("Not attending", DIM),
        };
        let name = match optional(&attendee.name) {
            name if name.is_empty() => Cell::new("–", DIM),
            name => name.into(),
        };
        vec![
            name,
            optional(&attendee.email).into(),
            Cell::new(status, style),
            moment(&attendee.checked_in_at).into(),
            optional(&attendee.ticket_type).into(),
            optional(&attendee.company).into(),
            moment(&attendee.registered_at).into(),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::samples::{at, live_item, page};
    use super::*;
    use talkvalue_core::domain::ids::{AttendeeId, RegistrationId};

    pub(crate) fn attendee() -> Attendee {
        Attendee {
            id: AttendeeId::of(&live_item().id, "r1"),
            external_id: RegistrationId::from_text("r1"),
            name: Some("Ada Lovelace".to_owned()),
            email: Some("ada@analytical.example".to_owned()),
            company: Some("Analytical".to_owned()),
            ticket_type: Some("General".to_owned()),
            status: AttendeeStatus::Attending,
            provider_status: "Checked In".to_owned(),
            checked_in_at: Some(at("2026-11-23T13:55:00Z")),
            order_id: Some("o1".to_owned()),
            registered_at: Some(at("2026-11-02T10:00:00Z")),
            updated_at: None,
            registrations: 1,
        }
    }

    fn printed(width: Option<usize>) -> String {
        let hostile = Attendee {
            name: Some("山田\u{1b}[1m\n太郎".to_owned()),
            email: None,
            status: AttendeeStatus::NotAttending,
            checked_in_at: None,
            ..attendee()
        };
        let mut out = Vec::new();
        let mut table = AttendeeTable::begin(&mut out, &live_item(), &page(width)).expect("memory");
        table.write(&mut out, &[attendee()]).expect("memory");
        table.write(&mut out, &[hostile]).expect("memory");
        let text = String::from_utf8(out).expect("we write text");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn rows_keep_their_columns_from_batch_to_batch() {
        assert_eq!(
            printed(None),
            "Harbour Makers Night\n\
             ✓ Syncing · as of 14:00 (2 min ago) · 1,431 registrations\n\
             \n\
             NAME          E-MAIL                  STATUS         CHECKED IN       TICKET   COMPANY     REGISTERED\n\
             Ada Lovelace  ada@analytical.example  Attending      13:55            General  Analytical  2 Nov\n\
             山田\u{fffd}[1m 太郎                          Not attending                   General  Analytical  2 Nov\n"
        );
    }

    #[test]
    fn narrow_leaves_the_lesser_columns_out() {
        let text = printed(Some(60));
        assert!(text.contains("E-MAIL"), "{text}");
        assert!(!text.contains("COMPANY"), "{text}");
        assert!(
            text.lines().all(|line| super::super::text::width(line) <= 60),
            "{text}"
        );
    }
}
