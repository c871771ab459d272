//! Rate limits: waited out as told, shown while they last, and ended by the person's own limit.

use crate::canned::Canned;
use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use talkvalue_adapters::providers::luma::LumaApi;
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::{ExternalId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::{Origin, Origins, Provider};
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::error::ErrorCode;
use talkvalue_core::ports::{Notice, Ports};
use talkvalue_core::sync::actions;
use talkvalue_sandbox::{Fault, RequestRecord};
use talkvalue_tests::desk::{Desk, patient, patient_for};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The time between each 429 and the request that followed it.
fn waits_after_limits(requests: &[RequestRecord]) -> Vec<i64> {
    requests
        .windows(2)
        .filter(|pair| pair[0].status == 429)
        .map(|pair| pair[1].at.as_second() - pair[0].at.as_second())
        .collect()
}

#[tokio::test]
async fn a_limit_is_waited_out_exactly_as_its_header_says() {
    for provider in BOTH {
        for (told, waited) in [(0, 1), (1, 1), (30, 30), (3_600, 3_600), (31_536_000, 3_660)] {
            let stage = Stage::open(provider, 130).await;
            stage.door().fails_once_after(
                2,
                Fault::RateLimited {
                    retry_after_secs: Some(told),
                },
            );
            let item = stage.import().await.unwrap();
            assert_eq!(item.sync_status, SyncStatus::Active);
            assert_eq!(
                stage.desk.clock.take_sleeps(),
                [secs(waited)],
                "{provider:?} said {told} s: no less, and no more than 61 minutes"
            );
            assert_eq!(
                waits_after_limits(&stage.door().requests()),
                [waited as i64],
                "{provider:?}: nothing is asked before the time is over"
            );
            stage.assert_exact(&item.id).await;
        }
    }
}

#[tokio::test]
async fn a_limit_without_a_word_is_waited_out_for_a_minute_and_doubling() {
    for provider in BOTH {
        let stage = Stage::open(provider, 130).await;
        let silent = Fault::RateLimited {
            retry_after_secs: None,
        };
        stage.door().fails_path_next(stage.list_path(), 7, silent);
        let item = stage.import().await.unwrap();
        let expected = [60, 120, 240, 480, 900, 900, 900];
        assert_eq!(
            waits_after_limits(&stage.door().requests()),
            expected,
            "{provider:?}: a minute, doubling, a quarter of an hour at most"
        );
        stage.assert_exact(&item.id).await;
    }
}

#[tokio::test]
async fn the_real_limits_of_both_providers_are_kept_without_an_early_request() {
    // Eventbrite names the end of its hour in `x-rate-limit`, Luma blocks for a minute and says `Retry-After`.
    for provider in BOTH {
        let stage = Stage::open(provider, 230).await;
        stage.door().rate_limits_after(2);
        let item = stage.import().await.unwrap();
        let requests = stage.door().requests();
        let limited = requests.iter().filter(|request| request.status == 429).count();
        assert_eq!(limited, 1, "{provider:?}: one 429, and none caused by impatience");
        let waits = waits_after_limits(&requests);
        let longest = match provider {
            Provider::Eventbrite => 3_600,
            Provider::Luma => 60,
        };
        assert!(waits[0] > 0 && waits[0] <= longest, "{provider:?}: {waits:?}");
        stage.assert_exact(&item.id).await;
    }
}

#[tokio::test]
async fn a_limit_met_while_connecting_is_waited_out_too() {
    for provider in BOTH {
        let stage = Stage::open(provider, 0).await;
        stage.desk.clock.take_sleeps();
        stage.door().rate_limits_next(1, Some(45));
        stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        assert_eq!(stage.desk.clock.take_sleeps(), [secs(45)], "{provider:?}");
    }
}

#[tokio::test]
async fn a_wait_is_shown_with_its_end_while_it_lasts() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    stage.desk.notices.take();
    stage.door().rate_limits_next(1, Some(90));
    let until: Timestamp = stage.desk.sandbox.clock().now() + jiff::SignedDuration::from_secs(90);
    stage.sync(&item).await.unwrap();
    let notices = stage.desk.notices.take();
    let told = notices.iter().find_map(|notice| match notice {
        Notice::JobWaits { waiting, .. } => Some(*waiting),
        _ => None,
    });
    let told = told.expect("a wait is told when it begins");
    assert_eq!((told.code, told.until), (FailureCode::RateLimited, Some(until)));
    assert!(
        notices
            .iter()
            .any(|notice| matches!(notice, Notice::JobResumed { .. })),
        "and when it is over"
    );
    let view = stage.desk.show(&item).await;
    assert_eq!(
        (view.waiting, view.next_attempt_at),
        (None, None),
        "nothing waits any more"
    );
}

