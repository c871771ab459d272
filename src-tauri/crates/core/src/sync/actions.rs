//! What a person can do with an item: import, sync, retry, keep, remove. Each is one use case: it checks that the
//! action makes sense now, takes its turn, runs the engine, and answers with the item or with a sentence.
//!
//! A window answers before the list is read: it holds one [`Turn`], calls `begin_…`, shows the item, and runs the job
//! that was opened for it. The command line does both at once.

use super::engine::EngineOptions;
use super::opened::Begun;
use super::turn::{Turn, take_turn};
use crate::connect::check_origin;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{FailureCode, Recovery};
use crate::domain::freshness::{EngineView, Freshness};
use crate::domain::ids::{ExternalId, IntegrationId, ItemId};
use crate::domain::integration::Integration;
use crate::domain::item::ItemKind;
use crate::domain::job::JobKind;
use crate::domain::provider::Provider;
use crate::domain::status::SyncStatus;
use crate::domain::words::{self, Subject};
use crate::error::CommandError;
use crate::ports::{ItemRecord, NewItem, Notice, Ports};
use crate::query::{self, ItemView, facts_of, stored_integration, stored_item};

/// Imports a provider's event as `kind` and waits for it. Importing it again opens the item there is, and goes on with
/// it if it never completed.
pub async fn import_event(
    ports: &Ports,
    integration_id: &IntegrationId,
    external_id: &ExternalId,
    kind: ItemKind,
    options: EngineOptions,
) -> Result<ItemView, CommandError> {
    importable(ports, integration_id, kind).await?;
    let turn = take_turn(ports, options.wait_limit).await?;
    let begun = begin_import(ports, &turn, integration_id, external_id, kind).await?;
    begun.finish(ports, options).await
}

/// The integration to import through, if `kind` can be imported through it at all.
async fn importable(
    ports: &Ports,
    integration_id: &IntegrationId,
    kind: ItemKind,
) -> Result<Integration, CommandError> {
    if kind == ItemKind::PathChannel {
        return Err(CommandError::not_possible(
            "Path channels cannot be imported by this version yet. Import the events of the account one by one, \
             with --as badge-event or --as path-event.",
            Recovery::CorrectInput,
        ));
    }
    let integration = stored_integration(ports, integration_id).await?;
    check_origin(ports, &integration)?;
    Ok(integration)
}

/// The first half of [`import_event`]: the item exists, and its job is open where one is needed.
pub async fn begin_import(
    ports: &Ports,
    turn: &Turn,
    integration_id: &IntegrationId,
    external_id: &ExternalId,
    kind: ItemKind,
) -> Result<Begun, CommandError> {
    let integration = importable(ports, integration_id, kind).await?;
    let known = ports
        .store
        .item_of(integration.provider, &integration.api_origin, external_id, kind)
        .await?;
    let (id, new) = match known {
        Some(id) => (id, false),
        None => {
            require_connected(&stored_integration(ports, integration_id).await?)?;
            let new = NewItem {
                kind,
                provider: integration.provider,
                api_origin: &integration.api_origin,
                external_id,
                integration_id,
                at: ports.clock.now(),
            };
            (ports.store.add_item(new).await?, true)
        }
    };
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    let record = stored_item(ports, &id).await?;
    let view = query::item(ports, &id, EngineView::default()).await?;
    if record.item.archived || record.severed.is_some() || record.last_synced_at.is_some() && !new {
        return Ok(Begun::nothing(view));
    }
    // Another item of the same account may view the same feed already: a list that is live needs no second read.
    if view.freshness == Freshness::Live
        && let Some(event) = sibling_description(ports, &record).await?
    {
        ports.store.describe_item(&id, &event).await?;
        let view = query::item(ports, &id, EngineView::default()).await?;
        return Ok(Begun::nothing(view));
    }
    if new {
        Begun::first_import(ports, turn, record).await
    } else {
        Begun::job(ports, turn, record, JobKind::Retry).await
    }
}

/// What another item over the same feed knows of the event. Only one that reads through the same account counts:
/// whether another account may see the event, a call must prove.
async fn sibling_description(
    ports: &Ports,
    record: &ItemRecord,
) -> Result<Option<ProviderEvent>, CommandError> {
    let own = &record.item;
    let siblings = ports.store.items().await?.into_iter().filter(|other| {
        other.item.feed == own.feed
            && other.item.id != own.id
            && other.item.integration_id == own.integration_id
            && other.severed.is_none()
    });
    for sibling in siblings {
        let item = sibling.item;
        if let Some(title) = item.title {
            return Ok(Some(ProviderEvent {
                external_id: item.external_id,
                title,
                starts_at: item.starts_at,
                ends_at: item.ends_at,
                timezone: item.timezone,
                registrations_hint: None,
            }));
        }
    }
    Ok(None)
}

/// Pulls an item now. Leaves the status alone unless the pull itself succeeds or fails.
pub async fn sync_item(ports: &Ports, id: &ItemId, options: EngineOptions) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let turn = take_turn(ports, options.wait_limit).await?;
    begin_sync(ports, &turn, id).await?.finish(ports, options).await
}

/// The first half of [`sync_item`].
pub async fn begin_sync(ports: &Ports, turn: &Turn, id: &ItemId) -> Result<Begun, CommandError> {
    let record = stored_item(ports, id).await?;
    refuse_archived(&record)?;
    if record.severed.is_some() {
        return Err(disconnected(ports, &record).await?);
    }
    Begun::job(ports, turn, record, JobKind::Sync).await
}

