//! What a person can do with an item: import, sync, retry, keep, remove. Each is one use case: it checks that the
//! action makes sense now, takes its turn, runs the engine, and answers with the item or with a sentence.
//!
//! A window answers before the list is read: it holds one [`Turn`], calls `begin_…`, shows the item, and runs the job
//! that was opened for it. The command line does both at once.

use super::engine::EngineOptions;
use super::handing::Wanted;
use super::opened::Begun;
use super::schedule;
use super::turn::{Turn, take_turn};
use crate::connect::check_origin;
use crate::domain::event::ProviderEvent;
use crate::domain::failure::{Failure, Recovery};
use crate::domain::freshness::{EngineView, Freshness};
use crate::domain::ids::{ExternalId, IntegrationId, ItemId};
use crate::domain::integration::Integration;
use crate::domain::item::ItemKind;
use crate::domain::job::JobKind;
use crate::domain::status::SyncStatus;
use crate::domain::words::{self, Subject};
use crate::error::{CommandError, ErrorCode};
use crate::ports::{ItemRecord, NewItem, Notice, Ports};
use crate::query::{self, ItemView, facts_of, stored_integration, stored_item};
use std::collections::HashSet;

/// Imports a provider's event as `kind` and waits for it. Importing it again opens the item there is, and goes on with
/// it if it never completed.
pub async fn import_event(
    ports: &Ports,
    integration_id: &IntegrationId,
    external_id: &ExternalId,
    kind: ItemKind,
    options: EngineOptions,
) -> Result<ItemView, CommandError> {
    let wanted = want_import(ports, integration_id, external_id, kind).await?;
    wanted.run(ports, options).await
}

/// The integration to import through.
async fn importable(ports: &Ports, integration_id: &IntegrationId) -> Result<Integration, CommandError> {
    let integration = stored_integration(ports, integration_id).await?;
    check_origin(ports, &integration)?;
    Ok(integration)
}

/// The first half of [`import_event`], for a caller that holds the turn: the item exists, and its job is open where one
/// is needed.
pub async fn begin_import(
    ports: &Ports,
    turn: &Turn,
    integration_id: &IntegrationId,
    external_id: &ExternalId,
    kind: ItemKind,
) -> Result<Begun, CommandError> {
    let wanted = want_import(ports, integration_id, external_id, kind).await?;
    wanted.begin(ports, turn).await
}

/// The item exists, and it is known whether its list has to be read.
async fn want_import(
    ports: &Ports,
    integration_id: &IntegrationId,
    external_id: &ExternalId,
    kind: ItemKind,
) -> Result<Wanted, CommandError> {
    let integration = importable(ports, integration_id).await?;
    let known = || {
        let store = &ports.store;
        store.item_of(integration.provider, &integration.api_origin, external_id, kind)
    };
    let (id, new) = match known().await? {
        Some(id) => (id, false),
        None => {
            require_connected(&stored_integration(ports, integration_id).await?)?;
            let live = match kind {
                ItemKind::PathChannel => None,
                ItemKind::BadgeEvent | ItemKind::PathEvent => {
                    live_sibling(ports, &integration, external_id).await?
                }
            };
            let new = NewItem {
                kind,
                provider: integration.provider,
                api_origin: &integration.api_origin,
                external_id,
                integration_id,
                proved: live.is_some(),
                at: ports.clock.now(),
            };
            let added = ports.store.add_item(new).await?;
            if let (Some(id), Some(event)) = (&added, live) {
                // Another item of the same account views the same list, which is live: it needs no second read.
                ports.store.describe_item(id, &event, ports.clock.now()).await?;
                ports.notices.notify(Notice::ItemChanged(id.clone()));
                let view = query::item(ports, id, EngineView::default()).await?;
                return Ok(Wanted::Nothing(Box::new(view)));
            }
            match added {
                Some(id) => (id, true),
                // Another process wanted the same a moment earlier.
                None => {
                    let message = "This list has just been removed. Nothing was imported.";
                    let gone = || CommandError::not_possible(message, Recovery::Retry);
                    (known().await?.ok_or_else(gone)?, false)
                }
            }
        }
    };
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    let record = stored_item(ports, &id).await?;
    let view = query::item(ports, &id, EngineView::default()).await?;
    if record.item.archived || record.severed.is_some() || record.last_synced_at.is_some() && !new {
        return Ok(Wanted::Nothing(Box::new(view)));
    }
    let kind = if new { JobKind::Import } else { JobKind::Retry };
    Ok(Wanted::job(&id, kind))
}

/// The event as another item of the same account knows it, if that item's list is live right now. Whether another
/// account may see the event, a call must prove.
async fn live_sibling(
    ports: &Ports,
    integration: &Integration,
    external_id: &ExternalId,
) -> Result<Option<ProviderEvent>, CommandError> {
    for view in query::items(ports, EngineView::default()).await? {
        let live = view.integration_id == integration.id
            && view.sync_status == SyncStatus::Active
            && view.freshness == Freshness::Live;
        if !live {
            continue;
        }
        if view.kind == ItemKind::PathChannel {
            let now = ports.clock.now();
            let members = ports.store.members(&view.id).await?;
            let found = members.into_iter().find(|member| {
                member.event.external_id == *external_id && schedule::member_counts(member, now)
            });
            if let Some(member) = found {
                return Ok(Some(member.event));
            }
        } else if view.external_id == *external_id {
            return Ok(Some(ProviderEvent {
                external_id: view.external_id,
                title: view.title,
                starts_at: view.starts_at,
                ends_at: view.ends_at,
                timezone: view.timezone,
                organization: None,
                headcount: None,
            }));
        }
    }
    Ok(None)
}

