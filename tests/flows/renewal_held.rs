//! Renewing while the keychain is in trouble: nothing is asked for that could not be kept, and what could not be kept
//! after all stays in memory until it can.

use crate::renewal::{HOUR, World};
use crate::troubled_keychain::{Mood, Trouble, TroubledKeychain};
use keyring::Error;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talkvalue_adapters::vault::{Deadlines, KeychainVault};
use talkvalue_core::connect;
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::integration::{Integration, IntegrationStatus};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::ports::{Notice, Ports};
use talkvalue_core::query;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::OauthDialect;
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::oauth::{signed_in, signed_in_over};
use talkvalue_tests::renewals::THAT_RENEW;

/// A world whose process meets a keychain with moods.
struct Moody {
    world: World,
    mood: Arc<Mutex<Mood>>,
}

impl Moody {
    async fn open(dialect: OauthDialect) -> Self {
        let mut world = World::open(dialect).await;
        let mood = Arc::new(Mutex::new(Mood::Serves));
        let keychain = Arc::new(TroubledKeychain {
            inner: world.desk.keychain.clone(),
            trouble: Trouble::Moody(mood.clone()),
        });
        let vault = KeychainVault::with_store(
            "desk",
            Arc::new(move || Ok(keychain.clone())),
            Deadlines::default(),
        );
        world.desk.ports.vault = Arc::new(vault);
        Self { world, mood }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

async fn syncs(ports: &Ports, world: &World) -> Result<SyncStatus, String> {
    actions::sync_item(ports, &world.item, patient())
        .await
        .map(|item| item.sync_status)
        .map_err(|error| error.code.code().to_owned())
}

#[tokio::test]
async fn nothing_is_renewed_that_the_keychain_could_not_keep() {
    for (mood, code) in [
        (Mood::Locked, "VAULT_LOCKED"),
        (Mood::ReadOnly, "VAULT_UNAVAILABLE"),
    ] {
        let moody = Moody::open(OauthDialect::StrictRotation).await;
        let world = &moody.world;
        moody.is(mood);
        world.passes(HOUR - Duration::from_secs(5 * 60));
        if mood == Mood::ReadOnly {
            assert_eq!(
                world.sync().await,
                Ok(SyncStatus::Active),
                "what serves still is used to its end"
            );
        }
        world.passes(HOUR);
        for _ in 0..5 {
            assert_eq!(world.sync().await, Err(code.to_owned()), "{mood:?}");
            world.passes(Duration::from_secs(60));
        }
        assert_eq!(world.oauth.refresh_requests(), 0, "{mood:?}");
        assert_eq!(world.status().await, IntegrationStatus::Connected, "{mood:?}");
        let shown = world.desk.show(&world.item).await;
        assert_eq!(
            (shown.sync_status, shown.alert),
            (SyncStatus::Active, None),
            "{mood:?}: no false alarm"
        );
        moody.is(Mood::Serves);
        world.passes(Duration::from_secs(60));
        assert_eq!(world.sync().await, Ok(SyncStatus::Active), "{mood:?}");
        assert_eq!(world.oauth.refresh_requests(), 1, "{mood:?}");
        assert_eq!(world.oauth.tally().family_revocations, 0, "{mood:?}");
    }
}

#[tokio::test]
async fn a_renewed_sign_in_that_the_keychain_did_not_take_is_kept_and_saved_later() {
    let moody = Moody::open(OauthDialect::StrictRotation).await;
    let world = &moody.world;
    let ports = &world.desk.ports;
    moody.is(Mood::TakesNoSignIn);
    world.passes(2 * HOUR);
    world.desk.notices.take();
    assert_eq!(world.sync().await, Ok(SyncStatus::Active));
    assert!(ports.sign_ins.unsaved().is_some(), "whoever quits is asked");
    let told = world.desk.notices.take();
    assert!(told.contains(&Notice::SignInsHeldChanged));
    connect::save_what_is_held(ports).await;
    assert!(ports.sign_ins.unsaved().is_some(), "offered again, and not taken");
    assert!(
        !world.desk.notices.take().contains(&Notice::SignInsHeldChanged),
        "what is known is not told every half minute"
    );
    for _ in 0..3 {
        world.passes(2 * HOUR);
        assert_eq!(
            world.sync().await,
            Ok(SyncStatus::Active),
            "what is in memory is renewed from there"
        );
    }
    assert_eq!(world.oauth.tally().refreshes, 4);
    moody.is(Mood::Serves);
    world.desk.notices.take();
    connect::settle_sign_ins(ports).await;
    assert_eq!(ports.sign_ins.unsaved(), None);
    assert!(world.desk.notices.take().contains(&Notice::SignInsHeldChanged));
    world.passes(2 * HOUR);
    assert_eq!(
        syncs(&world.desk.restarted(), world).await,
        Ok(SyncStatus::Active)
    );
    assert_eq!(world.oauth.tally().refreshes, 5);
    assert_eq!(world.oauth.tally().family_revocations, 0);
}

#[tokio::test]
async fn a_sign_in_that_was_disconnected_elsewhere_is_not_saved_again() {
    let moody = Moody::open(OauthDialect::RotatingWithGrace).await;
    let world = &moody.world;
    moody.is(Mood::TakesNoSignIn);
    world.passes(2 * HOUR);
    assert_eq!(world.sync().await, Ok(SyncStatus::Active));
    connect::disconnect(&world.desk.restarted(), &world.integration, patient())
        .await
        .unwrap();
    moody.is(Mood::Serves);
    connect::save_what_is_held(&world.desk.ports).await;
    let entry = world
        .desk
        .keychain
        .build("desk", world.integration.as_str(), None)
        .unwrap();
    assert!(
        matches!(entry.get_secret(), Err(Error::NoEntry)),
        "what a person disconnected is nowhere kept"
    );
    assert_eq!(world.desk.ports.sign_ins.unsaved(), None);
}

#[tokio::test]
async fn a_newer_sign_in_of_another_process_is_not_overwritten_by_what_is_held() {
    let moody = Moody::open(OauthDialect::RotatingWithGrace).await;
    let world = &moody.world;
    moody.is(Mood::TakesNoSignIn);
    world.passes(2 * HOUR);
    assert_eq!(world.sync().await, Ok(SyncStatus::Active));
    moody.is(Mood::Serves);
    let other = world.desk.restarted();
    assert_eq!(
        signed_in_over(&other, &world.desk, Provider::Luma).await,
        world.integration
    );
    world.oauth.revokes_grant(0);
    connect::save_what_is_held(&world.desk.ports).await;
    assert_eq!(world.desk.ports.sign_ins.unsaved(), None);
    assert_eq!(world.sync().await, Ok(SyncStatus::Active));
    assert_eq!(
        syncs(&world.desk.restarted(), world).await,
        Ok(SyncStatus::Active)
    );
}

#[tokio::test]
async fn without_a_keychain_a_process_that_keeps_sign_ins_renews_them_and_forgets_them_at_its_end() {
    let mut world = World::open(OauthDialect::StrictRotation).await;
    connect::disconnect(&world.desk.ports, &world.integration, patient())
        .await
        .unwrap();
    let none: Arc<talkvalue_adapters::vault::OpenStore> = Arc::new(|| Err(Error::NoDefaultStore));
    let without = |ports: Ports| Ports {
        vault: Arc::new(KeychainVault::with_store(
            "desk",
            none.clone(),
            Deadlines::default(),
        )),
        ..ports
    };
    world.desk.ports = without(world.desk.restarted());
    let refused = connect::connect(
        &world.desk.ports,
        Provider::Luma,
        SecretString::from("secret-CANARYLUMA000000000000".to_owned()),
        None,
        patient(),
    )
    .await;
    assert!(refused.is_err());
    world.desk.ports.sign_ins.keep_without_keychain();
    let id = signed_in(&world.desk, Provider::Luma).await;
    assert!(
        world
            .desk
            .ports
            .sign_ins
            .unsaved()
            .is_some_and(|sentence| sentence.contains("no keychain"))
    );
    let event = world
        .desk
        .sandbox
        .luma()
        .add_event(&world.calendar, talkvalue_sandbox::EventSpec::new("Autumn Fair"));
    world.desk.sandbox.luma().add_guests(&event, 12);
    let item = world
        .desk
        .import(&id, &event, ItemKind::BadgeEvent)
        .await
        .unwrap()
        .id;
    let before = world.oauth.tally().refreshes;
    for _ in 0..3 {
        world.passes(2 * HOUR);
        let view = actions::sync_item(&world.desk.ports, &item, patient())
            .await
            .unwrap();
        assert_eq!(view.sync_status, SyncStatus::Active);
    }
    assert_eq!(world.oauth.tally().refreshes - before, 3);
    let next = without(world.desk.restarted());
    let after = actions::sync_item(&next, &item, patient()).await.unwrap_err();
    assert_eq!(after.code.code(), FailureCode::VaultUnavailable.code());
}

async fn verifies(ports: &Ports, world: &World) -> Result<(), String> {
    connect::verify(ports, &world.integration, patient())
        .await
        .map(|_| ())
        .map_err(|error| error.code.code().to_owned())
}

/// What another process has in its memory only is neither renewed behind its back nor taken for lost.
#[tokio::test]
async fn a_sign_in_that_another_process_could_not_save_is_left_to_it() {
    for dialect in THAT_RENEW {
        let moody = Moody::open(dialect).await;
        let world = &moody.world;
        moody.is(Mood::TakesNoSignIn);
        world.passes(2 * HOUR);
        assert_eq!(world.sync().await, Ok(SyncStatus::Active));
        // The keychain serves again, and still holds the one before.
        moody.is(Mood::Serves);
        let other = world.desk.restarted();
        let asked = world.oauth.refresh_requests();
        for _ in 0..3 {
            assert_eq!(
                verifies(&other, world).await,
                Err("VAULT_WRITE_FAILED".to_owned()),
                "{dialect:?}"
            );
            assert_eq!(
                syncs(&other, world).await,
                Err("VAULT_WRITE_FAILED".to_owned()),
                "{dialect:?}"
            );
            world.passes(Duration::from_secs(60));
        }
        assert_eq!(world.oauth.refresh_requests(), asked, "{dialect:?}");
        assert_eq!(world.status().await, IntegrationStatus::Connected, "{dialect:?}");
        assert_eq!(world.desk.show(&world.item).await.sync_status, SyncStatus::Active);
        assert_eq!(
            world.sync().await,
            Ok(SyncStatus::Active),
            "{dialect:?}: its owner goes on"
        );
        connect::save_what_is_held(&world.desk.ports).await;
        assert_eq!(verifies(&other, world).await, Ok(()), "{dialect:?}");
        world.passes(2 * HOUR);
        assert_eq!(syncs(&other, world).await, Ok(SyncStatus::Active), "{dialect:?}");
        assert_eq!(world.oauth.tally().family_revocations, 0, "{dialect:?}");
    }
}

#[tokio::test]
async fn an_entry_that_was_removed_while_another_process_has_the_sign_in_is_not_taken_for_its_end() {
    let moody = Moody::open(OauthDialect::RotatingWithGrace).await;
    let world = &moody.world;
    moody.is(Mood::TakesNoSignIn);
    world.passes(2 * HOUR);
    assert_eq!(world.sync().await, Ok(SyncStatus::Active));
    for entry in world.desk.keychain.search(&HashMap::new()).unwrap() {
        // Some were never written.
        let _ = entry.delete_credential();
    }
    moody.is(Mood::Serves);
    let other = world.desk.restarted();
    assert_eq!(syncs(&other, world).await, Err("VAULT_WRITE_FAILED".to_owned()));
    assert_eq!(world.status().await, IntegrationStatus::Connected);
    connect::save_what_is_held(&world.desk.ports).await;
    assert_eq!(syncs(&other, world).await, Ok(SyncStatus::Active));
}

/// The process that had the newer sign-in in memory is gone: what the keychain holds is all there is.
#[tokio::test]
async fn a_sign_in_that_was_lost_with_its_process_comes_to_one_honest_reconnect() {
    for dialect in THAT_RENEW {
        let mut moody = Moody::open(dialect).await;
        moody.is(Mood::TakesNoSignIn);
        moody.world.passes(2 * HOUR);
        assert_eq!(moody.world.sync().await, Ok(SyncStatus::Active));
        moody.is(Mood::Serves);
        moody.world.desk.ports = moody.world.desk.restarted();
        moody.world.passes(2 * HOUR);
        let world = &moody.world;
        if dialect == OauthDialect::FixedRefresh {
            assert_eq!(world.sync().await, Ok(SyncStatus::Active), "nothing was lost");
            continue;
        }
        assert_eq!(
            world.sync().await,
            Err("CREDENTIALS_REJECTED".to_owned()),
            "{dialect:?}"
        );
        let row = world.desk.ports.store.integration(&world.integration).await;
        let severed = row.unwrap().unwrap().severed.unwrap();
        assert_eq!(
            severed.detail.as_deref(),
            Some("an earlier renewal was cut off"),
            "{dialect:?}: the reason is told"
        );
        assert_eq!(
            world.desk.show(&world.item).await.sync_status,
            SyncStatus::Disconnected
        );
        let asked = world.oauth.token_requests();
        assert!(world.sync().await.is_err());
        assert_eq!(world.oauth.token_requests(), asked, "{dialect:?}: no loop");
        assert_eq!(
            signed_in_over(&world.desk.ports, &world.desk, Provider::Luma).await,
            world.integration
        );
    }
}

/// The same for what nothing renews: an older key in the keychain than the database knows of.
#[tokio::test]
async fn an_older_key_that_is_refused_disconnects_where_the_newer_one_was_lost() {
    let desk = Desk::open().await;
    let luma = desk.sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(&calendar.id, talkvalue_sandbox::EventSpec::new("Spring Fair"));
    luma.add_guests(&event, 5);
    let id = desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let item = desk.import(&id, &event, ItemKind::BadgeEvent).await.unwrap().id;
    // It was connected anew where there was no keychain, and that process is gone.
    let row = desk.ports.store.integration(&id).await.unwrap().unwrap();
    let newer = Integration {
        generation: row.generation.next(),
        ..row
    };
    desk.ports.store.save_integration(&newer).await.unwrap();
    let synced = actions::sync_item(&desk.ports, &item, patient()).await;
    assert!(
        synced.is_ok(),
        "the older key serves as long as it does: {synced:?}"
    );
    luma.revokes_keys();
    let refused = actions::sync_item(&desk.ports, &item, patient())
        .await
        .unwrap_err();
    assert_eq!(refused.code.code(), "CREDENTIALS_REJECTED");
    assert_eq!(desk.show(&item).await.sync_status, SyncStatus::Disconnected);
    let account = query::integration(&desk.ports, &id).await.unwrap();
    assert_eq!(account.status, IntegrationStatus::Disconnected);
}
