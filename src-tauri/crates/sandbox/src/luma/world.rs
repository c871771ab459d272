//! Luma's records: calendars, keys, events, guests. Owns what is true; says nothing about how it is served.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::lists::{SortColumn, sort_value};
use super::switches::LumaSwitches;
use super::wire;
use crate::clock::whole_milliseconds;
use crate::dice::{Dice, LETTERS_AND_DIGITS};
use crate::fault::Spoil;
use crate::registration::{Attendance, ProviderRegistration};
use crate::spec::{EventSpec, GuestSpec};

/// One Luma calendar with its first key. All credentials are canaries, made for leak sweeps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LumaCalendar {
    /// `cal-…`
    pub id: String,
    /// The calendar's name.
    pub name: String,
    /// `secret-CANARYLUMA…`
    pub key: String,
    /// `usr-…` of the owner.
    pub user_id: String,
    /// The owner's name.
    pub owner_name: String,
    /// The owner's e-mail.
    pub owner_email: String,
}

#[derive(Debug)]
pub(super) struct Calendar {
    pub(super) public: LumaCalendar,
    pub(super) lapsed: bool,
    /// Start of the running minute, requests in it, and the end of the block if there is one.
    pub(super) window: (Timestamp, u64),
    pub(super) blocked_until: Option<Timestamp>,
    pub(super) events: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) calendar: usize,
    pub(super) revoked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) type_id: String,
    pub(super) captured: bool,
    pub(super) checked_in_at: Option<Timestamp>,
}

/// What a guest said about themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestProfile {
    /// `user_name`
    pub name: Option<String>,
    /// `user_first_name`
    pub first_name: Option<String>,
    /// `user_last_name`
    pub last_name: Option<String>,
    /// `user_email`, as typed.
    pub email: Option<String>,
    /// The company in the registration answers.
    pub company: Option<String>,
    /// The job title beside it; with one, the answer is an object, otherwise it may be a plain string.
    pub job_title: Option<String>,
    /// Whether the company's answer is a plain string.
    pub company_as_text: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub(super) id: String,
    pub(super) guest_key: String,
    pub(super) user_id: String,
    pub(super) profile: GuestProfile,
    pub(super) approval_status: String,
    pub(super) created_at: Timestamp,
    pub(super) registered_at: Option<Timestamp>,
    pub(super) invited_at: Option<Timestamp>,
    pub(super) tickets: Vec<Ticket>,
    pub(super) answers_null: bool,
    pub(super) spoil: Option<Spoil>,
    rendered: Option<Arc<str>>,
}

impl Guest {
    pub(super) fn captured(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter().filter(|ticket| ticket.captured)
    }

    pub(super) fn checked_in_at(&self) -> Option<Timestamp> {
        self.captured().filter_map(|ticket| ticket.checked_in_at).min()
    }

    pub(super) fn full_name(&self) -> Option<String> {
        let profile = &self.profile;
        profile.name.clone().or_else(|| {
            let parts = [&profile.first_name, &profile.last_name];
            let parts: Vec<&str> = parts
                .into_iter()
                .flatten()
                .map(String::as_str)
                .filter(|part| !part.is_empty())
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        })
    }

    pub(super) fn registration(&self) -> ProviderRegistration {
        let mut names: Vec<&str> = Vec::new();
        for ticket in self.captured() {
            if !names.contains(&ticket.name.as_str()) {
                names.push(&ticket.name);
            }
        }
        let count = |tickets: usize| u32::try_from(tickets).unwrap_or(u32::MAX);
        let company = if self.answers_null {
            None
        } else {
            self.profile.company.clone()
        };
        ProviderRegistration {
            id: self.id.clone(),
            name: self.full_name(),
            email: self.profile.email.clone(),
            company,
            ticket_type: (!names.is_empty()).then(|| names.join(", ")),
            provider_status: self.approval_status.clone(),
            attending: match self.approval_status.as_str() {
                "approved" | "session" => Attendance::Attending,
                "declined" => Attendance::NotAttending,
                _ => Attendance::Awaiting,
            },
            checked_in_at: self.checked_in_at(),
            order_id: None,
            registered_at: self.registered_at,
            changed: None,
            tickets: count(self.captured().count()),
            tickets_checked_in: count(
                self.captured()
                    .filter(|ticket| ticket.checked_in_at.is_some())
                    .count(),
            ),
        }
    }
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) calendar: usize,
    pub(super) title: String,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) timezone: String,
    pub(super) created_at: Timestamp,
    pub(super) deleted: bool,
    pub(super) ticket_types: Vec<(String, String)>,
    pub(super) guests: Vec<Guest>,
    positions: HashMap<String, usize>,
    orders: HashMap<SortColumn, Arc<Vec<usize>>>,
    pub(super) repeats_rows: bool,
    pub(super) empty_page: Option<u64>,
    /// Left out of lists; asked for by id they answer.
    pub(super) unlisted: HashSet<String>,
}

