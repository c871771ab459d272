//! When to ask again: pure decisions about one failed call. The engine does the waiting.

use crate::ports::ProviderError;
use std::time::Duration;

/// A call is tried this often before its failure counts.
pub const TRIES: u32 = 3;
const BASE: Duration = Duration::from_secs(1);
/// Waits that a header asks for are obeyed up to here (Eventbrite counts by the hour).
pub const LONGEST_TOLD_WAIT: Duration = Duration::from_secs(61 * 60);
/// Where no header says how long: a minute, doubling up to here.
pub const LONGEST_GUESSED_WAIT: Duration = Duration::from_secs(15 * 60);
const FIRST_GUESSED_WAIT: Duration = Duration::from_secs(60);

/// What to do after a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Try again after this long; it counts as a try.
    Again(Duration),
    /// The provider's limit is used up: wait this long, with the reason shown; it does not count as a try.
    WaitOut(Duration),
    /// Take the error as it is.
    GiveUp,
}

/// `tries` made so far including the failed one, `limits_met` rate limits met in a row, `jitter` in 0..1.
pub fn next_step(error: &ProviderError, tries: u32, limits_met: u32, jitter: f64) -> NextStep {
    match error {
        ProviderError::RateLimited { retry_after } => NextStep::WaitOut(limit_wait(*retry_after, limits_met)),
        ProviderError::Unreachable { .. } if tries < TRIES => NextStep::Again(full_jitter(tries, jitter)),
        // A page cut short parses like an unknown form: it is read again before it counts as one.
        ProviderError::Malformed { .. } if tries < 2 => NextStep::Again(full_jitter(tries, jitter)),
        ProviderError::Offline if tries < 2 => NextStep::Again(full_jitter(tries, jitter)),
        // Eventbrite's reads lag: a 404 counts when it is said twice.
        ProviderError::Gone if tries < 2 => NextStep::Again(full_jitter(tries, jitter)),
        _ => NextStep::GiveUp,
    }
}

/// Full jitter: anywhere between nothing and base × 2^(tries − 1).
fn full_jitter(tries: u32, jitter: f64) -> Duration {
    let ceiling = BASE.saturating_mul(2u32.saturating_pow(tries.saturating_sub(1)));
    ceiling.mul_f64(jitter.clamp(0.0, 1.0))
}

fn limit_wait(told: Option<Duration>, limits_met: u32) -> Duration {
    match told {
        Some(told) => told.clamp(Duration::from_secs(1), LONGEST_TOLD_WAIT),
        None => FIRST_GUESSED_WAIT
            .saturating_mul(2u32.saturating_pow(limits_met.min(10)))
            .min(LONGEST_GUESSED_WAIT),
    }
}
