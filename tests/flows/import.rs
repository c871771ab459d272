//! Importing gives exactly the provider's set, whatever its pages look like.

use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::status::SyncStatus;
use talkvalue_sandbox::EventSpec;
use talkvalue_tests::desk::Desk;

#[tokio::test]
async fn an_eventbrite_event_of_ten_thousand_arrives_exactly() {
    let desk = Desk::open().await;
    let eventbrite = desk.sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let organization = eventbrite.add_organization(&account, "Harbour Guild");
    let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
    eventbrite.add_attendees(&event, 10_000);
    let integration = desk.connect(Provider::Eventbrite, &account.private_token).await.unwrap();
    let item = desk.import(&integration, &event, ItemKind::BadgeEvent).await.unwrap();
    assert_eq!(item.sync_status, SyncStatus::Active);
    assert_eq!(item.counts.total, 10_000);
    desk.assert_exact(&item.id, &eventbrite.attendees(&event)).await;
}

#[tokio::test]
async fn a_luma_event_of_three_thousand_arrives_exactly() {
    let desk = Desk::open().await;
    let luma = desk.sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
    luma.add_guests(&event, 3_000);
    let integration = desk.connect(Provider::Luma, &calendar.key).await.unwrap();
    let item = desk.import(&integration, &event, ItemKind::BadgeEvent).await.unwrap();
    assert_eq!(item.sync_status, SyncStatus::Active);
    desk.assert_exact(&item.id, &luma.guests(&event)).await;
}
