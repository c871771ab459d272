//! One HTTP request and what came of it, before any provider's rules: limits on time and size, no redirects, transport
//! errors in the core's terms. Nothing here keeps or prints a header or body beyond what the rules need.

use super::portal;
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode};
use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, Instant};
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::provider::Origin;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Clock, ProviderError};
use tracing::{debug, warn};
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(120);
/// After decompression.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// An answer of the provider itself: JSON, or an error status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The server's `Date`, or our clock where it sent none.
    pub(crate) server_time: Timestamp,
}

/// What an OAuth server answers is small.
const LARGEST_OAUTH_BODY: usize = 1024 * 1024;

/// Sends requests to one origin.
pub(crate) struct Requester {
    /// Made with the first request: it reads the system's certificates, for which no stored list has to wait.
    client: OnceLock<Client>,
    origin: Origin,
    /// The other provider: when both fail to connect, it is this computer that is offline.
    witness: Url,
    clock: Arc<dyn Clock>,
}

impl Requester {
    /// Our own clock, for answers that need no request.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn new(
        origin: &Origin,
        witness: &Origin,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CommandError> {
        let unusable = |detail: String| {
            CommandError::failure(
                FailureCode::ProviderUnreachable,
                format!(
                    "The connection to {} could not be prepared: {detail}.",
                    origin.host()
                ),
            )
        };
        let witness = Url::parse(witness.as_str()).map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            client: OnceLock::new(),
            origin: origin.clone(),
            witness,
            clock,
        })
    }

    fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = build_client(&self.origin).map_err(|error| {
            warn!(host = self.origin.host(), error = ?error, "no secure connection can be prepared");
            unreachable("no secure connection can be prepared on this computer")
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    /// GETs `path` (with its leading slash) below the origin.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        credential: (HeaderName, HeaderValue),
    ) -> Result<Answer, ProviderError> {
        let started = Instant::now();
        let result = self.get_unlogged(path, query, credential).await;
        // Never the query, a header or a body: they hold cursors, credentials and people.
        debug!(
            host = self.origin.host(),
            path,
            status = result.as_ref().ok().map(|answer| answer.status.as_u16()),
            error = result.as_ref().err().map(tracing::field::display),
            duration_ms = started.elapsed().as_millis() as u64,
            "request"
        );
        result
    }

    async fn get_unlogged(
        &self,
        path: &str,
        query: &[(&str, &str)],
        (name, mut value): (HeaderName, HeaderValue),
    ) -> Result<Answer, ProviderError> {
        value.set_sensitive(true);
        let url = format!("{}{path}", self.origin);
        let request = self.client()?.get(url).query(query).header(name, value);
        self.send(request, LARGEST_BODY).await
    }

    /// GETs an address of an OAuth server that holds no secret.
    pub(crate) async fn get_public(&self, path: &str) -> Result<Answer, ProviderError> {
        let request = self.client()?.get(format!("{}{path}", self.origin));
        self.send(request, LARGEST_OAUTH_BODY).await
    }

    /// Sends a request that was prepared elsewhere, body and all. Its body and headers hold secrets.
    pub(crate) async fn post(
        &self,
        url: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, ProviderError> {
        let started = Instant::now();
        for value in headers.values_mut() {
            value.set_sensitive(true);
        }
        let request = self.client()?.post(url).headers(headers).body(body);
        let result = self.send(request, LARGEST_OAUTH_BODY).await;
        debug!(
            host = self.origin.host(),
            status = result.as_ref().ok().map(|answer| answer.status.as_u16()),
            error = result.as_ref().err().map(tracing::field::display),
            duration_ms = started.elapsed().as_millis() as u64,
            "request to the sign-in server"
        );
        result
    }

    async fn send(&self, request: RequestBuilder, largest: usize) -> Result<Answer, ProviderError> {
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.transport_error(&error).await),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() {
            return Err(self.redirected(headers.get(LOCATION)).await);
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() > largest => {
                    return Err(ProviderError::Malformed {
                        detail: format!("an answer of more than {} MB", largest >> 20),
                    });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) if error.is_timeout() => return Err(unreachable("the answer took too long")),
                Err(_) => return Err(unreachable("the answer was cut short")),
            }
        }
        if status.is_success() && looks_like_html(&body) {
            // A page where data should be: a captive portal, or a proxy's own words.
            return Err(self.suspicious("a web page instead of data").await);
        }
        let now = self.clock.now();
        let server_time = date(&headers).filter(|date| plausible(*date, now)).unwrap_or(now);
        Ok(Answer {
            status,
            headers,
            body,
            server_time,
        })
    }

    async fn redirected(&self, location: Option<&HeaderValue>) -> ProviderError {
        let own = Url::parse(self.origin.as_str()).ok();
        let target = location
            .and_then(|value| value.to_str().ok())
            .and_then(|text| own.as_ref().and_then(|own| own.join(text).ok()));
        match (own, target) {
            (Some(own), Some(target)) if same_server(&own, &target) => ProviderError::Malformed {
                detail: "redirected within the server".to_owned(),
            },
            _ => self.suspicious("redirected elsewhere").await,
        }
    }

    /// Something between us and the provider may be answering: one plain request tells.
    async fn suspicious(&self, detail: &str) -> ProviderError {
        if portal::answers(&self.origin).await {
            ProviderError::NetworkSignIn
        } else {
            unreachable(detail)
        }
    }

    async fn transport_error(&self, error: &reqwest::Error) -> ProviderError {
        if find_cause::<NameNotResolved>(error).is_some() {
            return ProviderError::Offline;
        }
        if let Some(cause) = find_cause::<io::Error>(error)
            && matches!(
                cause.kind(),
                io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
            )
        {
            return ProviderError::Offline;
        }
        if find_cause::<rustls::Error>(error)
            .is_some_and(|cause| matches!(cause, rustls::Error::InvalidCertificate(_)))
        {
            return self.suspicious("the certificate is not the provider's").await;
        }
        if error.is_timeout() && error.is_connect() {
            return if portal::connects(&self.witness).await {
                unreachable("no connection in time")
            } else {
                ProviderError::Offline
            };
        }
        unreachable(if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "the connection was refused or failed"
        } else {
            "the connection was cut"
        })
    }
}

