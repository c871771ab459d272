//! Two accounts are severed at once: twelve items come back with one sign-in for each account.

use crate::screen::{Computer, Window};
use crate::sign_in::{allows, calls};
use serde_json::{Value, json};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Sandbox};

const EVENTS: usize = 6;
const ACCOUNTS: [(&str, &str); 2] = [
    ("Robin Vale", "events@harbour.example"),
    ("Sam Hill", "box@dockhall.example"),
];

/// Every item: its id and account, its status, and its people by number and by name.
pub(crate) async fn lists(window: &Window) -> Vec<Value> {
    let items = calls(window, "list_items", json!({})).await;
    let mut lists = Vec::new();
    for item in items["answer"].as_array().expect("a list of items") {
        let request = json!({
            "search": "", "status": null, "ticket": null, "sort": "NAME", "descending": false, "offset": 0, "limit": 200,
        });
        let request = json!({ "itemId": item["id"], "request": request });
        let people = calls(window, "list_attendees", request).await;
        assert_eq!(people["refusal"], Value::Null, "{people}");
        lists.push(json!({
            "id": item["id"],
            "integration": item["integrationId"],
            "status": item["syncStatus"],
            "counts": item["counts"],
            "people": people["answer"]["rows"],
        }));
    }
    lists.sort_by_key(|list| list["id"].to_string());
    lists
}

#[tokio::test]
async fn twelve_items_of_two_accounts_come_back_with_two_sign_ins() {
    let sandbox = Sandbox::builder()
        .seed(5)
        .start()
        .await
        .expect("the sandbox listens");
    let eventbrite = sandbox.eventbrite();
    let accounts = ACCOUNTS.map(|(name, email)| eventbrite.add_account(name, email));
    let mut events = Vec::new();
    for (account, (_, email)) in accounts.iter().zip(ACCOUNTS) {
        let organization = eventbrite.add_organization(account, email);
        for number in 1..=EVENTS {
            let event = eventbrite.add_event(
                &organization,
                EventSpec::new(format!("Evening {number} of {email}")),
            );
            eventbrite.add_attendees(&event, 10 + number);
            events.push((email, event));
        }
    }
    let app = eventbrite.oauth().app();
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;

    window.signs_in_by_own_app(&app).await;
    allows(&computer, "twelve-1-first-account", 0);
    window.sees("Connected as events@harbour.example").await;
    window.signs_in_from("Connect another account").await;
    window.sees("Waiting for Eventbrite").await;
    allows(&computer, "twelve-2-second-account", 1);
    window.sees("Connected as box@dockhall.example").await;
    window.press("Import events").await;
    // The dialog before has a Cancel too.
    window.sees("Evening 1 of").await;
    window.press("Cancel").await;

    let integrations = calls(&window, "list_integrations", json!({})).await;
    let integrations = integrations["answer"].as_array().expect("both accounts").clone();
    let id_of = |email: &str| {
        integrations
            .iter()
            .find(|integration| integration["accountEmail"] == email)
            .map(|integration| integration["id"].clone())
            .expect("the account is connected")
    };
    for (email, event) in &events {
        let import = json!({ "integrationId": id_of(email), "externalId": event, "kind": "BADGE_EVENT" });
        let begun = calls(&window, "import_event", import).await;
        assert_eq!(begun["refusal"], Value::Null, "{begun}");
    }
    window.sees("12 live").await;
    window.picture("twelve-3-live").await;
    let before = lists(&window).await;
    assert_eq!(before.len(), 2 * EVENTS);

    for (account, (_, email)) in accounts.iter().zip(ACCOUNTS) {
        eventbrite.oauth().revokes_account(&account.id);
        let one = before.iter().find(|list| list["integration"] == id_of(email));
        let one = one.expect("the account has items");
        calls(&window, "sync_item", json!({ "itemId": one["id"] })).await;
    }
    for (_, email) in ACCOUNTS {
        window.sees(&format!("{email} (Eventbrite)")).await;
    }
    window.sees("12 need you").await;
    window
        .does_not_see(
            "Syncing",
            "an account that is severed takes all its items with it",
        )
        .await;
    window.picture("twelve-4-two-bars").await;

    // The lower bar first: whose it is stands beside the button.
    window.press("Reconnect all 6").await;
    window.sees("Waiting for Eventbrite").await;
    window.picture("twelve-5-one-sign-in").await;
    for left in (0..ACCOUNTS.len()).rev() {
        let words = window.words().await;
        let account = ACCOUNTS
            .iter()
            .position(|(_, email)| words.contains(&format!("Sign in there as {email}")))
            .unwrap_or_else(|| panic!("the dialog names the account that is asked for: {words}"));
        allows(&computer, &format!("twelve-6-{left}-left"), account);
        if left > 0 {
            window.sees("6 live").await;
            window.sees("6 need you").await;
            window.picture("twelve-7-half").await;
            window.press("Reconnect all 6").await;
            window.sees("Waiting for Eventbrite").await;
        }
    }
    window.sees("12 live").await;
    window
        .does_not_see("Reconnect all", "nobody waits any more")
        .await;
    window.picture("twelve-8-live-again").await;
    assert_eq!(
        lists(&window).await,
        before,
        "the same items with the same people, each once"
    );
    window.quit().await;
}
