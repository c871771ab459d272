//! An account's list of events, taken in page by page: pure bookkeeping that knows when a list does not end.

use crate::domain::event::ProviderEvent;
use crate::domain::ids::ExternalId;
use crate::ports::{Cursor, EventPage};
use std::collections::HashSet;

/// Pages in a row without an event that was not met before (an organization may have none): a list that never ends.
const BARREN_PAGES_TOLERATED: u32 = 100;

#[derive(Debug, Default)]
pub(crate) struct EventList {
    events: Vec<ProviderEvent>,
    known: HashSet<ExternalId>,
    cursors: HashSet<String>,
    barren_pages: u32,
    restarted: bool,
}

impl EventList {
    /// Takes a page in; the cursor of the next one, if there is one. `Err` says why the list is of no known form.
    pub(crate) fn take(&mut self, page: EventPage) -> Result<Option<Cursor>, &'static str> {
        let before = self.known.len();
        for event in page.events {
            if self.known.insert(event.external_id.clone()) {
                self.events.push(event);
            }
        }
        self.barren_pages = if self.known.len() == before {
            self.barren_pages + 1
        } else {
            0
        };
        match page.next {
            Some(next)
                if self.barren_pages > BARREN_PAGES_TOLERATED || !self.cursors.insert(next.0.clone()) =>
            {
                Err("the event list repeats itself")
            }
            next => Ok(next),
        }
    }

    /// A continuation lapses: the list is read again from its start, once. `false`: it was before.
    pub(crate) fn restart(&mut self) -> bool {
        self.barren_pages = 0;
        self.cursors.clear();
        !std::mem::replace(&mut self.restarted, true)
    }

    /// Every event, each once.
    pub(crate) fn into_events(self) -> Vec<ProviderEvent> {
        self.events
    }
}
