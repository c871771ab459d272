//! One walk over an Eventbrite organization in place of a request per event: it reads for everybody who is due, advances
//! them together when it is complete and not at all when it is not, and costs nobody anything where it is not possible.

use crate::live::{Open, green};
use crate::stage::{Owner, Stage};
use std::time::Duration;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::actions;
use talkvalue_core::sync::turn::take_turn;
use talkvalue_sandbox::{AttendeeOrder, AttendeeSpec, EventSpec, Fault, Spoil};
use talkvalue_tests::desk::patient;

const MINUTE: Duration = Duration::from_secs(60);
/// Longer ago than any walk over changes reaches back.
const LONG_AGO: Duration = Duration::from_secs(1_800);

fn organization(stage: &Stage) -> String {
    match &stage.owner {
        Owner::Eventbrite { organization, .. } => organization.clone(),
        Owner::Luma(_) => panic!("an organization is Eventbrite's"),
    }
}

fn walk_path(stage: &Stage) -> String {
    format!("/organizations/{}/attendees/", organization(stage))
}

fn registers(stage: &Stage, event: &str, name: &str) {
    let email = format!("{}@harbour.example", name.to_lowercase().replace(' ', "."));
    stage
        .eventbrite
        .add_attendee(event, AttendeeSpec::new(name).email(email));
}

/// A quiet organization of so many events. Somebody registered at each of them just before it was imported.
async fn events_of(count: usize) -> (Stage, Vec<String>) {
    let stage = Stage::open(Provider::Eventbrite, 12).await;
    let mut events = vec![stage.event.clone()];
    events.extend((1..count).map(|number| stage.add_event(&format!("Evening {number}"), 7)));
    stage.desk.sandbox.clock().advance(LONG_AGO);
    for (number, event) in events.iter().enumerate() {
        registers(&stage, event, &format!("Guest {number}"));
    }
    (stage, events)
}

async fn channel_of(count: usize) -> (Stage, Vec<String>, ItemView) {
    let (stage, events) = events_of(count).await;
    let channel = stage
        .desk
        .import(&stage.integration, &organization(&stage), ItemKind::PathChannel)
        .await
        .unwrap();
    (stage, events, channel)
}

async fn badges_of(count: usize) -> (Stage, Vec<String>, Vec<ItemId>) {
    let (stage, events) = events_of(count).await;
    let mut items = Vec::new();
    for event in &events {
        let item = stage
            .desk
            .import(&stage.integration, event, ItemKind::BadgeEvent)
            .await;
        items.push(item.unwrap().id);
    }
    (stage, events, items)
}

fn total(stage: &Stage, events: &[String]) -> u64 {
    events
        .iter()
        .map(|event| stage.truth_of(event).len() as u64)
        .sum()
}

#[tokio::test]
async fn a_channel_of_forty_events_costs_one_request_a_minute() {
    let (stage, events, channel) = channel_of(40).await;
    stage.due(&channel.id).await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "nothing changed");
    let members = stage.desk.ports.store.members(&channel.id).await.unwrap();
    let now = Some(stage.desk.sandbox.clock().now());
    assert_eq!(members.len(), 40);
    assert!(
        members.iter().all(|member| member.last_synced_at == now),
        "every event is as of now"
    );
    for place in [3, 17, 38] {
        registers(&stage, &events[place], &format!("Late {place}"));
    }
    let after = stage.due(&channel.id).await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "three changes fit one page");
    assert_eq!(after.counts.total, channel.counts.total + 3);
}

#[tokio::test]
async fn one_walk_reads_for_all_items_of_an_organization() {
    let (stage, events, items) = badges_of(10).await;
    let open = Open::over(&stage, stage.desk.restarted());
    for item in &items {
        open.until_calmly(item, "the first check", green).await;
    }
    stage.door().clears_requests();
    for event in [&events[2], &events[9]] {
        registers(&stage, event, "Ada Marsh");
    }
    let started = open.ports.clock.now();
    for (item, event) in items.iter().zip(&events) {
        let wanted = stage.truth_of(event).len() as u64;
        open.until_calmly(item, "three minutes of checks", |view| {
            view.counts.total == wanted
                && view
                    .last_synced_at
                    .is_some_and(|at| at.duration_since(started).as_secs() >= 180)
        })
        .await;
    }
    let minutes = open
        .ports
        .clock
        .now()
        .duration_since(started)
        .as_secs()
        .unsigned_abs()
        / 60
        + 1;
    let asked = stage.door().request_count();
    // One more may have been on its way when the count began. Each by itself they would ask ten times a minute.
    assert!(
        asked <= minutes + 1,
        "one request a minute for all ten, not {asked} in {minutes} minutes"
    );
}

