//! Faults, limits, revocation, pauses and hooks act exactly when and as they are asked to.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use serde_json::Value;
use talkvalue_sandbox::{
    AttendeeSpec, EventSpec, Eventbrite, Fault, Luma, LumaCalendar, Sandbox, SandboxClock,
};

use crate::support::{client, get_eventbrite, get_luma, walk_eventbrite};

struct Stage {
    sandbox: Sandbox,
    client: Client,
    eventbrite: Eventbrite,
    token: String,
    organization: String,
    event: String,
    luma: Luma,
    calendar: LumaCalendar,
    luma_event: String,
}

impl Stage {
    async fn set() -> Self {
        let start: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let sandbox = Sandbox::builder()
            .clock(SandboxClock::fixed(start))
            .start()
            .await
            .unwrap();
        let eventbrite = sandbox.eventbrite();
        let account = eventbrite.add_account("Robin Vale", "robin@tide.example");
        let organization = eventbrite.add_organization(&account, "Harbour Guild");
        let event = eventbrite.add_event(&organization, EventSpec::new("Repair Café"));
        eventbrite.add_attendees(&event, 120);
        let luma = sandbox.luma();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@tide.example");
        let luma_event = luma.add_event(&calendar.id, EventSpec::new("Repair Evening"));
        luma.add_guests(&luma_event, 120);
        Self {
            client: client(),
            token: account.private_token,
            sandbox,
            eventbrite,
            organization,
            event,
            luma,
            calendar,
            luma_event,
        }
    }

    async fn attendees(&self) -> reqwest::Result<reqwest::Response> {
        let address = format!("{}/events/{}/attendees/", self.eventbrite.api_url(), self.event);
        self.client.get(address).bearer_auth(&self.token).send().await
    }

    async fn guests(&self) -> reqwest::Result<reqwest::Response> {
        let address = format!(
            "{}/v1/events/guests/list?event_id={}",
            self.luma.api_url(),
            self.luma_event
        );
        self.client
            .get(address)
            .header("x-luma-api-key", &self.calendar.key)
            .send()
            .await
    }

    async fn both(&self, fault: &Fault) -> [reqwest::Response; 2] {
        self.eventbrite.fails_next(1, fault.clone());
        self.luma.fails_next(1, fault.clone());
        [self.attendees().await.unwrap(), self.guests().await.unwrap()]
    }
}

