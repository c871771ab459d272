//! Items that share a feed: a failure speaks of the account it was met with, and nobody is born green.

use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_core::sync::actions;
use talkvalue_sandbox::{EventSpec, Fault};
use talkvalue_tests::desk::{Desk, patient};

#[tokio::test]
async fn a_failed_import_through_another_account_leaves_a_healthy_list_alone() {
    let desk = Desk::open().await;
    let luma = desk.sandbox.luma();
    let own = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let other = luma.add_calendar("Community", "Sol Reyes", "sol@community.example");
    let event = luma.add_event(&own.id, EventSpec::new("Spring Repair Cafe"));
    luma.add_guests(&event, 12);
    let (own, other) = (
        desk.connect(Provider::Luma, &own.key).await.unwrap(),
        desk.connect(Provider::Luma, &other.key).await.unwrap(),
    );
    let badge = desk.import(&own, &event, ItemKind::BadgeEvent).await.unwrap();
    let refused = desk
        .import(&other, &event, ItemKind::PathEvent)
        .await
        .unwrap_err();
    assert_eq!(
        refused.code.code(),
        "REMOTE_GONE",
        "the other calendar's key does not see this event"
    );
    let badge = desk.show(&badge.id).await;
    assert_eq!(
        badge.sync_status,
        SyncStatus::Active,
        "no false alarm about an account that is fine"
    );
    assert_eq!(badge.failure, None);
}

#[tokio::test]
async fn a_second_view_of_a_list_that_failed_is_not_born_green() {
    let desk = Desk::open().await;
    let luma = desk.sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
    luma.add_guests(&event, 12);
    let integration = desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let badge = desk
        .import(&integration, &event, ItemKind::BadgeEvent)
        .await
        .unwrap();
    luma.fails_always(Fault::Status(503));
    actions::sync_item(&desk.ports, &badge.id, patient())
        .await
        .unwrap_err();
    desk.import(&integration, &event, ItemKind::PathEvent)
        .await
        .unwrap_err();
    let items = talkvalue_core::query::items(&desk.ports, Default::default())
        .await
        .unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        assert_eq!(
            item.sync_status,
            SyncStatus::Failed,
            "never green unless we know: {item:?}"
        );
        assert_eq!(
            item.failure.map(|failure| failure.code),
            Some(FailureCode::ProviderUnreachable)
        );
    }
}

#[tokio::test]
async fn what_luma_says_of_its_guest_counts_is_only_a_hint() {
    let desk = Desk::open().await;
    let luma = desk.sandbox.luma();
    luma.switches(|switches| switches.guest_counts = false);
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
    luma.add_guests(&event, 5);
    let integration = desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let item = desk
        .import(&integration, &event, ItemKind::BadgeEvent)
        .await
        .unwrap();
    assert_eq!(item.counts.total, 5);
}

#[tokio::test]
async fn a_restored_data_folder_does_not_keep_a_new_credential_out() {
    let desk = Desk::open().await;
    let eventbrite = desk.sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let id = desk
        .connect(Provider::Eventbrite, &account.private_token)
        .await
        .unwrap();
    let first = desk.ports.store.integration(&id).await.unwrap().unwrap();
    for _ in 0..3 {
        desk.connect(Provider::Eventbrite, &account.private_token)
            .await
            .unwrap();
    }
    // The folder comes back from a copy: its row is behind the keychain.
    desk.ports.store.save_integration(&first).await.unwrap();
    eventbrite.revokes_tokens();
    let renewed = eventbrite.issue_token(&account);
    desk.connect(Provider::Eventbrite, &renewed).await.unwrap();
    let verified = talkvalue_core::connect::verify(&desk.ports, &id, patient()).await;
    assert!(
        verified.is_ok(),
        "the new token is the one that is kept: {verified:?}"
    );
}
