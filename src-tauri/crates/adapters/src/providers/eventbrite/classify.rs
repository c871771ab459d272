//! What an answer of Eventbrite means. The word in `error` decides, not the status: `INVALID_AUTH` comes with 400 in
//! the reference and with 401 on the wire.

use crate::providers::http::{Answer, retry_after, unreachable};
use reqwest::StatusCode;
use serde::Deserialize;
use std::time::Duration;
use talkvalue_core::ports::ProviderError;

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

/// The answer if it is one, else why not. Error texts are never kept: they may repeat the token.
pub(super) fn classify(answer: Answer) -> Result<Answer, ProviderError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(ProviderError::RateLimited {
            retry_after: told_wait(&answer),
        });
    }
    let status = answer.status.as_u16();
    let Ok(body) = serde_json::from_slice::<ErrorBody>(&answer.body) else {
        // Not Eventbrite's own words: a gateway or proxy speaks, and proves nothing about the credential.
        return Err(unreachable(&format!(
            "status {status} without Eventbrite's error body"
        )));
    };
    Err(match (status, body.error.as_str()) {
        (_, "INVALID_AUTH" | "ACCESS_DENIED") => ProviderError::CredentialsRejected,
        (_, "HIT_RATE_LIMIT") => ProviderError::RateLimited {
            retry_after: told_wait(&answer),
        },
        (_, "BAD_CONTINUATION_TOKEN" | "BAD_PAGE") => ProviderError::CursorRejected,
        (_, "NO_AUTH" | "INVALID_AUTH_HEADER") => ProviderError::Malformed {
            detail: body_word(&body.error),
        },
        (403, _) => ProviderError::PermissionMissing,
        (404, _) => ProviderError::Gone,
        (408 | 409 | 500..=599, _) => unreachable(&format!("status {status}")),
        _ => ProviderError::Malformed {
            detail: format!("status {status}, {}", body_word(&body.error)),
        },
    })
}

/// The error word if it is one of Eventbrite's constants; anything else is not repeated.
fn body_word(word: &str) -> String {
    if word.len() <= 40 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        word.to_owned()
    } else {
        "an unknown error word".to_owned()
    }
}

/// `Retry-After` where there is one, else `reset=` of the counters that `x-rate-limit` says are used up:
/// `token:<TOKEN> 2000/2000 reset=3530s, key:<KEY> 22/2000 reset=3530s`.
fn told_wait(answer: &Answer) -> Option<Duration> {
    if let Some(wait) = retry_after(answer) {
        return Some(wait);
    }
    let header = answer.headers.get("x-rate-limit")?.to_str().ok()?;
    let counters: Vec<(bool, u64)> = header.split(',').filter_map(counter).collect();
    let used_up = counters
        .iter()
        .filter(|(used_up, _)| *used_up)
        .map(|(_, reset)| *reset)
        .max();
    used_up
        .or_else(|| counters.iter().map(|(_, reset)| *reset).max())
        .map(Duration::from_secs)
}

/// Whether one counter is used up, and the seconds until it starts anew.
fn counter(text: &str) -> Option<(bool, u64)> {
    let (mut used_up, mut reset) = (false, None);
    for word in text.split_whitespace() {
        if let Some(value) = word.strip_prefix("reset=") {
            reset = value.trim_end_matches('s').parse().ok();
        } else if let Some((used, limit)) = word.split_once('/')
            && let (Ok(used), Ok(limit)) = (used.parse::<u64>(), limit.parse::<u64>())
        {
            used_up = used >= limit;
        }
    }
    reset.map(|reset| (used_up, reset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_that_is_used_up_says_how_long_to_wait() {
        assert_eq!(counter("token:CANARY 2000/2000 reset=3530s"), Some((true, 3530)));
        assert_eq!(counter(" key:CANARY 22/2000 reset=12s"), Some((false, 12)));
        assert_eq!(
            counter("token:CANARY"),
            None,
            "a counter without a reset says nothing"
        );
    }

    #[test]
    fn only_constants_are_repeated_from_an_error_body() {
        assert_eq!(body_word("ARGUMENTS_ERROR"), "ARGUMENTS_ERROR");
        assert_eq!(
            body_word("secret-CANARY"),
            "an unknown error word",
            "an error body may echo a credential"
        );
    }
}
