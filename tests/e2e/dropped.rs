//! Addresses that are dropped on the window: dragged there by a real pointer from the page of a sign-in, as a person might
//! by mistake, or because that page asked for it.

use crate::local_server::LocalServer;
use crate::provider_window::ProviderWindow;
use crate::screen::{Computer, Start};
use crate::sign_in::{any_app, begins, cancels, remembers_app};
use serde_json::json;
use std::time::Duration;
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;

/// A drag that has begun ends when the pointer lets go.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// Links from edge to edge, one below the other. Tells of each that it was dragged.
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><body style="margin:0">
<script>
  const addresses = "%ADDRESSES%";
  for (const [number, address] of addresses.entries()) {
    const link = Object.assign(document.createElement("a"), { href: address, textContent: "Drag me to your lists" });
    const height = 100 / addresses.length;
    link.style.cssText = `position:fixed;left:0;right:0;top:${number * height}vh;height:${height}vh;background:#dde`;
    link.ondragend = () => fetch("/report", { method: "POST", body: address });
    document.body.append(link);
  }
</script>"#;

/// Marks the page, and counts what is dropped on it.
const MARK: &str = "
window.markOfTheTest = 'still here';
window.drops = 0;
window.ondrop = () => (window.drops += 1);
arguments[0]();
";

/// Gives the window time to leave, and tells whether it did: an allowed navigation is through within two frames.
const AFTER: &str = r#"
const [done] = arguments;
(async () => {
  for (let frame = 0; frame < 30; frame += 1) {
    await new Promise(requestAnimationFrame);
  }
  return { mark: window.markOfTheTest ?? "gone", at: location.href, drops: window.drops };
})().then(done, (error) => done(String(error)));
"#;

#[tokio::test]
async fn an_address_dropped_on_the_window_does_not_replace_its_page() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let server = LocalServer::start();
    let addresses = [
        server.url("/dropped"),
        "https://www.eventbrite.com/".to_owned(),
        "file:///etc/hostname".to_owned(),
        "data:text/html,<title>elsewhere</title>".to_owned(),
    ];
    server.serve(PAGE.replace("\"%ADDRESSES%\"", &json!(addresses).to_string()));
    let computer = Computer::start(KeychainState::Unlocked);
    let start = Start {
        environment: vec![("TALKVALUE_EVENTBRITE_OAUTH_URL", server.url("/oauth"))],
        ..Start::default()
    };
    let window = computer.open_as(&sandbox, start).await;
    window.sees("Which lists should be live here?").await;
    window.script(MARK, Vec::new()).await;
    let own = window
        .client
        .current_url()
        .await
        .expect("the page has an address");
    remembers_app(&window, "EVENTBRITE", &any_app(), 47_831).await;
    begins(&window, "EVENTBRITE", "WINDOW").await;
    let page = ProviderWindow::titled(&computer, "127.0.0.1:.* Sign in");
    page.picture("dragged");
    let parts = f64::from(u32::try_from(addresses.len()).expect("a few"));
    let mut drops = 0;
    for (number, address) in (0_u32..).zip(&addresses) {
        page.drags_to_main((0.5, (f64::from(number) + 0.5) / parts));
        let dragged = server.reports.recv_timeout(ENDS_WITHIN);
        assert_eq!(
            dragged.as_ref(),
            Ok(address),
            "it was dragged, or nothing is proved"
        );
        // A file does not even come to the page.
        drops += u32::from(!address.starts_with("file:"));
        let after = window.script(AFTER, Vec::new()).await;
        assert_eq!(
            after,
            json!({ "mark": "still here", "at": own.as_str(), "drops": drops }),
            "{address} was dropped on the page, and the page stays"
        );
    }
    assert_eq!(server.heard(), Vec::<String>::new(), "nothing was fetched");
    cancels(&window).await;
    window.quit().await;
}
