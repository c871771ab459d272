//! The whole first journey: connect, import, watch it become live, lose the credential, repair it, and start again with
//! the network gone.

use crate::screen::Computer;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Sandbox};

/// Provider text is hostile: it must show as it is.
const TITLE: &str = "Harbour Makers Night <b>live</b>";

#[tokio::test]
async fn from_first_start_to_a_repaired_list_that_survives_a_dead_network() {
    let sandbox = Sandbox::builder()
        .seed(3)
        .start()
        .await
        .expect("the sandbox listens");
    let luma = sandbox.luma();
    let now = sandbox.clock().now();
    let hours = |count: i64| {
        now.checked_add(jiff::SignedDuration::from_hours(count))
            .expect("a time soon")
    };
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(
        &calendar.id,
        EventSpec::new(TITLE).starts_at(hours(3)).ends_at(hours(7)),
    );
    luma.add_guests(&event, 260);
    let computer = Computer::start(KeychainState::Unlocked);

    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    window.picture("1-first-start").await;

    window.press("Connect Luma").await;
    window.type_into("API key", &calendar.key).await;
    window.picture("2-connect").await;
    window.press("Connect").await;
    window.sees("Connected as Harbour Makers").await;
    window.press("Import events").await;
    window.sees(TITLE).await;
    window.picture("3-import").await;

    // The second page of guests is held back: the window shows the import while it runs.
    let pause = luma.pause_at(3);
    window.choose(TITLE).await;
    window.press("Import").await;
    pause.reached().await;
    window.sees("1 importing").await;
    window.picture("4-list-importing").await;
    window.opens(TITLE).await;
    window.sees("Import in progress").await;
    window.sees("100 of").await;
    window
        .does_not_see("Syncing", "an import that runs is not live yet")
        .await;
    window.picture("5-importing").await;
    pause.release();
    window.sees("Syncing").await;
    window.sees("260").await;
    window.picture("6-live").await;
    let people = window.count("Total attendees").await;
    assert_eq!(people, "260");

    luma.revokes_keys();
    window.syncs_until(window.sees("Integration disconnected")).await;
    window.does_not_see("Syncing", "never green unless we know").await;
    assert_eq!(window.count("Total attendees").await, people, "the list is kept");
    window.picture("7-disconnected").await;

    let renewed = luma.issue_key(&calendar.id);
    window.press("Reconnect").await;
    window.press("Sign in again").await;
    window.type_into("API key", &renewed).await;
    window.picture("8-reconnect").await;
    window.press("Connect").await;
    window.sees("Syncing").await;
    window
        .does_not_see(
            "Integration disconnected",
            "the badge clears after a real call succeeded",
        )
        .await;
    assert_eq!(window.count("Total attendees").await, people, "the same people");
    window.picture("9-live-again").await;
    window.quit().await;

    // The network is gone, the keychain locked: the last-known list is there, with its time.
    luma.goes_down();
    sandbox.eventbrite().goes_down();
    computer.keychain.restart_locked().expect("the keychain locks");
    let window = computer.open(&sandbox).await;
    window.sees(TITLE).await;
    window.sees("as of").await;
    window
        .does_not_see("Syncing", "nobody knows whether it still holds")
        .await;
    window.picture("10-offline").await;
    window.opens(TITLE).await;
    assert_eq!(window.count("Total attendees").await, people, "the same list");
    window.does_not_see("Syncing", "nor on its page").await;
    window.quit().await;
    assert!(
        computer.said().contains("DEBUG talkvalue_"),
        "the app's own words are kept and swept: {}",
        computer.said()
    );
}
