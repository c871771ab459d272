//! Tables: columns that know how far they may shrink and which of them goes first when a terminal is narrow. Widths are
//! decided once, so that rows can be written as they come.

use super::text::{shorten, width};
use anstyle::Style;
use std::io::{self, Write};

const GAP: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    pub(crate) align: Align,
    /// The narrowest it may become; a cell that is longer is cut.
    pub(crate) least: usize,
    /// Columns with a higher rank are left out first; those with rank 0 always stay.
    pub(crate) rank: u8,
}

impl Column {
    pub(crate) const fn left(heading: &'static str, least: usize, rank: u8) -> Self {
        Self {
            heading,
            align: Align::Left,
            least,
            rank,
        }
    }

    pub(crate) const fn right(heading: &'static str, least: usize, rank: u8) -> Self {
        Self {
            heading,
            align: Align::Right,
            least,
            rank,
        }
    }
}

/// One cell: plain text and how it is painted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text, Style::new())
    }
}

/// The columns that are shown, with their widths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// For each column its width; `None` where it is left out.
    widths: Vec<Option<usize>>,
    align: Vec<Align>,
    /// Whether longer cells are cut: on a terminal only, a pipe gets them whole.
    cuts: bool,
}

/// In a pipe one endless title must not push every other row apart: its own row runs over instead.
const WIDEST_IN_PIPE: usize = 40;

/// Fits `columns` around `rows` into `available` terminal columns; `None` for a pipe, which takes any width. Answers
/// `None` when even the columns that always stay do not fit.
pub(crate) fn layout(columns: &[Column], rows: &[Vec<Cell>], available: Option<usize>) -> Option<Layout> {
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            rows.iter()
                .filter_map(|row| row.get(index))
                .map(|cell| width(&cell.text))
                .max()
                .unwrap_or(0)
                .max(width(column.heading))
                .min(if available.is_some() {
                    usize::MAX
                } else {
                    WIDEST_IN_PIPE
                })
        })
        .collect();
    let mut widths: Vec<Option<usize>> = natural.iter().copied().map(Some).collect();
    if let Some(available) = available {
        loop {
            let least: Vec<Option<usize>> = widths
                .iter()
                .zip(columns)
                .map(|(kept, column)| kept.map(|wide| wide.min(column.least.max(width(column.heading)))))
                .collect();
            if total(&least) <= available {
                shrink(&mut widths, &least, available);
                break;
            }
            let goes = (0..columns.len())
                .filter(|&index| widths[index].is_some() && columns[index].rank > 0)
                .max_by_key(|&index| (columns[index].rank, index))?;
            widths[goes] = None;
        }
    }
    Some(Layout {
        widths,
        align: columns.iter().map(|column| column.align).collect(),
        cuts: available.is_some(),
    })
}

fn total(widths: &[Option<usize>]) -> usize {
    let kept: Vec<usize> = widths.iter().copied().flatten().collect();
    kept.iter().sum::<usize>() + GAP * kept.len().saturating_sub(1)
}

/// Takes columns from whichever has the most to give, until all fit.
fn shrink(widths: &mut [Option<usize>], least: &[Option<usize>], available: usize) {
    while total(widths) > available {
        let Some((widest, _)) = widths
            .iter()
            .zip(least)
            .enumerate()
            .filter_map(|(index, (wide, least))| Some((index, (*wide)?.checked_sub((*least)?)?)))
            .filter(|(_, spare)| *spare > 0)
            .max_by_key(|(_, spare)| *spare)
        else {
            return;
        };
        widths[widest] = widths[widest].map(|wide| wide - 1);
    }
}

impl Layout {
    pub(crate) fn write_headings(&self, out: &mut dyn Write, columns: &[Column]) -> io::Result<()> {
        let style = Style::new().dimmed();
        let cells: Vec<Cell> = columns
            .iter()
            .map(|column| Cell::new(column.heading, style))
            .collect();
        self.write_row(out, &cells)
    }

    pub(crate) fn write_row(&self, out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
        let shown: Vec<(&Cell, usize, Align)> = cells
            .iter()
            .zip(&self.widths)
            .zip(&self.align)
            .filter_map(|((cell, wide), align)| Some((cell, (*wide)?, *align)))
            .collect();
        let mut blanks = 0;
        for (cell, wide, align) in shown {
            let text = if self.cuts {
                shorten(&cell.text, wide)
            } else {
                cell.text.clone()
            };
            let rest = wide.saturating_sub(width(&text));
            if align == Align::Right {
                blanks += rest;
            }
            if !text.is_empty() {
                // Blanks are owed until something follows them: no line ends in blanks.
                write!(
                    out,
                    "{:blanks$}{}{text}{}",
                    "",
                    cell.style.render(),
                    cell.style.render_reset()
                )?;
                blanks = 0;
            }
            blanks += GAP + if align == Align::Left { rest } else { 0 };
        }
        writeln!(out)
    }
}

/// Writes a whole table. Answers `false`, having written nothing, when it does not fit.
pub(crate) fn write_table(
    out: &mut dyn Write,
    columns: &[Column],
    rows: &[Vec<Cell>],
    available: Option<usize>,
) -> io::Result<bool> {
    let Some(layout) = layout(columns, rows, available) else {
        return Ok(false);
    };
    layout.write_headings(out, columns)?;
    for row in rows {
        layout.write_row(out, row)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column::left("NAME", 6, 0),
        Column::left("COMPANY", 7, 2),
        Column::right("AGE", 3, 1),
    ];

    fn table(available: Option<usize>) -> Option<String> {
        let rows = vec![
            vec!["Ada Lovelace".into(), "Analytical".into(), "36".into()],
            vec!["山田 太郎".into(), "".into(), "7".into()],
        ];
        let mut out = Vec::new();
        let fits = write_table(&mut out, &COLUMNS, &rows, available).expect("memory takes everything");
        let text = String::from_utf8(out).expect("we write text");
        fits.then(|| anstream::adapter::strip_str(&text).to_string())
    }

    #[test]
    fn wide_enough_shows_everything_aligned() {
        let expected = "NAME          COMPANY     AGE\n\
                        Ada Lovelace  Analytical   36\n\
                        山田 太郎                   7\n";
        assert_eq!(table(None).as_deref(), Some(expected));
        assert_eq!(table(Some(29)).as_deref(), Some(expected));
    }

    #[test]
    fn narrow_cuts_cells_then_leaves_columns_out() {
        assert_eq!(
            table(Some(24)).as_deref(),
            Some(
                "NAME      COMPANY    AGE
Ada Lov…  Analytic…   36
山田 太…               7
"
            ),
        );
        assert_eq!(
            table(Some(12)).as_deref(),
            Some("NAME     AGE\nAda Lo…   36\n山田…      7\n"),
        );
        assert_eq!(table(Some(6)).as_deref(), Some("NAME\nAda L…\n山田…\n"));
        assert_eq!(table(Some(5)), None, "what always stays must fit");
    }
}
