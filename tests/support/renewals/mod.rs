//! Sign-ins renewed again and again: by two processes at once, by processes that are killed in the middle, by callers
//! that go away, and over many days.

mod days;
mod dropped;
#[cfg(target_os = "linux")]
mod killed;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod together;

pub use days::{Days, Window, days};
pub use dropped::{Dropped, dropped};
#[cfg(target_os = "linux")]
pub use killed::{Killed, killed};
#[cfg(target_os = "linux")]
pub use together::{Together, together};

use crate::desk::Desk;
use crate::oauth::{server, signed_in};
use talkvalue_core::domain::ids::{IntegrationId, ItemId};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_sandbox::{EventSpec, Oauth, OauthDialect};

/// The dialects in which a sign-in is renewed.
pub const THAT_RENEW: [OauthDialect; 3] = [
    OauthDialect::FixedRefresh,
    OauthDialect::RotatingWithGrace,
    OauthDialect::StrictRotation,
];

/// A Luma calendar that was signed in to, with one imported event.
pub struct World {
    pub desk: Desk,
    pub oauth: Oauth,
    pub calendar: String,
    pub event: String,
    pub integration: IntegrationId,
    pub item: ItemId,
}

impl World {
    pub async fn open(dialect: OauthDialect) -> Self {
        let desk = Desk::open().await;
        let luma = desk.sandbox.luma();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
        luma.add_guests(&event, 30);
        let oauth = server(&desk, Provider::Luma);
        oauth.speaks(dialect);
        oauth.approves_as(&calendar.id);
        let integration = signed_in(&desk, Provider::Luma).await;
        let item = desk
            .import(&integration, &event, ItemKind::BadgeEvent)
            .await
            .unwrap()
            .id;
        Self {
            desk,
            oauth,
            calendar: calendar.id,
            event,
            integration,
            item,
        }
    }
}
