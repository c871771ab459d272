//! What an answer of Luma means. The status decides; the message never does (its wording and quotes change), nor its
//! `code` (null so far).

use crate::providers::http::{Answer, retry_after, unreachable};
use serde::Deserialize;
use std::time::Duration;
use talkvalue_core::ports::ProviderError;

#[derive(Deserialize)]
struct ErrorBody {
    #[expect(
        dead_code,
        reason = "its presence tells Luma's own answer from a proxy's; its text is never used"
    )]
    message: String,
}

/// The answer if it is one, else why not. `with_cursor` tells whether a cursor was sent, which a 400 may be about.
pub(super) fn classify(answer: Answer, with_cursor: bool) -> Result<Answer, ProviderError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let status = answer.status.as_u16();
    if status == 429 {
        return Err(ProviderError::RateLimited {
            retry_after: told_wait(&answer),
        });
    }
    if serde_json::from_slice::<ErrorBody>(&answer.body).is_err() {
        // Not Luma's own words: a gateway or proxy speaks, and proves nothing about the key.
        return Err(unreachable(&format!("status {status} without Luma's error body")));
    }
    Err(match status {
        401 => ProviderError::CredentialsRejected,
        403 => ProviderError::PermissionMissing,
        400 if with_cursor => ProviderError::CursorRejected,
        408 | 500..=599 => unreachable(&format!("status {status}")),
        // 404 is an unknown route: an unknown event answers 403.
        _ => ProviderError::Malformed {
            detail: format!("status {status}"),
        },
    })
}

/// `Retry-After`, else the end of the block in `X-RateLimit-Reset` (Unix seconds).
fn told_wait(answer: &Answer) -> Option<Duration> {
    retry_after(answer).or_else(|| {
        let reset: i64 = answer
            .headers
            .get("x-ratelimit-reset")?
            .to_str()
            .ok()?
            .trim()
            .parse()
            .ok()?;
        u64::try_from(reset.checked_sub(answer.server_time.as_second())?)
            .ok()
            .map(Duration::from_secs)
    })
}
