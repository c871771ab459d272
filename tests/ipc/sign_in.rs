//! Signing in from the window: in a window of its own or in the browser, switched, stopped, and repaired afterwards.

use crate::stage::{DEADLINE, Stage, call, refused, text};
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use talkvalue_sandbox::{EventSpec, PausePoint};
use talkvalue_tests::oauth::redirected;
use tauri::Manager as _;
use tauri::ipc::InvokeBody;
use url::Url;

/// A stage with an app of its own at Luma, on a port that nobody else has.
fn stage() -> (Stage, u16) {
    let stage = Stage::open();
    let port = remembers_app(&stage);
    (stage, port)
}

/// Enters the app at Luma; its port.
fn remembers_app(stage: &Stage) -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let oauth = stage.sandbox.luma().oauth();
    oauth.registers_redirect(&format!("http://localhost:{port}/oauth/luma/callback"));
    let remembered = stage
        .calls(
            "remember_app",
            json!({
                "provider": "LUMA",
                "clientId": oauth.app().client_id,
                "clientSecret": null,
                "redirectPort": port,
            }),
        )
        .unwrap();
    assert_eq!(
        remembered["redirectUri"],
        format!("http://localhost:{port}/oauth/luma/callback")
    );
    port
}

/// A sign-in under way: its command goes on until the attempt has ended.
struct SigningIn(Receiver<Result<Value, Value>>);

impl SigningIn {
    fn answers(self) -> Result<Value, Value> {
        self.0.recv_timeout(DEADLINE).expect("the attempt must end")
    }

    /// What it came to.
    fn ends(self) -> Value {
        self.answers().unwrap()
    }
}

fn signs_in(stage: &Stage, way: &str, renews: Option<&str>) -> SigningIn {
    let window = stage.window.clone();
    let body = InvokeBody::Json(json!({ "provider": "LUMA", "way": way, "renews": renews }));
    let (tell, answer) = channel();
    std::thread::spawn(move || {
        // A test that has failed waits no longer.
        let _ = tell.send(call(&window, "sign_in", body));
    });
    SigningIn(answer)
}

/// Waits until the person is at the provider's page.
fn waits_for_person(stage: &Stage) -> Value {
    loop {
        let notice = stage.hears("SIGN_IN_CHANGED");
        if notice["signIn"]["step"] == "WAITING" {
            return notice["signIn"].clone();
        }
    }
}

/// Where the provider sends whoever opens the page.
fn answer_of(address: &str) -> Url {
    tauri::async_runtime::block_on(redirected(address))
}

/// What a browser does that follows a redirect to this computer; the status.
fn follows(address: &Url) -> u16 {
    tauri::async_runtime::block_on(async { reqwest::get(address.clone()).await.unwrap().status().as_u16() })
}

/// Signs in in the browser as that account.
fn signs_in_as(stage: &Stage, account: &str, renews: Option<&str>) -> Value {
    stage.sandbox.luma().oauth().approves_as(account);
    let signing_in = signs_in(stage, "BROWSER", renews);
    waits_for_person(stage);
    let address = text(&stage.calls("sign_in_address", json!({})).unwrap());
    follows(&answer_of(&address));
    signing_in.ends()
}

/// Waits until the provider is asked what it is to be held at.
fn reached(held: &PausePoint) {
    tauri::async_runtime::block_on(async { tokio::time::timeout(DEADLINE, held.reached()).await })
        .expect("the provider must be asked");
}

fn sign_in_windows(stage: &Stage) -> usize {
    let all = stage.window.app_handle().webview_windows();
    all.into_keys()
        .filter(|label| label.starts_with("oauth-"))
        .count()
}

#[test]
fn signing_in_in_the_browser_connects_the_account() {
    let (stage, _) = stage();
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    stage.sandbox.luma().oauth().approves_as(&calendar.id);
    let signing_in = signs_in(&stage, "BROWSER", None);
    assert_eq!(waits_for_person(&stage)["note"], Value::Null);
    let opened = stage.opened_addresses.lock().unwrap().clone();
    assert_eq!(opened.len(), 1, "the browser is opened once");
    assert_eq!(
        stage.calls("sign_in_address", json!({})).unwrap(),
        opened[0].as_str(),
        "the link that can be copied is the one that was opened"
    );
    let answer = answer_of(&opened[0]);
    assert_eq!(follows(&answer), 200);
    let end = signing_in.ends();
    assert_eq!(end["type"], "CONNECTED");
    assert_eq!(end["connected"]["integration"]["signIn"], "OAUTH");
    assert_eq!(end["connected"]["events"], 1);
    refused(stage.calls("sign_in_address", json!({})), "NOT_POSSIBLE");
}

