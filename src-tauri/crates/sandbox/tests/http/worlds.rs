//! The simulated Eventbrite serves, over HTTP, exactly the truth that its handle reads out; and what holds for both.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use talkvalue_sandbox::{Attendance, AttendeeSpec, EventSpec, Sandbox, SandboxClock, Spoil, WalkChange};

use crate::support::{
    client, eventbrite_with, fixed, from_eventbrite, get_eventbrite, luma_with, noon, walk_eventbrite,
    walk_luma,
};

#[tokio::test]
async fn an_eventbrite_walk_arrives_at_the_truth() {
    let sandbox = fixed().await;
    let (eventbrite, account, organization, event) = eventbrite_with(&sandbox, 1_234);
    let path = format!("/events/{event}/attendees/");
    let rows = walk_eventbrite(&eventbrite, &account, &path, "").await;
    let read: Vec<_> = rows.iter().map(from_eventbrite).collect();
    let truth = eventbrite.attendees(&event);
    assert_eq!(read, truth, "the documented mapping of every row gives the truth");
    let of_organization = walk_eventbrite(
        &eventbrite,
        &account,
        &format!("/organizations/{organization}/attendees/"),
        "",
    )
    .await;
    assert_eq!(
        of_organization.len(),
        1_234,
        "the organization's feed holds the same rows"
    );
    let share = |attendance| truth.iter().filter(|row| row.attending == attendance).count();
    assert!(
        (30..110).contains(&share(Attendance::NotAttending)),
        "about one in twenty is gone"
    );
    assert!((5..60).contains(&share(Attendance::Awaiting)), "some are unpaid");
    let checked_in = truth.iter().filter(|row| row.checked_in()).count();
    assert!(
        (150..350).contains(&checked_in),
        "about one in five is checked in, not {checked_in}"
    );
    assert!(
        truth.iter().any(|row| row.id.contains('-')),
        "some ids have a suffix"
    );
    assert!(truth.iter().any(|row| row.email.is_none()), "some have no e-mail");
    let people: HashSet<_> = truth.iter().filter_map(|row| row.email_key()).collect();
    assert!(people.len() < truth.len(), "orders repeat the buyer's e-mail");
}

#[tokio::test]
async fn changed_since_is_inclusive_and_catches_every_change() {
    let sandbox = fixed().await;
    let (eventbrite, account, organization, event) = eventbrite_with(&sandbox, 300);
    sandbox.clock().advance(Duration::from_secs(3_600));
    let ids: Vec<String> = eventbrite
        .attendees(&event)
        .into_iter()
        .filter(|row| row.provider_status == "Attending" && row.email.is_some())
        .map(|row| row.id)
        .collect();
    eventbrite.cancel_attendee(&event, &ids[0]);
    eventbrite.refund_attendee(&event, &ids[1]);
    eventbrite.delete_attendee(&event, &ids[2]);
    eventbrite.check_in(&event, &ids[3]);
    eventbrite.transfer_attendee(&event, &ids[4], "Ada Lindqvist", "ada@quay.example");
    eventbrite.edit_attendee(&event, &ids[5], |profile| {
        profile.company = Some("Dock Five".to_owned())
    });
    eventbrite.check_in(&event, &ids[6]);
    eventbrite.undo_check_in(&event, &ids[6]);
    for path in [
        format!("/events/{event}/attendees/"),
        format!("/organizations/{organization}/attendees/"),
    ] {
        let rows = walk_eventbrite(&eventbrite, &account, &path, "changed_since=2026-05-01T13:00:00Z").await;
        let read: Vec<_> = rows.iter().map(from_eventbrite).collect();
        let truth: Vec<_> = eventbrite
            .attendees(&event)
            .into_iter()
            .filter(|row| ids[..7].contains(&row.id))
            .collect();
        assert_eq!(
            read, truth,
            "the seven changed rows and no others, the boundary included"
        );
    }
    let later = "changed_since=2026-05-01T13:00:01Z";
    let rows = walk_eventbrite(
        &eventbrite,
        &account,
        &format!("/events/{event}/attendees/"),
        later,
    )
    .await;
    assert_eq!(rows.len(), 0, "nothing changed after that second");
}

#[tokio::test]
async fn eventbrite_filters_by_status_and_checks_arguments() {
    let sandbox = fixed().await;
    let (eventbrite, account, _, event) = eventbrite_with(&sandbox, 600);
    let truth = eventbrite.attendees(&event);
    let path = format!("/events/{event}/attendees/");
    for (filter, words) in [
        ("attending", &["Attending", "Checked In"][..]),
        ("not_attending", &["Not Attending", "Deleted"]),
        ("unpaid", &["Unpaid"]),
    ] {
        let rows = walk_eventbrite(&eventbrite, &account, &path, &format!("status={filter}")).await;
        let wanted = truth
            .iter()
            .filter(|row| words.contains(&row.provider_status.as_str()))
            .count();
        assert_eq!(rows.len(), wanted, "{filter} means {words:?}");
    }
    let client = client();
    for (query, error) in [
        ("status=perhaps", "ARGUMENTS_ERROR"),
        ("changed_since=yesterday", "ARGUMENTS_ERROR"),
        ("continuation=nonsense", "BAD_CONTINUATION_TOKEN"),
        ("page=99", "BAD_PAGE"),
    ] {
        let answer = get_eventbrite(
            &client,
            &eventbrite,
            &account.private_token,
            &format!("{path}?{query}"),
        )
        .await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], error);
    }
}

