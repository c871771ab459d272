//! A keychain in trouble. The lists are on this computer, so they show at once whatever the keychain does; the window then
//! says by itself which trouble it is, in words that tell a lock from an absence and an absence from silence.

use crate::screen::{Computer, VAULT_SERVICE, Window};
use std::process::Command;
use std::time::{Duration, Instant};
use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};
use talkvalue_sandbox::{EventSpec, Sandbox};

const TITLE: &str = "Harbour Makers Night";

/// Hundreds of times what it takes. A busy machine must not fail the test, a start that waits for the keychain's
/// deadline of 120 s must.
const PAINTED_WITHIN: Duration = Duration::from_secs(60);

/// How long the keychain may take to open its prompt.
const PROMPTED_WITHIN: Duration = Duration::from_secs(30);

/// An emptied keychain may still be starting: it is believed after a minute.
const EMPTINESS_BELIEVED_WITHIN: Duration = Duration::from_secs(100);

/// Many times what it takes: what waits for the keychain is tried again every quarter of a minute.
const GOES_ON_WITHIN: Duration = Duration::from_secs(150);

/// One computer on which an earlier run has brought in a list.
struct Earlier {
    sandbox: Sandbox,
    computer: Computer,
}

impl Earlier {
    async fn run() -> Self {
        Self::run_on(Computer::start(KeychainState::Unlocked)).await
    }

    async fn run_on(computer: Computer) -> Self {
        let sandbox = Sandbox::builder()
            .seed(5)
            .start()
            .await
            .expect("the sandbox listens");
        let luma = sandbox.luma();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let event = luma.add_event(&calendar.id, EventSpec::new(TITLE));
        luma.add_guests(&event, 120);
        let window = computer.open(&sandbox).await;
        window.brings_in(&calendar.key, TITLE).await;
        window.quit().await;
        Self { sandbox, computer }
    }

    /// The same computer, where the keychain is now another one.
    fn with_keychain(mut self, keychain: PrivateKeychain) -> Self {
        self.computer.gets_keychain(keychain);
        self
    }

    /// Starts the app and waits for its list; tells how long that took, the driver's own start included.
    async fn starts(&self, state: &str) -> Window {
        let window = self.computer.open(&self.sandbox).await;
        window.sees_within(TITLE, PAINTED_WITHIN).await;
        window.sees("as of").await;
        let took = window.begun.elapsed();
        println!(
            "keychain {state}: list painted {} ms after the start",
            took.as_millis()
        );
        assert!(
            took < PAINTED_WITHIN,
            "the list is on this computer and waits for no keychain, but took {took:?}"
        );
        window
    }
}

#[tokio::test]
async fn a_locked_keychain_hides_no_list_and_is_said_to_be_locked() {
    let earlier = Earlier::run().await;
    earlier
        .computer
        .keychain
        .restart_locked()
        .expect("the keychain locks");
    let window = earlier.starts("locked").await;
    window.sees("keychain is locked").await;
    window
        .does_not_see("Disconnected", "a lock is no lost sign-in")
        .await;
    earlier.computer.keychain.unlock().expect("the keychain unlocks");
    goes_on_by_itself(&window, "keychain is locked").await;
    window.quit().await;
}

/// The deadline of a call that a person asked for, and some more.
const PROMPT_GIVEN_UP_WITHIN: Duration = Duration::from_secs(180);

#[tokio::test]
async fn slow_a_prompt_that_nobody_answers_hides_no_list_and_is_given_up() {
    let earlier = Earlier::run_on(Computer::start_with_prompts(KeychainState::Unlocked)).await;
    earlier
        .computer
        .keychain
        .restart_locked()
        .expect("the keychain locks");
    let window = earlier.starts("locked, and its prompt can show").await;
    window.sees("keychain is locked").await;
    assert!(
        !earlier.computer.shows_prompt(),
        "no prompt opens that nobody asked for"
    );
    window.press("Unlock keychain").await;
    let deadline = Instant::now() + PROMPTED_WITHIN;
    while !earlier.computer.shows_prompt() {
        assert!(Instant::now() < deadline, "the click opens the keychain's prompt");
        tokio::task::yield_now().await;
    }
    // Nobody answers. The window goes on meanwhile, and says what it waits for.
    window.opens(TITLE).await;
    assert_eq!(
        window.count("Total attendees").await,
        "120",
        "the list is there under an open prompt"
    );
    window.press("Events").await;
    window.sees("keychain is locked").await;
    let waits = "//button[normalize-space(.)='Unlock keychain' and @disabled]";
    let asks_again = "//button[normalize-space(.)='Unlock keychain' and not(@disabled)]";
    window
        .finds_within(waits, "the button that waits", PROMPTED_WITHIN)
        .await;
    window
        .finds_within(
            asks_again,
            "the button, once the prompt is given up",
            PROMPT_GIVEN_UP_WITHIN,
        )
        .await;
    window.sees("keychain is locked").await;
    window
        .does_not_see("Disconnected", "a prompt that nobody answered is no lost sign-in")
        .await;
    earlier.computer.keychain.unlock().expect("the keychain unlocks");
    goes_on_by_itself(&window, "keychain is locked").await;
    window.quit().await;
}

