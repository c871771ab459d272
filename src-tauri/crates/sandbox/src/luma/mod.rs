//! Simulated Luma: the handle a test holds.
//!
//! Owns the vocabulary of what can happen on Luma's side. Every method is synchronous and takes effect at once;
//! methods that name a record panic if there is none, because the test is wrong then.

mod api;
mod fill;
mod lists;
mod switches;
mod wire;
mod world;

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

pub use switches::{LumaSwitches, SortChange};
pub use world::{GuestProfile, LumaCalendar};

use crate::clock::{SandboxClock, whole_milliseconds};
use crate::door::Door;
use crate::eventbrite::EventSummary;
use crate::fault::Spoil;
use crate::http::{Api, Listening};
use crate::lock;
use crate::oauth::{Oauth, OauthServer};
use crate::outage::Outage;
use crate::registration::ProviderRegistration;
use crate::spec::{EventSpec, GuestSpec};
use world::{Guest, World};

pub(crate) struct LumaApi {
    door: Door,
    world: Mutex<World>,
    oauth: Arc<OauthServer>,
}

impl LumaApi {
    pub(crate) fn new(seed: u64, clock: SandboxClock, oauth: Arc<OauthServer>) -> Self {
        Self {
            door: Door::new(clock),
            world: Mutex::new(World::new(seed)),
            oauth,
        }
    }

    fn now(&self) -> Timestamp {
        self.door.clock().now()
    }
}

/// A handle on the simulated Luma; clones act on the same world. Faults, pace and journal: see [`Door`].
#[derive(Clone)]
pub struct Luma {
    api: Arc<LumaApi>,
    port: u16,
    outage: Outage,
    oauth: Oauth,
}

impl Deref for Luma {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.api.door
    }
}

