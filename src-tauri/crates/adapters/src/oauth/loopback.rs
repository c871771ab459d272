//! The listener on this computer to which a system browser is sent back. It serves one path to one Host, takes what the
//! attempt recognises as its answer, and is gone: nothing that a page or another program sends can end it or make it
//! speak.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use talkvalue_core::connect::Answer;
use talkvalue_core::domain::credential::{redirect_path, redirect_uri};
use talkvalue_core::domain::failure::Recovery;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

/// A connection that has not asked for anything by then is closed.
const CONNECTION_LIFE: Duration = Duration::from_secs(5);
/// A request line with its headers.
const LARGEST_REQUEST: usize = 8 * 1024;
/// Browsers open connections in advance; what comes beyond this waits.
const MOST_CONNECTIONS: usize = 64;
/// How long a last answer may take to leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// While no connection can be taken (too many open files, say), this long between two tries.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// The page holds nothing of what it was asked with. Its script takes the code out of the browser's address line and
/// history; its hash stands in the policy.
const SCRIPT: &str = "history.replaceState(null,'',location.pathname)";
const POLICY: &str = "default-src 'none'; script-src 'sha256-UBodp8UhLR9ASBc1PNRKcs3r2CjAFWxCbrUGPN7u1jo='; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const DONE: &str = "You can close this page and go back to TalkValue Sync.";
const NOT_OURS: &str = "This is not the answer that TalkValue Sync is waiting for. Nothing was changed.";

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Decides whether an address is the answer.
type Hear = dyn Fn(&Url) -> Option<Answer> + Send + Sync;

/// Why nobody can listen.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// Another program has the port.
    #[error("port {port} of this computer is taken")]
    Taken { port: u16 },
    #[error("port {port} of this computer cannot be opened: {reason}")]
    Refused { port: u16, reason: String },
}

impl LoopbackError {
    /// What happened and what to do. No browser has been opened.
    pub fn for_person(&self, provider: Provider) -> CommandError {
        let name = provider.name();
        let sentence = match self {
            LoopbackError::Taken { port } => format!(
                "Port {port} of this computer is taken by another program, and {name} sends your answer there. Close \
                 that program, or choose another port and register its address at {name}: {}.",
                redirect_uri(provider, *port)
            ),
            LoopbackError::Refused { port, reason } => {
                format!(
                    "Port {port} of this computer, where {name} sends your answer, cannot be opened: {reason}."
                )
            }
        };
        CommandError::not_possible(format!("{sentence} Nothing was changed."), Recovery::CorrectInput)
    }
}

/// A bound listener. Dropping it closes the port.
pub struct Loopback {
    first: TcpListener,
    second: Option<TcpListener>,
    port: u16,
    path: &'static str,
}

impl Loopback {
    /// Binds the port on this computer's own addresses, never on others.
    pub async fn bind(provider: Provider, port: u16) -> Result<Self, LoopbackError> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => LoopbackError::Taken { port },
                _ => LoopbackError::Refused {
                    port,
                    reason: crate::data_folder::plain_reason(&error),
                },
            })?;
        let second = unless_absent(TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await, port)?;
        Ok(Self {
            first,
            second,
            port,
            path: redirect_path(provider),
        })
    }

    /// Listens until `hear` recognises an answer. Dropping the future closes the port.
    pub async fn answer(self, hear: Arc<Hear>) -> Answer {
        let (tell, mut answers) = mpsc::channel(1);
        let desk = Arc::new(Desk {
            hosts: [
                format!("localhost:{}", self.port),
                format!("127.0.0.1:{}", self.port),
            ],
            port: self.port,
            path: self.path,
            hear,
            tell: Mutex::new(Some(tell)),
        });
        let mut connections = JoinSet::new();
        let (first, second) = (self.first, self.second);
        let answer = loop {
            let has_place = connections.len() < MOST_CONNECTIONS;
            tokio::select! {
                biased;
                Some(answer) = answers.recv() => break answer,
                Some(_) = connections.join_next() => {}
                stream = accepted(&first), if has_place => {
                    connections.spawn(serve(stream, desk.clone()));
                }
                stream = accepted_if(second.as_ref()), if has_place => {
                    connections.spawn(serve(stream, desk.clone()));
                }
            }
        };
        drop((first, second));
        // The person's page is on its way; whoever else is connected gets nothing more.
        tokio::spawn(async move {
            let all = async { while connections.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(FAREWELL, all).await;
        });
        answer
    }
}

