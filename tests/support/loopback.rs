//! Whoever calls a listener on this computer: browsers, and everybody else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as Blocking};
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const OWN: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A port that nobody has on either of this computer's own addresses. Below those that the OS hands out by itself, so
/// that nobody is given it meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 180).unwrap() * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if OWN.iter().all(|own| Blocking::bind((*own, port)).is_ok()) {
            return port;
        }
    }
}

/// What a listener answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Status line and headers, without the date.
    pub head: Vec<String>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A GET as a browser sends it that was redirected to `path_and_query`.
pub fn navigation(port: u16, path_and_query: &str) -> String {
    format!(
        "GET {path_and_query} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: text/html\r\nSec-Fetch-Site: cross-site\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nUpgrade-Insecure-Requests: 1\r\n\r\n"
    )
}

/// Sends bytes and reads what comes until the end. `None` where the connection was refused or cut without an answer.
pub async fn call(address: IpAddr, port: u16, bytes: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(SocketAddr::new(address, port)).await.ok()?;
    // Whoever is cut off in mid-sentence may still have been answered.
    let _ = stream.write_all(bytes).await;
    reply(&mut stream).await
}

/// Reads an answer to its end.
pub async fn reply(stream: &mut TcpStream) -> Option<Reply> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply {
        status,
        head: head
            .lines()
            .filter(|line| !line.to_ascii_lowercase().starts_with("date: "))
            .map(str::to_owned)
            .collect(),
        body: body.to_owned(),
    })
}

/// A browser that goes to `address` (with host and port) on this computer, and does not follow where it is sent.
pub async fn browse(address: &url::Url) -> Option<Reply> {
    let port = address.port_or_known_default().unwrap();
    let target = &address[url::Position::BeforePath..url::Position::AfterQuery];
    // One page is all it wants: other servers would keep the connection.
    let request = navigation(port, target).replace("Accept: text/html", "Connection: close");
    call(OWN[0], port, request.as_bytes()).await
}

/// Whether nobody listens on any of this computer's own addresses.
pub async fn is_closed(port: u16) -> bool {
    for own in OWN {
        if TcpStream::connect(SocketAddr::new(own, port)).await.is_ok() {
            return false;
        }
    }
    true
}
