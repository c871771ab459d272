//! Taking a credential out of the keychain, with the patience that an empty keychain needs.

use super::integrate::vault_refused;
use crate::domain::credential::Credential;
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::integration::Integration;
use crate::error::CommandError;
use crate::ports::{Notice, Patience, Ports, Severance, VaultError};
use std::time::Duration;
use tracing::debug;

/// A keychain that holds neither our entry nor our sentinel may still be starting; after this long it is taken for
/// emptied.
const EMPTY_VAULT_PATIENCE: Duration = Duration::from_secs(60);
const EMPTY_VAULT_STEP: Duration = Duration::from_secs(3);

/// Loads an integration's credential. [`VaultError::Missing`] is certain, [`VaultError::NotThereYet`] never returned.
pub(crate) async fn open_credential(
    ports: &Ports,
    integration: &Integration,
    patience: Patience,
) -> Result<Credential, VaultError> {
    ports.notices.notify(Notice::AskingVault);
    let mut waited = Duration::ZERO;
    loop {
        match ports.vault.load(&integration.id, patience).await {
            Err(VaultError::NotThereYet) if waited < EMPTY_VAULT_PATIENCE => {
                debug!(integration.id = %integration.id, "the keychain holds nothing of ours yet");
                ports.clock.sleep(EMPTY_VAULT_STEP).await;
                waited += EMPTY_VAULT_STEP;
            }
            Err(VaultError::NotThereYet) => return Err(VaultError::Missing),
            other => return other,
        }
    }
}

/// Loads the credential for a command about an account. A credential that is certainly gone severs the integration.
pub(super) async fn open_or_sever(
    ports: &Ports,
    integration: &Integration,
    patience: Patience,
) -> Result<Credential, CommandError> {
    match open_credential(ports, integration, patience).await {
        Ok(credential) => Ok(credential),
        Err(error) => {
            if error == VaultError::Missing {
                let failure = Failure::new(FailureCode::CredentialsMissing, ports.clock.now());
                let severance = ports
                    .store
                    .sever(&integration.id, integration.generation, &failure)
                    .await?;
                if severance == Severance::Severed {
                    ports
                        .notices
                        .notify(Notice::IntegrationChanged(integration.id.clone()));
                }
            }
            Err(vault_refused(&error, "Your lists are kept as they are."))
        }
    }
}
