//! The actions that begin with `oauth-`, and what the page shows of an OAuth server.

use std::time::Duration;

use serde_json::{Value, json};

use super::actions::{number, text};
use crate::fault::Fault;
use crate::oauth::{Oauth, OauthDialect};

/// Where the redirects among the faults lead: nowhere.
const ELSEWHERE: &str = "http://portal.example/sign-in";

/// What the page shows: of all secrets only the one of the app, which a person has to type in.
pub(super) fn state(oauth: &Oauth) -> Value {
    json!({
        "url": oauth.url(),
        "app": oauth.app(),
        "dialect": oauth.dialect().name(),
        "accessLifetimeSecs": oauth.access_lifetime().as_secs(),
        "consent": oauth.consent(),
        "grants": oauth.grants(),
        "tally": oauth.tally(),
        "faults": oauth.faults_set(),
        "requests": oauth.recent_requests(40),
        "requestCount": oauth.request_count(),
    })
}

pub(super) fn dialect_names() -> Vec<&'static str> {
    OauthDialect::ALL.iter().map(|(name, _)| *name).collect()
}

pub(super) fn fault_names() -> Vec<&'static str> {
    Fault::token_catalogue(ELSEWHERE)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

/// Carries the order out; nothing for an action that is not OAuth's.
pub(super) fn act(oauth: &Oauth, order: &Value) -> Option<Result<Value, String>> {
    let action = order["action"].as_str()?.strip_prefix("oauth-")?;
    Some(done(oauth, action, order).map(|()| Value::Null))
}

fn done(oauth: &Oauth, action: &str, order: &Value) -> Result<(), String> {
    match action {
        "dialect" => {
            let name = text(order, "dialect")?;
            oauth.speaks(OauthDialect::named(name).ok_or_else(|| format!("no dialect {name}"))?);
        }
        "lifetime" => oauth.access_tokens_live(Duration::from_secs(number(order, "seconds", 3_600))),
        "revoke" => oauth.revokes_account(account(oauth, order)?),
        "revoke-all" => oauth.revokes_all(),
        "expire" => oauth.expires_access_tokens(),
        "ask" => oauth.asks(),
        "refuse" => oauth.refuses(),
        "approve" => oauth.approves_as(account(oauth, order)?),
        "fault" => set_fault(oauth, order)?,
        "clear-faults" => oauth.clears_faults(),
        "clear-requests" => oauth.clears_requests(),
        "latency" => oauth.latency(Duration::from_millis(number(order, "milliseconds", 0))),
        "down" => oauth.goes_down(),
        "up" => oauth.comes_back(),
        other => return Err(format!("no action oauth-{other}")),
    }
    Ok(())
}

fn account<'a>(oauth: &Oauth, order: &'a Value) -> Result<&'a str, String> {
    let owner = text(order, "owner")?;
    if oauth.has_account(owner) {
        Ok(owner)
    } else {
        Err("no such account".to_owned())
    }
}

/// `fault` is a name of [`Fault::token_catalogue`]; it strikes token requests, `times` or until cleared.
fn set_fault(oauth: &Oauth, order: &Value) -> Result<(), String> {
    let name = text(order, "fault")?;
    let (_, fault) = Fault::token_catalogue(ELSEWHERE)
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("no token fault {name}"))?;
    match order["times"].as_u64() {
        Some(times) => oauth.token_fails_next(times, fault),
        None => oauth.token_fails(fault),
    }
    Ok(())
}
