//! Signing in through the person's own browser, from the real window: the browser is a script that writes down what it
//! is asked to open, and the test goes on as a browser does.

use crate::provider_window::ProviderWindow;
use crate::screen::{Computer, Window};
use crate::scripted_browser::Browser;
use crate::sign_in::remembers_app;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_tests::loopback::{browse, free_port, is_closed};
use talkvalue_tests::oauth::redirected;
use url::Url;

/// Registered for the sandbox's own app, as the window offers it.
const PORT: u16 = 47_831;
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn status(address: &Url) -> u16 {
    browse(address).await.expect("the listener answers").status
}

pub(crate) async fn port_closes(port: u16) {
    let deadline = Instant::now() + PATIENCE;
    while !is_closed(port).await {
        assert!(Instant::now() < deadline, "nobody listens after the end");
        tokio::task::yield_now().await;
    }
}

async fn begins(window: &Window) {
    window.signs_in_from("Connect another account").await;
    window.sees("Its sign-in page is in your browser.").await;
}

#[tokio::test]
async fn the_browser_is_opened_when_a_person_asks_and_its_answer_taken_once() {
    let sandbox = Sandbox::builder()
        .seed(6)
        .start()
        .await
        .expect("the sandbox listens");
    let eventbrite = sandbox.eventbrite();
    let oauth = eventbrite.oauth();
    let accounts = ["events@harbour.example", "box@dockhall.example"].map(|email| {
        let account = eventbrite.add_account("Robin Vale", email);
        eventbrite.add_organization(&account, email);
        account
    });
    let app = oauth.app();
    let browser = Browser::installed();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open_as(&sandbox, browser.start()).await;

    window.signs_in_by_own_app(&app).await;
    let native = ProviderWindow::titled(&computer, "127.0.0.1:.* Sign in");
    assert!(browser.opened().is_empty(), "no browser opens by itself");

    // One click switches, and the window goes.
    window.press("Use my browser instead").await;
    native.closes("127.0.0.1:.* Sign in");
    let address = browser.opens(&window, 1).await;
    window.picture("browser-1-waiting").await;
    oauth.approves_as(&accounts[0].id);
    let answer = redirected(&address).await;
    // What is not its answer changes nothing, and the listener goes on.
    let mut forged = answer.clone();
    forged.set_query(Some("code=forged&state=forged"));
    assert_eq!(status(&forged).await, 400);
    window.sees("Waiting for Eventbrite").await;
    let told = browse(&answer).await.expect("the listener answers");
    assert_eq!(told.status, 200);
    assert!(
        !answer
            .query_pairs()
            .any(|(_, value)| told.body.contains(value.as_ref())),
        "the closing page echoes nothing"
    );
    window.sees("Connected as events@harbour.example").await;
    port_closes(PORT).await;

    // The choice is kept; a person who declines is told so at once.
    begins(&window).await;
    let address = browser.opens(&window, 2).await;
    oauth.refuses();
    assert_eq!(status(&redirected(&address).await).await, 200);
    window
        .sees("You declined at Eventbrite. Nothing was changed.")
        .await;
    window.picture("browser-2-declined").await;
    port_closes(PORT).await;

    // Somebody else has the port: no browser is sent there, and the page's address can be brought back by hand.
    let other = TcpListener::bind(("127.0.0.1", PORT)).expect("the port is free");
    window.press("Try again").await;
    window.sees("Paste its address here").await;
    window.sees("47831").await;
    window.picture("browser-3-port-taken").await;
    assert_eq!(
        browser.opened().len(),
        2,
        "a browser would hand the answer to a stranger"
    );
    drop(other);
    window.press("Cancel").await;

    // No browser starts: its page is opened by hand elsewhere, and the rest goes as ever.
    browser.becomes("exit 3");
    window.press("Sign in with Eventbrite").await;
    window.sees("This computer did not start a browser").await;
    window.picture("browser-4-no-browser").await;
    window.press("Open again").await;
    window.sees("Waiting for Eventbrite").await;
    let link = window
        .script(
            "const [done] = arguments; window.__TAURI_INTERNALS__.invoke('sign_in_address').then(done);",
            Vec::new(),
        )
        .await;
    let link = link.as_str().expect("the link can be had").to_owned();
    oauth.approves_as(&accounts[1].id);
    let answer = redirected(&link).await;
    window.type_into("Address", answer.as_str()).await;
    window.press("Go on").await;
    window.sees("Connected as box@dockhall.example").await;
    port_closes(PORT).await;
    window.quit().await;
}

#[tokio::test]
async fn a_provider_that_shows_nothing_to_windows_is_opened_in_the_browser() {
    let sandbox = Sandbox::builder()
        .seed(7)
        .start()
        .await
        .expect("the sandbox listens");
    let luma = sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let oauth = luma.oauth();
    oauth.switches(|switches| {
        switches.refused_user_agents = vec!["AppleWebKit".to_owned()];
        switches.any_redirect_port = true;
    });
    let browser = Browser::installed();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open_as(&sandbox, browser.start()).await;
    window.sees("Which lists should be live here?").await;
    remembers_app(&window, "LUMA", &oauth.app(), free_port()).await;
    window.press("Connect Luma").await;
    window.press("Other ways").await;
    window.press("Sign in with Luma").await;
    let address = browser.opens(&window, 1).await;
    window.sees("Its sign-in page is in your browser.").await;
    oauth.approves_as(&calendar.id);
    assert_eq!(status(&redirected(&address).await).await, 200);
    window.sees("Connected as Harbour Makers").await;
    window.quit().await;
}
