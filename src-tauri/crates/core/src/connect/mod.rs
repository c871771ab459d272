//! Integrations: connecting an account, proving it, listing what it offers, reconnecting an item, disconnecting.

mod candidates;
mod disconnect;
mod integrate;
mod keychain;
mod options;
mod recognise;
mod reconnect;

pub use candidates::{Candidate, ImportedAs, candidates};
pub use disconnect::disconnect;
pub use integrate::{Connected, connect, verify};
pub use keychain::check_keychain;
pub(crate) use keychain::open_credential;
pub use options::{AccountOption, ReconnectOptions, reconnect_options};
pub use reconnect::{begin_reconnect, reconnect_item};

use crate::domain::credential::Generation;
use crate::domain::failure::Failure;
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::error::CommandError;
use crate::ports::{Notice, Ports, Severance, StoreError};

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
        integration.provider.credential_name()
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
