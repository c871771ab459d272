//! The demo workspace: two Eventbrite accounts and two Luma calendars worth looking at, dated around now.
//! Owns its content only.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::clock::SandboxClock;
use crate::eventbrite::{Eventbrite, EventbriteAccount};
use crate::luma::{Luma, LumaCalendar};
use crate::spec::EventSpec;

/// What is in the demo workspace.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// `events@harbour.example`, then `box@dockhall.example`.
    pub eventbrite_accounts: Vec<EventbriteAccount>,
    /// Their organizations' ids, in the same order.
    pub eventbrite_organizations: Vec<String>,
    /// Eventbrite's events, in the order of creation.
    pub eventbrite_events: Vec<DemoEvent>,
    /// Harbour Makers, then Community Calendar.
    pub luma_calendars: Vec<LumaCalendar>,
    /// Luma's events, in the order of creation.
    pub luma_events: Vec<DemoEvent>,
}

/// One event of the demo workspace.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoEvent {
    /// The provider's id.
    pub id: String,
    /// The title.
    pub title: String,
    /// Registrations it was filled with.
    pub registrations: usize,
}

/// (title, hours from now to the start, length in hours, registrations)
type Row = (&'static str, i64, i64, usize);

const VERY_LONG: &str = "The Very Long Evening of Long Tables, Longer Speeches and the Longest Rope Ever Spliced on This Quay, \
with Readings, Repairs, a Regatta of Paper Boats, Soup for Everybody, and a Discussion About Whether Titles Should Have a Limit";

const HARBOUR_GUILD: &[Row] = &[
    ("Lantern Night: doors tonight", 3, 5, 412),
    ("Harbour Summit", 24 * 3, 9, 3_000),
    ("Spring Repair Café ☕", 24 * 26, 5, 37),
    ("Boat Builders’ Breakfast", -24 * 9, 3, 88),
    ("<script>alert(1)</script> & \"Friends\"", 24 * 5, 2, 12),
    ("=HYPERLINK(\"http://x\",\"y\")", 24 * 12, 2, 1),
    (VERY_LONG, 24 * 40, 6, 64),
];

const DOCK_HALL: &[Row] = &[
    ("Box Office Rehearsal", 24 * 2, 2, 0),
    ("Sea Shanty Choir\n(second line)", 24 * 6, 2, 143),
];

const HARBOUR_MAKERS: &[Row] = &[
    ("Maker Evening: today", 2, 4, 126),
    ("Solder & Soup 🍲", 24 * 4, 3, 58),
    ("\u{202e}reversed by an override\u{202c} talk", 24 * 15, 2, 9),
    ("Welding for Beginners", -24 * 4, 3, 31),
];

const COMMUNITY: &[Row] = &[
    ("Κοινοτικό δείπνο · 共同体の夕食 · عشاء الحي", 24, 4, 240),
    ("Quiet Reading Room", 24 * 33, 2, 1),
    ("Open House", 24 * 60, 8, 0),
];

pub(crate) fn fill(eventbrite: &Eventbrite, luma: &Luma, clock: &SandboxClock) -> Demo {
    let now = clock.now();
    let guild = eventbrite.add_account("Harbour Guild", "events@harbour.example");
    let hall = eventbrite.add_account("Dock Hall", "box@dockhall.example");
    let guild_organization = eventbrite.add_organization(&guild, "Harbour Guild");
    let hall_organization = eventbrite.add_organization(&hall, "Dock Hall");
    let mut eventbrite_events = Vec::new();
    let mut add = |organization: &str, rows: &[Row]| -> Vec<String> {
        let mut ids = Vec::new();
        for row in rows {
            let id = eventbrite.add_event(organization, spec(row, now));
            eventbrite.add_attendees(&id, row.3);
            eventbrite_events.push(DemoEvent {
                id: id.clone(),
                title: row.0.to_owned(),
                registrations: row.3,
            });
            ids.push(id);
        }
        ids
    };
    let guild_ids = add(&guild_organization, HARBOUR_GUILD);
    add(&hall_organization, DOCK_HALL);
    // Dock Hall helps at the doors: it sees the guild's first three events and none of the others.
    eventbrite.add_member(&guild_organization, &hall);
    for id in &guild_ids[3..] {
        eventbrite.forbid_event(&hall, id);
    }

    let makers = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let community = luma.add_calendar("Community Calendar", "Maeve O'Brien", "maeve@community.example");
    let mut luma_events = Vec::new();
    for (calendar, rows) in [(&makers, HARBOUR_MAKERS), (&community, COMMUNITY)] {
        for row in rows {
            let id = luma.add_event(&calendar.id, spec(row, now));
            luma.add_guests(&id, row.3);
            luma_events.push(DemoEvent {
                id,
                title: row.0.to_owned(),
                registrations: row.3,
            });
        }
    }
    Demo {
        eventbrite_accounts: vec![guild, hall],
        eventbrite_organizations: vec![guild_organization, hall_organization],
        eventbrite_events,
        luma_calendars: vec![makers, community],
        luma_events,
    }
}

fn spec(row: &Row, now: Timestamp) -> EventSpec {
    let starts_at = now + SignedDuration::from_hours(row.1);
    EventSpec::new(row.0)
        .starts_at(starts_at)
        .ends_at(starts_at + SignedDuration::from_hours(row.2))
}
