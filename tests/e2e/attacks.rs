//! Others at work while the real window waits for somebody to sign in: whoever calls its listener, and servers that send
//! a secret elsewhere.

use crate::browser::{port_closes, status};
use crate::screen::{Computer, Window};
use crate::scripted_browser::Browser;
use crate::sign_in::{begins, cancels, remembers_app};
use std::time::{Duration, Instant};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{Fault, Sandbox};
use talkvalue_tests::loopback::{
    GARBAGE, ON_THIS_COMPUTER, OWN, browse, call, free_port, idlers, listened_on, strangers,
};
use talkvalue_tests::oauth::{Canary, redirected};
use url::Url;

const PATIENCE: Duration = Duration::from_secs(20);
const WRONG_CALLS: usize = 1_000;
/// What is promised beside all of them; a connection that asks nothing is let go only after five seconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// The window with both providers' apps remembered, and an account at each.
struct Stage {
    sandbox: Sandbox,
    browser: Browser,
    _computer: Computer,
    window: Window,
    /// Where Eventbrite's answer is waited for.
    port: u16,
    /// The accounts that allow it, and Luma's key.
    account: String,
    calendar: String,
    key: String,
}

impl Stage {
    async fn open(seed: u64) -> Self {
        let sandbox = Sandbox::builder()
            .seed(seed)
            .start()
            .await
            .expect("the sandbox listens");
        let (eventbrite, luma) = (sandbox.eventbrite(), sandbox.luma());
        let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
        eventbrite.add_organization(&account, "Harbour Guild");
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let browser = Browser::installed();
        let computer = Computer::start(KeychainState::Unlocked);
        let window = computer.open_as(&sandbox, browser.start()).await;
        window.sees("Which lists should be live here?").await;
        let port = free_port();
        for (provider, oauth, port) in [
            ("EVENTBRITE", eventbrite.oauth(), port),
            ("LUMA", luma.oauth(), free_port()),
        ] {
            oauth.switches(|switches| switches.any_redirect_port = true);
            remembers_app(&window, provider, &oauth.app(), port).await;
        }
        Self {
            sandbox,
            browser,
            _computer: computer,
            window,
            port,
            account: account.id,
            calendar: calendar.id,
            key: calendar.key,
        }
    }

    /// What the provider sends the browser back with once the person has allowed it there.
    async fn answered(&self, address: &str) -> Url {
        let (eventbrite, luma) = (self.sandbox.eventbrite().oauth(), self.sandbox.luma().oauth());
        eventbrite.approves_as(&self.account);
        luma.approves_as(&self.calendar);
        let answer = redirected(address).await;
        eventbrite.asks();
        luma.asks();
        answer
    }

    /// The person signs in at Eventbrite, by the browser. Gives back what it is sent back with.
    async fn signs_in(&self, opened_before: usize) -> Url {
        self.window.signs_in_from("Connect Eventbrite").await;
        self.window.press("Use my browser instead").await;
        let address = self.browser.opens(&self.window, opened_before + 1).await;
        self.window.sees("Its sign-in page is in your browser.").await;
        self.answered(&address).await
    }

    /// How often a code was presented at Eventbrite, and at Luma.
    fn redeemed(&self) -> [usize; 2] {
        [self.sandbox.eventbrite().oauth(), self.sandbox.luma().oauth()].map(|oauth| oauth.token_requests())
    }
}

