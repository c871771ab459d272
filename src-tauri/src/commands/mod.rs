//! The commands the window may call. Each takes checked arguments, calls one use case and converts the answer; none
//! holds a decision. All run off the main thread, where a keychain or a disk may keep them waiting.

mod app;
mod history;
mod integrations;
mod items;
mod links;

use tauri::Runtime;
use tauri::ipc::Invoke;

use crate::ipc::error::CommandError;

/// What a command answers.
type Answer<T> = Result<T, CommandError>;

/// Every command there is. Each needs a permission file and a line in the capability; tests hold the lists equal.
pub const NAMES: [&str; 24] = [
    "app_status",
    "cancel_item",
    "check_keychain",
    "connect_account",
    "decide_removals",
    "disconnect_integration",
    "import_event",
    "keep_item",
    "keep_live",
    "list_activity",
    "list_attendees",
    "list_candidates",
    "list_changes",
    "list_integrations",
    "list_items",
    "list_removals",
    "open_link",
    "reconnect_item",
    "reconnect_options",
    "remove_item",
    "retry_item",
    "show_item",
    "sync_item",
    "verify_integration",
];

pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        app::app_status,
        history::cancel_item,
        app::check_keychain,
        integrations::connect_account,
        history::decide_removals,
        integrations::disconnect_integration,
        items::import_event,
        items::keep_item,
        app::keep_live,
        history::list_activity,
        items::list_attendees,
        integrations::list_candidates,
        history::list_changes,
        integrations::list_integrations,
        items::list_items,
        history::list_removals,
        links::open_link,
        items::reconnect_item,
        items::reconnect_options,
        items::remove_item,
        items::retry_item,
        items::show_item,
        items::sync_item,
        integrations::verify_integration,
    ]
}
