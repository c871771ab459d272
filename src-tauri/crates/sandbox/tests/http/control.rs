//! The control page: what it can do, and whom it refuses.

use reqwest::{Client, Response};
use serde_json::{Value, json};
use talkvalue_sandbox::{Fault, Sandbox};

use crate::oauth::flow::Asker;
use crate::support::{client, get_eventbrite};

async fn demo() -> (Sandbox, Client, String) {
    let sandbox = Sandbox::builder()
        .demo()
        .control_page(true)
        .start()
        .await
        .unwrap();
    let url = sandbox.control_url().unwrap().to_owned();
    (sandbox, client(), url)
}

async fn order(client: &Client, url: &str, order: Value) -> Response {
    client
        .post(format!("{url}control"))
        .json(&order)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_page_stands_alone_and_allows_nothing_foreign() {
    let (_sandbox, client, url) = demo().await;
    let page = client.get(&url).send().await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    let page = page.text().await.unwrap();
    assert!(!page.contains("https://"), "no asset from elsewhere");
    for part in ["page.css", "page.js"] {
        assert_eq!(
            client.get(format!("{url}{part}")).send().await.unwrap().status(),
            200
        );
    }
}

#[tokio::test]
async fn buttons_act_on_the_worlds() {
    let (sandbox, client, url) = demo().await;
    let (eventbrite, luma) = (sandbox.eventbrite(), sandbox.luma());
    let demo = sandbox.demo().unwrap();
    let (event, guests) = (&demo.eventbrite_events[0].id, &demo.luma_events[0].id);
    let before = (eventbrite.attendees(event).len(), luma.guests(guests).len());
    for (provider, event) in [("eventbrite", event), ("luma", guests)] {
        for action in ["add", "check-in", "cancel", "undo-check-in", "restore"] {
            let done = order(
                &client,
                &url,
                json!({ "provider": provider, "action": action, "event": event }),
            );
            assert_eq!(
                done.await.json::<Value>().await.unwrap()["ok"],
                true,
                "{provider} {action}"
            );
        }
    }
    let after = (eventbrite.attendees(event).len(), luma.guests(guests).len());
    assert_eq!(after, (before.0 + 1, before.1 + 1));
    let account = &demo.eventbrite_accounts[0];
    let token = &account.private_token;
    for (name, fault) in Fault::catalogue() {
        let inject = json!({ "provider": "eventbrite", "action": "fault", "fault": name, "times": 1 });
        assert_eq!(order(&client, &url, inject).await.status(), 200, "{fault:?}");
    }
    order(
        &client,
        &url,
        json!({ "provider": "eventbrite", "action": "clear-faults" }),
    )
    .await;
    order(
        &client,
        &url,
        json!({ "provider": "eventbrite", "action": "revoke-all" }),
    )
    .await;
    assert_eq!(
        get_eventbrite(&client, &eventbrite, token, "/users/me/")
            .await
            .status(),
        401
    );
    let issue = json!({ "provider": "eventbrite", "action": "issue", "owner": account.id });
    let issued: Value = order(&client, &url, issue).await.json().await.unwrap();
    let token = issued["result"].as_str().unwrap();
    assert_eq!(
        get_eventbrite(&client, &eventbrite, token, "/users/me/")
            .await
            .status(),
        200
    );
    order(
        &client,
        &url,
        json!({ "provider": "eventbrite", "action": "down" }),
    )
    .await;
    let refused = client.get(eventbrite.api_url()).send().await;
    assert!(refused.unwrap_err().is_connect(), "down means refused");
    order(&client, &url, json!({ "provider": "eventbrite", "action": "up" })).await;
    assert_eq!(
        get_eventbrite(&client, &eventbrite, token, "/users/me/")
            .await
            .status(),
        200
    );
    let state: Value = client
        .get(format!("{url}state"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        state["eventbrite"]["events"].as_array().unwrap().len(),
        demo.eventbrite_events.len()
    );
    assert!(state["eventbrite"]["requestCount"].as_u64().unwrap() >= 3);
}

#[tokio::test]
async fn foreign_callers_and_senseless_orders_are_refused() {
    let (sandbox, client, url) = demo().await;
    let revoke = json!({ "provider": "luma", "action": "revoke-all" });
    let post = || client.post(format!("{url}control")).json(&revoke);
    for (name, value) in [
        ("host", "harbour.example"),
        ("origin", "https://harbour.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let answer = post().header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{name}: {value}");
    }
    let form = client
        .post(format!("{url}control"))
        .body(revoke.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), 415);
    for order_text in [
        json!({}),
        json!({ "provider": "meetup", "action": "add" }),
        json!({ "provider": "luma", "action": "dance" }),
        json!({ "provider": "luma", "action": "cancel", "event": "evt-none" }),
        json!({ "provider": "eventbrite", "action": "fault", "fault": "sunshine" }),
    ] {
        assert_eq!(order(&client, &url, order_text).await.status(), 400);
    }
    let key = &sandbox.demo().unwrap().luma_calendars[0].key;
    let address = format!("{}/v1/users/get-self", sandbox.luma().api_url());
    let answer = client
        .get(address)
        .header("x-luma-api-key", key)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "nothing was revoked");
}

