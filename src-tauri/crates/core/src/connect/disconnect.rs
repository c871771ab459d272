//! Disconnecting by a person's wish: the lists stay, the credential goes.

use super::keychain::vault_refused;
use super::sever;
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::IntegrationId;
use crate::error::CommandError;
use crate::ports::{Notice, Ports};
use crate::query::{self, IntegrationView, stored_integration};
use crate::sync::engine::EngineOptions;
use crate::sync::turn::take_credentials_turn;

/// Severs the integration and its items, and erases the credential from the keychain. If the keychain does not answer,
/// nothing is changed: a sign-in that stays behind would be worse than an error.
pub async fn disconnect(
    ports: &Ports,
    id: &IntegrationId,
    options: EngineOptions,
) -> Result<IntegrationView, CommandError> {
    stored_integration(ports, id).await?;
    let _turn = take_credentials_turn(ports).await?;
    // Read under the lock: a renewal that was faster has a newer generation.
    let integration = stored_integration(ports, id).await?;
    ports.notices.notify(Notice::AskingVault);
    ports
        .vault
        .erase(id, options.patience)
        .await
        .map_err(|error| vault_refused(&error, "The account is still connected."))?;
    let failure = Failure::new(FailureCode::DisconnectedByYou, ports.clock.now());
    sever(ports, id, integration.generation, &failure).await?;
    query::integration(ports, id).await
}
