//! Credentials as commands about accounts meet them: taking one out, and the sentences for a keychain that does not
//! serve.

use super::integrate::cannot_ask;
use super::sign_ins::{CredentialError, open_credential};
use super::{renewal, sever};
use crate::domain::credential::Credential;
use crate::domain::failure::FailureCode;
use crate::domain::integration::Integration;
use crate::domain::provider::Provider;
use crate::domain::words;
use crate::error::{CommandError, ErrorCode};
use crate::ports::{Patience, Ports, VaultError};

/// Loads the credential for a command about an account. A credential that is certainly gone severs the integration.
pub(super) async fn open_or_sever(
    ports: &Ports,
    integration: &Integration,
    patience: Patience,
) -> Result<Credential, CommandError> {
    let error = match open_credential(ports, integration, patience).await {
        Ok(credential) => return Ok(credential),
        Err(error) => error,
    };
    if error == CredentialError::Vault(VaultError::Missing) {
        let failure = error.failure(ports.clock.now());
        sever(ports, &integration.id, integration.generation, &failure).await?;
    }
    Err(no_credential(integration, error))
}

/// Why a command about an account cannot go on.
pub(super) fn no_credential(integration: &Integration, error: CredentialError) -> CommandError {
    let (provider, label) = (integration.provider, integration.label());
    match error {
        CredentialError::Vault(error) => vault_refused(&error, "Your lists are kept as they are."),
        CredentialError::Severed => CommandError::failure(
            FailureCode::CredentialsRejected,
            format!(
                "{} no longer renews the sign-in of {label}. Its lists are kept as they are, and are no longer live. \
                 Connect it again.",
                provider.name()
            ),
        ),
        CredentialError::AppRejected => app_refused(provider),
        CredentialError::Provider(error) => {
            let code = renewal::code_of(&error);
            CommandError::failure(code, cannot_ask(provider, code))
        }
        CredentialError::Store(error) => error.into(),
    }
}

/// That the provider refuses the workspace's own app.
pub(super) fn app_refused(provider: Provider) -> CommandError {
    CommandError::failure(
        FailureCode::AppRejected,
        format!(
            "{} refuses your app: its API key or client secret is not right, or the app was removed. Nothing was \
             changed; check the app's settings.",
            provider.name()
        ),
    )
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
        VaultError::HeldElsewhere => {
            "Another TalkValue Sync on this computer has this sign-in in memory only: the keychain did not take it. Save \
             it from there, or sign in again."
                .to_owned()
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
