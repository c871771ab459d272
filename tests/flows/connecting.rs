//! Connecting an account: what is refused, in which words, and that a refusal leaves nothing behind.

use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use std::collections::HashMap;
use talkvalue_core::domain::credential::Generation;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::query;
use talkvalue_sandbox::{Fault, LumaCalendar};
use talkvalue_tests::desk::Desk;
use talkvalue_tests::sweep::canaries_below;

struct World {
    desk: Desk,
    account: talkvalue_sandbox::EventbriteAccount,
    calendar: LumaCalendar,
}

impl World {
    async fn open() -> Self {
        let desk = Desk::open().await;
        let account = desk
            .sandbox
            .eventbrite()
            .add_account("Robin Vale", "events@harbour.example");
        desk.sandbox
            .eventbrite()
            .add_organization(&account, "Harbour Guild");
        let calendar =
            desk.sandbox
                .luma()
                .add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        Self {
            desk,
            account,
            calendar,
        }
    }

    fn secret(&self, provider: Provider) -> String {
        match provider {
            Provider::Eventbrite => self.account.private_token.clone(),
            Provider::Luma => self.calendar.key.clone(),
        }
    }

    fn door(&self, provider: Provider, act: impl FnOnce(&talkvalue_sandbox::Door)) {
        match provider {
            Provider::Eventbrite => act(&self.desk.sandbox.eventbrite()),
            Provider::Luma => act(&self.desk.sandbox.luma()),
        }
    }

    async fn assert_refused(
        &self,
        provider: Provider,
        secret: &str,
        code: &str,
        says: &[&str],
    ) -> CommandError {
        let error = self
            .desk
            .connect(provider, secret)
            .await
            .expect_err("this must not be taken for a credential");
        assert_eq!(error.code.code(), code, "{error:?}");
        assert_sentence(&error);
        for words in says {
            assert!(
                error.message.contains(words),
                "the sentence must name \"{words}\": {}",
                error.message
            );
        }
        self.assert_nothing_saved().await;
        error
    }

