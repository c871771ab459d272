//! The token and the revocation endpoint: which app asks, what for, and the answer's form.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::json;
use url::form_urlencoded;

use super::State;
use super::grants::{Issued, Mint, Refused};
use super::server::{OauthServer, field, form, without_nulls};
use crate::http::{Reply, Request};
use crate::lock;

/// An error in the form of RFC 6749, section 5.2.
pub(super) fn error(status: u16, error: &str, text: &str) -> Reply {
    let body = json!({ "error": error, "error_description": text });
    Reply::json(status, body.to_string())
        .with_header("cache-control", "no-store")
        .with_header("pragma", "no-cache")
}

impl OauthServer {
    pub(super) fn token(&self, request: &Request) -> Reply {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        match self.issue(state, request) {
            Ok(issued) => success(&issued),
            Err(refusal) => {
                state.grants.tally.refused += 1;
                refusal
            }
        }
    }

    fn issue(&self, state: &mut State, request: &Request) -> Result<Issued, Reply> {
        let form = checked_form(request)?;
        let client_id = client(state, request, &form)?;
        let now = self.door.clock().now();
        if let Some(verifier) = field(&form, "code_verifier") {
            state.grants.secrets.insert(verifier.to_owned());
        }
        let mut mint = Mint {
            dice: &mut state.dice,
            prefix: self.brand.prefix,
        };
        let (grants, switches) = (&mut state.grants, &state.switches);
        let missing = |name: &str| error(400, "invalid_request", &format!("{name} is missing."));
        let issued = match field(&form, "grant_type") {
            Some("authorization_code") => {
                let code = field(&form, "code").ok_or_else(|| missing("code"))?;
                let sent = (code, client_id.as_str(), field(&form, "redirect_uri"));
                let verifier = field(&form, "code_verifier");
                grants.exchange(
                    &mut mint,
                    switches,
                    sent,
                    |challenge| answers(challenge, verifier),
                    now,
                )
            }
            Some("refresh_token") => {
                let token = field(&form, "refresh_token").ok_or_else(|| missing("refresh_token"))?;
                grants.refresh(&mut mint, switches, token, &client_id, now)
            }
            Some(_) => Err(Refused("unsupported_grant_type", "This grant type is unknown.")),
            None => return Err(missing("grant_type")),
        };
        issued.map_err(|Refused(word, text)| error(400, word, text))
    }

    pub(super) fn revoke(&self, request: &Request) -> Reply {
        let now = self.door.clock().now();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let revoked = checked_form(request).and_then(|form| {
            let client_id = client(state, request, &form)?;
            let token =
                field(&form, "token").ok_or_else(|| error(400, "invalid_request", "token is missing."))?;
            // A token that is unknown is as good as revoked: RFC 7009, section 2.2.
            state.grants.revoke(token, &client_id, now);
            Ok(Reply::json(200, "").with_header("cache-control", "no-store"))
        });
        revoked.unwrap_or_else(|refusal| {
            state.grants.tally.refused += 1;
            refusal
        })
    }
}

fn success(issued: &Issued) -> Reply {
    let body = json!({
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": issued.expires_in,
        "refresh_token": issued.refresh_token,
    });
    Reply::json(200, without_nulls(body).to_string())
        .with_header("cache-control", "no-store")
        .with_header("pragma", "no-cache")
}

fn checked_form(request: &Request) -> Result<Vec<(String, String)>, Reply> {
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(error(
            400,
            "invalid_request",
            "Send application/x-www-form-urlencoded.",
        ));
    }
    let form = form(request);
    let twice = |name: &str| form.iter().filter(|(known, _)| known == name).count() > 1;
    if form.iter().any(|(name, _)| twice(name)) {
        return Err(error(400, "invalid_request", "A parameter is repeated."));
    }
    Ok(form)
}

/// The app that asks, proved where it has a secret.
fn client(state: &mut State, request: &Request, form: &[(String, String)]) -> Result<String, Reply> {
    let unknown = |by_basic: bool| {
        let reply = error(
            401,
            "invalid_client",
            "The client is unknown or its secret is wrong.",
        );
        if by_basic {
            reply.with_header("www-authenticate", "Basic realm=\"oauth\"")
        } else {
            reply
        }
    };
    let by_basic = request.headers.contains_key("authorization");
    let in_body = field(form, "client_secret");
    let (id, secret) = if by_basic {
        if in_body.is_some() {
            return Err(error(
                400,
                "invalid_request",
                "One way to prove the client is enough.",
            ));
        }
        let (id, secret) = basic(request).ok_or_else(|| unknown(true))?;
        if field(form, "client_id").is_some_and(|named| named != id) {
            return Err(unknown(true));
        }
        (id, Some(secret))
    } else {
        let id = field(form, "client_id").unwrap_or_default().to_owned();
        (id, in_body.map(str::to_owned))
    };
    match state.app(&id) {
        Some(app) if app.client_secret == secret => Ok(id),
        _ => Err(unknown(by_basic)),
    }
}

/// Id and secret of the Basic header: each is form-encoded before they are joined (RFC 6749, section 2.3.1).
fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("value={text}");
        form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}

/// Whether the verifier is the one that the challenge was made of, or both are missing: a verifier without a challenge
/// is a challenge that somebody took away.
fn answers(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            (43..=128).contains(&verifier.len())
                && URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge
        }
        _ => false,
    }
}
