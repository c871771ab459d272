//! The way to the code: who may ask, who consents, what comes back.

use serde_json::Value;
use talkvalue_sandbox::{OauthDialect, Sandbox};

use super::flow::{Asker, Stage, Tokens, VERIFIER, back, challenge, error, location};

const OTHER_VERIFIER: &str = "another-verifier-another-verifier-another-verifier-another-00000";

#[tokio::test]
async fn a_redirect_brings_a_code_and_the_state_as_it_was() {
    let stage = Stage::set().await;
    for asker in [stage.eventbrite(), stage.luma().await] {
        let answer = asker.asks(&[]).await;
        assert_eq!(answer.status(), 302);
        let to = location(&answer);
        assert!(to.as_str().starts_with(&asker.app.redirect_uris[0]));
        let back = back(&answer);
        assert_eq!(back["state"], "st+a/te=&%20é", "echoed untouched");
        assert!(back["code"].contains("CANARY"));
        assert_eq!(back.len(), 2, "and nothing else");
        let silent = super::flow::back(&asker.asks(&[("state", "")]).await);
        assert!(!silent.contains_key("state"), "no state, no echo");
    }
}

#[tokio::test]
async fn a_person_chooses_on_the_page_and_allows_or_refuses() {
    let stage = Stage::set().await;
    let luma = stage.luma().await;
    luma.oauth.asks();
    let page = luma.asks(&[]).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    let page = page.text().await.unwrap();
    for calendar in stage.sandbox.luma().calendars() {
        assert!(page.contains(&calendar.id) && page.contains(&calendar.name));
    }
    let second = stage.sandbox.luma().calendars()[1].id.clone();
    let form = [
        ("request", ticket(&page)),
        ("account", second.clone()),
        ("decision", "allow".to_owned()),
    ];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = luma.posts(&luma.authorize, &form).await.unwrap();
    assert_eq!(
        answer.status(),
        303,
        "a form's answer is fetched, not posted again"
    );
    let code = back(&answer)["code"].clone();
    let again = luma.posts(&luma.authorize, &form).await.unwrap();
    assert_eq!(again.status(), 400, "one answer for each page");
    let tokens = Tokens::of(luma.exchanges(&code, &[]).await).await;
    assert_eq!(luma.oauth.grants()[0].account_id, second);
    let address = format!("{}/v1/calendars/get", stage.sandbox.luma().api_url());
    let request = stage.client.get(address).bearer_auth(&tokens.access);
    let calendar: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(calendar["id"], second.as_str(), "the token opens what was chosen");

    let page = luma.asks(&[]).await.text().await.unwrap();
    let refuse = [("request", ticket(&page)), ("decision", "refuse".to_owned())];
    let refuse: Vec<(&str, &str)> = refuse
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let back = back(&luma.posts(&luma.authorize, &refuse).await.unwrap());
    assert_eq!(
        (&*back["error"], &*back["state"]),
        ("access_denied", "st+a/te=&%20é")
    );
    assert_eq!(luma.oauth.tally().consents_refused, 1);
}