pub(crate) fn unreachable(detail: &str) -> ProviderError {
    ProviderError::Unreachable {
        detail: detail.to_owned(),
    }
}

fn same_server(own: &Url, target: &Url) -> bool {
    own.host() == target.host() && own.port_or_known_default() == target.port_or_known_default()
}

fn looks_like_html(body: &[u8]) -> bool {
    body.iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| *byte == b'<')
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// A `Date` more than a year from our own clock is a fault of the server's; less may be a fault of ours.
fn plausible(date: Timestamp, now: Timestamp) -> bool {
    (date.as_second() - now.as_second()).abs() <= 366 * 24 * 3_600
}

/// An HTTP date ("Mon, 23 Nov 2026 18:00:00 GMT", RFC 9110 section 5.6.7).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// `Retry-After` as seconds or as a date, measured from the server's own clock.
pub(crate) fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse::<u64>() {
        return Some(Duration::from_secs(secs));
    }
    let wait = http_date(text)?.as_second() - answer.server_time.as_second();
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// A client for one origin. It follows no redirects: one would carry `x-luma-api-key` to another host.
pub(crate) fn build_client(origin: &Origin) -> Result<Client, reqwest::Error> {
    install_crypto();
    let plain = origin.as_str().starts_with("http://");
    let mut builder = Client::builder()
        .user_agent(concat!("TalkValueSync/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .tcp_nodelay(true)
        .dns_resolver(Arc::new(SystemResolver))
        .https_only(!plain);
    if plain {
        // Loopback only (see `Origin`): a proxy has no business there.
        builder = builder.no_proxy();
    }
    builder.build()
}

fn install_crypto() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only where a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The system's resolver, with an error that can be told from other connection errors.
struct SystemResolver;

#[derive(Debug, thiserror::Error)]
#[error("the name could not be resolved")]
struct NameNotResolved;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            match found {
                Ok(addresses) => Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(_) => Err(Box::new(NameNotResolved) as Box<dyn StdError + Send + Sync>),
            }
        })
    }
}

/// The first cause of type `T` in an error's chain, looking into `io::Error`s as well.
fn find_cause<'error, T: StdError + 'static>(error: &'error (dyn StdError + 'static)) -> Option<&'error T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(inner) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = find_cause::<T>(inner)
        {
            return Some(found);
        }
        next = cause.source();
    }
    None
}
