//! The failure table at Luma.

use crate::failures::{Effect, Row, assert_row};
use crate::stage::{Owner, Stage, code_of};
use talkvalue_core::domain::failure::FailureCode::{
    self, NetworkSignIn, PermissionMissing, PlanRequired, ProviderChanged, ProviderUnreachable, RateLimited,
    RemoteGone,
};
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_sandbox::{EventSpec, Fault};

async fn assert_rows(rows: Vec<Row>) {
    for row in rows {
        assert_row(Provider::Luma, &row).await;
    }
}

fn plan_lapses(stage: &Stage) {
    if let Owner::Luma(calendar) = &stage.owner {
        stage.luma.plan_lapses(&calendar.id);
    }
}

#[tokio::test]
async fn a_rejected_key_disconnects_after_one_probe() {
    assert_rows(vec![
        Row::new("401", |stage| stage.luma.revokes_keys(), Effect::Severs),
        Row::new(
            "revoked between two pages",
            |stage| stage.luma.revokes_after(2),
            Effect::Severs,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_rejection_that_the_probe_refutes_or_cannot_confirm_severs_nothing() {
    fn with_probe(stage: &Stage, probe: Fault) {
        stage.luma.fails_path("/guests/list", Fault::Status(401));
        stage.luma.fails_path("/get-self", probe);
    }
    assert_rows(vec![
        Row::new(
            "401 on the guests, probe fine",
            |stage| stage.luma.fails_path("/guests/list", Fault::Status(401)),
            Effect::Fails(PermissionMissing),
        ),
        Row::new(
            "401, probe 503",
            |stage| with_probe(stage, Fault::Status(503)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "401, probe 429",
            |stage| {
                with_probe(
                    stage,
                    Fault::RateLimited {
                        retry_after_secs: Some(30),
                    },
                );
            },
            Effect::Holds(RateLimited),
        ),
        Row::new(
            "401, probe reset",
            |stage| with_probe(stage, Fault::Reset),
            Effect::Fails(ProviderUnreachable),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_is_told_apart_by_what_else_works() {
    assert_rows(vec![
        Row::new("403 everywhere", plan_lapses, Effect::Fails(PlanRequired)),
        Row::new(
            "403 on the event, others work",
            |stage| stage.luma.delete_event(&stage.event),
            Effect::Fails(RemoteGone),
        )
        .withdraws(),
        Row::new(
            "403 on its guests only",
            |stage| stage.luma.fails_path("/guests/list", Fault::Status(403)),
            Effect::Fails(RemoteGone),
        ),
        Row::new(
            "403 on every event, the key itself fine",
            |stage| {
                stage.luma.fails_path("/guests/list", Fault::Status(403));
                stage
                    .luma
                    .fails_path("/calendars/events/list", Fault::Status(403));
            },
            Effect::Fails(PermissionMissing),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_three_times() {
    assert_rows(vec![
        Row::new(
            "503 three times",
            |stage| stage.luma.fails_path_next("/guests/list", 3, Fault::Status(503)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "500 twice",
            |stage| stage.luma.fails_path_next("/guests/list", 2, Fault::Status(500)),
            Effect::Succeeds,
        ),
        Row::new(
            "a gateway's page for ever",
            |stage| stage.luma.switches(|switches| switches.gateway_error = Some(504)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "nothing listens",
            |stage| stage.luma.goes_down(),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "a route that is no more",
            |stage| stage.luma.fails_path("/guests/list", Fault::Status(404)),
            Effect::Fails(ProviderChanged),
        ),
        Row::new(
            "400 without a cursor",
            |stage| stage.luma.fails_path("/events/get", Fault::Status(400)),
            Effect::Fails(ProviderChanged),
        ),
    ])
    .await;
}

#[tokio::test]
async fn answers_of_somebody_between_never_disconnect() {
    fn always(stage: &Stage, fault: Fault) {
        stage.luma.fails_always(fault);
    }
    assert_rows(vec![
        Row::new(
            "HTML 503",
            |stage| always(stage, Fault::HtmlGateway(503)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "HTML 401",
            |stage| always(stage, Fault::NonJsonStatus(401)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "HTML 403",
            |stage| always(stage, Fault::NonJsonStatus(403)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "an empty 401",
            |stage| always(stage, Fault::EmptyBody(401)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "a body cut short",
            |stage| always(stage, Fault::TruncatedBody),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "JSON cut short",
            |stage| always(stage, Fault::TruncatedJson),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "a reset",
            |stage| always(stage, Fault::Reset),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "a portal's page",
            |stage| always(stage, Fault::Html200),
            Effect::Holds(NetworkSignIn),
        ),
        Row::new(
            "a portal's redirect",
            |stage| always(stage, Fault::Redirect("http://portal.example/".to_owned())),
            Effect::Holds(NetworkSignIn),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_lapsed_plan_fails_every_item_of_the_calendar_and_no_other() {
    let (stage, first) = Stage::imported(Provider::Luma, 60).await;
    let second_event = stage.add_event("Autumn Repair Cafe", 30);
    let second = stage
        .desk
        .import(&stage.integration, &second_event, ItemKind::PathEvent)
        .await
        .unwrap()
        .id;
    let neighbour = stage
        .luma
        .add_calendar("Neighbour", "Sam Other", "sam@other.example");
    let other_event = stage.luma.add_event(&neighbour.id, EventSpec::new("Next door"));
    let other_account = stage.desk.connect(Provider::Luma, &neighbour.key).await.unwrap();
    let other = stage
        .desk
        .import(&other_account, &other_event, ItemKind::BadgeEvent)
        .await
        .unwrap()
        .id;
    plan_lapses(&stage);
    assert_eq!(code_of(&stage.sync(&first).await), "PLAN_REQUIRED");
    for item in [&first, &second] {
        let shown = stage.shown(item).await;
        assert_eq!(
            shown.status,
            SyncStatus::Failed,
            "the plan is the calendar's, not the event's"
        );
        assert_eq!(shown.failure, Some(FailureCode::PlanRequired));
        assert_eq!(
            shown.integration,
            IntegrationStatus::Connected,
            "the key is good: nobody has to reconnect"
        );
    }
    assert_eq!(stage.desk.show(&other).await.sync_status, SyncStatus::Active);
    if let Owner::Luma(calendar) = &stage.owner {
        stage.luma.plan_renews(&calendar.id);
    }
    for item in [&first, &second] {
        stage.retry(item).await.unwrap();
        assert_eq!(stage.desk.show(item).await.sync_status, SyncStatus::Active);
    }
}
