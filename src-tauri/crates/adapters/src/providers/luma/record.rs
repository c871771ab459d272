//! One Luma guest. Check-in is per ticket; a ticket with `is_captured: false` is no sale and is ignored.

use crate::providers::wire::{Object, WireId, full_name, or_default, present, time};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use talkvalue_core::domain::attendee::{AttendeeStatus, Registration};
use talkvalue_core::domain::ids::RegistrationId;

#[derive(Debug, Deserialize)]
pub(in crate::providers) struct GuestWire {
    id: Option<WireId>,
    #[serde(default)]
    user_email: Option<String>,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    user_first_name: Option<String>,
    #[serde(default)]
    user_last_name: Option<String>,
    #[serde(default)]
    approval_status: Option<String>,
    #[serde(default, deserialize_with = "time")]
    registered_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    registration_answers: Vec<Object<AnswerWire>>,
    #[serde(default, deserialize_with = "or_default")]
    event_tickets: Vec<Object<TicketWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnswerWire {
    question_type: Option<String>,
    value: Value,
}

#[derive(Debug, Deserialize)]
struct TicketWire {
    #[serde(default, deserialize_with = "time")]
    checked_in_at: Option<Timestamp>,
    #[serde(default)]
    is_captured: Option<bool>,
    #[serde(default)]
    name: Option<String>,
}

impl GuestWire {
    /// `None` when the record has no id.
    pub(in crate::providers) fn into_registration(self) -> Option<Registration> {
        let external_id = RegistrationId::from_text(self.id?.into_text()?);
        let provider_status = self.approval_status.unwrap_or_default();
        let status = match provider_status.as_str() {
            "approved" | "session" => AttendeeStatus::Attending,
            "declined" => AttendeeStatus::NotAttending,
            // "pending_approval", "waitlist", "invited", and every word this version does not know.
            _ => AttendeeStatus::Awaiting,
        };
        // Older answers do not tell whether a ticket is captured: then it is.
        let captured: Vec<&TicketWire> = self
            .event_tickets
            .iter()
            .map(|Object(ticket)| ticket)
            .filter(|ticket| ticket.is_captured != Some(false))
            .collect();
        let mut names: Vec<&str> = Vec::new();
        for ticket in &captured {
            if let Some(name) = ticket.name.as_deref().filter(|name| !name.trim().is_empty())
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        let count = |tickets: usize| u32::try_from(tickets).unwrap_or(u32::MAX);
        Some(Registration {
            external_id,
            name: full_name(self.user_name, self.user_first_name, self.user_last_name),
            email: present(self.user_email),
            company: self
                .registration_answers
                .iter()
                .find_map(|Object(answer)| answer.company()),
            ticket_type: present(Some(names.join(", "))),
            status,
            provider_status,
            checked_in_at: captured.iter().filter_map(|ticket| ticket.checked_in_at).min(),
            order_id: None,
            registered_at: self.registered_at,
            updated_at: None,
            tickets: count(captured.len()),
            tickets_checked_in: count(
                captured
                    .iter()
                    .filter(|ticket| ticket.checked_in_at.is_some())
                    .count(),
            ),
            // One walker reads a feed, in order: the latest reading stands.
            version: 0,
        })
    }
}

impl AnswerWire {
    /// The company from an answer of that type: an object `{company, job_title}` or plain text.
    fn company(&self) -> Option<String> {
        if self.question_type.as_deref() != Some("company") {
            return None;
        }
        let text = match &self.value {
            Value::String(text) => Some(text.clone()),
            Value::Object(fields) => fields.get("company").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        present(text)
    }
}
