//! Simulated OAuth servers: the handle a test holds.
//!
//! One server per provider, on a port of its own as the real ones are on hosts of their own. Owns what an
//! authorization goes through: consent, codes, tokens, their refreshing and revocation. Which account a token opens
//! is told to the provider's API through [`OauthServer::caller`]. The journal behind [`Door::requests`] holds no
//! secrets: of a token request it shows the grant type and the number of the grant, in place of the query.

mod authorize;
mod grants;
mod page;
mod server;
mod switches;
mod token;
mod troubles;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use serde::Serialize;

pub(crate) use server::{EVENTBRITE, LUMA, OauthServer};
pub use switches::{OauthDialect, OauthSwitches};

use crate::dice::Dice;
use crate::door::Door;
use crate::fault::Fault;
use crate::http::Listening;
use crate::lock;
use crate::outage::Outage;
use grants::{Asked, Grants};

/// An app that may ask for access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthApp {
    /// Not a secret and not a canary: it stands in every authorization link.
    pub client_id: String,
    /// A canary; public apps have none.
    pub client_secret: Option<String>,
    /// Compared sign by sign, see [`OauthSwitches::any_redirect_port`].
    pub redirect_uris: Vec<String>,
}

/// What one "Allow" has brought, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthGrant {
    /// Counts from 0 in the order of the code exchanges.
    pub number: u64,
    /// Whose it is.
    pub client_id: String,
    /// The account or calendar it opens.
    pub account_id: String,
    /// Dead as a whole.
    pub revoked: bool,
    /// Refreshes that were carried out, whether or not the answer arrived; repeated successors are none.
    pub refreshes: u64,
    /// Access tokens that are good now.
    pub live_access_tokens: usize,
}

/// What was carried out so far, whether or not the answer arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OauthTally {
    /// Codes sent out on redirects.
    pub codes_issued: u64,
    /// Consents that were refused.
    pub consents_refused: u64,
    /// Codes exchanged for tokens.
    pub code_exchanges: u64,
    /// Codes presented a second time, which revokes their grant.
    pub code_replays: u64,
    /// Refreshes.
    pub refreshes: u64,
    /// Used refresh tokens that were answered with their successor once more.
    pub successors_repeated: u64,
    /// Tokens revoked by their client (RFC 7009).
    pub revocations: u64,
    /// Grants revoked because a used refresh token was presented again.
    pub family_revocations: u64,
    /// Token and revocation requests that were refused.
    pub refused: u64,
}

/// Who answers the consent page.
#[derive(Clone, Debug)]
enum Consent {
    /// A person or a scripted browser.
    Page,
    /// The account of that id has approved already.
    ApprovedBy(String),
    /// Nobody will.
    Refused,
}

struct Account {
    id: String,
    name: String,
    email: String,
}

struct State {
    dice: Dice,
    switches: OauthSwitches,
    apps: Vec<OauthApp>,
    forgotten_apps: Vec<String>,
    accounts: Vec<Account>,
    consent: Consent,
    /// What consent pages were made for.
    pending: HashMap<String, Asked>,
    appended: String,
    grants: Grants,
}

/// A handle on a simulated OAuth server; clones act on the same one. Faults, pace and journal: see [`Door`].
///
/// Methods that name a record panic if there is none, because the test is wrong then.
#[derive(Clone)]
pub struct Oauth {
    server: Arc<OauthServer>,
    outage: Outage,
}

impl Deref for Oauth {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.server.door
    }
}

