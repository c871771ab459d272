//! Renewing a sign-in: once per lapse, never lost, never taken for a refusal that it is not.

use std::time::Duration;
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::{Notice, Patience};
use talkvalue_core::query;
use talkvalue_core::sync::actions;
use talkvalue_core::sync::engine::EngineOptions;
use talkvalue_sandbox::{Fault, OauthDialect};
use talkvalue_tests::desk::patient;
use talkvalue_tests::oauth::signed_in;
use talkvalue_tests::renewals::{self, THAT_RENEW};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// A Luma calendar that was signed in to, with one imported event.
pub(crate) struct World(renewals::World);

impl std::ops::Deref for World {
    type Target = renewals::World;

    fn deref(&self) -> &renewals::World {
        &self.0
    }
}

impl std::ops::DerefMut for World {
    fn deref_mut(&mut self) -> &mut renewals::World {
        &mut self.0
    }
}

impl World {
    pub(crate) async fn open(dialect: OauthDialect) -> Self {
        Self(renewals::World::open(dialect).await)
    }

    pub(crate) async fn status(&self) -> IntegrationStatus {
        query::integration(&self.desk.ports, &self.integration)
            .await
            .unwrap()
            .status
    }

    pub(crate) async fn sync(&self) -> Result<SyncStatus, String> {
        actions::sync_item(&self.desk.ports, &self.item, patient())
            .await
            .map(|item| item.sync_status)
            .map_err(|error| error.code.code().to_owned())
    }

    pub(crate) fn passes(&self, time: Duration) {
        self.desk.sandbox.clock().advance(time);
    }
}

#[tokio::test]
async fn a_sign_in_outlives_its_tokens_in_every_dialect() {
    for dialect in THAT_RENEW {
        let world = World::open(dialect).await;
        for _ in 0..30 {
            world.passes(HOUR);
            assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{dialect:?}");
        }
        assert_eq!(
            world.oauth.refresh_requests(),
            30,
            "{dialect:?}: one renewal per lapse"
        );
        assert_eq!(world.oauth.tally().family_revocations, 0, "{dialect:?}");
        world
            .desk
            .assert_exact(&world.item, &world.desk.sandbox.luma().guests(&world.event))
            .await;
    }
}

#[tokio::test]
async fn fifty_who_need_it_at_once_make_one_request() {
    for dialect in THAT_RENEW {
        let world = World::open(dialect).await;
        world.passes(2 * HOUR);
        let asked = world.oauth.refresh_requests();
        let all: Vec<_> = (0..50)
            .map(|_| {
                let (ports, id) = (world.desk.ports.clone(), world.integration.clone());
                tokio::spawn(async move { connect::verify(&ports, &id, patient()).await })
            })
            .collect();
        for one in all {
            assert!(
                one.await.unwrap().is_ok(),
                "{dialect:?}: all fifty go on with its result"
            );
        }
        assert_eq!(world.oauth.refresh_requests() - asked, 1, "{dialect:?}");
    }
}

#[tokio::test]
async fn a_renewal_comes_before_the_end() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    world.passes(HOUR - Duration::from_secs(14 * 60));
    world.sync().await.unwrap();
    assert_eq!(
        world.oauth.refresh_requests(),
        0,
        "a fifth of an hour is twelve minutes, and a tenth of that is little more than one"
    );
    world.passes(Duration::from_secs(4 * 60));
    world.sync().await.unwrap();
    assert_eq!(world.oauth.refresh_requests(), 1);
    world.sync().await.unwrap();
    assert_eq!(
        world.oauth.refresh_requests(),
        1,
        "the new one serves for an hour"
    );
}

#[tokio::test]
async fn a_refused_grant_severs_once_and_nothing_more_is_asked() {
    let world = World::open(OauthDialect::StrictRotation).await;
    world.oauth.revokes_account(&world.calendar);
    world.passes(2 * HOUR);
    world.desk.notices.take();
    assert_eq!(world.sync().await, Err("CREDENTIALS_REJECTED".to_owned()));
    assert_eq!(world.status().await, IntegrationStatus::Disconnected);
    let shown = world.desk.show(&world.item).await;
    assert_eq!(shown.sync_status, SyncStatus::Disconnected);
    assert_eq!(shown.counts.total, 30, "the list stays");
    let told = world.desk.notices.take();
    let severed = told
        .iter()
        .filter(|notice| matches!(notice, Notice::IntegrationChanged(_)))
        .count();
    assert_eq!(severed, 1, "one notice");
    let asked = world.oauth.token_requests();
    assert!(world.sync().await.is_err());
    assert_eq!(
        world.oauth.token_requests(),
        asked,
        "nothing is asked once it is over"
    );
}

