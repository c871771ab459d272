//! Faults at the token endpoint, the journal, and the list of secrets.

use std::time::Duration;

use serde_json::{Value, json};
use talkvalue_sandbox::{Fault, OauthDialect};

use super::flow::{Stage, VERIFIER};

#[tokio::test]
async fn an_answer_that_is_lost_has_rotated_and_a_cut_before_has_not() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let first = asker.connects().await;
    asker.oauth.refresh_fails_next(1, Fault::Reset);
    assert!(asker.refreshes(first.refresh()).await.is_err());
    assert_eq!(asker.oauth.tally().refreshes, 0, "cut before it was carried out");
    asker.oauth.refresh_fails_next(1, Fault::LostAnswer);
    assert!(asker.refreshes(first.refresh()).await.is_err());
    assert_eq!(asker.oauth.tally().refreshes, 1, "carried out, and lost");
    let second = asker.refreshed(first.refresh()).await;
    assert_eq!(
        asker.oauth.tally().successors_repeated,
        1,
        "the grace recovers it"
    );
    asker.oauth.speaks(OauthDialect::StrictRotation);
    asker.oauth.refresh_fails_next(1, Fault::LostAnswer);
    assert!(asker.refreshes(second.refresh()).await.is_err());
    assert_eq!(asker.refused(second.refresh()).await, "invalid_grant");
    assert_eq!(
        asker.oauth.tally().family_revocations,
        1,
        "strict rotation does not forgive"
    );
    assert_eq!(
        asker.oauth.refresh_requests_of(0),
        5,
        "lost ones are counted where they belong"
    );
}

#[tokio::test]
async fn an_answer_can_be_held_while_it_is_carried_out() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let first = asker.connects().await;
    asker.oauth.refresh_fails_next(1, Fault::HeldAnswer);
    {
        let waiting = asker.refreshes(first.refresh());
        tokio::pin!(waiting);
        while asker.oauth.tally().refreshes == 0 {
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("the answer never comes"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    asker.refreshed(first.refresh()).await;
    assert_eq!(asker.oauth.tally().successors_repeated, 1);
}

#[tokio::test]
async fn every_troubled_token_answer_comes_as_it_is_named() {
    let stage = Stage::set().await;
    let asker = stage.luma_in(OauthDialect::FixedRefresh).await;
    asker
        .oauth
        .switches(|switches| switches.repeats_refresh_token = true);
    let tokens = asker.connects().await;
    let catalogue = Fault::token_catalogue("http://127.0.0.1:9/elsewhere");
    assert!(catalogue.len() >= 50, "a table worth its name");
    for (name, fault) in catalogue {
        asker.oauth.refresh_fails_next(1, fault.clone());
        let answer = asker.refreshes(tokens.refresh()).await;
        match &fault {
            Fault::Reset | Fault::LostAnswer => assert!(answer.is_err(), "{name}"),
            Fault::Answer {
                status,
                headers,
                body,
            } => {
                let answer = answer.unwrap();
                assert_eq!(answer.status(), *status, "{name}");
                for (header, value) in headers {
                    assert_eq!(answer.headers()[*header], value.as_str(), "{name}");
                }
                assert_eq!(&answer.text().await.unwrap(), body, "{name}");
            }
            Fault::Member { name: member, value } => {
                let body: Value = answer.unwrap().json().await.unwrap();
                assert_eq!(body.get(member), value.as_ref(), "{name}");
                let others = ["access_token", "token_type", "expires_in", "refresh_token"];
                for other in others.iter().filter(|other| *other != member) {
                    assert!(!body[*other].is_null(), "{name} leaves {other} alone");
                }
            }
            _ => {
                let answer = answer.unwrap();
                let status = answer.status().as_u16();
                let readable = answer
                    .bytes()
                    .await
                    .ok()
                    .and_then(|body| serde_json::from_slice::<Value>(&body).ok());
                let has_token = readable.is_some_and(|body| body["access_token"].is_string());
                assert!(!(status == 200 && has_token), "{name} is no good answer");
            }
        }
    }
    assert_eq!(asker.oauth.faults_set(), Vec::<String>::new(), "each struck once");
    asker.refreshed(tokens.refresh()).await;
}

#[tokio::test]
async fn faults_strike_refreshes_alone_or_every_token_request_and_nothing_else() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let tokens = asker.connects().await;
    asker
        .oauth
        .refresh_fails(Fault::oauth_error(503, "temporarily_unavailable"));
    asker.connects().await;
    for _ in 0..2 {
        assert_eq!(asker.refreshes(tokens.refresh()).await.unwrap().status(), 503);
    }
    asker.oauth.clears_faults();
    asker.oauth.token_fails(Fault::Status(500));
    let code = asker.code().await;
    assert_eq!(asker.exchanges(&code, &[]).await.status(), 500);
    assert_eq!(asker.refreshes(tokens.refresh()).await.unwrap().status(), 500);
    assert_eq!(
        stage.opens_luma(&tokens.access).await,
        200,
        "the API is another server"
    );
    asker.oauth.clears_faults();
    asker.oauth.token_fails_next(
        1,
        Fault::RateLimited {
            retry_after_secs: Some(9),
        },
    );
    let limited = asker.refreshes(tokens.refresh()).await.unwrap();
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"9".parse().unwrap())
    );
    asker.refreshed(tokens.refresh()).await;
}