impl Luma {
    pub(crate) fn new(api: Arc<LumaApi>, port: u16, outage: Outage, oauth: Oauth) -> Self {
        Self {
            api,
            port,
            outage,
            oauth,
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.api.world)
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:PORT`, on a port of its own: the metadata is below it.
    #[must_use]
    pub fn oauth_url(&self) -> String {
        self.oauth.url()
    }

    /// The OAuth server, whose access tokens this API takes.
    #[must_use]
    pub fn oauth(&self) -> Oauth {
        self.oauth.clone()
    }

    /// Nothing listens on the port any more (connections are refused) until [`Self::comes_back`].
    pub fn goes_down(&self) {
        self.outage.set(Listening::Down);
    }

    /// Listens again, on the same port.
    pub fn comes_back(&self) {
        self.outage.set(Listening::Up);
    }

    /// A new calendar with its first key. The same owner e-mail is the same user.
    pub fn add_calendar(&self, name: &str, owner_name: &str, owner_email: &str) -> LumaCalendar {
        let calendar = self.world().add_calendar(name, owner_name, owner_email);
        self.oauth.adds_account(&calendar.id, name, owner_email);
        calendar
    }

    /// A new event; its id, `evt-…`.
    pub fn add_event(&self, calendar_id: &str, spec: EventSpec) -> String {
        let now = self.api.now();
        let mut world = self.world();
        let index = found(world.calendar_index(calendar_id), "calendar", calendar_id);
        world.add_event(index, spec, now)
    }

    /// Adds `count` varied guests, the same for the same seed.
    pub fn add_guests(&self, event_id: &str, count: usize) {
        let now = self.api.now();
        found(
            fill::add_guests(&mut self.world(), event_id, count, now).then_some(()),
            "event",
            event_id,
        );
    }

    /// Adds one guest; its id, `gst-…`.
    pub fn add_guest(&self, event_id: &str, spec: GuestSpec) -> String {
        let now = self.api.now();
        let mut world = self.world();
        let guest = found(world.guest_of(event_id, spec, now), "event", event_id);
        let id = guest.id.clone();
        if let Some(event) = world.events.get_mut(event_id) {
            event.push(guest);
        }
        id
    }

    /// The truth, in the order of creation: what a correct client arrives at. Unknown events have none; a deleted
    /// event keeps its last state here.
    #[must_use]
    pub fn guests(&self, event_id: &str) -> Vec<ProviderRegistration> {
        let world = self.world();
        let Some(event) = world.events.get(event_id) else {
            return Vec::new();
        };
        event.guests.iter().map(Guest::registration).collect()
    }

    /// The truth about one guest, unless it vanished.
    #[must_use]
    pub fn guest(&self, event_id: &str, guest_id: &str) -> Option<ProviderRegistration> {
        let world = self.world();
        let event = world.events.get(event_id)?;
        event
            .position(guest_id)
            .map(|position| event.guests[position].registration())
    }

    /// Every event that is not deleted, in the order of creation per calendar.
    #[must_use]
    pub fn events(&self) -> Vec<EventSummary> {
        let now = self.api.now();
        let world = self.world();
        let ids = world.calendars.iter().flat_map(|calendar| &calendar.events);
        ids.filter_map(|id| world.events.get(id))
            .filter(|event| !event.deleted)
            .map(|event| EventSummary {
                id: event.id.clone(),
                owner_id: world.calendars[event.calendar].public.id.clone(),
                title: event.title.clone(),
                starts_at: event.starts_at,
                status: if event.ends_at <= now { "past" } else { "upcoming" }.to_owned(),
                registrations: event.guests.len(),
                checked_in: event
                    .guests
                    .iter()
                    .filter(|guest| guest.checked_in_at().is_some())
                    .count(),
            })
            .collect()
    }

    /// Every calendar, in the order of creation.
    #[must_use]
    pub fn calendars(&self) -> Vec<LumaCalendar> {
        self.world()
            .calendars
            .iter()
            .map(|calendar| calendar.public.clone())
            .collect()
    }

    /// Approves the guest, who gets a ticket if there is none.
    pub fn approve(&self, event_id: &str, guest_id: &str) {
        let now = whole_milliseconds(self.api.now());
        let ticket = self.world().ticket(event_id, "Standard", true, None);
        self.changes(event_id, guest_id, |guest| {
            guest.approval_status = "approved".to_owned();
            guest.registered_at.get_or_insert(now);
            if guest.captured().next().is_none() {
                guest.tickets.extend(ticket);
            }
        });
    }

    /// Declines the guest.
    pub fn decline(&self, event_id: &str, guest_id: &str) {
        self.set_status(event_id, guest_id, "declined");
    }

    /// Sets the approval status to any word.
    pub fn set_status(&self, event_id: &str, guest_id: &str, status: &str) {
        self.changes(event_id, guest_id, |guest| {
            guest.approval_status = status.to_owned()
        });
    }

    /// Checks in every captured ticket that is not in yet; a guest without one gets one.
    pub fn check_in(&self, event_id: &str, guest_id: &str) {
        let now = whole_milliseconds(self.api.now());
        let ticket = self.world().ticket(event_id, "Standard", true, None);
        self.changes(event_id, guest_id, |guest| {
            if guest.captured().next().is_none() {
                guest.tickets.extend(ticket);
            }
            for ticket in guest.tickets.iter_mut().filter(|ticket| ticket.captured) {
                ticket.checked_in_at.get_or_insert(now);
            }
        });
    }

    /// Takes the check-in of every ticket back.
    pub fn undo_check_in(&self, event_id: &str, guest_id: &str) {
        self.changes(event_id, guest_id, |guest| {
            guest
                .tickets
                .iter_mut()
                .for_each(|ticket| ticket.checked_in_at = None);
        });
    }

    /// Edits what the guest said.
    pub fn edit_guest(&self, event_id: &str, guest_id: &str, edit: impl FnOnce(&mut GuestProfile)) {
        self.changes(event_id, guest_id, |guest| edit(&mut guest.profile));
    }

    /// The guest is gone from every list. Luma itself never does that, a merge of accounts might.
    pub fn vanish_guest(&self, event_id: &str, guest_id: &str) {
        let mut world = self.world();
        let event = found(world.events.get_mut(event_id), "event", event_id);
        found(event.remove(guest_id).then_some(()), "guest", guest_id);
    }

    /// Makes the record odd or unreadable. [`Spoil::UnknownStatus`] and [`Spoil::NullProfile`] show in the truth;
    /// the others do not change it.
    pub fn spoils_guest(&self, event_id: &str, guest_id: &str, spoil: Spoil) {
        self.changes(event_id, guest_id, |guest| match spoil {
            Spoil::UnknownStatus => guest.approval_status = "levitating".to_owned(),
            Spoil::NullProfile => guest.profile = GuestProfile::default(),
            other => guest.spoil = Some(other),
        });
    }

    /// Takes an unreadable record's spoil back.
    pub fn heals_guest(&self, event_id: &str, guest_id: &str) {
        self.changes(event_id, guest_id, |guest| guest.spoil = None);
    }

    /// Renames the event.
    pub fn rename_event(&self, event_id: &str, title: &str) {
        let mut world = self.world();
        found(world.events.get_mut(event_id), "event", event_id).title = title.to_owned();
    }

    /// Moves the event.
    pub fn move_event(&self, event_id: &str, starts_at: Timestamp, ends_at: Timestamp) {
        let mut world = self.world();
        let event = found(world.events.get_mut(event_id), "event", event_id);
        event.starts_at = whole_milliseconds(starts_at);
        event.ends_at = whole_milliseconds(ends_at);
    }

    /// Dropped from the list, 403 from then on: what cancelling does at Luma.
    pub fn delete_event(&self, event_id: &str) {
        let mut world = self.world();
        found(world.events.get_mut(event_id), "event", event_id).deleted = true;
    }

    /// From now on `key` answers 401.
    pub fn revoke_key(&self, key: &str) {
        let mut world = self.world();
        found(world.keys.get_mut(key), "key", key).revoked = true;
    }

    /// From now on every key answers 401, and every OAuth token too.
    pub fn revokes_keys(&self) {
        self.api.revoke_all();
    }

    /// A new key of that calendar; the old ones stay as they are.
    pub fn issue_key(&self, calendar_id: &str) -> String {
        let mut world = self.world();
        let index = found(world.calendar_index(calendar_id), "calendar", calendar_id);
        world.issue_key(index)
    }

    /// The calendar's paid plan lapsed: 403 on every route.
    pub fn plan_lapses(&self, calendar_id: &str) {
        self.set_lapsed(calendar_id, true);
    }

    /// Takes [`Self::plan_lapses`] back.
    pub fn plan_renews(&self, calendar_id: &str) {
        self.set_lapsed(calendar_id, false);
    }

    fn set_lapsed(&self, calendar_id: &str, lapsed: bool) {
        let mut world = self.world();
        let index = found(world.calendar_index(calendar_id), "calendar", calendar_id);
        world.calendars[index].lapsed = lapsed;
    }

    /// Lists leave these guests out from now on, and no others; asked for by id they answer.
    pub fn leaves_out(&self, event_id: &str, guest_ids: &[String]) {
        let mut world = self.world();
        found(world.events.get_mut(event_id), "event", event_id).unlisted =
            guest_ids.iter().cloned().collect();
    }

    /// Every page of the event's list begins with the last row of the page before.
    pub fn repeats_rows(&self, event_id: &str) {
        let mut world = self.world();
        found(world.events.get_mut(event_id), "event", event_id).repeats_rows = true;
    }

    /// That page of the event's list is empty, says that there is more, and the rows come after it.
    pub fn empties_page(&self, event_id: &str, page_number: u64) {
        let mut world = self.world();
        found(world.events.get_mut(event_id), "event", event_id).empty_page = Some(page_number);
    }

    /// Runs `change` after `pages` more pages of guests have been made, before the last of them is sent; with 0,
    /// before the next one is made.
    pub fn during_walk(&self, pages: u64, change: impl FnOnce(Self) + Send + 'static) {
        // Weak: a hook that is never reached must not keep its own world alive.
        let api = Arc::downgrade(&self.api);
        let (port, outage, oauth) = (self.port, self.outage.clone(), self.oauth.clone());
        let run = move || {
            if let Some(api) = api.upgrade() {
                change(Self {
                    api,
                    port,
                    outage,
                    oauth,
                });
            }
        };
        self.after_pages(pages, Box::new(run));
    }

    /// Sets switches, see [`LumaSwitches`].
    pub fn switches(&self, set: impl FnOnce(&mut LumaSwitches)) {
        set(&mut self.world().switches);
    }

    pub(crate) fn has_guest(&self, event_id: &str, guest_id: &str) -> bool {
        self.world()
            .events
            .get(event_id)
            .is_some_and(|event| event.position(guest_id).is_some())
    }

    pub(crate) fn has_event(&self, event_id: &str) -> bool {
        self.world().events.contains_key(event_id)
    }

    /// Every key with its calendar's name and whether it still works.
    pub(crate) fn keys(&self) -> Vec<(String, String, bool)> {
        let world = self.world();
        let name = |key: &world::Key| world.calendars[key.calendar].public.name.clone();
        let mut all: Vec<_> = world
            .keys
            .iter()
            .map(|(text, key)| (name(key), text.clone(), !key.revoked))
            .collect();
        all.sort();
        all
    }

    fn changes(&self, event_id: &str, guest_id: &str, edit: impl FnOnce(&mut Guest)) {
        let mut world = self.world();
        let event = found(world.events.get_mut(event_id), "event", event_id);
        found(event.change(guest_id, edit).then_some(()), "guest", guest_id);
    }
}

/// The record a test names must be there.
fn found<T>(record: Option<T>, kind: &str, id: &str) -> T {
    record.unwrap_or_else(|| panic!("the simulated Luma has no {kind} {id}"))
}