/// What a wait that the person's limit ended leaves behind.
async fn assert_waits(stage: &Stage, item: &ItemId, completed: bool) {
    let view = stage.desk.show(item).await;
    let waiting = view.waiting.expect("what the job waits for is shown");
    assert_eq!(waiting.code, FailureCode::RateLimited);
    assert_eq!(view.next_attempt_at, waiting.until, "and when it could go on");
    assert_eq!(view.active_job, None, "no live process works on it");
    let record = stage.desk.ports.store.item(item).await.unwrap().unwrap();
    assert!(record.open_job.is_some(), "the job is kept");
    if completed {
        assert_eq!(
            (view.sync_status, view.alert),
            (SyncStatus::Active, None),
            "a limit is no failure"
        );
        assert_eq!(view.failure, None);
    } else {
        assert_eq!(
            (view.sync_status, view.alert),
            (SyncStatus::Pending, Some(Alert::ImportFailed))
        );
        assert_eq!(view.failure.unwrap().code, FailureCode::RateLimited);
    }
}

#[tokio::test]
async fn the_persons_own_limit_ends_the_wait_and_keeps_the_job() {
    for provider in BOTH {
        let stage = Stage::open(provider, 130).await;
        stage.door().fails_once_after(
            2,
            Fault::RateLimited {
                retry_after_secs: Some(600),
            },
        );
        let event = ExternalId::from_text(stage.event.as_str());
        let result = actions::import_event(
            &stage.desk.ports,
            &stage.integration,
            &event,
            ItemKind::BadgeEvent,
            patient_for(secs(20)),
        )
        .await;
        let error = result.expect_err("the limit is longer than the patience");
        assert_eq!(error.code, ErrorCode::Waiting);
        assert_sentence(&error);
        assert_eq!(
            stage.desk.clock.take_sleeps(),
            [secs(20)],
            "{provider:?}: no longer than the person said"
        );
        let item = stage.desk.only_item().await;
        assert!(item.counts.total > 0, "what arrived is kept");
        assert_waits(&stage, &item.id, false).await;
        stage.desk.sandbox.clock().advance(secs(580));
        stage.retry(&item.id).await.unwrap();
        stage.assert_exact(&item.id).await;

        stage.door().rate_limits_next(1, Some(600));
        let before = stage.desk.show(&item.id).await;
        let result = actions::sync_item(&stage.desk.ports, &item.id, patient_for(secs(20))).await;
        assert_eq!(code_of(&result), "WAITING");
        assert_waits(&stage, &item.id, true).await;
        let after = stage.desk.show(&item.id).await;
        assert_eq!(after.last_synced_at, before.last_synced_at);
        assert_eq!(after.counts, before.counts);
        stage.sync(&item.id).await.unwrap();
        assert_eq!(stage.desk.show(&item.id).await.waiting, None);
    }
}

#[tokio::test]
async fn a_kept_job_outlives_a_command_about_another_item() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    let event = stage.add_event("Autumn Night", 5);
    let other = stage
        .desk
        .import(&stage.integration, &event, ItemKind::BadgeEvent)
        .await
        .unwrap()
        .id;
    stage.door().rate_limits_next(1, Some(600));
    let result = actions::sync_item(&stage.desk.ports, &item, patient_for(secs(5))).await;
    assert_eq!(code_of(&result), "WAITING");
    assert_waits(&stage, &item, true).await;
    stage.sync(&other).await.unwrap();
    // Only its own item's next run takes a kept job up, or ends it.
    assert_waits(&stage, &item, true).await;
}

