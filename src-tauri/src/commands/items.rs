//! Items: list, show, import, sync, retry, reconnect, keep, remove. What reads a list answers as soon as its job is
//! open; the rest of it is told by notices.

use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::{ExternalId, IntegrationId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::error::CommandError;
use talkvalue_core::query;
use talkvalue_core::query::attendee_list::AttendeeListRequest;
use talkvalue_core::sync::actions;
use tauri::State;

use super::Answer;
use crate::desk::{in_passing, while_waiting};
use crate::ipc::arguments::Checked;
use crate::ipc::dto::{AttendeePage, ItemView, ReconnectOptions};
use crate::shell::Shell;

#[tauri::command]
pub(crate) async fn list_items(shell: State<'_, Shell>) -> Answer<Vec<ItemView>> {
    let desk = shell.desk().await?;
    let items = query::items(&desk.ports, desk.runner.engine()).await?;
    Ok(items.into_iter().map(Into::into).collect())
}

#[tauri::command]
pub(crate) async fn show_item(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let item = query::item(&desk.ports, &item_id.0, desk.runner.engine()).await?;
    Ok(item.into())
}

#[tauri::command]
pub(crate) async fn list_attendees(
    shell: State<'_, Shell>,
    item_id: Checked<ItemId>,
    request: Checked<AttendeeListRequest>,
) -> Answer<AttendeePage> {
    let desk = shell.desk().await?;
    let list = desk.lists.open(&desk.ports, &item_id.0).await?;
    // Searching a long list keeps a processor busy, and with it everything else that waits for this thread.
    let page = tokio::task::spawn_blocking(move || list.page(&request.0))
        .await
        .map_err(|_| CommandError::failure(FailureCode::StorageFailed, "The list could not be searched."))?;
    Ok(page.into())
}

#[tauri::command]
pub(crate) async fn import_event(
    shell: State<'_, Shell>,
    integration_id: Checked<IntegrationId>,
    external_id: Checked<ExternalId>,
    kind: Checked<ItemKind>,
) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    let begun = actions::begin_import(&desk.ports, &turn, &integration_id.0, &external_id.0, kind.0).await?;
    Ok(desk.run_in_background(turn, begun).into())
}

#[tauri::command]
pub(crate) async fn sync_item(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    let begun = actions::begin_sync(&desk.ports, &turn, &item_id.0).await?;
    Ok(desk.run_in_background(turn, begun).into())
}

#[tauri::command]
pub(crate) async fn retry_item(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    let begun = actions::begin_retry(&desk.ports, &turn, &item_id.0).await?;
    Ok(desk.run_in_background(turn, begun).into())
}

#[tauri::command]
pub(crate) async fn reconnect_options(
    shell: State<'_, Shell>,
    item_id: Checked<ItemId>,
) -> Answer<ReconnectOptions> {
    let desk = shell.desk().await?;
    let options = connect::reconnect_options(&desk.ports, &item_id.0, in_passing()).await?;
    Ok(options.into())
}

#[tauri::command]
pub(crate) async fn reconnect_item(
    shell: State<'_, Shell>,
    item_id: Checked<ItemId>,
    with_integration_id: Checked<Option<IntegrationId>>,
) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    let with = with_integration_id.0.as_ref();
    let begun = connect::begin_reconnect(&desk.ports, &turn, &item_id.0, with, while_waiting()).await?;
    Ok(desk.run_in_background(turn, begun).into())
}

#[tauri::command]
pub(crate) async fn keep_item(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    desk.runner.stop(&item_id.0).await;
    let kept = actions::keep_item_in(&desk.ports, &turn, &item_id.0).await?;
    Ok(kept.into())
}

#[tauri::command]
pub(crate) async fn remove_item(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    desk.runner.stop(&item_id.0).await;
    let removed = actions::remove_item_in(&desk.ports, &turn, &item_id.0).await?;
    desk.lists.forget(&item_id.0);
    Ok(removed.into())
}
