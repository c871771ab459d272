//! An integration: one connected provider account.

use super::credential::{Generation, SignIn};
use super::failure::Failure;
use super::ids::{AccountId, IntegrationId};
use super::provider::{Origin, Provider};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IntegrationStatus {
    Connected,
    Disconnected,
}

/// The account a credential turned out to belong to, as the provider names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub email: Option<String>,
}

impl Account {
    /// How a person recognises an account of `provider`: its e-mail, else its name.
    pub fn label(&self, provider: Provider) -> &str {
        match (provider, &self.email) {
            (Provider::Eventbrite, Some(email)) => email,
            _ => &self.name,
        }
    }
}

/// One connected (or once connected) provider account. (provider, account, API origin) names it: connecting a known
/// one renews it under the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    pub id: IntegrationId,
    pub provider: Provider,
    pub api_origin: Origin,
    pub account: Account,
    pub sign_in: SignIn,
    pub generation: Generation,
    pub connected_at: Timestamp,
    /// When the provider last accepted the credential.
    pub last_verified_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// Why the credential is severed; `None` while CONNECTED. A plan failure that leaves the credential whole is not
    /// kept here.
    pub severed: Option<Failure>,
}

impl Integration {
    pub fn status(&self) -> IntegrationStatus {
        if self.severed.is_some() {
            IntegrationStatus::Disconnected
        } else {
            IntegrationStatus::Connected
        }
    }

    /// What a person calls the credential.
    pub fn credential_name(&self) -> &'static str {
        self.sign_in.credential_name(self.provider)
    }

    /// How a person recognises the account: its e-mail, else its name.
    pub fn label(&self) -> &str {
        self.account.label(self.provider)
    }
}
