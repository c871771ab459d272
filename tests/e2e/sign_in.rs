//! Signing in in the real window: the provider's page is somebody else's, and is treated as such.

use crate::local_server::{LocalServer, MARK};
use crate::provider_window::ProviderWindow;
use crate::screen::{Computer, Start, Window};
use crate::stranger::{commands, page, report_of};
use serde_json::{Value, json};
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;

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

async fn calls(window: &Window, command: &str, payload: Value) -> Value {
    window.script(CALL, vec![json!(command), payload]).await
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
    let app = json!({
        "provider": "EVENTBRITE", "clientId": "KEY", "clientSecret": "SECRET", "redirectPort": 47_831,
    });
    let kept = calls(&window, "remember_app", app).await;
    assert_eq!(kept["refusal"], Value::Null, "{kept}");
    for visit in 1..=2 {
        let attempt = json!({ "provider": "EVENTBRITE", "way": "WINDOW", "renews": null });
        window.script(BEGIN, vec![attempt]).await;
        let report = report_of(&server);
        // A data store of its own does not even know the app's own scheme.
        report.assert_all_refused(&commands, &places, &["invoke", "message"]);
        assert!(
            !report.found.contains(MARK),
            "visit {visit} must find nothing of another one, but found {:?}",
            report.found
        );
        calls(&window, "cancel_sign_in", json!({})).await;
        let end = window.script(END, Vec::new()).await;
        assert_eq!(end["answer"]["type"], "CANCELLED", "{end}");
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

/// Signing in at the simulated Eventbrite by hand, in the window of its own: the page's form is one choice and two
/// buttons.
#[tokio::test]
async fn a_person_allows_it_in_the_window_and_the_account_is_connected() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let eventbrite = sandbox.eventbrite();
    eventbrite.add_account("Robin Vale", "events@harbour.example");
    let registered = eventbrite.oauth().app();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    let app = json!({
        "provider": "EVENTBRITE", "clientId": registered.client_id, "clientSecret": registered.client_secret,
        "redirectPort": 47_831,
    });
    let kept = window.script(CALL, vec![json!("remember_app"), app]).await;
    assert_eq!(kept["refusal"], Value::Null, "{kept}");
    let attempt = json!({ "provider": "EVENTBRITE", "way": "WINDOW", "renews": null });
    window.script(BEGIN, vec![attempt]).await;
    let page = ProviderWindow::titled(&computer, "127.0.0.1:.* Sign in");
    page.picture("sign-in-1-provider");
    page.keys(&["Tab", "Tab", "Tab", "space"]);
    let end = window.script(END, Vec::new()).await;
    assert_eq!(end["answer"]["type"], "CONNECTED", "{end}");
    page.closes("127.0.0.1:.* Sign in");
    window.quit().await;
}

/// Files below `folder` in whose names or bytes `mark` stands.
fn files_with(folder: &std::path::Path, mark: &str) -> Vec<String> {
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