#[tokio::test]
async fn the_persons_limit_is_for_the_whole_command() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    stage.door().rate_limits_next(3, Some(10));
    let result = actions::sync_item(&stage.desk.ports, &item, patient_for(secs(25))).await;
    assert_eq!(code_of(&result), "WAITING");
    assert_eq!(
        stage.desk.clock.take_sleeps(),
        [secs(10), secs(10), secs(5)],
        "three waits share one patience"
    );
    stage.door().clears_faults();
    stage.sync(&item).await.unwrap();
}

#[tokio::test]
async fn a_limit_of_one_provider_does_not_stop_the_other() {
    let (stage, eventbrite_item) = Stage::imported(Provider::Eventbrite, 60).await;
    let calendar = stage
        .luma
        .add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = stage.luma.add_event(
        &calendar.id,
        talkvalue_sandbox::EventSpec::new("Spring Repair Cafe"),
    );
    stage.luma.add_guests(&event, 30);
    let luma = stage.desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let luma_item = stage
        .desk
        .import(&luma, &event, ItemKind::BadgeEvent)
        .await
        .unwrap()
        .id;
    stage.eventbrite.fails_always(Fault::RateLimited {
        retry_after_secs: Some(3_600),
    });
    let synced = actions::sync_all(&stage.desk.ports, patient_for(secs(5)))
        .await
        .unwrap();
    for one in &synced {
        let expected = if one.id == luma_item { "OK" } else { "WAITING" };
        assert_eq!(code_of(&one.result), expected, "each item has its own outcome");
    }
    assert_eq!(synced.len(), 2);
    assert_waits(&stage, &eventbrite_item, true).await;
}

const GUESTS: &str = r#"{"entries":[{"id":"gst-1","approval_status":"approved"}],"has_more":false}"#;

/// A desk whose Luma says what it is told to.
fn told(desk: &Desk, server: &Canned) -> Ports {
    server.says(
        "/v1/users/get-self",
        200,
        &[],
        r#"{"id":"usr-1","email":"robin@harbour.example"}"#,
    );
    server.says(
        "/v1/calendars/get",
        200,
        &[],
        r#"{"id":"cal-1","name":"Harbour Makers"}"#,
    );
    server.says(
        "/v1/events/get",
        200,
        &[],
        r#"{"id":"evt-9","name":"Spring Repair Cafe"}"#,
    );
    server.says("/v1/events/guests/list", 200, &[], GUESTS);
    let origin = Origin::parse(&server.url()).unwrap();
    let origins = Origins {
        api: origin.clone(),
        oauth: origin,
    };
    let witness = Origin::parse(&desk.sandbox.eventbrite().api_url()).unwrap();
    Ports {
        luma: Arc::new(LumaApi::new(origins, &witness, desk.clock.clone()).unwrap()),
        ..desk.ports.clone()
    }
}

#[tokio::test]
async fn a_limit_may_be_told_as_a_date_or_as_the_end_of_the_minute() {
    let date = ("date", "Mon, 23 Nov 2026 12:00:00 GMT");
    let end = "2026-11-23T12:00:42Z"
        .parse::<Timestamp>()
        .unwrap()
        .as_second()
        .to_string();
    for (header, waited) in [
        (("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT"), 90),
        (("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT"), 1),
        (("x-ratelimit-reset", end.as_str()), 42),
        // Nonsense is no word.
        (("retry-after", "soon"), 60),
    ] {
        let (desk, server) = (Desk::open().await, Canned::start());
        let ports = told(&desk, &server);
        let key = "secret-CANARYLUMATOLD".to_owned();
        let account = connect::connect(&ports, Provider::Luma, key.into(), None, patient())
            .await
            .unwrap();
        server.says_next(
            1,
            "/v1/events/guests/list",
            429,
            &[date, header],
            r#"{"message":"Too many requests."}"#,
        );
        let event = ExternalId::from_text("evt-9");
        actions::import_event(
            &ports,
            &account.integration.id,
            &event,
            ItemKind::BadgeEvent,
            patient(),
        )
        .await
        .unwrap();
        assert_eq!(desk.clock.take_sleeps(), [secs(waited)], "{header:?}");
    }
}
