//! Signing in in the real window: the provider's page is somebody else's, and is treated as such.

use crate::local_server::{LocalServer, MARK};
use crate::provider_window::ProviderWindow;
use crate::repair::lists;
use crate::screen::{Computer, Start, Window};
use crate::stranger::{commands, page, report_of};
use serde_json::{Value, json};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, OauthApp, Sandbox};

const TITLE: &str = "Harbour Makers Night";

/// Calls a command as the window's own page does, and waits for its answer.
const CALL: &str = r#"
const [command, payload, done] = arguments;
window.__TAURI_INTERNALS__.invoke(command, payload).then(
  (answer) => done({ answer }),
  (refusal) => done({ refusal }),
);
"#;

/// Begins to sign in; what comes of it is kept in the page.
const BEGIN: &str = r#"
const [payload, done] = arguments;
window.signedIn = window.__TAURI_INTERNALS__.invoke("sign_in", payload).then(
  (answer) => ({ answer }),
  (refusal) => ({ refusal }),
);
done(1);
"#;

const END: &str = "const [done] = arguments; window.signedIn.then(done);";

pub(crate) async fn calls(window: &Window, command: &str, payload: Value) -> Value {
    window.script(CALL, vec![json!(command), payload]).await
}

/// Remembers an app at a provider, whose pages may be anybody's.
pub(crate) async fn remembers_app(window: &Window, provider: &str, app: &OauthApp, port: u16) {
    let app = json!({
        "provider": provider, "clientId": app.client_id, "clientSecret": app.client_secret, "redirectPort": port,
    });
    let kept = calls(window, "remember_app", app).await;
    assert_eq!(kept["refusal"], Value::Null, "{kept}");
}

/// Begins to sign in there, in the native window or the browser.
pub(crate) async fn begins(window: &Window, provider: &str, way: &str) {
    let attempt = json!({ "provider": provider, "way": way, "renews": null });
    window.script(BEGIN, vec![attempt]).await;
}

/// Nobody wants to sign in any more.
pub(crate) async fn cancels(window: &Window) {
    calls(window, "cancel_sign_in", json!({})).await;
    let end = window.script(END, Vec::new()).await;
    assert_eq!(end["answer"]["type"], "CANCELLED", "{end}");
}

/// An app at a provider that asks for none.
pub(crate) fn any_app() -> OauthApp {
    OauthApp {
        client_id: "KEY".to_owned(),
        client_secret: Some("SECRET".to_owned()),
        redirect_uris: Vec::new(),
    }
}

#[tokio::test]
async fn a_providers_page_reaches_no_command_and_leaves_nothing_behind() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let server = LocalServer::start();
    let commands = commands();
    // Frames that have no address of the web do not even load.
    let places = ["page", "srcdoc"];
    server.serve(page(&commands, &places));
    let computer = Computer::start(KeychainState::Unlocked);
    let start = Start {
        environment: vec![("TALKVALUE_EVENTBRITE_OAUTH_URL", server.url("/oauth"))],
        ..Start::default()
    };
    let window = computer.open_as(&sandbox, start).await;
    window.sees("Which lists should be live here?").await;
    remembers_app(&window, "EVENTBRITE", &any_app(), 47_831).await;
    for visit in 1..=2 {
        begins(&window, "EVENTBRITE", "WINDOW").await;
        let report = report_of(&server);
        // A data store of its own does not even know the app's own scheme.
        report.assert_all_refused(&commands, &places, &["invoke", "message"]);
        assert!(
            !report.found.contains(MARK),
            "visit {visit} must find nothing of another one, but found {:?}",
            report.found
        );
        cancels(&window).await;
    }
    assert_eq!(
        (
            sandbox.luma().request_count(),
            sandbox.eventbrite().request_count()
        ),
        (0, 0),
        "nothing that was refused has had an effect"
    );
    window.sees("Which lists should be live here?").await;
    window.quit().await;
    for place in [computer.folder.path(), computer.keychain.home()] {
        let left = files_with(place, MARK);
        assert!(
            left.is_empty(),
            "a sign-in leaves nothing on the disk, but there is {left:?}"
        );
    }
}

pub(crate) const PROVIDER_TITLE: &str = "127.0.0.1:.* Sign in";

/// Allows it at the simulated provider by hand: its page is a choice of accounts and two buttons.
pub(crate) fn allows(computer: &Computer, picture: &str, account: usize) {
    let page = ProviderWindow::titled(computer, PROVIDER_TITLE);
    page.picture(picture);
    page.keys(&["Tab"]);
    for _ in 0..account {
        page.keys(&["Down"]);
    }
    page.keys(&["Tab", "Tab", "space"]);
    page.closes(PROVIDER_TITLE);
}

#[tokio::test]
async fn signed_in_in_the_native_window_revoked_and_signed_in_again_with_the_same_people() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let eventbrite = sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let organization = eventbrite.add_organization(&account, "Harbour Guild");
    let event = eventbrite.add_event(&organization, EventSpec::new(TITLE));
    eventbrite.add_attendees(&event, 70);
    let app = eventbrite.oauth().app();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;

    window.enters_own_app(&app).await;
    window.picture("oauth-1-own-app").await;
    window.press("Save and sign in").await;
    window.sees("Waiting for Eventbrite").await;
    window.picture("oauth-2-waiting").await;
    allows(&computer, "oauth-3-provider", 0);
    window.sees("Connected as events@harbour.example").await;
    window.picture("oauth-4-connected").await;
    window.press("Import events").await;
    window.choose(TITLE).await;
    window.press("Import").await;
    window.opens(TITLE).await;
    window.sees("Syncing").await;
    let people = lists(&window).await;
    window.picture("oauth-5-live").await;

    eventbrite.oauth().revokes_account(&account.id);
    window.syncs_until(window.sees("Integration disconnected")).await;
    window.does_not_see("Syncing", "never green unless we know").await;
    window.picture("oauth-6-disconnected").await;
    window.press("Reconnect").await;
    window.press("Sign in again").await;
    window.picture("oauth-7-again").await;
    allows(&computer, "oauth-8-provider", 0);
    window.sees("Syncing").await;
    window
        .does_not_see(
            "Integration disconnected",
            "the badge clears after a real call succeeded",
        )
        .await;
    assert_eq!(lists(&window).await, people, "the same list with the same people");
    window.picture("oauth-9-live-again").await;
    window.quit().await;
}

/// Files below `folder` in whose names or bytes `mark` stands.
pub(crate) fn files_with(folder: &std::path::Path, mark: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            let name = path.display().to_string();
            if path.is_dir() && !path.is_symlink() {
                return files_with(&path, mark);
            }
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let bytes = if is_file {
                std::fs::read(&path).unwrap_or_default()
            } else {
                Vec::new()
            };
            let wide: Vec<u8> = mark.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            match holds(mark.as_bytes()) || holds(&wide) || name.contains(mark) {
                true => vec![name],
                false => Vec::new(),
            }
        })
        .collect()
}
