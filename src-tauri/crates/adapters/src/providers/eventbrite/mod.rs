//! Eventbrite's API v3. Paths end in a slash: without it the API answers 301 (its reference).

mod classify;
pub(super) mod record;

use super::http::{Answer, Requester};
use super::wire::{Object, WireId, or_default, parse, parse_raw, parse_records, present, time};
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use talkvalue_core::domain::credential::Credential;
use talkvalue_core::domain::event::ProviderEvent;
use talkvalue_core::domain::ids::{AccountId, ExternalId, RegistrationId};
use talkvalue_core::domain::integration::Account;
use talkvalue_core::domain::provider::{Origin, Origins, Provider};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{
    Channel, Clock, Cursor, EventPage, OrganizationPage, ProviderApi, ProviderError, RegistrationPage, Walk,
};

/// An account sees few organizations; a list longer than this repeats itself.
const MOST_ORGANIZATION_PAGES: usize = 100;

/// Eventbrite at one origin.
pub struct EventbriteApi {
    requester: Requester,
    origins: Origins,
}

impl EventbriteApi {
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
        let header = super::bearer(credential, &self.origins)?;
        let answer = self.requester.get(path, query, (AUTHORIZATION, header)).await?;
        classify::classify(answer)
    }

    /// A page of attendees as it came. No `status`: every transition is wanted.
    async fn attendees(
        &self,
        credential: &Credential,
        path: &str,
        since: Option<Timestamp>,
        cursor: Option<&Cursor>,
    ) -> Result<Answer, ProviderError> {
        // The reference's format has whole seconds.
        let since = since.map(|since| since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let mut query: Vec<(&str, &str)> = Vec::new();
        query.extend(since.as_deref().map(|since| ("changed_since", since)));
        query.extend(cursor.map(|cursor| ("continuation", cursor.0.as_str())));
        self.get(credential, path, &query).await
    }

    async fn organizations(&self, credential: &Credential) -> Result<Vec<Channel>, ProviderError> {
        let mut channels = Vec::new();
        let mut continuation: Option<String> = None;
        for _ in 0..MOST_ORGANIZATION_PAGES {
            let query: Vec<(&str, &str)> = continuation
                .iter()
                .map(|token| ("continuation", token.as_str()))
                .collect();
            let answer = self.get(credential, "/users/me/organizations/", &query).await?;
            let page: OrganizationsPage = parse(&answer.body)?;
            channels.extend(page.organizations.into_iter().filter_map(|organization| {
                let id = organization.id?.into_text()?;
                Some(Channel {
                    name: present(organization.name).unwrap_or_else(|| format!("Organization {id}")),
                    external_id: ExternalId::from_text(id),
                })
            }));
            match page.pagination.next()? {
                None => return Ok(channels),
                Some(token) => continuation = Some(token),
            }
        }
        Err(malformed("the list of organizations does not end"))
    }
}

/// Every list's envelope. `object_count` and `page_count` may be missing and are approximate (reference, "optional").
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pagination {
    /// Whatever it is, it is no reason to refuse a page.
    object_count: Option<Value>,
    continuation: Option<String>,
    has_more_items: Option<bool>,
}

impl Pagination {
    /// The walk ends on `has_more_items`: a continuation may stand on the last page too.
    fn next(&self) -> Result<Option<String>, ProviderError> {
        match (self.has_more_items, &self.continuation) {
            (Some(false), _) => Ok(None),
            (Some(true), Some(token)) if !token.is_empty() => Ok(Some(token.clone())),
            (Some(true), _) => Err(ProviderError::Malformed {
                detail: "more pages, but no continuation".to_owned(),
            }),
            (None, _) => Err(ProviderError::Malformed {
                detail: "a list without has_more_items".to_owned(),
            }),
        }
    }
}

#[derive(Debug, Deserialize)]
struct OrganizationsPage {
    pagination: Pagination,
    organizations: Vec<OrganizationWire>,
}

