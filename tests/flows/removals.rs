//! Registrations that a provider no longer lists: never a cancellation at once, never in alarming numbers, never for
//! good; and a person decides where the rules do not.

use crate::stage::{BOTH, Stage};
use std::time::Duration;
use talkvalue_core::domain::attendee::AttendeeStatus;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::query::ItemView;
use talkvalue_core::sync::absence::NO_LONGER_LISTED;
use talkvalue_core::sync::removals::{Decision, Shown, decide_removals, held_removals};
use talkvalue_sandbox::{Fault, Spoil};

const APART: Duration = Duration::from_secs(61);

fn vanish(stage: &Stage, ids: &[String]) {
    for id in ids {
        match stage.provider {
            Provider::Eventbrite => stage.eventbrite.vanish_attendee(&stage.event, id),
            Provider::Luma => stage.luma.vanish_guest(&stage.event, id),
        }
    }
}

fn first_ids(stage: &Stage, count: usize) -> Vec<String> {
    stage.truth().into_iter().take(count).map(|row| row.id).collect()
}

async fn synced_later(stage: &Stage, item: &ItemId) -> ItemView {
    stage.desk.sandbox.clock().advance(APART);
    stage.sync(item).await.unwrap()
}

async fn statuses(stage: &Stage, item: &ItemId, ids: &[String]) -> Vec<AttendeeStatus> {
    let rows = stage.desk.attendees(item).await;
    ids.iter()
        .map(|id| {
            rows.iter()
                .find(|row| row.external_id.as_str() == id)
                .expect("rows are never removed by a sync")
                .status
        })
        .collect()
}

#[tokio::test]
async fn somebody_missing_from_two_walks_no_longer_attends_and_keeps_the_row() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 120).await;
        let gone = first_ids(&stage, 2);
        let before = stage.desk.show(&item).await.counts;
        let expected = statuses(&stage, &item, &gone)
            .await
            .into_iter()
            .filter(|status| *status != AttendeeStatus::NotAttending)
            .count() as u64;
        vanish(&stage, &gone);
        let once = synced_later(&stage, &item).await;
        assert_eq!(once.counts, before, "{provider:?}: one walk is no proof");
        let twice = synced_later(&stage, &item).await;
        assert_eq!(twice.counts.total, before.total, "nobody's row is removed");
        assert_eq!(
            twice.counts.not_attending,
            before.not_attending + expected,
            "{provider:?}: two walks a minute apart are"
        );
        assert_eq!((twice.held_removals, twice.sync_status), (0, SyncStatus::Active));
        let rows = stage.desk.attendees(&item).await;
        let told = rows
            .iter()
            .filter(|row| row.provider_status == NO_LONGER_LISTED)
            .count() as u64;
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn two_walks_within_a_minute_prove_nothing() {
    let (stage, item) = Stage::imported(Provider::Luma, 40).await;
    let before = stage.desk.show(&item).await.counts;
    vanish(&stage, &first_ids(&stage, 1));
    for _ in 0..3 {
        let view = stage.sync(&item).await.unwrap();
        assert_eq!(view.counts, before);
    }
}

#[tokio::test]
async fn an_empty_answer_takes_nobody_away_and_asks() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 3).await;
        let before = stage.desk.show(&item).await.counts;
        vanish(&stage, &first_ids(&stage, 3));
        for _ in 0..3 {
            let view = synced_later(&stage, &item).await;
            assert_eq!(view.counts, before, "{provider:?}: an empty list is not believed");
        }
        let held = stage.desk.show(&item).await.held_removals;
        assert_eq!(held, before.attending + before.awaiting, "a person is asked");
    }
}

#[tokio::test]
async fn who_was_missing_by_the_providers_fault_is_back_before_anybody_has_to_decide() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 40).await;
        let before = stage.desk.show(&item).await.counts;
        stage.door().fails_path(stage.list_path(), Fault::EmptyList);
        let mut held = 0;
        for _ in 0..3 {
            held = synced_later(&stage, &item).await.held_removals;
        }
        assert!(held > 0, "{provider:?}: a person is asked");
        stage.door().clears_faults();
        // Nobody asks for anything: the list is checked as every list is.
        for _ in 0..12 {
            stage.desk.sandbox.clock().advance(APART);
            stage.check(&item).await.unwrap();
        }
        let healed = stage.desk.show(&item).await;
        assert_eq!((healed.held_removals, healed.counts), (0, before), "{provider:?}");
    }
}

#[tokio::test]
async fn a_third_fewer_are_held_until_a_person_decides_and_return_by_themselves() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 90).await;
        let before = stage.desk.show(&item).await.counts;
        // The provider answers with a page of thirty fewer, for a while.
        vanish(&stage, &first_ids(&stage, 30));
        synced_later(&stage, &item).await;
        let asked = synced_later(&stage, &item).await;
        assert_eq!(asked.counts, before, "{provider:?}: nobody is taken away unasked");
        assert!(asked.held_removals > 20);
        let held = held_removals(&stage.desk.ports, &item).await.unwrap();
        assert_eq!(
            held.rows.len() as u64,
            asked.held_removals,
            "exactly those are shown"
        );
        assert_eq!(held.shown.count, asked.held_removals);

        let kept = decide_removals(&stage.desk.ports, &item, Decision::Reject, &held.shown)
            .await
            .unwrap();
        assert_eq!((kept.held_removals, kept.counts), (0, before));
        for _ in 0..2 {
            let view = synced_later(&stage, &item).await;
            assert_eq!(view.held_removals, 0, "what was answered is not asked again");
        }
        // More go missing: the whole set is asked about once more.
        vanish(&stage, &first_ids(&stage, 4));
        synced_later(&stage, &item).await;
        let again = synced_later(&stage, &item).await;
        assert!(again.held_removals > asked.held_removals);
        let held = held_removals(&stage.desk.ports, &item).await.unwrap();
        let accepted = decide_removals(&stage.desk.ports, &item, Decision::Accept, &held.shown)
            .await
            .unwrap();
        assert_eq!(accepted.held_removals, 0);
        assert_eq!(accepted.counts.total, before.total);
        assert_eq!(
            accepted.counts.not_attending,
            before.not_attending + again.held_removals,
            "{provider:?}: a person's word counts"
        );
    }
}

