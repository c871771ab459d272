//! What the app says of itself.

use talkvalue_core::connect;
use talkvalue_core::ports::Patience;
use tauri::{AppHandle, Runtime, State};

use super::Answer;
use crate::ipc::arguments::Checked;
use crate::ipc::dto::AppStatus;
use crate::ipc::error::CommandError;
use crate::shell::Shell;

#[tauri::command]
pub(crate) async fn app_status(shell: State<'_, Shell>) -> Answer<AppStatus> {
    let opened = shell.desk_again().await;
    let mended = opened
        .as_ref()
        .ok()
        .and_then(|desk| desk.ports.store.mended().map(str::to_owned));
    let unsaved = opened
        .as_ref()
        .ok()
        .and_then(|desk| desk.ports.sign_ins.unsaved());
    let problem = opened.err();
    Ok(AppStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: shell.world.data_dir.clone(),
        schema: problem
            .is_none()
            .then_some(talkvalue_adapters::store::SCHEMA_VERSION as u64),
        problem: problem.map(Into::into),
        mended,
        unsaved,
    })
}

/// What is the matter with the keychain; nothing if it serves. With `ask` its own prompt may ask to unlock it.
#[tauri::command]
pub(crate) async fn check_keychain(
    shell: State<'_, Shell>,
    ask: Checked<bool>,
) -> Answer<Option<CommandError>> {
    let desk = shell.desk().await?;
    let patience = if ask.0 {
        Patience::PersonAsked
    } else {
        Patience::Background
    };
    Ok(connect::check_keychain(&desk.ports, patience)
        .await
        .err()
        .map(Into::into))
}

/// The stored lists are painted: from now on they are kept live. Before that no provider and no keychain is asked.
#[tauri::command]
pub(crate) async fn keep_live(shell: State<'_, Shell>) -> Answer<()> {
    shell.desk().await?.keep_live();
    Ok(())
}

/// What the person says when they are asked before they quit.
#[tauri::command]
pub(crate) async fn answer_quit<R: Runtime>(
    app: AppHandle<R>,
    shell: State<'_, Shell>,
    quits: Checked<bool>,
) -> Answer<()> {
    shell.quitting.answer(&app, quits.0);
    Ok(())
}
