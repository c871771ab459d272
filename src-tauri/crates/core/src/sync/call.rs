//! One call to a provider with the tries and waits that its errors ask for.

use super::retry::{self, NextStep};
use crate::domain::failure::{FailureCode, Waiting};
use crate::ports::{Ports, ProviderError, StoreError};
use jiff::Timestamp;
use std::pin::Pin;
use std::time::Duration;
use tracing::{debug, warn};

/// Waits out rate limits, within what the person allowed.
pub(crate) struct Waiter {
    left: Option<Duration>,
}

impl Waiter {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self { left: limit }
    }

    /// How much of `wanted` may be waited; less than `wanted` means that the limit ends it.
    fn take(&mut self, wanted: Duration) -> Duration {
        match &mut self.left {
            None => wanted,
            Some(left) => {
                let granted = wanted.min(*left);
                *left -= granted;
                granted
            }
        }
    }
}

/// What a call does while a rate limit is waited out.
pub(crate) trait Waits {
    async fn waits(&mut self, waiting: Waiting) -> Result<(), StoreError>;
    async fn goes_on(&mut self) -> Result<(), StoreError>;
}

/// Why a call gave up.
pub(crate) enum CallError {
    Provider(ProviderError),
    WaitElapsed(Waiting),
    Store(StoreError),
}

/// One try, as the methods of [`ProviderApi`](crate::ports::ProviderApi) return it. Spelled out rather than an async
/// closure: the window's commands move between threads, and of an async closure the compiler cannot tell that it may.
pub(crate) type Try<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// Makes one call with the retries and waits that its errors ask for.
pub(crate) async fn call<'a, T>(
    ports: &Ports,
    waiter: &mut Waiter,
    waits: &mut impl Waits,
    mut make: impl FnMut() -> Try<'a, T>,
) -> Result<T, CallError> {
    let (mut tries, mut limits_met) = (0, 0);
    loop {
        let error = match make().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        tries += 1;
        match retry::next_step(&error, tries, limits_met, ports.clock.jitter()) {
            NextStep::Again(delay) => {
                debug!(error = %error, tries, delay_ms = delay.as_millis() as u64, "trying again");
                ports.clock.sleep(delay).await;
            }
            NextStep::WaitOut(wanted) => {
                tries -= 1;
                limits_met += 1;
                let until = ports.clock.now().checked_add(wanted).unwrap_or(Timestamp::MAX);
                let waiting = Waiting {
                    code: FailureCode::RateLimited,
                    until: Some(until),
                };
                warn!(until = %until, "rate limit met");
                waits.waits(waiting).await.map_err(CallError::Store)?;
                let granted = waiter.take(wanted);
                ports.clock.sleep(granted).await;
                if granted < wanted {
                    return Err(CallError::WaitElapsed(waiting));
                }
                waits.goes_on().await.map_err(CallError::Store)?;
            }
            NextStep::GiveUp => return Err(CallError::Provider(error)),
        }
    }
}

/// No job shows the wait: the command's own progress does.
pub(crate) struct Silently;

impl Waits for Silently {
    async fn waits(&mut self, _waiting: Waiting) -> Result<(), StoreError> {
        Ok(())
    }

    async fn goes_on(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