#[tokio::test]
async fn seen_again_is_restored() {
    let (stage, item) = Stage::imported(Provider::Luma, 50).await;
    let before = stage.desk.show(&item).await.counts;
    let hidden = first_ids(&stage, 3);
    stage.luma.leaves_out(&stage.event, &hidden);
    synced_later(&stage, &item).await;
    let gone = synced_later(&stage, &item).await;
    assert_ne!(gone.counts, before, "two walks missed them");
    stage.luma.leaves_out(&stage.event, &[]);
    let back = synced_later(&stage, &item).await;
    assert_eq!(back.counts, before, "they are listed again");
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn an_eventbrite_list_that_lacks_somebody_is_checked_by_asking_for_them() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 120).await;
    let before = stage.desk.show(&item).await.counts;
    stage.eventbrite.leaves_out(&stage.event, &first_ids(&stage, 4));
    for _ in 0..3 {
        let view = synced_later(&stage, &item).await;
        assert_eq!(
            (view.counts, view.held_removals),
            (before, 0),
            "asked for one by one they are there, so nobody is gone"
        );
    }
    stage.assert_exact(&item).await;
}

#[tokio::test]
async fn a_row_that_offsets_skip_is_asked_for_and_never_a_cancellation() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 120).await;
    let before = stage.desk.show(&item).await.counts;
    // Page 2 comes empty although the list says it has three pages.
    for _ in 0..3 {
        stage.eventbrite.empties_page(&stage.event, 2);
        let view = synced_later(&stage, &item).await;
        assert_eq!(view.counts, before, "a page that came empty takes nobody away");
    }
}

#[tokio::test]
async fn an_outage_between_the_walks_leaves_the_candidates_as_they_are() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 120).await;
        let before = stage.desk.show(&item).await.counts;
        vanish(&stage, &first_ids(&stage, 1));
        synced_later(&stage, &item).await;
        stage.desk.sandbox.clock().advance(APART);
        stage.door().fails_after(2, Fault::HtmlGateway(503));
        assert!(stage.sync(&item).await.is_err());
        assert_eq!(
            stage.desk.show(&item).await.counts,
            before,
            "{provider:?}: a read that broke off counts nobody as missing"
        );
    }
}

#[tokio::test]
async fn somebody_whose_record_became_unreadable_is_not_taken_for_gone() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 120).await;
        let before = stage.desk.show(&item).await.counts;
        stage.spoils(&stage.id_at(0), Spoil::NotAnObject);
        for _ in 0..3 {
            let view = synced_later(&stage, &item).await;
            assert_eq!(
                (view.counts, view.unreadable, view.held_removals),
                (before, 1, 0),
                "{provider:?}: the record without an id may be theirs"
            );
        }
    }
}

#[tokio::test]
async fn a_decision_is_about_those_who_were_shown_and_nobody_else() {
    let (stage, item) = Stage::imported(Provider::Luma, 90).await;
    let ports = &stage.desk.ports;
    let refusal = async |decision, shown: &Shown| {
        let refused = decide_removals(ports, &item, decision, shown).await.unwrap_err();
        assert_eq!(refused.code.code(), "NOT_POSSIBLE");
        refused.message
    };
    let all: Vec<String> = stage.truth().into_iter().map(|row| row.id).collect();
    stage.luma.leaves_out(&stage.event, &all[..30]);
    synced_later(&stage, &item).await;
    synced_later(&stage, &item).await;
    let shown = held_removals(ports, &item).await.unwrap().shown;
    let counted = Shown {
        mark: None,
        ..shown.clone()
    };
    assert!(shown.count > 20);

    // Meanwhile more go missing.
    stage.luma.leaves_out(&stage.event, &all[..40]);
    synced_later(&stage, &item).await;
    let grown = synced_later(&stage, &item).await;
    let more = grown.held_removals - shown.count;
    assert!(more > 1);
    for decision in [Decision::Accept, Decision::Reject] {
        for shown in [&shown, &counted] {
            assert_eq!(
                refusal(decision, shown).await,
                format!("{more} more are missing now. Look again.")
            );
        }
    }
    let untouched = stage.desk.show(&item).await;
    assert_eq!(
        (untouched.held_removals, untouched.counts),
        (grown.held_removals, grown.counts),
        "a refused decision changes nothing"
    );

    // As many as were shown, but others.
    let expected: Vec<String> = held_removals(ports, &item)
        .await
        .unwrap()
        .rows
        .into_iter()
        .map(|row| row.external_id.as_str().to_owned())
        .collect();
    let returned = usize::try_from(more).unwrap();
    stage.luma.leaves_out(&stage.event, &expected[returned..]);
    synced_later(&stage, &item).await;
    let others = held_removals(ports, &item).await.unwrap().shown;
    assert_eq!(others.count, shown.count);
    assert_ne!(others.mark, shown.mark, "the test needs others to be missing");
    assert_eq!(
        refusal(Decision::Accept, &shown).await,
        "Others are missing now. Look again."
    );
    let accepted = decide_removals(ports, &item, Decision::Accept, &others)
        .await
        .unwrap();
    assert_eq!(accepted.held_removals, 0);
}
