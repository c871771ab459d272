//! Addresses that are dropped on the window: by a real pointer, as a person would do it by mistake.

use crate::local_server::LocalServer;
use crate::provider_window::drags;
use crate::screen::Computer;
use serde_json::{Value, json};
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;

/// Lays a link and a text with an address over the page, and writes down what the pointer does with them.
const LAY: &str = r#"
const [address, done] = arguments;
window.markOfTheTest = "still here";
window.dragged = [];
for (const kind of ["dragstart", "dragend"]) {
  addEventListener(kind, (event) => window.dragged.push(kind), true);
}
const link = Object.assign(document.createElement("a"), { href: address, textContent: address, id: "dragged" });
link.style.cssText = "position:fixed;left:40px;top:120px;width:300px;height:40px;z-index:9999;background:white";
document.body.append(link);
const box = link.getBoundingClientRect();
requestAnimationFrame(() => requestAnimationFrame(() => done({ x: box.x + 40, y: box.y + 10 })));
"#;

/// Gives the window time to leave, and tells whether it did.
const AFTER: &str = r##"
const [done] = arguments;
(async () => {
  for (let frame = 0; frame < 30; frame += 1) {
    await new Promise(requestAnimationFrame);
  }
  document.querySelector("#dragged")?.remove();
  return { mark: window.markOfTheTest ?? "gone", dragged: window.dragged, at: location.href };
})().then(done, (error) => done(String(error)));
"##;

#[tokio::test]
async fn an_address_dropped_on_the_window_does_not_replace_its_page() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let server = LocalServer::start();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    let own = window
        .client
        .current_url()
        .await
        .expect("the page has an address");
    for address in [
        server.url("/dropped"),
        "https://www.eventbrite.com/".to_owned(),
        "file:///etc/hostname".to_owned(),
        "data:text/html,<title>elsewhere</title>".to_owned(),
    ] {
        let place = window.script(LAY, vec![json!(address)]).await;
        let at = |name: &str| place[name].as_f64().expect("a place on the page");
        drags(&computer, (at("x"), at("y")), (at("x") + 200.0, at("y") + 300.0));
        let after = window.script(AFTER, Vec::new()).await;
        println!("{address}: {after}");
        assert_eq!(after["mark"], "still here", "{address}: {after}");
        assert_eq!(after["at"], Value::from(own.as_str()), "{address}: {after}");
        assert_eq!(
            after["dragged"],
            json!(["dragstart", "dragend"]),
            "{address}: it was dragged, or nothing is proved"
        );
    }
    assert_eq!(server.heard(), Vec::<String>::new(), "nothing was fetched");
    window.quit().await;
}
