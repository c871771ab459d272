//! Eventbrite's records: accounts, tokens, organizations, events, attendees. Owns what is true; says nothing
//! about how it is served.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::limiter::Limiter;
use super::switches::EventbriteSwitches;
use super::wire;
use crate::clock::whole_seconds;
use crate::dice::{CAPITALS_AND_DIGITS, Dice};
use crate::fault::Spoil;
use crate::registration::{Attendance, ProviderRegistration};
use crate::spec::{AttendeeSpec, EventSpec};

/// One Eventbrite user with every kind of credential. All values are canaries, made for leak sweeps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventbriteAccount {
    /// The user id.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The primary e-mail.
    pub email: String,
    /// The personal token that opens everything the user may see.
    pub private_token: String,
    /// The anonymous token: public reference data only.
    pub public_token: String,
    /// The app's API key, which is its OAuth client id.
    pub api_key: String,
    /// The app's OAuth client secret.
    pub client_secret: String,
}

/// What an attendee said about themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttendeeProfile {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Full name: preferred over the two.
    pub name: Option<String>,
    /// E-mail, as typed.
    pub email: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Private,
    Public,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) account: usize,
    pub(super) kind: TokenKind,
    pub(super) revoked: bool,
}

#[derive(Debug)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) members: Vec<usize>,
    pub(super) forbidden: HashSet<usize>,
    /// Ids in the order of creation.
    pub(super) events: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct TicketClass {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) organization_id: String,
    pub(super) title: String,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) timezone: String,
    pub(super) status: String,
    pub(super) created: Timestamp,
    pub(super) changed: Timestamp,
    pub(super) deleted: bool,
    pub(super) forbidden: HashSet<usize>,
    pub(super) ticket_classes: Vec<TicketClass>,
    pub(super) attendees: Vec<Attendee>,
    positions: HashMap<String, usize>,
    /// `changed` of every attendee in seconds, side by side: what `changed_since` has to look through.
    changes: Vec<i64>,
    pub(super) repeats_rows: bool,
    pub(super) empty_page: Option<u64>,
    /// Left out of lists; asked for by id they answer.
    pub(super) unlisted: HashSet<String>,
}

/// An attendee as it was before its last change.
#[derive(Clone, Debug)]
pub(super) struct Former {
    pub(super) json: Arc<str>,
    pub(super) changed: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Attendee {
    pub(super) id: String,
    pub(super) order_id: String,
    pub(super) created: Timestamp,
    pub(super) changed: Timestamp,
    pub(super) ticket_class: usize,
    pub(super) profile: Option<AttendeeProfile>,
    pub(super) status: String,
    pub(super) cancelled: bool,
    pub(super) refunded: bool,
    pub(super) checked_in: bool,
    pub(super) barcode_changed: Timestamp,
    pub(super) spoil: Option<Spoil>,
    /// When the sandbox last touched the record, for the replica lag.
    pub(super) touched: Timestamp,
    pub(super) former: Option<Former>,
    /// Reads left until the former row has been served once more.
    pub(super) older_reads: u8,
    rendered: Option<Arc<str>>,
}

impl Attendee {
    pub(super) fn full_name(&self) -> Option<String> {
        let profile = self.profile.as_ref()?;
        profile.name.clone().or_else(|| {
            let parts: Vec<&str> = [&profile.first_name, &profile.last_name]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        })
    }

    fn attendance(&self) -> Attendance {
        match self.status.as_str() {
            _ if self.cancelled || self.refunded => Attendance::NotAttending,
            "Deleted" | "Not Attending" => Attendance::NotAttending,
            "Attending" | "Checked In" => Attendance::Attending,
            _ => Attendance::Awaiting,
        }
    }

    pub(super) fn registration(&self, classes: &[TicketClass]) -> ProviderRegistration {
        ProviderRegistration {
            id: self.id.clone(),
            name: self.full_name(),
            email: self.profile.as_ref().and_then(|profile| profile.email.clone()),
            company: self.profile.as_ref().and_then(|profile| profile.company.clone()),
            ticket_type: classes.get(self.ticket_class).map(|class| class.name.clone()),
            provider_status: self.status.clone(),
            attending: self.attendance(),
            checked_in_at: self.checked_in.then_some(self.barcode_changed),
            order_id: Some(self.order_id.clone()),
            registered_at: Some(self.created),
            changed: Some(self.changed),
            tickets: 1,
            tickets_checked_in: u32::from(self.checked_in),
        }
    }
}

impl Event {
    pub(super) fn position(&self, attendee_id: &str) -> Option<usize> {
        self.positions.get(attendee_id).copied()
    }

    /// The attendee's JSON, rendered at most once per change.
    pub(super) fn rendered(&mut self, position: usize) -> Arc<str> {
        if let Some(done) = &self.attendees[position].rendered {
            return Arc::clone(done);
        }
        let json: Arc<str> = wire::attendee(&self.attendees[position], &self.id, &self.ticket_classes).into();
        self.attendees[position].rendered = Some(Arc::clone(&json));
        json
    }

