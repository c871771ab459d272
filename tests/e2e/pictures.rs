//! The pictures of the README, taken from the real window on the demo workspace. Not a test of anything: run by
//! `cargo xtask screenshots`, which names the folder they go to.

use crate::screen::{Computer, Start, Window};
use std::path::PathBuf;
use std::time::Duration;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{Demo, Sandbox};

const FOLDER: &str = "TALKVALUE_PICTURES";

/// The demo workspace's imports, the largest of 3,000 attendees among them.
const IMPORTED_WITHIN: Duration = Duration::from_secs(120);

/// Events to import, by their place in the demo workspace: enough for a list, none of the oddly named ones.
const EVENTBRITE_EVENTS: [usize; 3] = [0, 1, 3];
const LUMA_EVENTS: [usize; 2] = [0, 1];

/// Takes the focus off the page, and the messages of what was done before.
const CALM: &str = r#"
const [done] = arguments;
(async () => {
  document.activeElement?.blur();
  // Once each: a second click would begin the way out anew.
  document.querySelectorAll("[data-sonner-toast] [data-close-button]").forEach((button) => button.click());
  while (document.querySelector("[data-sonner-toast]") !== null) {
    await new Promise(requestAnimationFrame);
  }
})().then(done, (error) => done(String(error)));
"#;

#[tokio::test]
#[ignore = "makes pictures: `cargo xtask screenshots`"]
async fn pictures_of_the_window() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("TALKVALUE_PICTURES names the folder"));
    for (look, theme) in [("light", "Adwaita"), ("dark", "Adwaita:dark")] {
        take(&folder, look, theme).await;
    }
}

async fn take(folder: &std::path::Path, look: &str, theme: &str) {
    // The same seed, the same people and counts: only the times differ from run to run.
    let sandbox = Sandbox::builder()
        .seed(1)
        .demo()
        .start()
        .await
        .expect("the sandbox listens");
    let demo = sandbox.demo().expect("it holds the demo workspace").clone();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer
        .open_as(
            &sandbox,
            Start {
                environment: vec![("GTK_THEME", theme.to_owned())],
                ..Start::default()
            },
        )
        .await;
    fill(&window, &demo).await;

    let event = |place: usize| demo.eventbrite_events[place].title.clone();
    let keep = async |name: &str| {
        window.rest_the_pointer().await;
        window.script(CALM, Vec::new()).await;
        window.picture_in(folder, &format!("{name}-{look}")).await;
    };
    window.opens(&event(EVENTBRITE_EVENTS[0])).await;
    window.sees("Total attendees").await;
    keep("event").await;
    window.press("Events").await;

    window.press("Settings").await;
    let account = &demo.eventbrite_accounts[0].email;
    window.press(&format!("More actions: {account}")).await;
    window.press("Import events").await;
    window.choose(&event(2)).await;
    keep("import").await;
    window.press("Cancel").await;
    window.press("Events").await;

    // Luma's key is deleted there: its events say so at the next sync.
    sandbox.luma().revokes_keys();
    let severed = demo.luma_events[LUMA_EVENTS[0]].title.clone();
    window.opens(&severed).await;
    window.syncs_until(window.sees("Integration disconnected")).await;
    window.press("Reconnect").await;
    window.sees("Sign in again").await;
    window.sees("No other Luma account is connected").await;
    keep("reconnect").await;
    window.press("Close").await;
    window.press("Events").await;
    window.sees("need you").await;
    keep("events").await;

    window.press("Settings").await;
    window.sees("Connected since").await;
    keep("settings").await;
    window.quit().await;
}

/// Connects both accounts and imports, as a newcomer does. The account connected first is the one that the import
/// dialog offers until there is another.
async fn fill(window: &Window, demo: &Demo) {
    window.press("Connect Luma").await;
    window.type_into("API key", &demo.luma_calendars[0].key).await;
    window.press("Connect").await;
    window.press("Import events").await;
    let mut live = 0;
    for place in LUMA_EVENTS {
        if live > 0 {
            window.press("Import event").await;
        }
        import(window, &demo.luma_events[place].title, &mut live).await;
    }
    for place in EVENTBRITE_EVENTS {
        window.press("Settings").await;
        if place == EVENTBRITE_EVENTS[0] {
            window.press("Connect Eventbrite").await;
            window
                .type_into("Private token", &demo.eventbrite_accounts[0].private_token)
                .await;
            window.press("Connect").await;
        } else {
            window
                .press(&format!("More actions: {}", demo.eventbrite_accounts[0].email))
                .await;
        }
        window.press("Import events").await;
        import(window, &demo.eventbrite_events[place].title, &mut live).await;
    }
}

async fn import(window: &Window, title: &str, live: &mut usize) {
    window.choose(title).await;
    window.press("Import").await;
    *live += 1;
    window
        .sees_within(&format!("All {live} Badge"), IMPORTED_WITHIN)
        .await;
    window.gone("importing", IMPORTED_WITHIN).await;
}
