//! One Eventbrite attendee: one sold ticket. The booleans decide before the word `status`, which is due for removal
//! (reference, attendee object).

use crate::providers::wire::{Object, WireId, full_name, or_default, present, time};
use jiff::Timestamp;
use serde::Deserialize;
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::ids::{ExternalId, RegistrationId};

#[derive(Debug, Deserialize)]
pub(in crate::providers) struct AttendeeWire {
    id: Option<WireId>,
    #[serde(default, deserialize_with = "time")]
    created: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    changed: Option<Timestamp>,
    #[serde(default)]
    ticket_class_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    profile: Object<ProfileWire>,
    #[serde(default, deserialize_with = "or_default")]
    barcodes: Vec<Object<BarcodeWire>>,
    #[serde(default, deserialize_with = "or_default")]
    checked_in: bool,
    #[serde(default, deserialize_with = "or_default")]
    cancelled: bool,
    #[serde(default, deserialize_with = "or_default")]
    refunded: bool,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    order_id: Option<WireId>,
    #[serde(default)]
    event_id: Option<WireId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProfileWire {
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    company: Option<String>,
}

#[derive(Debug, Deserialize)]
struct BarcodeWire {
    #[serde(default)]
    status: Option<String>,
    #[serde(default, deserialize_with = "time")]
    changed: Option<Timestamp>,
}

impl AttendeeWire {
    /// With its event; `None` when the record lacks either id.
    pub(in crate::providers) fn into_registration_of_event(mut self) -> Option<(ExternalId, Registration)> {
        let event = ExternalId::from_text(self.event_id.take()?.into_text()?);
        Some((event, self.into_registration()?))
    }

    /// `None` when the record has no id.
    pub(in crate::providers) fn into_registration(self) -> Option<Registration> {
        let external_id = RegistrationId::from_text(self.id?.into_text()?);
        let provider_status = self.status.unwrap_or_default();
        let status = if self.cancelled || self.refunded {
            AttendeeStatus::NotAttending
        } else {
            match provider_status.as_str() {
                "Attending" | "Checked In" => AttendeeStatus::Attending,
                "Not Attending" | "Deleted" => AttendeeStatus::NotAttending,
                // "Unpaid", and every word this version does not know.
                _ => AttendeeStatus::Awaiting,
            }
        };
        // There is no check-in time: the used barcode's `changed` is the nearest value, the attendee's the next.
        let used = self
            .barcodes
            .iter()
            .map(|Object(barcode)| barcode)
            .filter(|barcode| barcode.status.as_deref() == Some("used"));
        let checked_in_at = if self.checked_in {
            used.filter_map(|barcode| barcode.changed).min().or(self.changed)
        } else {
            None
        };
        let Object(profile) = self.profile;
        Some(Registration {
            external_id,
            name: full_name(profile.name, profile.first_name, profile.last_name),
            email: present(profile.email),
            company: present(profile.company),
            ticket_type: present(self.ticket_class_name),
            status,
            provider_status,
            checked_in_at,
            order_id: self.order_id.and_then(WireId::into_text),
            registered_at: self.created,
            updated_at: self.changed,
            tickets: 1,
            tickets_checked_in: u32::from(self.checked_in),
            version: self.changed.map_or(i64::MIN, Timestamp::as_microsecond),
        })
    }
}