    /// The index of the ticket class of that name, made when it is new.
    pub(super) fn class_named(&mut self, name: &str, next_id: impl FnOnce() -> String) -> usize {
        if let Some(index) = self.ticket_classes.iter().position(|class| class.name == name) {
            return index;
        }
        self.ticket_classes.push(TicketClass {
            id: next_id(),
            name: name.to_owned(),
        });
        self.ticket_classes.len() - 1
    }

    pub(super) fn push(&mut self, attendee: Attendee) {
        self.positions.insert(attendee.id.clone(), self.attendees.len());
        self.changes.push(attendee.changed.as_second());
        self.attendees.push(attendee);
    }

    pub(super) fn insert_first(&mut self, attendee: Attendee) {
        self.attendees.insert(0, attendee);
        self.index();
    }

    pub(super) fn remove(&mut self, attendee_id: &str) -> bool {
        let Some(position) = self.position(attendee_id) else {
            return false;
        };
        self.attendees.remove(position);
        self.index();
        true
    }

    fn index(&mut self) {
        self.positions = self
            .attendees
            .iter()
            .enumerate()
            .map(|(at, attendee)| (attendee.id.clone(), at))
            .collect();
        self.changes = self
            .attendees
            .iter()
            .map(|attendee| attendee.changed.as_second())
            .collect();
    }

