//! Touches the world for the core: the database, the providers' HTTP, the OS keychain, the clock, the lock files.
//!
//! Nothing here decides: adapters translate the world into the core's terms and back. [`open`] puts them together.

pub mod clock;
pub mod data_folder;
pub mod dumps;
pub mod oauth;
pub mod providers;
pub mod settings;
pub mod store;
pub mod vault;

pub use settings::Settings;

use data_folder::DataFolder;
use oauth::OauthClient;
use providers::{eventbrite::EventbriteApi, luma::LumaApi};
use std::sync::Arc;
use store::SqliteStore;
use talkvalue_core::connect::SignIns;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Notices, Ports, Store as _};
use vault::KeychainVault;

/// Opens the data folder and its database and prepares the clients. Makes no request and opens no keychain.
pub fn open(settings: &Settings, notices: Arc<dyn Notices>) -> Result<Ports, CommandError> {
    let folder = DataFolder::open(&settings.data_dir)?;
    let clock = Arc::new(clock::SystemClock);
    let store = SqliteStore::open(&folder)?;
    if let Some(sentence) = store.mended() {
        tracing::warn!("{sentence}");
    }
    Ok(Ports {
        store: Arc::new(store),
        vault: Arc::new(KeychainVault::native(&settings.vault_service)),
        eventbrite: Arc::new(EventbriteApi::new(
            settings.eventbrite.clone(),
            &settings.luma.api,
            clock.clone(),
        )?),
        luma: Arc::new(LumaApi::new(
            settings.luma.clone(),
            &settings.eventbrite.api,
            clock.clone(),
        )?),
        eventbrite_oauth: Arc::new(OauthClient::eventbrite(
            &settings.eventbrite.oauth,
            &settings.luma.api,
            clock.clone(),
        )?),
        luma_oauth: Arc::new(OauthClient::luma(
            &settings.luma.oauth,
            &settings.eventbrite.api,
            clock.clone(),
        )?),
        clock,
        sign_ins: Arc::new(SignIns::default()),
        locks: Arc::new(folder),
        notices,
    })
}
