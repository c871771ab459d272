//! Integrations: connecting an account, proving it, listing what it offers, reconnecting an item, disconnecting.

mod candidates;
mod disconnect;
mod integrate;
mod open_credential;
mod options;
mod recognise;
mod reconnect;

pub use candidates::{Candidate, ImportedAs, candidates};
pub use disconnect::disconnect;
pub use integrate::{Connected, connect, verify};
pub(crate) use open_credential::open_credential;
pub use options::{AccountOption, ReconnectOptions, reconnect_options};
pub use reconnect::{begin_reconnect, reconnect_item};

use crate::domain::integration::Integration;
use crate::error::CommandError;
use crate::ports::Ports;

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
