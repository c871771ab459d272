//! Importing gives exactly the provider's set, whatever its pages look like.

use crate::stage::{BOTH, Stage};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_sandbox::{AttendeeOrder, AttendeeSpec, EventSpec, Spoil};
use talkvalue_tests::desk::Desk;

#[tokio::test]
async fn an_eventbrite_event_of_ten_thousand_arrives_exactly() {
    let desk = Desk::open().await;
    let eventbrite = desk.sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let organization = eventbrite.add_organization(&account, "Harbour Guild");
    let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
    eventbrite.add_attendees(&event, 10_000);
    let integration = desk
        .connect(Provider::Eventbrite, &account.private_token)
        .await
        .unwrap();
    let item = desk
        .import(&integration, &event, ItemKind::BadgeEvent)
        .await
        .unwrap();
    assert_eq!(item.sync_status, SyncStatus::Active);
    assert_eq!(item.counts.total, 10_000);
    desk.assert_exact(&item.id, &eventbrite.attendees(&event)).await;
}

#[tokio::test]
async fn a_luma_event_of_three_thousand_arrives_exactly() {
    let desk = Desk::open().await;
    let luma = desk.sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
    luma.add_guests(&event, 3_000);
    let integration = desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let item = desk
        .import(&integration, &event, ItemKind::BadgeEvent)
        .await
        .unwrap();
    assert_eq!(item.sync_status, SyncStatus::Active);
    desk.assert_exact(&item.id, &luma.guests(&event)).await;
}

/// Imports, and asserts that the list is exactly the provider's and counted right.
async fn assert_arrives_exactly(stage: &Stage, oddity: &str) {
    let item = stage
        .import()
        .await
        .unwrap_or_else(|error| panic!("{oddity} is no reason to fail: {error:?}"));
    assert_eq!(
        item.sync_status,
        SyncStatus::Active,
        "{oddity}: the import completes"
    );
    let truth = stage.truth();
    assert_eq!(
        item.counts.total,
        truth.len() as u64,
        "{oddity}: everybody is counted once"
    );
    assert_eq!(
        item.counts.attending + item.counts.awaiting + item.counts.not_attending,
        item.counts.total,
        "{oddity}: the counts add up"
    );
    assert_eq!(item.unreadable, 0, "{oddity}: nothing about it is unreadable");
    stage.assert_exact(&item.id).await;
    stage.assert_no_leak();
}

#[tokio::test]
async fn rows_that_repeat_across_pages_are_stored_once() {
    for provider in BOTH {
        let stage = Stage::open(provider, 330).await;
        match provider {
            Provider::Eventbrite => stage.eventbrite.repeats_rows(&stage.event),
            Provider::Luma => stage.luma.repeats_rows(&stage.event),
        }
        assert_arrives_exactly(&stage, "a repeated row").await;
    }
}

#[tokio::test]
async fn an_empty_page_in_the_middle_does_not_end_the_walk() {
    for provider in BOTH {
        for page in 1..=4 {
            let stage = Stage::open(provider, 330).await;
            match provider {
                Provider::Eventbrite => stage.eventbrite.empties_page(&stage.event, page),
                Provider::Luma => stage.luma.empties_page(&stage.event, page),
            }
            assert_arrives_exactly(&stage, "an empty page").await;
        }
    }
}

#[tokio::test]
async fn the_last_page_ends_the_walk_with_and_without_a_cursor() {
    for provider in BOTH {
        for cursor_on_last_page in [true, false] {
            for registrations in [0, 1, 50, 100, 200] {
                let stage = Stage::open(provider, registrations).await;
                stage
                    .eventbrite
                    .switches(|switches| switches.continuation_on_last_page = cursor_on_last_page);
                stage
                    .luma
                    .switches(|switches| switches.cursor_on_last_page = cursor_on_last_page);
                assert_arrives_exactly(&stage, "a cursor on the last page, or none").await;
            }
        }
    }
}

#[tokio::test]
async fn an_import_needs_no_count_from_the_provider() {
    for provider in BOTH {
        let stage = Stage::open(provider, 230).await;
        stage.eventbrite.switches(|switches| switches.counts = false);
        stage.luma.switches(|switches| switches.guest_counts = false);
        assert_arrives_exactly(&stage, "a missing count").await;
    }
}

#[tokio::test]
async fn odd_ids_null_profiles_unknown_words_and_unknown_fields_arrive_exactly() {
    for provider in BOTH {
        let stage = Stage::open(provider, 230).await;
        stage.luma.switches(|switches| switches.unknown_values = true);
        for (place, spoil) in [
            (3, Spoil::NullProfile),
            (57, Spoil::UnknownStatus),
            (111, Spoil::UnknownFields),
        ] {
            stage.spoils(&stage.id_at(place), spoil);
        }
        assert_arrives_exactly(&stage, "an oddity in a record").await;
    }
}

#[tokio::test]
async fn ids_with_a_suffix_are_kept_as_they_are() {
    let stage = Stage::open(Provider::Eventbrite, 1_200).await;
    let suffixed = stage.truth().iter().filter(|row| row.id.contains('-')).count();
    assert!(suffixed > 0, "the test needs such ids");
    assert_arrives_exactly(&stage, "a suffixed id").await;
}

#[tokio::test]
async fn the_order_of_the_list_and_the_size_of_its_pages_do_not_matter() {
    for order in [
        AttendeeOrder::ById,
        AttendeeOrder::ByChanged,
        AttendeeOrder::ByCreatedDescending,
    ] {
        let stage = Stage::open(Provider::Eventbrite, 160).await;
        stage
            .eventbrite
            .switches(|switches| switches.attendee_order = order);
        assert_arrives_exactly(&stage, "another order").await;
    }
    let stage = Stage::open(Provider::Luma, 160).await;
    stage.luma.switches(|switches| switches.page_cap = 50);
    assert_arrives_exactly(&stage, "a smaller page than asked for").await;
}

#[tokio::test]
async fn an_eventbrite_row_that_lags_behind_is_not_lost() {
    let stage = Stage::open(Provider::Eventbrite, 60).await;
    stage
        .eventbrite
        .switches(|switches| switches.replica_lag_secs = 240);
    stage
        .desk
        .sandbox
        .clock()
        .advance(std::time::Duration::from_secs(600));
    let late = stage.eventbrite.add_attendee(
        &stage.event,
        AttendeeSpec::new("Ada Lindqvist").email("ada@tide.example"),
    );
    let item = stage.import().await.unwrap();
    assert_eq!(
        item.counts.total, 60,
        "the replica does not show the latest sale yet ({late})"
    );
    stage
        .desk
        .sandbox
        .clock()
        .advance(std::time::Duration::from_secs(300));
    stage.sync(&item.id).await.unwrap();
    stage.assert_exact(&item.id).await;
}

#[tokio::test]
async fn an_older_row_served_again_does_not_undo_a_change() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    stage
        .eventbrite
        .switches(|switches| switches.older_row_once = true);
    let id = stage
        .truth()
        .iter()
        .find(|row| row.provider_status == "Attending")
        .unwrap()
        .id
        .clone();
    stage
        .desk
        .sandbox
        .clock()
        .advance(std::time::Duration::from_secs(60));
    stage.check_in(&id);
    // The new reading comes first, the one from before the change second: in the same sync's closing pass.
    stage.sync(&item).await.unwrap();
    stage.assert_exact(&item).await;
    stage.sync(&item).await.unwrap();
    stage.assert_exact(&item).await;
}
