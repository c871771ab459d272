//! Pages that are not the app's own. In a window beside ours they reach no command, whatever way they take; and our
//! own window shows no page but ours, and no frame.

use crate::acl::tauris_own;
use crate::local_server::{LocalServer, MARK};
use crate::screen::{Computer, Start, Window};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sync_app::commands::NAMES;

const PAGE: &str = include_str!("stranger/page.html");

pub(crate) const PLACES: [&str; 4] = ["page", "srcdoc", "data", "blob"];
const WAYS: [&str; 4] = ["invoke", "ipc", "http", "message"];

/// Much longer than the page takes: it makes thousands of calls.
const REPORTS_WITHIN: Duration = Duration::from_secs(180);

#[derive(Deserialize)]
pub(crate) struct Report {
    key: String,
    results: Vec<Call>,
    /// What earlier visits had left.
    pub(crate) found: String,
}

#[derive(Deserialize, Debug)]
struct Call {
    #[serde(rename = "where")]
    place: String,
    way: String,
    command: String,
    outcome: String,
    answer: String,
}

/// Arguments that every command would take.
fn arguments() -> Value {
    json!({
        "itemId": "item-1", "integrationId": "int-1", "withIntegrationId": null, "externalId": "evt-1",
        "kind": "BADGE_EVENT", "provider": "LUMA", "secret": "secret-abc", "id": null, "renews": null, "ask": false,
        "request": {
            "search": "", "status": null, "ticket": null, "sort": "NAME", "descending": false, "offset": 0, "limit": 10
        },
        "event": "notice", "target": { "kind": "Any" }, "handler": 1, "payload": {}, "options": {}, "label": "main",
        "value": "Stolen", "path": "/", "directory": 1, "rid": 1,
    })
}

impl Report {
    /// Asserts that every command was called in every way from every place, and refused; calls of the page itself that
    /// take one of the `reaching` ways, by the permissions.
    pub(crate) fn assert_all_refused(&self, commands: &[&str], places: &[&str], reaching: &[&str]) {
        assert!(
            !self.key.is_empty(),
            "the page must have found the key that calls carry, or its raw calls prove nothing"
        );
        assert_eq!(
            self.results.len(),
            places.len() * WAYS.len() * commands.len(),
            "every command must have been called in every way from every place"
        );
        let mut tally: BTreeMap<String, usize> = BTreeMap::new();
        for call in &self.results {
            assert!(
                call.outcome == "refused",
                "a page of somebody else reached {} by {} from {}: {}",
                call.command,
                call.way,
                call.place,
                call.answer
            );
            // What reaches Rust must be refused by the permissions, by name; the rest ends in the web view.
            let by_the_permissions = call.answer.contains("not allowed") || call.answer.contains("not found");
            if call.place == "page" && reaching.contains(&call.way.as_str()) {
                assert!(
                    by_the_permissions,
                    "{} by {} must end at the permissions, but ended with {:?}",
                    call.command, call.way, call.answer
                );
            }
            let end = if by_the_permissions {
                "the permissions"
            } else {
                "the web view"
            };
            *tally
                .entry(format!("{} by {}: refused by {end}", call.place, call.way))
                .or_default() += 1;
        }
        for (what, count) in &tally {
            println!("{what}: {count}");
        }
    }
}

/// Every command there is.
pub(crate) fn commands() -> Vec<&'static str> {
    NAMES.into_iter().chain(tauris_own()).collect()
}

/// A page that calls them all.
pub(crate) fn page(commands: &[&str], places: &[&str]) -> String {
    PAGE.replace("\"%COMMANDS%\"", &json!(commands).to_string())
        .replace("\"%PAYLOAD%\"", &arguments().to_string())
        .replace("\"%PLACES%\"", &json!(places).to_string())
        .replace("%MARK%", MARK)
}

/// What the page says in the end.
pub(crate) fn report_of(server: &LocalServer) -> Report {
    let report = server
        .reports
        .recv_timeout(REPORTS_WITHIN)
        .expect("the stranger's page ran to its end");
    serde_json::from_str(&report).expect("it reports as the test asked it to")
}

