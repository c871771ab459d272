//! The listener for a system browser, over real sockets: it serves the one answer it waits for, and nothing else that
//! anybody sends has an effect.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use std::net::{IpAddr, TcpListener as Blocking};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use talkvalue_adapters::oauth::{Loopback, LoopbackError};
use talkvalue_core::connect::Answer;
use talkvalue_core::domain::provider::Provider;
use talkvalue_tests::loopback::{
    EVENTBRITE_PATH as PATH, GARBAGE, OWN, Reply, call, free_port, idlers, is_closed, navigation, reply,
    strangers,
};
#[cfg(target_os = "linux")]
use talkvalue_tests::loopback::{ON_THIS_COMPUTER, listened_on};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const PROVIDER: Provider = Provider::Eventbrite;

/// A listener at work that takes `state=right` for its answer.
struct Listening {
    port: u16,
    /// How many answers were recognised.
    heard: Arc<AtomicUsize>,
    task: JoinHandle<Answer>,
}

impl Listening {
    async fn start() -> Self {
        let port = free_port();
        let listener = Loopback::bind(PROVIDER, port).await.unwrap();
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = heard.clone();
        let task = tokio::spawn(listener.answer(Arc::new(move |address| {
            let value = |name: &str| {
                let found = address.query_pairs().find(|(key, _)| key == name);
                found.map(|(_, value)| value.into_owned())
            };
            if value("state").as_deref() != Some("right") {
                return None;
            }
            counted.fetch_add(1, Ordering::Relaxed);
            Some(match value("code") {
                Some(code) => Answer::Code(SecretString::from(code)),
                None => Answer::Declined,
            })
        })));
        Self { port, heard, task }
    }

    async fn sends(&self, bytes: &str) -> Option<Reply> {
        call(OWN[0], self.port, bytes.as_bytes()).await
    }

    async fn browses(&self, query: &str) -> Option<Reply> {
        self.sends(&navigation(self.port, &format!("{PATH}?{query}")))
            .await
    }

    async fn opens(&self, address: IpAddr) -> TcpStream {
        TcpStream::connect((address, self.port)).await.unwrap()
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }

    /// The true answer arrives, and is the first that was recognised.
    async fn ends_well(self) {
        assert_eq!(self.heard(), 0, "nothing before was an answer");
        let served = self.browses("state=right&code=abc").await.unwrap();
        assert_eq!(served.status, 200);
        let Answer::Code(code) = self.task.await.unwrap() else {
            panic!("it was a code");
        };
        assert_eq!(code.expose_secret(), "abc");
        assert!(is_closed(self.port).await, "the port is closed after the end");
    }
}

#[tokio::test]
async fn the_true_answer_is_served_whatever_else_calls() {
    let listening = Listening::start().await;
    let kept = idlers(listening.port).await;
    for garbage in GARBAGE {
        let answer = call(OWN[0], listening.port, garbage).await;
        assert!(
            answer.as_ref().is_none_or(|answer| answer.status >= 400),
            "{garbage:?} was answered with {answer:?}"
        );
    }
    let long = "x".repeat(9 * 1024);
    for request in [
        navigation(listening.port, &format!("{PATH}?state=right&code={long}")),
        navigation(listening.port, &format!("{PATH}?state=right&code=abc"))
            .replace("Accept: text/html", &format!("Cookie: {long}")),
    ] {
        let answer = listening.sends(&request).await;
        assert!(
            answer.as_ref().is_none_or(|answer| answer.status >= 400),
            "more than 8 KiB is not read: {answer:?}"
        );
    }
    listening.ends_well().await;
    drop(kept);
}

#[tokio::test]
async fn a_thousand_wrong_answers_do_not_end_the_listening() {
    let listening = Listening::start().await;
    let mut refused = 0;
    for round in 0..1_000 {
        let query = match round % 4 {
            0 => format!("state=wrong{round}&code=abc"),
            1 => "code=abc".to_owned(),
            2 => "error=access_denied".to_owned(),
            _ => String::new(),
        };
        let answer = listening.browses(&query).await;
        refused += usize::from(answer.is_some_and(|answer| answer.status == 400));
    }
    assert_eq!(
        refused, 1_000,
        "each is told that it is none, and listening continues"
    );
    listening.ends_well().await;
}

/// Takes some seconds: connections that ask nothing have to lapse.
#[tokio::test]
async fn slow_more_idle_connections_than_there_are_places_lapse() {
    let listening = Listening::start().await;
    let mut kept = Vec::new();
    for round in 0..80 {
        kept.push(listening.opens(OWN[round % 2]).await);
    }
    listening.ends_well().await;
    drop(kept);
}

#[tokio::test]
async fn nobody_but_a_browser_that_was_redirected_has_an_effect() {
    let listening = Listening::start().await;
    let requests = strangers(listening.port, "state=right&code=abc");
    for request in &requests {
        let answer = listening.sends(request).await;
        assert!(
            answer.as_ref().is_none_or(|answer| answer.status >= 400),
            "{request:?} was answered with {answer:?}"
        );
        assert_eq!(listening.heard(), 0, "{request:?} was heard");
    }
    listening.ends_well().await;
}

