//! Listening, and one task per connection. Owns sockets: keep-alive, no delay, resets, hangs, and the
//! orderly end of everything when the sandbox stops or a provider goes down.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::answer::{Answer, Body, Request};
use crate::clock::SandboxClock;
use crate::json;

const REQUEST_BODY_LIMIT: usize = 1 << 20;

/// Whether a server listens; the switch is thrown from outside and takes effect on its own thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listening {
    Up,
    Down,
}

/// An answer that is none: the connection ends with a reset.
#[derive(Debug)]
struct ResetConnection;

impl std::fmt::Display for ResetConnection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("reset on demand")
    }
}

impl std::error::Error for ResetConnection {}

/// Serves until the task is dropped. While `wanted` is down nothing listens on the port and open
/// connections are closed; `actual` follows.
pub(crate) async fn serve<Handler, Answering>(
    listener: std::net::TcpListener,
    clock: SandboxClock,
    mut wanted: watch::Receiver<Listening>,
    actual: watch::Sender<Listening>,
    handler: Handler,
) -> io::Result<Infallible>
where
    Handler: Fn(Request) -> Answering + Clone + Send + Sync + 'static,
    Answering: Future<Output = Answer> + Send + 'static,
{
    let address = listener.local_addr()?;
    let mut listener = Some(TcpListener::from_std(listener)?);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let state = *wanted.borrow_and_update();
        match state {
            Listening::Down => {
                listener = None;
                // An aborted connection answers nothing more; waiting for its end comes second, because the
                // one that asked for the outage may be among them.
                connections.abort_all();
                actual.send_replace(Listening::Down);
                connections.shutdown().await;
                if wanted.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
            Listening::Up => {
                if listener.is_none() {
                    listener = Some(bind_tokio(address)?);
                }
                actual.send_replace(Listening::Up);
                let Some(open) = &listener else { continue };
                tokio::select! {
                    change = wanted.changed() => if change.is_err() {
                        return std::future::pending().await;
                    },
                    accepted = open.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(converse(stream, clock.clone(), handler.clone()));
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        }
    }
}

/// A loopback listener; port 0 takes any.
pub(crate) fn bind(port: u16) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn bind_tokio(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(bind(address.port())?)
}

async fn converse<Handler, Answering>(stream: TcpStream, clock: SandboxClock, handler: Handler)
where
    Handler: Fn(Request) -> Answering + Send + Sync,
    Answering: Future<Output = Answer> + Send,
{
    // A refused option costs speed only.
    let _ = stream.set_nodelay(true);
    let handler = Arc::new(handler);
    let clock = Arc::new(clock);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let handler = Arc::clone(&handler);
        let clock = Arc::clone(&clock);
        // Boxed: the connection has to be taken apart after a reset, which wants movable futures.
        Box::pin(async move { respond(request, &clock, &*handler).await })
    });
    let mut connection = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let ended = std::future::poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if let Err(error) = ended
        && is_reset(&error)
    {
        // Without lingering, closing sends a reset instead of a polite end.
        let stream = connection.into_parts().io.into_inner();
        let _ = stream.set_zero_linger();
        drop(stream);
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<ResetConnection>())
}

async fn respond<Handler, Answering>(
    request: hyper::Request<Incoming>,
    clock: &SandboxClock,
    handler: &Handler,
) -> Result<hyper::Response<Body>, ResetConnection>
where
    Handler: Fn(Request) -> Answering,
    Answering: Future<Output = Answer>,
{
    let (head, body) = request.into_parts();
    let body = if head.method == hyper::Method::GET {
        Bytes::new()
    } else {
        match Limited::new(body, REQUEST_BODY_LIMIT).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(_) => return Err(ResetConnection),
        }
    };
    let request = Request::new(
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        head.headers,
        body,
    );
    let answer = handler(request).await;
    if matches!(answer, Answer::Hang) {
        std::future::pending::<()>().await;
    }
    let Some((reply, body, length)) = answer.into_parts() else {
        return Err(ResetConnection);
    };
    let mut response = hyper::Response::new(body);
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&json::http_date(clock.now())) {
        headers.insert(DATE, date);
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}
