//! Repairing every item that an account can read, after one sign-in: in order of their start, each with an outcome of
//! its own. What one ends in because of the account, the keychain, the network or a limit, the others would end in too,
//! one prompt or wait after another: they get it without being asked for.

use super::reconnect::{begin_reconnect, reconnect_item};
use crate::domain::failure::FailureCode;
use crate::domain::ids::{IntegrationId, ItemId};
use crate::error::{CommandError, ErrorCode};
use crate::ports::{ItemRecord, Ports};
use crate::query::{ItemView, stored_integration};
use crate::sync::actions::require_connected;
use crate::sync::engine::EngineOptions;
use crate::sync::runner::Runner;
use jiff::Timestamp;
use std::sync::Arc;

/// Which disconnected items are meant.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those that read through this account until now.
    Account(&'a IntegrationId),
    /// All that the account can see, whichever they read through.
    Anybody,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    pub item: ItemId,
    pub title: String,
    pub outcome: Result<ItemView, CommandError>,
}

/// Reconnects the items one after another and waits until each is read.
pub async fn reconnect_all(
    ports: &Ports,
    whose: Whose<'_>,
    with: &IntegrationId,
    options: EngineOptions,
) -> Result<Vec<Repaired>, CommandError> {
    repair(ports, whose, with, Way::Waiting(options)).await
}

/// Reconnects the items one after another; their lists are read in the background. A person waits for the proofs that
/// the account sees each, within `proving`; for the jobs that read the lists after that, within `reading`, nobody does.
pub async fn begin_reconnect_all(
    runner: &Arc<Runner>,
    whose: Whose<'_>,
    with: &IntegrationId,
    proving: EngineOptions,
    reading: EngineOptions,
) -> Result<Vec<Repaired>, CommandError> {
    let way = Way::InBackground {
        runner,
        proving,
        reading,
    };
    repair(runner.ports(), whose, with, way).await
}

/// Whether each list is read before the next item's turn comes.
enum Way<'a> {
    Waiting(EngineOptions),
    InBackground {
        runner: &'a Arc<Runner>,
        proving: EngineOptions,
        reading: EngineOptions,
    },
}

async fn repair(
    ports: &Ports,
    whose: Whose<'_>,
    with: &IntegrationId,
    way: Way<'_>,
) -> Result<Vec<Repaired>, CommandError> {
    let (mut all, mut holds) = (Vec::new(), None);
    for record in to_repair(ports, whose, with).await? {
        let item = &record.item.id;
        let outcome = match (&holds, &way) {
            (Some(error), _) => Err(CommandError::clone(error)),
            (None, Way::Waiting(options)) => reconnect_item(ports, item, Some(with), *options).await,
            (
                None,
                Way::InBackground {
                    runner,
                    proving,
                    reading,
                },
            ) => begin_one(runner, item, with, *proving, *reading).await,
        };
        holds = holds.or_else(|| held_by_all(&outcome));
        add(&mut all, record, outcome, whose, with);
    }
    Ok(all)
}

async fn begin_one(
    runner: &Arc<Runner>,
    item: &ItemId,
    with: &IntegrationId,
    proving: EngineOptions,
    reading: EngineOptions,
) -> Result<ItemView, CommandError> {
    let turn = runner.turn().await?;
    let begun = begin_reconnect(runner.ports(), &turn, item, Some(with), proving).await?;
    Ok(runner.run_in_background(turn, begun, reading))
}

/// The refusal that every other item would meet as well, if this is one. A provider that does not answer is none: it
/// may stumble over a single event.
fn held_by_all(outcome: &Result<ItemView, CommandError>) -> Option<CommandError> {
    let error = outcome.as_ref().err()?;
    let holds = match error.code {
        ErrorCode::Waiting => true,
        ErrorCode::Failure(code) => match code {
            FailureCode::Offline
            | FailureCode::NetworkSignIn
            | FailureCode::RateLimited
            | FailureCode::CredentialsRejected
            | FailureCode::CredentialsMissing
            | FailureCode::DisconnectedByYou
            | FailureCode::AppRejected
            | FailureCode::PlanRequired
            | FailureCode::VaultLocked
            | FailureCode::VaultUnavailable
            | FailureCode::VaultWriteFailed
            | FailureCode::StorageFailed => true,
            FailureCode::ProviderUnreachable
            | FailureCode::PermissionMissing
            | FailureCode::RemoteGone
            | FailureCode::ProviderChanged
            | FailureCode::Interrupted
            | FailureCode::ImportCancelled => false,
        },
        ErrorCode::NotFound
        | ErrorCode::NotPossible
        | ErrorCode::BadInput
        | ErrorCode::OtherServer
        | ErrorCode::WrongAccount => false,
    };
    holds.then(|| error.clone())
}

/// The disconnected items, the one that starts first before the others; what has no start comes last.
async fn to_repair(
    ports: &Ports,
    whose: Whose<'_>,
    with: &IntegrationId,
) -> Result<Vec<ItemRecord>, CommandError> {
    let chosen = stored_integration(ports, with).await?;
    require_connected(&chosen)?;
    let mut records = ports.store.items().await?;
    records.retain(|record| {
        let item = &record.item;
        let is_meant = match whose {
            Whose::Account(id) => item.integration_id == *id,
            Whose::Anybody => true,
        };
        is_meant
            && record.severed.is_some()
            && !item.archived
            && item.provider == chosen.provider
            && item.api_origin == chosen.api_origin
    });
    let now = ports.clock.now();
    // What is over comes after what is still to come.
    records.sort_by_key(|record| {
        let start = record.item.starts_at.unwrap_or(Timestamp::MAX);
        let is_over = record
            .item
            .ends_at
            .or(record.item.starts_at)
            .is_some_and(|end| end < now);
        (is_over, start)
    });
    Ok(records)
}

/// Notes an outcome. What another account reads and this one cannot see was not meant.
fn add(
    all: &mut Vec<Repaired>,
    record: ItemRecord,
    outcome: Result<ItemView, CommandError>,
    whose: Whose<'_>,
    with: &IntegrationId,
) {
    let is_unseen = matches!(
        &outcome,
        Err(error) if matches!(
            error.code,
            ErrorCode::Failure(FailureCode::RemoteGone | FailureCode::PermissionMissing)
        )
    );
    let is_of_others = record.item.integration_id != *with;
    if is_unseen && is_of_others && matches!(whose, Whose::Anybody) {
        return;
    }
    all.push(Repaired {
        item: record.item.id.clone(),
        title: record.item.display_title().to_string(),
        outcome,
    });
}
