//! What a process that ends does about the renewals under way, and about the sign-ins that it has in memory only.

use crate::renewal::{HOUR, World};
use crate::renewal_held::Moody;
use crate::renewal_refused::severed_because;
use crate::troubled_keychain::{Mood, Trouble, TroubledKeychain};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use talkvalue_adapters::vault::{Deadlines, KeychainVault, OpenStore};
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Ports;
use talkvalue_sandbox::OauthDialect;
use talkvalue_tests::desk::patient;
use talkvalue_tests::oauth::signed_in;
use talkvalue_tests::renewals::THAT_RENEW;
use tokio::task::JoinHandle;

/// Nobody waits longer for a quit.
const LONGEST_QUIT: Duration = Duration::from_secs(5);
/// What a busy computer may add to it.
const SLACK: Duration = Duration::from_secs(3);
/// A quit that waits for something does so at least this long.
const A_WHILE: Duration = Duration::from_secs(1);

async fn verifies(ports: &Ports, id: &IntegrationId) -> Result<(), CommandError> {
    connect::verify(ports, id, patient()).await.map(|_| ())
}

/// Somebody uses the account meanwhile.
fn uses(world: &World) -> JoinHandle<Result<(), CommandError>> {
    let (ports, id) = (world.desk.ports.clone(), world.integration.clone());
    tokio::spawn(async move { verifies(&ports, &id).await })
}

#[tokio::test]
async fn a_renewal_that_hangs_keeps_nobody_from_quitting_and_no_other_sign_in_from_being_saved() {
    let mut moody = Moody::open(OauthDialect::StrictRotation).await;
    let luma = moody.world.desk.sandbox.luma();
    let other = luma.add_calendar("Dock Hall", "Noor Haddad", "box@dockhall.example");
    moody.world.oauth.approves_as(&other.id);
    let other = signed_in(&moody.world.desk, Provider::Luma).await;
    assert_ne!(other, moody.world.integration);
    moody.world.passes(2 * HOUR);
    moody.is(Mood::TakesNoSignIn);
    verifies(&moody.world.desk.ports, &other).await.unwrap();
    let ports = &moody.world.desk.ports;
    assert!(
        ports.sign_ins.unsaved().is_some(),
        "the other one is in memory only"
    );
    moody.is(Mood::Serves);
    let pause = moody.world.oauth.pause_at(1);
    let using = uses(&moody.world);
    pause.reached().await;

    let began = Instant::now();
    let settled = tokio::time::timeout(LONGEST_QUIT + SLACK, connect::settle_sign_ins(ports)).await;
    assert!(
        settled.is_ok(),
        "it is still waited for after {:?}",
        began.elapsed()
    );
    assert!(began.elapsed() >= A_WHILE, "a slow server gets its time");
    assert_eq!(ports.sign_ins.unsaved(), None, "the other one is saved");
    assert!(
        using.await.unwrap().is_err(),
        "who waited for the renewal is not left waiting"
    );
    pause.release();

    // The next process has nothing but the disk and the keychain.
    moody.world.desk.ports = moody.world.desk.restarted();
    let world = &moody.world;
    let asked = world.oauth.refresh_requests();
    verifies(&world.desk.ports, &other).await.unwrap();
    assert_eq!(
        world.oauth.refresh_requests(),
        asked,
        "what was saved serves as it is"
    );
    world.oauth.revokes_account(&world.calendar);
    verifies(&world.desk.ports, &world.integration).await.unwrap_err();
    let (code, detail) = severed_because(world).await;
    assert_eq!(code, FailureCode::CredentialsRejected);
    assert_eq!(
        detail.as_deref(),
        Some("an earlier renewal was cut off"),
        "that it was begun is not forgotten"
    );
}

#[tokio::test]
async fn a_keychain_that_hangs_keeps_nobody_from_quitting() {
    let mut moody = Moody::open(OauthDialect::RotatingWithGrace).await;
    moody.world.passes(2 * HOUR);
    moody.is(Mood::TakesNoSignIn);
    verifies(&moody.world.desk.ports, &moody.world.integration)
        .await
        .unwrap();
    let (gate_opens, gate) = channel();
    let keychain = Arc::new(TroubledKeychain {
        inner: moody.world.desk.keychain.clone(),
        trouble: Trouble::Hangs(Arc::new(Mutex::new(gate))),
    });
    let deadlines = Deadlines {
        background: 2 * (LONGEST_QUIT + SLACK),
        ..Deadlines::default()
    };
    let open: Arc<OpenStore> = Arc::new(move || Ok(keychain.clone()));
    moody.world.desk.ports.vault = Arc::new(KeychainVault::with_store("desk", open, deadlines));

    let ports = &moody.world.desk.ports;
    let settled = tokio::time::timeout(LONGEST_QUIT + SLACK, connect::settle_sign_ins(ports)).await;
    assert!(settled.is_ok(), "it is still waited for");
    assert!(ports.sign_ins.unsaved().is_some(), "and nothing is called saved");
    drop(gate_opens);
}

#[tokio::test]
async fn a_renewal_that_is_answered_while_the_process_ends_is_kept() {
    for dialect in THAT_RENEW {
        let mut world = World::open(dialect).await;
        world.passes(2 * HOUR);
        let pause = world.oauth.pause_at(1);
        let using = uses(&world);
        pause.reached().await;
        // The one who asked is gone; the renewal is not.
        using.abort();
        let ports = world.desk.ports.clone();
        let mut settling = pin!(connect::settle_sign_ins(&ports));
        let ended = tokio::time::timeout(A_WHILE, &mut settling).await;
        assert!(ended.is_err(), "{dialect:?}: the end waits for it");
        pause.release();
        settling.await;
        assert_eq!(ports.sign_ins.unsaved(), None, "{dialect:?}");

        world.desk.ports = world.desk.restarted();
        verifies(&world.desk.ports, &world.integration).await.unwrap();
        assert_eq!(
            world.oauth.refresh_requests(),
            1,
            "{dialect:?}: the next process has what it brought"
        );
        assert_eq!(world.oauth.tally().family_revocations, 0, "{dialect:?}");
    }
}