#[tokio::test]
async fn a_badge_event_beside_a_channel_joins_its_walk() {
    let (stage, events, channel) = channel_of(6).await;
    let badge = stage
        .desk
        .import(&stage.integration, &events[1], ItemKind::BadgeEvent)
        .await
        .unwrap();
    registers(&stage, &events[1], "Ada Marsh");
    stage.due(&channel.id).await.unwrap();
    assert_eq!(stage.door().request_count(), 1);
    let shown = stage.desk.show(&badge.id).await;
    assert_eq!(
        (shown.counts.total, shown.last_synced_at),
        (
            stage.truth_of(&events[1]).len() as u64,
            Some(stage.desk.sandbox.clock().now())
        ),
        "both show the same list"
    );
}

#[tokio::test]
async fn events_that_nobody_shows_are_passed_over() {
    let (stage, events, items) = badges_of(3).await;
    let unseen = stage.add_event("Not imported", 5);
    let wanted = total(&stage, &events);
    stage.due(&items[0]).await.unwrap();
    assert_eq!(stage.requests_to(&walk_path(&stage)), 1);
    let rows = stage.desk.ports.store.diagnostics().await.unwrap();
    assert_eq!(
        rows["rows"]["registration"], wanted,
        "nobody of {unseen} is stored"
    );
}

#[tokio::test]
async fn an_incomplete_walk_keeps_what_it_met_and_advances_nobody() {
    let (stage, events, channel) = channel_of(8).await;
    stage.desk.sandbox.clock().advance(LONG_AGO);
    stage.due(&channel.id).await.unwrap();
    let before = stage.desk.show(&channel.id).await;
    let since = |stage: &Stage| {
        let requests = stage.door().requests();
        let walk = requests
            .iter()
            .find(|request| request.path.ends_with("/attendees/"));
        walk.map(|walk| walk.query.clone())
    };
    let asked_before = since(&stage);
    // Two pages of changes.
    for event in &events {
        for number in 0..10 {
            registers(&stage, event, &format!("Crowd {number} of {event}"));
        }
    }
    stage.desk.sandbox.clock().advance(MINUTE);
    stage.door().clears_requests();
    stage.door().fails_after(1, Fault::Reset);
    let turn = take_turn(&stage.desk.ports, None).await.unwrap();
    let check = async || {
        let begun = actions::begin_check(&stage.desk.ports, &turn, &channel.id, Default::default()).await?;
        begun.finish(&stage.desk.ports, patient()).await
    };
    check().await.unwrap_err();
    let broken = stage.desk.show(&channel.id).await;
    assert_eq!(
        broken.last_synced_at, before.last_synced_at,
        "half of the changes are no sync"
    );
    assert!(
        broken.counts.total > before.counts.total && broken.counts.total < before.counts.total + 80,
        "what arrived is kept: {:?}",
        broken.counts
    );
    assert_eq!(
        since(&stage),
        asked_before,
        "it began where the last complete one had come to"
    );
    stage.door().clears_faults();
    stage.door().clears_requests();
    let after = check().await.unwrap();
    assert_eq!(since(&stage), asked_before, "nobody was advanced");
    assert_eq!(after.counts.total, before.counts.total + 80);
    assert_eq!(stage.door().request_count(), 2);
}

