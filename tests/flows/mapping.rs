//! What a provider's record becomes here: the mapping's table through a real import.

use crate::stage::Stage;
use jiff::Timestamp;
use talkvalue_core::domain::attendee::{Attendee, AttendeeStatus};
use talkvalue_core::domain::provider::Provider;
use talkvalue_sandbox::{AttendeeSpec, GuestSpec};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn only_row(stage: &Stage) -> Attendee {
    let item = stage.import().await.unwrap();
    let mut rows = stage.desk.attendees(&item.id).await;
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[tokio::test]
async fn every_eventbrite_status_is_mapped() {
    let new = || AttendeeSpec::new("Ada Lindqvist");
    let came = at("2026-11-23T11:40:00Z");
    let cases = [
        ("Attending", new(), AttendeeStatus::Attending),
        ("Checked In", new().checked_in_at(came), AttendeeStatus::Attending),
        (
            "Not Attending",
            new().status("Not Attending"),
            AttendeeStatus::NotAttending,
        ),
        ("Deleted", new().status("Deleted"), AttendeeStatus::NotAttending),
        ("Unpaid", new().status("Unpaid"), AttendeeStatus::Awaiting),
        ("Levitating", new().status("Levitating"), AttendeeStatus::Awaiting),
        // The booleans decide, whatever the word says.
        (
            "Attending",
            new().status("Attending").cancelled(),
            AttendeeStatus::NotAttending,
        ),
        (
            "Attending",
            new().status("Attending").refunded(),
            AttendeeStatus::NotAttending,
        ),
        (
            "Checked In",
            new().status("Checked In").cancelled(),
            AttendeeStatus::NotAttending,
        ),
        (
            "Unpaid",
            new().status("Unpaid").refunded(),
            AttendeeStatus::NotAttending,
        ),
        ("Not Attending", new().cancelled(), AttendeeStatus::NotAttending),
        (
            "Not Attending",
            new().cancelled().refunded(),
            AttendeeStatus::NotAttending,
        ),
    ];
    for (word, spec, expected) in cases {
        let stage = Stage::open(Provider::Eventbrite, 0).await;
        stage.eventbrite.add_attendee(&stage.event, spec.clone());
        let row = only_row(&stage).await;
        assert_eq!(row.status, expected, "{spec:?}");
        assert_eq!(
            row.provider_status, word,
            "the provider's own word is kept: {spec:?}"
        );
    }
}

#[tokio::test]
async fn every_luma_status_is_mapped() {
    for (word, expected) in [
        ("approved", AttendeeStatus::Attending),
        ("session", AttendeeStatus::Attending),
        ("pending_approval", AttendeeStatus::Awaiting),
        ("waitlist", AttendeeStatus::Awaiting),
        ("invited", AttendeeStatus::Awaiting),
        ("levitating", AttendeeStatus::Awaiting),
        ("declined", AttendeeStatus::NotAttending),
    ] {
        let stage = Stage::open(Provider::Luma, 0).await;
        stage
            .luma
            .add_guest(&stage.event, GuestSpec::new("Ada Lindqvist").status(word));
        let row = only_row(&stage).await;
        assert_eq!(row.status, expected, "{word}");
        assert_eq!(row.provider_status, word, "the provider's own word is kept");
    }
}

#[tokio::test]
async fn an_eventbrite_check_in_is_the_time_of_the_used_ticket() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    let spec = AttendeeSpec::new("Ada Lindqvist")
        .created(at("2026-10-01T08:00:00Z"))
        .checked_in_at(at("2026-11-23T11:40:00Z"))
        // Somebody corrected the company after the doors opened.
        .changed(at("2026-11-23T11:55:00Z"));
    let id = stage.eventbrite.add_attendee(&stage.event, spec);
    let row = only_row(&stage).await;
    assert_eq!(
        row.checked_in_at,
        Some(at("2026-11-23T11:40:00Z")),
        "the ticket's scan is meant, not the record's last change"
    );
    assert_eq!(row.updated_at, Some(at("2026-11-23T11:55:00Z")));
    assert_eq!(row.registered_at, Some(at("2026-10-01T08:00:00Z")));

    stage.eventbrite.undo_check_in(&stage.event, &id);
    let item = stage.desk.only_item().await.id;
    stage.sync(&item).await.unwrap();
    let rows = stage.desk.attendees(&item).await;
    assert_eq!(
        rows[0].checked_in_at, None,
        "a check-in taken back is no check-in"
    );
}

