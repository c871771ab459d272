//! Keychains that were emptied, are not ready yet, are locked, or hang.

use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use crate::troubled_keychain::{LateKeychain, Trouble, TroubledKeychain};
use keyring::{CredentialStore, Entry, Error, mock};
use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talkvalue_adapters::vault::{Deadlines, KeychainVault};
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::ExternalId;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::{Alert, SyncStatus};
use talkvalue_core::ports::Ports;
use talkvalue_core::query;
use talkvalue_core::sync::actions;
use talkvalue_tests::desk::patient;

fn entry(stage: &Stage, user: &str) -> Entry {
    stage.desk.keychain.build("desk", user, None).unwrap()
}

fn removes_entry(stage: &Stage) {
    entry(stage, stage.integration.as_str())
        .delete_credential()
        .unwrap();
}

fn empties_keychain(stage: &Stage) {
    for entry in stage.desk.keychain.search(&HashMap::new()).unwrap() {
        // Some were never written.
        let _ = entry.delete_credential();
    }
}

async fn assert_credentials_missing(stage: &Stage, item: &talkvalue_core::domain::ids::ItemId) {
    let shown = stage.shown(item).await;
    assert_eq!(shown.status, SyncStatus::Disconnected);
    assert_eq!(shown.failure, Some(FailureCode::CredentialsMissing));
    assert_eq!(shown.alert, Some(Alert::IntegrationDisconnected));
    assert_eq!(shown.integration, IntegrationStatus::Disconnected);
}

#[tokio::test]
async fn an_entry_removed_from_a_keychain_that_keeps_others_is_missing_at_once() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        removes_entry(&stage);
        let result = stage.sync(&item).await;
        assert_eq!(code_of(&result), "CREDENTIALS_MISSING");
        assert_sentence(&result.unwrap_err());
        assert_eq!(
            stage.desk.clock.take_sleeps(),
            Vec::<Duration>::new(),
            "the keychain answers and holds ours no more: there is nothing to wait for"
        );
        assert_eq!(
            stage.door().request_count(),
            0,
            "without a credential nothing is asked"
        );
        assert_credentials_missing(&stage, &item).await;
        stage.assert_exact(&item).await;

        let again = stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
        assert_eq!(again, stage.integration);
        stage.reconnect(&item, None).await.unwrap();
        assert_eq!(stage.desk.show(&item).await.sync_status, SyncStatus::Active);
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn an_empty_keychain_gets_a_minute_before_it_counts_as_emptied() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        empties_keychain(&stage);
        let result = stage.sync(&item).await;
        assert_eq!(code_of(&result), "CREDENTIALS_MISSING");
        let waited: Duration = stage.desk.clock.take_sleeps().iter().sum();
        assert_eq!(
            waited,
            Duration::from_secs(60),
            "the keychain may still be starting"
        );
        assert_credentials_missing(&stage, &item).await;
        stage.assert_exact(&item).await;
    }
}

#[tokio::test]
async fn a_first_import_without_a_credential_is_disconnected_and_asks_nothing() {
    let stage = Stage::open(Provider::Eventbrite, 60).await;
    removes_entry(&stage);
    assert_eq!(code_of(&stage.import().await), "CREDENTIALS_MISSING");
    assert_credentials_missing(&stage, &stage.desk.only_item().await.id).await;
    assert_eq!(stage.door().request_count(), 0);
}

#[tokio::test]
async fn verifying_an_account_without_its_entry_disconnects_it() {
    let (stage, item) = Stage::imported(Provider::Luma, 10).await;
    removes_entry(&stage);
    let result = connect::verify(&stage.desk.ports, &stage.integration, patient()).await;
    assert_eq!(code_of(&result), "CREDENTIALS_MISSING");
    assert_credentials_missing(&stage, &item).await;
}

/// The same installation over another keychain.
fn over(stage: &Stage, keychain: Arc<CredentialStore>, deadlines: Deadlines) -> Ports {
    let vault = KeychainVault::with_store("desk", Arc::new(move || Ok(keychain.clone())), deadlines);
    Ports {
        vault: Arc::new(vault),
        ..stage.desk.ports.clone()
    }
}

