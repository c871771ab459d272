//! The least a Tauri window can be: the app's window settings around a page of one word. It closes as soon as that word
//! is painted, found out the way the app finds it out under `--quit-when-painted`.

use std::io::Write as _;

use tauri::webview::PageLoadEvent;
use tauri::{Builder, WebviewWindowBuilder, Wry};

const PAINTED: &str = "painted";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Builder::<Wry>::new()
        .setup(|app| {
            let config = app.config();
            let settings = config.app.windows.first().ok_or("no window is described")?;
            WebviewWindowBuilder::from_config(app, settings)?
                .on_page_load(|window, page| {
                    if page.event() == PageLoadEvent::Finished {
                        let script = format!(
                            "requestAnimationFrame(() => requestAnimationFrame(() => {{ document.title = {PAINTED:?}; }}))"
                        );
                        if let Err(error) = window.eval(script) {
                            eprintln!("The page could not be asked: {error}");
                        }
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
                })
                .build()?;
            Ok(())
        })
        .build(tauri::generate_context!())?;
    std::process::exit(app.run_return(|_, _| {}));
}