#[test]
fn a_window_can_be_left_for_the_browser_and_is_gone_then() {
    let (stage, _) = stage();
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    stage.sandbox.luma().oauth().approves_as(&calendar.id);
    let signing_in = signs_in(&stage, "WINDOW", None);
    assert_eq!(waits_for_person(&stage)["way"], "WINDOW");
    assert_eq!(sign_in_windows(&stage), 1);
    assert!(
        stage.opened_addresses.lock().unwrap().is_empty(),
        "no browser opens by itself"
    );
    stage
        .calls("switch_sign_in", json!({ "way": "BROWSER" }))
        .unwrap();
    assert_eq!(waits_for_person(&stage)["way"], "BROWSER");
    let opened = stage.opened_addresses.lock().unwrap().clone();
    follows(&answer_of(&opened[0]));
    assert_eq!(signing_in.ends()["type"], "CONNECTED");
}

#[test]
fn a_stopped_sign_in_leaves_no_port_open_and_nothing_behind() {
    let (stage, port) = stage();
    let signing_in = signs_in(&stage, "BROWSER", None);
    waits_for_person(&stage);
    assert!(
        TcpListener::bind(("127.0.0.1", port)).is_err(),
        "the port is ours while somebody signs in"
    );
    stage.calls("cancel_sign_in", json!({})).unwrap();
    assert_eq!(signing_in.ends()["type"], "CANCELLED");
    assert!(
        TcpListener::bind(("127.0.0.1", port)).is_ok(),
        "and nobody's afterwards"
    );
    assert_eq!(stage.calls("list_integrations", json!({})).unwrap(), json!([]));
}

#[test]
fn a_sign_in_that_nobody_ends_gives_up_after_its_five_minutes() {
    for way in ["WINDOW", "BROWSER"] {
        let (stage, port) = stage();
        let signing_in = signs_in(&stage, way, None);
        assert_eq!(waits_for_person(&stage)["way"], way);
        stage.minutes_pass();
        let message = refused(signing_in.answers(), "WAITING");
        assert!(message.contains("within five minutes"), "{message}");
        assert!(
            TcpListener::bind(("127.0.0.1", port)).is_ok(),
            "{way}: nobody listens any more"
        );
        refused(stage.calls("sign_in_address", json!({})), "NOT_POSSIBLE");
    }
}

#[test]
fn beginning_again_takes_the_place_of_what_was_begun() {
    let (stage, port) = stage();
    // Whatever starts the browser takes its time: the first attempt holds the port and is not waiting yet.
    let slow = stage.opened_addresses.lock().unwrap();
    let first = signs_in(&stage, "BROWSER", None);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    let second = signs_in(&stage, "BROWSER", None);
    assert_eq!(first.ends()["type"], "CANCELLED");
    drop(slow);
    assert_eq!(
        waits_for_person(&stage)["note"],
        Value::Null,
        "the attempt before is no other program"
    );
    stage.calls("cancel_sign_in", json!({})).unwrap();
    assert_eq!(second.ends()["type"], "CANCELLED");
}

#[test]
fn a_sign_in_that_is_stopped_while_it_opens_shows_nothing() {
    for way in ["WINDOW", "BROWSER"] {
        let (stage, port) = stage();
        let asked = stage.sandbox.luma().oauth().pause_at(1);
        let signing_in = signs_in(&stage, way, None);
        reached(&asked);
        stage.calls("cancel_sign_in", json!({})).unwrap();
        assert_eq!(
            signing_in.ends()["type"],
            "CANCELLED",
            "{way}: nobody waits for the provider"
        );
        drop(asked);
        assert_eq!(sign_in_windows(&stage), 0);
        assert!(stage.opened_addresses.lock().unwrap().is_empty(), "{way}");
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "{way}");
    }
}

