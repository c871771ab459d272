//! Reconnecting everything of an account: what holds for one because of the account, the keychain or the network holds
//! for all, and is found out once.

use crate::stage::{BOTH, Stage, assert_sentence, code_of};
use crate::troubled_keychain::{Mood, Trouble, TroubledKeychain};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talkvalue_adapters::vault::{Deadlines, KeychainVault};
use talkvalue_core::connect::{self, Repaired, Whose};
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::{Notice, Ports};
use talkvalue_core::sync::runner::Runner;
use talkvalue_sandbox::Fault;
use talkvalue_tests::desk::{patient, patient_for};

/// As long as a click waits.
const A_CLICK: Duration = Duration::from_secs(10);

/// Three items of one account that was severed and is connected again.
async fn three_to_repair(provider: Provider) -> (Stage, Vec<ItemId>) {
    let (stage, first) = Stage::imported(provider, 20).await;
    let mut items = vec![first];
    for title in ["Autumn Night", "Winter Night"] {
        let event = stage.add_event(title, 5);
        let imported = stage
            .desk
            .import(&stage.integration, &event, ItemKind::BadgeEvent)
            .await
            .unwrap();
        items.push(imported.id);
    }
    stage.revokes_credentials();
    assert_eq!(code_of(&stage.sync(&items[0]).await), "CREDENTIALS_REJECTED");
    stage.desk.connect(provider, &stage.new_secret()).await.unwrap();
    stage.door().clears_requests();
    stage.desk.clock.take_sleeps();
    stage.desk.notices.take();
    (stage, items)
}

/// What a click on "Reconnect all" does.
async fn clicks(stage: &Stage, ports: &Ports) -> Vec<Repaired> {
    let runner = Arc::new(Runner::new(ports.clone()));
    let whose = Whose::Account(&stage.integration);
    connect::begin_reconnect_all(
        &runner,
        whose,
        &stage.integration,
        patient_for(A_CLICK),
        patient(),
    )
    .await
    .unwrap()
}

async fn assert_all_refused(stage: &Stage, items: &[ItemId], repaired: &[Repaired], code: &str) {
    assert_eq!(repaired.len(), items.len(), "each has an outcome of its own");
    for one in repaired {
        assert_eq!(code_of(&one.outcome), code, "{}", one.title);
        assert_sentence(one.outcome.as_ref().unwrap_err());
    }
    for item in items {
        assert_eq!(
            stage.desk.show(item).await.sync_status,
            SyncStatus::Disconnected,
            "what was not proved is not reconnected"
        );
    }
}

#[tokio::test]
async fn a_rate_limit_keeps_a_click_on_reconnect_all_no_longer_than_any_other_click() {
    for provider in BOTH {
        let (stage, items) = three_to_repair(provider).await;
        stage.door().fails_always(Fault::RateLimited {
            retry_after_secs: Some(3_600),
        });
        let repaired = clicks(&stage, &stage.desk.ports).await;
        assert_all_refused(&stage, &items, &repaired, "WAITING").await;
        let waited: Duration = stage.desk.clock.take_sleeps().iter().sum();
        assert!(
            waited <= A_CLICK,
            "{provider:?}: a person sits before a button that does nothing for {waited:?}"
        );
        assert_eq!(
            stage.door().request_count(),
            1,
            "{provider:?}: the limit is the account's, so the others need not ask"
        );
    }
}

#[tokio::test]
async fn a_keychain_that_refuses_one_is_not_asked_for_the_others() {
    let (stage, items) = three_to_repair(Provider::Luma).await;
    let keychain = Arc::new(TroubledKeychain {
        inner: stage.desk.keychain.clone(),
        trouble: Trouble::Moody(Arc::new(Mutex::new(Mood::Locked))),
    });
    let open = move || -> keyring::Result<Arc<keyring::CredentialStore>> { Ok(keychain.clone()) };
    let ports = Ports {
        vault: Arc::new(KeychainVault::with_store(
            "desk",
            Arc::new(open),
            Deadlines::default(),
        )),
        ..stage.desk.ports.clone()
    };
    let repaired = clicks(&stage, &ports).await;
    assert_all_refused(&stage, &items, &repaired, "VAULT_LOCKED").await;
    let notices = stage.desk.notices.take();
    let asked = notices.iter().filter(|notice| **notice == Notice::AskingVault);
    assert_eq!(
        asked.count(),
        1,
        "each time it is asked may be a prompt on the screen"
    );
    assert_eq!(stage.door().request_count(), 0);
}

#[tokio::test]
async fn an_account_that_is_severed_by_the_first_answers_for_the_others() {
    for provider in BOTH {
        let (stage, items) = three_to_repair(provider).await;
        stage.revokes_credentials();
        let repaired = clicks(&stage, &stage.desk.ports).await;
        assert_all_refused(&stage, &items, &repaired, "CREDENTIALS_REJECTED").await;
        let asked_of_events = stage.door().request_count() - stage.probes() as u64;
        assert_eq!(
            (asked_of_events, stage.probes()),
            (1, 1),
            "{provider:?}: refused once and confirmed once is enough"
        );
        let messages: Vec<_> = repaired
            .iter()
            .map(|one| one.outcome.as_ref().unwrap_err().message.clone())
            .collect();
        assert!(
            messages.iter().all(|message| *message == messages[0]),
            "{messages:?}"
        );
    }
}

#[tokio::test]
async fn trouble_with_one_event_leaves_the_others_to_be_reconnected() {
    let (stage, items) = three_to_repair(Provider::Eventbrite).await;
    stage
        .door()
        .fails_path(format!("/events/{}/", stage.event), Fault::Status(503));
    let repaired = connect::reconnect_all(
        &stage.desk.ports,
        Whose::Account(&stage.integration),
        &stage.integration,
        patient(),
    )
    .await
    .unwrap();
    assert_eq!(repaired.len(), 3);
    for one in &repaired {
        let wanted = if one.item == items[0] {
            "PROVIDER_UNREACHABLE"
        } else {
            "fine"
        };
        let code = one
            .outcome
            .as_ref()
            .map_or_else(|error| error.code.code(), |_| "fine");
        assert_eq!(code, wanted, "{}", one.title);
    }
}
