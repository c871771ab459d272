//! The truth about one registration, in the words a correct client must arrive at. Both providers' worlds
//! are read out as [`ProviderRegistration`]s, so that a test can compare a client's rows with them.

use jiff::Timestamp;
use serde::Serialize;

/// Whether the person is expected at the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Attendance {
    /// Expected.
    Attending,
    /// Cancelled, refunded, deleted or declined.
    NotAttending,
    /// Not decided yet, or a word nobody knows.
    Awaiting,
}

impl Attendance {
    /// The word of the wire and the database: `ATTENDING`, `NOT_ATTENDING` or `AWAITING`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attending => "ATTENDING",
            Self::NotAttending => "NOT_ATTENDING",
            Self::Awaiting => "AWAITING",
        }
    }
}

/// One Eventbrite attendee or one Luma guest as the provider holds it now.
///
/// `name` and `email` are exactly as the provider sends them, blanks and capitals included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRegistration {
    /// The provider's id.
    pub id: String,
    /// The full name; first and last name joined where the provider gives no full one.
    pub name: Option<String>,
    /// The e-mail as sent; see [`Self::email_key`].
    pub email: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// The ticket class, or the distinct names of the captured tickets.
    pub ticket_type: Option<String>,
    /// The provider's own status word.
    pub provider_status: String,
    /// What that means.
    pub attending: Attendance,
    /// When the person came in, while checked in.
    pub checked_in_at: Option<Timestamp>,
    /// The order (Eventbrite only).
    pub order_id: Option<String>,
    /// When the person registered.
    pub registered_at: Option<Timestamp>,
    /// When the provider last changed the record (Eventbrite only).
    pub changed: Option<Timestamp>,
    /// Tickets held; captured ones only at Luma.
    pub tickets: u32,
    /// Tickets checked in.
    pub tickets_checked_in: u32,
}

impl ProviderRegistration {
    /// The e-mail trimmed and in lower case: what identifies a person across registrations.
    #[must_use]
    pub fn email_key(&self) -> Option<String> {
        self.email
            .as_deref()
            .map(|email| email.trim().to_lowercase())
            .filter(|email| !email.is_empty())
    }

    /// Whether the registration is checked in.
    #[must_use]
    pub fn checked_in(&self) -> bool {
        self.checked_in_at.is_some()
    }
}