#[derive(Debug, Deserialize)]
struct OrganizationWire {
    id: Option<WireId>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EventsPage<'a> {
    pagination: Pagination,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct AttendeesPage<'a> {
    pagination: Pagination,
    #[serde(borrow)]
    attendees: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct UserWire {
    id: WireId,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    emails: Vec<Object<EmailWire>>,
}

#[derive(Debug, Deserialize)]
struct EmailWire {
    email: Option<String>,
    #[serde(default)]
    primary: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct EventWire {
    id: WireId,
    #[serde(default, deserialize_with = "or_default")]
    name: Object<TextWire>,
    #[serde(default, deserialize_with = "or_default")]
    start: Object<MomentWire>,
    #[serde(default, deserialize_with = "or_default")]
    end: Object<MomentWire>,
    #[serde(default)]
    organization_id: Option<WireId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TextWire {
    text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MomentWire {
    timezone: Option<String>,
    #[serde(deserialize_with = "time")]
    utc: Option<Timestamp>,
}

impl EventWire {
    fn into_event(self) -> Option<ProviderEvent> {
        let external_id = ExternalId::from_text(self.id.into_text()?);
        Some(ProviderEvent {
            title: present(self.name.0.text).unwrap_or_else(|| format!("Event {external_id}")),
            external_id,
            starts_at: self.start.0.utc,
            ends_at: self.end.0.utc,
            timezone: present(self.start.0.timezone),
            organization: self
                .organization_id
                .and_then(WireId::into_text)
                .map(ExternalId::from_text),
            headcount: None,
        })
    }
}

/// Where the list of all events goes on: the organizations still to be listed, the first of them from `continuation`.
#[derive(Debug, Serialize, Deserialize)]
struct EventsCursor {
    organizations: Vec<String>,
    continuation: Option<String>,
}

#[async_trait]
impl ProviderApi for EventbriteApi {
    fn provider(&self) -> Provider {
        Provider::Eventbrite
    }

    fn origins(&self) -> &Origins {
        &self.origins
    }

    async fn identify(&self, credential: &Credential) -> Result<Account, ProviderError> {
        let answer = self.get(credential, "/users/me/", &[]).await?;
        let user: UserWire = parse(&answer.body)?;
        let id = user
            .id
            .into_text()
            .ok_or_else(|| malformed("an account without id"))?;
        let emails: Vec<EmailWire> = user.emails.into_iter().map(|Object(email)| email).collect();
        let email = emails
            .iter()
            .find(|email| email.primary == Some(true))
            .or(emails.first())
            .and_then(|email| present(email.email.clone()));
        let name = present(user.name)
            .or_else(|| email.clone())
            .unwrap_or_else(|| format!("Eventbrite account {id}"));
        Ok(Account {
            id: AccountId::from_text(id),
            name,
            email,
        })
    }

    async fn lists_events(&self, credential: &Credential) -> Result<(), ProviderError> {
        self.get(credential, "/users/me/organizations/", &[])
            .await
            .map(|_| ())
    }

    async fn event_page(
        &self,
        credential: &Credential,
        channel: Option<&ExternalId>,
        cursor: Option<&Cursor>,
    ) -> Result<EventPage, ProviderError> {
        let mut place = match cursor {
            Some(cursor) => {
                serde_json::from_str::<EventsCursor>(&cursor.0).map_err(|_| ProviderError::CursorRejected)?
            }
            None => EventsCursor {
                organizations: match channel {
                    Some(channel) => vec![channel.as_str().to_owned()],
                    None => {
                        let all = self.organizations(credential).await?;
                        all.into_iter()
                            .map(|channel| channel.external_id.as_str().to_owned())
                            .collect()
                    }
                },
                continuation: None,
            },
        };
        let Some(organization) = place.organizations.first().cloned() else {
            return Ok(EventPage {
                events: Vec::new(),
                unreadable: 0,
                next: None,
                server_time: self.requester.now(),
            });
        };
        let path = format!("/organizations/{}/events/", super::segment(&organization));
        let mut query = vec![("status", "all"), ("order_by", "start_desc")];
        if let Some(token) = &place.continuation {
            query.push(("continuation", token));
        }
        let (mut events, mut unreadable, mut next) = (Vec::new(), 0, None);
        let mut server_time = self.requester.now();
        match self.get(credential, &path, &query).await {
            Ok(answer) => {
                let page: EventsPage<'_> = parse(&answer.body)?;
                let (read, set_aside) = parse_records(&page.events, EventWire::into_event);
                (events, unreadable) = (read, set_aside.len() as u64);
                next = page.pagination.next()?;
                server_time = answer.server_time;
            }
            // The role in this organization is too low: its events are not offered, the others are.
            Err(ProviderError::PermissionMissing) if channel.is_none() => {}
            Err(error) => return Err(error),
        }
        match next {
            Some(token) => place.continuation = Some(token),
            None => {
                place.organizations.remove(0);
                place.continuation = None;
            }
        }
        let next = if place.organizations.is_empty() {
            None
        } else {
            let text =
                serde_json::to_string(&place).map_err(|_| malformed("a cursor that cannot be written"))?;
            Some(Cursor(text))
        };
        Ok(EventPage {
            events,
            unreadable,
            next,
            server_time,
        })
    }

    async fn channels(
        &self,
        credential: &Credential,
        _account: &Account,
    ) -> Result<Vec<Channel>, ProviderError> {
        self.organizations(credential).await
    }

    async fn event(
        &self,
        credential: &Credential,
        event: &ExternalId,
    ) -> Result<ProviderEvent, ProviderError> {
        let path = format!("/events/{}/", super::segment(event.as_str()));
        let answer = self.get(credential, &path, &[]).await?;
        let event: EventWire = parse(&answer.body)?;
        event.into_event().ok_or_else(|| malformed("an event without id"))
    }

    async fn organization_page(
        &self,
        credential: &Credential,
        organization: &ExternalId,
        since: Timestamp,
        cursor: Option<&Cursor>,
    ) -> Result<OrganizationPage, ProviderError> {
        // Each attendee bears its event (reference, "List Attendees by Organization").
        let path = format!(
            "/organizations/{}/attendees/",
            super::segment(organization.as_str())
        );
        let answer = self.attendees(credential, &path, Some(since), cursor).await?;
        let page: AttendeesPage<'_> = parse(&answer.body)?;
        let (rows, set_aside) =
            parse_records(&page.attendees, record::AttendeeWire::into_registration_of_event);
        Ok(OrganizationPage {
            rows,
            set_aside,
            next: page.pagination.next()?.map(Cursor),
            total: page.pagination.object_count.as_ref().and_then(Value::as_u64),
            server_time: answer.server_time,
        })
    }

    async fn registration(
        &self,
        credential: &Credential,
        event: &ExternalId,
        registration: &RegistrationId,
    ) -> Result<Option<RegistrationPage>, ProviderError> {
        let path = format!(
            "/events/{}/attendees/{}/",
            super::segment(event.as_str()),
            super::segment(registration.as_str())
        );
        let answer = self.get(credential, &path, &[]).await?;
        let record: &RawValue = parse_raw(&answer.body)?;
        let (rows, set_aside) = parse_records(&[record], record::AttendeeWire::into_registration);
        Ok(Some(RegistrationPage {
            rows,
            set_aside,
            next: None,
            total: None,
            server_time: answer.server_time,
        }))
    }

    async fn registration_page(
        &self,
        credential: &Credential,
        walk: &Walk,
        cursor: Option<&Cursor>,
    ) -> Result<RegistrationPage, ProviderError> {
        let (event, since) = match walk {
            Walk::Full { event } => (event, None),
            Walk::ChangedSince { event, since } => (event, Some(*since)),
            // No order can be asked for: the core never asks for such a walk.
            Walk::Newest { .. } => return Err(malformed("Eventbrite has no list by newest")),
        };
        let path = format!("/events/{}/attendees/", super::segment(event.as_str()));
        let answer = self.attendees(credential, &path, since, cursor).await?;
        let page: AttendeesPage<'_> = parse(&answer.body)?;
        let (rows, set_aside) = parse_records(&page.attendees, record::AttendeeWire::into_registration);
        Ok(RegistrationPage {
            rows,
            set_aside,
            next: page.pagination.next()?.map(Cursor),
            total: page.pagination.object_count.as_ref().and_then(Value::as_u64),
            server_time: answer.server_time,
        })
    }
}

fn malformed(detail: &str) -> ProviderError {
    ProviderError::Malformed {
        detail: detail.to_owned(),
    }
}
