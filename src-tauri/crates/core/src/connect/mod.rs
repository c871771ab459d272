//! Integrations: connecting an account, proving it, keeping it signed in, listing what it offers, reconnecting an item,
//! disconnecting.

mod candidates;
mod disconnect;
mod integrate;
mod keychain;
mod oauth;
mod options;
mod recognise;
mod reconnect;
mod reconnect_all;
mod renewal;
mod sign_ins;
mod upkeep;
mod verify;
mod withdrawal;

pub use candidates::{Candidate, ImportedAs, candidates};
pub use disconnect::{Disconnected, disconnect};
pub use integrate::{Connected, Proved, SignedIn, add_account, connect};
pub use keychain::check_keychain;
pub use oauth::{
    Answer, SIGN_IN_DEADLINE, SignInAttempt, app_as_entered, begin_sign_in, finish_sign_in, forget_app,
    keep_sign_in, known_app, redeem, remember_app,
};
pub use options::{AccountOption, ReconnectOptions, reconnect_options};
pub use reconnect::{begin_reconnect, reconnect_item};
pub use reconnect_all::{Repaired, Whose, begin_reconnect_all, reconnect_all};
pub(crate) use renewal::renew_refused;
pub use sign_ins::SignIns;
pub(crate) use sign_ins::{CredentialError, open_credential};
pub use upkeep::{Care, care, keep_signed_in, save_what_is_held, settle_sign_ins};
pub use verify::verify;
pub use withdrawal::{Withdrawal, give_back, offers_withdrawal};

use crate::domain::credential::{Credential, Generation};
use crate::domain::failure::{Failure, FailureCode};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::error::CommandError;
use crate::ports::{Notice, Ports, ProviderError, Severance, StoreError};
use crate::sync::engine::{self, EngineOptions};
use crate::sync::verdict::Verdict;

/// A credential is never sent to a server other than the one it was proved against.
pub(crate) fn check_origin(ports: &Ports, integration: &Integration) -> Result<(), CommandError> {
    let now = &ports.provider(integration.provider).origins().api;
    if *now == integration.api_origin {
        return Ok(());
    }
    Err(CommandError::other_server(format!(
        "{} was connected at {} and belongs to another server than the one set now ({}). Its {} is not sent there.",
        integration.label(),
        integration.api_origin.host(),
        now.host(),
        integration.credential_name()
    )))
}

/// Severs an account and every item that reads through it, and tells of it; unless its credential is newer than
/// `generation`.
pub(crate) async fn sever(
    ports: &Ports,
    id: &IntegrationId,
    generation: Generation,
    failure: &Failure,
) -> Result<Severance, StoreError> {
    let severance = ports.store.sever(id, generation, failure).await?;
    if severance == Severance::Severed {
        ports.notices.notify(Notice::IntegrationChanged(id.clone()));
    }
    Ok(severance)
}

/// Judges why a command's call about an account was refused, and severs the account where that is certain. With
/// [`Verdict::Again`] the credential was renewed, and the call deserves another try.
async fn judge_refusal(
    ports: &Ports,
    integration: &Integration,
    credential: &Credential,
    error: &ProviderError,
    options: EngineOptions,
) -> Result<Verdict, StoreError> {
    let judged =
        engine::judge_with_probe(ports, integration, Some(credential), error, options.patience).await;
    if judged.verdict == Verdict::Sever && !judged.is_severed {
        let failure = Failure::new(FailureCode::CredentialsRejected, ports.clock.now());
        sever(ports, &integration.id, credential.generation, &failure).await?;
    }
    Ok(judged.verdict)
}