/// Calls one command in each way from the main window, as only its own page can.
const CALL_FROM_OUR_OWN_PAGE: &str = r#"
const [command, payload, done] = arguments;
(async () => {
  const internals = window.__TAURI_INTERNALS__;
  let key = "";
  const fetchOfThePage = window.fetch;
  window.fetch = (address, options) => {
    key ||= options?.headers?.get?.("Tauri-Invoke-Key") ?? "";
    return fetchOfThePage.call(window, address, options);
  };
  const invoke = await internals.invoke(command, payload).then(() => "accepted", String);
  window.fetch = fetchOfThePage;
  const ipc = await fetch(`ipc://localhost/${command}`, {
    method: "POST",
    body: JSON.stringify(payload),
    headers: { "Content-Type": "application/json", "Tauri-Callback": "1", "Tauri-Error": "2", "Tauri-Invoke-Key": key },
  }).then((response) => response.headers.get("Tauri-Response") === "ok" ? "accepted" : response.text(), String);
  const message = await new Promise((resolve) =>
    window.webkit.messageHandlers.ipc.postMessage(
      JSON.stringify({
        cmd: command,
        callback: internals.transformCallback(() => resolve("accepted")),
        error: internals.transformCallback((refusal) => resolve(JSON.stringify(refusal))),
        payload,
        options: { customProtocolIpcBlocked: true },
        __TAURI_INVOKE_KEY__: key,
      }),
    ),
  );
  return { invoke, ipc, message };
})().then(done, (error) => done(String(error)));
"#;

#[tokio::test]
async fn a_page_of_somebody_else_reaches_no_command_whatever_way_it_takes() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let server = LocalServer::start();
    let commands = commands();
    server.serve(page(&commands, &PLACES));
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer
        .open_as(
            &sandbox,
            Start {
                program: Some("examples/stranger"),
                environment: vec![("TALKVALUE_STRANGER_URL", server.url("/page"))],
                ..Start::default()
            },
        )
        .await;
    let report = report_of(&server);
    report.assert_all_refused(&commands, &PLACES, &["invoke", "ipc", "message"]);

    assert_eq!(
        (
            sandbox.luma().request_count(),
            sandbox.eventbrite().request_count()
        ),
        (0, 0),
        "nothing that was refused has had an effect"
    );
    to_the_main_window(&window).await;
    window.sees("Which lists should be live here?").await;
    let own = window
        .script(CALL_FROM_OUR_OWN_PAGE, vec![json!("app_status"), arguments()])
        .await;
    assert_eq!(
        own,
        json!({ "invoke": "accepted", "ipc": "accepted", "message": "accepted" }),
        "the same calls are answered in the main window: it works on, and the ways are real"
    );
    window.quit().await;
}

async fn to_the_main_window(window: &Window) {
    let handles = window.client.windows().await.expect("the windows can be listed");
    for handle in handles {
        window
            .client
            .switch_to_window(handle)
            .await
            .expect("a window can be chosen");
        let address = window.client.current_url().await.expect("it has an address");
        if address.scheme() == "tauri" {
            return;
        }
    }
    panic!("the main window is gone");
}

/// Tries to leave the page by one address in every way a script has, and lets ten frames pass after each: an allowed
/// navigation to a server of this computer is through within two.
const LEAVE: &str = r#"
const [address, done] = arguments;
(async () => {
  const frames = async (count) => {
    for (let frame = 0; frame < count; frame += 1) {
      await new Promise(requestAnimationFrame);
    }
  };
  const tried = [];
  const attempt = async (name, act) => {
    try {
      act();
    } catch (error) {
      // Refused at once: as good as refused later.
    }
    tried.push(name);
    await frames(10);
  };
  const link = (attributes) => {
    const anchor = Object.assign(document.createElement("a"), { href: address, textContent: "leave" }, attributes);
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
  };
  await attempt("location.href", () => (location.href = address));
  await attempt("location.replace", () => location.replace(address));
  let opened = null;
  await attempt("window.open", () => (opened = window.open(address)));
  await attempt("link", () => link({}));
  await attempt("link to a new window", () => link({ target: "_blank", rel: "opener" }));
  await attempt("download", () => link({ download: "list.csv" }));
  await attempt("meta refresh", () => {
    const meta = document.createElement("meta");
    meta.httpEquiv = "refresh";
    meta.content = `0;url=${address}`;
    document.head.append(meta);
    meta.remove();
  });
  await attempt("form", () => {
    const form = Object.assign(document.createElement("form"), { action: address, method: "post" });
    document.body.append(form);
    form.submit();
    form.remove();
  });
  return { tried: tried.length, opened: opened !== null, mark: window.markOfTheTest ?? "gone" };
})().then(done, (error) => done(String(error)));
"#;

