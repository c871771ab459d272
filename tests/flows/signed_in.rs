//! Accounts while a window is open: proved without being asked, and told at once when a sign-in is over.

use crate::live::{Open, green};
use crate::renewal::World;
use crate::stage::Stage;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::time::Duration;
use talkvalue_core::connect;
use talkvalue_core::domain::credential::{Credential, Grant};
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::{Notice, Patience};
use talkvalue_core::query;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::OauthDialect;
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::oauth::{server, signed_in, signed_in_over};
use talkvalue_tests::renewals::Window;

const STEP: Duration = Duration::from_secs(10 * 60);

fn told_of_accounts(world: &World) -> usize {
    let told = world.desk.notices.take();
    told.iter()
        .filter(|notice| matches!(notice, Notice::IntegrationChanged(_)))
        .count()
}

#[tokio::test]
async fn a_credential_that_nothing_is_read_with_is_proved_every_day() {
    for provider in crate::stage::BOTH {
        let stage = Stage::open(provider, 0).await;
        let window = Window::open(&stage.desk, stage.desk.restarted());
        for day in 1..=3 {
            stage.door().clears_requests();
            for _ in 0..24 * 6 {
                assert!(window.passes(STEP).await, "everybody comes to rest");
            }
            let proofs = stage.requests_to(stage.probe_path());
            assert!(
                (1..=2).contains(&proofs),
                "{provider:?}, day {day}: {proofs} proofs"
            );
        }
        stage.revokes_credentials();
        for _ in 0..25 * 6 {
            assert!(window.passes(STEP).await, "everybody comes to rest");
        }
        assert_eq!(
            stage.integration_status().await,
            IntegrationStatus::Disconnected,
            "{provider:?}: a proof that fails is told"
        );
    }
}

#[tokio::test]
async fn a_revoked_sign_in_disconnects_all_its_items_within_one_interval_and_is_told_once() {
    let world = World::open(OauthDialect::StrictRotation).await;
    let path = world
        .desk
        .import(&world.integration, &world.event, ItemKind::PathEvent)
        .await
        .unwrap()
        .id;
    let window = Window::open(&world.desk, world.desk.restarted());
    let quarter = Duration::from_secs(15);
    for _ in 0..8 {
        assert!(window.passes(quarter).await, "everybody comes to rest");
    }
    world.oauth.revokes_account(&world.calendar);
    world.desk.notices.take();
    let luma = world.desk.sandbox.luma();
    // A read every minute, and a quarter in which it is noticed to be due.
    for _ in 0..5 {
        assert!(window.passes(quarter).await, "everybody comes to rest");
    }
    for item in [&world.item, &path] {
        let shown = world.desk.show(item).await;
        assert_eq!(shown.sync_status, SyncStatus::Disconnected);
        assert_eq!(shown.failure.unwrap().code, FailureCode::CredentialsRejected);
        assert!(shown.counts.total > 0, "its people stay");
    }
    assert_eq!(world.status().await, IntegrationStatus::Disconnected);
    let asked = (world.oauth.token_requests(), luma.request_count());
    for _ in 0..24 * 6 {
        assert!(window.passes(STEP).await, "everybody comes to rest");
    }
    assert_eq!(
        (world.oauth.token_requests(), luma.request_count()),
        asked,
        "nothing is asked once it is over"
    );
    assert_eq!(told_of_accounts(&world), 1);
}

#[tokio::test]
async fn a_sign_in_whose_announced_end_means_nothing_is_proved_every_day_all_the_same() {
    let desk = Desk::open().await;
    let eventbrite = desk.sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let oauth = server(&desk, Provider::Eventbrite);
    oauth.switches(|switches| switches.announces_expiry = true);
    oauth.approves_as(&account.id);
    let id = signed_in(&desk, Provider::Eventbrite).await;
    let window = Window::open(&desk, desk.restarted());
    for day in 1..=3 {
        eventbrite.clears_requests();
        for _ in 0..24 * 6 {
            assert!(window.passes(STEP).await, "everybody comes to rest");
        }
        let calls = eventbrite.requests();
        let proofs = calls.iter().filter(|call| call.path == "/v3/users/me/").count();
        assert!((1..=2).contains(&proofs), "day {day}: {proofs} proofs");
    }
    let account = query::integration(&desk.ports, &id).await.unwrap();
    assert_eq!(account.status, IntegrationStatus::Connected);
}

#[tokio::test]
async fn what_the_keychain_knows_and_the_database_does_not_is_caught_up_with() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    let ports = &world.desk.ports;
    // A process was killed after it had saved a renewed sign-in, and before it noted it.
    let held = ports
        .vault
        .load(&world.integration, Patience::Background)
        .await
        .unwrap();
    let end = ports.clock.now() + SignedDuration::from_hours(72);
    let newer = Credential {
        generation: held.generation.next(),
        grant: held.grant.clone().map(|grant| Grant {
            expires_at: Some(end),
            ..grant
        }),
        ..held
    };
    ports
        .vault
        .save(&world.integration, &newer, Patience::Background)
        .await
        .unwrap();
    let window = Window::open(&world.desk, world.desk.restarted());
    // Ten minutes before the end that the database knows of.
    for _ in 0..5 {
        assert!(window.passes(STEP).await, "everybody comes to rest");
    }
    let row = ports
        .store
        .integration(&world.integration)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.generation, row.expires_at),
        (newer.generation, Some(end)),
        "its end is shown as it is"
    );
}

#[tokio::test]
async fn a_keychain_emptied_under_an_open_window_asks_for_a_reconnect_and_opens_no_browser() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    let open = Open::at(&world.desk, world.desk.restarted());
    let upkeep = tokio::spawn(connect::keep_signed_in(open.ports.clone()));
    open.until(&world.item, "the first check", green).await;
    for entry in world.desk.keychain.search(&HashMap::new()).unwrap() {
        // Some were never written.
        let _ = entry.delete_credential();
    }
    let emptied_at = open.ports.clock.now();
    world.oauth.clears_requests();
    let lost = open
        .until(&world.item, "the disconnection", |view| {
            view.sync_status == SyncStatus::Disconnected
        })
        .await;
    assert_eq!(lost.failure.unwrap().code, FailureCode::CredentialsMissing);
    let waited = open.ports.clock.now().duration_since(emptied_at).as_secs();
    assert!(waited >= 60, "the keychain may still be starting: {waited} s");
    open.passes(300).await;
    assert_eq!(
        world.oauth.request_count(),
        0,
        "no browser and no renewal by itself"
    );
    upkeep.abort();
    let again = signed_in_over(&open.ports, &world.desk, Provider::Luma).await;
    assert_eq!(again, world.integration);
    let account = query::integration(&open.ports, &again).await.unwrap();
    assert_eq!(account.status, IntegrationStatus::Connected);
    drop(open);
    let ports = world.desk.restarted();
    assert_reconnects(&world, &ports).await;
}

async fn assert_reconnects(world: &World, ports: &talkvalue_core::ports::Ports) {
    let view = connect::reconnect_item(ports, &world.item, None, patient())
        .await
        .unwrap();
    assert_eq!(view.sync_status, SyncStatus::Active);
    let synced = actions::sync_item(ports, &world.item, patient()).await;
    assert!(synced.is_ok(), "{synced:?}");
    let luma = world.desk.sandbox.luma();
    world
        .desk
        .assert_exact(&world.item, &luma.guests(&world.event))
        .await;
}
