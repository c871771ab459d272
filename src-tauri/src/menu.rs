//! The app's menu, which macOS alone has. Its Quit closes the main window, which may have something to ask first; the
//! system's own would end the process.

use tauri::menu::{Menu, MenuEvent, MenuItem, MenuItemKind};
use tauri::{AppHandle, Manager as _, Runtime};
use tracing::warn;

use crate::window::MAIN_WINDOW;

/// The entry that quits.
pub const QUIT: &str = "quit";

/// The usual menu, with a Quit of our own.
pub(crate) fn own<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<Menu<R>> {
    let menu = Menu::default(app)?;
    // The app's own part comes first, and ends with Quit.
    if let Some(MenuItemKind::Submenu(first)) = menu.items()?.first() {
        if let Some(quit) = first.items()?.last() {
            first.remove(quit)?;
        }
        let words = format!("Quit {}", app.package_info().name);
        first.append(&MenuItem::with_id(app, QUIT, words, true, Some("CmdOrCtrl+Q"))?)?;
    }
    Ok(menu)
}

/// Does what was chosen.
pub(crate) fn heed<R: Runtime>(app: &AppHandle<R>, event: &MenuEvent) {
    if event.id() == QUIT
        && let Some(window) = app.get_webview_window(MAIN_WINDOW)
        && let Err(error) = window.close()
    {
        warn!(error = %error, "the window could not be asked to close");
    }
}