#[test]
fn a_sign_in_that_is_stopped_while_it_is_redeemed_is_given_back() {
    let (stage, _) = stage();
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    let oauth = stage.sandbox.luma().oauth();
    oauth.approves_as(&calendar.id);
    let signing_in = signs_in(&stage, "BROWSER", None);
    waits_for_person(&stage);
    let address = text(&stage.calls("sign_in_address", json!({})).unwrap());
    let answer = answer_of(&address);
    let redeemed = oauth.pause_at(1);
    assert_eq!(follows(&answer), 200);
    reached(&redeemed);
    stage.calls("cancel_sign_in", json!({})).unwrap();
    assert_eq!(signing_in.ends()["type"], "CANCELLED");
    let withdrawn = oauth.pause_at(1);
    drop(redeemed);
    reached(&withdrawn);
    assert_eq!(oauth.revocation_requests(), 1);
    assert_eq!(stage.calls("list_integrations", json!({})).unwrap(), json!([]));
}

#[test]
fn somebody_else_whom_nobody_adds_is_given_back() {
    for leaves in ["cancels", "begins again"] {
        let (stage, _) = stage();
        let (needed, _) = stage.add_luma_event("Spring Repair Cafe", 20);
        let (other, _) = stage.add_luma_event("Autumn Summit", 20);
        let id = text(&signs_in_as(&stage, &needed.id, None)["connected"]["integration"]["id"]);
        assert_eq!(signs_in_as(&stage, &other.id, Some(&id))["type"], "OTHER_ACCOUNT");
        let oauth = stage.sandbox.luma().oauth();
        assert_eq!(oauth.revocation_requests(), 0, "the person may still add them");
        let withdrawn = oauth.pause_at(1);
        let again = match leaves {
            "cancels" => {
                stage.calls("cancel_sign_in", json!({})).unwrap();
                None
            }
            _ => Some(signs_in(&stage, "BROWSER", Some(&id))),
        };
        reached(&withdrawn);
        drop(withdrawn);
        if let Some(again) = again {
            waits_for_person(&stage);
            stage.calls("cancel_sign_in", json!({})).unwrap();
            assert_eq!(again.ends()["type"], "CANCELLED");
        }
        refused(stage.calls("add_signed_in_account", json!({})), "NOT_POSSIBLE");
        assert_eq!(oauth.revocation_requests(), 1, "{leaves}: once");
    }
}