fn rows(page: &Value) -> usize {
    page.get("attendees")
        .or_else(|| page.get("entries"))
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

fn more(page: &Value) -> (bool, bool) {
    match page.get("pagination") {
        Some(pagination) => (
            pagination["has_more_items"] == true,
            pagination["continuation"].is_string(),
        ),
        None => (page["has_more"] == true, page["next_cursor"].is_string()),
    }
}

#[tokio::test]
async fn statuses_and_pages_of_gateways_come_as_asked() {
    let stage = Stage::set().await;
    for (fault, status, html) in [
        (Fault::Status(500), 500, false),
        (Fault::Status(403), 403, false),
        (Fault::HtmlGateway(502), 502, true),
        (Fault::Html200, 200, true),
        (Fault::NonJsonStatus(401), 401, true),
        (Fault::Redirect("http://portal.example/".to_owned()), 302, true),
    ] {
        for answer in stage.both(&fault).await {
            assert_eq!(answer.status(), status, "{fault:?}");
            let is_html = answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html");
            assert_eq!(is_html, html, "{fault:?}");
            if !html {
                let body: Value = answer.json().await.unwrap();
                assert!(body["error"].is_string() || body["code"].is_null());
            }
        }
    }
    assert_eq!(
        stage.attendees().await.unwrap().status(),
        200,
        "a fault that has struck is gone"
    );
}

#[tokio::test]
async fn lists_bend_as_asked() {
    let stage = Stage::set().await;
    for (fault, wanted_rows, wanted_more) in [
        (Fault::EmptyList, 0, (false, false)),
        (Fault::HalfList, 25, (false, true)),
        (Fault::RepeatedCursor, 50, (true, true)),
        (Fault::MissingCursor, 50, (true, false)),
        (Fault::NotAnEnvelope, 0, (false, false)),
    ] {
        for (index, answer) in stage.both(&fault).await.into_iter().enumerate() {
            let page: Value = answer.json().await.unwrap();
            assert_eq!(rows(&page), wanted_rows, "{fault:?}");
            if index == 0 && fault == Fault::EmptyList {
                assert!(!more(&page).0);
            } else {
                assert_eq!(more(&page), wanted_more, "{fault:?}");
            }
        }
    }
    stage.eventbrite.fails_next(1, Fault::BadContinuation);
    let first: Value = stage.attendees().await.unwrap().json().await.unwrap();
    let token = first["pagination"]["continuation"].as_str().unwrap();
    let next = format!("/events/{}/attendees/?continuation={token}", stage.event);
    let refused = get_eventbrite(&stage.client, &stage.eventbrite, &stage.token, &next).await;
    assert_eq!(
        refused.status(),
        400,
        "a bad continuation strikes only a request that has one"
    );
    stage.eventbrite.fails_always(Fault::RepeatedCursor);
    let again = get_eventbrite(&stage.client, &stage.eventbrite, &stage.token, &next).await;
    let again: Value = again.json().await.unwrap();
    assert_eq!(
        again["pagination"]["continuation"], token,
        "the same cursor for ever"
    );
}

#[tokio::test]
async fn broken_bodies_break_where_they_should() {
    let stage = Stage::set().await;
    for answer in stage.both(&Fault::TruncatedBody).await {
        assert_eq!(answer.status(), 200, "the head arrives");
        assert!(answer.bytes().await.is_err(), "the body ends too early");
    }
    for answer in stage.both(&Fault::TruncatedJson).await {
        let body = answer.bytes().await.unwrap();
        assert!(
            serde_json::from_slice::<Value>(&body).is_err(),
            "whole to HTTP, broken to JSON"
        );
    }
    for answer in stage.both(&Fault::DeepJson).await {
        assert!(
            serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).is_err(),
            "too deep"
        );
    }
    for answer in stage.both(&Fault::HugeBody { bytes: 5_000_000 }).await {
        assert_eq!(answer.content_length(), Some(5_000_000));
        let body = answer.bytes().await.unwrap();
        assert_eq!(
            (body.len(), serde_json::from_slice::<Value>(&body).unwrap()),
            (5_000_000, Value::Object(Default::default()))
        );
    }
    for answer in stage
        .both(&Fault::GzipBomb {
            decoded_bytes: 8 << 20,
        })
        .await
    {
        // The client decodes it: gzip is on by default there.
        let body = answer.bytes().await.unwrap();
        assert_eq!(body.len(), (8 << 20) + 2, "unpacks to that many blanks and {{}}");
    }
    for answer in stage
        .both(&Fault::SlowBody {
            bytes_per_second: 4_000_000,
        })
        .await
    {
        assert_eq!(rows(&answer.json().await.unwrap()), 50, "slow, but true");
    }
    for answer in stage.both(&Fault::EchoesCredential(500)).await {
        assert!(answer.headers().contains_key("x-debug-credential"));
        assert!(
            answer.text().await.unwrap().contains("CANARY"),
            "the body repeats the credential"
        );
    }
}

#[tokio::test]
async fn resets_and_hangs_leave_no_answer() {
    let stage = Stage::set().await;
    stage.eventbrite.fails_next(1, Fault::Reset);
    let error = stage.attendees().await.unwrap_err();
    let text = format!("{error:?}");
    assert!(
        text.contains("ConnectionReset") || text.contains("IncompleteMessage"),
        "{text}"
    );
    assert_eq!(
        stage.eventbrite.requests().last().unwrap().status,
        0,
        "a reset has no status"
    );
    stage.luma.fails_next(1, Fault::Hang);
    let patient = stage.luma.pause_at(1);
    let hanging = tokio::spawn({
        let (client, key) = (stage.client.clone(), stage.calendar.key.clone());
        let address = format!("{}/v1/users/get-self", stage.luma.api_url());
        async move {
            client
                .get(address)
                .header("x-luma-api-key", key)
                .send()
                .await
                .is_ok()
        }
    });
    patient.reached().await;
    patient.release();
    let empty = Sandbox::start().await;
    let mut stage = stage;
    drop(std::mem::replace(&mut stage.sandbox, empty));
    assert!(
        !hanging.await.unwrap(),
        "only the sandbox's end ends a hanging request"
    );
    assert!(stage.guests().await.is_err(), "nothing listens after the drop");
}

