//! The provider's side of a script, and the memory of everything it ever said.

use super::script::{Change, Quirks};
use crate::desk::{Desk, Row};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use talkvalue_core::domain::provider::Provider;
use talkvalue_sandbox::{
    AttendeeSpec, Door, EventSpec, Eventbrite, GuestSpec, Luma, ProviderRegistration, SandboxClock, Spoil,
};

const A_DAY: Duration = Duration::from_secs(24 * 3_600);
const THREE_HOURS: Duration = Duration::from_secs(3 * 3_600);

/// Either provider's handle.
#[derive(Clone)]
pub(super) enum Handle {
    Eventbrite(Eventbrite),
    Luma(Luma),
}

/// What a registration has said, and since when it says what it says now.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) said: Vec<Row>,
    pub(super) since: Timestamp,
    /// Its answer cannot be read at present.
    pub(super) spoiled: bool,
    /// It changed without a time of change: only a read of everything finds that.
    pub(super) silent: bool,
    pub(super) vanished: bool,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) pasts: BTreeMap<String, Past>,
    /// Nothing happens any more.
    pub(super) calm: bool,
    registered: u64,
    pub(super) changes: u64,
}

/// One list at its provider. Whoever holds it may change the list, and what changes is remembered.
#[derive(Clone)]
pub(super) struct World {
    pub(super) handle: Handle,
    pub(super) events: Vec<String>,
    /// The organization or calendar that they belong to.
    pub(super) channel: String,
    /// When the events end.
    pub(super) over_at: Timestamp,
    clock: SandboxClock,
    /// Two changes of one second bear the same time: where older readings are served, no two share one.
    apart: bool,
    memory: Arc<Mutex<Memory>>,
}

impl World {
    /// So many events that share so many rows; and the credential that opens them.
    pub(super) fn open(
        desk: &Desk,
        provider: Provider,
        events: usize,
        rows: usize,
        quirks: &Quirks,
    ) -> (Self, String) {
        let each = rows / events;
        let (starts_at, over_at) = (
            desk.sandbox.clock().now() + A_DAY,
            desk.sandbox.clock().now() + A_DAY + THREE_HOURS,
        );
        let spec = |title| EventSpec::new(title).starts_at(starts_at).ends_at(over_at);
        let titles = (1..=events).map(|number| format!("Harbour Makers Night {number}"));
        let (handle, channel, events, secret): (_, _, Vec<String>, _) = match provider {
            Provider::Eventbrite => {
                let eventbrite = desk.sandbox.eventbrite();
                let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
                let organization = eventbrite.add_organization(&account, "Harbour Guild");
                let events = titles.map(|title| {
                    let event = eventbrite.add_event(&organization, spec(title));
                    eventbrite.add_attendees(&event, each);
                    event
                });
                let events = events.collect();
                (
                    Handle::Eventbrite(eventbrite),
                    organization,
                    events,
                    account.private_token,
                )
            }
            Provider::Luma => {
                let luma = desk.sandbox.luma();
                let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
                let events = titles.map(|title| {
                    let event = luma.add_event(&calendar.id, spec(title));
                    luma.add_guests(&event, each);
                    event
                });
                let events = events.collect();
                (Handle::Luma(luma), calendar.id, events, calendar.key)
            }
        };
        let world = Self {
            handle,
            events,
            channel,
            over_at,
            clock: desk.sandbox.clock(),
            apart: quirks.older_row_once,
            memory: Arc::default(),
        };
        world.door().unlimited();
        world.set(quirks);
        let truth = world.truth();
        world.memory().remember(truth, world.clock.now());
        (world, secret)
    }

    fn set(&self, quirks: &Quirks) {
        match &self.handle {
            Handle::Eventbrite(eventbrite) => {
                eventbrite.switches(|switches| {
                    switches.attendees_per_page = quirks.rows_per_page;
                    switches.counts = quirks.counts;
                    switches.continuation_on_last_page = quirks.cursor_on_last_page;
                    switches.attendee_order = quirks.order;
                    switches.replica_lag_secs = quirks.lag_secs;
                    switches.older_row_once = quirks.older_row_once;
                    switches.continuation_lifetime_minutes = quirks.continuation_minutes;
                });
                if quirks.repeats_rows {
                    eventbrite.repeats_rows(&self.events[0]);
                }
                if let Some(page) = quirks.empty_page {
                    eventbrite.empties_page(&self.events[0], page);
                }
            }
            Handle::Luma(luma) => {
                luma.switches(|switches| {
                    switches.page_cap = quirks.rows_per_page;
                    switches.guest_counts = quirks.counts;
                    switches.cursor_on_last_page = quirks.cursor_on_last_page;
                });
                if quirks.repeats_rows {
                    luma.repeats_rows(&self.events[0]);
                }
                if let Some(page) = quirks.empty_page {
                    luma.empties_page(&self.events[0], page);
                }
            }
        }
    }