#[tokio::test]
async fn a_keychain_that_is_ready_late_costs_nothing_but_time() {
    let (stage, item) = Stage::imported(Provider::Eventbrite, 60).await;
    let clock = stage.desk.sandbox.clock();
    let late = LateKeychain {
        inner: stage.desk.keychain.clone(),
        ready_at: clock.now() + jiff::SignedDuration::from_secs(45),
        clock,
    };
    let ports = over(&stage, Arc::new(late), Deadlines::default());
    let view = actions::sync_item(&ports, &item, patient()).await.unwrap();
    assert_eq!(view.sync_status, SyncStatus::Active);
    let waited: Duration = stage.desk.clock.take_sleeps().iter().sum();
    assert_eq!(
        waited,
        Duration::from_secs(45),
        "it goes on as soon as the keychain is there"
    );
}

fn troubled(stage: &Stage, trouble: Trouble) -> Arc<CredentialStore> {
    Arc::new(TroubledKeychain {
        inner: stage.desk.keychain.clone(),
        trouble,
    })
}

pub(crate) fn hanging(stage: &Stage) -> (Ports, Sender<()>) {
    let (opens, gate) = channel();
    let trouble = Trouble::Hangs(Arc::new(Mutex::new(gate)));
    // The one wait in real time: nothing but the deadline ends a call that hangs.
    let deadlines = Deadlines {
        background: Duration::from_millis(60),
        person_asked: Duration::from_millis(60),
        ..Deadlines::default()
    };
    (over(stage, troubled(stage, trouble), deadlines), opens)
}

#[tokio::test]
async fn a_keychain_that_does_not_answer_pauses_and_disconnects_nothing() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 60).await;
        let before = stage.desk.show(&item).await;
        let (ports, gate) = hanging(&stage);
        let result = actions::sync_item(&ports, &item, patient()).await;
        assert_eq!(code_of(&result), "VAULT_UNAVAILABLE");
        assert_sentence(&result.unwrap_err());
        let shown = stage.shown(&item).await;
        assert_eq!(
            (shown.status, shown.alert),
            (SyncStatus::Active, None),
            "{provider:?}: a condition"
        );
        assert_eq!(shown.failure, None);
        assert_eq!(shown.waiting, Some(FailureCode::VaultUnavailable));
        assert_eq!(shown.integration, IntegrationStatus::Connected);
        assert_eq!(stage.door().request_count(), 0);

        // Reading never opens the keychain.
        assert_eq!(
            query::items(&ports, EngineView::default()).await.unwrap().len(),
            1
        );
        assert_eq!(query::integrations(&ports).await.unwrap().len(), 1);
        let view = query::item(&ports, &item, EngineView::default()).await.unwrap();
        assert_eq!(view.last_synced_at, before.last_synced_at);
        assert_eq!(view.counts, before.counts);
        stage.assert_exact(&item).await;

        // It hangs for ever: calls are given up at once after a few, and the verdict stays the same.
        for _ in 0..4 {
            let result = actions::sync_item(&ports, &item, patient()).await;
            assert_eq!(code_of(&result), "VAULT_UNAVAILABLE");
        }
        // It comes back, and so does the sync.
        drop(gate);
        let mut result = actions::sync_item(&ports, &item, patient()).await;
        for _ in 0..2_000 {
            if result.is_ok() {
                break;
            }
            tokio::task::yield_now().await;
            result = actions::sync_item(&ports, &item, patient()).await;
        }
        assert_eq!(code_of(&result), "OK", "a keychain that returned is used again");
    }
}

#[tokio::test]
async fn a_first_import_over_a_keychain_that_hangs_can_be_retried() {
    let stage = Stage::open(Provider::Eventbrite, 60).await;
    let (ports, gate) = hanging(&stage);
    let event = ExternalId::from_text(stage.event.as_str());
    let result = actions::import_event(
        &ports,
        &stage.integration,
        &event,
        ItemKind::BadgeEvent,
        patient(),
    )
    .await;
    assert_eq!(code_of(&result), "VAULT_UNAVAILABLE");
    let item = stage.desk.only_item().await;
    assert_eq!(
        (item.sync_status, item.alert),
        (SyncStatus::Pending, Some(Alert::ImportFailed))
    );
    assert_eq!(item.failure.unwrap().code, FailureCode::VaultUnavailable);
    drop(gate);
    stage.retry(&item.id).await.unwrap();
    stage.assert_exact(&item.id).await;
}

