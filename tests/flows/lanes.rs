//! Jobs of one process beside each other: none waits for one that waits for it, and what waits for its place can be
//! stopped.

use crate::live::PATIENCE;
use crate::stage::{BOTH, Owner, Stage};
use std::sync::Arc;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::{ExternalId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::sync::actions;
use talkvalue_core::sync::cancel::cancel_item;
use talkvalue_core::sync::runner::Runner;
use talkvalue_sandbox::EventSpec;
use talkvalue_tests::desk::patient;

/// Begins a pull as a click does.
pub(crate) async fn pulls(runner: &Arc<Runner>, item: &ItemId) {
    let turn = runner.turn().await.unwrap();
    let begun = actions::begin_sync(runner.ports(), &turn, item).await.unwrap();
    runner.run_in_background(turn, begun, patient());
}

/// Lets every job that was begun come to where it waits for others: nothing on the way there leaves this thread.
async fn all_are_in_their_places() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn until_none_works(stage: &Stage, what: &str) {
    let ended = async {
        while stage.items().await.iter().any(|item| item.active_job.is_some()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect(what);
}

#[tokio::test]
async fn channels_and_their_events_never_wait_for_each_other_in_a_circle() {
    let stage = Stage::open(Provider::Eventbrite, 12).await;
    let Owner::Eventbrite {
        account,
        organization,
    } = &stage.owner
    else {
        panic!("the stage is Eventbrite's")
    };
    let guild = stage.eventbrite.add_organization(account, "Rope Guild");
    let splicing = stage
        .eventbrite
        .add_event(&guild, EventSpec::new("Rope Splicing"));
    stage.eventbrite.add_attendees(&splicing, 9);
    let import = async |external: &str, kind| {
        let imported = stage.desk.import(&stage.integration, external, kind).await;
        imported.unwrap().id
    };
    let mut channels = Vec::new();
    for organization in [organization, &guild] {
        channels.push(import(organization, ItemKind::PathChannel).await);
    }
    let mut events = Vec::new();
    for event in [&stage.event, &splicing] {
        events.push(import(event, ItemKind::BadgeEvent).await);
    }

    let runner = Arc::new(Runner::new(stage.desk.ports.clone()));
    let standstills = [stage.door().pause_at(1), stage.door().pause_at(2)];
    for channel in &channels {
        pulls(&runner, channel).await;
    }
    for standstill in &standstills {
        standstill.reached().await;
    }
    // The channels have every place that the account has; their events come before they get to them.
    for event in &events {
        pulls(&runner, event).await;
    }
    all_are_in_their_places().await;
    drop(standstills);
    until_none_works(&stage, "all of them come to their ends").await;
}

#[tokio::test]
async fn views_of_one_list_take_up_one_place_of_their_account() {
    let (stage, badge) = Stage::imported(Provider::Eventbrite, 12).await;
    let other = stage.add_event("Rope Splicing", 9);
    let mut items = vec![badge];
    for (event, kind) in [
        (&stage.event, ItemKind::PathEvent),
        (&other, ItemKind::BadgeEvent),
    ] {
        let imported = stage.desk.import(&stage.integration, event, kind).await;
        items.push(imported.unwrap().id);
    }
    stage.door().clears_requests();
    let runner = Arc::new(Runner::new(stage.desk.ports.clone()));
    let standstill = stage.door().pause_at(1);
    pulls(&runner, &items[0]).await;
    standstill.reached().await;
    pulls(&runner, &items[1]).await;
    all_are_in_their_places().await;
    pulls(&runner, &items[2]).await;
    let read = async {
        while stage.desk.show(&items[2]).await.active_job.is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("another list is read while two views of a held-up one wait");
    drop(standstill);
    until_none_works(&stage, "the held-up ones end, too").await;
}

#[tokio::test]
async fn an_import_that_waits_for_its_place_can_be_stopped_at_once() {
    for provider in BOTH {
        let stage = Stage::open(provider, 60).await;
        let events = [
            stage.event.clone(),
            stage.add_event("Rope Splicing", 9),
            stage.add_event("Sail Mending", 9),
        ];
        let runner = Arc::new(Runner::new(stage.desk.ports.clone()));
        let standstills = [stage.door().pause_at(1), stage.door().pause_at(2)];
        let mut items = Vec::new();
        for event in &events {
            let turn = runner.turn().await.unwrap();
            let event = ExternalId::from_text(event.as_str());
            let kind = ItemKind::BadgeEvent;
            let begun = actions::begin_import(runner.ports(), &turn, &stage.integration, &event, kind).await;
            items.push(runner.run_in_background(turn, begun.unwrap(), patient()).id);
        }
        for standstill in &standstills {
            standstill.reached().await;
        }
        let elsewhere = stage.desk.restarted();
        let stopped = tokio::time::timeout(PATIENCE, cancel_item(&elsewhere, &items[2]))
            .await
            .expect("it does not wait for its place first")
            .unwrap();
        assert_eq!(
            stopped.failure.map(|failure| failure.code),
            Some(FailureCode::ImportCancelled),
            "{provider:?}"
        );
        drop(standstills);
        until_none_works(&stage, "the others go on").await;
        for item in &items[..2] {
            assert!(
                stage.desk.show(item).await.last_synced_at.is_some(),
                "{provider:?}: nobody stopped them"
            );
        }
        assert_eq!(
            stage.requests_to(&events[2]) + stage.requests_with(&events[2]),
            0,
            "{provider:?}: nothing was asked of the provider for it"
        );
    }
}