    async fn assert_nothing_saved(&self) {
        let integrations = query::integrations(&self.desk.ports).await.unwrap();
        assert!(integrations.is_empty(), "nothing is saved: {integrations:?}");
        let entries = self.desk.keychain.search(&HashMap::new()).unwrap();
        let held = entries.iter().filter(|entry| entry.get_secret().is_ok()).count();
        assert_eq!(held, 0, "a refused credential does not reach the keychain");
        let found = canaries_below(self.desk.folder.path());
        assert!(
            found.is_empty(),
            "a refused credential reaches no file: {found:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_credential_is_refused_before_anything_is_sent() {
    let world = World::open().await;
    let long = "x".repeat(1_001);
    for provider in BOTH {
        for (pasted, says) in [
            ("", "empty"),
            ("  \n\t ", "empty"),
            ("my private token", "one word"),
            ("tok\u{200b}en", "characters"),
            (long.as_str(), "characters long"),
        ] {
            world
                .assert_refused(provider, pasted, "BAD_INPUT", &[says, provider.credential_name()])
                .await;
        }
    }
    for (provider, foreign, says) in [
        (
            Provider::Eventbrite,
            &world.calendar.key,
            ["Luma API key", "not sent", "Private token"],
        ),
        (
            Provider::Luma,
            &world.account.private_token,
            ["Eventbrite token", "not sent", "begins with secret-"],
        ),
    ] {
        world
            .assert_refused(provider, foreign, "CREDENTIALS_REJECTED", &says)
            .await;
    }
    assert_eq!(
        world.desk.sandbox.eventbrite().request_count() + world.desk.sandbox.luma().request_count(),
        0,
        "what is certainly no credential of a provider is not sent anywhere"
    );
}

#[tokio::test]
async fn a_refused_eventbrite_token_is_named_for_what_it_may_be() {
    let world = World::open().await;
    let (eventbrite, account) = (world.desk.sandbox.eventbrite(), world.account.clone());
    let revoked = eventbrite.issue_token(&account);
    eventbrite.revoke_token(&revoked);
    for status in [401, 400] {
        eventbrite.switches(|switches| switches.invalid_auth_status = status);
        for (secret, says) in [
            ("CANARYWRONG", "mistyped"),
            (revoked.as_str(), "revoked"),
            (account.api_key.as_str(), "API key"),
            (account.client_secret.as_str(), "client secret"),
        ] {
            world
                .assert_refused(
                    Provider::Eventbrite,
                    secret,
                    "CREDENTIALS_REJECTED",
                    &[says, "Private token", "Nothing was saved"],
                )
                .await;
        }
    }
    world
        .assert_refused(
            Provider::Eventbrite,
            &account.public_token,
            "CREDENTIALS_REJECTED",
            &["public token", "Private token", "Nothing was saved"],
        )
        .await;
}

#[tokio::test]
async fn a_refused_luma_key_is_named_for_what_it_may_be() {
    let world = World::open().await;
    let luma = world.desk.sandbox.luma();
    let revoked = luma.issue_key(&world.calendar.id);
    luma.revoke_key(&revoked);
    for (secret, says) in [
        ("secret-CANARYWRONG", "mistyped"),
        (revoked.as_str(), "deleted"),
        ("CANARY-of-no-known-shape", "begin with secret-"),
    ] {
        world
            .assert_refused(
                Provider::Luma,
                secret,
                "CREDENTIALS_REJECTED",
                &[says, "API keys page", "Nothing was saved"],
            )
            .await;
    }
    luma.plan_lapses(&world.calendar.id);
    let key = world.calendar.key.clone();
    world
        .assert_refused(
            Provider::Luma,
            &key,
            "PLAN_REQUIRED",
            &["Luma Plus", "billing", "Nothing was saved"],
        )
        .await;
}

#[tokio::test]
async fn trouble_on_the_way_never_speaks_against_the_credential() {
    for provider in BOTH {
        for (fault, code) in [
            (Fault::Status(500), "PROVIDER_UNREACHABLE"),
            (Fault::Status(503), "PROVIDER_UNREACHABLE"),
            (Fault::HtmlGateway(502), "PROVIDER_UNREACHABLE"),
            (Fault::EmptyBody(503), "PROVIDER_UNREACHABLE"),
            (Fault::NonJsonStatus(401), "PROVIDER_UNREACHABLE"),
            (Fault::NonJsonStatus(403), "PROVIDER_UNREACHABLE"),
            (Fault::TruncatedBody, "PROVIDER_UNREACHABLE"),
            (Fault::TruncatedJson, "PROVIDER_UNREACHABLE"),
            (Fault::Reset, "PROVIDER_UNREACHABLE"),
            (Fault::Html200, "NETWORK_SIGN_IN"),
            (
                Fault::Redirect("http://portal.example/sign-in".to_owned()),
                "NETWORK_SIGN_IN",
            ),
            (Fault::NotAnEnvelope, "PROVIDER_CHANGED"),
            (Fault::DeepJson, "PROVIDER_CHANGED"),
        ] {
            let world = World::open().await;
            world.door(provider, |door| door.fails_always(fault));
            let secret = world.secret(provider);
            world.assert_refused(provider, &secret, code, &[]).await;
        }
        let world = World::open().await;
        match provider {
            Provider::Eventbrite => world.desk.sandbox.eventbrite().goes_down(),
            Provider::Luma => world.desk.sandbox.luma().goes_down(),
        }
        let secret = world.secret(provider);
        world
            .assert_refused(provider, &secret, "PROVIDER_UNREACHABLE", &[provider.name()])
            .await;
    }
}

#[tokio::test]
async fn a_server_in_trouble_twice_is_asked_a_third_time() {
    for provider in BOTH {
        let world = World::open().await;
        world.door(provider, |door| door.fails_next(2, Fault::Status(503)));
        let secret = world.secret(provider);
        world
            .desk
            .connect(provider, &secret)
            .await
            .expect("two failures are no outage");
    }
}

#[tokio::test]
async fn an_answer_that_repeats_the_credential_reaches_no_text_and_no_file() {
    for provider in BOTH {
        for status in [400, 401, 403, 404, 422, 429, 500] {
            let world = World::open().await;
            world.door(provider, |door| {
                door.fails_always(Fault::EchoesCredential(status))
            });
            let secret = world.secret(provider);
            let options = talkvalue_tests::desk::patient_for(std::time::Duration::from_secs(5));
            let result = talkvalue_core::connect::connect(
                &world.desk.ports,
                provider,
                secret.clone().into(),
                None,
                options,
            )
            .await;
            assert_sentence(&result.expect_err("an error is no proof of a credential"));
            world.assert_nothing_saved().await;

            let (stage, item) = Stage::imported(provider, 60).await;
            stage.door().fails_always(Fault::EchoesCredential(status));
            let result = talkvalue_core::sync::actions::sync_item(&stage.desk.ports, &item, options).await;
            assert_sentence(&result.expect_err("an error is no read"));
            let view = stage.desk.show(&item).await;
            assert!(
                !format!("{view:?}").contains("CANARY"),
                "status {status}: what is shown holds no credential"
            );
            stage.assert_no_leak();
        }
    }
}

#[tokio::test]
async fn a_connected_account_is_saved_with_its_secret_in_the_keychain_only() {
    for provider in BOTH {
        let stage = Stage::open(provider, 0).await;
        let view = query::integration(&stage.desk.ports, &stage.integration)
            .await
            .unwrap();
        assert_eq!(view.status, IntegrationStatus::Connected);
        assert_eq!(view.failure, None);
        assert!(!format!("{view:?}").contains("CANARY"));
        stage.assert_no_leak();
        let entries = stage.desk.keychain.search(&HashMap::new()).unwrap();
        let holding = entries
            .iter()
            .filter_map(|entry| entry.get_secret().ok())
            .filter(|secret| talkvalue_tests::sweep::holds_canary(secret))
            .count();
        assert_eq!(holding, 1, "{provider:?}: one entry holds the credential");
    }
}

#[tokio::test]
async fn connecting_a_known_account_again_renews_it_under_the_same_id() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let stored = |id: talkvalue_core::domain::ids::IntegrationId| {
            let store = stage.desk.ports.store.clone();
            async move { store.integration(&id).await.unwrap().unwrap() }
        };
        let before = stored(stage.integration.clone()).await;
        assert_eq!(before.generation, Generation::FIRST);
        let renewed = stage
            .desk
            .connect(provider, &format!("  {}\n", stage.new_secret()))
            .await
            .unwrap();
        assert_eq!(
            renewed, stage.integration,
            "{provider:?}: the same account, the same id"
        );
        let after = stored(renewed).await;
        assert!(
            after.generation > before.generation,
            "a new credential is a new generation"
        );
        assert_eq!(query::integrations(&stage.desk.ports).await.unwrap().len(), 1);
        // The first credential goes; the list goes on with the second.
        match &stage.owner {
            crate::stage::Owner::Eventbrite { account, .. } => {
                stage.eventbrite.revoke_token(&account.private_token);
            }
            crate::stage::Owner::Luma(calendar) => stage.luma.revoke_key(&calendar.key),
        }
        assert_eq!(code_of(&stage.sync(&item).await), "OK");
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn two_accounts_of_one_provider_stand_beside_each_other() {
    let world = World::open().await;
    let second = world
        .desk
        .sandbox
        .eventbrite()
        .add_account("Sam Other", "sam@other.example");
    let token = world.account.private_token.clone();
    let one = world.desk.connect(Provider::Eventbrite, &token).await.unwrap();
    let other = world
        .desk
        .connect(Provider::Eventbrite, &second.private_token)
        .await
        .unwrap();
    assert_ne!(one, other, "two accounts are two integrations");
    assert_eq!(query::integrations(&world.desk.ports).await.unwrap().len(), 2);
}
