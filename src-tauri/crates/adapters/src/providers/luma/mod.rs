//! Luma's public API. One key opens one calendar; the calendar is implicit in every call.

mod classify;
pub(super) mod record;

use super::http::{Answer, Requester};
use super::wire::{WireId, parse, parse_records, present, time};
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use talkvalue_core::domain::credential::{Credential, SignIn};
use talkvalue_core::domain::event::{Headcount, ProviderEvent};
use talkvalue_core::domain::ids::{AccountId, ExternalId, RegistrationId};
use talkvalue_core::domain::integration::Account;
use talkvalue_core::domain::provider::{Origin, Origins, Provider};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{
    Channel, Clock, Cursor, EventPage, NewestBy, OrganizationPage, ProviderApi, ProviderError,
    RegistrationPage, Walk,
};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-luma-api-key");
/// The largest page seen to be honoured (not documented; a smaller one comes back where it is not).
const PAGE_LIMIT: &str = "100";

/// Luma at one origin.
pub struct LumaApi {
    requester: Requester,
    origins: Origins,
}

impl LumaApi {
    /// `witness` is another server, asked only whether this computer is online.
    pub fn new(origins: Origins, witness: &Origin, clock: Arc<dyn Clock>) -> Result<Self, CommandError> {
        Ok(Self {
            requester: Requester::new(&origins.api, witness, clock)?,
            origins,
        })
    }

    async fn get(
        &self,
        credential: &Credential,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, ProviderError> {
        let header = match credential.sign_in {
            SignIn::Oauth => (AUTHORIZATION, super::bearer(credential, &self.origins)?),
            SignIn::Key | SignIn::Token => (KEY_HEADER, super::header_value(credential, &self.origins, "")?),
        };
        let with_cursor = query.iter().any(|(name, _)| *name == "pagination_cursor");
        classify::classify(self.requester.get(path, query, header).await?, with_cursor)
    }
}

#[derive(Debug, Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
    has_more: bool,
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Page<'_> {
    /// The walk ends on `has_more`: a cursor stands on the last page too.
    fn next(&self) -> Result<Option<Cursor>, ProviderError> {
        match (self.has_more, &self.next_cursor) {
            (false, _) => Ok(None),
            (true, Some(cursor)) if !cursor.is_empty() => Ok(Some(Cursor(cursor.clone()))),
            (true, _) => Err(ProviderError::Malformed {
                detail: "more pages, but no cursor".to_owned(),
            }),
        }
    }
}

#[derive(Debug, Deserialize)]
struct UserWire {
    #[serde(default)]
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CalendarWire {
    id: WireId,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EventWire {
    id: WireId,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "time")]
    start_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    end_at: Option<Timestamp>,
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    guest_counts: Option<Value>,
}

impl EventWire {
    fn into_event(self) -> Option<ProviderEvent> {
        let external_id = ExternalId::from_text(self.id.into_text()?);
        Some(ProviderEvent {
            title: present(self.name).unwrap_or_else(|| format!("Event {external_id}")),
            external_id,
            starts_at: self.start_at,
            ends_at: self.end_at,
            timezone: present(self.timezone),
            organization: None,
            headcount: self.guest_counts.as_ref().and_then(guests_counted),
        })
    }
}

/// The guests of every status, where newer states of the description tell them. Whatever else it may hold is no error.
fn guests_counted(counts: &Value) -> Option<Headcount> {
    let of = |status: &str| counts.get(status)?.get("guests")?.as_u64();
    of("approved")?;
    let statuses = ["approved", "pending_approval", "waitlist", "invited", "declined"];
    let counted = |status: &str| Some((status.to_owned(), of(status)?));
    Some(Headcount {
        by_status: statuses.into_iter().filter_map(counted).collect(),
        checked_in: of("checked_in"),
    })
}

#[async_trait]
impl ProviderApi for LumaApi {
    fn provider(&self) -> Provider {
        Provider::Luma
    }

    fn origins(&self) -> &Origins {
        &self.origins
    }

    /// The user behind the key, then the calendar that the key opens: the calendar is the account.
    async fn identify(&self, credential: &Credential) -> Result<Account, ProviderError> {
        let user = self.get(credential, "/v1/users/get-self", &[]).await?;
        let user: UserWire = parse(&user.body)?;
        let calendar = self.get(credential, "/v1/calendars/get", &[]).await?;
        let calendar: CalendarWire = parse(&calendar.body)?;
        let id = calendar.id.into_text().ok_or_else(|| ProviderError::Malformed {
            detail: "a calendar without id".to_owned(),
        })?;
        Ok(Account {
            name: present(calendar.name).unwrap_or_else(|| format!("Luma calendar {id}")),
            id: AccountId::from_text(id),
            email: present(user.email),
        })
    }