#[tokio::test]
async fn a_browser_that_tells_nothing_of_itself_is_served_by_either_name_and_family() {
    for own in OWN {
        for host in ["localhost", "LOCALHOST", "127.0.0.1"] {
            let listening = Listening::start().await;
            let port = listening.port;
            let request = format!("GET {PATH}?state=right&code=abc HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
            let served = call(own, port, request.as_bytes()).await.unwrap();
            assert_eq!(served.status, 200, "{host} over {own}");
            listening.task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    let listening = Listening::start().await;
    let request = navigation(listening.port, &format!("{PATH}?state=right&code=abc"));
    let (head, tail) = request.split_at(request.len() - 2);
    // Both stand before the door when the first one enters.
    let mut both = [listening.opens(OWN[0]).await, listening.opens(OWN[0]).await];
    for stream in &mut both {
        stream.write_all(head.as_bytes()).await.unwrap();
    }
    let [first, second] = &mut both;
    first.write_all(tail.as_bytes()).await.unwrap();
    assert_eq!(reply(first).await.unwrap().status, 200);
    let _ = second.write_all(tail.as_bytes()).await;
    let later = reply(second).await;
    assert!(
        later.as_ref().is_none_or(|later| later.status == 400),
        "a second use has no effect: {later:?}"
    );
    listening.task.await.unwrap();
    assert!(is_closed(listening.port).await);
}

#[tokio::test]
async fn the_port_is_closed_after_a_cancel_and_after_the_deadline() {
    let listening = Listening::start().await;
    let mut waiting = listening.opens(OWN[0]).await;
    listening.task.abort();
    assert!(listening.task.await.unwrap_err().is_cancelled());
    assert!(is_closed(listening.port).await, "nobody waits any more");
    assert_eq!(reply(&mut waiting).await, None, "who was connected is let go");

    let port = free_port();
    let listener = Loopback::bind(PROVIDER, port).await.unwrap();
    let never = listener.answer(Arc::new(|_| None));
    let ended = tokio::time::timeout(std::time::Duration::from_millis(1), never).await;
    assert!(ended.is_err(), "nobody answered");
    assert!(is_closed(port).await);

    let listener = Loopback::bind(PROVIDER, port).await.unwrap();
    drop(listener);
    assert!(
        is_closed(port).await,
        "an attempt that was never shown leaves nothing"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nobody_outside_this_computer_can_reach_it() {
    let listening = Listening::start().await;
    assert_eq!(
        listened_on(listening.port),
        ON_THIS_COMPUTER,
        "it listens on ::1 and 127.0.0.1, and nowhere else"
    );
    listening.ends_well().await;
}

#[tokio::test]
async fn the_page_repeats_nothing_and_loads_nothing() {
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</p><p>Enter your password</p>",
        "\r\nSet-Cookie: a=b",
        "CANARYCODE",
    ];
    let (mut pages, mut refusals) = (Vec::new(), Vec::new());
    for payload in payloads {
        let payload: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        let listening = Listening::start().await;
        let wrong = format!("state=wrong&error=access_denied&error_description={payload}");
        refusals.push(listening.browses(&wrong).await);
        let elsewhere = navigation(listening.port, &format!("/{payload}?{payload}")).replace(
            "Accept: text/html",
            &format!("Referer: {payload}\r\nX-Name: {payload}"),
        );
        let answer = listening.sends(&elsewhere).await.unwrap();
        assert!(answer.status >= 400);
        assert!(!answer.body.contains(&payload), "{answer:?}");
        let declined =
            format!("state=right&error=access_denied&error_description={payload}&{payload}={payload}");
        pages.push(listening.browses(&declined).await);
        assert!(matches!(listening.task.await.unwrap(), Answer::Declined));
    }
    for (status, all) in [(200, pages), (400, refusals)] {
        let all: Vec<Reply> = all
            .into_iter()
            .map(|page| page.expect("every request is answered"))
            .collect();
        let first = &all[0];
        assert_eq!(first.status, status);
        assert!(
            all.iter().all(|page| page == first),
            "a page is the same to the letter whatever it was asked with: {all:?}"
        );
        let (_, script) = first.body.split_once("<script>").unwrap();
        let (script, _) = script.split_once("</script>").unwrap();
        assert!(
            script.contains("history.replaceState"),
            "the code leaves the address line"
        );
        let hash = STANDARD.encode(digest(&SHA256, script.as_bytes()));
        let policy = first.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; "));
        assert!(
            policy.contains(&format!("script-src 'sha256-{hash}';")),
            "the page's own script may run: {policy} must name {hash}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert_eq!(first.header("cache-control"), Some("no-store"));
        assert_eq!(first.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(first.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(first.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(first.header("access-control-allow-origin"), None);
        assert_eq!(first.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_on_either_family_is_named_and_left() {
    for (taken, other) in [(OWN[0], OWN[1]), (OWN[1], OWN[0])] {
        let port = free_port();
        let theirs = Blocking::bind((taken, port)).unwrap();
        let Err(error) = Loopback::bind(PROVIDER, port).await else {
            panic!("a browser would be sent to somebody else on {taken}");
        };
        assert!(matches!(error, LoopbackError::Taken { port: named } if named == port));
        let told = error.for_person(PROVIDER);
        for words in [
            format!("Port {port}"),
            format!("http://localhost:{port}{PATH}"),
            "Nothing was changed".to_owned(),
        ] {
            assert!(
                told.message.contains(&words),
                "{words:?} is missing in {:?}",
                told.message
            );
        }
        assert!(
            Blocking::bind((other, port)).is_ok(),
            "the other family's port is given back at once"
        );
        drop(theirs);
    }
}

#[tokio::test]
async fn two_attempts_do_not_share_a_port() {
    let listening = Listening::start().await;
    assert!(matches!(
        Loopback::bind(PROVIDER, listening.port).await,
        Err(LoopbackError::Taken { .. })
    ));
    listening.ends_well().await;
}
