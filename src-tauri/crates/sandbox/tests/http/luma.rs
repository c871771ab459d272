//! The simulated Luma serves, over HTTP, exactly the truth that its handle reads out.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use talkvalue_sandbox::{Attendance, GuestSpec, SortChange};

use crate::support::{client, fixed, from_luma, get_luma, luma_with, noon, walk_luma};

#[tokio::test]
async fn a_luma_walk_arrives_at_the_truth_in_every_order() {
    let sandbox = fixed().await;
    let (luma, calendar, event) = luma_with(&sandbox, 777);
    let mut truth = luma.guests(&event);
    truth.sort_by(|one, other| one.id.cmp(&other.id));
    let path = "/v1/events/guests/list";
    for column in ["created_at", "name", "email", "registered_at", "checked_in_at"] {
        for direction in ["asc", "desc", "asc%20nulls%20last", "desc%20nulls%20last"] {
            let query = format!(
                "event_id={event}&pagination_limit=100&sort_column={column}&sort_direction={direction}"
            );
            let rows = walk_luma(&luma, &calendar, path, &query).await;
            let mut read: Vec<_> = rows.iter().map(from_luma).collect();
            let times: Vec<_> = read.iter().map(|row| row.checked_in_at).collect();
            if column == "checked_in_at" && direction == "desc%20nulls%20last" {
                let mut sorted = times.clone();
                sorted.sort_by(|one, other| other.cmp(one));
                assert_eq!(times, sorted, "the latest check-in first, nobody's last");
            }
            read.sort_by(|one, other| one.id.cmp(&other.id));
            assert_eq!(read, truth, "sorted by {column} {direction}, nobody is lost");
            luma.clears_requests();
            sandbox.clock().advance(Duration::from_secs(60));
        }
    }
    let approved = walk_luma(
        &luma,
        &calendar,
        path,
        &format!("event_id={event}&approval_status=approved"),
    )
    .await;
    assert_eq!(
        approved.len(),
        truth
            .iter()
            .filter(|row| row.provider_status == "approved")
            .count()
    );
}

#[tokio::test]
async fn luma_answers_keys_events_and_plans_as_documented() {
    let sandbox = fixed().await;
    let (luma, calendar, event) = luma_with(&sandbox, 30);
    let other = luma.add_calendar("Community", "Sol Reyes", "sol@quay.example");
    let client = client();
    let get = format!("/v1/events/get?event_id={event}");
    let status = |key: String, path: String| {
        let (client, luma) = (client.clone(), luma.clone());
        async move { get_luma(&client, &luma, &key, &path).await.status().as_u16() }
    };
    assert_eq!(
        status(calendar.key.clone(), "/v1/users/get-self".into()).await,
        200
    );
    assert_eq!(
        status(calendar.key.clone(), "/v1/calendars/get".into()).await,
        200
    );
    assert_eq!(status(calendar.key.clone(), get.clone()).await, 200);
    assert_eq!(
        status(other.key.clone(), get.clone()).await,
        403,
        "another calendar's key does not see it"
    );
    assert_eq!(
        status(calendar.key.clone(), "/v1/events/get?event_id=evt-none".into()).await,
        403
    );
    assert_eq!(status(calendar.key.clone(), "/v1/events/get".into()).await, 400);
    assert_eq!(status("secret-WRONG".into(), get.clone()).await, 401);
    assert_eq!(status(calendar.key.clone(), "/v1/nothing".into()).await, 404);
    let bad = format!("/v1/events/guests/list?event_id={event}&pagination_cursor=zzz");
    assert_eq!(status(calendar.key.clone(), bad).await, 400);
    luma.plan_lapses(&calendar.id);
    assert_eq!(
        status(calendar.key.clone(), "/v1/users/get-self".into()).await,
        403
    );
    luma.plan_renews(&calendar.id);
    luma.revoke_key(&calendar.key);
    assert_eq!(
        status(calendar.key.clone(), "/v1/users/get-self".into()).await,
        401
    );
    let key = luma.issue_key(&calendar.id);
    assert_eq!(status(key.clone(), get.clone()).await, 200);
    let body: Value = get_luma(&client, &luma, &key, &get).await.json().await.unwrap();
    let approved = luma
        .guests(&event)
        .iter()
        .filter(|row| row.provider_status == "approved")
        .count();
    assert_eq!(body["guest_counts"]["approved"]["guests"], approved);
    luma.delete_event(&event);
    assert_eq!(status(key.clone(), get).await, 403);
    let listed: Value = get_luma(&client, &luma, &key, "/v1/calendars/events/list")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        listed["entries"].as_array().unwrap().len(),
        0,
        "a deleted event is not listed"
    );
}

