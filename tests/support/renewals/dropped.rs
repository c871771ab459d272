//! Callers that go away in the middle of a renewal.

use super::World;
use crate::desk::patient;
use std::time::{Duration, Instant};
use talkvalue_core::connect;
use talkvalue_sandbox::OauthDialect;

/// What many callers that went away came to.
#[derive(Debug, Default)]
pub struct Dropped {
    pub rounds: u64,
    /// Callers that had their answer before.
    pub answered: u64,
    pub refreshes: u64,
    pub defects: Vec<String>,
    pub time: Duration,
}

/// At a server that forgives nothing, each caller is dropped a little later than the one before.
pub async fn dropped(rounds: u64) -> Dropped {
    let started = Instant::now();
    let world = World::open(OauthDialect::StrictRotation).await;
    let mut figures = Dropped::default();
    for round in 0..rounds {
        world.desk.sandbox.clock().advance(Duration::from_secs(2 * 3_600));
        let (ports, id) = (world.desk.ports.clone(), world.integration.clone());
        let asked = tokio::spawn(async move { connect::verify(&ports, &id, patient()).await });
        for _ in 0..round % 200 {
            tokio::task::yield_now().await;
        }
        asked.abort();
        if asked.await.is_ok() {
            figures.answered += 1;
        }
        connect::settle_sign_ins(&world.desk.ports).await;
        figures.rounds += 1;
    }
    world.desk.sandbox.clock().advance(Duration::from_secs(2 * 3_600));
    // Nothing but the keychain and the disk is left of all that.
    let last = connect::verify(&world.desk.restarted(), &world.integration, patient()).await;
    if let Err(error) = last {
        figures.defects.push(format!("in the end: {error}"));
    }
    let tally = world.oauth.tally();
    if tally.family_revocations > 0 {
        figures.defects.push("a rotation was lost".to_owned());
    }
    figures.refreshes = tally.refreshes;
    figures.time = started.elapsed();
    figures
}
