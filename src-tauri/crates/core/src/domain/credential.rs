//! A credential as the core handles it: opaque, unprintable, bound to the servers it was proved against.

use super::provider::Origins;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How an integration signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignIn {
    /// OAuth authorization code.
    Oauth,
    /// A pasted Eventbrite private token.
    Token,
    /// A pasted Luma API key.
    Key,
}

impl SignIn {
    pub fn code(self) -> &'static str {
        match self {
            SignIn::Oauth => "OAUTH",
            SignIn::Token => "TOKEN",
            SignIn::Key => "KEY",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        [SignIn::Oauth, SignIn::Token, SignIn::Key]
            .into_iter()
            .find(|sign_in| sign_in.code() == code)
    }
}

/// Counts the credentials an integration has had. A rejection of an older generation says nothing about the newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    pub const FIRST: Generation = Generation(1);

    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What opens a provider's API. Its `Debug` hides the secret, and it cannot be serialised: only the vault's adapter
/// spells it out, into the keychain.
#[derive(Debug, Clone)]
pub struct Credential {
    pub sign_in: SignIn,
    pub secret: SecretString,
    /// The servers this credential was proved against; it is never sent to another.
    pub origins: Origins,
    pub generation: Generation,
}
