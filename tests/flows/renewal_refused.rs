//! What a refusal means where the sign-in can be renewed: asked about once, told once, and never taken for more than it
//! says.

use crate::renewal::{HOUR, World};
use std::time::Duration;
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::{Notice, Patience};
use talkvalue_core::sync::actions;
use talkvalue_core::sync::engine::EngineOptions;
use talkvalue_sandbox::{Fault, OauthDialect};
use talkvalue_tests::desk::patient;
use talkvalue_tests::oauth::signed_in_over;
use talkvalue_tests::renewals::THAT_RENEW;

const MINUTE: Duration = Duration::from_secs(60);

fn told_of_accounts(world: &World) -> usize {
    let told = world.desk.notices.take();
    told.iter()
        .filter(|notice| matches!(notice, Notice::IntegrationChanged(_)))
        .count()
}

/// API requests that were refused, and all of them.
fn refused(world: &World) -> (usize, usize) {
    let requests = world.desk.sandbox.luma().requests();
    let refused = requests.iter().filter(|request| request.status == 401).count();
    (refused, requests.len())
}

pub(crate) async fn severed_because(world: &World) -> (FailureCode, Option<String>) {
    let row = world.desk.ports.store.integration(&world.integration).await;
    let failure = row.unwrap().unwrap().severed.unwrap();
    (failure.code, failure.detail)
}

#[tokio::test]
async fn tokens_that_the_provider_ends_early_are_renewed_each_time() {
    for dialect in THAT_RENEW {
        let world = World::open(dialect).await;
        for round in 1..=5 {
            world.passes(20 * MINUTE);
            world.oauth.expires_access_tokens();
            assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{dialect:?}, {round}");
            assert_eq!(world.oauth.refresh_requests(), round, "{dialect:?}");
        }
        assert_eq!(world.status().await, IntegrationStatus::Connected);
        assert_eq!(world.oauth.tally().family_revocations, 0, "{dialect:?}");
    }
}

#[tokio::test]
async fn verified_tokens_that_the_provider_ends_early_are_renewed_each_time() {
    let world = World::open(OauthDialect::StrictRotation).await;
    for round in 1..=5 {
        world.passes(20 * MINUTE);
        world.oauth.expires_access_tokens();
        let verified = connect::verify(&world.desk.ports, &world.integration, patient()).await;
        assert!(verified.is_ok(), "{round}: {verified:?}");
    }
    assert_eq!(world.oauth.refresh_requests(), 5);
}

#[tokio::test]
async fn a_revocation_that_a_refused_token_shows_is_asked_about_and_told_once() {
    let world = World::open(OauthDialect::StrictRotation).await;
    world.oauth.revokes_account(&world.calendar);
    world.desk.notices.take();
    world.desk.sandbox.luma().clears_requests();
    let asked = world.oauth.token_requests();
    assert_eq!(world.sync().await, Err("CREDENTIALS_REJECTED".to_owned()));
    assert_eq!(told_of_accounts(&world), 1);
    let renewals = world.oauth.token_requests() - asked;
    let (refusals, requests) = refused(&world);
    assert_eq!(renewals, 1);
    assert!(
        requests + renewals <= 3 * refusals,
        "{requests} and {renewals} requests for {refusals} refusals"
    );
    for _ in 0..3 {
        assert!(world.sync().await.is_err());
        connect::save_what_is_held(&world.desk.ports).await;
    }
    assert_eq!(world.oauth.token_requests() - asked, renewals);
    assert_eq!(
        refused(&world),
        (refusals, requests),
        "nothing is asked once it is over"
    );
    let shown = world.desk.show(&world.item).await;
    assert_eq!(
        (shown.sync_status, shown.counts.total),
        (SyncStatus::Disconnected, 30)
    );
}

#[tokio::test]
async fn a_refused_token_costs_three_requests() {
    for dialect in THAT_RENEW {
        let world = World::open(dialect).await;
        world.oauth.expires_access_tokens();
        world.desk.sandbox.luma().clears_requests();
        let verified = connect::verify(&world.desk.ports, &world.integration, patient()).await;
        assert!(verified.is_ok(), "{dialect:?}: {verified:?}");
        let calls = world.desk.sandbox.luma().requests();
        let repeated = calls.iter().filter(|call| call.path == calls[0].path).count();
        assert_eq!(
            (refused(&world).0, repeated),
            (1, 2),
            "{dialect:?}: refused, and repeated once"
        );
        assert_eq!(world.oauth.refresh_requests(), 1, "{dialect:?}");
    }
}

