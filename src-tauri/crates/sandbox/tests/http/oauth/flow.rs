//! A deliberately plain OAuth client: every step on its own, so that a test can leave one out or do it wrong.

use std::collections::HashMap;

use reqwest::{Client, Response};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use talkvalue_sandbox::{
    EventbriteAccount, LumaCalendar, Oauth, OauthApp, OauthDialect, Sandbox, SandboxClock,
};
use url::{Url, form_urlencoded};

use crate::support::{client, noon};

/// 64 signs, as the product sends.
pub(crate) const VERIFIER: &str = "0123456789abcdefghijklmnopqrstuvwxyz-._~ABCDEFGHIJKLMNOPQRSTUVWX";

pub(crate) fn challenge(verifier: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) account: EventbriteAccount,
    pub(crate) calendar: LumaCalendar,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let sandbox = Sandbox::builder()
            .clock(SandboxClock::fixed(noon()))
            .start()
            .await
            .unwrap();
        let eventbrite = sandbox.eventbrite();
        let account = eventbrite.add_account("Robin Vale", "robin@tide.example");
        eventbrite.add_account("<b>Dock & Hall</b>", "box@dockhall.example");
        let luma = sandbox.luma();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@tide.example");
        luma.add_calendar("Community Calendar", "Maeve", "maeve@community.example");
        Self {
            client: client(),
            account,
            calendar,
            sandbox,
        }
    }

    pub(crate) fn eventbrite(&self) -> Asker {
        let oauth = self.sandbox.eventbrite().oauth();
        oauth.approves_as(&self.account.id);
        Asker::below(&oauth, "")
    }

    /// The endpoints as the metadata names them.
    pub(crate) async fn luma(&self) -> Asker {
        let oauth = self.sandbox.luma().oauth();
        oauth.approves_as(&self.calendar.id);
        let document = self.metadata(&oauth).await;
        let endpoint = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        Asker::new(
            &self.client,
            oauth,
            endpoint("authorization_endpoint"),
            endpoint("token_endpoint"),
            endpoint("revocation_endpoint"),
        )
    }

    pub(crate) async fn luma_in(&self, dialect: OauthDialect) -> Asker {
        self.sandbox.luma().oauth().speaks(dialect);
        self.luma().await
    }

    pub(crate) async fn metadata(&self, oauth: &Oauth) -> Value {
        let address = format!("{}/.well-known/oauth-authorization-server", oauth.url());
        self.client
            .get(address)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// The status of "who am I" with that token.
    pub(crate) async fn opens_eventbrite(&self, token: &str) -> u16 {
        let address = format!("{}/users/me/", self.sandbox.eventbrite().api_url());
        let answer = self.client.get(address).bearer_auth(token).send().await;
        answer.unwrap().status().as_u16()
    }

    pub(crate) async fn opens_luma(&self, token: &str) -> u16 {
        let address = format!("{}/v1/calendars/get", self.sandbox.luma().api_url());
        let answer = self.client.get(address).bearer_auth(token).send().await;
        answer.unwrap().status().as_u16()
    }
}

/// One app at one server.
pub(crate) struct Asker {
    client: Client,
    pub(crate) oauth: Oauth,
    pub(crate) app: OauthApp,
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) revoke: String,
}

impl Asker {
    /// With the endpoints in that folder of the base URL.
    pub(crate) fn below(oauth: &Oauth, folder: &str) -> Self {
        let endpoint = |name: &str| format!("{}{folder}/{name}", oauth.url());
        let (authorize, token) = (endpoint("authorize"), endpoint("token"));
        Self::new(&client(), oauth.clone(), authorize, token, String::new())
    }

    fn new(client: &Client, oauth: Oauth, authorize: String, token: String, revoke: String) -> Self {
        Self {
            client: client.clone(),
            app: oauth.app(),
            oauth,
            authorize,
            token,
            revoke,
        }
    }

