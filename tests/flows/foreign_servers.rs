//! A credential goes to the server it was proved against, and nowhere else.

use crate::canned::Canned;
use crate::stage::{BOTH, Stage, code_of};
use std::sync::Arc;
use talkvalue_adapters::providers::{eventbrite::EventbriteApi, luma::LumaApi};
use talkvalue_core::connect;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::{Origin, Origins, Provider};
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::Ports;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::Fault;
use talkvalue_tests::desk::patient;

#[tokio::test]
async fn a_redirect_never_carries_the_key_to_another_server() {
    for provider in BOTH {
        let elsewhere = Canned::start();
        elsewhere.says("/", 200, &[], "{}");
        for host in ["127.0.0.1", "localhost"] {
            let target = format!("http://{host}:{}/v1/users/get-self", elsewhere.port());
            let (stage, item) = Stage::imported(provider, 60).await;
            stage.door().fails_always(Fault::Redirect(target.clone()));
            let result = stage.sync(&item).await;
            assert!(result.is_err(), "a redirect is no answer");
            let connected = stage.desk.connect(provider, &stage.new_secret()).await;
            assert!(connected.is_err(), "a redirect proves nothing");
            assert_ne!(
                stage.desk.show(&item).await.sync_status,
                SyncStatus::Disconnected,
                "a redirect speaks for no credential"
            );
            assert_eq!(
                elsewhere.seen(),
                Vec::<String>::new(),
                "{provider:?}: nothing at all is sent to {target}"
            );
            stage.assert_exact(&item).await;
        }
    }
}

#[tokio::test]
async fn a_redirect_of_one_provider_to_the_other_is_not_followed() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let (target, other) = match provider {
            Provider::Eventbrite => (stage.luma.api_url(), stage.luma.request_count()),
            Provider::Luma => (stage.eventbrite.api_url(), stage.eventbrite.request_count()),
        };
        assert_eq!(other, 0);
        stage.door().fails_always(Fault::Redirect(target));
        assert!(stage.sync(&item).await.is_err());
        let asked = match provider {
            Provider::Eventbrite => stage.luma.request_count(),
            Provider::Luma => stage.eventbrite.request_count(),
        };
        assert_eq!(asked, 0, "{provider:?}: the other provider sees no request");
    }
}

#[tokio::test]
async fn every_kind_of_redirect_is_refused() {
    for status in [301, 302, 303, 307, 308] {
        let (server, elsewhere) = (Canned::start(), Canned::start());
        let (stage, _) = Stage::imported(Provider::Luma, 0).await;
        let ports = at_other_server(&stage, &server);
        let target = format!("http://localhost:{}/", elsewhere.port());
        server.says("/", status, &[("location", &target)], "");
        let key = "secret-CANARYLUMATOLD".to_owned();
        let result = connect::connect(&ports, Provider::Luma, key.into(), None, patient()).await;
        assert_eq!(code_of(&result), "NETWORK_SIGN_IN", "{status}");
        assert!(
            server
                .seen()
                .iter()
                .any(|head| head.contains("secret-CANARYLUMATOLD")),
            "the test needs a request that carries the key"
        );
        assert_eq!(elsewhere.seen(), Vec::<String>::new(), "{status} is not followed");
        let bare = server.seen().pop().unwrap();
        assert!(
            bare.starts_with("GET / ") && !bare.contains("CANARY"),
            "the one plain request that looks for a portal carries no credential: {bare}"
        );
    }
}

/// The same installation, with both providers at another address.
fn at_other_server(stage: &Stage, server: &Canned) -> Ports {
    let origin = Origin::parse(&server.url()).unwrap();
    let origins = Origins {
        api: origin.clone(),
        oauth: origin.clone(),
    };
    let clock = stage.desk.clock.clone();
    Ports {
        eventbrite: Arc::new(EventbriteApi::new(origins.clone(), &origin, clock.clone()).unwrap()),
        luma: Arc::new(LumaApi::new(origins, &origin, clock).unwrap()),
        ..stage.desk.ports.clone()
    }
}

#[tokio::test]
async fn a_credential_is_not_sent_to_an_address_set_later() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let server = Canned::start();
        server.says("/", 200, &[], "{}");
        let ports = at_other_server(&stage, &server);
        let event = talkvalue_core::domain::ids::ExternalId::from_text(stage.event.as_str());
        let before = stage.shown(&item).await;
        let refusals = [
            code_of(&actions::sync_item(&ports, &item, patient()).await),
            code_of(
                &actions::import_event(&ports, &stage.integration, &event, ItemKind::PathEvent, patient())
                    .await,
            ),
            code_of(&connect::verify(&ports, &stage.integration, patient()).await),
            code_of(&connect::candidates(&ports, &stage.integration, patient()).await),
        ];
        assert_eq!(refusals, ["OTHER_SERVER"; 4], "{provider:?}");
        assert_eq!(
            server.seen(),
            Vec::<String>::new(),
            "{provider:?}: nothing is sent there"
        );
        assert_eq!(stage.shown(&item).await, before, "and nothing changes here");
    }
}
