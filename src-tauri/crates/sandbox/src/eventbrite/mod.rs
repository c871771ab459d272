//! Simulated Eventbrite: the handle a test holds.
//!
//! Owns the vocabulary of what can happen on Eventbrite's side. Every method is synchronous and takes effect at
//! once; methods that name a record panic if there is none, because the test is wrong then.

mod api;
mod fill;
mod limiter;
mod lists;
mod switches;
mod wire;
mod world;

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde::Serialize;

pub use switches::{AttendeeOrder, EventbriteSwitches, WalkChange};
pub use world::{AttendeeProfile, EventbriteAccount};

use crate::clock::{SandboxClock, whole_seconds};
use crate::door::Door;
use crate::fault::Spoil;
use crate::http::{Api, Listening};
use crate::lock;
use crate::oauth::{Oauth, OauthServer};
use crate::outage::Outage;
use crate::registration::ProviderRegistration;
use crate::spec::{AttendeeSpec, EventSpec};
use world::{Attendee, World};

pub(crate) struct EventbriteApi {
    door: Door,
    world: Mutex<World>,
    oauth: Arc<OauthServer>,
}

impl EventbriteApi {
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

/// One event in a list for people.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSummary {
    /// The provider's id.
    pub id: String,
    /// The organization's or calendar's id.
    pub owner_id: String,
    /// The title.
    pub title: String,
    /// The start.
    pub starts_at: Timestamp,
    /// The status word as served.
    pub status: String,
    /// Registrations of every status.
    pub registrations: usize,
    /// Registrations that are checked in.
    pub checked_in: usize,
}

/// A handle on the simulated Eventbrite; clones act on the same world. Faults, pace and journal: see [`Door`].
#[derive(Clone)]
pub struct Eventbrite {
    api: Arc<EventbriteApi>,
    port: u16,
    outage: Outage,
    oauth: Oauth,
}

impl Deref for Eventbrite {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.api.door
    }
}