    /// Positions of the attendees changed at or after that second; all of them without one.
    pub(super) fn changed_since(&self, since: Option<i64>) -> impl Iterator<Item = usize> {
        let since = since.unwrap_or(i64::MIN);
        self.changes
            .iter()
            .enumerate()
            .filter(move |(_, changed)| **changed >= since)
            .map(|(at, _)| at)
    }
}

/// All of it.
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) switches: EventbriteSwitches,
    pub(super) accounts: Vec<EventbriteAccount>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) organizations: Vec<Organization>,
    pub(super) events: HashMap<String, Event>,
    pub(super) limiter: Limiter,
    pub(super) people: u64,
    next_event: u64,
    next_attendee: u64,
    next_order: u64,
    next_class: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xEB00_0000_0000_0001);
        let offset = dice.below(1_000_000) * 10;
        Self {
            dice,
            switches: EventbriteSwitches::default(),
            accounts: Vec::new(),
            tokens: HashMap::new(),
            organizations: Vec::new(),
            events: HashMap::new(),
            limiter: Limiter::default(),
            people: 0,
            next_event: 990_000_000_011 + offset,
            // Beyond 2^31 on purpose: ids must be kept as text.
            next_attendee: 7_000_000_001 + offset,
            next_order: 12_000_000_001 + offset,
            next_class: 3_100_000_001 + offset,
        }
    }

    pub(super) fn add_account(&mut self, name: &str, email: &str) -> EventbriteAccount {
        let index = self.accounts.len();
        let mut canary = |prefix: &str| format!("{prefix}{}", self.dice.word(CAPITALS_AND_DIGITS, 12));
        let account = EventbriteAccount {
            id: format!("{}", 480_000_000_101 + 7 * index as u64),
            name: name.to_owned(),
            email: email.to_owned(),
            private_token: canary("CANARYEB"),
            public_token: canary("CANARYEBPUBLIC"),
            api_key: canary("CANARYEBKEY"),
            client_secret: canary("CANARYEBSECRET"),
        };
        self.allow(&account.private_token, index, TokenKind::Private);
        self.allow(&account.public_token, index, TokenKind::Public);
        self.accounts.push(account.clone());
        account
    }

    pub(super) fn issue_token(&mut self, account: usize) -> String {
        let token = format!("CANARYEB{}", self.dice.word(CAPITALS_AND_DIGITS, 12));
        self.allow(&token, account, TokenKind::Private);
        token
    }

    fn allow(&mut self, token: &str, account: usize, kind: TokenKind) {
        self.tokens.insert(
            token.to_owned(),
            Token {
                account,
                kind,
                revoked: false,
            },
        );
    }

    pub(super) fn account_index(&self, account_id: &str) -> Option<usize> {
        self.accounts.iter().position(|account| account.id == account_id)
    }

    pub(super) fn add_organization(&mut self, account: usize, name: &str, now: Timestamp) -> String {
        let id = format!("{}", 480_000_000_777 + 13 * self.organizations.len() as u64);
        self.organizations.push(Organization {
            id: id.clone(),
            name: name.to_owned(),
            created: whole_seconds(now - SignedDuration::from_hours(24 * 400)),
            members: vec![account],
            forbidden: HashSet::new(),
            events: Vec::new(),
        });
        id
    }

    pub(super) fn organization_mut(&mut self, id: &str) -> Option<&mut Organization> {
        self.organizations
            .iter_mut()
            .find(|organization| organization.id == id)
    }

    pub(super) fn organization(&self, id: &str) -> Option<&Organization> {
        self.organizations
            .iter()
            .find(|organization| organization.id == id)
    }

    /// The new event's id; nothing if there is no such organization.
    pub(super) fn add_event(
        &mut self,
        organization_id: &str,
        spec: EventSpec,
        now: Timestamp,
    ) -> Option<String> {
        let id = self.next_event.to_string();
        self.organization_mut(organization_id)?.events.push(id.clone());
        self.next_event += 11;
        let starts_at = whole_seconds(spec.starts_at.unwrap_or(now + SignedDuration::from_hours(24)));
        let created = whole_seconds(now.min(starts_at) - SignedDuration::from_hours(24 * 70));
        let event = Event {
            id: id.clone(),
            organization_id: organization_id.to_owned(),
            title: spec.title,
            starts_at,
            ends_at: whole_seconds(spec.ends_at.unwrap_or(starts_at + SignedDuration::from_hours(3))),
            timezone: spec.timezone,
            status: spec.status,
            created,
            changed: created,
            deleted: false,
            forbidden: HashSet::new(),
            ticket_classes: Vec::new(),
            attendees: Vec::new(),
            positions: HashMap::new(),
            changes: Vec::new(),
            repeats_rows: false,
            empty_page: None,
            unlisted: HashSet::new(),
        };
        self.events.insert(id.clone(), event);
        Some(id)
    }

    pub(super) fn next_attendee_id(&mut self) -> String {
        self.next_attendee += 1;
        (self.next_attendee - 1).to_string()
    }

    pub(super) fn next_order_id(&mut self) -> String {
        self.next_order += 1;
        (self.next_order - 1).to_string()
    }

    /// The ticket class of that name in that event, made when it is new.
    pub(super) fn class(&mut self, event_id: &str, name: &str) -> Option<usize> {
        let fresh = self.next_class;
        let event = self.events.get_mut(event_id)?;
        let before = event.ticket_classes.len();
        let index = event.class_named(name, || fresh.to_string());
        if event.ticket_classes.len() > before {
            self.next_class += 1;
        }
        Some(index)
    }

    /// An attendee as the spec says, not yet part of an event.
    pub(super) fn attendee_of(
        &mut self,
        event_id: &str,
        spec: AttendeeSpec,
        now: Timestamp,
    ) -> Option<Attendee> {
        let ticket_class = self.class(event_id, &spec.ticket)?;
        let created = whole_seconds(spec.created.unwrap_or(now));
        let gone = spec.cancelled || spec.refunded;
        let checked_in = spec.checked_in_at.is_some() && !gone;
        let status = spec.status.unwrap_or_else(|| {
            let word = if gone {
                "Not Attending"
            } else if checked_in {
                "Checked In"
            } else {
                "Attending"
            };
            word.to_owned()
        });
        let changed = whole_seconds(spec.changed.or(spec.checked_in_at).unwrap_or(created));
        let profile = spec.has_profile.then(|| {
            let name = spec.name.unwrap_or_default();
            let (first_name, last_name) = match name.split_once(' ') {
                Some((first, last)) => (Some(first.to_owned()), Some(last.to_owned())),
                None => (Some(name.clone()), None),
            };
            AttendeeProfile {
                first_name,
                last_name,
                name: Some(name),
                email: spec.email,
                company: spec.company,
                job_title: None,
            }
        });
        Some(Attendee {
            id: self.next_attendee_id(),
            order_id: spec.order_id.unwrap_or_else(|| self.next_order_id()),
            created,
            changed,
            ticket_class,
            profile,
            status,
            cancelled: spec.cancelled,
            refunded: spec.refunded,
            checked_in,
            barcode_changed: spec.checked_in_at.map_or(changed, whole_seconds),
            spoil: None,
            touched: now,
            former: None,
            older_reads: 0,
            rendered: None,
        })
    }

    /// Changes one attendee. `stamps` moves `changed` to now; a spoil leaves it alone.
    pub(super) fn change(
        &mut self,
        event_id: &str,
        attendee_id: &str,
        now: Timestamp,
        stamps: bool,
        edit: impl FnOnce(&mut Attendee),
    ) -> bool {
        let keeps_former = self.switches.replica_lag_secs > 0 || self.switches.older_row_once;
        let Some(event) = self.events.get_mut(event_id) else {
            return false;
        };
        let Some(position) = event.position(attendee_id) else {
            return false;
        };
        let former = keeps_former.then(|| Former {
            json: event.rendered(position),
            changed: event.attendees[position].changed,
        });
        let attendee = &mut event.attendees[position];
        if let Some(former) = former {
            attendee.former = Some(former);
            attendee.older_reads = 2;
        }
        if stamps {
            attendee.changed = whole_seconds(now);
            attendee.touched = now;
        }
        edit(attendee);
        attendee.rendered = None;
        event.changes[position] = attendee.changed.as_second();
        true
    }

    pub(super) fn new_attendee(&mut self, id: String, order_id: String, now: Timestamp) -> Attendee {
        Attendee {
            id,
            order_id,
            created: whole_seconds(now),
            changed: whole_seconds(now),
            ticket_class: 0,
            profile: None,
            status: "Attending".to_owned(),
            cancelled: false,
            refunded: false,
            checked_in: false,
            barcode_changed: whole_seconds(now),
            spoil: None,
            touched: now,
            former: None,
            older_reads: 0,
            rendered: None,
        }
    }
}
