//! Reconnecting: the same item, the same people, nobody lost, and never through an account that does not see the event.

use crate::stage::{BOTH, Owner, Stage, assert_sentence, code_of};
use std::collections::BTreeMap;
use std::time::Duration;
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::{AttendeeId, IntegrationId, ItemId};
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::query;
use talkvalue_sandbox::{EventbriteAccount, Fault};
use talkvalue_tests::desk::patient;

async fn ids_of(stage: &Stage, item: &ItemId) -> BTreeMap<String, AttendeeId> {
    let rows = stage.desk.attendees(item).await;
    rows.into_iter()
        .map(|row| (row.external_id.as_str().to_owned(), row.id))
        .collect()
}

/// An item that lost its credential.
async fn disconnected(provider: Provider) -> (Stage, ItemId) {
    let (stage, item) = Stage::imported(provider, 130).await;
    stage.revokes_credentials();
    assert_eq!(code_of(&stage.sync(&item).await), "CREDENTIALS_REJECTED");
    assert_eq!(stage.shown(&item).await.status, SyncStatus::Disconnected);
    stage.door().clears_requests();
    (stage, item)
}

fn member(stage: &Stage, name: &str, email: &str) -> EventbriteAccount {
    let account = stage.eventbrite.add_account(name, email);
    if let Owner::Eventbrite { organization, .. } = &stage.owner {
        stage.eventbrite.add_member(organization, &account);
    }
    account
}

fn secret_of_stranger(stage: &Stage) -> String {
    match stage.provider {
        Provider::Eventbrite => {
            let account = stage.eventbrite.add_account("Sam Other", "sam@other.example");
            stage.eventbrite.add_organization(&account, "Other Guild");
            account.private_token
        }
        Provider::Luma => {
            stage
                .luma
                .add_calendar("Other", "Sam Other", "sam@other.example")
                .key
        }
    }
}

#[tokio::test]
async fn reconnecting_keeps_the_item_and_its_people_and_catches_up() {
    for provider in BOTH {
        let (stage, item) = disconnected(provider).await;
        let ids_before = ids_of(&stage, &item).await;
        stage.desk.sandbox.clock().advance(Duration::from_secs(7_200));
        stage.add_registrations(35);
        let someone = stage
            .truth()
            .into_iter()
            .find(|row| matches!(row.provider_status.as_str(), "Attending" | "approved"))
            .unwrap()
            .id;
        stage.check_in(&someone);

        let renewed = stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        assert_eq!(renewed, stage.integration);
        let shown = stage.shown(&item).await;
        assert_eq!(
            shown.integration,
            IntegrationStatus::Connected,
            "the account is whole again"
        );
        assert_eq!(
            (shown.status, shown.alert),
            (SyncStatus::Disconnected, Some(Alert::IntegrationDisconnected)),
            "its items wait until a person reconnects them"
        );
        assert_eq!(
            code_of(&stage.sync(&item).await),
            "CREDENTIALS_REJECTED",
            "a sync does not reconnect by itself"
        );

        let view = stage.reconnect(&item, None).await.unwrap();
        assert_eq!(view.id, item, "{provider:?}: the item is the same one");
        assert_eq!((view.sync_status, view.alert), (SyncStatus::Active, None));
        assert_eq!(view.failure, None);
        stage.assert_exact(&item).await;
        let ids_after = ids_of(&stage, &item).await;
        for (row, id) in &ids_before {
            assert_eq!(
                ids_after.get(row),
                Some(id),
                "{provider:?}: local ids stay: {row}"
            );
        }
        assert_eq!(ids_after.len(), ids_before.len() + 35);
        stage.assert_no_leak();
    }
}

#[tokio::test]
async fn a_first_import_that_was_disconnected_completes_after_reconnecting() {
    for provider in BOTH {
        let stage = Stage::open(provider, 230).await;
        stage.door().revokes_after(2);
        assert_eq!(code_of(&stage.import().await), "CREDENTIALS_REJECTED");
        let item = stage.desk.only_item().await;
        assert_eq!(item.sync_status, SyncStatus::Disconnected);
        assert!(
            item.counts.total > 0,
            "what arrived before the revocation is kept"
        );
        stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        stage.reconnect(&item.id, None).await.unwrap();
        stage.assert_exact(&item.id).await;
    }
}

#[tokio::test]
async fn one_reconnect_leaves_the_other_items_of_the_account_to_their_own() {
    let (stage, first) = Stage::imported(Provider::Eventbrite, 60).await;
    let event = stage.add_event("Autumn Night", 20);
    let second = stage
        .desk
        .import(&stage.integration, &event, ItemKind::PathEvent)
        .await
        .unwrap()
        .id;
    stage.revokes_credentials();
    assert_eq!(code_of(&stage.sync(&first).await), "CREDENTIALS_REJECTED");
    for item in [&first, &second] {
        assert_eq!(
            stage.shown(item).await.status,
            SyncStatus::Disconnected,
            "a revoked token severs all items of the account"
        );
    }
    stage
        .desk
        .connect(Provider::Eventbrite, &stage.new_secret())
        .await
        .unwrap();
    stage.reconnect(&first, None).await.unwrap();
    assert_eq!(stage.shown(&first).await.status, SyncStatus::Active);
    assert_eq!(stage.shown(&second).await.status, SyncStatus::Disconnected);
    stage.reconnect(&second, None).await.unwrap();
    assert_eq!(stage.shown(&second).await.status, SyncStatus::Active);
}