    async fn lists_events(&self, credential: &Credential) -> Result<(), ProviderError> {
        self.get(
            credential,
            "/v1/calendars/events/list",
            &[("pagination_limit", "1")],
        )
        .await
        .map(|_| ())
    }

    async fn event_page(
        &self,
        credential: &Credential,
        // A key opens one calendar: its events are all there are.
        _channel: Option<&ExternalId>,
        cursor: Option<&Cursor>,
    ) -> Result<EventPage, ProviderError> {
        let mut query = vec![
            ("sort_column", "start_at"),
            ("sort_direction", "desc"),
            ("pagination_limit", PAGE_LIMIT),
        ];
        if let Some(cursor) = cursor {
            query.push(("pagination_cursor", &cursor.0));
        }
        let answer = self.get(credential, "/v1/calendars/events/list", &query).await?;
        let page: Page<'_> = parse(&answer.body)?;
        let (events, set_aside) = parse_records(&page.entries, EventWire::into_event);
        Ok(EventPage {
            events,
            unreadable: set_aside.len() as u64,
            next: page.next()?,
            server_time: answer.server_time,
        })
    }

    async fn channels(
        &self,
        _credential: &Credential,
        account: &Account,
    ) -> Result<Vec<Channel>, ProviderError> {
        Ok(vec![Channel {
            external_id: ExternalId::from_text(account.id.as_str()),
            name: account.name.clone(),
        }])
    }

    async fn event(
        &self,
        credential: &Credential,
        event: &ExternalId,
    ) -> Result<ProviderEvent, ProviderError> {
        let answer = self
            .get(credential, "/v1/events/get", &[("event_id", event.as_str())])
            .await?;
        let event: EventWire = parse(&answer.body)?;
        event.into_event().ok_or_else(|| ProviderError::Malformed {
            detail: "an event without id".to_owned(),
        })
    }

    async fn organization_page(
        &self,
        _credential: &Credential,
        _organization: &ExternalId,
        _since: Timestamp,
        _cursor: Option<&Cursor>,
    ) -> Result<OrganizationPage, ProviderError> {
        Err(ProviderError::Malformed {
            detail: "Luma has no changed_since".to_owned(),
        })
    }

    /// What Luma answers for a guest that it no longer knows is not documented.
    async fn registration(
        &self,
        _credential: &Credential,
        _event: &ExternalId,
        _registration: &RegistrationId,
    ) -> Result<Option<RegistrationPage>, ProviderError> {
        Ok(None)
    }

    async fn registration_page(
        &self,
        credential: &Credential,
        walk: &Walk,
        cursor: Option<&Cursor>,
    ) -> Result<RegistrationPage, ProviderError> {
        let (event, column, direction) = match walk {
            // `created_at` never changes, so the keyset cursor cannot skip or repeat a guest.
            Walk::Full { event } => (event, "created_at", "asc"),
            // Who was only invited has not registered, and who has not come has no time of it: both stand last.
            Walk::Newest { event, by } => match by {
                NewestBy::Registration => (event, "registered_at", "desc nulls last"),
                NewestBy::CheckIn => (event, "checked_in_at", "desc nulls last"),
            },
            // Luma tells no times of change: the core never asks for such a walk.
            Walk::ChangedSince { .. } => {
                return Err(ProviderError::Malformed {
                    detail: "Luma has no changed_since".to_owned(),
                });
            }
        };
        let mut query = vec![
            ("event_id", event.as_str()),
            ("sort_column", column),
            ("sort_direction", direction),
            ("pagination_limit", PAGE_LIMIT),
        ];
        if let Some(cursor) = cursor {
            query.push(("pagination_cursor", &cursor.0));
        }
        let answer = self.get(credential, "/v1/events/guests/list", &query).await?;
        let page: Page<'_> = parse(&answer.body)?;
        let (rows, set_aside) = parse_records(&page.entries, record::GuestWire::into_registration);
        Ok(RegistrationPage {
            rows,
            set_aside,
            next: page.next()?,
            total: None,
            server_time: answer.server_time,
        })
    }
}
