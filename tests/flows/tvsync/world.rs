//! A small world for `tvsync`: one event at each provider, one computer.

use std::collections::BTreeSet;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, EventbriteAccount, LumaCalendar, Sandbox};
use talkvalue_tests::tvsync::{Computer, text};

pub(crate) struct Harbour {
    pub(crate) sandbox: Sandbox,
    pub(crate) computer: Computer,
    pub(crate) account: EventbriteAccount,
    pub(crate) calendar: LumaCalendar,
    /// 120 attendees, three pages.
    pub(crate) event: String,
    /// 150 guests, two pages.
    pub(crate) luma_event: String,
}

impl Harbour {
    pub(crate) fn open(state: KeychainState) -> Self {
        let sandbox = Sandbox::builder().seed(11).start_blocking().unwrap();
        let (eventbrite, luma) = (sandbox.eventbrite(), sandbox.luma());
        let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
        let organization = eventbrite.add_organization(&account, "Harbour Guild");
        let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
        eventbrite.add_attendees(&event, 120);
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let luma_event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
        luma.add_guests(&luma_event, 150);
        let computer = Computer::with(&sandbox, state);
        Self {
            sandbox,
            computer,
            account,
            calendar,
            event,
            luma_event,
        }
    }
}

/// The ids of an item's rows.
pub(crate) fn ids(computer: &Computer, item: &str) -> BTreeSet<(String, String)> {
    let listed = computer.run(&["attendees", item, "--json"]).exits(0).json();
    let rows = listed["attendees"].as_array().unwrap();
    rows.iter()
        .map(|row| (text(row, "id"), text(row, "externalId")))
        .collect()
}