#[tokio::test]
async fn another_account_that_sees_the_event_takes_the_item_over() {
    let (stage, item) = disconnected(Provider::Eventbrite).await;
    let ids_before = ids_of(&stage, &item).await;
    let colleague = member(&stage, "Noor Haddad", "noor@harbour.example");
    let other = stage
        .desk
        .connect(Provider::Eventbrite, &colleague.private_token)
        .await
        .unwrap();
    let view = stage.reconnect(&item, Some(&other)).await.unwrap();
    assert_eq!(view.integration_id, other);
    assert_eq!(view.sync_status, SyncStatus::Active);
    assert_eq!(
        ids_of(&stage, &item).await,
        ids_before,
        "the people stay the same"
    );
    assert_eq!(
        stage.integration_status().await,
        IntegrationStatus::Disconnected,
        "the first account is not repaired by that"
    );
    stage.sync(&item).await.unwrap();
    stage.assert_exact(&item).await;
}

async fn assert_unchanged(stage: &Stage, item: &ItemId, with: &IntegrationId, codes: &[&str]) {
    let (shown, view) = (stage.shown(item).await, stage.desk.show(item).await);
    let rows = stage.desk.attendees(item).await;
    stage.desk.sandbox.clock().advance(Duration::from_secs(5));
    let result = stage.reconnect(item, Some(with)).await;
    assert!(
        codes.contains(&code_of(&result)),
        "one of {codes:?}, but {}",
        code_of(&result)
    );
    assert_sentence(&result.unwrap_err());
    assert_eq!(stage.shown(item).await, shown, "nothing is changed");
    let after = stage.desk.show(item).await;
    assert_eq!(
        after.integration_id, view.integration_id,
        "the account is never switched silently"
    );
    assert_eq!(
        after.last_attempted_at, view.last_attempted_at,
        "nothing was attempted"
    );
    assert_eq!(stage.desk.attendees(item).await, rows);
}

#[tokio::test]
async fn an_account_that_does_not_see_the_event_changes_nothing() {
    for provider in BOTH {
        let (stage, item) = disconnected(provider).await;
        let stranger = stage
            .desk
            .connect(provider, &secret_of_stranger(&stage))
            .await
            .unwrap();
        assert_unchanged(&stage, &item, &stranger, &["PERMISSION_MISSING", "REMOTE_GONE"]).await;
        let error = stage.reconnect(&item, Some(&stranger)).await.unwrap_err();
        assert!(error.message.contains("cannot see"), "{}", error.message);
        if provider == Provider::Luma {
            assert!(
                error.message.contains("its own calendar's key"),
                "a Luma event is visible to its own calendar only, and the sentence says so: {}",
                error.message
            );
        }
    }
}

#[tokio::test]
async fn signing_in_again_as_somebody_else_changes_nothing() {
    for provider in BOTH {
        let (stage, item) = disconnected(provider).await;
        let own = stage.desk.show(&item).await.integration_id;
        let before = query::integrations(&stage.desk.ports).await.unwrap();
        let stranger = secret_of_stranger(&stage);
        let sign_in = |renews| {
            connect::connect(
                &stage.desk.ports,
                provider,
                stranger.clone().into(),
                renews,
                patient(),
            )
        };
        let error = sign_in(Some(&own)).await.unwrap_err();
        assert_eq!(error.code.code(), "WRONG_ACCOUNT", "{error:?}");
        assert_sentence(&error);
        assert!(
            error.message.contains("is needed here. Nothing was changed."),
            "it names both accounts and what was kept: {}",
            error.message
        );
        assert_eq!(
            query::integrations(&stage.desk.ports).await.unwrap(),
            before,
            "nothing is saved of an account that was not asked for"
        );
        let added = sign_in(None).await.unwrap();
        assert_ne!(
            added.integration.id, own,
            "a person may add it as another account afterwards"
        );
        assert_eq!(
            stage.shown(&item).await.status,
            SyncStatus::Disconnected,
            "the item is not switched to it silently"
        );
    }
}

#[tokio::test]
async fn an_account_of_the_other_provider_changes_nothing() {
    for provider in BOTH {
        let (stage, item) = disconnected(provider).await;
        let other = match provider {
            Provider::Eventbrite => {
                let calendar = stage.luma.add_calendar("Other", "Sam Other", "sam@other.example");
                stage.desk.connect(Provider::Luma, &calendar.key).await.unwrap()
            }
            Provider::Luma => {
                let account = stage.eventbrite.add_account("Sam Other", "sam@other.example");
                stage
                    .desk
                    .connect(Provider::Eventbrite, &account.private_token)
                    .await
                    .unwrap()
            }
        };
        assert_unchanged(&stage, &item, &other, &["BAD_INPUT"]).await;
    }
}

