//! Acts on a [`Fault`]: turns the true answer, or none, into the troubled one.

use std::io::Write;
use std::iter;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::Value;

use super::Api;
use super::answer::{Answer, Reply, Request};
use crate::fault::Fault;

const BLOCK: usize = 1 << 20;

const PORTAL_PAGE: &str = "<!doctype html><html><head><title>Harbour Guest Wi-Fi</title></head><body>\
<h1>Welcome aboard</h1><form action=\"/sign-in\"><button>Accept and connect</button></form></body></html>";

/// The answer that `fault` makes of `request`.
pub(crate) fn spoil_answer(api: &dyn Api, request: &Request, fault: &Fault, unlimited: bool) -> Answer {
    let truth = || api.answer(request, unlimited);
    match fault {
        Fault::Status(status) => Answer::Whole(api.error(*status)),
        Fault::RateLimited { retry_after_secs } => {
            Answer::Whole(api.rate_limited(request, *retry_after_secs))
        }
        Fault::HtmlGateway(status) | Fault::NonJsonStatus(status) => Answer::Whole(html_error(*status)),
        Fault::Html200 => Answer::Whole(Reply::html(200, PORTAL_PAGE)),
        Fault::Redirect(to) => {
            Answer::Whole(Reply::html(302, "<html><body>Found</body></html>").with_header("location", to))
        }
        Fault::EmptyBody(status) => Answer::Whole(Reply {
            status: *status,
            headers: Vec::new(),
            body: Bytes::new(),
        }),
        Fault::TruncatedBody => Answer::Truncated(truth()),
        Fault::TruncatedJson => {
            let mut reply = truth();
            reply.body.truncate(reply.body.len() * 2 / 3);
            Answer::Whole(reply)
        }
        Fault::Reset => Answer::Reset,
        Fault::LostAnswer => {
            let _ = truth();
            Answer::Reset
        }
        Fault::HeldAnswer => {
            let _ = truth();
            Answer::Hang
        }
        Fault::Answer {
            status,
            headers,
            body,
        } => Answer::Whole(Reply {
            status: *status,
            headers: headers.clone(),
            body: body.clone().into(),
        }),
        Fault::Member { name, value } => Answer::Whole(with_member(truth(), name, value.as_ref())),
        Fault::Hang => Answer::Hang,
        Fault::SlowBody { bytes_per_second } => Answer::Slow(truth(), *bytes_per_second),
        Fault::HugeBody { bytes } => Answer::Made(
            Reply::json(200, Bytes::new()),
            Box::new(blanks_then_json(*bytes)),
            Some(*bytes),
        ),
        Fault::GzipBomb { decoded_bytes } => {
            let reply = Reply::json(200, Bytes::new()).with_header("content-encoding", "gzip");
            Answer::Made(reply, Box::new(bomb(*decoded_bytes).into_iter()), None)
        }
        Fault::DeepJson => Answer::Whole(Reply::json(200, deep_json(200_000))),
        Fault::NotAnEnvelope => Answer::Whole(Reply::json(200, r#"{"ok":true,"data":{"rows":"none"}}"#)),
        Fault::EchoesCredential(status) => {
            let credential = api.credential(request).unwrap_or_default();
            let text = format!("The credential {credential} was refused.");
            let body = serde_json::json!({
                "status_code": status, "error": "INTERNAL_ERROR", "error_description": text,
                "message": text, "code": null, "received": { "authorization": format!("Bearer {credential}") },
            });
            let reply = Reply::json(*status, body.to_string());
            Answer::Whole(reply.with_header("x-debug-credential", credential))
        }
        Fault::BadContinuation => Answer::Whole(api.bad_cursor()),
        Fault::EmptyList | Fault::HalfList | Fault::RepeatedCursor | Fault::MissingCursor => {
            let reply = truth();
            Answer::Whole(if reply.status == 200 {
                api.bend_list(request, reply, fault)
            } else {
                reply
            })
        }
    }
}

fn with_member(reply: Reply, name: &str, value: Option<&Value>) -> Reply {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(&reply.body) else {
        return reply;
    };
    match value {
        Some(value) => members.insert(name.to_owned(), value.clone()),
        None => members.remove(name),
    };
    Reply {
        body: Value::Object(members).to_string().into(),
        ..reply
    }
}

pub(crate) fn html_error(status: u16) -> Reply {
    let page = format!(
        "<html>\r\n<head><title>{status} Error</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
         <hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
    );
    Reply::html(status, page)
}

fn deep_json(levels: usize) -> String {
    let mut text = String::with_capacity(levels * 2);
    text.extend(iter::repeat_n('[', levels));
    text.extend(iter::repeat_n(']', levels));
    text
}

/// `length` bytes: blanks, which JSON allows, and `{}` at the very end.
fn blanks_then_json(length: u64) -> impl Iterator<Item = Bytes> + Send {
    let block = Bytes::from(vec![b' '; BLOCK]);
    let blanks = length.saturating_sub(2);
    let whole = blanks / BLOCK as u64;
    let rest = usize::try_from(blanks % BLOCK as u64).unwrap_or(0);
    let first = block.slice(..rest);
    let blocks = (0..whole).map(move |_| block.clone());
    iter::once(first)
        .chain(blocks)
        .chain(iter::once(Bytes::from_static(b"{}")))
}

/// One gzip member that unpacks to about `decoded` bytes. A block of blanks is packed once and repeated:
/// after a full flush no block refers to an earlier one.
fn bomb(decoded: u64) -> Vec<Bytes> {
    let blocks = (decoded / BLOCK as u64).max(1);
    let plain = vec![b' '; BLOCK];
    let mut packer = Compress::new(Compression::best(), false);
    let mut packed = Vec::with_capacity(BLOCK);
    // A vector with a megabyte of room takes the whole packed block in one call; nothing can fail there.
    let _ = packer.compress_vec(&plain, &mut packed, FlushCompress::Full);
    let mut block_sum = Crc::new();
    block_sum.update(&plain);
    let mut sum = Crc::new();
    for _ in 0..blocks {
        sum.combine(&block_sum);
    }
    sum.update(b"{}");
    let mut end = vec![0x01, 0x02, 0x00, 0xfd, 0xff];
    // Writing into a vector cannot fail.
    let _ = end.write_all(b"{}");
    let _ = end.write_all(&sum.sum().to_le_bytes());
    let _ = end.write_all(&sum.amount().to_le_bytes());
    let packed = Bytes::from(packed);
    let head = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let count = usize::try_from(blocks).unwrap_or(usize::MAX);
    iter::once(head)
        .chain(iter::repeat_n(packed, count))
        .chain(iter::once(Bytes::from(end)))
        .collect()
}
