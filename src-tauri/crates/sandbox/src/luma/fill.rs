//! Fills an event with many varied guests: every status, several and unpaid tickets, missing names, companies as
//! objects and as plain text. Owns the proportions.

use jiff::{SignedDuration, Timestamp};

use super::world::{GuestProfile, World};
use crate::clock::whole_milliseconds;
use crate::people;

const TICKETS: &[&str] = &["Standard", "Supporter", "Волонтер ✨"];

/// Adds `count` guests; false if there is no such event.
pub(super) fn add_guests(world: &mut World, event_id: &str, count: usize, now: Timestamp) -> bool {
    let Some(event) = world.events.get(event_id) else {
        return false;
    };
    let starts_at = event.starts_at;
    for _ in 0..count {
        let mut guest = world.new_guest(now);
        world.people += 1;
        let person = people::person(&mut world.dice, world.people);
        let company_as_text = world.dice.happens(1, 2);
        guest.profile = GuestProfile {
            name: Some(format!("{} {}", person.first_name, person.last_name)),
            first_name: Some(person.first_name),
            last_name: Some(person.last_name),
            email: Some(person.email),
            company: person.company,
            job_title: person.job_title.filter(|_| !company_as_text),
            company_as_text,
        };
        match world.dice.below(1_000) {
            0..6 => {
                let profile = &mut guest.profile;
                (profile.name, profile.first_name, profile.last_name) = (None, None, None);
            }
            6..14 => guest.profile.name = None,
            14..24 => {
                guest.profile.last_name = Some(String::new());
                guest.profile.name.clone_from(&guest.profile.first_name);
            }
            24..40 => guest.answers_null = true,
            _ => {}
        }
        let status = match world.dice.below(1_000) {
            0..40 => "declined",
            40..75 => "pending_approval",
            75..105 => "waitlist",
            105..135 => "invited",
            135..145 => "session",
            _ => "approved",
        };
        guest.approval_status = status.to_owned();
        let millis = i64::try_from(world.dice.below(60 * 24 * 3_600_000)).unwrap_or(0);
        let registered = now.min(starts_at) - SignedDuration::from_millis(millis + 60_000);
        guest.created_at = whole_milliseconds(registered);
        guest.registered_at = (status != "invited").then_some(guest.created_at);
        guest.invited_at = (status == "invited").then_some(guest.created_at);
        if matches!(status, "approved" | "session" | "declined") {
            let tickets = match world.dice.below(100) {
                0..85 => 1,
                85..95 => 2,
                _ => 3,
            };
            let comes = status != "declined" && world.dice.happens(1, 5);
            for number in 0..tickets {
                let name = *world.dice.pick(TICKETS);
                // Of several tickets the later ones are not always scanned.
                let scanned = comes && (number == 0 || world.dice.happens(1, 2));
                let at = check_in_time(world, starts_at, guest.created_at, now);
                guest
                    .tickets
                    .extend(world.ticket(event_id, name, true, scanned.then_some(at)));
            }
        }
        if world.dice.happens(1, 25) {
            guest
                .tickets
                .extend(world.ticket(event_id, "Abandoned checkout", false, None));
        }
        if let Some(event) = world.events.get_mut(event_id) {
            event.push(guest);
        }
    }
    true
}

fn check_in_time(world: &mut World, starts_at: Timestamp, created: Timestamp, now: Timestamp) -> Timestamp {
    let opening = starts_at - SignedDuration::from_mins(45);
    let from = if opening < now {
        opening
    } else {
        now - SignedDuration::from_hours(2)
    };
    let millis = i64::try_from(world.dice.below(5_400_000)).unwrap_or(0);
    whole_milliseconds((from + SignedDuration::from_millis(millis)).clamp(created, now))
}
