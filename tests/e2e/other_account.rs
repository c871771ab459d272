//! Somebody else signs in where one account is needed: the window asks, and nobody's lists are mixed.

use crate::browser::status;
use crate::provider_window::ProviderWindow;
use crate::repair::lists;
use crate::screen::{Computer, Window};
use crate::scripted_browser::Browser;
use crate::sign_in::{PROVIDER_TITLE, allows, calls, remembers_app};
use serde_json::{Value, json};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Sandbox};
use talkvalue_tests::loopback::free_port;
use talkvalue_tests::oauth::redirected;

const TITLE: &str = "Harbour Evening";
const NEEDED: &str = "events@harbour.example";
const OTHER: &str = "box@dockhall.example";

/// The accounts that are here, and how they stand.
async fn accounts(window: &Window) -> Vec<(String, String)> {
    let integrations = calls(window, "list_integrations", json!({})).await;
    let integrations = integrations["answer"].as_array().expect("a list of accounts");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    integrations
        .iter()
        .map(|one| (text(&one["accountEmail"]), text(&one["status"])))
        .collect()
}

/// The lists, but for the status of each.
async fn people(window: &Window) -> Vec<Value> {
    let mut lists = lists(window).await;
    for list in &mut lists {
        list["status"] = Value::Null;
    }
    lists
}

#[tokio::test]
async fn somebody_else_who_signs_in_is_asked_about_and_no_people_are_mixed() {
    let sandbox = Sandbox::builder()
        .seed(10)
        .start()
        .await
        .expect("the sandbox listens");
    let eventbrite = sandbox.eventbrite();
    let ids = [("Robin Vale", NEEDED), ("Sam Hill", OTHER)].map(|(name, email)| {
        let account = eventbrite.add_account(name, email);
        let organization = eventbrite.add_organization(&account, email);
        let event = eventbrite.add_event(&organization, EventSpec::new(format!("{TITLE} of {email}")));
        eventbrite.add_attendees(&event, 30);
        account.id
    });
    let oauth = eventbrite.oauth();
    oauth.switches(|switches| {
        switches.any_redirect_port = true;
        switches.remembers_approval = true;
    });
    let browser = Browser::installed();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open_as(&sandbox, browser.start()).await;
    window.sees("Which lists should be live here?").await;
    remembers_app(&window, "EVENTBRITE", &oauth.app(), free_port()).await;

    oauth.approves_as(&ids[0]);
    window.signs_in_from("Connect Eventbrite").await;
    window.sees(&format!("Connected as {NEEDED}")).await;
    window.press("Import events").await;
    window.choose(TITLE).await;
    window.press("Import").await;
    window.opens(TITLE).await;
    window.sees("Syncing").await;
    let live = lists(&window).await;
    oauth.revokes_account(&ids[0]);
    window.syncs_until(window.sees("Integration disconnected")).await;
    let kept = people(&window).await;

    // In the native window, whose provider remembers who has allowed the app in it.
    oauth.asks();
    let question = format!("You signed in as {OTHER}, but this event needs {NEEDED}. Nothing was changed.");
    window.press("Reconnect").await;
    window.press("Sign in again").await;
    allows(&computer, "other-0-provider", 1);
    window.sees(&question).await;
    window.picture("other-1-asked").await;
    let severed = [(NEEDED.to_owned(), "DISCONNECTED".to_owned())];
    assert_eq!(accounts(&window).await, severed, "nobody was put in its place");
    assert_eq!(people(&window).await, kept);

    // The next window knows nobody: it asks, where one that was kept would have signed the same account in again. And by
    // the browser, which may do that.
    window.press(&format!("Sign in as {NEEDED}")).await;
    window.sees("Its sign-in page is in a window of its own.").await;
    let page = ProviderWindow::titled(&computer, PROVIDER_TITLE);
    page.picture("other-1-fresh");
    window.does_not_see("You signed in as", "nobody was asked").await;
    window.press("Use my browser instead").await;
    page.closes(PROVIDER_TITLE);
    let address = browser.opens(&window, 1).await;
    oauth.approves_as(&ids[1]);
    assert_eq!(status(&redirected(&address).await).await, 200);
    window.sees(&question).await;
    assert_eq!(accounts(&window).await, severed, "nor by the browser");
    assert_eq!(people(&window).await, kept);

    // Whoever it was may stay, as another account: the list does not become theirs.
    window.press(&format!("Add {OTHER} as another account")).await;
    window.sees("cannot see this event").await;
    window.picture("other-2-added").await;
    let mut both = accounts(&window).await;
    both.sort();
    assert_eq!(
        both,
        [
            (OTHER.to_owned(), "CONNECTED".to_owned()),
            (NEEDED.to_owned(), "DISCONNECTED".to_owned()),
        ]
    );
    assert_eq!(people(&window).await, kept);
    window
        .does_not_see("Syncing", "the account that the list needs is still severed")
        .await;

    window.press("Sign in again").await;
    let address = browser.opens(&window, 2).await;
    oauth.approves_as(&ids[0]);
    assert_eq!(status(&redirected(&address).await).await, 200);
    window.sees("Syncing").await;
    assert_eq!(
        lists(&window).await,
        live,
        "the same list with the same people, live again"
    );
    window.quit().await;
}