impl Event {
    pub(super) fn position(&self, guest_id: &str) -> Option<usize> {
        self.positions.get(guest_id).copied()
    }

    /// The guest's JSON, rendered at most once per change.
    pub(super) fn rendered(&mut self, position: usize) -> Arc<str> {
        if let Some(done) = &self.guests[position].rendered {
            return Arc::clone(done);
        }
        let json: Arc<str> = wire::guest(&self.guests[position], &self.id).into();
        self.guests[position].rendered = Some(Arc::clone(&json));
        json
    }

    /// Positions in ascending order of that column (nulls last), ties by id; kept until something changes.
    pub(super) fn order(&mut self, column: SortColumn) -> Arc<Vec<usize>> {
        if let Some(order) = self.orders.get(&column) {
            return Arc::clone(order);
        }
        let mut order: Vec<usize> = (0..self.guests.len()).collect();
        order.sort_by_cached_key(|at| {
            let guest = &self.guests[*at];
            let value = sort_value(guest, column);
            (value.is_none(), value, guest.id.clone())
        });
        let order = Arc::new(order);
        self.orders.insert(column, Arc::clone(&order));
        order
    }

    pub(super) fn push(&mut self, guest: Guest) {
        self.positions.insert(guest.id.clone(), self.guests.len());
        self.guests.push(guest);
        self.orders.clear();
    }

    pub(super) fn remove(&mut self, guest_id: &str) -> bool {
        let Some(position) = self.position(guest_id) else {
            return false;
        };
        self.guests.remove(position);
        self.positions = self
            .guests
            .iter()
            .enumerate()
            .map(|(at, guest)| (guest.id.clone(), at))
            .collect();
        self.orders.clear();
        true
    }

    pub(super) fn change(&mut self, guest_id: &str, edit: impl FnOnce(&mut Guest)) -> bool {
        let Some(position) = self.position(guest_id) else {
            return false;
        };
        let guest = &mut self.guests[position];
        edit(guest);
        guest.rendered = None;
        self.orders.clear();
        true
    }

    /// The id of the ticket type of that name, made when it is new.
    pub(super) fn ticket_type(&mut self, name: &str, dice: &mut Dice) -> String {
        if let Some((id, _)) = self.ticket_types.iter().find(|(_, known)| known == name) {
            return id.clone();
        }
        let id = format!("ttype-{}", dice.word(LETTERS_AND_DIGITS, 15));
        self.ticket_types.push((id.clone(), name.to_owned()));
        id
    }
}

