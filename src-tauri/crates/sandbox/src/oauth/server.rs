//! An OAuth server behind its [`Door`]: which path means what, metadata, and what the provider's API asks.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::grants::{Grants, OauthCaller};
use super::switches::{OauthDialect, OauthSwitches};
use super::{Consent, OauthApp, State, page, token};
use crate::clock::SandboxClock;
use crate::dice::{CAPITALS_AND_DIGITS, Dice};
use crate::door::Door;
use crate::fault::Fault;
use crate::http::{Api, Reply, Request};
use crate::lock;

const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// What tells the two servers apart for good.
pub(crate) struct Brand {
    pub(crate) name: &'static str,
    /// What a person chooses on the consent page.
    pub(crate) choice: &'static str,
    /// The folder of the endpoints.
    pub(crate) folder: &'static str,
    /// The base URL's path.
    base_path: &'static str,
    /// Every secret begins with it.
    pub(crate) prefix: &'static str,
    /// Public apps have no secret, and name themselves by a URL.
    is_public: bool,
    redirect_uri: &'static str,
    dialect: OauthDialect,
    salt: u64,
}

pub(crate) const EVENTBRITE: Brand = Brand {
    name: "Eventbrite",
    choice: "account",
    folder: "/oauth",
    base_path: "/oauth",
    prefix: "CANARYEBOAUTH",
    is_public: false,
    redirect_uri: "http://localhost:47831/oauth/eventbrite/callback",
    dialect: OauthDialect::NoExpiry,
    salt: 0xEB00_A071_0000_0003,
};

/// Its endpoints are elsewhere than Eventbrite's, so that a client has to read the metadata.
pub(crate) const LUMA: Brand = Brand {
    name: "Luma",
    choice: "calendar",
    folder: "/oauth2",
    base_path: "",
    prefix: "CANARYLUMAOAUTH",
    is_public: true,
    redirect_uri: "http://localhost:47832/oauth/luma/callback",
    dialect: OauthDialect::RotatingWithGrace,
    salt: 0x1A1A_A071_0000_0004,
};

pub(crate) struct OauthServer {
    pub(super) brand: Brand,
    pub(super) door: Door,
    origin: String,
    pub(super) state: Mutex<State>,
}

impl OauthServer {
    pub(crate) fn new(brand: Brand, seed: u64, clock: SandboxClock, port: u16) -> Self {
        let mut dice = Dice::new(seed ^ brand.salt);
        let (client_id, client_secret) = if brand.is_public {
            ("https://harbour.example/oauth/client.json".to_owned(), None)
        } else {
            let id = format!("HARBOURSYNC{}", dice.word(CAPITALS_AND_DIGITS, 9));
            let secret = format!("{}SECRET{}", brand.prefix, dice.word(CAPITALS_AND_DIGITS, 24));
            (id, Some(secret))
        };
        let mut grants = Grants::default();
        grants.secrets.extend(client_secret.clone());
        let state = State {
            dice,
            switches: OauthSwitches::with(brand.dialect, brand.is_public),
            apps: vec![OauthApp {
                client_id,
                client_secret,
                redirect_uris: vec![brand.redirect_uri.to_owned()],
            }],
            forgotten_apps: Vec::new(),
            accounts: Vec::new(),
            consent: Consent::Page,
            pending: HashMap::new(),
            appended: String::new(),
            grants,
        };
        Self {
            brand,
            door: Door::new(clock),
            origin: format!("http://127.0.0.1:{port}"),
            state: Mutex::new(state),
        }
    }

    pub(super) fn base_url(&self) -> String {
        format!("{}{}", self.origin, self.brand.base_path)
    }

    /// The issuer identifier of RFC 8414 and RFC 9207: the origin, which has no path.
    pub(super) fn issuer(&self) -> &str {
        &self.origin
    }

    /// Whom the access token speaks for, if it is good now.
    pub(crate) fn caller(&self, access_token: &str) -> Option<OauthCaller> {
        let now = self.door.clock().now();
        lock(&self.state).grants.caller(access_token, now)
    }

    /// Revokes every grant.
    pub(crate) fn revoke_all_grants(&self) {
        lock(&self.state).grants.revoke_where(|_, _, _| true);
    }

