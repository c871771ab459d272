//! A person who begins to sign in and does not come back, and one who presses twice.

use crate::browser::port_closes;
use crate::provider_window::{ProviderWindow, how_many};
use crate::screen::{Computer, Window};
use crate::scripted_browser::Browser;
use crate::sign_in::{PROVIDER_TITLE, remembers_app};
use serde_json::json;
use std::time::Duration;
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_tests::loopback::{free_port, is_closed};

/// After five minutes nobody is waited for any more.
const DEADLINE: Duration = Duration::from_secs(300);
const LEEWAY: Duration = Duration::from_secs(30);

/// Presses a button twice before the page can draw anything anew.
const TWICE: &str = r#"
const [words, done] = arguments;
const button = [...document.querySelectorAll("button")].find((one) => one.textContent.trim() === words);
button.click();
button.click();
done(1);
"#;

async fn begins(window: &Window, sandbox: &Sandbox, port: u16) {
    window.sees("Which lists should be live here?").await;
    let oauth = sandbox.eventbrite().oauth();
    oauth.switches(|switches| switches.any_redirect_port = true);
    remembers_app(window, "EVENTBRITE", &oauth.app(), port).await;
    window.press("Connect Eventbrite").await;
    window.press("Other ways").await;
    window.sees("Sign in with Eventbrite").await;
    window.script(TWICE, vec![json!("Sign in with Eventbrite")]).await;
    window.sees("Its sign-in page is in a window of its own.").await;
}

/// Takes five minutes, in which nothing is done.
#[tokio::test]
async fn slow_an_attempt_that_nobody_comes_back_from_ends_after_five_minutes_and_leaves_nothing_open() {
    let sandbox = Sandbox::builder()
        .seed(11)
        .start()
        .await
        .expect("the sandbox listens");
    let (browser, port) = (Browser::installed(), free_port());
    let computers = [(); 2].map(|()| Computer::start(KeychainState::Unlocked));
    let in_window = computers[0].open(&sandbox).await;
    let in_browser = computers[1].open_as(&sandbox, browser.start()).await;
    begins(&in_window, &sandbox, free_port()).await;
    let page = ProviderWindow::titled(&computers[0], PROVIDER_TITLE);
    assert_eq!(how_many(&computers[0]), 2, "two presses are one attempt");
    begins(&in_browser, &sandbox, port).await;
    in_browser.press("Use my browser instead").await;
    let address = browser.opens(&in_browser, 1).await;
    in_browser.press("Open again").await;
    assert_eq!(
        browser.opens(&in_browser, 2).await,
        address,
        "the same page again"
    );
    in_browser.sees("Copy link").await;
    assert_eq!(browser.opened().len(), 2);
    assert!(!is_closed(port).await, "it is waited for");

    for (window, name) in [(&in_window, "nobody-1-window"), (&in_browser, "nobody-2-browser")] {
        window
            .sees_within(
                "Nobody signed in at Eventbrite within five minutes.",
                DEADLINE + LEEWAY,
            )
            .await;
        window.picture(name).await;
        window.sees("Try again").await;
    }
    page.closes(PROVIDER_TITLE);
    assert_eq!(how_many(&computers[0]), 1);
    port_closes(port).await;
    in_window.quit().await;
    in_browser.quit().await;
}
