//! Clocks that do not keep a test waiting.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talkvalue_adapters::clock::SystemClock;
use talkvalue_core::ports::Clock;
use talkvalue_sandbox::SandboxClock;
use tokio::sync::watch;

/// Time that passes only when somebody sleeps: the core and the sandbox see the same clock.
///
/// A sleep moves the sandbox's clock instead of waiting, and is written down.
pub struct JumpingClock {
    clock: SandboxClock,
    sleeps: Mutex<Vec<Duration>>,
}

impl JumpingClock {
    pub fn over(clock: SandboxClock) -> Self {
        Self {
            clock,
            sleeps: Mutex::new(Vec::new()),
        }
    }

    /// Every sleep since the last call.
    pub fn take_sleeps(&self) -> Vec<Duration> {
        std::mem::take(&mut self.sleeps.lock().unwrap())
    }
}

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.sleeps.lock().unwrap().push(duration);
        self.clock.advance(duration);
        tokio::task::yield_now().await;
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

/// Time that passes only when the test says so: who sleeps waits for it.
pub struct SteppedClock {
    clock: SandboxClock,
    stepped: tokio::sync::Notify,
    sleeping: AtomicUsize,
    /// By how many seconds it was set back, which no sleep notices.
    set_back: AtomicI64,
}

impl SteppedClock {
    pub fn over(clock: SandboxClock) -> Self {
        Self {
            clock,
            stepped: tokio::sync::Notify::new(),
            sleeping: AtomicUsize::new(0),
            set_back: AtomicI64::new(0),
        }
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
        self.stepped.notify_waiters();
    }

    /// Somebody sets the clock back; who sleeps sleeps no longer for that.
    pub fn sets_back(&self, secs: i64) {
        self.set_back.fetch_add(secs, Ordering::Relaxed);
        self.clock.set(self.clock.now() - SignedDuration::from_secs(secs));
    }

    /// The time that has passed, whatever the clock was set to.
    fn passed(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(self.set_back.load(Ordering::Relaxed))
    }

    /// How many sleep until a later moment.
    pub fn sleeping(&self) -> usize {
        self.sleeping.load(Ordering::Relaxed)
    }
}

/// One who sleeps, until dropped: a sleep may be given up.
struct Sleeper<'a>(&'a AtomicUsize);

impl<'a> Sleeper<'a> {
    fn of(sleeping: &'a AtomicUsize) -> Self {
        sleeping.fetch_add(1, Ordering::Relaxed);
        Self(sleeping)
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.passed().checked_add(duration).unwrap_or(Timestamp::MAX);
        let _asleep = Sleeper::of(&self.sleeping);
        loop {
            // Listening begins before looking, so that no step falls between.
            let step = self.stepped.notified();
            if self.passed() >= until {
                return;
            }
            step.await;
        }
    }

    fn jitter(&self) -> f64 {
        0.0
    }
}

/// The computer's own clock, on which minutes pass when the test says so.
#[derive(Clone, Default)]
pub struct WallClock {
    minutes_passed: Arc<watch::Sender<bool>>,
}

impl WallClock {
    /// Whoever waits for minutes has waited long enough, from now on.
    pub fn minutes_pass(&self) {
        self.minutes_passed.send_replace(true);
    }
}

#[async_trait]
impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        let mut passed = self.minutes_passed.subscribe();
        tokio::select! {
            () = SystemClock.sleep(duration) => {}
            _ = passed.wait_for(|passed| *passed), if duration >= Duration::from_secs(60) => {}
        }
    }

    fn jitter(&self) -> f64 {
        SystemClock.jitter()
    }
}
