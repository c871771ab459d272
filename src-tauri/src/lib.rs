//! The shell: the window, and what it may show and reach. It holds no decision about lists or accounts; those are the
//! core's, which it will call through one command per use case. The caller hands over the process: [`run`] returns
//! when the last window is closed.

use std::process::ExitCode;

use anyhow::Context as _;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{App, Url, WebviewWindow, WebviewWindowBuilder};

/// The main window's label. The capability that grants commands names it.
const MAIN_WINDOW: &str = "main";

/// The title that the page takes once two frames have been drawn, when asked to prove it.
const PAINTED: &str = "painted";

/// What the command line asks of this start.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Close the window, as a person would, as soon as its page has been painted. For checks of a build.
    pub quit_when_painted: bool,
}

impl Launch {
    /// Reads the arguments after the program's name. An unknown one gives the sentence to print.
    pub fn from_arguments(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut launch = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--quit-when-painted" => launch.quit_when_painted = true,
                // macOS passed this to programs opened from the Finder.
                other if cfg!(target_os = "macos") && other.starts_with("-psn_") => {}
                other => {
                    return Err(format!(
                        "TalkValue Sync does not know the option {other}. Start it without."
                    ));
                }
            }
        }
        Ok(launch)
    }
}

/// Shows the main window and returns once it is closed.
pub fn run(launch: Launch) -> anyhow::Result<ExitCode> {
    let app = tauri::Builder::default()
        .setup(move |app| {
            open_main_window(app, launch.quit_when_painted)?;
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("the window system refused")?;
    let code = app.run_return(|_, _| {});
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn open_main_window(app: &App, quit_when_painted: bool) -> anyhow::Result<()> {
    let settings = app
        .config()
        .app
        .windows
        .iter()
        .find(|window| window.label == MAIN_WINDOW);
    let settings = settings.context("tauri.conf.json describes no window called main")?;
    let development = if tauri::is_dev() {
        app.config().build.dev_url.clone()
    } else {
        None
    };

    let mut window = WebviewWindowBuilder::from_config(app, settings)?
        .on_navigation(move |url| is_own_page(url, development.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny);
    if quit_when_painted {
        window = window
            .on_page_load(|window, page| {
                if page.event() == PageLoadEvent::Finished {
                    announce_second_frame(&window);
                }
            })
            .on_document_title_changed(|window, title| {
                if title == PAINTED && window.close().is_err() {
                    eprintln!("The window could not be closed.");
                }
            });
    }
    window.build().context("the main window could not be opened")?;
    Ok(())
}

/// The first frame callback runs before the first picture is drawn, the second after it: only then it was painted. A
/// page without words (its script was refused, say) is not a painted window, and never announces itself.
/// The title is the one thing a page can tell us without being granted a command.
fn announce_second_frame(window: &WebviewWindow) {
    let script = format!(
        "requestAnimationFrame(() => requestAnimationFrame(() => {{
            if (document.body.innerText.trim() !== '') document.title = {PAINTED:?};
        }}))"
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

    #[test]
    fn unknown_option_is_named_in_the_answer() {
        let answer = Launch::from_arguments(["--quick".to_owned()]);
        assert!(
            answer.is_err_and(|message| message.contains("--quick")),
            "a typing error must not be swallowed"
        );
    }
}