#[tokio::test]
async fn the_oauth_servers_are_governed_from_the_page() {
    let (sandbox, client, url) = demo().await;
    let demo = sandbox.demo().unwrap();
    for (provider, oauth, owner) in [
        (
            "eventbrite",
            sandbox.eventbrite().oauth(),
            &demo.eventbrite_accounts[1].id,
        ),
        ("luma", sandbox.luma().oauth(), &demo.luma_calendars[1].id),
    ] {
        let acts = async |more: Value| {
            let mut what = json!({ "provider": provider });
            what.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            order(&client, &url, what).await.status().as_u16()
        };
        let state = async || {
            let state: Value = client
                .get(format!("{url}state"))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            state[provider]["oauth"].clone()
        };
        for (dialect, _) in talkvalue_sandbox::OauthDialect::ALL {
            assert_eq!(
                acts(json!({ "action": "oauth-dialect", "dialect": dialect })).await,
                200
            );
            assert_eq!(state().await["dialect"], dialect);
        }
        assert_eq!(
            acts(json!({ "action": "oauth-lifetime", "seconds": 5 })).await,
            200
        );
        assert_eq!(
            acts(json!({ "action": "oauth-approve", "owner": owner })).await,
            200
        );
        let asker = Asker::below(&oauth, if provider == "luma" { "/oauth2" } else { "" });
        let tokens = asker.connects().await;
        assert_eq!(tokens.expires_in, Some(5));
        let shown = state().await;
        assert_eq!(shown["grants"][0]["accountId"], owner.as_str());
        let to_type_in = asker.app.client_secret.clone().unwrap_or_default();
        for secret in oauth.secrets().iter().filter(|secret| **secret != to_type_in) {
            assert!(!shown.to_string().contains(secret), "the page shows no token");
        }
        assert_eq!(acts(json!({ "action": "oauth-expire" })).await, 200);
        assert_eq!(oauth.grants()[0].live_access_tokens, 0);
        let fault = json!({ "action": "oauth-fault", "fault": "invalid-grant", "times": 1 });
        assert_eq!(acts(fault).await, 200);
        assert_eq!(asker.refused(tokens.refresh()).await, "invalid_grant");
        assert!(!oauth.grants()[0].revoked, "that was the fault alone");
        assert_eq!(
            acts(json!({ "action": "oauth-revoke", "owner": owner })).await,
            200
        );
        assert!(oauth.grants()[0].revoked);
        for senseless in [
            json!({ "action": "oauth-dialect", "dialect": "esperanto" }),
            json!({ "action": "oauth-revoke", "owner": "nobody" }),
            json!({ "action": "oauth-fault", "fault": "sunshine" }),
            json!({ "action": "oauth-dance" }),
        ] {
            assert_eq!(acts(senseless).await, 400);
        }
    }
}
