//! The main window: its own page and nothing else. Owns what the window may show and where it may go; what it may call
//! stands in the capability.

use std::io::Write as _;

use anyhow::Context as _;
use tauri::webview::{NewWindowResponse, PageLoadEvent, PermissionResponse};
use tauri::{AppHandle, Manager, Runtime, Url, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use crate::shell::Shell;

/// The main window's label. The capability that grants commands names it.
pub const MAIN_WINDOW: &str = "main";

/// The title that the page takes once two frames have been drawn, when asked to prove it.
const PAINTED: &str = "painted";

/// Opens the main window as tauri.conf.json describes it.
pub(crate) fn open_main_window<R: Runtime, M: Manager<R>>(
    app: &M,
    quit_when_painted: bool,
) -> anyhow::Result<()> {
    let config = app.config();
    let settings = config
        .app
        .windows
        .iter()
        .find(|window| window.label == MAIN_WINDOW);
    let settings = settings.context("tauri.conf.json describes no window called main")?;
    let development = if tauri::is_dev() {
        config.build.dev_url.clone()
    } else {
        None
    };

    let mut window = WebviewWindowBuilder::from_config(app, settings)?
        .initialization_script(include_str!("../../ui/beginning.js"))
        .on_navigation(move |url| is_own_page(url, development.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny);
    if quit_when_painted {
        window = window
            .on_page_load(|window, page| {
                if page.event() == PageLoadEvent::Finished {
                    announce_second_frame(&window);
                }
            })
            .on_document_title_changed(|window, title| {
                if title != PAINTED {
                    return;
                }
                // Whoever measures stops here.
                let _ = writeln!(std::io::stdout(), "{PAINTED}");
                if window.close().is_err() {
                    eprintln!("The window could not be closed.");
                }
            });
    }
    let window = window.build().context("the main window could not be opened")?;
    let app = window.app_handle().clone();
    window.on_window_event(move |event| {
        // A sign-in window must not outlive the window that asked for it.
        if let WindowEvent::Destroyed = event {
            app.state::<Shell>().sign_ins.cancel();
        }
    });
    Ok(())
}

/// Brings the window to the front: a second start of the app was meant for it.
pub(crate) fn show_main_window<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(MAIN_WINDOW) else {
        return;
    };
    let shown = window
        .unminimize()
        .and_then(|()| window.show())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(error = %error, "the window could not be brought to the front");
    }
}

/// Waits until the page shows what it was opened for: words, and where it has a list, that list's first
/// row. Then two frames more: the first one's callback runs before that picture is drawn, the second one's after it. A
/// page without words (its script was refused, say) is not a painted window, and never announces itself.
/// The title is the one thing a page can tell us without being granted a command.
fn announce_second_frame<R: Runtime>(window: &WebviewWindow<R>) {
    // Looking again with every frame would make the engine draw frames, and what is measured would be the looking.
    let script = format!(
        "(() => {{
            const says = (element) => !!element && element.textContent.trim() !== '';
            const isShown = () => {{
                const list = document.querySelector('main [role=list]');
                return says(document.querySelector('main')) && (!list || says(list.querySelector('[role=listitem]')));
            }};
            const look = () => {{
                if (!isShown()) return;
                changes.disconnect();
                requestAnimationFrame(() => requestAnimationFrame(() => {{ document.title = {PAINTED:?}; }}));
            }};
            const changes = new MutationObserver(look);
            changes.observe(document.body, {{ childList: true, subtree: true, characterData: true }});
            look();
        }})()"
    );
    if let Err(error) = window.eval(script) {
        eprintln!("The page could not be asked whether it was painted: {error}");
    }
}

/// Whether the window may show this address: its own embedded files, or the development server of a build that has one.
/// Everything else is opened, if at all, in the person's browser.
fn is_own_page(url: &Url, development: Option<&Url>) -> bool {
    let embedded = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // Windows serves the embedded files under this name.
        "http" | "https" => url.host_str() == Some("tauri.localhost") && url.port().is_none(),
        _ => false,
    };
    embedded || development.is_some_and(|development| development.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(address: &str) -> bool {
        is_own_page(&address.parse().unwrap(), None)
    }

    #[test]
    fn window_shows_only_its_own_files() {
        for address in [
            "tauri://localhost/",
            "tauri://localhost/index.html#/settings",
            "http://tauri.localhost/",
        ] {
            assert!(own(address), "{address} is the app's own page");
        }
        let foreign = [
            "https://www.eventbrite.com/oauth/authorize",
            "http://tauri.localhost.example/",
            "http://tauri.localhost:8080/",
            "http://user@localhost/",
            "http://localhost:5173/",
            "tauri://elsewhere/",
            "file:///etc/passwd",
            "data:text/html,hello",
            "about:blank",
            "javascript:alert(1)",
        ];
        for address in foreign {
            assert!(!own(address), "{address} must not replace the app's page");
        }
    }

    #[test]
    fn development_build_may_show_its_server_and_no_other() {
        let server: Url = "http://localhost:5173/".parse().unwrap();
        assert!(is_own_page(
            &"http://localhost:5173/src/main.ts".parse().unwrap(),
            Some(&server)
        ));
        assert!(!is_own_page(
            &"http://localhost:5174/".parse().unwrap(),
            Some(&server)
        ));
    }
}
