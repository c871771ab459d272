//! The app as it is built and released, with one more window: the page of somebody else, opened as a provider's sign-in
//! would be. The tests see what that page can reach. Never shipped.

use std::process::ExitCode;

use anyhow::Context as _;
use talkvalue_adapters::Settings;
use talkvalue_sync_app::{Launch, World};
use tauri::{Builder, RunEvent, Url, WebviewUrl, WebviewWindowBuilder, Wry};

/// Where the stranger's page is.
const ADDRESS: &str = "TALKVALUE_STRANGER_URL";

fn main() -> anyhow::Result<ExitCode> {
    let address: Url = std::env::var(ADDRESS)
        .with_context(|| format!("{ADDRESS} must name the stranger's page"))?
        .parse()?;
    let settings = Settings::from_environment(None).map_err(|error| anyhow::anyhow!(error.message))?;
    let app = talkvalue_sync_app::build(
        Builder::<Wry>::new(),
        talkvalue_sync_app::context(),
        World::real(settings),
        &Launch::default(),
    )?;
    let code = app.run_return(move |app, event| {
        if let RunEvent::Ready = event {
            let opened =
                WebviewWindowBuilder::new(app, "oauth-1", WebviewUrl::External(address.clone())).build();
            if let Err(error) = opened {
                eprintln!("The stranger's window could not be opened: {error}");
            }
        }
    });
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}
