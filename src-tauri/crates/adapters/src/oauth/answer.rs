//! What an OAuth server's answer means. Only `invalid_grant` ends a sign-in; whatever else goes wrong says nothing
//! about it. No text of an answer is kept: it may repeat a secret.

use super::malformed;
use crate::providers::http::{Answer, retry_after, unreachable};
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{AccessToken, HttpResponse, RefreshToken, RequestTokenError, Scope, TokenResponse};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;
use talkvalue_core::ports::{ProviderError, SignInError};

/// A lifetime beyond this is none that anybody meant.
const LONGEST_LIFETIME_SECS: u64 = 10 * 366 * 24 * 3_600;

/// A token answer of which only the token itself has to be there: no source shows Eventbrite's `token_type`.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct LenientTokens {
    #[serde(deserialize_with = "token")]
    access_token: AccessToken,
    #[serde(default, deserialize_with = "lifetime")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "optional_token")]
    refresh_token: Option<RefreshToken>,
}

impl TokenResponse for LenientTokens {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccessToken, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !is_token(&text) {
        // Its text is not repeated: it may be a secret all the same.
        return Err(serde::de::Error::custom("the access token is none"));
    }
    Ok(AccessToken::new(text))
}

fn optional_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RefreshToken>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let text = value.as_str().filter(|text| is_token(text));
    Ok(text.map(|text| RefreshToken::new(text.to_owned())))
}

/// RFC 6749 appendix A.12: printable ASCII.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Seconds as a number or as text; what makes no sense counts as not told.
fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let secs = match &value {
        serde_json::Value::Number(number) => number.as_u64().or_else(|| {
            number
                .as_f64()
                .filter(|secs| *secs >= 1.0)
                .map(|secs| secs as u64)
        }),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(secs.filter(|secs| (1..=LONGEST_LIFETIME_SECS).contains(secs)))
}

/// The answer if an OAuth server gave it: JSON, with success or with an error of its own.
pub(super) fn screened(answer: Answer) -> Result<HttpResponse, SignInError> {
    let status = answer.status.as_u16();
    if status == 429 {
        return Err(ProviderError::RateLimited {
            retry_after: retry_after(&answer),
        }
        .into());
    }
    if status == 503 && answer.headers.contains_key("retry-after") {
        return Err(ProviderError::RateLimited {
            retry_after: retry_after(&answer),
        }
        .into());
    }
    if matches!(status, 408 | 500..=599) {
        return Err(unreachable(&format!("status {status}")).into());
    }
    if answer.status.is_success() && !is_object(&answer.body) {
        return Err(malformed("an answer of unknown form"));
    }
    let names_an_error = serde_json::from_slice::<OwnError>(&answer.body).is_ok();
    if !answer.status.is_success() && !names_an_error {
        // A gateway or proxy speaks.
        return Err(unreachable(&format!("status {status} without an OAuth error")).into());
    }
    let mut response = HttpResponse::new(answer.body);
    *response.status_mut() = answer.status;
    Ok(response)
}

/// A list would be read as an object's members in their order.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

#[derive(Deserialize)]
struct OwnError {
    #[expect(
        dead_code,
        reason = "its presence tells the server's own answer from a proxy's"
    )]
    error: String,
}

/// The answer if it is a success.
pub(super) fn only_success(answer: Answer) -> Result<Answer, SignInError> {
    let status = answer.status.as_u16();
    match status {
        200..=299 => Ok(answer),
        429 => Err(ProviderError::RateLimited {
            retry_after: retry_after(&answer),
        }
        .into()),
        404 | 410 => Err(malformed("the server describes no sign-in")),
        _ => Err(unreachable(&format!("status {status}")).into()),
    }
}

/// What went wrong, in the core's terms.
pub(super) fn meaning(error: RequestTokenError<SignInError, BasicErrorResponse>) -> SignInError {
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => of_word(answer.error().as_ref()),
        // The crate's own texts hold the body: they are dropped here.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => malformed("an answer of unknown form"),
    }
}

fn of_word(word: &str) -> SignInError {
    match word {
        "invalid_grant" => SignInError::GrantRejected,
        "invalid_client" | "unauthorized_client" => SignInError::AppRejected,
        "temporarily_unavailable" | "server_error" | "slow_down" => {
            unreachable("the server is busy with itself").into()
        }
        _ => malformed("an OAuth error that is none of ours"),
    }
}