/// Lists ordered by change, at which nobody looked for most of an hour, in which everybody changed: two pages of changes.
/// In each of so many walks somebody of the first page changes again.
async fn moves_in_its_walks(walks: usize) -> (Stage, Vec<String>, Vec<ItemId>) {
    const PAGES: u64 = 2;
    let (stage, events, items) = badges_of(8).await;
    stage
        .eventbrite
        .switches(|switches| switches.attendee_order = AttendeeOrder::ByChanged);
    let clock = stage.desk.sandbox.clock().clone();
    let mut changed = Vec::new();
    for event in &events {
        for row in stage.truth_of(event) {
            clock.advance(Duration::from_secs(40));
            stage.eventbrite.edit_attendee(event, &row.id, |profile| {
                profile.company = Some("Tide".to_owned());
            });
            changed.push((event.clone(), row.id));
        }
    }
    assert_eq!(changed.len().div_ceil(50) as u64, PAGES);
    for ((event, early), walk) in changed.into_iter().take(walks).zip(0..) {
        let (moves, goes_on) = (clock.clone(), clock.clone());
        stage.eventbrite.during_walk(PAGES * walk + 1, move |eventbrite| {
            moves.advance(Duration::from_secs(5));
            eventbrite.edit_attendee(&event, &early, |profile| profile.company = Some("Ebb".to_owned()));
        });
        stage.eventbrite.during_walk(PAGES * walk + 2, move |_| {
            goes_on.advance(Duration::from_secs(5));
        });
    }
    (stage, events, items)
}

async fn assert_all_exact(stage: &Stage, events: &[String], items: &[ItemId]) {
    for (item, event) in items.iter().zip(events) {
        stage.desk.assert_exact(item, &stage.truth_of(event)).await;
    }
}

#[tokio::test]
async fn a_change_that_slips_over_a_page_boundary_of_a_walk_is_not_lost() {
    let (stage, events, items) = moves_in_its_walks(1).await;
    stage.due(&items[0]).await.unwrap();
    assert_eq!(stage.requests_to(&walk_path(&stage)), 4, "it walks once more");
    assert_all_exact(&stage, &events, &items).await;
}

#[tokio::test]
async fn a_walk_that_moves_each_time_is_as_of_the_first_one_and_read_again() {
    let (stage, events, items) = moves_in_its_walks(3).await;
    let began = stage.desk.ports.clock.now();
    let as_of = async |item: &ItemId| {
        let read = stage.desk.show(item).await.last_synced_at.unwrap();
        read.duration_since(began).as_secs()
    };
    let first_walk = 60 + 5;
    stage.due(&items[0]).await.unwrap();
    for item in &items {
        assert_eq!(
            as_of(item).await,
            first_walk,
            "what moved later may have been missed"
        );
    }
    stage.due(&items[0]).await.unwrap();
    assert!(as_of(&items[0]).await > first_walk, "it rests again");
    assert_all_exact(&stage, &events, &items).await;
}

#[tokio::test]
async fn a_new_event_is_read_by_itself_before_any_walk_covers_it() {
    let (stage, _, channel) = channel_of(5).await;
    let new = stage.add_event("One more", 9);
    stage.desk.sandbox.clock().advance(LONG_AGO);
    let after = stage.due(&channel.id).await.unwrap();
    assert!(
        stage.requests_to(&format!("/events/{new}/attendees/")) >= 1,
        "who is not known yet is in no change"
    );
    let people = stage.desk.attendees(&after.id).await;
    for row in stage.truth_of(&new) {
        assert!(
            people.iter().any(|person| person.email == row.email),
            "{row:?} is on the list"
        );
    }
}