fn ticket(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn hostile_names_stay_text_on_the_page() {
    let stage = Stage::set().await;
    let eventbrite = stage.eventbrite();
    eventbrite.oauth.asks();
    let page = eventbrite.asks(&[]).await.text().await.unwrap();
    assert!(page.contains("&lt;b&gt;Dock &amp; Hall&lt;/b&gt;") && !page.contains("<b>Dock"));
    assert!(!page.contains("<script"), "it works without");
}

#[tokio::test]
async fn a_scripted_refusal_comes_back_at_once() {
    let stage = Stage::set().await;
    let eventbrite = stage.eventbrite();
    eventbrite.oauth.refuses();
    let answer = eventbrite.asks(&[]).await;
    assert_eq!(answer.status(), 302);
    let back = back(&answer);
    assert_eq!(
        (&*back["error"], &*back["state"]),
        ("access_denied", "st+a/te=&%20é")
    );
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn strangers_and_other_addresses_see_an_error_page_and_are_sent_nowhere() {
    let stage = Stage::set().await;
    for asker in [stage.eventbrite(), stage.luma().await] {
        let registered = asker.app.redirect_uris[0].clone();
        let other_port = registered.replace("478", "578");
        let by_number = registered.replace("localhost", "127.0.0.1");
        let (longer, queried) = (format!("{registered}/more"), format!("{registered}?more"));
        for change in [
            ("client_id", "somebody-else"),
            ("client_id", ""),
            ("redirect_uri", "https://harbour.example/callback"),
            ("redirect_uri", other_port.as_str()),
            ("redirect_uri", by_number.as_str()),
            ("redirect_uri", longer.as_str()),
            ("redirect_uri", queried.as_str()),
            ("redirect_uri", ""),
        ] {
            let answer = asker.asks(&[change]).await;
            assert_eq!(answer.status(), 400, "{change:?}");
            assert!(answer.headers().get("location").is_none(), "{change:?}");
        }
        asker.oauth.switches(|switches| switches.any_redirect_port = true);
        let lax = asker.asks(&[("redirect_uri", &other_port)]).await;
        assert_eq!(lax.status(), 302, "any port, where that is switched on");
        let other_path = asker.asks(&[("redirect_uri", &longer)]).await;
        assert_eq!(other_path.status(), 400, "and nothing but the port");
        asker
            .oauth
            .switches(|switches| switches.any_redirect_port = false);
        asker.oauth.registers_redirect(&other_port);
        let told = asker.asks(&[("redirect_uri", &other_port)]).await;
        assert_eq!(told.status(), 302, "a second address can be registered");
    }
}

#[tokio::test]
async fn requests_that_ask_wrongly_hear_so_at_the_app() {
    let stage = Stage::set().await;
    for (index, asker) in [stage.eventbrite(), stage.luma().await].iter().enumerate() {
        for (changes, wanted) in [
            (&[("response_type", "token")][..], "unsupported_response_type"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("code_challenge_method", "")], "invalid_request"),
            (&[("code_challenge", "short")], "invalid_request"),
        ] {
            let back = back(&asker.asks(changes).await);
            assert_eq!((&*back["error"], &*back["state"]), (wanted, "st+a/te=&%20é"));
        }
        let without = asker
            .asks(&[("code_challenge", ""), ("code_challenge_method", "")])
            .await;
        let public = index == 1;
        assert_eq!(
            back(&without).contains_key("error"),
            public,
            "an app without a secret needs a challenge"
        );
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_verifier_address_and_app() {
    let stage = Stage::set().await;
    for asker in [stage.eventbrite(), stage.luma().await] {
        for changes in [
            &[("code_verifier", OTHER_VERIFIER)][..],
            &[("code_verifier", "")],
            &[("redirect_uri", "http://localhost:1/callback")],
            &[("redirect_uri", "")],
            &[("code", "CANARYNONE")],
        ] {
            let code = asker.code().await;
            let answer = asker.exchanges(&code, changes).await;
            assert_eq!(error(answer, 400).await, "invalid_grant", "{changes:?}");
            let proper = asker.exchanges(&code, &[]).await;
            assert_eq!(proper.status(), 200, "the code itself is unharmed");
        }
        let plain = asker
            .exchanges(
                &asker.code().await,
                &[("code_verifier", &challenge(VERIFIER)[..])],
            )
            .await;
        assert_eq!(
            error(plain, 400).await,
            "invalid_grant",
            "the challenge is no verifier"
        );

        let code = asker.code().await;
        let first = Tokens::of(asker.exchanges(&code, &[]).await).await;
        let second = asker.exchanges(&code, &[]).await;
        assert_eq!(error(second, 400).await, "invalid_grant");
        assert_eq!(asker.oauth.tally().code_replays, 1);
        let opens = if asker.revoke.is_empty() {
            stage.opens_eventbrite(&first.access).await
        } else {
            stage.opens_luma(&first.access).await
        };
        assert_eq!(opens, 401, "a code used twice withdraws what it brought");

        let code = asker.code().await;
        stage.sandbox.clock().advance(std::time::Duration::from_secs(600));
        let late = asker.exchanges(&code, &[]).await;
        assert_eq!(error(late, 400).await, "invalid_grant", "codes do not keep");
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let stage = Stage::set().await;
    let asker = stage.eventbrite();
    let no_challenge = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = back(&asker.asks(&no_challenge).await)["code"].clone();
    let answer = asker.exchanges(&code, &[]).await;
    assert_eq!(error(answer, 400).await, "invalid_grant", "somebody took it away");
    let answer = asker.exchanges(&code, &[("code_verifier", "")]).await;
    assert_eq!(answer.status(), 200, "Eventbrite works without PKCE");
}

#[tokio::test]
async fn an_app_proves_itself_by_its_secret_in_the_body_or_by_basic() {
    let stage = Stage::set().await;
    let asker = stage.eventbrite();
    for changes in [
        &[("client_secret", "CANARYWRONG")][..],
        &[("client_secret", "")],
        &[("client_id", "somebody-else")],
    ] {
        let code = asker.code().await;
        let answer = asker.exchanges(&code, changes).await;
        assert_eq!(error(answer, 401).await, "invalid_client", "{changes:?}");
    }
    let secret = asker.app.client_secret.clone().unwrap();
    for (secret, status) in [(secret.as_str(), 200), ("CANARYWRONG", 401)] {
        let code = asker.code().await;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code)
            .append_pair("redirect_uri", &asker.app.redirect_uris[0])
            .append_pair("code_verifier", VERIFIER)
            .finish();
        let request = stage
            .client
            .post(&asker.token)
            .basic_auth(&asker.app.client_id, Some(secret));
        let answer = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
    }
    let both = stage
        .client
        .post(&asker.token)
        .basic_auth(&asker.app.client_id, Some(&secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("grant_type=authorization_code&client_secret={secret}"));
    assert_eq!(
        error(both.send().await.unwrap(), 400).await,
        "invalid_request",
        "one proof is enough"
    );
    let other = &stage.account;
    let code = asker.code().await;
    let stolen = asker
        .exchanges(
            &code,
            &[
                ("client_id", &other.api_key[..]),
                ("client_secret", &other.client_secret[..]),
            ],
        )
        .await;
    assert_eq!(
        error(stolen, 400).await,
        "invalid_grant",
        "a code is of use to its own app only"
    );
    let json = stage
        .client
        .post(&asker.token)
        .json(&serde_json::json!({ "grant_type": "authorization_code" }));
    assert_eq!(error(json.send().await.unwrap(), 400).await, "invalid_request");
    let twice = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")];
    let twice = asker.posts(&asker.token, &twice).await.unwrap();
    assert_eq!(error(twice, 400).await, "invalid_request");
}

#[tokio::test]
async fn the_account_that_has_an_app_of_its_own_can_use_that() {
    let stage = Stage::set().await;
    let mut asker = stage.eventbrite();
    asker.app.client_id = stage.account.api_key.clone();
    asker.app.client_secret = Some(stage.account.client_secret.clone());
    let tokens = asker.connects().await;
    assert_eq!(stage.opens_eventbrite(&tokens.access).await, 200);
    assert!(asker.oauth.secrets().contains(&stage.account.client_secret));
}

#[tokio::test]
async fn a_browser_that_allowed_before_is_sent_straight_back_until_that_is_revoked() {
    let stage = Stage::set().await;
    let asker = stage.eventbrite();
    asker.oauth.asks();
    asker
        .oauth
        .switches(|switches| switches.remembers_approval = true);
    let page = asker.asks(&[]).await.text().await.unwrap();
    let ticket = ticket(&page);
    let form = [
        ("request", ticket.as_str()),
        ("account", stage.account.id.as_str()),
        ("decision", "allow"),
    ];
    let allowed = asker.posts(&asker.authorize, &form).await.unwrap();
    let cookie = allowed.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let code = back(&allowed)["code"].clone();
    Tokens::of(asker.exchanges(&code, &[]).await).await;
    let with_cookie = || {
        let request = stage.client.get(asker.link(&[])).header("cookie", &cookie);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(with_cookie().await.status(), 302);
    assert_eq!(
        asker.asks(&[]).await.status(),
        200,
        "another browser sees the page"
    );
    asker.oauth.revokes_account(&stage.account.id);
    assert_eq!(with_cookie().await.status(), 200, "no longer approved");
}

#[tokio::test]
async fn an_embedded_window_is_told_to_use_a_browser() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    asker
        .oauth
        .switches(|switches| switches.refused_user_agents = vec!["WebView".to_owned()]);
    let embedded = stage
        .client
        .get(asker.link(&[]))
        .header("user-agent", "Harbour/1 WebView");
    let embedded = embedded.send().await.unwrap();
    assert_eq!(embedded.status(), 403);
    assert!(embedded.text().await.unwrap().contains("disallowed_useragent"));
    let browser = stage
        .client
        .get(asker.link(&[]))
        .header("user-agent", "Harbour/1");
    assert_eq!(browser.send().await.unwrap().status(), 302);
}

#[tokio::test]
async fn the_redirect_says_what_a_test_wants_it_to() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    asker.oauth.switches(|switches| switches.sends_issuer = true);
    let back_with = |answer: &reqwest::Response| back(answer);
    let issuer = back_with(&asker.asks(&[]).await)["iss"].clone();
    let document = stage.metadata(&asker.oauth).await;
    assert_eq!(document["issuer"], issuer.as_str());
    assert_eq!(
        document["authorization_response_iss_parameter_supported"], true,
        "a client can know that it has to look"
    );
    asker.oauth.switches(|switches| switches.sends_issuer = false);
    asker
        .oauth
        .redirects_with("iss=https%3A%2F%2Fevil.example&error_description=%3Cscript%3Ealert(1)%3C/script%3E");
    let answer = asker.asks(&[]).await;
    let query = location(&answer).query().unwrap().to_owned();
    assert!(query.ends_with("error_description=%3Cscript%3Ealert(1)%3C/script%3E"));
    assert_eq!(back(&answer)["iss"], "https://evil.example");
}

#[tokio::test]
async fn the_metadata_tells_where_and_how() {
    let stage = Stage::set().await;
    let luma = stage.sandbox.luma().oauth();
    let document = stage.metadata(&luma).await;
    assert_eq!(document["issuer"], luma.url().as_str());
    for endpoint in ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        let address = document[endpoint].as_str().unwrap();
        assert!(address.starts_with(&luma.url()), "{endpoint}: {address}");
    }
    let list = |name: &str| document[name].clone();
    assert_eq!(
        list("code_challenge_methods_supported"),
        serde_json::json!(["S256"])
    );
    assert_eq!(
        list("token_endpoint_auth_methods_supported"),
        serde_json::json!(["none"])
    );
    assert_eq!(
        list("grant_types_supported"),
        serde_json::json!(["authorization_code", "refresh_token"])
    );
    luma.speaks(OauthDialect::NoExpiry);
    luma.switches(|switches| switches.revocation = false);
    let document = stage.metadata(&luma).await;
    assert_eq!(
        document["grant_types_supported"],
        serde_json::json!(["authorization_code"])
    );
    assert!(document["revocation_endpoint"].is_null());

    let eventbrite = stage.sandbox.eventbrite().oauth();
    for path in ["/.well-known/oauth-authorization-server", "/revoke"] {
        let answer = stage.client.post(format!("{}{path}", eventbrite.url())).send();
        assert_eq!(answer.await.unwrap().status(), 404, "Eventbrite has no {path}");
    }
    let token = stage.client.get(format!("{}/token", eventbrite.url())).send();
    assert_eq!(token.await.unwrap().status(), 405);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_secrets() {
    let mut made = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::builder().seed(7).start().await.unwrap();
        let account = sandbox.eventbrite().add_account("Robin", "robin@tide.example");
        let oauth = sandbox.eventbrite().oauth();
        oauth.approves_as(&account.id);
        let asker = Asker::below(&oauth, "");
        asker.connects().await;
        made.push((asker.app.clone(), asker.oauth.secrets()));
    }
    assert_eq!(made[0], made[1]);
    let other = Sandbox::builder().seed(8).start().await.unwrap();
    assert_ne!(other.eventbrite().oauth().app(), made[0].0);
}