#[tokio::test]
async fn the_window_stays_on_its_page_whatever_address_a_script_sends_it_to() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let server = LocalServer::start();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    window
        .script("window.markOfTheTest = 'still here'; arguments[0]();", Vec::new())
        .await;
    let own = window
        .client
        .current_url()
        .await
        .expect("the page has an address");
    let addresses = [
        server.url("/left"),
        server.url("/left?list=1#there"),
        server.url("/left").replace("127.0.0.1", "localhost"),
        server.url("/left").replace("http://", "http://tauri.localhost@"),
        format!("{}/left", sandbox.luma().api_url()),
        "https://tauri.localhost.example/".to_owned(),
        "tauri://elsewhere/index.html".to_owned(),
        "file:///etc/hostname".to_owned(),
        "data:text/html,<title>elsewhere</title>".to_owned(),
        "about:blank".to_owned(),
        "javascript:document.body.textContent='left'".to_owned(),
        "blob:null/00000000-0000-0000-0000-000000000000".to_owned(),
        "mailto:robin@harbour.example".to_owned(),
        "x-scheme-nobody-knows:left".to_owned(),
        server.url("/left").replace("http://", "HTTP://"),
        server.url("/left").replace("http://", "http:/\\"),
        server.url("/left").replace("http:", ""),
        server.url("/left").replace("127.0.0.1", "2130706433"),
        server.url("/left").replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        server.url("/left").replace("http://", "ws://"),
        server.url("/left").replace("http://", "ftp://"),
        server.url("/left").replace("http://", "view-source:http://"),
        format!("blob:{}", server.url("/left")),
        format!("tauri://localhost@{}", server.url("/left").replace("http://", "")),
        "http://tauri.localhost.example/".to_owned(),
        "https://www.eventbrite.com/oauth/authorize".to_owned(),
        "https://luma.com/".to_owned(),
        "about:srcdoc".to_owned(),
        "smb://harbour.example/left".to_owned(),
        "ipc://localhost/app_status".to_owned(),
        "webkit://gpu".to_owned(),
    ];
    assert!(addresses.len() >= 30, "a handful of addresses proves little");
    for address in &addresses {
        let outcome = window.script(LEAVE, vec![json!(address)]).await;
        assert_eq!(
            outcome,
            json!({ "tried": 8, "opened": false, "mark": "still here" }),
            "{address} must not replace the app's page, and every way must have been tried"
        );
    }
    assert_eq!(
        server.heard(),
        Vec::<String>::new(),
        "the window asked no address it was sent to"
    );
    assert_eq!(sandbox.luma().request_count(), 0, "nor a provider's");
    assert_eq!(
        window
            .client
            .current_url()
            .await
            .expect("the page has an address"),
        own,
        "the window is where it was"
    );
    assert_eq!(
        window
            .client
            .windows()
            .await
            .expect("windows can be listed")
            .len(),
        1,
        "no second window was opened"
    );
    window.press("Settings").await;
    window.sees("Integrations").await;
    window.quit().await;
}

/// Puts frames into the page, one after the other, each for as long as thirty frames are drawn: a frame that may run
/// its script has done so within two. Tells which did. The stranger's page shows that such frames run where they may.
const FRAMES: &str = r#"
const [address, done] = arguments;
(async () => {
  const ran = [];
  addEventListener("message", ({ data }) => data?.ran && ran.push(data.ran));
  const text = (where) => `<!doctype html><script>parent.postMessage({ ran: "${where}" }, "*")<\/script>`;
  const kinds = {
    srcdoc: (frame) => (frame.srcdoc = text("srcdoc")),
    data: (frame) => (frame.src = `data:text/html,${encodeURIComponent(text("data"))}`),
    blob: (frame) => (frame.src = URL.createObjectURL(new Blob([text("blob")], { type: "text/html" }))),
    http: (frame) => (frame.src = address),
  };
  for (const fill of Object.values(kinds)) {
    const frame = document.createElement("iframe");
    fill(frame);
    document.body.append(frame);
    for (let count = 0; count < 30; count += 1) {
      await new Promise(requestAnimationFrame);
    }
    frame.remove();
  }
  return { ran, tried: Object.keys(kinds).length };
})().then(done, (error) => done(String(error)));
"#;

#[tokio::test]
async fn no_frame_in_the_main_window_runs_a_script() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let server = LocalServer::start();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    let outcome = window.script(FRAMES, vec![json!(server.url("/framed"))]).await;
    assert_eq!(
        outcome,
        json!({ "ran": [], "tried": 4 }),
        "a frame's script could call whatever the page can, so none may run"
    );
    assert_eq!(server.heard(), Vec::<String>::new(), "no frame fetched anything");
    window.press("Settings").await;
    window.sees("Integrations").await;
    window.quit().await;
}
