//! Requests and answers as plain data, and the body type that can stop in the middle.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::HeaderMap;
use hyper::body::Frame;
use url::form_urlencoded;

/// A body; an error in it ends the connection.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

const JOURNALLED: &[&str] = &[
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "cookie",
];

/// A request, read whole.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str, raw_query: &str, headers: HeaderMap, body: Bytes) -> Self {
        let parameters = form_urlencoded::parse(raw_query.as_bytes())
            .into_owned()
            .collect();
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            raw_query: raw_query.to_owned(),
            parameters,
            headers,
            body,
        }
    }

    /// The first value of a query parameter, if it is there.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// A header's value, if it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn journalled_headers(&self) -> Vec<(String, String)> {
        JOURNALLED
            .iter()
            .filter_map(|name| {
                self.header(name)
                    .map(|value| ((*name).to_owned(), value.to_owned()))
            })
            .collect()
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    pub(crate) fn html(status: u16, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", "text/html; charset=utf-8".to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What goes out on the connection.
pub(crate) enum Answer {
    Whole(Reply),
    /// The head promises all of the body, half of it is sent, then the connection ends.
    Truncated(Reply),
    Slow(Reply, u32),
    /// A head, and `length` bytes made while they are sent.
    Made(Reply, Box<dyn Iterator<Item = Bytes> + Send>, Option<u64>),
    Reset,
    Hang,
}

impl Answer {
    pub(crate) fn plain(reply: Reply) -> Self {
        Self::Whole(reply)
    }

    /// The status that the client sees; 0 when it sees none.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Whole(reply) | Self::Truncated(reply) | Self::Slow(reply, _) | Self::Made(reply, ..) => {
                reply.status
            }
            Self::Reset | Self::Hang => 0,
        }
    }

    /// Head, body and its announced length; nothing for an answer that is none.
    pub(crate) fn into_parts(self) -> Option<(Reply, Body, Option<u64>)> {
        match self {
            Self::Whole(mut reply) => {
                let bytes = std::mem::take(&mut reply.body);
                let length = bytes.len() as u64;
                let body = Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
                Some((reply, body, Some(length)))
            }
            Self::Truncated(mut reply) => {
                let whole = std::mem::take(&mut reply.body);
                let length = whole.len() as u64;
                let half = whole.slice(..whole.len() / 2);
                let parts = stream::once(async move { Ok(Frame::data(half)) }).chain(stream::once(async {
                    // Gives the connection a turn to flush the half before it ends.
                    tokio::task::yield_now().await;
                    Err(io::Error::other("truncated on demand"))
                }));
                Some((reply, StreamBody::new(parts).boxed_unsync(), Some(length)))
            }
            Self::Slow(mut reply, bytes_per_second) => {
                let whole = std::mem::take(&mut reply.body);
                let length = whole.len() as u64;
                // Ten drops a second, at least one byte each.
                let drop_size = usize::try_from(bytes_per_second / 10).unwrap_or(1).max(1);
                let pause = Duration::from_secs(drop_size as u64) / bytes_per_second.max(1);
                let drops = stream::unfold(whole, move |mut rest| async move {
                    if rest.is_empty() {
                        return None;
                    }
                    tokio::time::sleep(pause).await;
                    let part = rest.split_to(drop_size.min(rest.len()));
                    Some((Ok(Frame::data(part)), rest))
                });
                Some((reply, StreamBody::new(drops).boxed_unsync(), Some(length)))
            }
            Self::Made(reply, parts, length) => {
                let frames = stream::iter(parts.map(|part| Ok(Frame::data(part))));
                Some((reply, StreamBody::new(frames).boxed_unsync(), length))
            }
            Self::Reset | Self::Hang => None,
        }
    }
}
