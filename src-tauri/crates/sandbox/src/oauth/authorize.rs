//! The authorization endpoint: what is asked, who consents, and the way back to the app.

use url::{Url, form_urlencoded};

use super::grants::{Asked, Mint};
use super::server::{OauthServer, field, form};
use super::{Consent, OauthApp, State, page};
use crate::dice::LETTERS_AND_DIGITS;
use crate::http::{Reply, Request};
use crate::lock;

/// An answer that goes back to the app: status and parameters.
enum Outcome<'a> {
    Code(&'a str),
    Error(&'static str, &'static str),
}

impl OauthServer {
    pub(super) fn authorize(&self, request: &Request) -> Reply {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let agent = request.header("user-agent").unwrap_or_default();
        let refused = &state.switches.refused_user_agents;
        if refused.iter().any(|part| agent.contains(part.as_str())) {
            return page::disallowed_useragent(&self.brand);
        }
        // Whoever is unknown, or wants the answer elsewhere, gets none: RFC 6749, section 4.1.2.1.
        let client_id = request.query("client_id").unwrap_or_default();
        let Some(app) = state.app(client_id) else {
            return page::error(&self.brand, "The app that sent you here is unknown.");
        };
        let redirect_uri = request.query("redirect_uri").unwrap_or_default();
        if !is_registered(app, redirect_uri, state.switches.any_redirect_port) {
            return page::error(
                &self.brand,
                "The address to go back to is not the registered one.",
            );
        }
        let asked = Asked {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: request.query("state").map(str::to_owned),
            challenge: request.query("code_challenge").map(str::to_owned),
        };
        if let Err((error, text)) = check(request, state.switches.needs_pkce) {
            return self.back(state, 302, &asked, &Outcome::Error(error, text));
        }
        let account = match &state.consent {
            Consent::Refused => {
                state.grants.tally.consents_refused += 1;
                return self.back(state, 302, &asked, &denied());
            }
            Consent::ApprovedBy(account) => Some(account.clone()),
            Consent::Page => self.remembered(state, request, client_id),
        };
        match account {
            Some(account) => self.allow(state, 302, asked, &account),
            None => {
                let ticket = state.dice.word(LETTERS_AND_DIGITS, 24);
                let reply = page::consent(&self.brand, &ticket, &state.accounts);
                state.pending.insert(ticket, asked);
                reply
            }
        }
    }

    /// The consent page's form.
    pub(super) fn decide(&self, request: &Request) -> Reply {
        let form = form(request);
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let ticket = field(&form, "request").unwrap_or_default();
        let Some(asked) = state.pending.remove(ticket) else {
            return page::error(&self.brand, "This request was answered before, or never made.");
        };
        if field(&form, "decision") != Some("allow") {
            state.grants.tally.consents_refused += 1;
            return self.back(state, 303, &asked, &denied());
        }
        let chosen = field(&form, "account").unwrap_or_default();
        let Some(account) = state.account(chosen).map(|account| account.id.clone()) else {
            return page::error(&self.brand, "Nothing was chosen that could be opened.");
        };
        let cookie = format!(
            "{}={account}; Path={}; HttpOnly; SameSite=Lax",
            self.cookie(),
            self.brand.folder
        );
        self.allow(state, 303, asked, &account)
            .with_header("set-cookie", cookie)
    }

    /// Cookies know no ports: the two servers need names of their own.
    fn cookie(&self) -> String {
        format!("sandbox-{}", self.brand.name.to_ascii_lowercase())
    }

    /// The account of this browser, where it has allowed the app already and that counts.
    fn remembered(&self, state: &State, request: &Request, client_id: &str) -> Option<String> {
        if !state.switches.remembers_approval {
            return None;
        }
        let name = self.cookie();
        let account = request
            .header("cookie")?
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(known, value)| (known == name).then_some(value))?;
        state
            .grants
            .is_allowed(client_id, account)
            .then(|| account.to_owned())
    }

    fn allow(&self, state: &mut State, status: u16, asked: Asked, account: &str) -> Reply {
        let now = self.door.clock().now();
        let mut mint = Mint {
            dice: &mut state.dice,
            prefix: self.brand.prefix,
        };
        let code = state
            .grants
            .issue_code(&mut mint, &state.switches, asked.clone(), account, now);
        self.back(state, status, &asked, &Outcome::Code(&code))
    }

    fn back(&self, state: &State, status: u16, asked: &Asked, outcome: &Outcome<'_>) -> Reply {
        let mut query = form_urlencoded::Serializer::new(String::new());
        match outcome {
            Outcome::Code(code) => query.append_pair("code", code),
            Outcome::Error(error, text) => query
                .append_pair("error", error)
                .append_pair("error_description", text),
        };
        if let Some(text) = &asked.state {
            query.append_pair("state", text);
        }
        if state.switches.sends_issuer {
            query.append_pair("iss", self.issuer());
        }
        let mut query = query.finish();
        if !state.appended.is_empty() {
            query = format!("{query}&{}", state.appended);
        }
        let mark = if asked.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        page::redirect(status, &format!("{}{mark}{query}", asked.redirect_uri))
    }
}

fn denied() -> Outcome<'static> {
    Outcome::Error("access_denied", "The request was refused.")
}

fn check(request: &Request, needs_pkce: bool) -> Result<(), (&'static str, &'static str)> {
    if request.query("response_type") != Some("code") {
        return Err(("unsupported_response_type", "Only response_type=code is known."));
    }
    match (
        request.query("code_challenge"),
        request.query("code_challenge_method"),
    ) {
        (None, None) if !needs_pkce => Ok(()),
        (None, _) => Err(("invalid_request", "A code_challenge is needed.")),
        // The digest of 32 bytes in base64url.
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(()),
        (Some(_), Some("S256")) => Err(("invalid_request", "The code_challenge is none.")),
        // Without a method it would be "plain".
        (Some(_), _) => Err(("invalid_request", "Only code_challenge_method=S256 is known.")),
    }
}

fn is_registered(app: &OauthApp, redirect_uri: &str, any_port: bool) -> bool {
    let without_port = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if !is_loopback {
            return None;
        }
        url.set_port(None).ok()?;
        Some(url)
    };
    app.redirect_uris.iter().any(|registered| {
        registered == redirect_uri
            || any_port && without_port(redirect_uri).is_some_and(|url| without_port(registered) == Some(url))
    })
}
