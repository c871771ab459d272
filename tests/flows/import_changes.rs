//! Changes while the walk is under way: pages shift, rows repeat or slip through, and nobody is lost.

use crate::stage::Stage;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::time::Duration;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_sandbox::{AttendeeOrder, AttendeeSpec, Fault, GuestSpec, WalkChange};

/// Asserts that nobody of the provider's list is missing here.
async fn assert_nobody_missing(stage: &Stage, item: &ItemId) {
    let rows = stage.desk.attendees(item).await;
    let ours: BTreeSet<String> = rows
        .iter()
        .map(|row| row.external_id.as_str().to_owned())
        .collect();
    let missing: Vec<String> = stage
        .truth()
        .into_iter()
        .map(|row| row.id)
        .filter(|id| !ours.contains(id))
        .collect();
    assert!(
        missing.is_empty(),
        "a walk during which the list shifted loses nobody, but these are missing: {missing:?}"
    );
}

#[tokio::test]
async fn changes_behind_the_walk_arrive_with_its_closing_pass() {
    let stage = Stage::open(Provider::Eventbrite, 160).await;
    let (event, clock) = (stage.event.clone(), stage.desk.sandbox.clock());
    let attending: Vec<String> = stage
        .truth()
        .into_iter()
        .take(50)
        .filter(|row| row.provider_status == "Attending")
        .map(|row| row.id)
        .take(4)
        .collect();
    stage.eventbrite.during_walk(2, move |eventbrite| {
        clock.advance(Duration::from_secs(5));
        eventbrite.check_in(&event, &attending[0]);
        eventbrite.cancel_attendee(&event, &attending[1]);
        eventbrite.transfer_attendee(&event, &attending[2], "Noor Haddad", "noor@tide.example");
        eventbrite.refund_attendee(&event, &attending[3]);
        eventbrite.add_attendee(&event, AttendeeSpec::new("Late Comer").email("late@tide.example"));
    });
    let item = stage.import().await.unwrap();
    stage.assert_exact(&item.id).await;
    assert!(
        stage
            .door()
            .requests()
            .iter()
            .any(|request| request.query.contains("changed_since")),
        "an import ends with a pass over what changed meanwhile"
    );
}

#[tokio::test]
async fn a_row_inserted_before_the_walk_repeats_one_and_is_itself_found() {
    let stage = Stage::open(Provider::Eventbrite, 160).await;
    stage
        .eventbrite
        .switches(|switches| switches.change_during_walk = WalkChange::InsertBefore);
    stage.eventbrite.during_walk(3, |eventbrite| {
        eventbrite.switches(|switches| switches.change_during_walk = WalkChange::Still)
    });
    let item = stage.import().await.unwrap();
    assert_eq!(item.sync_status, SyncStatus::Active);
    stage.assert_exact(&item.id).await;
}

#[tokio::test]
async fn a_row_that_vanishes_before_the_walk_makes_no_other_slip_through() {
    let stage = Stage::open(Provider::Eventbrite, 160).await;
    let (event, first) = (stage.event.clone(), stage.id_at(0));
    stage.eventbrite.during_walk(1, move |eventbrite| {
        eventbrite.vanish_attendee(&event, &first);
    });
    let item = stage.import().await.unwrap();
    assert_nobody_missing(&stage, &item.id).await;
}

#[tokio::test]
async fn a_row_that_moves_to_the_end_of_the_list_makes_no_other_slip_through() {
    let stage = Stage::open(Provider::Eventbrite, 160).await;
    stage
        .eventbrite
        .switches(|switches| switches.attendee_order = AttendeeOrder::ByChanged);
    let (event, clock) = (stage.event.clone(), stage.desk.sandbox.clock());
    let mut oldest_first = stage.truth();
    oldest_first.sort_by_key(|row| row.changed);
    let early = oldest_first[0].id.clone();
    stage.eventbrite.during_walk(1, move |eventbrite| {
        clock.advance(Duration::from_secs(5));
        eventbrite.edit_attendee(&event, &early, |profile| {
            profile.company = Some("Tide".to_owned())
        });
    });
    let item = stage.import().await.unwrap();
    assert_nobody_missing(&stage, &item.id).await;
}

/// A list ordered by change, at which nobody looked for hours, in which most people changed: three pages of changes.
async fn unseen_for_hours() -> (Stage, ItemId) {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 160).await;
    stage
        .eventbrite
        .switches(|switches| switches.attendee_order = AttendeeOrder::ByChanged);
    let clock = stage.desk.sandbox.clock();
    for row in &stage.truth()[..120] {
        clock.advance(Duration::from_secs(60));
        stage.eventbrite.edit_attendee(&stage.event, &row.id, |profile| {
            profile.company = Some("Tide".to_owned());
        });
    }
    (stage, item)
}

