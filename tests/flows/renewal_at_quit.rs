//! What a process that ends does about the renewals under way, and about the sign-ins that it has in memory only.

use crate::renewal::{HOUR, World};
use crate::renewal_held::Moody;
use crate::renewal_refused::severed_because;
use crate::troubled_keychain::{Mood, Trouble, TroubledKeychain};
use async_trait::async_trait;
use jiff::Timestamp;
use std::future::pending;
use std::pin::pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::yield_now;
use std::time::{Duration, Instant};
use talkvalue_adapters::vault::{Deadlines, KeychainVault, OpenStore};
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Clock, Ports};
use talkvalue_sandbox::OauthDialect;
use talkvalue_tests::desk::patient;
use talkvalue_tests::oauth::signed_in;
use talkvalue_tests::renewals::THAT_RENEW;
use tokio::runtime::{self, Runtime};
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

/// A clock under which the process ends at one of the moments when somebody asks for the time.
struct LastMoment {
    clock: Arc<dyn Clock>,
    runtime: Mutex<(usize, Option<Runtime>)>,
}

#[async_trait]
impl Clock for LastMoment {
    fn now(&self) -> Timestamp {
        let mut runtime = self.runtime.lock().unwrap();
        match runtime.0.checked_sub(1) {
            Some(left) => runtime.0 = left,
            None => {
                if let Some(runtime) = runtime.1.take() {
                    let runs = runtime.handle().clone();
                    runtime.shutdown_background();
                    // Until it takes no new task.
                    while !runs.spawn(pending::<()>()).is_finished() {
                        yield_now();
                    }
                }
            }
        }
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn jitter(&self) -> f64 {
        self.clock.jitter()
    }
}

#[tokio::test]
async fn a_process_that_ends_at_any_moment_of_a_renewal_ends() {
    let world = World::open(OauthDialect::FixedRefresh).await;
    let mut moments = 0;
    loop {
        world.passes(2 * HOUR);
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut ports = world.desk.restarted();
        let runs = runtime.handle().clone();
        let last = Arc::new(LastMoment {
            clock: ports.clock.clone(),
            runtime: Mutex::new((moments, Some(runtime))),
        });
        ports.clock = last.clone();
        let id = world.integration.clone();
        let (end, ended) = channel::<()>();
        let using = runs.spawn(async move {
            let _end = end;
            let _ = verifies(&ports, &id).await;
        });
        let patience = LONGEST_QUIT + SLACK;
        let waited = tokio::task::spawn_blocking(move || ended.recv_timeout(patience)).await;
        assert_eq!(
            waited.unwrap(),
            Err(RecvTimeoutError::Disconnected),
            "at moment {moments} it does not end"
        );
        let _ = using.await;
        let (_, whole) = &mut *last.runtime.lock().unwrap();
        if let Some(runtime) = whole.take() {
            runtime.shutdown_background();
            break;
        }
        moments += 1;
    }
    assert!(moments > 3, "a renewal asks for the time: {moments}");
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