#[tokio::test]
async fn luma_changes_show_in_the_next_walk() {
    let sandbox = fixed().await;
    let (luma, calendar, event) = luma_with(&sandbox, 0);
    let paid = GuestSpec::new("Imani Okoro")
        .email("imani@tide.example")
        .company("Tidewater");
    let id = luma.add_guest(
        &event,
        paid.ticket("Standard")
            .ticket("Supporter")
            .uncaptured_ticket("Ghost"),
    );
    let waiting = luma.add_guest(
        &event,
        GuestSpec::new("Sol").status("waitlist").company_as_text("Quay"),
    );
    let query = format!("event_id={event}&sort_column=created_at");
    let read = async || {
        let rows = walk_luma(&luma, &calendar, "/v1/events/guests/list", &query).await;
        let mut read: Vec<_> = rows.iter().map(from_luma).collect();
        read.sort_by_key(|row| std::cmp::Reverse(row.tickets));
        read
    };
    let first = read().await;
    assert_eq!(first[0].ticket_type.as_deref(), Some("Standard, Supporter"));
    assert_eq!(
        (first[0].tickets, first[0].company.as_deref()),
        (2, Some("Tidewater"))
    );
    assert_eq!(
        (first[1].attending, first[1].company.as_deref()),
        (Attendance::Awaiting, Some("Quay"))
    );
    luma.check_in(&event, &id);
    luma.approve(&event, &waiting);
    let second = read().await;
    assert_eq!(second[0].checked_in_at, Some(noon()));
    assert_eq!(second[0].tickets_checked_in, 2);
    assert_eq!(second[1].attending, Attendance::Attending);
    luma.undo_check_in(&event, &id);
    luma.decline(&event, &id);
    luma.edit_guest(&event, &waiting, |profile| {
        profile.name = Some("Sol Reyes".to_owned())
    });
    let third = read().await;
    assert_eq!(
        (third[0].checked_in_at, third[0].attending),
        (None, Attendance::NotAttending)
    );
    assert_eq!(third[1].name.as_deref(), Some("Sol Reyes"));
    luma.vanish_guest(&event, &id);
    assert_eq!(read().await.len(), 1);
}

#[tokio::test]
async fn luma_pages_show_their_oddities_on_demand() {
    let sandbox = fixed().await;
    let (luma, calendar, event) = luma_with(&sandbox, 120);
    let query = format!("event_id={event}&sort_column=created_at&sort_direction=asc");
    luma.repeats_rows(&event);
    let rows = walk_luma(&luma, &calendar, "/v1/events/guests/list", &query).await;
    assert_eq!(
        rows.len(),
        122,
        "pages two and three begin with the last row of the page before"
    );
    for page in 1..=3 {
        luma.empties_page(&event, page);
        let rows = walk_luma(&luma, &calendar, "/v1/events/guests/list", &query).await;
        let ids: HashSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(ids.len(), 120, "the rows come after the empty page {page}");
    }
}

#[tokio::test]
async fn a_luma_row_can_cross_the_cursor_during_a_walk() {
    let sandbox = fixed().await;
    let (luma, calendar, event) = luma_with(&sandbox, 120);
    let path = "/v1/events/guests/list";
    let query = format!("event_id={event}&sort_column=email&sort_direction=asc");
    luma.switches(|switches| switches.sort_change = SortChange::RowSkipped);
    let rows = walk_luma(&luma, &calendar, path, &query).await;
    assert_eq!(
        rows.len(),
        119,
        "one row moved to where the walk had been already"
    );
    luma.switches(|switches| switches.sort_change = SortChange::RowRepeated);
    let rows = walk_luma(&luma, &calendar, path, &query).await;
    assert_eq!(rows.len(), 121, "one row came a second time");
    luma.switches(|switches| switches.sort_change = SortChange::Still);
    let rows = walk_luma(&luma, &calendar, path, &query).await;
    assert_eq!(rows.len(), 120, "a quiet walk sees everybody once");
}

#[tokio::test]
async fn luma_s_old_routes_wrap_their_objects_when_switched_on() {
    let sandbox = fixed().await;
    let (luma, calendar, event) = luma_with(&sandbox, 3);
    let client = client();
    let guests = format!("/v1/event/get-guests?event_api_id={event}");
    assert_eq!(
        get_luma(&client, &luma, &calendar.key, &guests).await.status(),
        404,
        "off by default"
    );
    luma.switches(|switches| switches.legacy_routes = true);
    let page: Value = get_luma(&client, &luma, &calendar.key, &guests)
        .await
        .json()
        .await
        .unwrap();
    let entry = &page["entries"][0];
    assert!(entry["api_id"].is_string() && entry["guest"]["api_id"] == entry["api_id"]);
    let single = format!("/v1/event/get?id={event}");
    let single: Value = get_luma(&client, &luma, &calendar.key, &single)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(single["event"]["api_id"], event.as_str());
}
