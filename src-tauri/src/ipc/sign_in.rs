//! What the window is told of signing in. No code, token or secret stands in any of it.

use super::dto::{Connected, ItemView};
use super::error::CommandError;
use super::words::Provider;
use serde::{Deserialize, Serialize};
use talkvalue_core::connect;
use talkvalue_core::domain::credential::{self, default_redirect_port, redirect_uri};
use talkvalue_core::domain::provider;
use ts_rs::TS;

/// Where the provider's page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignInWay {
    /// In a window of this app that shares nothing with it.
    Window,
    /// In the person's own browser.
    Browser,
}

/// What an attempt is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignInStep {
    /// The page is about to be shown.
    Opening,
    /// The person signs in at the provider.
    Waiting,
    /// The answer is redeemed and the account asked for.
    Proving,
}

/// The attempt that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignInProgress {
    pub provider: Provider,
    pub way: SignInWay,
    pub step: SignInStep,
    /// That the page could not be shown, and what to do about it.
    pub note: Option<String>,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum SignInEnd {
    Connected {
        connected: Connected,
    },
    /// Somebody else than was needed: nothing was changed. They can be added as another account.
    OtherAccount {
        message: String,
        needed: String,
        signed_in_as: String,
    },
    /// The person stopped it, or began another.
    Cancelled,
}

/// The workspace's own app at a provider, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OauthApp {
    pub client_id: String,
    pub has_secret: bool,
    pub redirect_port: u16,
}

impl From<credential::OauthApp> for OauthApp {
    fn from(app: credential::OauthApp) -> Self {
        Self {
            has_secret: app.client_secret.is_some(),
            client_id: app.client_id,
            redirect_port: app.redirect_port,
        }
    }
}

/// What has to be known before somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SignInOptions {
    /// `null` where none was entered.
    pub app: Option<OauthApp>,
    /// The address to register at the provider: of the app, or of one that is entered without another port.
    pub redirect_uri: String,
}

impl SignInOptions {
    pub(crate) fn new(provider: provider::Provider, app: Option<credential::OauthApp>) -> Self {
        let port = app
            .as_ref()
            .map_or(default_redirect_port(provider), |app| app.redirect_port);
        Self {
            redirect_uri: redirect_uri(provider, port),
            app: app.map(Into::into),
        }
    }
}

/// What became of one item of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Repaired {
    pub item_id: String,
    pub title: String,
    /// The item as it is now, where its reconnect has begun.
    pub item: Option<ItemView>,
    pub error: Option<CommandError>,
}

impl From<connect::Repaired> for Repaired {
    fn from(repaired: connect::Repaired) -> Self {
        let (item, error) = match repaired.outcome {
            Ok(item) => (Some(item.into()), None),
            Err(error) => (None, Some(error.into())),
        };
        Self {
            item_id: repaired.item.to_string(),
            title: repaired.title,
            item,
            error,
        }
    }
}