    fn metadata(&self) -> Reply {
        let switches = lock(&self.state).switches.clone();
        if !switches.metadata {
            return page::not_found();
        }
        let endpoint = |name: &str| format!("{}{}/{name}", self.origin, self.brand.folder);
        let mut grant_types = vec!["authorization_code"];
        if switches.dialect != OauthDialect::NoExpiry {
            grant_types.push("refresh_token");
        }
        let methods = if self.brand.is_public {
            vec!["none"]
        } else {
            vec!["client_secret_post", "client_secret_basic"]
        };
        let mut document = json!({
            "issuer": self.issuer(),
            "authorization_endpoint": endpoint("authorize"),
            "token_endpoint": endpoint("token"),
            "response_types_supported": ["code"],
            "grant_types_supported": grant_types,
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
        });
        if self.brand.is_public {
            document["client_id_metadata_document_supported"] = true.into();
        }
        if switches.revocation {
            document["revocation_endpoint"] = endpoint("revoke").into();
            document["revocation_endpoint_auth_methods_supported"] = json!(methods);
        }
        if switches.sends_issuer {
            document["authorization_response_iss_parameter_supported"] = true.into();
        }
        Reply::json(200, document.to_string())
    }

    fn route(&self, request: &Request) -> Reply {
        if request.path == METADATA_PATH {
            return if request.method == "GET" {
                self.metadata()
            } else {
                page::wrong_method("GET")
            };
        }
        let Some(name) = request.path.strip_prefix(self.brand.folder) else {
            return page::not_found();
        };
        match (request.method.as_str(), name) {
            ("GET", "/authorize") => self.authorize(request),
            ("POST", "/authorize") => self.decide(request),
            ("GET", "/consent.css") => page::style(),
            ("POST", "/token") => self.token(request),
            ("POST", "/revoke") if lock(&self.state).switches.revocation => self.revoke(request),
            (_, "/authorize") => page::wrong_method("GET, POST"),
            (_, "/token") => page::wrong_method("POST"),
            (_, "/consent.css") => page::wrong_method("GET"),
            _ => page::not_found(),
        }
    }
}

/// The body as a form.
pub(super) fn form(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

/// The first value of that name.
pub(super) fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter()
        .find_map(|(known, value)| (known == name).then_some(value.as_str()))
}

impl Api for OauthServer {
    fn door(&self) -> &Door {
        &self.door
    }

    fn credential(&self, _request: &Request) -> Option<String> {
        None
    }

    /// Secrets travel in bodies; what is told of a body is what a journal may hold. A parameter in the address of an
    /// endpoint that takes none is told by name.
    fn journalled_query(&self, request: &Request) -> String {
        if request.method == "GET" {
            return request.raw_query.clone();
        }
        let form = form(request);
        let mut told = Vec::new();
        for name in ["grant_type", "token_type_hint", "decision"] {
            if let Some(value) = field(&form, name) {
                told.push(format!("{name}={value}"));
            }
        }
        let presented = ["refresh_token", "token", "code"]
            .iter()
            .find_map(|name| field(&form, name));
        if let Some(text) = presented
            && let Some(number) = lock(&self.state).grants.number_of(text)
        {
            told.push(format!("grant={number}"));
        }
        told.extend(
            request
                .parameters
                .iter()
                .map(|(name, _)| format!("in-address={name}")),
        );
        told.join("&")
    }

    fn asks_for_registrations(&self, _request: &Request) -> bool {
        false
    }

    fn cursor_parameter(&self) -> &'static str {
        "cursor"
    }

    fn answer(&self, request: &Request, _unlimited: bool) -> Reply {
        self.route(request)
    }

    fn error(&self, status: u16) -> Reply {
        let word = match status {
            400 => "invalid_request",
            401 => "invalid_client",
            403 => "access_denied",
            503 => "temporarily_unavailable",
            _ => "server_error",
        };
        token::error(status, word, "Refused on demand.")
    }

    fn rate_limited(&self, _request: &Request, retry_after_secs: Option<u64>) -> Reply {
        let reply = token::error(429, "temporarily_unavailable", "Too many requests.");
        match retry_after_secs {
            Some(wait) => reply.with_header("retry-after", wait.to_string()),
            None => reply,
        }
    }

    fn bad_cursor(&self) -> Reply {
        self.error(400)
    }

    fn bend_list(&self, _request: &Request, reply: Reply, _fault: &Fault) -> Reply {
        // There are no lists here.
        reply
    }

    fn revoke_all(&self) {
        self.revoke_all_grants();
    }

    fn exhaust_limiter(&self, _request: &Request) {
        // There is no limiter here; `Door::rate_limits_next` makes one.
    }
}

/// A JSON object without the fields that are null.
pub(super) fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    value
}