/// Pulls an item now. Leaves the status alone unless the pull itself succeeds or fails.
pub async fn sync_item(ports: &Ports, id: &ItemId, options: EngineOptions) -> Result<ItemView, CommandError> {
    want_sync(ports, id).await?.run(ports, options).await
}

/// The first half of [`sync_item`], for a caller that holds the turn.
pub async fn begin_sync(ports: &Ports, turn: &Turn, id: &ItemId) -> Result<Begun, CommandError> {
    want_sync(ports, id).await?.begin(ports, turn).await
}

async fn want_sync(ports: &Ports, id: &ItemId) -> Result<Wanted, CommandError> {
    readable(ports, id).await?;
    Ok(Wanted::job(id, JobKind::Sync))
}

/// The item as stored, if anything can be read for it at all.
async fn readable(ports: &Ports, id: &ItemId) -> Result<ItemRecord, CommandError> {
    let record = stored_item(ports, id).await?;
    refuse_archived(&record)?;
    if record.severed.is_some() {
        return Err(disconnected(ports, &record).await?);
    }
    Ok(record)
}

/// Begins the read of an item that is due by itself: what changed, or everything where that is not enough. Otherwise
/// as [`begin_sync`].
pub async fn begin_check(
    ports: &Ports,
    turn: &Turn,
    id: &ItemId,
    engine: EngineView,
) -> Result<Begun, CommandError> {
    let begun = begin_sync(ports, turn, id).await?;
    Ok(begun.for_changes(engine.running_since))
}

/// Takes up a job that was kept or cut off, as what it was.
pub(crate) async fn begin_again(
    ports: &Ports,
    turn: &Turn,
    id: &ItemId,
    kind: JobKind,
) -> Result<Begun, CommandError> {
    let record = readable(ports, id).await?;
    Begun::job(ports, turn, record, kind).await
}

/// What `sync --all` ended in, item by item.
pub struct SyncedItem {
    pub id: ItemId,
    pub result: Result<ItemView, CommandError>,
}

/// Pulls every item that is not archived, in order of urgency; each has its own outcome.
pub async fn sync_all(ports: &Ports, options: EngineOptions) -> Result<Vec<SyncedItem>, CommandError> {
    let started = ports.clock.now();
    let mut synced = Vec::new();
    // What is limited is not asked again for the next item.
    let mut limited: HashSet<IntegrationId> = HashSet::new();
    for view in query::items(ports, EngineView::default()).await? {
        if view.archived {
            continue;
        }
        let result = if limited.contains(&view.integration_id) {
            Err(CommandError::waiting(format!(
                "{}'s request limit is used up, so this list was not asked for.",
                view.provider.name()
            )))
        } else {
            let options = options.after(started, ports.clock.now());
            sync_item(ports, &view.id, options).await
        };
        if matches!(&result, Err(error) if error.code == ErrorCode::Waiting) {
            limited.insert(view.integration_id);
        }
        synced.push(SyncedItem { id: view.id, result });
    }
    Ok(synced)
}

/// Runs again what failed or never completed.
pub async fn retry_item(
    ports: &Ports,
    id: &ItemId,
    options: EngineOptions,
) -> Result<ItemView, CommandError> {
    want_retry(ports, id).await?.run(ports, options).await
}

/// The first half of [`retry_item`], for a caller that holds the turn.
pub async fn begin_retry(ports: &Ports, turn: &Turn, id: &ItemId) -> Result<Begun, CommandError> {
    want_retry(ports, id).await?.begin(ports, turn).await
}

async fn want_retry(ports: &Ports, id: &ItemId) -> Result<Wanted, CommandError> {
    let record = stored_item(ports, id).await?;
    refuse_archived(&record)?;
    match facts_of(&record, false, EngineView::default()).status() {
        SyncStatus::Disconnected => Err(disconnected(ports, &record).await?),
        SyncStatus::Active => Err(CommandError::not_possible(
            format!(
                "{} has nothing to retry: its last sync succeeded. Sync pulls it now.",
                record.item.display_title()
            ),
            Recovery::Wait,
        )),
        SyncStatus::Pending | SyncStatus::Failed => Ok(Wanted::job(id, JobKind::Retry)),
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
    ports.store.archive(id, ports.clock.now()).await?;
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
    failure: &Failure,
) -> Result<CommandError, CommandError> {
    let record = stored_item(ports, id).await?;
    let integration = stored_integration(ports, &record.item.integration_id).await?;
    let subject = Subject {
        provider: record.item.provider,
        account: integration.label(),
        sign_in: integration.sign_in,
        last_synced_at: record.last_synced_at,
        attending: record.counts.attending,
        total: record.counts.total,
        shows_people: record.item.kind.shows_people(),
    };
    let reader = query::reader(ports);
    Ok(CommandError::failure(
        failure.code,
        words::failure_sentence(failure, &subject, &reader),
    ))
}

async fn disconnected(ports: &Ports, record: &ItemRecord) -> Result<CommandError, CommandError> {
    let Some(severed) = &record.severed else {
        return Ok(CommandError::not_possible(
            "This item is not disconnected.",
            Recovery::Retry,
        ));
    };
    tell(ports, &record.item.id, severed).await
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
                "{} is disconnected. Connect it again with a new {}.",
                integration.label(),
                integration.credential_name(),
            ),
        )),
    }
}
