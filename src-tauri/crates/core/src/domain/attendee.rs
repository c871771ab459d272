//! Registrations as a feed stores them, and attendees as an item shows them.

use super::ids::{AttendeeId, ItemId, RegistrationId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether somebody is expected. Ordered: the best of several registrations wins for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttendeeStatus {
    NotAttending,
    Awaiting,
    Attending,
}

impl AttendeeStatus {
    pub const ALL: [AttendeeStatus; 3] = [
        AttendeeStatus::NotAttending,
        AttendeeStatus::Awaiting,
        AttendeeStatus::Attending,
    ];

    pub fn code(self) -> &'static str {
        match self {
            AttendeeStatus::NotAttending => "NOT_ATTENDING",
            AttendeeStatus::Awaiting => "AWAITING",
            AttendeeStatus::Attending => "ATTENDING",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// One registration at a provider (an Eventbrite attendee, a Luma guest), in our terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    pub external_id: RegistrationId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub company: Option<String>,
    pub ticket_type: Option<String>,
    pub status: AttendeeStatus,
    /// The provider's own word.
    pub provider_status: String,
    pub checked_in_at: Option<Timestamp>,
    pub order_id: Option<String>,
    pub registered_at: Option<Timestamp>,
    /// When the provider last changed it; Luma does not say.
    pub updated_at: Option<Timestamp>,
    /// Tickets held (Luma guests may hold several; uncaptured ones are not counted).
    pub tickets: u32,
    pub tickets_checked_in: u32,
    /// Orders two readings of the same registration: a reading with a lower version is the older one. Eventbrite's
    /// `changed` in microseconds; always 0 at Luma, which tells no time of change: there the latest reading stands.
    #[serde(skip)]
    pub version: i64,
}

impl Registration {
    /// The key that joins a person's registrations: the trimmed lower-cased e-mail, else the registration itself.
    pub fn person_key(&self) -> String {
        match self
            .email
            .as_deref()
            .map(str::trim)
            .filter(|email| !email.is_empty())
        {
            Some(email) => email.to_lowercase(),
            None => format!("registration:{}", self.external_id),
        }
    }

    /// Whether two readings say the same, apart from when they were read.
    pub fn says_the_same(&self, other: &Registration) -> bool {
        let other_version = other.version;
        let mut aligned = self.clone();
        aligned.version = other_version;
        aligned == *other
    }
}

/// A record that could not be read. One with an id counts as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The record's id at the provider, where even that could be read.
    pub external_id: Option<RegistrationId>,
    /// Follows from the record's content and begins with [`SetAside::NAMELESS`]; names it where it has no id.
    pub fingerprint: String,
    /// What could not be read, for diagnostics: field names and kinds, never values.
    pub reason: String,
}

impl SetAside {
    /// What keys of records without an id begin with, and no id does.
    pub const NAMELESS: char = '#';

    /// What tells this record from the other set-aside records of its feed.
    pub fn key(&self) -> &str {
        self.external_id
            .as_ref()
            .map_or(self.fingerprint.as_str(), RegistrationId::as_str)
    }
}

/// One row of an item: a registration (Badge event) or a person by e-mail (Path items).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attendee {
    pub id: AttendeeId,
    pub external_id: RegistrationId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub company: Option<String>,
    pub ticket_type: Option<String>,
    pub status: AttendeeStatus,
    pub provider_status: String,
    pub checked_in_at: Option<Timestamp>,
    pub order_id: Option<String>,
    pub registered_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub registrations: u32,
}

impl Attendee {
    /// A Badge event's row: the registration itself.
    pub fn of_registration(item: &ItemId, registration: Registration) -> Self {
        Self {
            id: AttendeeId::of(item, registration.external_id.as_str()),
            external_id: registration.external_id,
            name: registration.name,
            email: registration.email,
            company: registration.company,
            ticket_type: registration.ticket_type,
            status: registration.status,
            provider_status: registration.provider_status,
            checked_in_at: registration.checked_in_at,
            order_id: registration.order_id,
            registered_at: registration.registered_at,
            updated_at: registration.updated_at,
            registrations: 1,
        }
    }

    /// A Path item's row: one person over all registrations with the same key. Status is the best of them, the name
    /// and the other details are those of the newest registration (falling back to older ones where it has none), the
    /// check-in is the earliest. `None` for no registrations.
    pub fn of_person(item: &ItemId, registrations: &[Registration]) -> Option<Self> {
        let mut newest_first: Vec<&Registration> = registrations.iter().collect();
        newest_first.sort_by(|left, right| {
            (right.registered_at, &right.external_id).cmp(&(left.registered_at, &left.external_id))
        });
        let newest = *newest_first.first()?;
        // The best status names the registration whose provider word is shown.
        let best = newest_first
            .iter()
            .rev()
            .max_by_key(|registration| registration.status)
            .copied()?;
        let first_known = |pick: fn(&Registration) -> Option<&String>| {
            newest_first
                .iter()
                .find_map(|registration| pick(registration).cloned())
        };
        let mut ticket_types: Vec<&str> = Vec::new();
        for registration in newest_first.iter().rev() {
            if registration.status == best.status
                && let Some(ticket_type) = registration.ticket_type.as_deref()
                && !ticket_types.contains(&ticket_type)
            {
                ticket_types.push(ticket_type);
            }
        }
        Some(Self {
            id: AttendeeId::of(item, &newest.person_key()),
            external_id: newest.external_id.clone(),
            name: first_known(|registration| registration.name.as_ref()),
            email: newest.email.as_deref().map(|email| email.trim().to_owned()),
            company: first_known(|registration| registration.company.as_ref()),
            ticket_type: (!ticket_types.is_empty()).then(|| ticket_types.join(", ")),
            status: best.status,
            provider_status: best.provider_status.clone(),
            checked_in_at: newest_first
                .iter()
                .filter_map(|registration| registration.checked_in_at)
                .min(),
            order_id: newest.order_id.clone(),
            registered_at: newest_first
                .iter()
                .filter_map(|registration| registration.registered_at)
                .min(),
            updated_at: newest_first
                .iter()
                .filter_map(|registration| registration.updated_at)
                .max(),
            registrations: u32::try_from(registrations.len()).unwrap_or(u32::MAX),
        })
    }
}

/// How many rows an item has. The three statuses add up to `total`; `checked_in` counts ATTENDING rows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub total: u64,
    pub attending: u64,
    pub awaiting: u64,
    pub not_attending: u64,
    pub checked_in: u64,
}

/// Tickets of all registrations, whatever their status; `checked_in` those used by somebody attending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tickets {
    pub total: u64,
    pub checked_in: u64,
}