#[tokio::test]
async fn a_late_refusal_of_an_older_sign_in_changes_nothing() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    let pause = world.desk.sandbox.luma().pause_at(1);
    let (ports, item) = (world.desk.ports.clone(), world.item.clone());
    let reading = tokio::spawn(async move { actions::sync_item(&ports, &item, patient()).await });
    pause.reached().await;
    let other = world.desk.restarted();
    assert_eq!(
        signed_in_over(&other, &world.desk, Provider::Luma).await,
        world.integration
    );
    world.oauth.revokes_grant(0);
    pause.release();
    let read = reading.await.unwrap();
    assert!(read.is_ok(), "the newer sign-in gets its own chance: {read:?}");
    assert_eq!(world.status().await, IntegrationStatus::Connected);
    assert_eq!(world.oauth.refresh_requests(), 0);
}

#[tokio::test]
async fn a_told_wait_is_waited_out_whoever_asks() {
    let world = World::open(OauthDialect::StrictRotation).await;
    world.passes(2 * HOUR);
    for status in [429, 503] {
        world.oauth.refresh_fails_next(
            1,
            Fault::Answer {
                status,
                headers: vec![
                    ("content-type", "application/json".to_owned()),
                    ("retry-after", "120".to_owned()),
                ],
                body: r#"{"error":"temporarily_unavailable"}"#.to_owned(),
            },
        );
        let asked = world.oauth.refresh_requests();
        for patience in [Patience::Background, Patience::PersonAsked, Patience::PersonAsked] {
            let options = EngineOptions {
                patience,
                ..patient()
            };
            let met = actions::sync_item(&world.desk.ports, &world.item, options).await;
            assert_eq!(
                met.unwrap_err().code.code(),
                "RATE_LIMITED",
                "{status} {patience:?}"
            );
            world.passes(Duration::from_secs(30));
        }
        assert_eq!(world.oauth.refresh_requests() - asked, 1, "{status}");
        world.passes(Duration::from_secs(60));
        assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{status}");
        world.passes(2 * HOUR);
    }
}

#[tokio::test]
async fn the_reason_speaks_of_a_cut_off_renewal_only_where_there_was_one() {
    let refused = Fault::oauth_error(400, "invalid_grant");
    // The server said that it had renewed nothing: later it refuses for reasons of its own.
    for harmless in [
        Fault::RateLimited {
            retry_after_secs: Some(30),
        },
        Fault::oauth_error(401, "invalid_client"),
    ] {
        let world = World::open(OauthDialect::StrictRotation).await;
        world.passes(2 * HOUR);
        world.oauth.refresh_fails_next(1, harmless);
        assert!(world.sync().await.is_err());
        world.passes(2 * HOUR);
        world.oauth.refresh_fails_next(1, refused.clone());
        assert!(world.sync().await.is_err());
        assert_eq!(
            severed_because(&world).await,
            (FailureCode::CredentialsRejected, None)
        );
    }
    // Its answer was lost, and with it what it had given out.
    let world = World::open(OauthDialect::StrictRotation).await;
    world.passes(2 * HOUR);
    world.oauth.refresh_fails_next(1, Fault::LostAnswer);
    assert!(world.sync().await.is_err());
    let (code, detail) = severed_because(&world).await;
    assert_eq!(code, FailureCode::CredentialsRejected);
    assert!(detail.is_some_and(|detail| detail.contains("cut off")));
}

#[tokio::test]
async fn a_walk_longer_than_its_tokens_live_meets_no_refusal() {
    for dialect in THAT_RENEW {
        let world = World::open(dialect).await;
        let luma = world.desk.sandbox.luma();
        let calendar = world.calendar.clone();
        let event = luma.add_event(&calendar, talkvalue_sandbox::EventSpec::new("Harvest Market"));
        luma.add_guests(&event, 300);
        luma.switches(|switches| switches.page_cap = 10);
        world.oauth.access_tokens_live(10 * MINUTE);
        world.passes(HOUR);
        // Each page takes a third of a token's life.
        for page in 1..=30 {
            let clock = world.desk.sandbox.clock();
            luma.during_walk(page, move |_| clock.advance(Duration::from_secs(200)));
        }
        luma.clears_requests();
        let item = world
            .desk
            .import(
                &world.integration,
                &event,
                talkvalue_core::domain::item::ItemKind::BadgeEvent,
            )
            .await
            .unwrap();
        assert_eq!(item.sync_status, SyncStatus::Active, "{dialect:?}");
        assert_eq!(
            refused(&world).0,
            0,
            "{dialect:?}: no page is asked for with a lapsed token"
        );
        assert!(world.oauth.refresh_requests() >= 10, "{dialect:?}");
        world.desk.assert_exact(&item.id, &luma.guests(&event)).await;
    }
}
