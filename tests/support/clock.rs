//! Time that passes only when somebody sleeps: the core and the sandbox see the same clock.

use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Mutex;
use std::time::Duration;
use talkvalue_core::ports::Clock;
use talkvalue_sandbox::SandboxClock;

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
}

impl SteppedClock {
    pub fn over(clock: SandboxClock) -> Self {
        Self {
            clock,
            stepped: tokio::sync::Notify::new(),
        }
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
        self.stepped.notify_waiters();
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.clock.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        loop {
            // Listening begins before looking, so that no step falls between.
            let step = self.stepped.notified();
            if self.clock.now() >= until {
                return;
            }
            step.await;
        }
    }

    fn jitter(&self) -> f64 {
        0.0
    }
}
