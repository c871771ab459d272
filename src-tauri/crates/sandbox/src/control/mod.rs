//! The control page and its JSON interface. Owns which buttons exist; acts through the handles only.
//!
//! Bound to loopback; a foreign `Host`, `Origin` or fetch site is refused, so that no website can press a button.

mod actions;
mod oauth;

use serde::Serialize;
use serde_json::{Value, json};

use crate::door::{Door, RequestRecord};
use crate::eventbrite::{EventSummary, Eventbrite};
use crate::fault::Fault;
use crate::http::{Reply, Request};
use crate::luma::Luma;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
pub(crate) struct Controls {
    eventbrite: Eventbrite,
    luma: Luma,
    port: u16,
}

/// One account or calendar and one of its credentials.
#[derive(Serialize)]
struct Credential {
    owner: String,
    text: String,
    works: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProviderState {
    api_url: String,
    events: Vec<EventSummary>,
    credentials: Vec<Credential>,
    owners: Vec<Value>,
    faults: Vec<String>,
    request_count: u64,
    requests: Vec<RequestRecord>,
    oauth: Value,
}

impl Controls {
    pub(crate) fn new(eventbrite: Eventbrite, luma: Luma, port: u16) -> Self {
        Self {
            eventbrite,
            luma,
            port,
        }
    }

    pub(crate) fn answer(&self, request: &Request) -> Reply {
        if !self.is_from_here(request) {
            return refused(403, "this page answers itself and programs on this machine only");
        }
        let reply = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Reply::html(200, PAGE).with_header("content-security-policy", POLICY),
            ("GET", "/page.css") => text(STYLE, "text/css; charset=utf-8"),
            ("GET", "/page.js") => text(SCRIPT, "text/javascript; charset=utf-8"),
            ("GET", "/state") => Reply::json(200, self.state().to_string()),
            ("POST", "/control") => self.act(request),
            _ => refused(404, "no such page"),
        };
        reply
            .with_header("cache-control", "no-store")
            .with_header("referrer-policy", "no-referrer")
            .with_header("x-content-type-options", "nosniff")
    }

    fn is_from_here(&self, request: &Request) -> bool {
        let own = [
            format!("127.0.0.1:{}", self.port),
            format!("localhost:{}", self.port),
        ];
        let host_is_own = request
            .header("host")
            .is_some_and(|host| own.iter().any(|known| known == host));
        let origin_is_own = request.header("origin").is_none_or(|origin| {
            origin
                .strip_prefix("http://")
                .is_some_and(|origin| own.iter().any(|known| known == origin))
        });
        let site_is_own = request
            .header("sec-fetch-site")
            .is_none_or(|site| matches!(site, "same-origin" | "none"));
        host_is_own && origin_is_own && site_is_own
    }

    fn act(&self, request: &Request) -> Reply {
        // A form cannot send this type, and a script from elsewhere would have to ask first.
        if !request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"))
        {
            return refused(415, "send application/json");
        }
        let Ok(order) = serde_json::from_slice::<Value>(&request.body) else {
            return refused(400, "the body is not JSON");
        };
        match actions::act(&self.eventbrite, &self.luma, &order) {
            Ok(result) => Reply::json(200, json!({ "ok": true, "result": result }).to_string()),
            Err(reason) => refused(400, &reason),
        }
    }

    fn state(&self) -> Value {
        let credentials = |all: Vec<(String, String, bool)>| {
            all.into_iter()
                .map(|(owner, text, works)| Credential { owner, text, works })
                .collect()
        };
        let owner = |id: &str, name: &str| json!({ "id": id, "name": name });
        let eventbrite = ProviderState {
            api_url: self.eventbrite.api_url(),
            events: self.eventbrite.events(),
            credentials: credentials(self.eventbrite.private_tokens()),
            owners: self
                .eventbrite
                .accounts()
                .iter()
                .map(|one| owner(&one.id, &one.name))
                .collect(),
            oauth: oauth::state(&self.eventbrite.oauth()),
            ..door_state(&self.eventbrite)
        };
        let luma = ProviderState {
            api_url: self.luma.api_url(),
            events: self.luma.events(),
            credentials: credentials(self.luma.keys()),
            owners: self
                .luma
                .calendars()
                .iter()
                .map(|one| owner(&one.id, &one.name))
                .collect(),
            oauth: oauth::state(&self.luma.oauth()),
            ..door_state(&self.luma)
        };
        let faults: Vec<&str> = Fault::catalogue().into_iter().map(|(name, _)| name).collect();
        let now = self.eventbrite.clock().now();
        json!({
            "now": now,
            "faultNames": faults,
            "tokenFaultNames": oauth::fault_names(),
            "dialectNames": oauth::dialect_names(),
            "eventbrite": eventbrite,
            "luma": luma,
        })
    }
}

fn door_state(door: &Door) -> ProviderState {
    ProviderState {
        api_url: String::new(),
        events: Vec::new(),
        credentials: Vec::new(),
        owners: Vec::new(),
        faults: door.faults_set(),
        request_count: door.request_count(),
        requests: door.recent_requests(40),
        oauth: Value::Null,
    }
}

fn text(body: &'static str, kind: &str) -> Reply {
    Reply {
        status: 200,
        headers: vec![("content-type", kind.to_owned())],
        body: body.into(),
    }
}

fn refused(status: u16, reason: &str) -> Reply {
    Reply::json(status, json!({ "ok": false, "error": reason }).to_string())
}
