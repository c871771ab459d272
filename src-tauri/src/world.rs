//! What the shell needs of the world around it. The app takes the real one, tests bring their own.

use std::io;
use std::sync::Arc;

use talkvalue_adapters::Settings;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Notices, Ports};

/// Opens the data folder, blocking. Called off the main thread, again whenever it failed and somebody asks.
pub type OpenPorts = dyn Fn(Arc<dyn Notices>) -> Result<Ports, CommandError> + Send + Sync;

/// Shows an address in the person's browser.
pub type OpenAddress = dyn Fn(&str) -> io::Result<()> + Send + Sync;

/// The world around the shell.
#[derive(Clone)]
pub struct World {
    /// The data folder as a person would read it.
    pub data_dir: String,
    pub open_ports: Arc<OpenPorts>,
    pub open_address: Arc<OpenAddress>,
}

impl World {
    /// The real data folder, providers, keychain and browser.
    pub fn real(settings: Settings) -> Self {
        Self {
            data_dir: settings.data_dir.display().to_string(),
            open_ports: Arc::new(move |notices| talkvalue_adapters::open(&settings, notices)),
            open_address: Arc::new(|address| open::that_detached(address)),
        }
    }
}