/// What `sync --all` ended in, item by item.
pub struct SyncedItem {
    pub id: ItemId,
    pub result: Result<ItemView, CommandError>,
}

/// Pulls every item that is not archived, in order of urgency; each has its own outcome.
pub async fn sync_all(ports: &Ports, options: EngineOptions) -> Result<Vec<SyncedItem>, CommandError> {
    let turn = take_turn(ports, options.wait_limit).await?;
    let mut synced = Vec::new();
    for view in query::items(ports, EngineView::default()).await? {
        if !view.archived {
            let result = match begin_sync(ports, &turn, &view.id).await {
                Ok(begun) => begun.finish(ports, options).await,
                Err(error) => Err(error),
            };
            synced.push(SyncedItem { id: view.id, result });
        }
    }
    Ok(synced)
}

/// Runs again what failed or never completed.
pub async fn retry_item(
    ports: &Ports,
    id: &ItemId,
    options: EngineOptions,
) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let turn = take_turn(ports, options.wait_limit).await?;
    begin_retry(ports, &turn, id).await?.finish(ports, options).await
}

/// The first half of [`retry_item`].
pub async fn begin_retry(ports: &Ports, turn: &Turn, id: &ItemId) -> Result<Begun, CommandError> {
    let record = stored_item(ports, id).await?;
    refuse_archived(&record)?;
    match facts_of(&record, false).status() {
        SyncStatus::Disconnected => Err(disconnected(ports, &record).await?),
        SyncStatus::Active => Err(CommandError::not_possible(
            format!(
                "{} has nothing to retry: its last sync succeeded. `sync` pulls it now.",
                record.item.display_title()
            ),
            Recovery::Wait,
        )),
        SyncStatus::Pending | SyncStatus::Failed => Begun::job(ports, turn, record, JobKind::Retry).await,
    }
}

/// Keeps an item as an archive: no syncs, no alert.
pub async fn keep_item(ports: &Ports, id: &ItemId) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let turn = take_turn(ports, None).await?;
    keep_item_in(ports, &turn, id).await
}

/// [`keep_item`] for a caller that holds the turn, and has stopped what ran for the item.
pub async fn keep_item_in(ports: &Ports, _turn: &Turn, id: &ItemId) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    ports.store.archive(id).await?;
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    query::item(ports, id, EngineView::default()).await
}

/// Erases an item from this computer, and its stored registrations unless another item shows them. Answers with the
/// item as it was.
pub async fn remove_item(ports: &Ports, id: &ItemId) -> Result<ItemView, CommandError> {
    let turn = take_turn(ports, None).await?;
    remove_item_in(ports, &turn, id).await
}

/// [`remove_item`] for a caller that holds the turn, and has stopped what ran for the item.
pub async fn remove_item_in(ports: &Ports, _turn: &Turn, id: &ItemId) -> Result<ItemView, CommandError> {
    let view = query::item(ports, id, EngineView::default()).await?;
    ports.store.remove(id).await?;
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    Ok(view)
}

/// The sentence for a failure of one item, with what is kept of its list.
pub(super) async fn tell(
    ports: &Ports,
    id: &ItemId,
    code: FailureCode,
    since: Option<jiff::Timestamp>,
) -> Result<CommandError, CommandError> {
    let record = stored_item(ports, id).await?;
    let integration = stored_integration(ports, &record.item.integration_id).await?;
    let subject = Subject {
        provider: record.item.provider,
        account: integration.label(),
        credential_name: record.item.provider.credential_name(),
        last_synced_at: record.last_synced_at,
        attending: record.counts.attending,
        total: record.counts.total,
        shows_people: record.item.kind.shows_people(),
    };
    let reader = query::reader(ports);
    Ok(CommandError::failure(
        code,
        words::failure_sentence(code, since.unwrap_or(reader.now), &subject, &reader),
    ))
}

async fn disconnected(ports: &Ports, record: &ItemRecord) -> Result<CommandError, CommandError> {
    let Some(severed) = &record.severed else {
        return Ok(CommandError::not_possible(
            "This item is not disconnected.",
            Recovery::Retry,
        ));
    };
    tell(ports, &record.item.id, severed.code, Some(severed.at)).await
}

fn refuse_archived(record: &ItemRecord) -> Result<(), CommandError> {
    if record.item.archived {
        return Err(CommandError::not_possible(
            format!(
                "{} is kept as an archive: it is no longer synced. Remove it and import it again to make it live.",
                record.item.display_title()
            ),
            Recovery::CorrectInput,
        ));
    }
    Ok(())
}

/// Nothing can be read through an integration whose credential is severed.
pub(crate) fn require_connected(integration: &Integration) -> Result<(), CommandError> {
    match &integration.severed {
        None => Ok(()),
        Some(severed) => Err(CommandError::failure(
            severed.code,
            format!(
                "{} is disconnected. Connect it again with a new {}: `tvsync connect {}`.",
                integration.label(),
                integration.provider.credential_name(),
                match integration.provider {
                    Provider::Eventbrite => "eventbrite --token-stdin",
                    Provider::Luma => "luma --key-stdin",
                }
            ),
        )),
    }
}
