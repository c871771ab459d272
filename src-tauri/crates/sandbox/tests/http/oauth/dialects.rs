//! The life of tokens in each dialect.

use std::time::Duration;

use talkvalue_sandbox::OauthDialect;

use super::flow::{Stage, Tokens};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn eventbrite_tokens_live_on_and_cannot_be_refreshed() {
    let stage = Stage::set().await;
    let asker = stage.eventbrite();
    let tokens = asker.connects().await;
    assert_eq!((tokens.refresh.clone(), tokens.expires_in), (None, None));
    stage.sandbox.clock().advance(HOUR * 24 * 400);
    assert_eq!(stage.opens_eventbrite(&tokens.access).await, 200);
    assert_eq!(asker.refused(&tokens.access).await, "unsupported_grant_type");
    asker.oauth.switches(|switches| switches.announces_expiry = true);
    let announced = asker.connects().await;
    assert_eq!(announced.expires_in, Some(3_600), "said, and not kept");
    stage.sandbox.clock().advance(HOUR * 2);
    assert_eq!(stage.opens_eventbrite(&announced.access).await, 200);
}

#[tokio::test]
async fn an_eventbrite_token_is_good_for_its_account_and_counted_for_its_app() {
    let stage = Stage::set().await;
    let asker = stage.eventbrite();
    let tokens = asker.connects().await;
    let address = format!("{}/users/me/", stage.sandbox.eventbrite().api_url());
    let answer = stage.client.get(address).bearer_auth(&tokens.access).send();
    let answer = answer.await.unwrap();
    let header = answer.headers()["x-rate-limit"].to_str().unwrap();
    assert!(header.contains(&format!("key:{} 1/2000", asker.app.client_id)));
    let me: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(me["id"], stage.account.id.as_str());
}

#[tokio::test]
async fn a_fixed_refresh_token_stays_good() {
    let stage = Stage::set().await;
    let asker = stage.luma_in(OauthDialect::FixedRefresh).await;
    let tokens = asker.connects().await;
    assert_eq!(tokens.expires_in, Some(3_600));
    let mut access = vec![tokens.access.clone()];
    for _ in 0..3 {
        stage.sandbox.clock().advance(HOUR);
        assert_eq!(
            stage.opens_luma(access.last().unwrap()).await,
            401,
            "expired to the second"
        );
        let next = asker.refreshed(tokens.refresh()).await;
        assert_eq!(next.refresh, None, "there is nothing new to keep");
        assert_eq!(stage.opens_luma(&next.access).await, 200);
        access.push(next.access);
    }
    access.dedup();
    assert_eq!(access.len(), 4, "each refresh brings another token");
    asker
        .oauth
        .switches(|switches| switches.repeats_refresh_token = true);
    assert_eq!(asker.refreshed(tokens.refresh()).await.refresh, tokens.refresh);
    assert_eq!(asker.oauth.grants()[0].refreshes, 4);
}

#[tokio::test]
async fn within_the_grace_a_used_refresh_token_answers_its_successor() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    asker
        .oauth
        .switches(|switches| switches.grace = Duration::from_secs(30));
    let first = asker.connects().await;
    let second = asker.refreshed(first.refresh()).await;
    assert_ne!(second.refresh, first.refresh);
    stage.sandbox.clock().advance(Duration::from_secs(29));
    let repeated = asker.refreshed(first.refresh()).await;
    assert_eq!(
        (&repeated.access, &repeated.refresh, repeated.expires_in),
        (&second.access, &second.refresh, Some(3_571)),
        "the very same, with what is left of its life"
    );
    let third = asker.refreshed(second.refresh()).await;
    assert_eq!(
        asker.refreshed(first.refresh()).await.refresh,
        second.refresh,
        "still its own successor"
    );
    stage.sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(asker.refused(first.refresh()).await, "invalid_grant");
    assert_eq!(stage.opens_luma(&third.access).await, 200, "nothing else is lost");
    asker.refreshed(third.refresh()).await;
    let tally = asker.oauth.tally();
    assert_eq!(
        (
            tally.refreshes,
            tally.successors_repeated,
            tally.family_revocations
        ),
        (3, 2, 0)
    );
}

#[tokio::test]
async fn strict_rotation_revokes_the_family_of_a_token_used_twice() {
    let stage = Stage::set().await;
    let asker = stage.luma_in(OauthDialect::StrictRotation).await;
    let other = asker.connects().await;
    let first = asker.connects().await;
    let second = asker.refreshed(first.refresh()).await;
    let third = asker.refreshed(second.refresh()).await;
    assert_eq!(stage.opens_luma(&third.access).await, 200);
    assert_eq!(asker.refused(first.refresh()).await, "invalid_grant");
    assert_eq!(asker.oauth.tally().family_revocations, 1);
    assert_eq!(stage.opens_luma(&third.access).await, 401);
    assert_eq!(asker.refused(third.refresh()).await, "invalid_grant");
    assert_eq!(asker.refused(first.refresh()).await, "invalid_grant");
    assert_eq!(
        asker.oauth.tally().family_revocations,
        1,
        "a dead family does not die again"
    );
    assert_eq!(
        stage.opens_luma(&other.access).await,
        200,
        "another family lives on"
    );
    let grants = asker.oauth.grants();
    assert_eq!((grants[0].revoked, grants[1].revoked), (false, true));
    assert_eq!(grants[1].refreshes, 2);
}