/// The other family's listener: where `localhost` means that family first, it answers; where there is none, it is not
/// missed.
fn unless_absent(bound: io::Result<TcpListener>, port: u16) -> Result<Option<TcpListener>, LoopbackError> {
    match bound {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(LoopbackError::Taken { port }),
        Err(_) => Ok(None),
    }
}

/// The next connection from this computer.
async fn accepted(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, from)) if is_own(&from) => return stream,
            Ok(_) => {}
            Err(_) => tokio::time::sleep(PAUSE_AFTER_ERROR).await,
        }
    }
}

async fn accepted_if(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => accepted(listener).await,
        None => std::future::pending().await,
    }
}

fn is_own(from: &SocketAddr) -> bool {
    from.ip().is_loopback()
}

struct Desk {
    hosts: [String; 2],
    port: u16,
    path: &'static str,
    hear: Arc<Hear>,
    /// One answer, and no second.
    tell: Mutex<Option<mpsc::Sender<Answer>>>,
}

async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(|request| {
        let response = desk.reply(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_LIFE)
        .max_buf_size(LARGEST_REQUEST)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // What a stranger's connection comes to is nobody's concern.
    let _ = tokio::time::timeout(CONNECTION_LIFE, connection).await;
}

impl Desk {
    fn reply(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, NOT_OURS);
        }
        // An address in the request line would overrule the Host, and a second Host might be another's.
        let is_whole_address = request.uri().authority().is_some();
        if is_whole_address || !self.is_for_us(request) || request.uri().path() != self.path {
            return page(StatusCode::NOT_FOUND, NOT_OURS);
        }
        // A browser that follows a redirect sends no Origin and says that it navigates.
        let mut modes = request.headers().get_all(SEC_FETCH_MODE).iter();
        if request.headers().contains_key(ORIGIN) || modes.any(|mode| mode != "navigate") {
            return page(StatusCode::FORBIDDEN, NOT_OURS);
        }
        let query = request.uri().query().unwrap_or_default();
        let address = Url::parse(&format!("http://localhost:{}{}?{query}", self.port, self.path));
        let Some(answer) = address.ok().and_then(|address| (self.hear)(&address)) else {
            return page(StatusCode::BAD_REQUEST, NOT_OURS);
        };
        let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take();
        match tell.map(|tell| tell.try_send(answer)) {
            Some(Ok(())) => page(StatusCode::OK, DONE),
            _ => page(StatusCode::BAD_REQUEST, NOT_OURS),
        }
    }

    /// Whether it names this listener, and nobody besides.
    fn is_for_us(&self, request: &Request<Incoming>) -> bool {
        let mut named = request.headers().get_all(HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else {
            return false;
        };
        let host = host.as_bytes();
        self.hosts
            .iter()
            .any(|own| host.eq_ignore_ascii_case(own.as_bytes()))
    }
}

fn page(status: StatusCode, sentence: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>TalkValue Sync</title><p>{sentence}</p>\
         <script>{SCRIPT}</script></html>"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONNECTION, "close"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_computer_without_the_other_family_does_not_miss_it() {
        for absent in [
            io::ErrorKind::AddrNotAvailable,
            io::ErrorKind::Unsupported,
            io::ErrorKind::PermissionDenied,
        ] {
            let bound = unless_absent(Err(absent.into()), 47_831).expect("the first family serves");
            assert!(bound.is_none());
        }
        let taken = unless_absent(Err(io::ErrorKind::AddrInUse.into()), 47_831);
        assert!(
            matches!(taken, Err(LoopbackError::Taken { port: 47_831 })),
            "a browser that prefers that family would bring the answer to somebody else"
        );
    }
}
