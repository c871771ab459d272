//! What happened to an item, and the removals that wait for a person's word.

use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::query::history;
use talkvalue_core::sync::cancel;
use talkvalue_core::sync::removals::{self, Decision, Shown};
use tauri::State;

use super::Answer;
use crate::ipc::arguments::Checked;
use crate::ipc::dto::{ItemView, time};
use crate::ipc::history::{Activity, ChangePage, ChangesWanted};
use crate::ipc::removals::HeldRemovals;
use crate::shell::Shell;

/// Rows of one page of changes.
const PAGE: usize = 100;

#[tauri::command]
pub(crate) async fn list_changes(
    shell: State<'_, Shell>,
    item_id: Checked<ItemId>,
    request: Checked<ChangesWanted>,
) -> Answer<ChangePage> {
    let desk = shell.desk().await?;
    let ChangesWanted { since, mark } = request.0;
    let page = history::changes(&desk.ports, &item_id.0, since, mark, PAGE).await?;
    Ok(page.into())
}

#[tauri::command]
pub(crate) async fn list_activity(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<Activity> {
    let desk = shell.desk().await?;
    let entries = history::activity(&desk.ports, &item_id.0, None).await?;
    let last_outage = history::last_outage(&desk.ports, &item_id.0).await?;
    Ok(Activity {
        entries: entries.into_iter().rev().map(Into::into).collect(),
        last_outage_at: time(last_outage),
    })
}

#[tauri::command]
pub(crate) async fn list_removals(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<HeldRemovals> {
    let desk = shell.desk().await?;
    let held = removals::held_removals(&desk.ports, &item_id.0).await?;
    Ok(held.into())
}

#[tauri::command]
pub(crate) async fn decide_removals(
    shell: State<'_, Shell>,
    item_id: Checked<ItemId>,
    accept: Checked<bool>,
    shown: Checked<Shown>,
) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let turn = desk.runner.turn().await?;
    let decision = if accept.0 {
        Decision::Accept
    } else {
        Decision::Reject
    };
    let item = removals::decide_removals_in(&desk.ports, &turn, &item_id.0, decision, &shown.0).await?;
    Ok(item.into())
}

#[tauri::command]
pub(crate) async fn cancel_item(shell: State<'_, Shell>, item_id: Checked<ItemId>) -> Answer<ItemView> {
    let desk = shell.desk().await?;
    let item = cancel::cancel_item(&desk.ports, &item_id.0).await?;
    Ok(item.into())
}
