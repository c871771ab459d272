//! What OAuth servers differ in. The defaults are the likeliest behaviour of the provider.

use std::time::Duration;

use super::grants::WORD_LETTERS;

/// What a token answer holds and what becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OauthDialect {
    /// Access tokens live until they are revoked; there is no refresh token.
    NoExpiry,
    /// Access tokens expire; the one refresh token stays good.
    FixedRefresh,
    /// Every refresh brings a new refresh token. For a grace period the used one answers that same successor
    /// again; later it is refused, and that is all.
    RotatingWithGrace,
    /// Every refresh brings a new refresh token. A used one that is presented again revokes every token of its
    /// family.
    StrictRotation,
}

impl OauthDialect {
    /// All of them, with the names that the control page and the program use.
    pub const ALL: [(&'static str, Self); 4] = [
        ("no-expiry", Self::NoExpiry),
        ("fixed-refresh", Self::FixedRefresh),
        ("rotating-with-grace", Self::RotatingWithGrace),
        ("strict-rotation", Self::StrictRotation),
    ];

    /// Its name in [`Self::ALL`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoExpiry => "no-expiry",
            Self::FixedRefresh => "fixed-refresh",
            Self::RotatingWithGrace => "rotating-with-grace",
            Self::StrictRotation => "strict-rotation",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(known, dialect)| (known == name).then_some(dialect))
    }
}

/// Everything that can be switched, see the fields. Times are by the sandbox's clock.
#[derive(Clone, Debug)]
pub struct OauthSwitches {
    /// Asked at every token request, so that a change strikes grants that exist.
    pub dialect: OauthDialect,
    /// How long an access token issued from now on lives, where the dialect has an expiry.
    pub access_lifetime: Duration,
    /// How long a used refresh token answers its successor under [`OauthDialect::RotatingWithGrace`].
    pub grace: Duration,
    /// How long an authorization code can be exchanged.
    pub code_lifetime: Duration,
    /// Whether [`OauthDialect::NoExpiry`] announces `expires_in` all the same; the token lives on.
    pub announces_expiry: bool,
    /// Whether [`OauthDialect::FixedRefresh`] repeats the refresh token in the answer to a refresh.
    pub repeats_refresh_token: bool,
    /// Whether any port matches where the registered redirect address is on loopback.
    pub any_redirect_port: bool,
    /// Whether an authorization request without a code challenge is refused.
    pub needs_pkce: bool,
    /// Whether tokens can be revoked by RFC 7009.
    pub revocation: bool,
    /// Whether the metadata document of RFC 8414 is served.
    pub metadata: bool,
    /// Whether the redirect carries `iss` (RFC 9207), and the metadata says so.
    pub sends_issuer: bool,
    /// Whether a browser that allowed the app before is sent straight back, without the consent page.
    pub remembers_approval: bool,
    /// How many letters stand behind the recognisable beginning of a token issued from now on.
    pub token_letters: usize,
    /// A web view whose user agent contains one of these is told to use a browser (403).
    pub refused_user_agents: Vec<String>,
}

impl OauthSwitches {
    pub(super) fn with(dialect: OauthDialect, is_public: bool) -> Self {
        Self {
            dialect,
            access_lifetime: Duration::from_secs(3_600),
            grace: Duration::from_secs(60),
            code_lifetime: Duration::from_secs(600),
            announces_expiry: false,
            repeats_refresh_token: false,
            any_redirect_port: false,
            needs_pkce: is_public,
            revocation: is_public,
            metadata: is_public,
            sends_issuer: false,
            remembers_approval: false,
            token_letters: WORD_LETTERS,
            refused_user_agents: Vec::new(),
        }
    }
}