impl Eventbrite {
    pub(crate) fn new(api: Arc<EventbriteApi>, port: u16, outage: Outage, oauth: Oauth) -> Self {
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

    /// `http://127.0.0.1:PORT/v3`
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}/v3", self.port)
    }

    /// `http://127.0.0.1:PORT/oauth`, on a port of its own: `/authorize` and `/token` are below it.
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

    /// A new user with fresh credentials, and with an OAuth app that takes the redirect addresses registered so far.
    pub fn add_account(&self, name: &str, email: &str) -> EventbriteAccount {
        let account = self.world().add_account(name, email);
        self.oauth.adds_account(&account.id, name, email);
        self.oauth
            .registers_app(&account.api_key, Some(&account.client_secret));
        account
    }

    /// A new organization of that user; its id.
    pub fn add_organization(&self, account: &EventbriteAccount, name: &str) -> String {
        let now = self.api.now();
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        world.add_organization(index, name, now)
    }

    /// Lets another user see the organization and its events.
    pub fn add_member(&self, organization_id: &str, account: &EventbriteAccount) {
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        let organization = world.organization_mut(organization_id);
        found(organization, "organization", organization_id)
            .members
            .push(index);
    }

    /// A new event; its id.
    pub fn add_event(&self, organization_id: &str, spec: EventSpec) -> String {
        let now = self.api.now();
        let event = self.world().add_event(organization_id, spec, now);
        found(event, "organization", organization_id)
    }

    /// Adds `count` varied attendees, the same for the same seed.
    pub fn add_attendees(&self, event_id: &str, count: usize) {
        let now = self.api.now();
        found(
            fill::add_attendees(&mut self.world(), event_id, count, now).then_some(()),
            "event",
            event_id,
        );
    }

    /// Adds one attendee; its id.
    pub fn add_attendee(&self, event_id: &str, spec: AttendeeSpec) -> String {
        let now = self.api.now();
        let mut world = self.world();
        let attendee = found(world.attendee_of(event_id, spec, now), "event", event_id);
        let id = attendee.id.clone();
        if let Some(event) = world.events.get_mut(event_id) {
            event.push(attendee);
        }
        id
    }

    /// The truth, in the order of sale: what a correct client arrives at. Unknown events have none; a deleted
    /// event keeps its last state here.
    #[must_use]
    pub fn attendees(&self, event_id: &str) -> Vec<ProviderRegistration> {
        let world = self.world();
        let Some(event) = world.events.get(event_id) else {
            return Vec::new();
        };
        event
            .attendees
            .iter()
            .map(|attendee| attendee.registration(&event.ticket_classes))
            .collect()
    }

    /// The truth about one attendee, unless it vanished.
    #[must_use]
    pub fn attendee(&self, event_id: &str, attendee_id: &str) -> Option<ProviderRegistration> {
        let world = self.world();
        let event = world.events.get(event_id)?;
        let position = event.position(attendee_id)?;
        Some(event.attendees[position].registration(&event.ticket_classes))
    }

    /// Every event that is not deleted, in the order of creation per organization.
    #[must_use]
    pub fn events(&self) -> Vec<EventSummary> {
        let now = self.api.now();
        let world = self.world();
        let ids = world
            .organizations
            .iter()
            .flat_map(|organization| &organization.events);
        ids.filter_map(|id| world.events.get(id))
            .filter(|event| !event.deleted)
            .map(|event| EventSummary {
                id: event.id.clone(),
                owner_id: event.organization_id.clone(),
                title: event.title.clone(),
                starts_at: event.starts_at,
                status: wire::event_status(event, now).to_owned(),
                registrations: event.attendees.len(),
                checked_in: event
                    .attendees
                    .iter()
                    .filter(|attendee| attendee.checked_in)
                    .count(),
            })
            .collect()
    }

    /// Every account, in the order of creation.
    #[must_use]
    pub fn accounts(&self) -> Vec<EventbriteAccount> {
        self.world().accounts.clone()
    }

    /// Cancels the registration; `changed` moves to now, as with every change below.
    pub fn cancel_attendee(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, now| {
            attendee.cancelled = true;
            attendee.status = "Not Attending".to_owned();
            attendee.checked_in = false;
            attendee.barcode_changed = now;
        });
    }

    /// Refunds (and thereby cancels) the registration.
    pub fn refund_attendee(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, now| {
            (attendee.cancelled, attendee.refunded) = (true, true);
            attendee.status = "Not Attending".to_owned();
            attendee.checked_in = false;
            attendee.barcode_changed = now;
        });
    }

    /// The status turns to `Deleted`; the row stays in the lists.
    pub fn delete_attendee(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, _| {
            attendee.status = "Deleted".to_owned();
            attendee.checked_in = false;
        });
    }

    /// Scans the ticket.
    pub fn check_in(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, now| {
            attendee.checked_in = true;
            attendee.status = "Checked In".to_owned();
            attendee.barcode_changed = now;
        });
    }

    /// Takes the check-in back.
    pub fn undo_check_in(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, now| {
            attendee.checked_in = false;
            attendee.status = "Attending".to_owned();
            attendee.barcode_changed = now;
        });
    }

    /// Makes a cancelled, refunded or deleted registration attend again.
    pub fn restore_attendee(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, now| {
            (attendee.cancelled, attendee.refunded) = (false, false);
            attendee.status = "Attending".to_owned();
            attendee.barcode_changed = now;
        });
    }

    /// Edits what the attendee said; a null profile becomes an empty one first.
    pub fn edit_attendee(&self, event_id: &str, attendee_id: &str, edit: impl FnOnce(&mut AttendeeProfile)) {
        self.changes(event_id, attendee_id, |attendee, _| {
            edit(attendee.profile.get_or_insert_default());
        });
    }

    /// Hands the ticket to another person: same id, other profile.
    pub fn transfer_attendee(&self, event_id: &str, attendee_id: &str, name: &str, email: &str) {
        self.changes(event_id, attendee_id, |attendee, _| {
            let (first, last) = name.split_once(' ').unwrap_or((name, ""));
            attendee.profile = Some(AttendeeProfile {
                first_name: Some(first.to_owned()),
                last_name: Some(last.to_owned()),
                name: Some(name.to_owned()),
                email: Some(email.to_owned()),
                company: None,
                job_title: None,
            });
        });
    }

    /// The attendee is gone from the lists and answers 404.
    pub fn vanish_attendee(&self, event_id: &str, attendee_id: &str) {
        let mut world = self.world();
        let event = found(world.events.get_mut(event_id), "event", event_id);
        found(event.remove(attendee_id).then_some(()), "attendee", attendee_id);
    }

    /// Makes the record odd or unreadable. [`Spoil::UnknownStatus`] and [`Spoil::NullProfile`] show in the truth;
    /// the others do not change it. `changed` stays.
    pub fn spoils_attendee(&self, event_id: &str, attendee_id: &str, spoil: Spoil) {
        let now = self.api.now();
        let done = self
            .world()
            .change(event_id, attendee_id, now, false, |attendee| match spoil {
                Spoil::UnknownStatus => attendee.status = "Levitating".to_owned(),
                Spoil::NullProfile => attendee.profile = None,
                other => attendee.spoil = Some(other),
            });
        found(done.then_some(()), "attendee", attendee_id);
    }

    /// Takes an unreadable record's spoil back; `changed` moves to now.
    pub fn heals_attendee(&self, event_id: &str, attendee_id: &str) {
        self.changes(event_id, attendee_id, |attendee, _| attendee.spoil = None);
    }

    /// Renames the event.
    pub fn rename_event(&self, event_id: &str, title: &str) {
        self.changes_event(event_id, |event| event.title = title.to_owned());
    }

    /// Moves the event.
    pub fn move_event(&self, event_id: &str, starts_at: Timestamp, ends_at: Timestamp) {
        self.changes_event(event_id, |event| {
            event.starts_at = whole_seconds(starts_at);
            event.ends_at = whole_seconds(ends_at);
        });
    }

    /// The event answers 404 and is gone from every list.
    pub fn delete_event(&self, event_id: &str) {
        self.changes_event(event_id, |event| event.deleted = true);
    }

    /// The event's status turns to `canceled`; its attendees stay as they are.
    pub fn cancel_event(&self, event_id: &str) {
        self.changes_event(event_id, |event| event.status = "canceled".to_owned());
    }

    /// From now on `token` answers `INVALID_AUTH`.
    pub fn revoke_token(&self, token: &str) {
        let mut world = self.world();
        found(world.tokens.get_mut(token), "token", token).revoked = true;
    }

    /// From now on every token answers `INVALID_AUTH`, OAuth's included.
    pub fn revokes_tokens(&self) {
        self.api.revoke_all();
    }

    /// A new private token of that user; the old ones stay as they are.
    pub fn issue_token(&self, account: &EventbriteAccount) -> String {
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        world.issue_token(index)
    }

    /// The user may not see the event any more: 403 `NOT_AUTHORIZED`, and gone from the user's lists.
    pub fn forbid_event(&self, account: &EventbriteAccount, event_id: &str) {
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        found(world.events.get_mut(event_id), "event", event_id)
            .forbidden
            .insert(index);
    }

    /// Takes [`Self::forbid_event`] back.
    pub fn allow_event(&self, account: &EventbriteAccount, event_id: &str) {
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        found(world.events.get_mut(event_id), "event", event_id)
            .forbidden
            .remove(&index);
    }

    /// The user lost the role in the organization: 403 `NOT_AUTHORIZED` on it and its events.
    pub fn forbid_organization(&self, account: &EventbriteAccount, organization_id: &str) {
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        let organization = world.organization_mut(organization_id);
        found(organization, "organization", organization_id)
            .forbidden
            .insert(index);
    }

    /// Takes [`Self::forbid_organization`] back.
    pub fn allow_organization(&self, account: &EventbriteAccount, organization_id: &str) {
        let mut world = self.world();
        let index = found(world.account_index(&account.id), "account", &account.id);
        let organization = world.organization_mut(organization_id);
        found(organization, "organization", organization_id)
            .forbidden
            .remove(&index);
    }

    /// Lists leave these attendees out from now on, and no others; asked for by id they answer.
    pub fn leaves_out(&self, event_id: &str, attendee_ids: &[String]) {
        let mut world = self.world();
        found(world.events.get_mut(event_id), "event", event_id).unlisted =
            attendee_ids.iter().cloned().collect();
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

    /// Runs `change` after `pages` more pages of attendees have been made, before the last of them is sent;
    /// with 0, before the next one is made.
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

    /// Sets switches, see [`EventbriteSwitches`].
    pub fn switches(&self, set: impl FnOnce(&mut EventbriteSwitches)) {
        set(&mut self.world().switches);
    }

    pub(crate) fn has_attendee(&self, event_id: &str, attendee_id: &str) -> bool {
        self.world()
            .events
            .get(event_id)
            .is_some_and(|event| event.position(attendee_id).is_some())
    }

    pub(crate) fn has_event(&self, event_id: &str) -> bool {
        self.world().events.contains_key(event_id)
    }

    /// Every private token and whether it still works.
    pub(crate) fn private_tokens(&self) -> Vec<(String, String, bool)> {
        let world = self.world();
        let private = world
            .tokens
            .iter()
            .filter(|(_, token)| token.kind == world::TokenKind::Private);
        let mut all: Vec<_> = private
            .map(|(text, token)| {
                (
                    world.accounts[token.account].name.clone(),
                    text.clone(),
                    !token.revoked,
                )
            })
            .collect();
        all.sort();
        all
    }

    fn changes(&self, event_id: &str, attendee_id: &str, edit: impl FnOnce(&mut Attendee, Timestamp)) {
        let now = self.api.now();
        let stamp = whole_seconds(now);
        let done = self
            .world()
            .change(event_id, attendee_id, now, true, |attendee| edit(attendee, stamp));
        found(done.then_some(()), "attendee", attendee_id);
    }

    fn changes_event(&self, event_id: &str, edit: impl FnOnce(&mut world::Event)) {
        let now = whole_seconds(self.api.now());
        let mut world = self.world();
        let event = found(world.events.get_mut(event_id), "event", event_id);
        event.changed = now;
        edit(event);
    }
}

/// The record a test names must be there.
fn found<T>(record: Option<T>, kind: &str, id: &str) -> T {
    record.unwrap_or_else(|| panic!("the simulated Eventbrite has no {kind} {id}"))
}