#[tokio::test]
async fn nobody_but_the_browser_has_an_effect_while_the_window_waits() {
    let stage = Stage::open(8).await;
    let (window, port) = (&stage.window, stage.port);
    // What attempts before were answered is known to whoever has read the browser's history.
    let mut known = Vec::new();
    for (count, provider) in ["LUMA", "EVENTBRITE"].into_iter().enumerate() {
        begins(window, provider, "BROWSER").await;
        let address = stage.browser.opens(window, count + 1).await;
        known.push(stage.answered(&address).await);
        cancels(window).await;
    }
    let (of_luma, replayed) = (&known[0], &known[1]);
    let own = stage.signs_in(known.len()).await;
    assert_eq!(listened_on(port), ON_THIS_COMPUTER, "nobody outside reaches it");

    let mut crossed = of_luma.clone();
    crossed.set_port(Some(port)).expect("it has a host");
    assert_eq!(status(&crossed).await, 404, "Luma's path is not Eventbrite's");
    let payload = "<script>alert(1)</script>";
    let encoded: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
    let begun = Instant::now();
    for round in 0..WRONG_CALLS {
        let query = match round % 5 {
            0 => format!("state=wrong{round}&code=abc"),
            1 => "code=abc".to_owned(),
            2 => of_luma.query().expect("it is an answer").to_owned(),
            3 => replayed.query().expect("it is an answer").to_owned(),
            _ => format!("state=wrong&error=access_denied&error_description={encoded}"),
        };
        let mut wrong = own.clone();
        wrong.set_query(Some(&query));
        let told = browse(&wrong).await.expect("every call is answered");
        assert_eq!(told.status, 400, "{query}: it is told that it is none");
        assert!(!told.body.contains("alert"), "and nothing of it is repeated");
    }
    let undisturbed = begun.elapsed() / u32::try_from(WRONG_CALLS).expect("it fits");
    for request in strangers(port, own.query().expect("it is an answer")) {
        let told = call(OWN[0], port, request.as_bytes()).await;
        assert!(
            told.as_ref().is_none_or(|told| told.status >= 400),
            "{request:?} was answered with {told:?}"
        );
    }
    window.sees("Its sign-in page is in your browser.").await;
    assert_eq!(stage.redeemed(), [0, 0], "nothing was redeemed anywhere");

    // The true answer comes while others stand at the door.
    let kept = idlers(port).await;
    for garbage in GARBAGE {
        call(OWN[0], port, garbage).await;
    }
    let begun = Instant::now();
    let told = tokio::time::timeout(ANSWERED_WITHIN, browse(&own)).await;
    let told = told
        .expect("it is served beside them, not after they have lapsed")
        .expect("it is answered");
    println!(
        "a wrong call is answered in {undisturbed:?}, the true answer beside {} connections in {:?}",
        kept.len(),
        begun.elapsed()
    );
    assert_eq!(told.status, 200);
    window.sees("Connected as events@harbour.example").await;
    port_closes(port).await;
    assert!(browse(&own).await.is_none(), "a second use meets nobody");
    assert_eq!(listened_on(port), Vec::<String>::new());
    assert_eq!(
        stage.redeemed(),
        [1, 0],
        "the code was redeemed once, where it is from"
    );
    stage.window.quit().await;
}

#[tokio::test]
async fn no_secret_follows_a_servers_redirect_to_somebody_else() {
    let stage = Stage::open(9).await;
    let (window, canary) = (&stage.window, Canary::open().await);
    let elsewhere = |status| Fault::redirects(status, &canary.address);
    let luma = stage.sandbox.luma();

    window.press("Connect Luma").await;
    window.type_into("API key", &stage.key).await;
    for status in [301, 302, 307, 308] {
        luma.fails_always(elsewhere(status));
        let asked = luma.request_count();
        window.press("Connect").await;
        let deadline = Instant::now() + PATIENCE;
        while luma.request_count() == asked {
            assert!(
                Instant::now() < deadline,
                "{status}: the key must be shown to Luma"
            );
            tokio::task::yield_now().await;
        }
        window.sees("Nothing was changed").await;
        luma.clears_faults();
    }
    window.picture("redirected-key").await;
    window.press("Cancel").await;

    let eventbrite = stage.sandbox.eventbrite().oauth();
    let mut answer = stage.signs_in(0).await;
    for (count, status) in [301, 302, 307, 308].into_iter().enumerate() {
        eventbrite.token_fails(elsewhere(status));
        assert_eq!(self::status(&answer).await, 200);
        window.sees("Nothing was changed").await;
        assert_eq!(
            stage.redeemed(),
            [count + 1, 0],
            "the code was shown to Eventbrite"
        );
        eventbrite.clears_faults();
        window.press("Try again").await;
        let address = stage.browser.opens(window, count + 2).await;
        answer = stage.answered(&address).await;
    }
    window.picture("redirected-code").await;
    assert_eq!(self::status(&answer).await, 200);
    window.sees("Connected as events@harbour.example").await;
    assert_eq!(canary.met(), 0, "nobody else has heard anything");
    stage.window.quit().await;
}
