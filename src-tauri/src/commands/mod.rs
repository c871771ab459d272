//! The commands the window may call. Each takes checked arguments, calls one use case and converts the answer; none
//! holds a decision. All run off the main thread, where a keychain or a disk may keep them waiting.

mod app;
mod history;
mod integrations;
mod items;
mod links;
mod sign_in;

use tauri::Runtime;
use tauri::ipc::Invoke;

use crate::ipc::error::CommandError;

/// What a command answers.
type Answer<T> = Result<T, CommandError>;

/// Every command there is. Each needs a permission file and a line in the capability; tests hold the lists equal.
pub const NAMES: [&str; 37] = [
    "add_signed_in_account",
    "answer_quit",
    "answer_sign_in",
    "app_status",
    "cancel_item",
    "cancel_sign_in",
    "check_keychain",
    "connect_account",
    "decide_removals",
    "disconnect_integration",
    "forget_app",
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
    "reconnect_all",
    "reconnect_item",
    "reconnect_options",
    "remember_app",
    "remove_item",
    "retry_item",
    "save_sign_ins",
    "show_item",
    "show_sign_in",
    "sign_in",
    "sign_in_address",
    "sign_in_options",
    "switch_sign_in",
    "sync_item",
    "verify_integration",
];

pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        sign_in::add_signed_in_account,
        app::answer_quit,
        sign_in::answer_sign_in,
        app::app_status,
        history::cancel_item,
        sign_in::cancel_sign_in,
        app::check_keychain,
        integrations::connect_account,
        history::decide_removals,
        integrations::disconnect_integration,
        sign_in::forget_app,
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
        sign_in::reconnect_all,
        items::reconnect_item,
        items::reconnect_options,
        sign_in::remember_app,
        items::remove_item,
        items::retry_item,
        sign_in::save_sign_ins,
        items::show_item,
        sign_in::show_sign_in,
        sign_in::sign_in,
        sign_in::sign_in_address,
        sign_in::sign_in_options,
        sign_in::switch_sign_in,
        items::sync_item,
        integrations::verify_integration,
    ]
}