#[tokio::test]
async fn no_odd_answer_to_a_renewal_signs_anybody_out() {
    let catalogue = Fault::token_catalogue("http://127.0.0.1:9/elsewhere");
    assert!(catalogue.len() >= 30, "thirty odd answers at least");
    for (name, fault) in catalogue {
        let ends_it = matches!(name, "invalid-grant" | "invalid-grant-401");
        // With strict rotation a lost answer loses the grant: that is another test's.
        let world = World::open(OauthDialect::RotatingWithGrace).await;
        world.passes(2 * HOUR);
        world.oauth.refresh_fails(fault);
        let met = world.sync().await;
        let expected = match ends_it {
            true => IntegrationStatus::Disconnected,
            false => IntegrationStatus::Connected,
        };
        assert_eq!(world.status().await, expected, "{name} came to {met:?}");
        if ends_it {
            continue;
        }
        world.oauth.clears_faults();
        world.passes(Duration::from_secs(40));
        let after = actions::sync_item(&world.desk.restarted(), &world.item, patient()).await;
        assert!(after.is_ok(), "{name}: it goes on by itself, but {after:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_once_more_within_its_grace() {
    for dialect in [OauthDialect::FixedRefresh, OauthDialect::RotatingWithGrace] {
        let world = World::open(dialect).await;
        world.passes(2 * HOUR);
        world.oauth.refresh_fails_next(1, Fault::LostAnswer);
        assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{dialect:?}");
        assert_eq!(world.oauth.refresh_requests(), 2, "{dialect:?}");
    }
    let world = World::open(OauthDialect::StrictRotation).await;
    world.passes(2 * HOUR);
    world.oauth.refresh_fails_next(1, Fault::LostAnswer);
    assert_eq!(world.sync().await, Err("CREDENTIALS_REJECTED".to_owned()));
    let asked = world.oauth.token_requests();
    assert!(world.sync().await.is_err());
    assert_eq!(
        world.oauth.token_requests(),
        asked,
        "one honest reconnect, and no loop"
    );
}

#[tokio::test]
async fn a_lost_answer_that_was_long_in_coming_is_not_asked_for_at_once_again() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    world.passes(2 * HOUR);
    world.oauth.refresh_fails_next(1, Fault::LostAnswer);
    let pause = world.oauth.pause_at(1);
    let clock = world.desk.sandbox.clock();
    let (synced, ()) = tokio::join!(world.sync(), async {
        pause.reached().await;
        clock.advance(Duration::from_secs(11));
        pause.release();
    });
    assert_eq!(synced, Err("PROVIDER_UNREACHABLE".to_owned()));
    assert_eq!(
        world.oauth.refresh_requests(),
        1,
        "after ten seconds nobody knows whether the old token is good for anything still"
    );
    assert_eq!(
        world.status().await,
        IntegrationStatus::Connected,
        "and nothing was said against it"
    );
    world.passes(Duration::from_secs(31));
    assert_eq!(world.sync().await, Ok(SyncStatus::Active), "it goes on by itself");
}

/// What a token endpoint in trouble of its own answers, if at all.
fn troubles() -> [(&'static str, Option<Fault>); 5] {
    [
        ("500", Some(Fault::Status(500))),
        ("a gateway's 503", Some(Fault::HtmlGateway(503))),
        ("half an answer", Some(Fault::TruncatedJson)),
        ("an answer of no known form", Some(Fault::NotAnEnvelope)),
        ("nobody listens", None),
    ]
}

/// A world whose renewal has just failed so; its token endpoint is well again.
async fn just_failed(trouble: Option<Fault>, dialect: OauthDialect) -> World {
    let world = World::open(dialect).await;
    world.passes(2 * HOUR);
    match trouble {
        Some(fault) => world.oauth.refresh_fails(fault),
        None => world.oauth.goes_down(),
    }
    let failed = connect::verify(&world.desk.ports, &world.integration, patient()).await;
    assert!(failed.is_err(), "what cannot be renewed cannot be used");
    world.oauth.clears_faults();
    world.oauth.comes_back();
    world
}

#[tokio::test]
async fn a_renewal_that_failed_is_not_asked_for_again_for_half_a_minute() {
    for (name, trouble) in troubles() {
        let world = just_failed(trouble, OauthDialect::RotatingWithGrace).await;
        let (ports, clock) = (&world.desk.ports, world.desk.sandbox.clock());
        let (failed_at, asked) = (clock.now(), world.oauth.refresh_requests());
        for _ in 0..3 {
            assert!(world.sync().await.is_err(), "{name}");
            let verified = connect::verify(ports, &world.integration, patient()).await;
            assert!(verified.is_err(), "{name}");
        }
        world.passes(Duration::from_secs(29));
        assert!(world.sync().await.is_err(), "{name}");
        assert!(
            clock.now().duration_since(failed_at).as_secs() < 30,
            "{name}: nobody waited in between"
        );
        assert_eq!(world.oauth.refresh_requests() - asked, 0, "{name}");
        assert_eq!(world.status().await, IntegrationStatus::Connected, "{name}");
        world.passes(Duration::from_secs(1));
        for _ in 0..3 {
            assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{name}");
        }
        assert_eq!(world.oauth.refresh_requests() - asked, 1, "{name}: then once");
    }
}

#[tokio::test]
async fn a_person_who_asks_waits_for_no_rest_after_a_failed_renewal() {
    let asked_by_a_person = EngineOptions {
        patience: Patience::PersonAsked,
        ..patient()
    };
    for (name, trouble) in troubles() {
        let world = just_failed(trouble, OauthDialect::RotatingWithGrace).await;
        let (ports, clock) = (&world.desk.ports, world.desk.sandbox.clock());
        let (failed_at, asked) = (clock.now(), world.oauth.refresh_requests());
        let verified = connect::verify(ports, &world.integration, asked_by_a_person).await;
        assert!(verified.is_ok(), "{name}: {verified:?}");
        assert_eq!(clock.now(), failed_at, "{name}: at once");
        assert_eq!(world.oauth.refresh_requests() - asked, 1, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_early_is_renewed_once_and_then_believed() {
    for dialect in THAT_RENEW {
        let world = World::open(dialect).await;
        world.oauth.expires_access_tokens();
        assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{dialect:?}");
        assert_eq!(world.oauth.refresh_requests(), 1, "{dialect:?}");
        // A server that refuses what it has just given out.
        world.desk.sandbox.luma().fails_path("/v1/", Fault::Status(401));
        assert_eq!(
            world.sync().await,
            Err("CREDENTIALS_REJECTED".to_owned()),
            "{dialect:?}"
        );
        assert_eq!(
            world.oauth.refresh_requests(),
            2,
            "{dialect:?}: renewed once for this refusal, not again and again"
        );
        assert_eq!(
            world.status().await,
            IntegrationStatus::Disconnected,
            "{dialect:?}"
        );
    }
}

#[tokio::test]
async fn an_app_that_is_refused_fails_the_items_and_keeps_the_sign_in() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    world.passes(2 * HOUR);
    world
        .oauth
        .refresh_fails(Fault::oauth_error(401, "invalid_client"));
    assert_eq!(world.sync().await, Err("APP_REJECTED".to_owned()));
    let shown = world.desk.show(&world.item).await;
    assert_eq!(shown.sync_status, SyncStatus::Failed);
    assert_eq!(shown.failure.unwrap().code, FailureCode::AppRejected);
    assert_eq!(world.status().await, IntegrationStatus::Connected);
    let asked = world.oauth.token_requests();
    assert!(world.sync().await.is_err());
    assert_eq!(world.oauth.token_requests(), asked, "no loop");
    world.oauth.clears_faults();
    let app = talkvalue_tests::oauth::app(&world.desk, Provider::Luma);
    let ports = &world.desk.ports;
    connect::remember_app(ports, Provider::Luma, &app, patient().patience)
        .await
        .unwrap();
    assert_eq!(
        world.sync().await,
        Ok(SyncStatus::Active),
        "a mended app is tried at once"
    );
}

#[tokio::test]
async fn whoever_asked_may_go_away_and_the_renewal_is_kept() {
    let figures = renewals::dropped(40).await;
    assert_eq!(figures.defects, Vec::<String>::new());
    assert!(
        figures.answered < figures.rounds,
        "callers that always stay prove nothing: {figures:?}"
    );
}

#[tokio::test]
async fn no_call_is_made_with_a_lapsed_token_day_after_day() {
    let figures = renewals::days(2, Duration::from_secs(5 * 60)).await;
    assert_eq!(figures.defects, Vec::<String>::new());
    assert!(
        figures.calls > 48,
        "an engine that reads nothing proves nothing: {figures:?}"
    );
}

#[tokio::test]
async fn signing_in_again_after_a_revocation_loses_and_doubles_nobody() {
    let world = World::open(OauthDialect::StrictRotation).await;
    let before = world.desk.attendees(&world.item).await;
    world.oauth.revokes_account(&world.calendar);
    assert!(world.sync().await.is_err());
    let again = signed_in(&world.desk, Provider::Luma).await;
    assert_eq!(again, world.integration);
    assert_eq!(
        world.desk.show(&world.item).await.sync_status,
        SyncStatus::Disconnected,
        "an item waits for its own reconnect"
    );
    let repaired = connect::reconnect_all(
        &world.desk.ports,
        connect::Whose::Account(&again),
        &again,
        patient(),
    )
    .await
    .unwrap();
    assert_eq!(repaired.len(), 1);
    assert!(repaired[0].outcome.is_ok());
    let after = world.desk.attendees(&world.item).await;
    assert_eq!(
        before.iter().map(|row| &row.id).collect::<Vec<_>>(),
        after.iter().map(|row| &row.id).collect::<Vec<_>>()
    );
}
