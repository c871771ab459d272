//! A server that says what it is told to, word for word, and keeps every request as it came: for answers that the
//! sandbox has no word for, and for seeing headers that must never arrive.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) struct Canned {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

struct Rule {
    path_part: String,
    /// How often it still answers; for ever when absent.
    times: Option<u32>,
    answer: String,
}

impl Canned {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if own.stopped.load(Ordering::SeqCst) {
                    return;
                }
                serve(stream, &own);
            }
        });
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on requests whose path contains `path_part` get this; later words win over earlier ones.
    pub(crate) fn says(&self, path_part: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        self.add(path_part, None, status, headers, body);
    }

    /// As [`Self::says`], for the next `times` requests.
    pub(crate) fn says_next(
        &self,
        times: u32,
        path_part: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        self.add(path_part, Some(times), status, headers, body);
    }

    /// The heads of all requests, as they came.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests_to(&self, path_part: &str) -> usize {
        let seen = self.seen();
        seen.iter()
            .filter(|head| head.lines().next().unwrap_or("").contains(path_part))
            .count()
    }

    pub(crate) fn forgets_requests(&self) {
        self.shared.seen.lock().unwrap().clear();
    }

    fn add(&self, path_part: &str, times: Option<u32>, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut answer = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n");
        for (name, value) in headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        answer.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.shared.rules.lock().unwrap().push(Rule {
            path_part: path_part.to_owned(),
            times,
            answer,
        });
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread from its wait for the next connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    let mut head = Vec::new();
    let mut byte = [0u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.lines().next().unwrap_or("").to_owned();
    shared.seen.lock().unwrap().push(head);
    let answer = {
        let mut rules = shared.rules.lock().unwrap();
        let found = rules
            .iter_mut()
            .rev()
            .find(|rule| target.contains(&rule.path_part) && rule.times != Some(0));
        match found {
            Some(rule) => {
                rule.times = rule.times.map(|times| times - 1);
                rule.answer.clone()
            }
            None => "HTTP/1.1 404 Said\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".to_owned(),
        }
    };
    // The client may have gone: then nobody misses the answer.
    let _ = stream.write_all(answer.as_bytes());
}
