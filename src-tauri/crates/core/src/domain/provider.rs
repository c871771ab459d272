//! The two providers, and the origins (server addresses) that credentials are bound to.

use serde::{Deserialize, Serialize};
use url::Url;

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provider {
    Eventbrite,
    Luma,
}

impl Provider {
    pub const ALL: [Provider; 2] = [Provider::Eventbrite, Provider::Luma];

    /// The name a person knows.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Eventbrite => "Eventbrite",
            Provider::Luma => "Luma",
        }
    }

    /// The word in stored rows and JSON.
    pub fn code(self) -> &'static str {
        match self {
            Provider::Eventbrite => "EVENTBRITE",
            Provider::Luma => "LUMA",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.code() == code)
    }

    /// What the pasted credential is called at this provider.
    pub fn credential_name(self) -> &'static str {
        match self {
            Provider::Eventbrite => "private token",
            Provider::Luma => "API key",
        }
    }
}

/// A provider's base address, for example `https://www.eventbriteapi.com/v3`. Always https, or http on a loopback
/// address; never with a trailing slash, a query, or a user name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

/// Why an address cannot serve as an [`Origin`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error("it is not a web address")]
    NotAnAddress,
    #[error("it must begin with https:// (http:// only for a loopback address such as 127.0.0.1)")]
    NotSecure,
    #[error("it must not hold a user name, a query or a fragment")]
    TooMuch,
}

impl Origin {
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text.trim()).map_err(|_| OriginError::NotAnAddress)?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(OriginError::NotAnAddress),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(OriginError::NotSecure),
            _ => return Err(OriginError::NotSecure),
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(OriginError::TooMuch);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Takes an origin that was parsed before it was stored.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host with its port, as a person would recognise it.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The two addresses of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    pub api: Origin,
    pub oauth: Origin,
}
