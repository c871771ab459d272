//! What an account offers for import.

use super::check_origin;
use super::integrate::refused;
use super::keychain::open_or_sever;
use super::sever;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::{ExternalId, IntegrationId, ItemId};
use crate::domain::item::ItemKind;
use crate::error::CommandError;
use crate::ports::{Cursor, Ports, ProviderError};
use crate::query::stored_integration;
use crate::sync::actions::require_connected;
use crate::sync::call::{CallError, Silently, Waiter, call};
use crate::sync::engine::{self, EngineOptions};
use crate::sync::verdict::Verdict;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

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

/// Pages in a row without an event that was not met before (an organization may have none): a list that never ends.
const BARREN_PAGES_TOLERATED: u32 = 100;

/// All events of the integration's account, newest start first.
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
    let mut events: Vec<ProviderEvent> = Vec::new();
    let mut cursor: Option<Cursor> = None;
    let mut seen = HashSet::new();
    let (mut known, mut barren_pages) = (HashSet::new(), 0u32);
    let mut restarted = false;
    loop {
        let place = cursor.clone();
        let answer = call(ports, &mut waiter, &mut Silently, || {
            api.event_page(&credential, place.as_ref())
        })
        .await;
        let page = match answer {
            Ok(page) => page,
            // A continuation lapses: the list is read again from its start, once.
            Err(CallError::Provider(ProviderError::CursorRejected)) if !restarted => {
                restarted = true;
                (cursor, barren_pages) = (None, 0);
                seen.clear();
                continue;
            }
            Err(CallError::Provider(error)) => {
                let judged = engine::judge_with_probe(ports, &integration, Some(&credential), &error).await;
                if judged.verdict == Verdict::Sever {
                    let failure = Failure::new(FailureCode::CredentialsRejected, ports.clock.now());
                    sever(ports, id, credential.generation, &failure).await?;
                    let severed = stored_integration(ports, id).await?;
                    require_connected(&severed)?;
                }
                return Err(refused_list(&integration, judged.verdict, error));
            }
            Err(other) => return Err(refused(integration.provider, "", other)),
        };
        let before = known.len();
        known.extend(page.events.iter().map(|event| event.external_id.clone()));
        barren_pages = if known.len() == before {
            barren_pages + 1
        } else {
            0
        };
        events.extend(page.events);
        match page.next {
            None => break,
            Some(next) if barren_pages <= BARREN_PAGES_TOLERATED && seen.insert(next.0.clone()) => {
                cursor = Some(next);
            }
            Some(_) => {
                let error = ProviderError::Malformed {
                    detail: "the event list repeats itself".to_owned(),
                };
                return Err(refused(integration.provider, "", CallError::Provider(error)));
            }
        }
    }
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
    let mut listed = HashSet::new();
    let mut candidates: Vec<Candidate> = events
        .into_iter()
        .filter(|event| listed.insert(event.external_id.clone()))
        .map(|event| Candidate {
            imported_as: imported.remove(&event.external_id).unwrap_or_default(),
            external_id: event.external_id,
            title: event.title,
            starts_at: event.starts_at,
            kinds: vec![ItemKind::BadgeEvent, ItemKind::PathEvent],
        })
        .collect();
    candidates.sort_by(|left, right| {
        right
            .starts_at
            .cmp(&left.starts_at)
            .then(left.title.cmp(&right.title))
    });
    Ok(candidates)
}

fn refused_list(
    integration: &crate::domain::integration::Integration,
    verdict: Verdict,
    error: ProviderError,
) -> CommandError {
    match verdict {
        Verdict::Fail(code) | Verdict::FailAll(code) | Verdict::Hold(code) => {
            CommandError::failure(code, super::integrate::cannot_ask(integration.provider, code))
        }
        Verdict::Sever | Verdict::RestartWalk => {
            refused(integration.provider, "", CallError::Provider(error))
        }
    }
}
