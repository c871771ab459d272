//! Signing in at a provider, the workspace's own app, and the repair of all items after one sign-in.

use secrecy::SecretString;
use talkvalue_core::connect::{self, Whose};
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::ports::Patience;
use tauri::{AppHandle, Runtime, State};

use super::Answer;
use crate::desk::{until_done, while_waiting};
use crate::ipc::arguments::{Checked, ClientId, Port};
use crate::ipc::dto::Connected;
use crate::ipc::sign_in::{Repaired, SignInEnd, SignInOptions, SignInWay};
use crate::shell::Shell;
use crate::sign_in::Attempt;

/// Answers when the attempt has ended, however that was.
#[tauri::command]
pub(crate) async fn sign_in<R: Runtime>(
    app: AppHandle<R>,
    shell: State<'_, Shell>,
    provider: Checked<Provider>,
    way: Checked<SignInWay>,
    renews: Checked<Option<IntegrationId>>,
) -> Answer<SignInEnd> {
    let desk = shell.desk().await?;
    let attempt = Attempt {
        app: &app,
        sign_ins: &shell.sign_ins,
        desk: &desk,
        push: &shell.push,
        open_address: &shell.world.open_address,
        provider: provider.0,
        renews: renews.0.as_ref(),
    };
    Ok(attempt.run(way.0).await?)
}

#[tauri::command]
pub(crate) async fn switch_sign_in(shell: State<'_, Shell>, way: Checked<SignInWay>) -> Answer<()> {
    Ok(shell.sign_ins.switch(way.0)?)
}

#[tauri::command]
pub(crate) async fn cancel_sign_in(shell: State<'_, Shell>) -> Answer<()> {
    shell.sign_ins.cancel();
    Ok(())
}

#[tauri::command]
pub(crate) async fn show_sign_in(shell: State<'_, Shell>) -> Answer<()> {
    Ok(shell.sign_ins.show_again()?)
}

#[tauri::command]
pub(crate) async fn sign_in_address(shell: State<'_, Shell>) -> Answer<String> {
    Ok(shell.sign_ins.address()?)
}

#[tauri::command]
pub(crate) async fn answer_sign_in(shell: State<'_, Shell>, address: Checked<SecretString>) -> Answer<()> {
    Ok(shell.sign_ins.answer(&address.0)?)
}

#[tauri::command]
pub(crate) async fn add_signed_in_account(shell: State<'_, Shell>) -> Answer<Connected> {
    let desk = shell.desk().await?;
    let (proved, _under_way) = shell.sign_ins.take_other()?;
    let added = connect::add_account(&desk.ports, proved, while_waiting()).await?;
    Ok(added.into())
}

#[tauri::command]
pub(crate) async fn sign_in_options(
    shell: State<'_, Shell>,
    provider: Checked<Provider>,
) -> Answer<SignInOptions> {
    let desk = shell.desk().await?;
    let app = connect::known_app(&desk.ports, provider.0, Patience::Background).await?;
    Ok(SignInOptions::new(provider.0, app))
}

#[tauri::command]
pub(crate) async fn remember_app(
    shell: State<'_, Shell>,
    provider: Checked<Provider>,
    client_id: Checked<ClientId>,
    client_secret: Checked<Option<SecretString>>,
    redirect_port: Checked<Port>,
) -> Answer<SignInOptions> {
    let desk = shell.desk().await?;
    let (ports, provider) = (&desk.ports, provider.0);
    let app = connect::app_as_entered(
        ports,
        provider,
        &client_id.0.0,
        client_secret.0,
        redirect_port.0.0,
    )?;
    connect::remember_app(ports, provider, &app, Patience::PersonAsked).await?;
    Ok(SignInOptions::new(provider, Some(app)))
}

#[tauri::command]
pub(crate) async fn forget_app(
    shell: State<'_, Shell>,
    provider: Checked<Provider>,
) -> Answer<SignInOptions> {
    let desk = shell.desk().await?;
    connect::forget_app(&desk.ports, provider.0, Patience::PersonAsked).await?;
    Ok(SignInOptions::new(provider.0, None))
}

/// Reconnects every disconnected item of an account, through it or another one; the lists are read in the background.
#[tauri::command]
pub(crate) async fn reconnect_all(
    shell: State<'_, Shell>,
    integration_id: Checked<IntegrationId>,
    with_integration_id: Checked<IntegrationId>,
) -> Answer<Vec<Repaired>> {
    let desk = shell.desk().await?;
    let (whose, with) = (Whose::Account(&integration_id.0), &with_integration_id.0);
    let repaired =
        connect::begin_reconnect_all(&desk.runner, whose, with, while_waiting(), until_done()).await?;
    Ok(repaired.into_iter().map(Into::into).collect())
}

/// Offers the keychain once more what it did not take.
#[tauri::command]
pub(crate) async fn save_sign_ins(shell: State<'_, Shell>) -> Answer<()> {
    let desk = shell.desk().await?;
    connect::save_what_is_held(&desk.ports).await;
    Ok(())
}
