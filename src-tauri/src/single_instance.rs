//! One window per data folder: a second start shows the first one's window and ends. Without a session bus every start
//! opens a window; the data folder's locks still let one process act at a time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use talkvalue_adapters::Settings;
use tauri::Runtime;
use tauri::plugin::TauriPlugin;

use crate::window::show_main_window;

const APP_ID: &str = "com.talkvalue.sync";

pub(crate) fn plugin<R: Runtime>(settings: &Settings) -> TauriPlugin<R> {
    tauri_plugin_single_instance::Builder::new()
        .callback(|app, _arguments, _folder| show_main_window(app))
        .dbus_id(bus_name(settings))
        .build()
}

/// Another data folder is another set of lists: starting with it must not show this one's window.
fn bus_name(settings: &Settings) -> String {
    let folder = &settings.data_dir;
    if Settings::default_data_dir().is_ok_and(|default| default == *folder) {
        return APP_ID.to_owned();
    }
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let mut hash = DefaultHasher::new();
    folder.hash(&mut hash);
    // A part of a bus name must not begin with a digit.
    format!("{APP_ID}.at{:016x}", hash.finish())
}