    /// A proper request; `changes` replace parameters, or take them out where they are empty.
    pub(crate) fn link(&self, changes: &[(&str, &str)]) -> String {
        let challenge = challenge(VERIFIER);
        let mut query: Vec<(&str, &str)> = vec![
            ("response_type", "code"),
            ("client_id", &self.app.client_id),
            ("redirect_uri", &self.app.redirect_uris[0]),
            ("state", "st+a/te=&%20é"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        change(&mut query, changes);
        Url::parse_with_params(&self.authorize, query)
            .unwrap()
            .to_string()
    }

    pub(crate) async fn asks(&self, changes: &[(&str, &str)]) -> Response {
        self.client.get(self.link(changes)).send().await.unwrap()
    }

    pub(crate) async fn code(&self) -> String {
        back(&self.asks(&[]).await)["code"].clone()
    }

    pub(crate) async fn posts(&self, address: &str, form: &[(&str, &str)]) -> reqwest::Result<Response> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.client
            .post(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
    }

    pub(crate) async fn exchanges(&self, code: &str, changes: &[(&str, &str)]) -> Response {
        let secret = self.app.client_secret.clone().unwrap_or_default();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", self.app.client_id.as_str()),
            ("code", code),
            ("redirect_uri", self.app.redirect_uris[0].as_str()),
            ("code_verifier", VERIFIER),
        ];
        if !secret.is_empty() {
            form.push(("client_secret", &secret));
        }
        change(&mut form, changes);
        self.posts(&self.token, &form).await.unwrap()
    }

    pub(crate) async fn connects(&self) -> Tokens {
        let code = self.code().await;
        Tokens::of(self.exchanges(&code, &[]).await).await
    }

    pub(crate) async fn refreshes(&self, token: &str) -> reqwest::Result<Response> {
        let secret = self.app.client_secret.clone().unwrap_or_default();
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", self.app.client_id.as_str()),
            ("refresh_token", token),
        ];
        if !secret.is_empty() {
            form.push(("client_secret", &secret));
        }
        self.posts(&self.token, &form).await
    }

    /// The tokens of a refresh that works.
    pub(crate) async fn refreshed(&self, token: &str) -> Tokens {
        Tokens::of(self.refreshes(token).await.unwrap()).await
    }

    /// The error word of a refresh that does not.
    pub(crate) async fn refused(&self, token: &str) -> String {
        error(self.refreshes(token).await.unwrap(), 400).await
    }

    pub(crate) async fn revokes(&self, token: &str) -> u16 {
        let form = [("client_id", self.app.client_id.as_str()), ("token", token)];
        self.posts(&self.revoke, &form).await.unwrap().status().as_u16()
    }
}

fn change<'a>(pairs: &mut Vec<(&'a str, &'a str)>, changes: &[(&'a str, &'a str)]) {
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
}

/// A token answer that is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) expires_in: Option<i64>,
}

impl Tokens {
    pub(crate) async fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), 200, "the tokens are given out");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["token_type"], "bearer");
        Self {
            access: body["access_token"].as_str().unwrap().to_owned(),
            refresh: body["refresh_token"].as_str().map(str::to_owned),
            expires_in: body["expires_in"].as_i64(),
        }
    }

    pub(crate) fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("this dialect has refresh tokens")
    }
}

pub(crate) async fn error(answer: Response, status: u16) -> String {
    assert_eq!(answer.status(), status);
    let body: Value = answer.json().await.unwrap();
    body["error"].as_str().unwrap().to_owned()
}

pub(crate) fn location(answer: &Response) -> Url {
    assert!(
        matches!(answer.status().as_u16(), 302 | 303),
        "goes back to the app: {}",
        answer.status()
    );
    let location = answer.headers()["location"].to_str().unwrap();
    Url::parse(location).unwrap()
}

/// What the redirect brings the app.
pub(crate) fn back(answer: &Response) -> HashMap<String, String> {
    location(answer).query_pairs().into_owned().collect()
}