#[tokio::test]
async fn an_eventbrite_record_keeps_every_detail() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    let spec = AttendeeSpec::new("Željko Ó Briain")
        .email("zeljko@tide.example")
        .company("Tide & Sons <b>")
        .ticket("Supporter ★")
        .order_id("12000000777");
    let id = stage.eventbrite.add_attendee(&stage.event, spec);
    let row = only_row(&stage).await;
    assert_eq!(row.external_id.as_str(), id);
    assert_eq!(row.name.as_deref(), Some("Željko Ó Briain"));
    assert_eq!(row.email.as_deref(), Some("zeljko@tide.example"));
    assert_eq!(row.company.as_deref(), Some("Tide & Sons <b>"));
    assert_eq!(row.ticket_type.as_deref(), Some("Supporter ★"));
    assert_eq!(row.order_id.as_deref(), Some("12000000777"));
    assert_eq!(row.registrations, 1);
}

#[tokio::test]
async fn a_luma_check_in_is_the_earliest_of_the_captured_tickets() {
    let stage = Stage::open(Provider::Luma, 0).await;
    let spec = GuestSpec::new("Ada Lindqvist")
        .ticket_checked_in("Standard", at("2026-11-23T11:50:00Z"))
        .ticket_checked_in("Supporter", at("2026-11-23T11:40:00Z"))
        .ticket("Standard")
        .uncaptured_ticket("Abandoned checkout");
    stage.luma.add_guest(&stage.event, spec);
    let row = only_row(&stage).await;
    assert_eq!(row.checked_in_at, Some(at("2026-11-23T11:40:00Z")));
    assert_eq!(
        row.ticket_type.as_deref(),
        Some("Standard, Supporter"),
        "distinct names of captured tickets"
    );
    let item = stage.desk.only_item().await;
    assert_eq!(
        (item.tickets.total, item.tickets.checked_in),
        (3, 2),
        "a ticket that was never paid is none"
    );
    assert_eq!((item.counts.total, item.counts.checked_in), (1, 1), "one guest");
}

#[tokio::test]
async fn a_luma_guest_with_nothing_but_an_abandoned_checkout_has_no_ticket() {
    let stage = Stage::open(Provider::Luma, 0).await;
    let spec = GuestSpec::new("Ada Lindqvist").uncaptured_ticket("Abandoned checkout");
    stage.luma.add_guest(&stage.event, spec);
    let row = only_row(&stage).await;
    assert_eq!((row.ticket_type, row.checked_in_at), (None, None));
    assert_eq!(stage.desk.only_item().await.tickets.total, 0);
}

#[tokio::test]
async fn a_company_is_read_from_an_object_and_from_plain_text() {
    for spec in [
        GuestSpec::new("Ada Lindqvist").company("Tide"),
        GuestSpec::new("Ada Lindqvist").company_as_text("Tide"),
    ] {
        let stage = Stage::open(Provider::Luma, 0).await;
        stage.luma.add_guest(&stage.event, spec.clone());
        assert_eq!(
            only_row(&stage).await.company.as_deref(),
            Some("Tide"),
            "{spec:?}"
        );
    }
}

#[tokio::test]
async fn nobody_checked_in_is_counted_who_is_not_attending() {
    let stage = Stage::open(Provider::Luma, 0).await;
    let came = at("2026-11-23T11:40:00Z");
    for status in ["approved", "declined", "pending_approval"] {
        let spec = GuestSpec::new("Ada Lindqvist")
            .status(status)
            .ticket_checked_in("Standard", came);
        stage.luma.add_guest(&stage.event, spec);
    }
    let item = stage.import().await.unwrap();
    let counts = item.counts;
    assert_eq!(
        (
            counts.total,
            counts.attending,
            counts.awaiting,
            counts.not_attending
        ),
        (3, 1, 1, 1)
    );
    assert_eq!(counts.checked_in, 1, "only who attends counts as checked in");
    assert_eq!((item.tickets.total, item.tickets.checked_in), (3, 1));
}