#[tokio::test]
async fn eventbrite_answers_credentials_and_paths_as_documented() {
    let sandbox = fixed().await;
    let (eventbrite, account, organization, event) = eventbrite_with(&sandbox, 3);
    let stranger = eventbrite.add_account("Sol Reyes", "sol@quay.example");
    let client = client();
    let me = "/users/me/";
    let event_path = format!("/events/{event}/");
    let cases = [
        (account.private_token.as_str(), me, 200, ""),
        (account.public_token.as_str(), me, 403, "NOT_AUTHORIZED"),
        (account.api_key.as_str(), me, 401, "INVALID_AUTH"),
        ("CANARYEBUNKNOWN", me, 401, "INVALID_AUTH"),
        (account.private_token.as_str(), "/events/123/", 404, "NOT_FOUND"),
        (
            stranger.private_token.as_str(),
            event_path.as_str(),
            403,
            "NOT_AUTHORIZED",
        ),
        (
            account.private_token.as_str(),
            "/users/me",
            301,
            "PERMANENTLY_MOVED",
        ),
    ];
    for (token, path, status, error) in cases {
        let answer = get_eventbrite(&client, &eventbrite, token, path).await;
        assert_eq!(answer.status(), status, "{path} with {token}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"].as_str().unwrap_or_default(), error);
    }
    let bare = client
        .get(format!("{}/users/me/", eventbrite.api_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(
        bare.headers()["date"],
        "Fri, 01 May 2026 12:00:00 GMT",
        "the Date header follows the clock"
    );
    assert_eq!(bare.json::<Value>().await.unwrap()["error"], "NO_AUTH");

    eventbrite.switches(|switches| switches.invalid_auth_status = 400);
    eventbrite.revoke_token(&account.private_token);
    let revoked = get_eventbrite(&client, &eventbrite, &account.private_token, me).await;
    assert_eq!(revoked.status(), 400, "INVALID_AUTH can come with 400");
    let token = eventbrite.issue_token(&account);
    assert_eq!(
        get_eventbrite(&client, &eventbrite, &token, me).await.status(),
        200
    );
    eventbrite.add_member(&organization, &stranger);
    let seen = get_eventbrite(&client, &eventbrite, &stranger.private_token, &event_path).await;
    assert_eq!(seen.status(), 200, "a member sees the organization's events");
    eventbrite.forbid_event(&stranger, &event);
    let seen = get_eventbrite(&client, &eventbrite, &stranger.private_token, &event_path).await;
    assert_eq!(seen.status(), 403, "but not a forbidden one");
    eventbrite.delete_event(&event);
    assert_eq!(
        get_eventbrite(&client, &eventbrite, &token, &event_path)
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn eventbrite_lists_events_with_filters_and_ticket_classes() {
    let sandbox = fixed().await;
    let (eventbrite, account, organization, event) = eventbrite_with(&sandbox, 40);
    let past = EventSpec::new("Past").starts_at("2026-04-01T10:00:00Z".parse().unwrap());
    let past = eventbrite.add_event(&organization, past);
    let path = format!("/organizations/{organization}/events/");
    let listed = |query: &'static str| {
        let (eventbrite, account, path) = (eventbrite.clone(), account.clone(), path.clone());
        async move {
            let rows = walk_eventbrite(&eventbrite, &account, &path, query).await;
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        listed("status=all&order_by=start_desc&page_size=1").await,
        [event.clone(), past.clone()]
    );
    assert_eq!(listed("time_filter=past").await, std::slice::from_ref(&past));
    assert_eq!(
        listed("status=ended").await,
        std::slice::from_ref(&past),
        "a live event ends when its time has come"
    );
    eventbrite.cancel_event(&past);
    assert_eq!(listed("status=canceled").await, [past]);
    let classes = walk_eventbrite(
        &eventbrite,
        &account,
        &format!("/events/{event}/ticket_classes/"),
        "",
    )
    .await;
    assert!(
        classes.len() >= 2,
        "an event that was filled has two or three ticket classes"
    );
    let organizations = walk_eventbrite(&eventbrite, &account, "/users/me/organizations/", "").await;
    assert!(
        !organizations[0]["created"].as_str().unwrap().ends_with('Z'),
        "this one has no zone on the wire"
    );
}

#[tokio::test]
async fn eventbrite_pages_show_their_oddities_on_demand() {
    let sandbox = fixed().await;
    let (eventbrite, account, _, event) = eventbrite_with(&sandbox, 120);
    let path = format!("/events/{event}/attendees/");
    eventbrite.repeats_rows(&event);
    let rows = walk_eventbrite(&eventbrite, &account, &path, "").await;
    assert_eq!(
        rows.len(),
        122,
        "pages two and three begin with the last row of the page before"
    );
    eventbrite.empties_page(&event, 2);
    let rows = walk_eventbrite(&eventbrite, &account, &path, "").await;
    let ids: HashSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids.len(), 120, "the rows come after the empty page");

    let (_, _, _, other) = eventbrite_with(&sandbox, 120);
    let account = eventbrite.accounts().pop().unwrap();
    let path = format!("/events/{other}/attendees/");
    eventbrite.switches(|switches| switches.change_during_walk = WalkChange::DeleteBefore);
    let rows = walk_eventbrite(&eventbrite, &account, &path, "").await;
    assert_eq!(
        rows.len(),
        119,
        "a row slipped through: the first vanished, one was skipped"
    );
    eventbrite.switches(|switches| {
        switches.change_during_walk = WalkChange::Still;
        switches.replica_lag_secs = 30;
    });
    sandbox.clock().advance(Duration::from_secs(31));
    let id = eventbrite.add_attendee(&other, AttendeeSpec::new("Ada Vale").email("ada@quay.example"));
    let before = walk_eventbrite(&eventbrite, &account, &path, "").await;
    sandbox.clock().advance(Duration::from_secs(31));
    let after = walk_eventbrite(&eventbrite, &account, &path, "").await;
    assert_eq!(
        after.len(),
        before.len() + 1,
        "the new row shows once the replica has caught up"
    );
    assert!(after.iter().any(|row| row["id"] == id.as_str()));
}

#[tokio::test]
async fn spoiled_records_are_served_spoiled() {
    let sandbox = fixed().await;
    let (eventbrite, account, _, event) = eventbrite_with(&sandbox, 9);
    let (luma, calendar, luma_event) = luma_with(&sandbox, 9);
    let all = [
        Spoil::NoId,
        Spoil::IdIsNumber,
        Spoil::NullProfile,
        Spoil::WrongTypes,
        Spoil::UnknownStatus,
        Spoil::UnknownFields,
        Spoil::NullEverything,
        Spoil::BadTimestamps,
        Spoil::NotAnObject,
    ];
    let (attendees, guests) = (eventbrite.attendees(&event), luma.guests(&luma_event));
    for (index, spoil) in all.into_iter().enumerate() {
        eventbrite.spoils_attendee(&event, &attendees[index].id, spoil);
        luma.spoils_guest(&luma_event, &guests[index].id, spoil);
    }
    let rows = walk_eventbrite(&eventbrite, &account, &format!("/events/{event}/attendees/"), "").await;
    assert!(rows[0]["id"].is_null() && rows[1]["id"].is_number() && rows[2]["profile"].is_null());
    assert!(rows[3]["profile"].is_string() && rows[4]["status"] == "Levitating");
    assert!(rows[5]["hologram"].is_object() && rows[6]["status"].is_null() && rows[8].is_string());
    assert_eq!(
        eventbrite.attendees(&event)[4].provider_status,
        "Levitating",
        "the truth says so too"
    );
    let query = format!("event_id={luma_event}&sort_column=created_at");
    let rows = walk_luma(&luma, &calendar, "/v1/events/guests/list", &query).await;
    assert_eq!(rows.iter().filter(|row| row.is_string()).count(), 1);
    assert_eq!(
        rows.iter()
            .filter(|row| row["approval_status"] == "levitating")
            .count(),
        1
    );
    eventbrite.heals_attendee(&event, &attendees[0].id);
    let rows = walk_eventbrite(&eventbrite, &account, &format!("/events/{event}/attendees/"), "").await;
    assert_eq!(rows[0]["id"], attendees[0].id.as_str());
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world() {
    let make = async |seed| {
        let sandbox = Sandbox::builder()
            .seed(seed)
            .clock(SandboxClock::fixed(noon()))
            .demo()
            .start()
            .await
            .unwrap();
        let demo = serde_json::to_value(sandbox.demo().unwrap()).unwrap();
        let event = &sandbox.demo().unwrap().eventbrite_events[1].id;
        let luma_event = &sandbox.demo().unwrap().luma_events[0].id;
        (
            demo,
            sandbox.eventbrite().attendees(event),
            sandbox.luma().guests(luma_event),
        )
    };
    let first = make(7).await;
    assert_eq!(first, make(7).await, "a seed decides everything");
    assert_ne!(first.0, make(8).await.0, "another seed gives other credentials");
    assert_eq!(first.1.len(), 3_000);
}

#[tokio::test]
async fn a_changed_row_can_be_served_older_once() {
    let sandbox = fixed().await;
    let (eventbrite, account, _, event) = eventbrite_with(&sandbox, 0);
    let id = eventbrite.add_attendee(&event, AttendeeSpec::new("Ada Vale"));
    eventbrite.switches(|switches| switches.older_row_once = true);
    sandbox.clock().advance(Duration::from_secs(60));
    eventbrite.check_in(&event, &id);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let rows = walk_eventbrite(&eventbrite, &account, &format!("/events/{event}/attendees/"), "").await;
        seen.push(rows[0]["checked_in"] == true);
    }
    assert_eq!(
        seen,
        [true, false, true],
        "the newer row, an older one after it, the newer one for good"
    );
}