#[tokio::test]
async fn faults_count_requests_and_know_paths() {
    let stage = Stage::set().await;
    let status = async || stage.attendees().await.unwrap().status().as_u16();
    stage.eventbrite.fails_after(2, Fault::Status(500));
    assert_eq!(
        [status().await, status().await, status().await, status().await],
        [200, 200, 500, 500]
    );
    stage.eventbrite.clears_faults();
    stage.eventbrite.fails_once_after(1, Fault::HtmlGateway(504));
    assert_eq!([status().await, status().await, status().await], [200, 504, 200]);
    stage.eventbrite.fails_path("/users/me", Fault::Status(503));
    assert_eq!(status().await, 200);
    let me = get_eventbrite(&stage.client, &stage.eventbrite, &stage.token, "/users/me/").await;
    assert_eq!(me.status(), 503);
    stage.eventbrite.clears_faults();
    stage.eventbrite.fails_next(1, Fault::Status(500));
    stage.eventbrite.fails_next(1, Fault::Status(502));
    assert_eq!(
        [status().await, status().await, status().await],
        [500, 502, 200],
        "they queue up"
    );
    for (name, fault) in Fault::catalogue() {
        assert_eq!(Fault::named(name), Some(fault));
    }
}

#[tokio::test]
async fn eventbrite_limits_by_the_hour_of_the_sandbox_clock() {
    let stage = Stage::set().await;
    stage.eventbrite.switches(|switches| switches.calls_per_hour = 3);
    for used in 1..=3 {
        let answer = stage.attendees().await.unwrap();
        assert_eq!(answer.status(), 200);
        let header = answer.headers()["x-rate-limit"].to_str().unwrap().to_owned();
        assert!(
            header.starts_with(&format!("token:{} {used}/3 reset=3600s, key:", stage.token)),
            "{header}"
        );
    }
    stage.sandbox.clock().advance(Duration::from_secs(600));
    let limited = stage.attendees().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert!(
        limited.headers()["x-rate-limit"]
            .to_str()
            .unwrap()
            .contains("3/3 reset=3000s")
    );
    assert!(
        !limited.headers().contains_key("retry-after"),
        "not documented, so absent by default"
    );
    assert_eq!(limited.json::<Value>().await.unwrap()["error"], "HIT_RATE_LIMIT");
    stage.sandbox.clock().advance(Duration::from_secs(3_000));
    assert_eq!(
        stage.attendees().await.unwrap().status(),
        200,
        "the window has passed"
    );
    stage.eventbrite.unlimited();
    for _ in 0..5 {
        assert_eq!(stage.attendees().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn luma_blocks_the_calendar_for_a_minute() {
    let stage = Stage::set().await;
    stage.luma.rate_limits_after(1);
    let open = stage.guests().await.unwrap();
    assert_eq!(open.headers()["x-ratelimit-limit"], "200");
    assert_eq!(open.headers()["x-ratelimit-remaining"], "199");
    let blocked = stage.guests().await.unwrap();
    assert_eq!(blocked.status(), 429);
    assert_eq!(blocked.headers()["retry-after"], "60");
    assert_eq!(blocked.headers()["x-ratelimit-remaining"], "0");
    let other_key = stage.luma.issue_key(&stage.calendar.id);
    let same = get_luma(&stage.client, &stage.luma, &other_key, "/v1/users/get-self").await;
    assert_eq!(same.status(), 429, "all keys of a calendar share the limit");
    stage.sandbox.clock().advance(Duration::from_secs(59));
    assert_eq!(stage.guests().await.unwrap().status(), 429);
    stage.sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(stage.guests().await.unwrap().status(), 200);
    for _ in 0..199 {
        assert_eq!(stage.guests().await.unwrap().status(), 200);
    }
    assert_eq!(
        stage.guests().await.unwrap().status(),
        429,
        "200 a minute, then a block"
    );

    stage.luma.clears_faults();
    stage.luma.rate_limits_next(1, Some(7));
    assert_eq!(stage.guests().await.unwrap().headers()["retry-after"], "7");
    stage.eventbrite.rate_limits_next(1, None);
    let bare = stage.attendees().await.unwrap();
    assert_eq!(bare.status(), 429);
    assert!(!bare.headers().contains_key("retry-after") && !bare.headers().contains_key("x-rate-limit"));
}

#[tokio::test]
async fn credentials_die_at_the_announced_request() {
    let stage = Stage::set().await;
    stage.eventbrite.revokes_after(2);
    stage.luma.revokes_after(1);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(stage.attendees().await.unwrap().status().as_u16());
    }
    assert_eq!(seen, [200, 200, 401]);
    assert_eq!(stage.guests().await.unwrap().status(), 200);
    assert_eq!(stage.guests().await.unwrap().status(), 401);
    let key = stage.luma.issue_key(&stage.calendar.id);
    assert_eq!(
        get_luma(&stage.client, &stage.luma, &key, "/v1/users/get-self")
            .await
            .status(),
        200
    );
    stage.luma.revokes_keys();
    assert_eq!(
        get_luma(&stage.client, &stage.luma, &key, "/v1/users/get-self")
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn a_pause_point_holds_exactly_the_named_request() {
    let stage = Stage::set().await;
    let pause = stage.eventbrite.pause_at(2);
    assert_eq!(
        stage.attendees().await.unwrap().status(),
        200,
        "the first one passes"
    );
    assert!(!pause.is_reached());
    let held = stage.attendees();
    tokio::pin!(held);
    tokio::select! {
        _ = &mut held => panic!("a held request is not answered"),
        () = pause.reached() => {}
    }
    stage.eventbrite.revokes_tokens();
    pause.release();
    assert_eq!(
        held.await.unwrap().status(),
        401,
        "held before it is answered, not after"
    );
}

#[tokio::test]
async fn a_change_during_a_walk_happens_between_its_pages() {
    let stage = Stage::set().await;
    let event = stage.event.clone();
    stage.eventbrite.during_walk(1, move |eventbrite| {
        let first = eventbrite.attendees(&event)[0].id.clone();
        eventbrite.vanish_attendee(&event, &first);
    });
    let account = stage.eventbrite.accounts().remove(0);
    let path = format!("/events/{}/attendees/", stage.event);
    let rows = walk_eventbrite(&stage.eventbrite, &account, &path, "").await;
    let ids: HashSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(
        ids.len(),
        119,
        "the first page has the vanished row, the second lost one to the shift"
    );
    assert_eq!(stage.eventbrite.attendees(&stage.event).len(), 119);
    let organization = stage.organization.clone();
    stage.eventbrite.during_walk(0, move |eventbrite| {
        let event = eventbrite.events()[0].id.clone();
        eventbrite.add_attendee(&event, AttendeeSpec::new("Ada Vale"));
        assert_eq!(eventbrite.events()[0].owner_id, organization);
    });
    let rows = walk_eventbrite(&stage.eventbrite, &account, &path, "").await;
    assert_eq!(rows.len(), 120, "with 0 the change comes before the first page");
}

#[tokio::test]
async fn the_journal_shows_what_was_asked() {
    let stage = Stage::set().await;
    stage.eventbrite.clears_requests();
    let path = "/users/me/organizations/?page=1";
    get_eventbrite(&stage.client, &stage.eventbrite, &stage.token, path).await;
    let requests = stage.eventbrite.requests();
    assert_eq!(stage.eventbrite.request_count(), 1);
    let record = &requests[0];
    assert_eq!(
        (record.method.as_str(), record.path.as_str()),
        ("GET", "/v3/users/me/organizations/")
    );
    assert_eq!((record.query.as_str(), record.status), ("page=1", 200));
    assert_eq!(record.credential.as_deref(), Some(stage.token.as_str()));
    assert_eq!(record.at, stage.sandbox.clock().now());
    assert!(record.headers.iter().all(|(name, _)| name != "authorization"));
}

#[tokio::test]
async fn a_provider_goes_down_and_comes_back_on_the_same_port() {
    let stage = Stage::set().await;
    let before = stage.eventbrite.api_url();
    assert_eq!(stage.attendees().await.unwrap().status(), 200);
    stage.eventbrite.goes_down();
    assert!(
        stage.attendees().await.unwrap_err().is_connect(),
        "connections are refused"
    );
    assert_eq!(
        stage.guests().await.unwrap().status(),
        200,
        "the other provider is not touched"
    );
    stage.eventbrite.comes_back();
    assert_eq!(stage.eventbrite.api_url(), before);
    assert_eq!(stage.attendees().await.unwrap().status(), 200);
}
