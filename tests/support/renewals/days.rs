//! Many days of a window that is open, in virtual time: its engine and its upkeep side by side.

use super::World;
use crate::clock::SteppedClock;
use crate::desk::Desk;
use std::sync::Arc;
use std::time::{Duration, Instant};
use talkvalue_core::connect;
use talkvalue_core::ports::Ports;
use talkvalue_core::sync::live::keep_live;
use talkvalue_core::sync::runner::Runner;
use talkvalue_sandbox::OauthDialect;
use tokio::task::JoinHandle;

/// How long everybody may take to come to rest, in real time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What some days came to.
#[derive(Debug, Default)]
pub struct Days {
    pub days: u64,
    /// Calls of the provider's API, and those among them that were refused.
    pub calls: u64,
    pub refused: u64,
    pub refreshes: u64,
    /// Lifetimes that passed.
    pub lapses: u64,
    pub defects: Vec<String>,
    pub time: Duration,
}

/// Lets that many days pass in steps, with tokens that live an hour.
pub async fn days(days: u64, step: Duration) -> Days {
    let started = Instant::now();
    let world = World::open(OauthDialect::StrictRotation).await;
    let luma = world.desk.sandbox.luma();
    luma.unlimited();
    let window = Window::open(&world.desk, world.desk.restarted());
    let mut figures = Days {
        days,
        ..Days::default()
    };
    luma.clears_requests();
    let before = world.oauth.tally().refreshes;
    let steps = days * 24 * 3_600 / step.as_secs();
    for _ in 0..steps {
        if !window.passes(step).await {
            figures
                .defects
                .push("the engine does not come to rest".to_owned());
            break;
        }
        let requests = luma.requests();
        figures.calls += requests.len() as u64;
        figures.refused += requests.iter().filter(|request| request.status == 401).count() as u64;
        luma.clears_requests();
    }
    drop(window);
    figures.refreshes = world.oauth.tally().refreshes - before;
    figures.lapses = days * 24;
    // An hour's token is renewed twelve minutes before its end.
    let most = days * 24 * 60 / 48 + 1;
    if figures.refused > 0 {
        let refused = figures.refused;
        figures
            .defects
            .push(format!("{refused} calls with a token that had lapsed"));
    }
    if !(figures.lapses..=most).contains(&figures.refreshes) {
        let refreshes = figures.refreshes;
        figures
            .defects
            .push(format!("{refreshes} renewals where {most} are enough"));
    }
    if world.oauth.tally().family_revocations > 0 {
        figures.defects.push("a rotation was lost".to_owned());
    }
    figures.time = started.elapsed();
    figures
}

/// A window that is open, seen from behind: its engine and its upkeep run until this is dropped.
pub struct Window {
    pub ports: Ports,
    clock: Arc<SteppedClock>,
    tasks: [JoinHandle<()>; 2],
}

impl Window {
    pub fn open(desk: &Desk, ports: Ports) -> Self {
        let clock = Arc::new(SteppedClock::over(desk.sandbox.clock().clone()));
        let ports = Ports {
            clock: clock.clone(),
            ..ports
        };
        let tasks = [
            tokio::spawn(keep_live(Arc::new(Runner::new(ports.clone())))),
            tokio::spawn(connect::keep_signed_in(ports.clone())),
        ];
        Self { ports, clock, tasks }
    }

    /// Lets that much time pass at once, and everybody come to rest. False if they do not.
    pub async fn passes(&self, step: Duration) -> bool {
        self.clock.advance(step);
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < 3 {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let items = self.ports.store.items().await.unwrap();
            let reads = items
                .iter()
                .any(|record| record.open_job.as_ref().is_some_and(|job| !job.held));
            let rests = self.clock.sleeping() >= self.tasks.len() && !reads;
            quiet = if rests { quiet + 1 } else { 0 };
            if begun.elapsed() > PATIENCE {
                return false;
            }
        }
        true
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
