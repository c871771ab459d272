//! A small server of the test's own: it hands out one page, and writes down whatever else is asked of it. What a page
//! of ours must never fetch is an address here, so that a fetch shows.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What its pages try to leave behind.
pub(crate) const MARK: &str = "MARKOFASTRANGER";

/// Serves until the test ends; its thread ends with the process.
pub(crate) struct LocalServer {
    address: SocketAddr,
    page: Arc<Mutex<String>>,
    heard: Arc<Mutex<Vec<String>>>,
    pub(crate) reports: Receiver<String>,
}

impl LocalServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let (page, heard) = (
            Arc::<Mutex<String>>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let (tell, reports) = channel();
        let (pages, listened) = (page.clone(), heard.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, listened, tell) = (pages.clone(), listened.clone(), tell.clone());
                std::thread::spawn(move || answer(&stream, &pages, &listened, &tell));
            }
        });
        Self {
            address,
            page,
            heard,
            reports,
        }
    }

    /// An address of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What `/page` answers, and `/oauth/authorize`.
    pub(crate) fn serve(&self, page: String) {
        *self.page.lock().expect("no request panicked") = page;
    }

    /// The requests so far, but for those of the page and its reports.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no request panicked").clone()
    }
}

/// One request, one answer.
fn answer(stream: &TcpStream, page: &Mutex<String>, heard: &Mutex<Vec<String>>, tell: &Sender<String>) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    let mut length = 0;
    // WebKit connects ahead of a navigation that it may not make, and then asks for nothing.
    if reader.read_line(&mut first).is_err() || first.is_empty() {
        return;
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let request = first.trim().trim_end_matches(" HTTP/1.1").to_owned();
    let is_page = request == "GET /page" || request.starts_with("GET /oauth/authorize?");
    let answer = match request.as_str() {
        _ if is_page => page.lock().map(|page| page.clone()).unwrap_or_default(),
        "POST /report" => {
            // Nobody waits for a second report.
            let _ = tell.send(String::from_utf8_lossy(&body).into_owned());
            String::new()
        }
        "GET /favicon.ico" => String::new(),
        _ => {
            if let Ok(mut heard) = heard.lock() {
                heard.push(request.clone());
            }
            String::from("<!doctype html><title>elsewhere</title><p>The window left the app.</p>")
        }
    };
    let disposition = if request.starts_with("GET /attachment") {
        format!("Content-Disposition: attachment; filename=\"{MARK}.csv\"\r\n")
    } else {
        String::new()
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\n{disposition}Content-Type: text/html; charset=utf-8\r\nAccess-Control-Allow-Origin: *\r\n\
         Set-Cookie: stranger={MARK}; Max-Age=86400; Path=/\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    let mut stream = stream;
    // Whoever asked may be gone.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(answer.as_bytes());
}
