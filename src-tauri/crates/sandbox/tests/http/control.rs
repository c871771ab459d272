//! The control page: what it can do, and whom it refuses.

use reqwest::{Client, Response};
use serde_json::{Value, json};
use talkvalue_sandbox::{Fault, Sandbox};

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