#[test]
fn somebody_else_who_comes_when_nobody_waits_any_more_is_given_back() {
    let (stage, _) = stage();
    let (needed, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    let (other, _) = stage.add_luma_event("Autumn Summit", 20);
    let id = text(&signs_in_as(&stage, &needed.id, None)["connected"]["integration"]["id"]);
    let oauth = stage.sandbox.luma().oauth();
    oauth.approves_as(&other.id);
    let signing_in = signs_in(&stage, "BROWSER", Some(&id));
    waits_for_person(&stage);
    let answer = answer_of(&text(&stage.calls("sign_in_address", json!({})).unwrap()));
    let proved = stage.sandbox.luma().pause_at(1);
    follows(&answer);
    reached(&proved);
    stage.calls("cancel_sign_in", json!({})).unwrap();
    assert_eq!(signing_in.ends()["type"], "CANCELLED");
    let withdrawn = oauth.pause_at(1);
    drop(proved);
    reached(&withdrawn);
    refused(stage.calls("add_signed_in_account", json!({})), "NOT_POSSIBLE");
}

#[test]
fn a_port_that_is_taken_is_named_and_the_address_can_be_pasted() {
    let (stage, port) = stage();
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    stage.sandbox.luma().oauth().approves_as(&calendar.id);
    let _other_program = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let signing_in = signs_in(&stage, "BROWSER", None);
    let note = text(&waits_for_person(&stage)["note"]);
    assert!(note.contains(&port.to_string()), "{note}");
    assert!(
        stage.opened_addresses.lock().unwrap().is_empty(),
        "no browser is sent to somebody else's port"
    );
    let address = text(&stage.calls("sign_in_address", json!({})).unwrap());
    let answer = answer_of(&address);
    for wrong in [
        "",
        "hello",
        "http://localhost/",
        "http://localhost:1/oauth/luma/callback?code=x&state=y",
    ] {
        refused(
            stage.calls("answer_sign_in", json!({ "address": wrong })),
            "BAD_INPUT",
        );
    }
    stage
        .calls("answer_sign_in", json!({ "address": answer.as_str() }))
        .unwrap();
    assert_eq!(signing_in.ends()["type"], "CONNECTED");
}

#[test]
fn opening_again_opens_nothing_while_the_port_is_somebody_elses() {
    let (stage, port) = stage();
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    stage.sandbox.luma().oauth().approves_as(&calendar.id);
    let other_program = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let signing_in = signs_in(&stage, "BROWSER", None);
    waits_for_person(&stage);
    stage.calls("show_sign_in", json!({})).unwrap();
    let note = text(&waits_for_person(&stage)["note"]);
    assert!(note.contains(&port.to_string()), "{note}");
    assert!(
        stage.opened_addresses.lock().unwrap().is_empty(),
        "a browser would bring the answer to somebody else"
    );
    drop(other_program);
    stage.calls("show_sign_in", json!({})).unwrap();
    assert_eq!(waits_for_person(&stage)["note"], Value::Null);
    let opened = stage.opened_addresses.lock().unwrap().clone();
    assert_eq!(opened.len(), 1, "the way is free");
    assert_eq!(follows(&answer_of(&opened[0])), 200);
    assert_eq!(signing_in.ends()["type"], "CONNECTED");
}

#[test]
fn a_browser_that_does_not_start_is_said_and_the_link_still_signs_in() {
    let (stage, _) = stage();
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    stage.sandbox.luma().oauth().approves_as(&calendar.id);
    stage.starts_no_browser.store(true, Ordering::SeqCst);
    let signing_in = signs_in(&stage, "BROWSER", None);
    for _ in 0..2 {
        let note = text(&waits_for_person(&stage)["note"]);
        assert!(note.contains("did not start a browser"), "{note}");
        stage.calls("show_sign_in", json!({})).unwrap();
    }
    let address = text(&stage.calls("sign_in_address", json!({})).unwrap());
    assert_eq!(follows(&answer_of(&address)), 200, "the attempt still listens");
    assert_eq!(signing_in.ends()["type"], "CONNECTED");
}

#[test]
fn somebody_else_changes_nothing_until_they_are_added() {
    let (stage, _) = stage();
    let (needed, _) = stage.add_luma_event("Spring Repair Cafe", 20);
    let (other, _) = stage.add_luma_event("Autumn Summit", 20);
    let first = signs_in_as(&stage, &needed.id, None);
    let id = text(&first["connected"]["integration"]["id"]);
    let before = stage.calls("list_integrations", json!({})).unwrap();
    let end = signs_in_as(&stage, &other.id, Some(&id));
    assert_eq!(end["type"], "OTHER_ACCOUNT");
    assert!(text(&end["message"]).contains("Nothing was changed"), "{end}");
    assert_eq!(stage.calls("list_integrations", json!({})).unwrap(), before);
    let added = stage.calls("add_signed_in_account", json!({})).unwrap();
    assert_ne!(added["integration"]["id"], id.as_str());
    refused(stage.calls("add_signed_in_account", json!({})), "NOT_POSSIBLE");
}

#[test]
fn without_a_keychain_an_app_and_its_sign_ins_live_in_memory_and_nothing_is_on_the_disk() {
    let stage = Stage::open();
    stage.keychain.is_there.store(false, Ordering::SeqCst);
    let none = stage
        .calls("sign_in_options", json!({ "provider": "EVENTBRITE" }))
        .unwrap();
    assert_eq!(none["app"], Value::Null, "a form can be filled in all the same");
    let port = remembers_app(&stage);
    let status = stage.calls("app_status", json!({})).unwrap();
    assert!(
        text(&status["unsaved"]).contains("Your app's data is kept in memory"),
        "{status}"
    );
    let known = stage
        .calls("sign_in_options", json!({ "provider": "LUMA" }))
        .unwrap();
    assert_eq!(known["app"]["redirectPort"], port);
    let (calendar, event) = stage.add_luma_event("Spring Repair Cafe", 20);
    let end = signs_in_as(&stage, &calendar.id, None);
    assert_eq!(end["type"], "CONNECTED", "{end}");
    let status = stage.calls("app_status", json!({})).unwrap();
    assert!(
        text(&status["unsaved"]).contains("The sign-in is kept in memory"),
        "{status}"
    );
    let integration = text(&end["connected"]["integration"]["id"]);
    let item = stage.imports(&integration, &event, "BADGE_EVENT");
    assert_eq!(stage.shows(&item)["syncStatus"], "ACTIVE");
    let found = talkvalue_tests::sweep::canaries_below(stage.folder.path());
    assert!(found.is_empty(), "{found:?}");

    // A keychain that comes is offered all of it.
    stage.keychain.is_there.store(true, Ordering::SeqCst);
    stage.calls("save_sign_ins", json!({})).unwrap();
    let status = stage.calls("app_status", json!({})).unwrap();
    assert_eq!(status["unsaved"], Value::Null);
    let known = stage
        .calls("sign_in_options", json!({ "provider": "LUMA" }))
        .unwrap();
    assert_eq!(known["app"]["redirectPort"], port, "it is in the keychain now");
}

#[test]
fn an_app_in_memory_is_forgotten_with_one_click() {
    let stage = Stage::open();
    stage.keychain.is_there.store(false, Ordering::SeqCst);
    remembers_app(&stage);
    let none = stage.calls("forget_app", json!({ "provider": "LUMA" })).unwrap();
    assert_eq!(none["app"], Value::Null);
    let none = stage
        .calls("sign_in_options", json!({ "provider": "LUMA" }))
        .unwrap();
    assert_eq!(none["app"], Value::Null);
    let status = stage.calls("app_status", json!({})).unwrap();
    assert_eq!(status["unsaved"], Value::Null);
}

#[test]
fn one_sign_in_repairs_every_item_of_its_account() {
    let (stage, _) = stage();
    let luma = stage.sandbox.luma();
    let (calendar, first) = stage.add_luma_event("Spring Repair Cafe", 20);
    let second = luma.add_event(&calendar.id, EventSpec::new("Autumn Summit"));
    luma.add_guests(&second, 10);
    let integration = stage.connects("LUMA", &calendar.key);
    let items = [
        stage.imports(&integration, &first, "BADGE_EVENT"),
        stage.imports(&integration, &second, "BADGE_EVENT"),
    ];
    stage
        .calls("disconnect_integration", json!({ "integrationId": integration }))
        .unwrap();
    assert_eq!(stage.connects("LUMA", &calendar.key), integration);
    for item in &items {
        assert_eq!(stage.shows(item)["syncStatus"], "DISCONNECTED");
    }
    let repaired = stage
        .calls(
            "reconnect_all",
            json!({ "integrationId": integration, "withIntegrationId": integration }),
        )
        .unwrap();
    assert_eq!(repaired.as_array().unwrap().len(), 2);
    for one in repaired.as_array().unwrap() {
        assert_eq!(one["error"], Value::Null, "{one}");
    }
    stage.hears("JOB_ENDED");
    stage.hears("JOB_ENDED");
    for item in &items {
        assert_eq!(stage.shows(item)["syncStatus"], "ACTIVE");
    }
}

#[test]
fn the_app_is_kept_without_its_secret_being_shown() {
    let stage = Stage::open();
    let none = stage
        .calls("sign_in_options", json!({ "provider": "EVENTBRITE" }))
        .unwrap();
    assert_eq!(none["app"], Value::Null);
    assert_eq!(
        none["redirectUri"],
        "http://localhost:47831/oauth/eventbrite/callback"
    );
    let app = json!({
        "provider": "EVENTBRITE", "clientId": "KEY", "clientSecret": "SECRETWORD", "redirectPort": 47_831,
    });
    let kept = stage.calls("remember_app", app).unwrap();
    assert_eq!(kept["app"]["hasSecret"], true);
    assert!(!kept.to_string().contains("SECRETWORD"));
    stage
        .calls("forget_app", json!({ "provider": "EVENTBRITE" }))
        .unwrap();
    let none = stage
        .calls("sign_in_options", json!({ "provider": "EVENTBRITE" }))
        .unwrap();
    assert_eq!(none["app"], Value::Null);
    let bad =
        json!({ "provider": "EVENTBRITE", "clientId": "KEY", "clientSecret": null, "redirectPort": 47_831 });
    refused(stage.calls("remember_app", bad), "BAD_INPUT");
    for port in [json!(-1), json!(70_000), json!("80"), Value::Null] {
        let bad =
            json!({ "provider": "LUMA", "clientId": "KEY", "clientSecret": null, "redirectPort": port });
        refused(stage.calls("remember_app", bad), "BAD_INPUT");
    }
}
