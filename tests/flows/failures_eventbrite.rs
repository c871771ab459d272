//! The failure table at Eventbrite.

use crate::canned::Canned;
use crate::failures::{Effect, Row, assert_row};
use crate::stage::{Owner, Stage, code_of};
use std::sync::Arc;
use talkvalue_adapters::providers::eventbrite::EventbriteApi;
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode::{
    NetworkSignIn, PermissionMissing, ProviderUnreachable, RateLimited, RemoteGone,
};
use talkvalue_core::domain::ids::ExternalId;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::{Origin, Origins, Provider};
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::Ports;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::Fault;
use talkvalue_tests::desk::{Desk, patient};

async fn assert_rows(rows: Vec<Row>) {
    for row in rows {
        assert_row(Provider::Eventbrite, &row).await;
    }
}

fn forbids_event(stage: &Stage) {
    if let Owner::Eventbrite { account, .. } = &stage.owner {
        stage.eventbrite.forbid_event(account, &stage.event);
    }
}

#[tokio::test]
async fn a_rejected_token_disconnects_after_one_probe() {
    assert_rows(vec![
        Row::new(
            "INVALID_AUTH with 401",
            |stage| stage.eventbrite.revokes_tokens(),
            Effect::Severs,
        ),
        Row::new(
            "INVALID_AUTH with 400",
            |stage| {
                stage
                    .eventbrite
                    .switches(|switches| switches.invalid_auth_status = 400);
                stage.eventbrite.revokes_tokens();
            },
            Effect::Severs,
        ),
        Row::new(
            "revoked between two pages",
            |stage| stage.eventbrite.revokes_after(2),
            Effect::Severs,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_rejection_that_the_probe_refutes_is_a_missing_right() {
    assert_rows(vec![
        Row::new(
            "401 on the attendees, probe fine",
            |stage| stage.eventbrite.fails_path("/attendees/", Fault::Status(401)),
            Effect::Fails(PermissionMissing),
        ),
        Row::new(
            "403 on the attendees, probe fine",
            |stage| stage.eventbrite.fails_path("/attendees/", Fault::Status(403)),
            Effect::Fails(PermissionMissing),
        ),
        Row::new(
            "the event forbidden",
            forbids_event,
            Effect::Fails(PermissionMissing),
        )
        .withdraws(),
    ])
    .await;
}

#[tokio::test]
async fn a_rejection_whose_probe_fails_severs_nothing() {
    fn with_probe(stage: &Stage, probe: Fault) {
        stage.eventbrite.fails_path("/attendees/", Fault::Status(401));
        stage.eventbrite.fails_path("/users/me/", probe);
    }
    assert_rows(vec![
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
        Row::new(
            "401, probe a proxy's 401",
            |stage| with_probe(stage, Fault::NonJsonStatus(401)),
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "401, probe cut short",
            |stage| with_probe(stage, Fault::TruncatedJson),
            Effect::Fails(ProviderUnreachable),
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_event_that_is_gone_is_gone_when_said_twice() {
    assert_rows(vec![
        Row::new(
            "404 on the event",
            |stage| stage.eventbrite.delete_event(&stage.event),
            Effect::Fails(RemoteGone),
        )
        .withdraws(),
        Row::new(
            "404 on the attendees",
            |stage| stage.eventbrite.fails_path("/attendees/", Fault::Status(404)),
            Effect::Fails(RemoteGone),
        ),
        Row::new(
            "404 once",
            |stage| {
                stage
                    .eventbrite
                    .fails_path_next("/attendees/", 1, Fault::Status(404))
            },
            Effect::Succeeds,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_three_times() {
    assert_rows(vec![
        Row::new(
            "503 three times",
            |stage| {
                stage
                    .eventbrite
                    .fails_path_next("/attendees/", 3, Fault::Status(503))
            },
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "500 twice",
            |stage| {
                stage
                    .eventbrite
                    .fails_path_next("/attendees/", 2, Fault::Status(500))
            },
            Effect::Succeeds,
        ),
        Row::new(
            "a gateway's page for ever",
            |stage| {
                stage
                    .eventbrite
                    .switches(|switches| switches.gateway_error = Some(502))
            },
            Effect::Fails(ProviderUnreachable),
        ),
        Row::new(
            "nothing listens",
            |stage| stage.eventbrite.goes_down(),
            Effect::Fails(ProviderUnreachable),
        ),
    ])
    .await;
}

#[tokio::test]
async fn answers_of_somebody_between_never_disconnect() {
    fn always(stage: &Stage, fault: Fault) {
        stage.eventbrite.fails_always(fault);
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
        Row::new(
            "a page for the list only, while the bare host answers as ever",
            |stage| stage.eventbrite.fails_path("/attendees/", Fault::Html200),
            Effect::Fails(ProviderUnreachable),
        ),
    ])
    .await;
}

const EVENT: &str = r#"{"id":"9","name":{"text":"Harbour Makers Night"},"start":{"utc":"2026-11-24T18:00:00Z"},"end":{"utc":"2026-11-24T21:00:00Z"}}"#;
const PAGE: &str = r#"{"pagination":{"has_more_items":false},"attendees":[{"id":"1","status":"Attending","changed":"2026-11-01T10:00:00Z","profile":{"name":"Ada"}}]}"#;

/// A desk whose Eventbrite says what it is told to.
fn told(desk: &Desk, server: &Canned) -> Ports {
    server.says(
        "/users/me/",
        200,
        &[],
        r#"{"id":"1","name":"Robin Vale","emails":[]}"#,
    );
    server.says(
        "/users/me/organizations/",
        200,
        &[],
        r#"{"pagination":{"has_more_items":false},"organizations":[]}"#,
    );
    server.says("/events/9/", 200, &[], EVENT);
    server.says("/events/9/attendees/", 200, &[], PAGE);
    let origin = Origin::parse(&server.url()).unwrap();
    let origins = Origins {
        api: origin.clone(),
        oauth: origin,
    };
    let witness = Origin::parse(&desk.sandbox.luma().api_url()).unwrap();
    Ports {
        eventbrite: Arc::new(EventbriteApi::new(origins, &witness, desk.clock.clone()).unwrap()),
        ..desk.ports.clone()
    }
}

#[tokio::test]
async fn words_of_eventbrite_that_the_sandbox_does_not_say() {
    for (status, word, everywhere, code, sync_status) in [
        (
            401,
            "ACCESS_DENIED",
            true,
            "CREDENTIALS_REJECTED",
            SyncStatus::Disconnected,
        ),
        (
            403,
            "ACCESS_DENIED",
            true,
            "CREDENTIALS_REJECTED",
            SyncStatus::Disconnected,
        ),
        (
            401,
            "ACCESS_DENIED",
            false,
            "PERMISSION_MISSING",
            SyncStatus::Failed,
        ),
        (401, "NO_AUTH", true, "PROVIDER_CHANGED", SyncStatus::Failed),
        (
            400,
            "ARGUMENTS_ERROR",
            true,
            "PROVIDER_CHANGED",
            SyncStatus::Failed,
        ),
        (
            400,
            "INVALID_AUTH_HEADER",
            true,
            "PROVIDER_CHANGED",
            SyncStatus::Failed,
        ),
        (400, "SOMETHING_NEW", true, "PROVIDER_CHANGED", SyncStatus::Failed),
        (
            403,
            "NOT_AUTHORIZED",
            false,
            "PERMISSION_MISSING",
            SyncStatus::Failed,
        ),
    ] {
        let (desk, server) = (Desk::open().await, Canned::start());
        let ports = told(&desk, &server);
        let account = connect::connect(
            &ports,
            Provider::Eventbrite,
            "CANARYEBTOLD".to_owned().into(),
            None,
            patient(),
        )
        .await
        .unwrap();
        let event = ExternalId::from_text("9");
        let item = actions::import_event(
            &ports,
            &account.integration.id,
            &event,
            ItemKind::BadgeEvent,
            patient(),
        )
        .await
        .unwrap();
        assert_eq!(item.counts.total, 1);
        let body = format!(r#"{{"status_code":{status},"error":"{word}","error_description":"-"}}"#);
        server.says(if everywhere { "/" } else { "/attendees/" }, status, &[], &body);
        server.forgets_requests();
        let result = actions::sync_item(&ports, &item.id, patient()).await;
        assert_eq!(code_of(&result), code, "{status} {word}");
        let view = desk.show(&item.id).await;
        assert_eq!(view.sync_status, sync_status, "{status} {word}");
        assert_eq!(view.counts, item.counts, "{status} {word}: the list is kept");
        assert!(
            server.requests_to("/users/me/ ") <= 1,
            "{status} {word}: at most one probe"
        );
    }
}
