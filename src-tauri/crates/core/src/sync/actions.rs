//! What a person can do with an item: import, sync, retry, keep, remove. Each is one use case: it checks that the
//! action makes sense now, takes its turn, runs the engine, and answers with the item or with a sentence.

use super::engine::{self, EngineOptions, Outcome};
use super::turn::take_turn;
use crate::connect::check_origin;
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
    if kind == ItemKind::PathChannel {
        return Err(CommandError::not_possible(
            "Path channels cannot be imported by this version yet. Import the events of the account one by one, \
             with --as badge-event or --as path-event.",
            Recovery::CorrectInput,
        ));
    }
    let integration = stored_integration(ports, integration_id).await?;
    check_origin(ports, &integration)?;
    let _turn = take_turn(ports, options.wait_limit).await?;
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
        return Ok(view);
    }
    // Another item may view the same feed already: a list that is live needs no second read.
    if record.last_synced_at.is_some() && view.freshness == Freshness::Live {
        let event = record.item.clone();
        if let Some(title_holder) = sibling_description(ports, &record).await? {
            ports.store.describe_item(&event.id, &title_holder).await?;
            return query::item(ports, &id, EngineView::default()).await;
        }
    }
    let kind = if new { JobKind::Import } else { JobKind::Retry };
    let result = run_job(ports, &record, kind, options).await;
    if new && let Err(error) = &result {
        withdraw_unknown(ports, &record, error).await?;
    }
    result.map_err(|error| explain_unknown(error, &record, &integration, new))
}

/// What another item over the same feed knows of the event.
async fn sibling_description(
    ports: &Ports,
    record: &ItemRecord,
) -> Result<Option<crate::domain::event::ProviderEvent>, CommandError> {
    let items = ports.store.items().await?;
    Ok(items.into_iter().find_map(|other| {
        let item = other.item;
        (item.feed == record.item.feed && item.id != record.item.id)
            .then_some(())
            .and(item.title.map(|title| crate::domain::event::ProviderEvent {
                external_id: item.external_id,
                title,
                starts_at: item.starts_at,
                ends_at: item.ends_at,
                timezone: item.timezone,
                registrations_hint: None,
            }))
    }))
}

/// An id that the provider never showed to this account leaves no item behind.
async fn withdraw_unknown(
    ports: &Ports,
    record: &ItemRecord,
    error: &CommandError,
) -> Result<(), CommandError> {
    if is_unknown_event(error) && stored_item(ports, &record.item.id).await?.item.title.is_none() {
        ports.store.remove(&record.item.id).await?;
        ports.notices.notify(Notice::ItemChanged(record.item.id.clone()));
    }
    Ok(())
}

fn is_unknown_event(error: &CommandError) -> bool {
    use crate::error::ErrorCode::Failure;
    matches!(
        error.code,
        Failure(FailureCode::RemoteGone) | Failure(FailureCode::PermissionMissing)
    )
}

fn explain_unknown(
    error: CommandError,
    record: &ItemRecord,
    integration: &Integration,
    new: bool,
) -> CommandError {
    if !(new && is_unknown_event(&error)) {
        return error;
    }
    let provider = integration.provider.name();
    let own = match integration.provider {
        Provider::Luma => " A Luma event is visible to its own calendar's key only.",
        Provider::Eventbrite => "",
    };
    CommandError {
        message: format!(
            "{provider} shows no event {} to {}.{own} Nothing was imported; `candidates` lists what can be.",
            record.item.external_id,
            integration.label()
        ),
        ..error
    }
}

/// Pulls an item now. Leaves the status alone unless the pull itself succeeds or fails.
pub async fn sync_item(ports: &Ports, id: &ItemId, options: EngineOptions) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let _turn = take_turn(ports, options.wait_limit).await?;
    sync_in_turn(ports, id, options).await
}

async fn sync_in_turn(ports: &Ports, id: &ItemId, options: EngineOptions) -> Result<ItemView, CommandError> {
    let record = stored_item(ports, id).await?;
    refuse_archived(&record)?;
    if record.severed.is_some() {
        return Err(disconnected(ports, &record).await?);
    }
    run_job(ports, &record, JobKind::Sync, options).await
}

/// What `sync --all` ended in, item by item.
pub struct SyncedItem {
    pub id: ItemId,
    pub result: Result<ItemView, CommandError>,
}

/// Pulls every item that is not archived, in order of urgency; each has its own outcome.
pub async fn sync_all(ports: &Ports, options: EngineOptions) -> Result<Vec<SyncedItem>, CommandError> {
    let _turn = take_turn(ports, options.wait_limit).await?;
    let mut synced = Vec::new();
    for view in query::items(ports, EngineView::default()).await? {
        if !view.archived {
            synced.push(SyncedItem {
                result: sync_in_turn(ports, &view.id, options).await,
                id: view.id,
            });
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
    let _turn = take_turn(ports, options.wait_limit).await?;
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
        SyncStatus::Pending | SyncStatus::Failed => run_job(ports, &record, JobKind::Retry, options).await,
    }
}

/// Keeps an item as an archive: no syncs, no alert.
pub async fn keep_item(ports: &Ports, id: &ItemId) -> Result<ItemView, CommandError> {
    stored_item(ports, id).await?;
    let _turn = take_turn(ports, None).await?;
    ports.store.archive(id).await?;
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    query::item(ports, id, EngineView::default()).await
}

/// Erases an item from this computer, and its stored registrations unless another item shows them. Answers with the
/// item as it was.
pub async fn remove_item(ports: &Ports, id: &ItemId) -> Result<ItemView, CommandError> {
    let _turn = take_turn(ports, None).await?;
    let view = query::item(ports, id, EngineView::default()).await?;
    ports.store.remove(id).await?;
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    Ok(view)
}

/// Runs the engine for one item and turns its outcome into an item or a sentence.
pub(crate) async fn run_job(
    ports: &Ports,
    record: &ItemRecord,
    kind: JobKind,
    options: EngineOptions,
) -> Result<ItemView, CommandError> {
    let integration = stored_integration(ports, &record.item.integration_id).await?;
    check_origin(ports, &integration)?;
    require_connected(&integration)?;
    let outcome = engine::run(ports, &record.item, &integration, kind, options).await?;
    match outcome {
        Outcome::Completed => query::item(ports, &record.item.id, EngineView::default()).await,
        Outcome::Failed(code) | Outcome::Severed(code) => {
            Err(tell(ports, &record.item.id, code, None).await?)
        }
        Outcome::Held(waiting) => Err(tell(ports, &record.item.id, waiting.code, None).await?),
        Outcome::WaitElapsed(waiting) => {
            let until = waiting.until.map_or(String::new(), |until| {
                format!(" It could go on at {}.", query::reader(ports).moment(until))
            });
            Err(CommandError::waiting(format!(
                "{}'s request limit is used up.{until} What arrived is kept; run the command again then.",
                record.item.provider.name()
            )))
        }
    }
}

/// The sentence for a failure of one item, with what is kept of its list.
async fn tell(
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