#[tokio::test]
async fn one_server_can_be_away_while_the_others_are_there() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let tokens = asker.connects().await;
    asker.oauth.goes_down();
    let refused = crate::support::client().get(&asker.token).send().await;
    assert!(refused.unwrap_err().is_connect());
    assert_eq!(stage.opens_luma(&tokens.access).await, 200);
    asker.oauth.comes_back();
    asker.refreshed(tokens.refresh()).await;
}

#[tokio::test]
async fn the_metadata_can_lie() {
    let stage = Stage::set().await;
    let oauth = stage.sandbox.luma().oauth();
    oauth.fails_path_next(
        ".well-known",
        1,
        Fault::with_member("token_endpoint", json!("https://evil.example/token")),
    );
    let document = stage.metadata(&oauth).await;
    assert_eq!(document["token_endpoint"], "https://evil.example/token");
    assert_eq!(document["issuer"], oauth.url().as_str());
}

#[tokio::test]
async fn many_refreshes_at_once_rotate_once() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let tokens = asker.connects().await;
    let point = asker.oauth.pause_at(1);
    let answers = futures::future::join_all((0..20).map(|_| asker.refreshed(tokens.refresh())));
    let release = async {
        point.reached().await;
        point.release();
    };
    let (answers, ()) = tokio::join!(answers, release);
    assert!(answers.iter().all(|one| one == &answers[0]), "one successor");
    let tally = asker.oauth.tally();
    assert_eq!((tally.refreshes, tally.successors_repeated), (1, 19));
}

#[tokio::test]
async fn the_journal_tells_what_happened_and_no_secret() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let first = asker.connects().await;
    let other = asker.connects().await;
    asker.refreshed(first.refresh()).await;
    stage.sandbox.clock().advance(Duration::from_secs(61));
    asker.refused(first.refresh()).await;
    asker.refreshed(other.refresh()).await;
    asker.revokes(other.refresh()).await;
    let leaky = format!("{}?refresh_token={}", asker.token, first.refresh());
    asker.posts(&leaky, &[("grant_type", "none")]).await.unwrap();
    let oauth = &asker.oauth;
    assert_eq!(oauth.token_requests(), 6);
    assert_eq!(oauth.refresh_requests(), 3);
    assert_eq!(
        (oauth.refresh_requests_of(0), oauth.refresh_requests_of(1)),
        (2, 1)
    );
    assert_eq!(oauth.revocation_requests(), 1);
    let tally = oauth.tally();
    assert_eq!(
        (
            tally.code_exchanges,
            tally.refreshes,
            tally.revocations,
            tally.refused
        ),
        (2, 2, 1, 2)
    );
    let told = serde_json::to_string(&oauth.requests()).unwrap();
    for secret in oauth.secrets() {
        assert!(!told.contains(&secret), "the journal holds no secret");
    }
    assert!(
        told.contains("in-address=refresh_token"),
        "a token in an address is noticed"
    );
    assert!(
        told.contains("code_challenge"),
        "what goes through a browser is kept"
    );
}

#[tokio::test]
async fn every_secret_is_listed() {
    let stage = Stage::set().await;
    let asker = stage.eventbrite();
    asker.oauth.speaks(OauthDialect::RotatingWithGrace);
    let code = asker.code().await;
    let first = super::flow::Tokens::of(asker.exchanges(&code, &[]).await).await;
    let second = asker.refreshed(first.refresh()).await;
    let secrets = asker.oauth.secrets();
    let made = [
        code.as_str(),
        &first.access,
        first.refresh(),
        &second.access,
        second.refresh(),
        asker.app.client_secret.as_deref().unwrap(),
        &stage.account.client_secret,
    ];
    for secret in made {
        assert!(secret.contains("CANARY"), "a sweep recognises it");
        assert!(secrets.iter().any(|known| known == secret));
    }
    assert!(
        secrets.iter().any(|known| known == VERIFIER),
        "what a client made up is listed too"
    );
}