impl Oauth {
    pub(crate) fn new(server: Arc<OauthServer>, outage: Outage) -> Self {
        Self { server, outage }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.server.state)
    }

    /// The base URL, which a client is told in place of the real one.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.base_url()
    }

    /// The app that is registered from the start, with the redirect address of this product's default port.
    #[must_use]
    pub fn app(&self) -> OauthApp {
        self.state().apps[0].clone()
    }

    /// Registers another app, with the redirect addresses of the first one. Without a secret it is a public one.
    pub fn registers_app(&self, client_id: &str, client_secret: Option<&str>) {
        let mut state = self.state();
        let client_secret = client_secret.map(str::to_owned);
        state.grants.secrets.extend(client_secret.clone());
        let redirect_uris = state.apps[0].redirect_uris.clone();
        state.apps.push(OauthApp {
            client_id: client_id.to_owned(),
            client_secret,
            redirect_uris,
        });
    }

    /// Registers one more redirect address for every app there is.
    pub fn registers_redirect(&self, redirect_uri: &str) {
        for app in &mut self.state().apps {
            app.redirect_uris.push(redirect_uri.to_owned());
        }
    }

    /// Sets switches, see [`OauthSwitches`].
    pub fn switches(&self, set: impl FnOnce(&mut OauthSwitches)) {
        set(&mut self.state().switches);
    }

    /// From now on every token request is answered in this dialect.
    pub fn speaks(&self, dialect: OauthDialect) {
        self.switches(|switches| switches.dialect = dialect);
    }

    /// Access tokens issued from now on live that long.
    pub fn access_tokens_live(&self, lifetime: Duration) {
        self.switches(|switches| switches.access_lifetime = lifetime);
    }

    /// `/authorize` answers 302 at once: that account (or calendar) has approved already.
    pub fn approves_as(&self, account_id: &str) {
        let mut state = self.state();
        found(state.account(account_id), "account", account_id);
        state.consent = Consent::ApprovedBy(account_id.to_owned());
    }

    /// `/authorize` answers 302 at once with `access_denied`.
    pub fn refuses(&self) {
        self.state().consent = Consent::Refused;
    }

    /// `/authorize` answers with the consent page: takes the two above back.
    pub fn asks(&self) {
        self.state().consent = Consent::Page;
    }

    /// Redirects to the app end with this, as it stands (`iss=https%3A%2F%2Fexample.test`, say); empty takes it back.
    pub fn redirects_with(&self, query: &str) {
        query.clone_into(&mut self.state().appended);
    }

    /// The next `times` token requests meet `fault`. [`Fault::Reset`] cuts before anything is carried out,
    /// [`Fault::LostAnswer`] after it.
    pub fn token_fails_next(&self, times: u64, fault: Fault) {
        self.fails_path_next("/token?", times, fault);
    }

    /// Every token request meets `fault` until [`Door::clears_faults`].
    pub fn token_fails(&self, fault: Fault) {
        self.fails_path("/token?", fault);
    }

    /// The next `times` refreshes meet `fault`; code exchanges do not.
    pub fn refresh_fails_next(&self, times: u64, fault: Fault) {
        self.fails_path_next("grant_type=refresh_token", times, fault);
    }

    /// Every refresh meets `fault` until [`Door::clears_faults`].
    pub fn refresh_fails(&self, fault: Fault) {
        self.fails_path("grant_type=refresh_token", fault);
    }

    /// How many token requests came, whatever became of them.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.requests_with("/token?", "")
    }

    /// How many refreshes were asked for, whatever became of them.
    #[must_use]
    pub fn refresh_requests(&self) -> usize {
        self.requests_with("/token?", "grant_type=refresh_token")
    }

    /// How many refreshes were asked for with a token of that grant.
    #[must_use]
    pub fn refresh_requests_of(&self, grant: u64) -> usize {
        let query = format!("grant_type=refresh_token&grant={grant}");
        let journal = self.requests();
        journal.iter().filter(|one| one.query == query).count()
    }

    /// How many revocations were asked for, whatever became of them.
    #[must_use]
    pub fn revocation_requests(&self) -> usize {
        self.requests_with("/revoke?", "")
    }

    fn requests_with(&self, place: &str, query: &str) -> usize {
        let journal = self.requests();
        let suits = |path: &str| format!("{path}?").ends_with(place);
        journal
            .iter()
            .filter(|one| suits(&one.path) && one.query.starts_with(query))
            .count()
    }

    /// What was carried out so far.
    #[must_use]
    pub fn tally(&self) -> OauthTally {
        self.state().grants.tally
    }

    /// Every grant, in the order of the code exchanges.
    #[must_use]
    pub fn grants(&self) -> Vec<OauthGrant> {
        let now = self.clock().now();
        self.state().grants.list(now)
    }

    /// Every code, access token, refresh token and client secret that it made, and every code verifier that it saw.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.state().grants.secrets.iter().cloned().collect()
    }

    /// That grant is dead: its access tokens answer 401, its refresh tokens `invalid_grant`.
    pub fn revokes_grant(&self, grant: u64) {
        let done = self.state().grants.revoke_where(|number, _, _| number == grant);
        found(done.then_some(()), "grant", &grant.to_string());
    }

    /// All that the account has allowed is dead.
    pub fn revokes_account(&self, account_id: &str) {
        let mut state = self.state();
        found(state.account(account_id), "account", account_id);
        state.grants.revoke_where(|_, _, account| account == account_id);
    }

    /// All that the app was allowed is dead; the app itself stays registered.
    pub fn revokes_app(&self, client_id: &str) {
        let mut state = self.state();
        found(state.app(client_id), "app", client_id);
        state.grants.revoke_where(|_, client, _| client == client_id);
    }

    /// The app is unknown from now on (`invalid_client`), and its grants are dead.
    pub fn forgets_app(&self, client_id: &str) {
        self.revokes_app(client_id);
        self.state().forgotten_apps.push(client_id.to_owned());
    }

    /// All that anybody has allowed is dead.
    pub fn revokes_all(&self) {
        self.server.revoke_all_grants();
    }

    /// Every access token answers 401 from now on; refresh tokens stay good.
    pub fn expires_access_tokens(&self) {
        let now = self.clock().now();
        self.state().grants.expire_access(now);
    }

    /// Nothing listens on the port any more (connections are refused) until [`Self::comes_back`].
    pub fn goes_down(&self) {
        self.outage.set(Listening::Down);
    }

    /// Listens again, on the same port.
    pub fn comes_back(&self) {
        self.outage.set(Listening::Up);
    }

    pub(crate) fn adds_account(&self, id: &str, name: &str, email: &str) {
        self.state().accounts.push(Account {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
        });
    }

    pub(crate) fn has_account(&self, id: &str) -> bool {
        self.state().account(id).is_some()
    }

    /// How the consent page is answered, for people.
    pub(crate) fn consent(&self) -> String {
        match &self.state().consent {
            Consent::Page => "asks".to_owned(),
            Consent::ApprovedBy(account) => format!("approves as {account}"),
            Consent::Refused => "refuses".to_owned(),
        }
    }

    pub(crate) fn dialect(&self) -> OauthDialect {
        self.state().switches.dialect
    }

    pub(crate) fn access_lifetime(&self) -> Duration {
        self.state().switches.access_lifetime
    }
}

impl State {
    fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    fn app(&self, client_id: &str) -> Option<&OauthApp> {
        let known =
            |app: &&OauthApp| app.client_id == client_id && !self.forgotten_apps.contains(&app.client_id);
        self.apps.iter().find(known)
    }
}

/// The record a test names must be there.
fn found<T>(record: Option<T>, kind: &str, id: &str) -> T {
    record.unwrap_or_else(|| panic!("the simulated OAuth server has no {kind} {id}"))
}