#[tokio::test]
async fn a_session_without_a_keychain_hides_no_list_and_is_said_to_have_none() {
    let earlier = Earlier::run().await;
    earlier
        .computer
        .keychain
        .stop_service()
        .expect("the keychain ends");
    let window = earlier.starts("absent").await;
    window.sees("no keychain").await;
    window.sees("Start GNOME Keyring").await;
    window
        .does_not_see("Disconnected", "an absent keychain says nothing about a sign-in")
        .await;
    earlier.computer.keychain.restart().expect("the keychain starts");
    goes_on_by_itself(&window, "no keychain").await;
    window.quit().await;
}

#[tokio::test]
async fn a_session_without_a_bus_hides_no_list_and_is_said_to_have_no_keychain() {
    let earlier = Earlier::run().await;
    let keychain = PrivateKeychain::start(KeychainState::NoBus).expect("a session without a bus");
    let earlier = earlier.with_keychain(keychain);
    let window = earlier.starts("no bus").await;
    window.sees("no keychain").await;
    window
        .does_not_see("Disconnected", "a missing bus says nothing about a sign-in")
        .await;
    window.quit().await;
}

#[tokio::test]
async fn a_keychain_that_hangs_hides_no_list_and_is_said_not_to_answer_without_any_click() {
    let earlier = Earlier::run().await;
    earlier.computer.keychain.hang().expect("the keychain hangs");
    let window = earlier.starts("hung").await;
    window.sees("does not answer").await;
    window
        .does_not_see("Disconnected", "silence says nothing about a sign-in")
        .await;
    earlier
        .computer
        .keychain
        .resume()
        .expect("the keychain answers again");
    goes_on_by_itself(&window, "does not answer").await;
    window.quit().await;
}

#[tokio::test]
async fn a_keychain_that_was_restarted_while_the_window_is_open_serves_again() {
    let earlier = Earlier::run().await;
    let window = earlier.starts("serving").await;
    window.sees("Syncing").await;
    earlier
        .computer
        .keychain
        .restart()
        .expect("the keychain restarts");
    let pause = earlier.sandbox.luma().pause_at(1);
    // The provider is asked: the sign-in was read from the restarted keychain, and nobody has pressed anything.
    tokio::time::timeout(GOES_ON_WITHIN, pause.reached())
        .await
        .expect("the next check comes by itself");
    pause.release();
    window
        .does_not_see("keychain", "a restarted keychain needs nobody")
        .await;
    window.quit().await;
}

#[tokio::test]
async fn a_sign_in_that_is_gone_from_the_keychain_disconnects_and_says_so() {
    let earlier = Earlier::run().await;
    let removed = Command::new("secret-tool")
        .args(["search", "--all", "service", VAULT_SERVICE])
        .envs(earlier.computer.keychain.environment())
        .output()
        .expect("secret-tool runs");
    // The sentinel stays: it is what tells a removed entry from a keychain that is not ready yet.
    let listed =
        String::from_utf8_lossy(&removed.stdout).into_owned() + &String::from_utf8_lossy(&removed.stderr);
    let user = listed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("attribute.username = "))
        .find(|user| *user != "sentinel")
        .expect("the earlier run's sign-in is in the keychain")
        .to_owned();
    let cleared = Command::new("secret-tool")
        .args(["clear", "service", VAULT_SERVICE, "username", &user])
        .envs(earlier.computer.keychain.environment())
        .status()
        .expect("secret-tool runs");
    assert!(
        cleared.success(),
        "the sign-in must be gone for this test to mean anything"
    );
    let window = earlier.starts("one sign-in removed").await;
    disconnected(&window).await;
    window.quit().await;
}

#[tokio::test]
async fn slow_an_emptied_keychain_disconnects_after_a_minute_and_says_so() {
    let earlier = Earlier::run().await;
    earlier
        .computer
        .keychain
        .empty()
        .expect("the keychain is emptied");
    let window = earlier.starts("emptied").await;
    window
        .sees_within("Disconnected", EMPTINESS_BELIEVED_WITHIN)
        .await;
    disconnected(&window).await;
    window.quit().await;
}

/// Nobody presses anything: the trouble is no longer said, and the list is live.
async fn goes_on_by_itself(window: &Window, trouble: &str) {
    let begun = Instant::now();
    window.gone(trouble, GOES_ON_WITHIN).await;
    window.sees_within("Syncing", GOES_ON_WITHIN).await;
    println!(
        "\"{trouble}\" is over: live again {} s after the keychain was back",
        begun.elapsed().as_secs()
    );
}

/// The item says what became of its sign-in, and the way back.
async fn disconnected(window: &Window) {
    window.sees("Disconnected").await;
    window.opens(TITLE).await;
    window.sees("Integration disconnected").await;
    window.sees("is no longer in this computer's keychain").await;
    window.sees("Reconnect").await;
    assert_eq!(
        window.count("Total attendees").await,
        "120",
        "the list stays as it was"
    );
}
