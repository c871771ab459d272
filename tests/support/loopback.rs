//! Whoever calls a listener on this computer: browsers, and everybody else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as Blocking};
use std::sync::atomic::{AtomicU16, Ordering};
use talkvalue_core::domain::credential::redirect_path;
use talkvalue_core::domain::provider::Provider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const OWN: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Where Eventbrite sends a browser back to.
pub const EVENTBRITE_PATH: &str = "/oauth/eventbrite/callback";

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

/// What is no request for a page.
pub const GARBAGE: [&[u8]; 6] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00\xff\x00\xff\r\n\r\n",
    b"state=right&code=abc\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET\r\n\r\n",
    b"\r\n\r\n\r\n\r\n",
];

/// Connections in advance that never ask, on both families, and clients that never end their sentence.
pub async fn idlers(port: u16) -> Vec<TcpStream> {
    let mut kept = Vec::new();
    for round in 0..40 {
        let own = SocketAddr::new(OWN[round % 2], port);
        kept.push(TcpStream::connect(own).await.unwrap());
    }
    for _ in 0..8 {
        let mut slow = TcpStream::connect(SocketAddr::new(OWN[0], port)).await.unwrap();
        slow.write_all(format!("GET {EVENTBRITE_PATH}?state=ri").as_bytes())
            .await
            .unwrap();
        kept.push(slow);
    }
    kept
}

/// Everything that is not a browser which Eventbrite sent back, with the `query` of one that is.
pub fn strangers(port: u16, query: &str) -> Vec<String> {
    let target = format!("{EVENTBRITE_PATH}?{query}");
    let right = navigation(port, &target);
    let own = format!("Host: localhost:{port}");
    let hosts = [
        format!("Host: evil.example:{port}"),
        format!("Host: localhost.evil.example:{port}"),
        format!("Host: 127.0.0.1.nip.io:{port}"),
        format!("Host: evil.example#localhost:{port}"),
        format!("Host: user@localhost:{port}"),
        format!("Host: localhost:{}", port + 1),
        format!("Host: localhost:{port}0"),
        format!("Host: localhost.:{port}"),
        format!("Host: 0.0.0.0:{port}"),
        format!("Host: 127.1:{port}"),
        format!("Host: 127.0.0.2:{port}"),
        "Host: localhost".to_owned(),
        "Host:".to_owned(),
        "X-Forwarded-Host: localhost".to_owned(),
        format!("{own}\r\nHost: evil.example"),
        format!("Host: evil.example\r\n{own}"),
        format!("{own}\r\n{own}"),
    ];
    let mut strangers: Vec<String> = hosts.iter().map(|host| right.replace(&own, host)).collect();
    for method in ["POST", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "get"] {
        strangers.push(right.replacen("GET", method, 1));
    }
    for path in [
        "/",
        "/oauth/eventbrite/callback/",
        "/oauth/eventbrite",
        "//oauth/eventbrite/callback",
        "/oauth/eventbrite/../eventbrite/callback",
        "/oauth%2feventbrite/callback",
        "/OAUTH/eventbrite/callback",
        redirect_path(Provider::Luma),
        "/exit",
    ] {
        strangers.push(navigation(port, &format!("{path}?{query}")));
    }
    strangers.push(navigation(port, &format!("http://localhost:{port}{target}")));
    strangers.push(navigation(port, &format!("http://evil.example{target}")));
    for header in [
        "Origin: null".to_owned(),
        "Origin: https://evil.example".to_owned(),
        format!("Origin: http://localhost:{port}"),
    ] {
        strangers.push(right.replace("Accept: text/html", &header));
    }
    for mode in [
        "cors",
        "no-cors",
        "same-origin",
        "websocket",
        "",
        "navigate, cors",
        "navigate\r\nSec-Fetch-Mode: cors",
    ] {
        strangers.push(right.replace("Sec-Fetch-Mode: navigate", &format!("Sec-Fetch-Mode: {mode}")));
    }
    strangers
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

/// The addresses of this computer that are listened on at that port, as Linux tells them.
#[cfg(target_os = "linux")]
pub fn listened_on(port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    let mut addresses = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let Some(address) = fields[1].strip_suffix(&suffix)
                && fields[3] == LISTEN
            {
                addresses.push(address.to_owned());
            }
        }
    }
    addresses.sort();
    addresses
}

/// What [`listened_on`] tells of a listener that nobody outside this computer reaches: `::1` and `127.0.0.1`.
#[cfg(target_os = "linux")]
pub const ON_THIS_COMPUTER: [&str; 2] = ["00000000000000000000000001000000", "0100007F"];

/// Whether nobody listens on any of this computer's own addresses.
pub async fn is_closed(port: u16) -> bool {
    for own in OWN {
        if TcpStream::connect(SocketAddr::new(own, port)).await.is_ok() {
            return false;
        }
    }
    true
}
