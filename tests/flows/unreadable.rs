//! A record that cannot be read is set aside, counted, and costs nobody else; too many of them mean that the provider
//! changed.

use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use std::time::Duration;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_sandbox::{AttendeeSpec, Fault, ProviderRegistration, Spoil};

/// Spoils that make a record impossible to read, and those that only make it odd.
const UNREADABLE: [Spoil; 4] = [
    Spoil::NoId,
    Spoil::WrongTypes,
    Spoil::BadTimestamps,
    Spoil::NotAnObject,
];

async fn assert_exact_without(stage: &Stage, item: &ItemId, spoiled: &[String]) {
    let truth: Vec<ProviderRegistration> = stage
        .truth()
        .into_iter()
        .filter(|row| !spoiled.contains(&row.id))
        .collect();
    stage.desk.assert_exact(item, &truth).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_set_aside_and_costs_no_other() {
    for provider in BOTH {
        for spoil in UNREADABLE {
            for place in [0, 70, 129] {
                let stage = Stage::open(provider, 130).await;
                let id = stage.id_at(place);
                stage.spoils(&id, spoil);
                let item = stage.import().await.unwrap_or_else(|error| {
                    panic!("{spoil:?} at {provider:?} must not cost the import: {error:?}")
                });
                assert_eq!(item.sync_status, SyncStatus::Active, "{spoil:?} at {provider:?}");
                assert_eq!(
                    item.unreadable, 1,
                    "{spoil:?} at {provider:?}: the count shows what could not be read"
                );
                assert_exact_without(&stage, &item.id, &[id]).await;
            }
        }
    }
}

#[tokio::test]
async fn an_id_given_as_a_number_names_the_same_person() {
    let stage = Stage::open(Provider::Eventbrite, 130).await;
    let id = stage
        .truth()
        .iter()
        .find(|row| !row.id.contains('-'))
        .unwrap()
        .id
        .clone();
    stage.spoils(&id, Spoil::IdIsNumber);
    let item = stage.import().await.unwrap();
    assert_eq!(item.unreadable, 0);
    stage.assert_exact(&item.id).await;
}

#[tokio::test]
async fn a_record_of_nothing_but_an_id_is_a_person_of_whom_nothing_is_known() {
    for provider in BOTH {
        let stage = Stage::open(provider, 60).await;
        let id = stage.id_at(30);
        stage.spoils(&id, Spoil::NullEverything);
        let item = stage.import().await.unwrap();
        assert_eq!((item.counts.total, item.unreadable), (60, 0), "{provider:?}");
        let rows = stage.desk.attendees(&item.id).await;
        let row = rows.iter().find(|row| row.external_id.as_str() == id).unwrap();
        assert_eq!(
            row.status.code(),
            "AWAITING",
            "an unknown status is no promise to come"
        );
        assert_eq!((&row.name, &row.email), (&None, &None));
    }
}

#[tokio::test]
async fn a_set_aside_record_that_heals_is_stored_by_the_next_sync() {
    for provider in BOTH {
        for spoil in UNREADABLE {
            let stage = Stage::open(provider, 130).await;
            let (healing, staying) = (stage.id_at(10), stage.id_at(100));
            stage.spoils(&healing, spoil);
            stage.spoils(&staying, spoil);
            let item = stage.import().await.unwrap().id;
            assert_eq!(
                stage.desk.show(&item).await.unreadable,
                2,
                "{spoil:?} at {provider:?}"
            );
            stage.desk.sandbox.clock().advance(Duration::from_secs(1_200));
            stage.heals(&healing);
            stage.sync(&item).await.unwrap();
            assert_eq!(
                stage.desk.show(&item).await.unreadable,
                1,
                "{spoil:?} at {provider:?}: the count falls"
            );
            assert_exact_without(&stage, &item, &[staying]).await;
        }
    }
}

#[tokio::test]
async fn a_stored_record_that_becomes_unreadable_keeps_its_row() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        stage.desk.sandbox.clock().advance(Duration::from_secs(60));
        stage.spoils(&stage.id_at(20), Spoil::WrongTypes);
        stage.sync(&item).await.unwrap();
        let view = stage.desk.show(&item).await;
        assert_eq!((view.counts.total, view.unreadable), (60, 1), "{provider:?}");
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn a_record_without_id_is_counted_once_when_the_closing_pass_meets_it_again() {
    // The closing pass reads what was sold just now once more, at another place of another list.
    let stage = Stage::open(Provider::Eventbrite, 70).await;
    let late = stage
        .eventbrite
        .add_attendee(&stage.event, AttendeeSpec::new("Late Comer"));
    stage.spoils(&late, Spoil::NoId);
    let item = stage.import().await.unwrap();
    assert_eq!(item.unreadable, 1, "one record is unreadable, not two");
}

#[tokio::test]
async fn a_record_without_id_is_counted_once_when_the_walk_starts_again() {
    // The walk meets it again behind a continuation that was issued at another moment.
    let stage = Stage::open(Provider::Eventbrite, 160).await;
    let (event, clock, id) = (stage.event.clone(), stage.desk.sandbox.clock(), stage.id_at(70));
    stage.eventbrite.spoils_attendee(&event, &id, Spoil::NoId);
    stage.eventbrite.during_walk(2, move |eventbrite| {
        clock.advance(Duration::from_secs(30));
        eventbrite.fails_path_next("continuation", 1, Fault::BadContinuation);
    });
    let item = stage.import().await.unwrap();
    assert_eq!(item.unreadable, 1, "one record is unreadable, not two");
}

#[tokio::test]
async fn more_than_five_and_one_in_a_hundred_mean_that_the_provider_changed() {
    for provider in BOTH {
        // (registrations, unreadable ones, whether that is too many)
        for (registrations, unreadable, too_many) in [(60, 5, false), (60, 6, true), (160, 6, true)] {
            let stage = Stage::open(provider, registrations).await;
            for place in 0..unreadable {
                stage.spoils(&stage.id_at(place * 7), Spoil::WrongTypes);
            }
            let result = stage.import().await;
            let item = stage.desk.only_item().await;
            if too_many {
                assert_eq!(
                    code_of(&result),
                    "PROVIDER_CHANGED",
                    "{unreadable} of {registrations}"
                );
                assert_sentence(&result.unwrap_err());
                assert_eq!(item.sync_status, SyncStatus::Pending);
                assert_eq!(item.alert, Some(Alert::ImportFailed));
                assert_eq!(item.failure.unwrap().code, FailureCode::ProviderChanged);
            } else {
                assert_eq!(code_of(&result), "OK", "{unreadable} of {registrations}");
                assert_eq!(item.unreadable, unreadable as u64);
            }
        }
    }
}

#[tokio::test]
async fn six_unreadable_records_side_by_side_among_a_thousand_are_no_change_of_the_provider() {
    for (provider, counted) in [
        (Provider::Eventbrite, true),
        (Provider::Eventbrite, false),
        (Provider::Luma, true),
        (Provider::Luma, false),
    ] {
        let stage = Stage::open(provider, 1_000).await;
        stage.eventbrite.switches(|switches| switches.counts = counted);
        stage.luma.switches(|switches| switches.guest_counts = counted);
        let spoiled: Vec<String> = (0..6).map(|place| stage.id_at(place)).collect();
        for id in &spoiled {
            stage.spoils(id, Spoil::WrongTypes);
        }
        let result = stage.import().await;
        assert_eq!(
            code_of(&result),
            "OK",
            "6 of 1,000 are fewer than one in a hundred, wherever they stand (counted: {counted}, {provider:?})"
        );
        assert_exact_without(&stage, &result.unwrap().id, &spoiled).await;
    }
}

#[tokio::test]
async fn a_sync_that_meets_too_many_unreadable_records_keeps_the_list() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 130).await;
        let before = stage.desk.show(&item).await;
        for place in 0..40 {
            stage.spoils(&stage.id_at(place), Spoil::WrongTypes);
        }
        let result = stage.sync(&item).await;
        assert_eq!(code_of(&result), "PROVIDER_CHANGED");
        let after = stage.desk.show(&item).await;
        assert_eq!(after.sync_status, SyncStatus::Failed);
        assert_eq!(
            after.last_synced_at, before.last_synced_at,
            "the last success stays"
        );
        assert_eq!(after.counts, before.counts, "no stored row is lost");
    }
}
