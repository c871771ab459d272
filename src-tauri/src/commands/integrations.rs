//! Accounts: list, connect, verify, disconnect, and what they offer.

use secrecy::SecretString;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::{connect, query};
use tauri::State;

use super::Answer;
use crate::desk::while_waiting;
use crate::ipc::arguments::Checked;
use crate::ipc::dto::{Candidate, Connected, Disconnected, IntegrationView};
use crate::shell::Shell;

#[tauri::command]
pub(crate) async fn list_integrations(shell: State<'_, Shell>) -> Answer<Vec<IntegrationView>> {
    let desk = shell.desk().await?;
    let integrations = query::integrations(&desk.ports).await?;
    Ok(integrations.into_iter().map(Into::into).collect())
}

#[tauri::command]
pub(crate) async fn connect_account(
    shell: State<'_, Shell>,
    provider: Checked<Provider>,
    secret: Checked<SecretString>,
    renews: Checked<Option<IntegrationId>>,
) -> Answer<Connected> {
    let desk = shell.desk().await?;
    let connected = connect::connect(
        &desk.ports,
        provider.0,
        secret.0,
        renews.0.as_ref(),
        while_waiting(),
    )
    .await?;
    Ok(connected.into())
}

#[tauri::command]
pub(crate) async fn verify_integration(
    shell: State<'_, Shell>,
    integration_id: Checked<IntegrationId>,
) -> Answer<IntegrationView> {
    let desk = shell.desk().await?;
    let verified = connect::verify(&desk.ports, &integration_id.0, while_waiting()).await?;
    Ok(verified.into())
}

#[tauri::command]
pub(crate) async fn disconnect_integration(
    shell: State<'_, Shell>,
    integration_id: Checked<IntegrationId>,
) -> Answer<Disconnected> {
    let desk = shell.desk().await?;
    let disconnected = connect::disconnect(&desk.ports, &integration_id.0, while_waiting()).await?;
    Ok(disconnected.into())
}

#[tauri::command]
pub(crate) async fn list_candidates(
    shell: State<'_, Shell>,
    integration_id: Checked<IntegrationId>,
) -> Answer<Vec<Candidate>> {
    let desk = shell.desk().await?;
    let candidates = connect::candidates(&desk.ports, &integration_id.0, while_waiting()).await?;
    Ok(candidates.into_iter().map(Into::into).collect())
}
