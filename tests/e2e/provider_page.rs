//! What a provider's page may not do in the window that shows it, with a person's own click behind every try: open
//! another window, save a file, use what is on this computer, leave the web, or pass for somebody else.

use crate::local_server::{LocalServer, MARK};
use crate::provider_window::{ProviderWindow, how_many};
use crate::screen::{Computer, Start};
use crate::sign_in::{any_app, begins, cancels, files_with, remembers_app};
use serde_json::Value;
use std::time::Duration;
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;

/// Much longer than the page takes.
const REPORTS_WITHIN: Duration = Duration::from_secs(60);

/// Everything is tried in answer to a click, which browsers allow more than a script by itself. The page calls itself by
/// another's name, and goes to another server in the end.
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>luma.com · Sign in</title>
<h1>luma.com</h1><p>Sign in to go on. This page calls itself by another's name, and tries whatever a page can try once
somebody has clicked on it.</p>
<button>Try everything</button>
<script>
  const frames = async (count) => {
    for (let frame = 0; frame < count; frame += 1) {
      await new Promise(requestAnimationFrame);
    }
  };
  const link = (attributes) => {
    const anchor = Object.assign(document.createElement("a"), attributes);
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
  };
  const given = (asked) =>
    Promise.race([asked().then(() => "given", () => "denied"), frames(120).then(() => "never")]).catch(() => "absent");
  document.querySelector("button").onclick = async () => {
    const opened = window.open("/popup") !== null;
    link({ href: "/popup?link", target: "_blank", rel: "opener" });
    link({ href: "/attachment?attribute", download: "%MARK%.csv" });
    const microphone = await given(() => navigator.mediaDevices.getUserMedia({ audio: true }));
    const place = await given(() => new Promise((yes, no) => navigator.geolocation.getCurrentPosition(yes, no)));
    const notes = await given(async () => {
      if ((await Notification.requestPermission()) !== "granted") throw new Error("denied");
    });
    for (const address of ["/attachment", "file:///etc/hostname", "tauri://localhost/", "data:text/html,%MARK%", "mailto:a@b.example"]) {
      location.href = address;
      await frames(20);
    }
    const report = JSON.stringify({ opened, microphone, place, notes, at: location.pathname });
    await fetch("/report", { method: "POST", body: report });
    location.href = "%NEXT%";
  };
</script>"#;

#[tokio::test]
async fn a_providers_page_opens_saves_and_uses_nothing_and_its_host_stands_in_the_title() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let (provider, next) = (LocalServer::start(), LocalServer::start());
    // The same computer by another name: another host.
    let elsewhere = next.url("/next").replace("127.0.0.1", "localhost");
    provider.serve(PAGE.replace("%NEXT%", &elsewhere).replace("%MARK%", MARK));
    let computer = Computer::start(KeychainState::Unlocked);
    let start = Start {
        environment: vec![("TALKVALUE_EVENTBRITE_OAUTH_URL", provider.url("/oauth"))],
        ..Start::default()
    };
    let window = computer.open_as(&sandbox, start).await;
    window.sees("Which lists should be live here?").await;
    remembers_app(&window, "EVENTBRITE", &any_app(), 47_831).await;
    begins(&window, "EVENTBRITE", "WINDOW").await;

    let host = |server: &LocalServer| server.url("").replace("http://", "");
    let page = ProviderWindow::titled(&computer, &format!("^{} · Sign in$", host(&provider)));
    page.picture("provider-page");
    let shown = how_many(&computer);
    page.keys(&["Tab", "space"]);
    let report = provider
        .reports
        .recv_timeout(REPORTS_WITHIN)
        .expect("the page tries to its end");
    let report: Value = serde_json::from_str(&report).expect("it reports as the test asked it to");
    assert_eq!(report["opened"], false, "no window for a page: {report}");
    assert_eq!(report["at"], "/oauth/authorize", "nowhere off the web: {report}");
    for right in ["microphone", "place", "notes"] {
        assert_ne!(report[right], "given", "{right}: {report}");
    }
    let asked = provider.heard();
    assert!(
        !asked.iter().any(|request| request.contains("/popup")),
        "a pop-up is not even fetched: {asked:?}"
    );
    assert!(
        asked.iter().any(|request| request.contains("/attachment")),
        "the file was to be had, or its absence proves nothing: {asked:?}"
    );

    // The title follows the host, whatever the page calls itself.
    let moved = host(&next).replace("127.0.0.1", "localhost");
    let page = ProviderWindow::titled(&computer, &format!("^{moved} · Sign in$"));
    assert_eq!(how_many(&computer), shown, "no window was opened");
    cancels(&window).await;
    page.closes(&moved);
    window.quit().await;
    let here = std::env::current_dir().expect("the test runs somewhere");
    let saved_here = here.join(format!("{MARK}.csv"));
    assert!(!saved_here.exists(), "nothing is saved where the app runs");
    for place in [computer.folder.path(), computer.keychain.home()] {
        let left = files_with(place, MARK);
        assert!(left.is_empty(), "nothing is saved: {left:?}");
    }
}
