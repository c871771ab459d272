//! Provider text is somebody else's: anyone may call their event, themselves or their company anything. It shows as
//! text, whole, and makes nothing: no element, no request, no script.

use crate::local_server::LocalServer;
use crate::screen::{Computer, Window};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, GuestSpec, Sandbox};

/// What people might call things, the same list as in the tests of the window's parts. `%C` is an address that nobody may
/// ask for; most of what could become an element has the class `canary`.
const PAYLOADS: &str = include_str!("../payloads/hostile.json");

#[derive(Deserialize)]
struct Payloads {
    texts: Vec<String>,
}

/// The list holds at least as many, each of which would fetch something.
const FETCHING: usize = 200;

/// Made here: a word that no line can break.
const LONG: usize = 4_000;

/// Watches for what the page's policy has refused, from before anything hostile arrives.
const WATCH: &str = "window.refusedByPolicy = [];
document.addEventListener('securitypolicyviolation', (refused) =>
  window.refusedByPolicy.push(`${refused.effectiveDirective} ${refused.blockedURI}`));
arguments[0]();";

/// What hostile text would have left behind.
const TRACES: &str = "arguments[0]({
  refused: window.refusedByPolicy,
  elements: document.querySelectorAll('.canary, iframe, object, embed, base, template, main script, main style').length,
  title: document.title.includes('owned'),
});";

/// Scrolls a list to its end, a little less than a screen at a time, and waits for its rows each time; gives the texts of
/// all elements of that kind, whole.
const READ_ALL: &str = r#"
const [list, text, done] = arguments;
(async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const scroller = document.querySelector(list);
  const seen = new Set();
  for (let top = 0; ; top += Math.max(scroller.clientHeight - 80, 40)) {
    scroller.scrollTop = top;
    do {
      await frame();
      await frame();
    } while (scroller.querySelector(text) === null || scroller.querySelector(".bone") !== null);
    for (const element of scroller.querySelectorAll(text)) {
      seen.add(element.textContent);
    }
    if (top + scroller.clientHeight >= scroller.scrollHeight) {
      return [...seen];
    }
  }
})().then(done, (error) => done(String(error)));
"#;

/// Picks the row of exactly this title, wherever the list stands.
const PICK: &str = r#"
const [list, kind, title, done] = arguments;
(async () => {
  const scroller = document.querySelector(list);
  for (let top = 0; top === 0 || top < scroller.scrollHeight; top += 200) {
    scroller.scrollTop = top;
    do {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    } while (scroller.querySelector(kind) === null);
    const row = [...scroller.querySelectorAll(kind)].find((row) =>
      [...row.querySelectorAll("bdi")].some((text) => text.textContent === title));
    if (row !== undefined) {
      (row.querySelector(".open") ?? row).click();
      return true;
    }
  }
  throw new Error("no such row");
})().then(done, (error) => done(String(error)));
"#;

const HEADING: &str = "arguments[0](document.querySelector('h1').textContent);";

const PRESS_ESCAPE: &str = "document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
arguments[0]();";

/// What the titles that are imported begin with: one of each kind that could make something.
const IMPORTED: [&str; 6] = [
    "<img src=x",
    "<script class=canary src",
    "<svg onload",
    "<iframe class=canary src",
    "<a class=canary href=\"javascript",
    "\u{202e}gnp",
];

/// Some dozens of requests of this computer to itself.
const IMPORTED_WITHIN: std::time::Duration = std::time::Duration::from_secs(180);

fn payloads(server: &LocalServer) -> Vec<String> {
    let canary = server.url("/canary");
    let listed: Payloads = serde_json::from_str(PAYLOADS).expect("the list is JSON");
    let fetching = listed.texts.iter().filter(|text| text.contains("%C")).count();
    assert!(fetching >= FETCHING, "{fetching} texts prove little");
    let mut all: Vec<String> = listed
        .texts
        .iter()
        // What shows nothing is shown in our words instead: the window's own tests see to it.
        .filter(|text| text.chars().any(|letter| !is_unseen(letter)))
        .map(|text| text.replace("%C", &canary))
        .collect();
    all.push(format!("Endless{}", "x".repeat(LONG)));
    all
}

fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{3164}' | '\u{2800}'
        )
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[tokio::test]
async fn hostile_texts_show_whole_as_text_and_make_nothing() {
    let server = LocalServer::start();
    let all = payloads(&server);
    let sandbox = Sandbox::builder()
        .seed(13)
        .start()
        .await
        .expect("the sandbox listens");
    let luma = sandbox.luma();
    let calendar = luma.add_calendar(&all[0], &all[8], &all[9]);
    let first = luma.add_event(&calendar.id, EventSpec::new(all[1].as_str()));
    for text in &all {
        let guest = GuestSpec::new(text.as_str())
            .email(email(text))
            .company(text.as_str())
            .ticket(text.as_str());
        luma.add_guest(&first, guest);
    }
    for text in all.iter().filter(|text| **text != all[1]) {
        luma.add_event(&calendar.id, EventSpec::new(text.as_str()));
    }

    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    window.script(WATCH, Vec::new()).await;
    window.press("Connect Luma").await;
    window.type_into("API key", &calendar.key).await;
    window.press("Connect").await;
    window.sees("Connected as").await;
    nothing_was_made(&window, &server, "the account's name").await;

    window.press("Import events").await;
    window.sees("For check-in").await;
    let offered = read_all(&window, "#candidates", "bdi.title").await;
    assert_shown(&all, &offered, "the titles on offer");
    nothing_was_made(&window, &server, "the titles on offer").await;

    // The first holds everybody; the others bring hostile titles into the list.
    let imported: Vec<String> = IMPORTED
        .iter()
        .map(|start| {
            let text = all.iter().find(|text| text.starts_with(start));
            text.expect("the list has one of each kind").clone()
        })
        .collect();
    for (count, title) in imported.iter().enumerate() {
        if count > 0 {
            window.press("Import event").await;
            window.sees("For check-in").await;
        }
        window
            .script(
                PICK,
                vec![json!("#candidates"), json!(".candidate"), json!(title)],
            )
            .await;
        window.press("Import").await;
        window
            .sees_within(&format!("{} live", count + 1), IMPORTED_WITHIN)
            .await;
    }
    let listed = read_all(&window, ".rows.scrolls", ".title bdi").await;
    assert_shown(&imported, &listed, "the titles in the list");
    nothing_was_made(&window, &server, "the list").await;

    window
        .script(PICK, vec![json!(".rows.scrolls"), json!(".row"), json!(all[1])])
        .await;
    window.sees("Total attendees").await;
    let title = window.script(HEADING, Vec::new()).await;
    assert_eq!(title, json!(all[1]), "the page's name is the event's, whole");
    for (column, text) in [
        ("names", "bdi.name"),
        ("companies", "bdi.company"),
        ("tickets", ".TICKET bdi"),
    ] {
        let shown = read_all(&window, ".body.scrolls", text).await;
        assert_shown(&all, &shown, column);
    }
    let emails: Vec<String> = all.iter().map(|text| email(text)).collect();
    let shown = read_all(&window, ".body.scrolls", ".EMAIL bdi").await;
    assert_shown(&emails, &shown, "e-mails");
    nothing_was_made(&window, &server, "the table").await;
    window.press("Ticket: Any ticket").await;
    window.sees("__proto__").await;
    nothing_was_made(&window, &server, "the tickets to choose from").await;
    window.script(PRESS_ESCAPE, Vec::new()).await;

    // Sentences that quote the account, and the dialog that offers the way back.
    luma.revokes_keys();
    window.syncs_until(window.sees("Integration disconnected")).await;
    nothing_was_made(&window, &server, "the banner").await;
    window.press("Reconnect").await;
    window.sees("Sign in again").await;
    nothing_was_made(&window, &server, "the reconnect dialog").await;
    window.press("Go to integrations").await;
    window.sees("Connect Eventbrite").await;
    nothing_was_made(&window, &server, "the settings").await;
    window.quit().await;
}

fn email(text: &str) -> String {
    format!("{text}@harbour.example")
}

async fn read_all(window: &Window, list: &str, text: &str) -> BTreeSet<String> {
    let texts = window.script(READ_ALL, vec![json!(list), json!(text)]).await;
    let Value::Array(texts) = texts else {
        panic!("the list could not be read: {texts}")
    };
    texts
        .into_iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn assert_shown(expected: &[String], shown: &BTreeSet<String>, where_: &str) {
    let missing: Vec<&String> = expected.iter().filter(|text| !shown.contains(*text)).collect();
    assert!(
        missing.is_empty(),
        "{where_} must show every text whole and unchanged, but these are not there: {missing:?}"
    );
}

async fn nothing_was_made(window: &Window, server: &LocalServer, after: &str) {
    let traces = window.script(TRACES, Vec::new()).await;
    assert_eq!(
        traces,
        json!({ "refused": [], "elements": 0, "title": false }),
        "after {after}: text of others becomes no element, and nothing that the policy had to refuse"
    );
    assert_eq!(
        server.heard(),
        Vec::<String>::new(),
        "after {after}: nothing was fetched"
    );
}
