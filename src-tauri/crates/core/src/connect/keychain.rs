//! The keychain as commands meet it: taking a credential out, with the patience that an empty keychain needs, and the
//! sentences for a keychain that does not serve.

use super::sever;
use crate::domain::credential::Credential;
use crate::domain::failure::FailureCode;
use crate::domain::integration::Integration;
use crate::domain::words;
use crate::error::{CommandError, ErrorCode};
use crate::ports::{Notice, Patience, Ports, VaultError};
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
                let failure = error.failure(ports.clock.now());
                sever(ports, &integration.id, integration.generation, &failure).await?;
            }
            Err(vault_refused(&error, "Your lists are kept as they are."))
        }
    }
}

/// Whether the keychain serves, for a window that has something to say about it at its start. Where no account is
/// connected the keychain holds nothing that is missed. When a person asked, its own prompt may ask to unlock it.
pub async fn check_keychain(ports: &Ports, patience: Patience) -> Result<(), CommandError> {
    if ports.store.integrations().await?.is_empty() {
        return Ok(());
    }
    ports.vault.check(patience).await.map_err(|error| {
        let failure = error.failure(ports.clock.now());
        let sentences = [
            Some(words::keychain_sentence(&failure)),
            Some("Your lists are kept as they are."),
            words::keychain_hint(&failure),
        ];
        CommandError::failure(
            failure.code,
            sentences.into_iter().flatten().collect::<Vec<_>>().join(" "),
        )
    })
}

/// Why the keychain did not do what was asked. `kept` says what became of everything else.
pub(super) fn vault_refused(error: &VaultError, kept: &str) -> CommandError {
    let code = FailureCode::from(error);
    let sentence = match error {
        VaultError::Locked => "Your keychain is locked. Unlock it, then try again.".to_owned(),
        VaultError::Absent { .. } => {
            "This computer offers no keychain, and sign-ins are kept nowhere else. Start one (on Linux a Secret \
             Service such as GNOME Keyring or KWallet), then try again."
                .to_owned()
        }
        VaultError::Unavailable { .. } => {
            "This computer's keychain does not answer, and sign-ins are kept nowhere else. Restart it, or look for a \
             question of its own on the screen, then try again."
                .to_owned()
        }
        VaultError::NotThereYet | VaultError::Missing => {
            "The sign-in is no longer in this computer's keychain. Connect the account again.".to_owned()
        }
        VaultError::WriteFailed { .. } => {
            "This computer's keychain did not keep the sign-in. Look whether it is writable, then try again.".to_owned()
        }
        VaultError::TooLarge { bytes, limit } => {
            format!("This sign-in is {bytes} bytes long, more than the {limit} that every keychain can keep.")
        }
        VaultError::Unreadable => {
            "The keychain's entry was written by a newer TalkValue Sync. Use that version, or connect the account \
             again."
                .to_owned()
        }
    };
    CommandError {
        code: ErrorCode::Failure(code),
        message: format!("{sentence} {kept}"),
        recovery: code.recovery(),
    }
}