#[tokio::test]
async fn connecting_over_a_keychain_that_hangs_saves_nothing() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    let other = stage.eventbrite.add_account("Sam Other", "sam@other.example");
    let (ports, _gate) = hanging(&stage);
    let result = connect::connect(
        &ports,
        Provider::Eventbrite,
        other.private_token.into(),
        None,
        patient(),
    )
    .await;
    assert_eq!(code_of(&result), "VAULT_UNAVAILABLE");
    assert_sentence(&result.unwrap_err());
    assert_eq!(
        query::integrations(&ports).await.unwrap().len(),
        1,
        "only the account from before"
    );
    let result = connect::disconnect(&ports, &stage.integration, patient()).await;
    assert_eq!(code_of(&result), "VAULT_UNAVAILABLE");
    assert_eq!(
        stage.integration_status().await,
        IntegrationStatus::Connected,
        "a sign-in that could not be erased is not called disconnected"
    );
}

/// The next call on the integration's entry fails like this.
fn fails_once(stage: &Stage, error: Error) {
    let entry = entry(stage, stage.integration.as_str());
    let credential: &mock::Cred = entry.as_any().downcast_ref().unwrap();
    credential.set_error(error);
}

#[tokio::test]
async fn a_locked_keychain_pauses_and_disconnects_nothing() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    fails_once(&stage, Error::NoStorageAccess("it is locked".into()));
    let result = stage.sync(&item).await;
    assert_eq!(code_of(&result), "VAULT_LOCKED");
    assert_sentence(&result.unwrap_err());
    let shown = stage.shown(&item).await;
    assert_eq!(
        (shown.status, shown.alert, shown.failure),
        (SyncStatus::Active, None, None)
    );
    assert_eq!(shown.waiting, Some(FailureCode::VaultLocked));
    stage.sync(&item).await.unwrap();
    assert_eq!(stage.shown(&item).await.waiting, None, "unlocked: it goes on");
}

#[tokio::test]
async fn a_keychain_whose_connection_broke_once_is_asked_over_a_fresh_one() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    fails_once(&stage, Error::PlatformFailure("the daemon was restarted".into()));
    stage.sync(&item).await.unwrap();
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_no_reason_to_disconnect() {
    let (stage, item) = Stage::imported(Provider::Luma, 60).await;
    entry(&stage, stage.integration.as_str())
        .set_secret(br#"{"v":2,"form":"of a newer version"}"#)
        .unwrap();
    let result = stage.sync(&item).await;
    assert_eq!(code_of(&result), "VAULT_UNAVAILABLE");
    assert_eq!(stage.shown(&item).await.status, SyncStatus::Active);
}

#[tokio::test]
async fn a_keychain_that_does_not_keep_a_sign_in_refuses_the_connection() {
    for (trouble, code) in [
        (Trouble::KeepsNothing, "VAULT_WRITE_FAILED"),
        (Trouble::TakesShortOnesOnly, "VAULT_WRITE_FAILED"),
    ] {
        let stage = Stage::open(Provider::Eventbrite, 0).await;
        let other = stage.eventbrite.add_account("Sam Other", "sam@other.example");
        let ports = over(&stage, troubled(&stage, trouble), Deadlines::default());
        let result = connect::connect(
            &ports,
            Provider::Eventbrite,
            other.private_token.into(),
            None,
            patient(),
        )
        .await;
        assert_eq!(
            code_of(&result),
            code,
            "what is read back must be what was written"
        );
        assert_sentence(&result.unwrap_err());
        assert_eq!(
            query::integrations(&ports).await.unwrap().len(),
            1,
            "nothing is saved"
        );
        stage.assert_no_leak();
    }
}

#[tokio::test]
async fn a_token_too_long_for_some_keychains_is_refused_in_a_sentence() {
    let stage = Stage::open(Provider::Eventbrite, 0).await;
    let result = stage.desk.connect(Provider::Eventbrite, &"A".repeat(5_000)).await;
    assert_eq!(code_of(&result), "BAD_INPUT");
    assert_sentence(&result.unwrap_err());
}