#[tokio::test]
async fn where_the_organization_may_not_be_asked_its_events_are() {
    let (stage, events, channel) = channel_of(5).await;
    stage.door().fails_path(walk_path(&stage), Fault::Status(403));
    registers(&stage, &events[4], "Ada Marsh");
    let after = stage.due(&channel.id).await.unwrap();
    assert_eq!(
        (after.sync_status, after.counts.total),
        (SyncStatus::Active, channel.counts.total + 1),
        "that is nobody's failure"
    );
    assert_eq!(stage.requests_to("/events/"), 5);
    stage.due(&channel.id).await.unwrap();
    assert_eq!(
        stage.requests_to(&walk_path(&stage)),
        0,
        "it is not asked again each minute"
    );
    stage.door().clears_faults();
    stage.desk.sandbox.clock().advance(Duration::from_secs(3_600));
    stage.due(&channel.id).await.unwrap();
    assert_eq!(stage.requests_to(&walk_path(&stage)), 1, "but an hour later");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_sends_each_event_its_own_way() {
    let (stage, events, channel) = channel_of(5).await;
    registers(&stage, &events[2], "Ada Marsh");
    let id = stage.truth_of(&events[2]).last().unwrap().id.clone();
    stage
        .eventbrite
        .spoils_attendee(&events[2], &id, Spoil::WrongTypes);
    let spoiled = stage.due(&channel.id).await.unwrap();
    assert_eq!(spoiled.unreadable, 1, "it is set aside where it belongs");
    stage.eventbrite.heals_attendee(&events[2], &id);
    stage.desk.sandbox.clock().advance(Duration::from_secs(3_600));
    let healed = stage.due(&channel.id).await.unwrap();
    assert_eq!(
        (healed.unreadable, healed.counts.total),
        (0, channel.counts.total + 1)
    );
}

#[tokio::test]
async fn a_walk_through_a_crowd_that_nobody_shows_is_given_up() {
    let (stage, _, items) = badges_of(3).await;
    let crowd = stage
        .eventbrite
        .add_event(&organization(&stage), EventSpec::new("Elsewhere"));
    for number in 0..160 {
        registers(&stage, &crowd, &format!("Crowd {number}"));
    }
    stage.due(&items[0]).await.unwrap();
    assert_eq!(
        stage.requests_to(&walk_path(&stage)),
        3,
        "no more than it could have spared"
    );
    stage.due(&items[0]).await.unwrap();
    assert_eq!(stage.door().request_count(), 1, "then each is read by itself");
}

#[tokio::test]
async fn an_event_that_is_gone_is_found_though_no_walk_tells_of_it() {
    let (stage, events, channel) = channel_of(5).await;
    stage.eventbrite.delete_event(&events[3]);
    stage.desk.sandbox.clock().advance(LONG_AGO);
    stage.due(&channel.id).await.unwrap();
    let members = stage.desk.ports.store.members(&channel.id).await.unwrap();
    let closed: Vec<&str> = members
        .iter()
        .filter(|member| member.closed_at.is_some())
        .map(|member| member.event.external_id.as_str())
        .collect();
    assert_eq!(closed, [events[3].as_str()], "its list is read no more, and kept");
    assert_eq!(
        stage.desk.show(&channel.id).await.counts.total,
        channel.counts.total
    );
}

#[tokio::test]
async fn an_item_that_is_removed_in_mid_walk_costs_the_others_nothing() {
    let (stage, events, items) = badges_of(3).await;
    registers(&stage, &events[0], "Ada Marsh");
    let ports = &stage.desk.ports;
    stage.desk.sandbox.clock().advance(MINUTE);
    stage.door().clears_requests();
    let turn = take_turn(ports, None).await.unwrap();
    let begun = actions::begin_check(ports, &turn, &items[0], Default::default())
        .await
        .unwrap();
    let pause = stage.door().pause_at(1);
    let removing = async {
        pause.reached().await;
        // As the window does, which shares the turn.
        let removed = actions::remove_item_in(ports, &turn, &items[2]).await;
        pause.release();
        removed.unwrap();
    };
    let (read, ()) = tokio::join!(begun.finish(ports, patient()), removing);
    assert_eq!(read.unwrap().sync_status, SyncStatus::Active);
    assert_eq!(stage.requests_to(&walk_path(&stage)), 1);
    let now = Some(stage.desk.sandbox.clock().now());
    for (item, event) in items.iter().zip(&events).take(2) {
        let shown = stage.desk.show(item).await;
        assert_eq!(
            (shown.last_synced_at, shown.counts.total),
            (now, stage.truth_of(event).len() as u64)
        );
    }
}

#[tokio::test]
async fn a_list_that_has_not_changed_for_long_does_not_keep_the_others_from_their_walk() {
    let (stage, events, items) = badges_of(6).await;
    // Much has happened since anything did at the first one.
    stage.desk.sandbox.clock().advance(LONG_AGO);
    for event in &events[1..] {
        for number in 0..60 {
            registers(&stage, event, &format!("Crowd {number}"));
        }
    }
    stage.desk.sandbox.clock().advance(LONG_AGO);
    for item in &items {
        stage.sync(item).await.unwrap();
    }
    for event in &events[1..] {
        registers(&stage, event, "Late");
    }
    stage.desk.sandbox.clock().advance(LONG_AGO);
    for item in &items {
        stage.sync(item).await.unwrap();
    }
    stage.due(&items[0]).await.unwrap();
    assert_eq!(
        (
            stage.requests_to(&walk_path(&stage)),
            stage.requests_to("/events/")
        ),
        (1, 1),
        "one for the five, one for itself"
    );
    let now = Some(stage.desk.sandbox.clock().now());
    for item in &items {
        assert_eq!(stage.desk.show(item).await.last_synced_at, now);
    }
}