#[tokio::test]
async fn lifetimes_and_dialects_change_while_it_runs() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let long = asker.connects().await;
    asker.oauth.access_tokens_live(Duration::from_secs(5));
    let short = asker.connects().await;
    assert_eq!((long.expires_in, short.expires_in), (Some(3_600), Some(5)));
    stage.sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!(stage.opens_luma(&short.access).await, 401);
    assert_eq!(stage.opens_luma(&long.access).await, 200);
    asker.oauth.speaks(OauthDialect::StrictRotation);
    asker.refreshed(short.refresh()).await;
    assert_eq!(asker.refused(short.refresh()).await, "invalid_grant");
    assert_eq!(
        asker.oauth.tally().family_revocations,
        1,
        "the new dialect judges"
    );
}

#[tokio::test]
async fn a_grant_an_account_and_an_app_can_be_revoked_from_outside() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let mine = asker.connects().await;
    let mine_too = asker.connects().await;
    let second = stage.sandbox.luma().calendars()[1].id.clone();
    asker.oauth.approves_as(&second);
    let other = asker.connects().await;
    asker.oauth.revokes_grant(0);
    assert_eq!(stage.opens_luma(&mine.access).await, 401);
    assert_eq!(asker.refused(mine.refresh()).await, "invalid_grant");
    assert_eq!(stage.opens_luma(&mine_too.access).await, 200);
    asker.oauth.revokes_account(&stage.calendar.id);
    assert_eq!(stage.opens_luma(&mine_too.access).await, 401);
    assert_eq!(stage.opens_luma(&other.access).await, 200);
    asker.oauth.expires_access_tokens();
    assert_eq!(stage.opens_luma(&other.access).await, 401);
    let renewed = asker.refreshed(other.refresh()).await;
    assert_eq!(
        stage.opens_luma(&renewed.access).await,
        200,
        "the refresh token lives"
    );
    asker.oauth.revokes_app(&asker.app.client_id);
    assert_eq!(asker.refused(renewed.refresh()).await, "invalid_grant");
    let again = asker.connects().await;
    asker.oauth.forgets_app(&asker.app.client_id);
    let answer = asker.refreshes(again.refresh()).await.unwrap();
    assert_eq!(super::flow::error(answer, 401).await, "invalid_client");
    assert_eq!(
        asker.asks(&[]).await.status(),
        400,
        "and no longer known at the page"
    );
}

#[tokio::test]
async fn everything_of_a_provider_can_be_revoked_at_its_api_too() {
    let stage = Stage::set().await;
    let (eventbrite, luma) = (stage.eventbrite(), stage.luma().await);
    let (of_eventbrite, of_luma) = (eventbrite.connects().await, luma.connects().await);
    stage.sandbox.eventbrite().revokes_tokens();
    stage.sandbox.luma().revokes_after(0);
    assert_eq!(stage.opens_eventbrite(&of_eventbrite.access).await, 401);
    assert_eq!(stage.opens_luma(&of_luma.access).await, 401);
}

#[tokio::test]
async fn a_client_can_revoke_what_it_holds() {
    let stage = Stage::set().await;
    let asker = stage.luma().await;
    let first: Tokens = asker.connects().await;
    assert_eq!(asker.revokes(&first.access).await, 200);
    assert_eq!(stage.opens_luma(&first.access).await, 401);
    let second = asker.refreshed(first.refresh()).await;
    assert_eq!(asker.revokes(second.refresh()).await, 200);
    assert_eq!(
        stage.opens_luma(&second.access).await,
        401,
        "the access token goes along"
    );
    assert_eq!(asker.refused(second.refresh()).await, "invalid_grant");
    assert_eq!(
        asker.revokes("CANARYNONE").await,
        200,
        "an unknown token is as good as revoked"
    );
    let form = [("client_id", "somebody-else"), ("token", second.refresh())];
    let stranger = asker.posts(&asker.revoke, &form).await.unwrap();
    assert_eq!(stranger.status(), 401);
    assert_eq!(
        (asker.oauth.tally().revocations, asker.oauth.revocation_requests()),
        (2, 4)
    );
}

#[tokio::test]
async fn another_app_can_do_nothing_with_a_token() {
    let stage = Stage::set().await;
    let asker = stage.luma_in(OauthDialect::StrictRotation).await;
    let tokens = asker.connects().await;
    let mut thief = stage.luma().await;
    thief.app.client_id = "https://other.example/client.json".to_owned();
    thief.oauth.registers_app(&thief.app.client_id, None);
    assert_eq!(thief.refused(tokens.refresh()).await, "invalid_grant");
    assert_eq!(thief.revokes(tokens.refresh()).await, 200, "it learns nothing");
    assert_eq!(thief.revokes(&tokens.access).await, 200);
    assert_eq!(stage.opens_luma(&tokens.access).await, 200, "and ends nothing");
    let next = asker.refreshed(tokens.refresh()).await;
    assert_eq!(thief.refused(tokens.refresh()).await, "invalid_grant");
    assert_eq!(
        stage.opens_luma(&next.access).await,
        200,
        "a used token in foreign hands is no reuse by its own app"
    );
    assert_eq!(thief.connects().await.expires_in, Some(3_600));
}

#[tokio::test]
async fn luma_says_what_is_wrong_with_a_bearer() {
    let stage = Stage::set().await;
    let address = format!("{}/v1/users/get-self", stage.sandbox.luma().api_url());
    let answer = stage.client.get(address).bearer_auth("CANARYNONE").send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(
        answer.headers()["www-authenticate"],
        "Bearer error=\"invalid_token\""
    );
}
