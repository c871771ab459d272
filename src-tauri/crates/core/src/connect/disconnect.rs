//! Disconnecting by a person's wish: the lists stay, the credential goes.

use super::keychain::vault_refused;
use super::renewal::app_of;
use super::sever;
use super::withdrawal::{Withdrawal, withdraw};
use crate::domain::credential::{Credential, Generation, SignIn};
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::error::CommandError;
use crate::ports::{Notice, Ports, VaultError};
use crate::query::{self, IntegrationView, stored_integration};
use crate::sync::engine::EngineOptions;
use crate::sync::turn::take_credentials_turn;

/// What disconnecting brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnected {
    pub integration: IntegrationView,
    pub withdrawal: Withdrawal,
}

/// Severs the integration and its items, makes its sign-in worthless at the provider where that can be asked for, and
/// erases the credential from the keychain. If the keychain does not answer, nothing is changed: a sign-in that stays
/// behind would be worse than an error.
pub async fn disconnect(
    ports: &Ports,
    id: &IntegrationId,
    options: EngineOptions,
) -> Result<Disconnected, CommandError> {
    stored_integration(ports, id).await?;
    let turn = take_credentials_turn(ports).await?;
    // Read under the lock: a renewal that was faster has a newer generation.
    let integration = stored_integration(ports, id).await?;
    ports.notices.notify(Notice::AskingVault);
    let in_memory = ports.sign_ins.in_memory(id);
    let only_in_memory = in_memory.is_some();
    let credential = match in_memory {
        Some(held) => Some(held),
        None => ports.vault.load(id, options.patience).await.ok(),
    };
    match ports.vault.erase(id, options.patience).await {
        Ok(()) => {}
        // Where there never was a keychain, memory is all there is. An earlier sign-in may stand in one that is gone now.
        Err(VaultError::Absent { .. }) if only_in_memory && integration.generation == Generation::FIRST => {}
        Err(error) => return Err(vault_refused(&error, "The account is still connected.")),
    }
    if ports.sign_ins.forget(id) {
        ports.notices.notify(Notice::SignInsHeldChanged);
    }
    let failure = Failure::new(FailureCode::DisconnectedByYou, ports.clock.now());
    sever(ports, id, integration.generation, &failure).await?;
    // What the provider takes its time over keeps nobody else waiting.
    drop(turn);
    Ok(Disconnected {
        withdrawal: withdraw_sign_in(ports, &integration, credential.as_ref()).await,
        integration: query::integration(ports, id).await?,
    })
}

async fn withdraw_sign_in(
    ports: &Ports,
    integration: &Integration,
    credential: Option<&Credential>,
) -> Withdrawal {
    let severed = integration.severed.as_ref().map(|failure| failure.code);
    if matches!(
        severed,
        Some(FailureCode::CredentialsRejected | FailureCode::DisconnectedByYou)
    ) {
        return Withdrawal::Over;
    }
    match credential {
        Some(credential) => match &credential.grant {
            None => Withdrawal::NotOffered,
            Some(grant) => match app_of(ports, integration, grant).await {
                Ok(app) => withdraw(ports, integration.provider, &app, credential).await,
                Err(_) => Withdrawal::Failed,
            },
        },
        // It may live on at the provider, and nobody here can name it any more.
        None if integration.sign_in == SignIn::Oauth => Withdrawal::Failed,
        None => Withdrawal::NotOffered,
    }
}
