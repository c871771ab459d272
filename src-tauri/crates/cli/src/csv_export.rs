//! Attendees as CSV for spreadsheets. Names come from strangers: no cell may become a formula.

use crate::render::text::plain;
use csv::{QuoteStyle, Writer, WriterBuilder};
use std::io::{self, Write};
use talkvalue_core::domain::attendee::Attendee;

const COLUMNS: [&str; 13] = [
    "name",
    "email",
    "company",
    "ticketType",
    "status",
    "providerStatus",
    "checkedInAt",
    "orderId",
    "registeredAt",
    "updatedAt",
    "registrations",
    "externalId",
    "id",
];

/// Writes rows as they come; the header goes first, also when no row follows.
pub(crate) struct CsvExport<W: Write> {
    writer: Writer<W>,
    /// On a terminal control characters must not act; a file keeps every character.
    for_terminal: bool,
}

impl<W: Write> CsvExport<W> {
    pub(crate) fn begin(out: W, for_terminal: bool) -> io::Result<Self> {
        let mut out = out;
        writeln!(out, "{}", COLUMNS.join(","))?;
        // Every cell is quoted: where a spreadsheet splits at semicolons, a part of a name must not become a cell.
        let writer = WriterBuilder::new()
            .quote_style(QuoteStyle::Always)
            .from_writer(out);
        Ok(Self { writer, for_terminal })
    }

    pub(crate) fn write(&mut self, attendees: &[Attendee]) -> io::Result<()> {
        for attendee in attendees {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let time = |value: &Option<jiff::Timestamp>| value.map(|at| at.to_string()).unwrap_or_default();
            let cells: [String; COLUMNS.len()] = [
                text(&attendee.name),
                text(&attendee.email),
                text(&attendee.company),
                text(&attendee.ticket_type),
                attendee.status.code().to_owned(),
                attendee.provider_status.clone(),
                time(&attendee.checked_in_at),
                text(&attendee.order_id),
                time(&attendee.registered_at),
                time(&attendee.updated_at),
                attendee.registrations.to_string(),
                attendee.external_id.to_string(),
                attendee.id.to_string(),
            ];
            let cells = cells.map(|cell| self.cell(cell));
            self.writer.write_record(cells).map_err(cause)?;
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn cell(&self, text: String) -> String {
        disarmed(if self.for_terminal { plain(&text) } else { text })
    }
}

/// The write error itself: whether a pipe was closed must stay visible.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A leading `'` makes a spreadsheet take the cell as text. Blanks and invisible characters before a formula do not
/// hide it: some spreadsheets drop them.
fn disarmed(text: String) -> String {
    let starts_formula =
        |character: char| matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let first_seen = text.chars().find(|&character| {
        !character.is_whitespace() && !character.is_control() && !crate::render::text::is_invisible(character)
    });
    if text.starts_with(['\t', '\r', '\n']) || first_seen.is_some_and(starts_formula) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::attendees::tests::attendee;

    #[test]
    fn no_cell_becomes_a_formula() {
        let table = [
            ("=1+1", "'=1+1"),
            (
                "=HYPERLINK(\"https://x\",\"y\")",
                "'=HYPERLINK(\"https://x\",\"y\")",
            ),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+49 30 1234", "'+49 30 1234"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("\tAda", "'\tAda"),
            (" =1", "' =1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("\u{200b}@x", "'\u{200b}@x"),
            ("\u{0}=1", "'\u{0}=1"),
            ("＝1+1", "'＝1+1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠x", "'＠x"),
            ("'=1", "'=1"),
            ("Ada = Lovelace", "Ada = Lovelace"),
            ("a-b", "a-b"),
            ("", ""),
            (" ", " "),
        ];
        for (cell, expected) in table {
            assert_eq!(disarmed(cell.to_owned()), expected, "{cell:?}");
        }
    }

    fn exported(attendees: &[Attendee], for_terminal: bool) -> String {
        let mut out = Vec::new();
        let mut export = CsvExport::begin(&mut out, for_terminal).expect("memory takes everything");
        export.write(attendees).expect("memory takes everything");
        export.end().expect("memory takes everything");
        String::from_utf8(out).expect("we write text")
    }

    const HEADER: &str = "name,email,company,ticketType,status,providerStatus,checkedInAt,orderId,registeredAt,\
                          updatedAt,registrations,externalId,id\n";

    #[test]
    fn a_closed_pipe_is_known_as_one() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let many = vec![attendee(); 10_000];
        let error = CsvExport::begin(Closed, false)
            .and_then(|mut export| export.write(&many))
            .expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn an_empty_list_has_its_header() {
        assert_eq!(exported(&[], false), HEADER);
    }

    #[test]
    fn rows_are_quoted_and_disarmed() {
        let hostile = Attendee {
            name: Some("=1+1,\"x\"\n\u{1b}[2J".to_owned()),
            company: None,
            ..attendee()
        };
        let id = &hostile.id;
        let rest = format!(
            "\"ada@analytical.example\",\"\",\"General\",\"ATTENDING\",\"Checked In\",\"2026-11-23T13:55:00Z\",\"o1\",\
             \"2026-11-02T10:00:00Z\",\"\",\"1\",\"r1\",\"{id}\"\n"
        );
        assert_eq!(
            exported(std::slice::from_ref(&hostile), false),
            format!("{HEADER}\"'=1+1,\"\"x\"\"\n\u{1b}[2J\",{rest}")
        );
        assert_eq!(
            exported(std::slice::from_ref(&hostile), true),
            format!("{HEADER}\"'=1+1,\"\"x\"\" \u{fffd}[2J\",{rest}")
        );
    }
}
