//! Where an OAuth server's addresses are (RFC 8414).

use super::malformed;
use crate::providers::http::Requester;
use serde::Deserialize;
use talkvalue_core::domain::provider::Origin;
use talkvalue_core::ports::SignInError;
use url::Url;

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// The addresses of one server.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) authorize: Url,
    pub(super) token: Url,
    pub(super) revoke: Option<Url>,
    /// What the server calls itself in its answers.
    pub(super) issuer: Option<String>,
}

impl Endpoints {
    /// `/authorize` and `/token` below an origin.
    pub(super) fn below(origin: &Origin) -> Self {
        let at = |path: &str| {
            Url::parse(&format!("{origin}{path}")).expect("an origin with a plain path is an address")
        };
        Self {
            authorize: at("/authorize"),
            token: at("/token"),
            revoke: None,
            issuer: None,
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    revocation_endpoint: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// Asks the server. Secrets go to its own host only, whatever it names; the page for the person may be elsewhere.
pub(super) async fn ask(requester: &Requester, origin: &Origin) -> Result<Endpoints, SignInError> {
    let answer = super::answer::only_success(requester.get_public(WELL_KNOWN).await?)?;
    let told: Metadata =
        serde_json::from_slice(&answer.body).map_err(|_| malformed("the server's description is not one"))?;
    let own = Url::parse(origin.as_str()).map_err(|_| malformed("the origin is no address"))?;
    let at_own_host = |text: &str| {
        Url::parse(text)
            .ok()
            .filter(|url| is_at(url, &own) && is_plain(url))
            .ok_or_else(|| malformed("the server names an address of another server"))
    };
    let authorize = Url::parse(&told.authorization_endpoint)
        .ok()
        // Whatever else a computer opens by an address is no sign-in page.
        .filter(|url| (url.scheme() == "https" || is_at(url, &own)) && is_plain(url))
        .ok_or_else(|| malformed("the sign-in page is not safe"))?;
    if told
        .issuer
        .as_deref()
        .is_some_and(|issuer| issuer.trim_end_matches('/') != origin.as_str())
    {
        return Err(malformed("the server describes another one"));
    }
    if told
        .code_challenge_methods_supported
        .is_some_and(|methods| !methods.iter().any(|method| method == "S256"))
    {
        return Err(malformed("the server does not protect its codes (S256)"));
    }
    Ok(Endpoints {
        authorize,
        token: at_own_host(&told.token_endpoint)?,
        revoke: told.revocation_endpoint.as_deref().map(at_own_host).transpose()?,
        issuer: told.issuer,
    })
}

/// Whether it is an address of that server.
fn is_at(url: &Url, server: &Url) -> bool {
    url.scheme() == server.scheme()
        && url.host() == server.host()
        && url.port_or_known_default() == server.port_or_known_default()
}

/// Whether it is without a name and password: they would make it look like another server's, or go with a request.
fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}
