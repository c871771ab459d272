//! What an account offers for import.

use super::integrate::refused;
use super::keychain::open_or_sever;
use super::{check_origin, judge_refusal};
use crate::domain::credential::Credential;
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

/// All events of the integration's account, newest start first, then what stands for all of them.
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
    let channels = channels.into_iter().map(|channel| (channel, None, &CHANNEL[..]));
    let events = list.into_events().into_iter().map(|event| {
        let channel = Channel {
            external_id: event.external_id,
            name: event.title,
        };
        (channel, event.starts_at, &EVENT[..])
    });
    let mut candidates: Vec<Candidate> = channels
        .chain(events)
        .map(|(what, starts_at, kinds)| {
            let all = imported.get(&what.external_id).cloned().unwrap_or_default();
            Candidate {
                imported_as: all
                    .into_iter()
                    .filter(|known| kinds.contains(&known.kind))
                    .collect(),
                external_id: what.external_id,
                title: what.name,
                starts_at,
                kinds: kinds.to_vec(),
            }
        })
        .collect();
    // What stands for all events comes last: an event is what is imported most.
    candidates.sort_by(|left, right| {
        let is_channel = |candidate: &Candidate| candidate.kinds == CHANNEL;
        is_channel(left)
            .cmp(&is_channel(right))
            .then(right.starts_at.cmp(&left.starts_at))
            .then(left.title.cmp(&right.title))
    });
    Ok(candidates)
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