/// After so many more pages, five seconds later, the person at this place changes.
fn changes_after(stage: &Stage, pages: u64, place: usize) {
    let clock = stage.desk.sandbox.clock().clone();
    let (event, early) = (stage.event.clone(), stage.id_at(place));
    stage.eventbrite.during_walk(pages, move |eventbrite| {
        clock.advance(Duration::from_secs(5));
        eventbrite.edit_attendee(&event, &early, |profile| profile.company = Some("Ebb".to_owned()));
    });
}

#[tokio::test]
async fn a_change_that_slips_over_a_page_boundary_of_a_check_is_not_lost() {
    let (stage, item) = unseen_for_hours().await;
    changes_after(&stage, 1, 0);
    let _ = stage.check(&item).await;
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn a_check_whose_changes_move_in_every_walk_is_as_of_its_first_one() {
    let (stage, item) = unseen_for_hours().await;
    let began = stage.desk.ports.clock.now();
    for walk in 0..3 {
        changes_after(&stage, 3 * walk + 1, usize::try_from(walk).unwrap());
    }
    stage.check(&item).await.unwrap();
    let read_as_of = stage.desk.show(&item).await.last_synced_at.unwrap();
    let first_walk = SignedDuration::from_secs(5);
    assert!(
        read_as_of.duration_since(began) <= first_walk,
        "what moved after the first walk may have been missed since"
    );
    stage.check(&item).await.unwrap();
    let read_as_of = stage.desk.show(&item).await.last_synced_at.unwrap();
    assert!(read_as_of.duration_since(began) > first_walk, "it rests again");
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn luma_guests_who_register_during_the_walk_are_met_by_it() {
    let stage = Stage::open(Provider::Luma, 230).await;
    let (event, clock) = (stage.event.clone(), stage.desk.sandbox.clock());
    stage.luma.during_walk(1, move |luma| {
        clock.advance(Duration::from_secs(5));
        luma.add_guest(
            &event,
            GuestSpec::new("Late Comer")
                .email("late@tide.example")
                .ticket("Standard"),
        );
    });
    let item = stage.import().await.unwrap();
    stage.assert_exact(&item.id).await;
}

#[tokio::test]
async fn luma_changes_behind_the_walk_arrive_with_the_next_sync() {
    let (stage, item) = Stage::imported(Provider::Luma, 230).await;
    let (event, clock) = (stage.event.clone(), stage.desk.sandbox.clock());
    let mut oldest_first = stage.truth();
    oldest_first.sort_by_key(|row| row.registered_at);
    let early = oldest_first[0].id.clone();
    stage.luma.during_walk(2, move |luma| {
        clock.advance(Duration::from_secs(5));
        luma.decline(&event, &early);
    });
    stage.sync(&item).await.unwrap();
    stage.sync(&item).await.unwrap();
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn nobody_is_removed_by_a_sync_that_reads_less() {
    for provider in Provider::ALL {
        for fault in [Fault::EmptyList, Fault::HalfList] {
            let (stage, item) = Stage::imported(provider, 130).await;
            stage.door().fails_path(stage.list_path(), fault.clone());
            let _ = stage.sync(&item).await;
            let view = stage.desk.show(&item).await;
            assert_eq!(
                view.counts.total, 130,
                "{fault:?} at {provider:?}: rows are never removed by a sync"
            );
            stage.assert_exact(&item).await;
        }
    }
}

/// Reads what is due without anybody asking once a day has passed: everything.
async fn daily_check(stage: &Stage, item: &ItemId) {
    let clock = stage.desk.sandbox.clock();
    clock.advance(Duration::from_secs(25 * 3_600));
    let _ = stage.check(item).await;
}

#[tokio::test]
async fn one_answer_with_fewer_people_than_there_are_cancels_nobody() {
    // Five pages: an empty first one is an empty list, half of the fourth leaves thirty in a hundred out.
    for (page, fault, told) in [(1, Fault::EmptyList, 0), (4, Fault::HalfList, 70)] {
        for provider in Provider::ALL {
            let stage = Stage::open(provider, 100).await;
            stage
                .eventbrite
                .switches(|switches| switches.attendees_per_page = 20);
            stage.luma.switches(|switches| switches.page_cap = 20);
            let item = stage.import().await.unwrap().id;
            for by_itself in [false, true] {
                // The event comes before its pages.
                stage.door().fails_once_after(page, fault.clone());
                if by_itself {
                    daily_check(&stage, &item).await;
                } else {
                    let _ = stage.sync(&item).await;
                }
                stage.assert_exact(&item).await;
                let view = stage.desk.show(&item).await;
                assert_eq!(
                    (view.counts.total, view.held_removals),
                    (100, 0),
                    "{told} of 100 were told at {provider:?}: one answer proves no absence"
                );
                stage.door().clears_faults();
                stage.sync(&item).await.unwrap();
                stage.assert_exact(&item).await;
            }
        }
    }
}