    pub(super) fn door(&self) -> &Door {
        match &self.handle {
            Handle::Eventbrite(eventbrite) => eventbrite,
            Handle::Luma(luma) => luma,
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn truth(&self) -> Vec<ProviderRegistration> {
        let all = self.events.iter().flat_map(|event| self.truth_of(event));
        all.collect()
    }

    fn truth_of(&self, event: &str) -> Vec<ProviderRegistration> {
        match &self.handle {
            Handle::Eventbrite(eventbrite) => eventbrite.attendees(event),
            Handle::Luma(luma) => luma.guests(event),
        }
    }

    /// The event that a registration is for.
    fn event_of(&self, id: &str) -> &str {
        let its = |event: &&String| self.truth_of(event).iter().any(|row| row.id == id);
        self.events.iter().find(its).unwrap_or(&self.events[0])
    }

    /// Lets it happen, unless nothing happens any more.
    pub(super) fn happens(&self, change: Change) {
        // Held throughout: a change in mid-walk comes on the server's thread, and is either remembered or not there.
        let mut memory = self.memory();
        if memory.calm {
            return;
        }
        if self.apart {
            self.clock.advance(Duration::from_secs(1));
        }
        let truth = self.truth();
        memory.registered += 1;
        let number = memory.registered;
        let one = |index: usize| (!truth.is_empty()).then(|| truth[index % truth.len()].id.clone());
        match change {
            Change::Register => self.registers(number),
            Change::Cancel(index)
            | Change::Refund(index)
            | Change::Restore(index)
            | Change::CheckIn(index)
            | Change::UndoCheckIn(index)
            | Change::Rename(index)
            | Change::ChangeEmail(index)
            | Change::HandOver(index)
            | Change::Spoil(index, _)
            | Change::Heal(index)
            | Change::Vanish(index) => {
                let Some(id) = one(index) else { return };
                self.befalls(&id, change, number);
                memory.note(&id, change, self.clock.now());
            }
        }
        memory.changes += 1;
        memory.remember(self.truth(), self.clock.now());
    }

    /// Has it happen in the middle of a later walk.
    pub(super) fn happens_during_walk(&self, pages: u64, secs: u64, change: Change) {
        // The handle of the moment is taken: one that is kept would keep its own world alive.
        let (events, channel) = (self.events.clone(), self.channel.clone());
        let (clock, memory) = (self.clock.clone(), self.memory.clone());
        let over_at = self.over_at;
        let apart = self.apart;
        let later = move |handle| {
            let world = World {
                handle,
                events,
                channel,
                over_at,
                clock,
                apart,
                memory,
            };
            if !world.memory().calm {
                world.clock.advance(Duration::from_secs(secs));
            }
            world.happens(change);
        };
        match &self.handle {
            Handle::Eventbrite(eventbrite) => {
                eventbrite.during_walk(pages, move |handle| later(Handle::Eventbrite(handle)));
            }
            Handle::Luma(luma) => luma.during_walk(pages, move |handle| later(Handle::Luma(handle))),
        }
    }

    /// From now on nothing happens, every record can be read, and every read sees the present.
    pub(super) fn calms_down(&self) {
        let mut memory = self.memory();
        memory.calm = true;
        self.door().clears_faults();
        if let Handle::Eventbrite(eventbrite) = &self.handle {
            eventbrite.switches(|switches| {
                switches.replica_lag_secs = 0;
                switches.older_row_once = false;
            });
        }
        let spoiled = memory
            .pasts
            .iter()
            .filter(|(_, past)| past.spoiled && !past.vanished);
        let spoiled: Vec<String> = spoiled.map(|(id, _)| id.clone()).collect();
        for id in spoiled {
            self.befalls(&id, Change::Heal(0), 0);
            memory.note(&id, Change::Heal(0), self.clock.now());
        }
    }

    fn registers(&self, number: u64) {
        let (name, email) = (format!("Guest {number}"), format!("guest.{number}@tide.example"));
        let event = &self.events[usize::try_from(number).unwrap_or(0) % self.events.len()];
        match &self.handle {
            Handle::Eventbrite(eventbrite) => {
                eventbrite.add_attendee(event, AttendeeSpec::new(name).email(email));
            }
            Handle::Luma(luma) => {
                luma.add_guest(event, GuestSpec::new(name).email(email).ticket("Standard"));
            }
        }
    }

    fn befalls(&self, id: &str, change: Change, number: u64) {
        let event = self.event_of(id);
        match &self.handle {
            Handle::Eventbrite(eventbrite) => befalls_attendee(eventbrite, event, id, change, number),
            Handle::Luma(luma) => befalls_guest(luma, event, id, change, number),
        }
    }
}

fn befalls_attendee(eventbrite: &Eventbrite, event: &str, id: &str, change: Change, number: u64) {
    match change {
        Change::Register => {}
        Change::Cancel(_) => eventbrite.cancel_attendee(event, id),
        Change::Refund(_) => eventbrite.refund_attendee(event, id),
        Change::Restore(_) => eventbrite.restore_attendee(event, id),
        Change::CheckIn(_) => eventbrite.check_in(event, id),
        Change::UndoCheckIn(_) => eventbrite.undo_check_in(event, id),
        Change::Rename(_) => eventbrite.edit_attendee(event, id, |profile| {
            profile.name = Some(format!("Renamed {number}"));
        }),
        Change::ChangeEmail(_) => eventbrite.edit_attendee(event, id, |profile| {
            profile.email = Some(format!("moved.{number}@tide.example"));
        }),
        Change::HandOver(_) => {
            eventbrite.transfer_attendee(
                event,
                id,
                &format!("Heir {number}"),
                &format!("heir.{number}@tide.example"),
            );
        }
        Change::Spoil(_, spoil) => eventbrite.spoils_attendee(event, id, spoil),
        Change::Heal(_) => eventbrite.heals_attendee(event, id),
        Change::Vanish(_) => eventbrite.vanish_attendee(event, id),
    }
}

fn befalls_guest(luma: &Luma, event: &str, id: &str, change: Change, number: u64) {
    match change {
        Change::Register => {}
        Change::Cancel(_) => luma.decline(event, id),
        Change::Refund(_) => luma.set_status(event, id, "waitlist"),
        Change::Restore(_) => luma.approve(event, id),
        Change::CheckIn(_) => luma.check_in(event, id),
        Change::UndoCheckIn(_) => luma.undo_check_in(event, id),
        Change::Rename(_) => luma.edit_guest(event, id, |profile| {
            profile.name = Some(format!("Renamed {number}"));
        }),
        Change::ChangeEmail(_) => luma.edit_guest(event, id, |profile| {
            profile.email = Some(format!("moved.{number}@tide.example"));
        }),
        Change::HandOver(_) => luma.edit_guest(event, id, |profile| {
            profile.name = Some(format!("Heir {number}"));
            profile.email = Some(format!("heir.{number}@tide.example"));
        }),
        Change::Spoil(_, spoil) => luma.spoils_guest(event, id, spoil),
        Change::Heal(_) => luma.heals_guest(event, id),
        Change::Vanish(_) => luma.vanish_guest(event, id),
    }
}

impl Memory {
    /// Keeps what everybody says now, at `now`.
    fn remember(&mut self, truth: Vec<ProviderRegistration>, now: Timestamp) {
        let mut listed = HashSet::with_capacity(truth.len());
        for registration in truth {
            let (id, row) = Row::of_truth(&registration);
            listed.insert(id.clone());
            match self.pasts.get_mut(&id) {
                Some(past) if past.said.last() == Some(&row) => {}
                Some(past) => {
                    past.said.push(row);
                    past.since = now;
                }
                None => {
                    let past = Past {
                        said: vec![row],
                        since: now,
                        spoiled: false,
                        silent: false,
                        vanished: false,
                    };
                    self.pasts.insert(id, past);
                }
            }
        }
        for (id, past) in &mut self.pasts {
            past.vanished = !listed.contains(id);
        }
    }

    /// What a row itself does not show of its change.
    fn note(&mut self, id: &str, change: Change, now: Timestamp) {
        let Some(past) = self.pasts.get_mut(id) else {
            return;
        };
        past.since = now;
        match change {
            Change::Spoil(_, Spoil::UnknownStatus | Spoil::NullProfile) => past.silent = true,
            Change::Spoil(_, Spoil::UnknownFields) => {}
            Change::Spoil(..) => past.spoiled = true,
            Change::Heal(_) => (past.spoiled, past.silent) = (false, false),
            // Any other change bears a time, and with it all that was silent before shows.
            _ => past.silent = false,
        }
    }
}