/// All of it.
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) switches: LumaSwitches,
    pub(super) calendars: Vec<Calendar>,
    pub(super) keys: HashMap<String, Key>,
    pub(super) events: HashMap<String, Event>,
    pub(super) people: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed ^ 0x1A1A_0000_0000_0002),
            switches: LumaSwitches::default(),
            calendars: Vec::new(),
            keys: HashMap::new(),
            events: HashMap::new(),
            people: 1_000_000,
        }
    }

    pub(super) fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.dice.word(LETTERS_AND_DIGITS, 15))
    }

    pub(super) fn add_calendar(&mut self, name: &str, owner_name: &str, owner_email: &str) -> LumaCalendar {
        let index = self.calendars.len();
        let known = self
            .calendars
            .iter()
            .find(|calendar| calendar.public.owner_email == owner_email);
        let user_id = known.map(|calendar| calendar.public.user_id.clone());
        let calendar = LumaCalendar {
            id: self.id("cal-"),
            name: name.to_owned(),
            key: self.issue_key(index),
            user_id: user_id.unwrap_or_else(|| self.id("usr-")),
            owner_name: owner_name.to_owned(),
            owner_email: owner_email.to_owned(),
        };
        self.calendars.push(Calendar {
            public: calendar.clone(),
            lapsed: false,
            window: (Timestamp::UNIX_EPOCH, 0),
            blocked_until: None,
            events: Vec::new(),
        });
        calendar
    }

    pub(super) fn issue_key(&mut self, calendar: usize) -> String {
        let key = format!("secret-CANARYLUMA{}", self.dice.word(LETTERS_AND_DIGITS, 14));
        self.keys.insert(
            key.clone(),
            Key {
                calendar,
                revoked: false,
            },
        );
        key
    }

    pub(super) fn calendar_index(&self, id: &str) -> Option<usize> {
        self.calendars
            .iter()
            .position(|calendar| calendar.public.id == id)
    }

    pub(super) fn add_event(&mut self, calendar: usize, spec: EventSpec, now: Timestamp) -> String {
        let id = self.id("evt-");
        let starts_at = whole_milliseconds(spec.starts_at.unwrap_or(now + SignedDuration::from_hours(24)));
        let event = Event {
            id: id.clone(),
            calendar,
            title: spec.title,
            starts_at,
            ends_at: whole_milliseconds(spec.ends_at.unwrap_or(starts_at + SignedDuration::from_hours(3))),
            timezone: spec.timezone,
            created_at: whole_milliseconds(now.min(starts_at) - SignedDuration::from_hours(24 * 70)),
            deleted: false,
            ticket_types: Vec::new(),
            guests: Vec::new(),
            positions: HashMap::new(),
            orders: HashMap::new(),
            repeats_rows: false,
            empty_page: None,
            unlisted: HashSet::new(),
        };
        self.events.insert(id.clone(), event);
        self.calendars[calendar].events.push(id.clone());
        id
    }

    pub(super) fn ticket(
        &mut self,
        event_id: &str,
        name: &str,
        captured: bool,
        checked_in_at: Option<Timestamp>,
    ) -> Option<Ticket> {
        let type_id = self.events.get_mut(event_id)?.ticket_type(name, &mut self.dice);
        Some(Ticket {
            id: self.id("tkt-"),
            name: name.to_owned(),
            type_id,
            captured,
            checked_in_at: checked_in_at.map(whole_milliseconds),
        })
    }

    /// A guest as the spec says, not yet part of the event.
    pub(super) fn guest_of(&mut self, event_id: &str, spec: GuestSpec, now: Timestamp) -> Option<Guest> {
        let mut tickets = Vec::new();
        for ticket in &spec.tickets {
            tickets.push(self.ticket(event_id, &ticket.name, ticket.captured, ticket.checked_in_at)?);
        }
        let invited = spec.approval_status == "invited";
        let mut guest = self.new_guest(now);
        let (first, last) = match spec.name.as_deref() {
            Some(name) => match name.split_once(' ') {
                Some((first, last)) => (Some(first.to_owned()), Some(last.to_owned())),
                None => (Some(name.to_owned()), Some(String::new())),
            },
            None => (None, None),
        };
        guest.profile = GuestProfile {
            name: spec.name,
            first_name: first,
            last_name: last,
            email: spec.email,
            company: spec.company,
            job_title: None,
            company_as_text: spec.company_as_text,
        };
        guest.approval_status = spec.approval_status;
        guest.created_at = whole_milliseconds(spec.created_at.or(spec.registered_at).unwrap_or(now));
        guest.registered_at = (!invited).then(|| whole_milliseconds(spec.registered_at.unwrap_or(now)));
        guest.invited_at = invited.then_some(guest.created_at);
        guest.tickets = tickets;
        Some(guest)
    }

    pub(super) fn new_guest(&mut self, now: Timestamp) -> Guest {
        Guest {
            id: self.id("gst-"),
            guest_key: self.id("g-"),
            user_id: self.id("usr-"),
            profile: GuestProfile::default(),
            approval_status: "approved".to_owned(),
            created_at: whole_milliseconds(now),
            registered_at: Some(whole_milliseconds(now)),
            invited_at: None,
            tickets: Vec::new(),
            answers_null: false,
            spoil: None,
            rendered: None,
        }
    }
}
