//! The computer's clock.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;
use talkvalue_core::ports::Clock;

/// Wall time and real sleeps.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn jitter(&self) -> f64 {
        rand::random()
    }
}
