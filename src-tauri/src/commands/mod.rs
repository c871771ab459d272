//! The commands the window may call. Each takes checked arguments, calls one use case and converts the answer; none
//! holds a decision. All run off the main thread, where a keychain or a disk may keep them waiting.

mod app;
mod integrations;
mod items;
mod links;

use tauri::Runtime;
use tauri::ipc::Invoke;

use crate::ipc::error::CommandError;

/// What a command answers.
type Answer<T> = Result<T, CommandError>;

/// Every command there is. Each needs a permission file and a line in the capability; tests hold the lists equal.
pub const NAMES: [&str; 19] = [
    "app_status",
    "check_keychain",
    "connect_account",
    "disconnect_integration",
    "import_event",
    "keep_item",
    "keep_live",
    "list_attendees",
    "list_candidates",
    "list_integrations",
    "list_items",
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
        app::check_keychain,
        integrations::connect_account,
        integrations::disconnect_integration,
        items::import_event,
        items::keep_item,
        app::keep_live,
        items::list_attendees,
        integrations::list_candidates,
        integrations::list_integrations,
        items::list_items,
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