#[tokio::test]
async fn an_account_that_is_disconnected_or_unknown_changes_nothing() {
    let (stage, item) = disconnected(Provider::Eventbrite).await;
    assert_unchanged(&stage, &item, &stage.integration, &["CREDENTIALS_REJECTED"]).await;
    let unknown = IntegrationId::from_text("int-nobody");
    assert_unchanged(&stage, &item, &unknown, &["NOT_FOUND"]).await;
    assert_eq!(
        stage.door().request_count(),
        0,
        "a severed credential is not used"
    );
}

#[tokio::test]
async fn trouble_while_proving_the_account_changes_nothing() {
    for (fault, code) in [
        (Fault::Status(503), "PROVIDER_UNREACHABLE"),
        (Fault::Html200, "NETWORK_SIGN_IN"),
        (Fault::NotAnEnvelope, "PROVIDER_CHANGED"),
    ] {
        for provider in BOTH {
            let (stage, item) = disconnected(provider).await;
            stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
            stage.door().fails_always(fault.clone());
            assert_unchanged(&stage, &item, &stage.integration, &[code]).await;
        }
    }
}

#[tokio::test]
async fn an_account_whose_token_is_dead_too_is_disconnected_and_the_item_stays() {
    let (stage, item) = disconnected(Provider::Eventbrite).await;
    let colleague = member(&stage, "Noor Haddad", "noor@harbour.example");
    let other = stage
        .desk
        .connect(Provider::Eventbrite, &colleague.private_token)
        .await
        .unwrap();
    stage.eventbrite.revoke_token(&colleague.private_token);
    assert_unchanged(&stage, &item, &other, &["CREDENTIALS_REJECTED"]).await;
    let view = query::integration(&stage.desk.ports, &other).await.unwrap();
    assert_eq!(view.status, IntegrationStatus::Disconnected);
}

#[tokio::test]
async fn what_is_not_disconnected_needs_no_reconnect() {
    let (stage, item) = Stage::imported(Provider::Luma, 30).await;
    assert_eq!(code_of(&stage.reconnect(&item, None).await), "NOT_POSSIBLE");
    assert_eq!(stage.shown(&item).await.status, SyncStatus::Active);
}

#[tokio::test]
async fn a_rejection_of_the_old_credential_does_not_touch_the_new_one() {
    // Held is the request with the old credential: first the one that is rejected, then the probe.
    for provider in BOTH {
        for held in [1, 2] {
            let (stage, item) = Stage::imported(provider, 60).await;
            let secret = stage.new_secret();
            let pause = stage.door().pause_at(held);
            match &stage.owner {
                Owner::Eventbrite { account, .. } => stage.eventbrite.revoke_token(&account.private_token),
                Owner::Luma(calendar) => stage.luma.revoke_key(&calendar.key),
            }
            let (result, ()) = tokio::join!(stage.sync(&item), async {
                pause.reached().await;
                stage.desk.connect(provider, &secret).await.unwrap();
                pause.release();
            });
            let shown = stage.shown(&item).await;
            assert_eq!(
                shown.integration,
                IntegrationStatus::Connected,
                "{provider:?}, request {held}: what was said of the old one says nothing of the new one"
            );
            assert_ne!(
                shown.status,
                SyncStatus::Disconnected,
                "{provider:?}, request {held}"
            );
            assert_eq!(
                (shown.status, shown.failure),
                (SyncStatus::Active, None),
                "{provider:?}, request {held}: it is ignored, so the list is read with the new one ({})",
                code_of(&result)
            );
            stage.sync(&item).await.unwrap();
            stage.assert_exact(&item).await;
        }
    }
}

#[tokio::test]
async fn a_person_who_disconnects_keeps_the_lists_and_can_come_back() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let gone = connect::disconnect(&stage.desk.ports, &stage.integration, patient())
            .await
            .unwrap();
        assert_eq!(gone.integration.status, IntegrationStatus::Disconnected);
        let shown = stage.shown(&item).await;
        assert_eq!(shown.status, SyncStatus::Disconnected);
        assert_eq!(shown.failure, Some(FailureCode::DisconnectedByYou));
        let entry = stage
            .desk
            .keychain
            .build("desk", stage.integration.as_str(), None)
            .unwrap();
        assert!(
            entry.get_secret().is_err(),
            "the credential is gone from the keychain"
        );
        stage.assert_exact(&item).await;
        for result in [stage.sync(&item).await, stage.retry(&item).await] {
            assert_eq!(code_of(&result), "DISCONNECTED_BY_YOU");
        }
        assert_eq!(
            code_of(&connect::verify(&stage.desk.ports, &stage.integration, patient()).await),
            "DISCONNECTED_BY_YOU",
            "a person's own word is not undone by a check"
        );
        assert_eq!(
            stage.door().request_count(),
            0,
            "{provider:?}: nothing is asked any more"
        );
        stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        stage.reconnect(&item, None).await.unwrap();
        assert_eq!(stage.shown(&item).await.status, SyncStatus::Active);
        stage.assert_exact(&item).await;
    }
}
