//! Reconnecting an item: through its own account once that is repaired, or through another account that a call proved
//! to see the event. Ids, rows and history stay.

use super::integrate::{cannot_ask, refused};
use super::keychain::open_or_sever;
use super::{check_origin, judge_refusal};
use crate::domain::credential::Credential;
use crate::domain::failure::{FailureCode, Recovery};
use crate::domain::ids::{IntegrationId, ItemId};
use crate::domain::integration::{Account, Integration};
use crate::domain::item::{Item, ItemKind};
use crate::domain::job::JobKind;
use crate::domain::provider::Provider;
use crate::error::CommandError;
use crate::ports::{ItemRecord, Notice, Ports, ProviderApi, ProviderError};
use crate::query::{ItemView, stored_integration, stored_item};
use crate::sync::actions::require_connected;
use crate::sync::call::{CallError, Silently, Waiter, call};
use crate::sync::engine::EngineOptions;
use crate::sync::handing::Wanted;
use crate::sync::opened::Begun;
use crate::sync::turn::Turn;
use crate::sync::verdict::Verdict;

/// Reconnects `id` through `with`, or through its own account, and reads its list again.
pub async fn reconnect_item(
    ports: &Ports,
    id: &ItemId,
    with: Option<&IntegrationId>,
    options: EngineOptions,
) -> Result<ItemView, CommandError> {
    let wanted = want_reconnect(ports, id, with, options).await?;
    wanted.run(ports, options).await
}

/// The first half of [`reconnect_item`], for a caller that holds the turn: the account is proved, the item is linked to
/// it, and its job is open.
pub async fn begin_reconnect(
    ports: &Ports,
    turn: &Turn,
    id: &ItemId,
    with: Option<&IntegrationId>,
    options: EngineOptions,
) -> Result<Begun, CommandError> {
    let wanted = want_reconnect(ports, id, with, options).await?;
    wanted.begin(ports, turn).await
}

async fn want_reconnect(
    ports: &Ports,
    id: &ItemId,
    with: Option<&IntegrationId>,
    options: EngineOptions,
) -> Result<Wanted, CommandError> {
    let record = stored_item(ports, id).await?;
    if record.item.archived {
        return Err(CommandError::not_possible(
            format!(
                "{} is kept as an archive and needs no account.",
                record.item.display_title()
            ),
            Recovery::CorrectInput,
        ));
    }
    let own = record.item.integration_id.clone();
    let chosen = stored_integration(ports, with.unwrap_or(&own)).await?;
    if record.severed.is_none() && chosen.id == own {
        return Err(CommandError::not_possible(
            format!(
                "{} is not disconnected: retry or sync reads it now.",
                record.item.display_title()
            ),
            Recovery::Retry,
        ));
    }
    if chosen.provider != record.item.provider {
        return Err(CommandError::bad_input(format!(
            "{} is an {} account, and {} is a {} event.",
            chosen.label(),
            chosen.provider.name(),
            record.item.display_title(),
            record.item.provider.name()
        )));
    }
    check_origin(ports, &chosen)?;
    if chosen.api_origin != record.item.api_origin {
        return Err(CommandError::other_server(format!(
            "{} belongs to another server than {}.",
            chosen.label(),
            record.item.display_title()
        )));
    }
    require_connected(&chosen)?;
    prove_sight(ports, &chosen, &record, options).await?;
    let linked = ports
        .store
        .confirm_reconnect(id, &chosen.id, ports.clock.now())
        .await?;
    if !linked {
        // Severed since it was looked at: it says so itself.
        require_connected(&stored_integration(ports, &chosen.id).await?)?;
    }
    ports.notices.notify(Notice::ItemChanged(id.clone()));
    Ok(Wanted::job(id, JobKind::Reconnect))
}

/// Proves by a call that the account sees the event. Nothing is changed when it does not.
async fn prove_sight(
    ports: &Ports,
    chosen: &Integration,
    record: &ItemRecord,
    options: EngineOptions,
) -> Result<(), CommandError> {
    let credential = open_or_sever(ports, chosen, options.patience).await?;
    let api = ports.provider(chosen.provider).clone();
    let mut waiter = Waiter::new(options.wait_limit);
    let answer = call(ports, &mut waiter, &mut Silently, || {
        Box::pin(sees(api.as_ref(), &credential, &chosen.account, &record.item))
    })
    .await;
    let error = match answer {
        Ok(_) => return Ok(()),
        Err(CallError::Provider(error)) => error,
        Err(other) => return Err(refused(chosen.provider, "", other)),
    };
    match judge_refusal(ports, chosen, &credential, &error, options).await? {
        Verdict::Again => Box::pin(prove_sight(ports, chosen, record, options)).await,
        Verdict::Sever => {
            require_connected(&stored_integration(ports, &chosen.id).await?)?;
            // Its credential was replaced while the old one was being refused.
            Err(CommandError::failure(
                FailureCode::Interrupted,
                format!(
                    "{} got a new sign-in just now. Nothing was changed; reconnect again.",
                    chosen.label()
                ),
            ))
        }
        Verdict::Fail(code @ (FailureCode::RemoteGone | FailureCode::PermissionMissing)) => {
            let own = match chosen.provider {
                Provider::Luma => " A Luma event is visible to its own calendar's key only.",
                Provider::Eventbrite => "",
            };
            Err(CommandError::failure(
                code,
                format!(
                    "{} cannot see {}.{own} Nothing was changed.",
                    chosen.label(),
                    record.item.display_title()
                ),
            ))
        }
        Verdict::Fail(code) | Verdict::FailAll(code) | Verdict::Hold(code) => {
            Err(CommandError::failure(code, cannot_ask(chosen.provider, code)))
        }
        Verdict::RestartWalk => Err(refused(chosen.provider, "", CallError::Provider(error))),
    }
}

/// Whether the account sees what the item shows, by a call.
pub(super) async fn sees(
    api: &dyn ProviderApi,
    credential: &Credential,
    account: &Account,
    item: &Item,
) -> Result<(), ProviderError> {
    if item.kind != ItemKind::PathChannel {
        return api.event(credential, &item.external_id).await.map(|_| ());
    }
    let channels = api.channels(credential, account).await?;
    if !channels
        .iter()
        .any(|channel| channel.external_id == item.external_id)
    {
        return Err(ProviderError::Gone);
    }
    api.event_page(credential, Some(&item.external_id), None)
        .await
        .map(|_| ())
}
