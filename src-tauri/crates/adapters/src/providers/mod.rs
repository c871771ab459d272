//! The providers' APIs: requests, wire types, and one function per provider that says what an answer means.

pub mod eventbrite;
pub(crate) mod http;
pub mod luma;
mod portal;
#[cfg(test)]
mod surprises;
mod wire;

use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use talkvalue_core::domain::credential::Credential;
use talkvalue_core::domain::provider::Origins;
use talkvalue_core::ports::ProviderError;

/// The credential as a header value with a prefix, only for the servers that it was proved against.
fn header_value(
    credential: &Credential,
    origins: &Origins,
    prefix: &str,
) -> Result<HeaderValue, ProviderError> {
    if credential.origins.api != origins.api {
        return Err(ProviderError::Malformed {
            detail: "the credential belongs to another server".to_owned(),
        });
    }
    HeaderValue::from_str(&format!("{prefix}{}", credential.secret.expose_secret()))
        .map_err(|_| ProviderError::CredentialsRejected)
}

fn bearer(credential: &Credential, origins: &Origins) -> Result<HeaderValue, ProviderError> {
    header_value(credential, origins, "Bearer ")
}

/// An id as one path segment: whatever it holds, it cannot leave its place in the path.
fn segment(id: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => text.push(byte as char),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
