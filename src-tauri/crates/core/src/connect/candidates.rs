//! What an account offers for import.

use super::integrate::refused;
use super::keychain::open_or_sever;
use super::{check_origin, judge_refusal};
use crate::domain::credential::Credential;
use crate::domain::event::ProviderEvent;
use crate::domain::freshness::Span;
use crate::domain::ids::{ExternalId, IntegrationId, ItemId};
use crate::domain::integration::Integration;
use crate::domain::item::ItemKind;
use crate::error::CommandError;
use crate::ports::{Channel, Cursor, Ports, ProviderError};
use crate::query::stored_integration;
use crate::sync::actions::require_connected;
use crate::sync::call::{CallError, Silently, Waiter, call};
use crate::sync::engine::EngineOptions;
use crate::sync::event_list::EventList;
use crate::sync::verdict::Verdict;
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Something that can be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    pub external_id: ExternalId,
    pub title: String,
    pub starts_at: Option<Timestamp>,
    pub kinds: Vec<ItemKind>,
    pub imported_as: Vec<ImportedAs>,
}

/// An item that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedAs {
    pub kind: ItemKind,
    pub item_id: ItemId,
}

const EVENT: [ItemKind; 2] = [ItemKind::BadgeEvent, ItemKind::PathEvent];
const CHANNEL: [ItemKind; 1] = [ItemKind::PathChannel];

/// Where a candidate stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Soonest first, for the list is opened to import what is near.
    Coming(Timestamp),
    Undated,
    /// What stands for all events comes before those that are over: years of them would bury it.
    Standing,
    Over(Reverse<Timestamp>),
}

impl Place {
    fn of(event: &ProviderEvent, now: Timestamp) -> Self {
        let Some(starts_at) = event.starts_at else {
            return Place::Undated;
        };
        let span = Span {
            starts_at: event.starts_at,
            ends_at: event.ends_at,
            standing: false,
        };
        if span.over_at().is_some_and(|over_at| over_at <= now) {
            Place::Over(Reverse(starts_at))
        } else {
            Place::Coming(starts_at)
        }
    }
}

/// Everything that can be imported through the integration, in the order in which everybody shows it: what is on or
/// coming by its start, then what stands for all events, then what is over from the newest back. What is imported already
/// keeps its place.
pub async fn candidates(
    ports: &Ports,
    id: &IntegrationId,
    options: EngineOptions,
) -> Result<Vec<Candidate>, CommandError> {
    let integration = stored_integration(ports, id).await?;
    check_origin(ports, &integration)?;
    require_connected(&integration)?;
    let credential = open_or_sever(ports, &integration, options.patience).await?;
    let api = ports.provider(integration.provider).clone();
    let mut waiter = Waiter::new(options.wait_limit);
    let mut list = EventList::default();
    let mut cursor: Option<Cursor> = None;
    loop {
        let place = cursor.clone();
        let answer = call(ports, &mut waiter, &mut Silently, || {
            api.event_page(&credential, None, place.as_ref())
        })
        .await;
        match answer {
            Ok(page) => match list.take(page) {
                Ok(Some(next)) => cursor = Some(next),
                Ok(None) => break,
                Err(detail) => {
                    let error = ProviderError::Malformed {
                        detail: detail.to_owned(),
                    };
                    return Err(refused(integration.provider, "", CallError::Provider(error)));
                }
            },
            Err(CallError::Provider(ProviderError::CursorRejected)) if list.restart() => cursor = None,
            Err(error) => {
                return match judged(ports, &integration, &credential, error, options).await? {
                    Some(refusal) => Err(refusal),
                    None => Box::pin(candidates(ports, id, options)).await,
                };
            }
        }
    }
    let account = &integration.account;
    let channels = call(ports, &mut waiter, &mut Silently, || {
        api.channels(&credential, account)
    })
    .await;
    let channels = match channels {
        Ok(channels) => channels,
        Err(error) => {
            return match judged(ports, &integration, &credential, error, options).await? {
                Some(refusal) => Err(refusal),
                None => Box::pin(candidates(ports, id, options)).await,
            };
        }
    };
    let mut imported: HashMap<ExternalId, Vec<ImportedAs>> = HashMap::new();
    for record in ports.store.items().await? {
        let item = record.item;
        if item.provider == integration.provider && item.api_origin == integration.api_origin {
            let entry = ImportedAs {
                kind: item.kind,
                item_id: item.id,
            };
            imported.entry(item.external_id).or_default().push(entry);
        }
    }
    let now = ports.clock.now();
    let channels = channels
        .into_iter()
        .map(|channel| (Place::Standing, channel, None, &CHANNEL[..]));
    let events = list.into_events().into_iter().map(|event| {
        let place = Place::of(&event, now);
        let channel = Channel {
            external_id: event.external_id,
            name: event.title,
        };
        (place, channel, event.starts_at, &EVENT[..])
    });
    let mut candidates: Vec<(Place, Candidate)> = channels
        .chain(events)
        .map(|(place, what, starts_at, kinds)| {
            let all = imported.get(&what.external_id).cloned().unwrap_or_default();
            let candidate = Candidate {
                imported_as: all
                    .into_iter()
                    .filter(|known| kinds.contains(&known.kind))
                    .collect(),
                external_id: what.external_id,
                title: what.name,
                starts_at,
                kinds: kinds.to_vec(),
            };
            (place, candidate)
        })
        .collect();
    candidates.sort_by(|(place, left), (other, right)| {
        (place, &left.title)
            .cmp(&(other, &right.title))
            .then_with(|| left.external_id.as_str().cmp(right.external_id.as_str()))
    });
    Ok(candidates.into_iter().map(|(_, candidate)| candidate).collect())
}

/// What a refused list means, after the severance that may follow from it. `None`: the credential was renewed.
async fn judged(
    ports: &Ports,
    integration: &Integration,
    credential: &Credential,
    error: CallError,
    options: EngineOptions,
) -> Result<Option<CommandError>, CommandError> {
    let CallError::Provider(error) = error else {
        return Ok(Some(refused(integration.provider, "", error)));
    };
    let verdict = judge_refusal(ports, integration, credential, &error, options).await?;
    match verdict {
        Verdict::Again => return Ok(None),
        Verdict::Sever => require_connected(&stored_integration(ports, &integration.id).await?)?,
        _ => {}
    }
    Ok(Some(refused_list(integration, verdict, error)))
}

fn refused_list(integration: &Integration, verdict: Verdict, error: ProviderError) -> CommandError {
    match verdict {
        Verdict::Fail(code) | Verdict::FailAll(code) | Verdict::Hold(code) => {
            CommandError::failure(code, super::integrate::cannot_ask(integration.provider, code))
        }
        Verdict::Sever | Verdict::RestartWalk | Verdict::Again => {
            refused(integration.provider, "", CallError::Provider(error))
        }
    }
}
