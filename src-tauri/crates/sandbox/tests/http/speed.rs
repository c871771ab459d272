//! How fast the sandbox is: it must never be what a benchmark of a client measures. Run by hand, in release:
//! `cargo test --release -p talkvalue-sandbox --test http speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use talkvalue_sandbox::{EventSpec, Sandbox};

use crate::support::{client, walk_eventbrite, walk_luma};

#[tokio::test]
#[ignore = "prints figures that mean something in release builds only"]
async fn a_hundred_thousand_registrations_are_built_and_served_fast() {
    let sandbox = Sandbox::start().await;
    let (eventbrite, luma) = (sandbox.eventbrite(), sandbox.luma());
    let account = eventbrite.add_account("Bulk", "bulk@harbour.example");
    let organization = eventbrite.add_organization(&account, "Bulk");
    let event = eventbrite.add_event(&organization, EventSpec::new("Bulk"));
    let calendar = luma.add_calendar("Bulk", "Bulk", "bulk@harbour.example");
    let luma_event = luma.add_event(&calendar.id, EventSpec::new("Bulk"));
    eventbrite.unlimited();
    luma.unlimited();
    let started = Instant::now();
    eventbrite.add_attendees(&event, 100_000);
    let attendees_took = started.elapsed();
    let started = Instant::now();
    luma.add_guests(&luma_event, 100_000);
    let guests_took = started.elapsed();
    eprintln!("built 100,000 attendees in {attendees_took:?}, 100,000 guests in {guests_took:?}");
    assert!(attendees_took < Duration::from_secs(2) && guests_took < Duration::from_secs(2));

    let client = client();
    let page = async |url: String, key: &str| {
        let request = client.get(url).bearer_auth(key).header("x-luma-api-key", key);
        let started = Instant::now();
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
        started.elapsed()
    };
    let list = format!("{}/events/{event}/attendees/", eventbrite.api_url());
    let changes = format!("{list}?changed_since=2100-01-01T00:00:00Z");
    let guests = format!("{}/v1/events/guests/list?event_id={luma_event}", luma.api_url());
    for (what, url, key) in [
        ("a page of 50 attendees", &list, &account.private_token),
        (
            "an empty changed_since of 100,000",
            &changes,
            &account.private_token,
        ),
        ("a page of 50 guests", &guests, &calendar.key),
    ] {
        page(url.clone(), key).await;
        let mut times = Vec::new();
        for _ in 0..200 {
            times.push(page(url.clone(), key).await);
        }
        times.sort();
        eprintln!("{what}: median {:?}, 95 % {:?}", times[100], times[190]);
    }
    let started = Instant::now();
    let rows = walk_eventbrite(&eventbrite, &account, &format!("/events/{event}/attendees/"), "").await;
    eprintln!(
        "walked {} attendees with this plain client in {:?}",
        rows.len(),
        started.elapsed()
    );
    let started = Instant::now();
    let query = format!("event_id={luma_event}&pagination_limit=100&sort_column=created_at");
    let rows = walk_luma(&luma, &calendar, "/v1/events/guests/list", &query).await;
    eprintln!(
        "walked {} guests with this plain client in {:?}",
        rows.len(),
        started.elapsed()
    );
}
