//! What a person reads on the terminal. Nothing here decides: statuses, sentences and their order come from the core;
//! here they get their symbols, colours and places.

pub(crate) mod attendees;
pub(crate) mod candidates;
pub(crate) mod grid;
pub(crate) mod history;
pub(crate) mod integrations;
pub(crate) mod item_page;
pub(crate) mod items;
pub(crate) mod moments;
pub(crate) mod next_steps;
pub(crate) mod text;

use anstyle::{AnsiColor, Style};
use talkvalue_core::domain::words::Reader;

/// For whom and how wide.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) reader: Reader,
    /// Columns of the terminal; `None` for a pipe or a file, which take any width.
    pub(crate) width: Option<usize>,
}

impl Page {
    /// How wide running text may be.
    pub(crate) fn text_width(&self) -> usize {
        self.width.unwrap_or(100).clamp(20, 100)
    }
}

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// Colour never stands alone: a symbol and a word always say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Confirmed and live. Nothing else is green.
    Good,
    Working,
    Trouble,
    Severed,
    /// Not confirmed now.
    Quiet,
}

impl Tone {
    pub(crate) fn style(self) -> Style {
        let colour = match self {
            Tone::Good => AnsiColor::Green,
            Tone::Working => AnsiColor::Blue,
            Tone::Trouble => AnsiColor::Yellow,
            Tone::Severed => AnsiColor::Red,
            Tone::Quiet => return DIM,
        };
        colour.on_default()
    }
}

/// A status as symbol and word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) symbol: char,
    pub(crate) word: String,
    pub(crate) tone: Tone,
}

impl Badge {
    pub(crate) fn new(tone: Tone, word: impl Into<String>) -> Self {
        let symbol = match tone {
            Tone::Good => '✓',
            Tone::Working => '↻',
            Tone::Trouble => '▲',
            Tone::Severed => '⛓',
            Tone::Quiet => '◌',
        };
        Self {
            symbol,
            word: word.into(),
            tone,
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.symbol, self.word)
    }

    pub(crate) fn cell(&self) -> grid::Cell {
        grid::Cell::new(self.text(), self.tone.style())
    }
}

/// Paints a piece of text that is already plain.
pub(crate) fn painted(text: &str, style: Style) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("{}{text}{}", style.render(), style.render_reset())
}

#[cfg(test)]
pub(crate) mod samples {
    //! Views to render in tests.

    use super::Page;
    use jiff::{Timestamp, tz::TimeZone};
    use talkvalue_core::domain::attendee::{Counts, Tickets};
    use talkvalue_core::domain::failure::FailureCode;
    use talkvalue_core::domain::freshness::Freshness;
    use talkvalue_core::domain::ids::{ExternalId, IntegrationId, ItemId};
    use talkvalue_core::domain::item::ItemKind;
    use talkvalue_core::domain::provider::Provider;
    use talkvalue_core::domain::status::SyncStatus;
    use talkvalue_core::domain::words::Reader;
    use talkvalue_core::query::{FailureView, ItemView};

    pub(crate) fn page(width: Option<usize>) -> Page {
        Page {
            reader: Reader {
                now: at("2026-11-23T14:02:00Z"),
                zone: TimeZone::UTC,
            },
            width,
        }
    }

    pub(crate) fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// ACTIVE and LIVE, two minutes old.
    pub(crate) fn live_item() -> ItemView {
        ItemView {
            id: ItemId::from_text("item-0a1b2c3d4e5f"),
            kind: ItemKind::BadgeEvent,
            provider: Provider::Eventbrite,
            external_id: ExternalId::from_text("1122334455"),
            integration_id: IntegrationId::from_text("int-001122334455"),
            title: "Harbour Makers Night".to_owned(),
            starts_at: Some(at("2026-11-23T17:30:00Z")),
            ends_at: Some(at("2026-11-23T21:30:00Z")),
            timezone: Some("Europe/London".to_owned()),
            sync_status: SyncStatus::Active,
            freshness: Freshness::Live,
            alert: None,
            failure: None,
            waiting: None,
            active_job: None,
            counts: Counts {
                total: 1_431,
                attending: 1_412,
                awaiting: 0,
                not_attending: 19,
                checked_in: 30,
            },
            tickets: Tickets {
                total: 1_440,
                checked_in: 31,
            },
            unreadable: 0,
            held_removals: 0,
            archived: false,
            last_synced_at: Some(at("2026-11-23T14:00:00Z")),
            new_since: 0,
            last_attempted_at: Some(at("2026-11-23T14:00:00Z")),
            next_attempt_at: None,
        }
    }

    pub(crate) fn failure(code: FailureCode) -> Option<FailureView> {
        Some(FailureView {
            code,
            recovery: code.recovery(),
            message: "Something happened. The list is as of 11:45, 1,412 attending.".to_owned(),
            since: at("2026-11-23T13:31:00Z"),
        })
    }
}
