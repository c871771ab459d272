//! A credential as the core handles it: opaque, unprintable, bound to the servers it was proved against.

use super::provider::{Origin, Origins, Provider};
use jiff::{SignedDuration, Timestamp};
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

    /// What a person calls the credential.
    pub fn credential_name(self, provider: Provider) -> &'static str {
        match self {
            SignIn::Oauth => "sign-in",
            SignIn::Token | SignIn::Key => provider.credential_name(),
        }
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
    /// The token or key that goes with every request.
    pub secret: SecretString,
    /// The servers this credential was proved against; it is never sent to another.
    pub origins: Origins,
    pub generation: Generation,
    /// What an OAuth sign-in granted besides the token.
    pub grant: Option<Grant>,
}

/// The part of an OAuth sign-in that renews its access token.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The app that was signed in to; its secret is kept with the app.
    pub client_id: String,
    /// `None` where the provider renews nothing: then the token lives until it is revoked.
    pub refresh_token: Option<SecretString>,
    pub obtained_at: Timestamp,
    /// `None` where the provider tells no end.
    pub expires_at: Option<Timestamp>,
}

/// How urgently a credential has to be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It serves, or nothing could renew it.
    None,
    /// It serves still, and is about to lapse.
    Soon,
    /// It has lapsed.
    Now,
}

/// A renewal comes at most this long before the end.
const LONGEST_LEAD: SignedDuration = SignedDuration::from_mins(15);
/// ... and never earlier than this part of the lifetime before it.
const LEAD_PART_OF_LIFETIME: i32 = 5;
/// ... give or take this part of the time before the end.
const LEAD_JITTER: f64 = 0.1;

impl Credential {
    pub fn can_be_renewed(&self) -> bool {
        self.grant
            .as_ref()
            .is_some_and(|grant| grant.refresh_token.is_some())
    }

    pub fn need(&self, now: Timestamp) -> Need {
        match (&self.grant, self.renewal_due_at()) {
            (Some(grant), Some(due)) if now >= due => match grant.expires_at {
                Some(end) if now >= end => Need::Now,
                _ => Need::Soon,
            },
            _ => Need::None,
        }
    }

    /// When it ought to be renewed: 15 minutes, or a fifth of its lifetime, before its end; a tenth of that sooner or
    /// later, so that accounts which signed in together do not all ask at the same moment. `None` where it has no end or
    /// nothing renews it.
    pub fn renewal_due_at(&self) -> Option<Timestamp> {
        let grant = self.grant.as_ref()?;
        grant.refresh_token.as_ref()?;
        let expires_at = grant.expires_at?;
        let lifetime = expires_at
            .duration_since(grant.obtained_at)
            .max(SignedDuration::ZERO);
        let lead = LONGEST_LEAD.min(lifetime / LEAD_PART_OF_LIFETIME);
        let lead = lead.as_secs_f64() * (1.0 + LEAD_JITTER * self.lot());
        expires_at
            .checked_sub(SignedDuration::try_from_secs_f64(lead).ok()?)
            .ok()
    }

    /// Between −1 and 1, the same each time for one credential: every process that holds it must agree on when it is
    /// due.
    fn lot(&self) -> f64 {
        let obtained = self
            .grant
            .as_ref()
            .map_or(0, |grant| grant.obtained_at.as_microsecond());
        // Two steps of splitmix64, which scatters neighbours.
        let scattered = scatter(scatter(obtained.unsigned_abs()).wrapping_add(self.generation.0));
        let part = f64::from((scattered >> 32) as u32) / f64::from(u32::MAX);
        part.mul_add(2.0, -1.0)
    }
}

fn scatter(value: u64) -> u64 {
    let mut scattered = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    scattered = (scattered ^ (scattered >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    scattered = (scattered ^ (scattered >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    scattered ^ (scattered >> 31)
}

/// The workspace's own app at a provider (an OAuth client).
#[derive(Debug, Clone)]
pub struct OauthApp {
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// Where the provider sends the browser back to, on this computer.
    pub redirect_port: u16,
    /// The server it is registered at; its secret is never sent to another.
    pub origin: Origin,
}

impl OauthApp {
    /// The address that has to be registered at the provider, letter by letter.
    pub fn redirect_uri(&self, provider: Provider) -> String {
        redirect_uri(provider, self.redirect_port)
    }
}

/// Where a provider sends the browser back to. Each provider has a path and a usual port of its own, so that the answer
/// of one is never taken for the other's (RFC 9700 section 4.4).
pub fn redirect_uri(provider: Provider, port: u16) -> String {
    format!("http://localhost:{port}{}", redirect_path(provider))
}

pub fn redirect_path(provider: Provider) -> &'static str {
    match provider {
        Provider::Eventbrite => "/oauth/eventbrite/callback",
        Provider::Luma => "/oauth/luma/callback",
    }
}

/// The port of the redirect address where nobody chose another.
pub fn default_redirect_port(provider: Provider) -> u16 {
    match provider {
        Provider::Eventbrite => 47831,
        Provider::Luma => 47832,
    }
}
