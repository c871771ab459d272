//! Fills an event with many varied attendees: orders of several tickets on one e-mail, every status, odd ids,
//! missing names. Owns the proportions.

use jiff::{SignedDuration, Timestamp};

use super::world::{AttendeeProfile, World};
use crate::clock::whole_seconds;
use crate::people;

const TICKETS: &[&str] = &["General admission", "Early bird", "Supporter ★"];

/// A sale that still needs its ticket numbers.
struct Sale {
    profile: AttendeeProfile,
    order_id: String,
    created: Timestamp,
}

/// Adds `count` attendees; false if there is no such event.
pub(super) fn add_attendees(world: &mut World, event_id: &str, count: usize, now: Timestamp) -> bool {
    let Some(event) = world.events.get(event_id) else {
        return false;
    };
    let starts_at = event.starts_at;
    let class_count = 2 + world.dice.below(2);
    let mut classes = Vec::new();
    for name in TICKETS.iter().take(usize::try_from(class_count).unwrap_or(2)) {
        classes.extend(world.class(event_id, name));
    }
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        let sale = sell(world, now.min(starts_at));
        let tickets = match world.dice.below(100) {
            0..70 => 1,
            70..88 => 2,
            88..95 => 3,
            _ => 4,
        };
        for _ in 0..tickets.min(count - made.len()) {
            let mut id = world.next_attendee_id();
            if world.dice.happens(1, 400) {
                id = format!("{id}-{}", 1 + world.dice.below(3));
            }
            let mut attendee = world.new_attendee(id, sale.order_id.clone(), now);
            attendee.created = sale.created;
            attendee.changed = sale.created;
            attendee.barcode_changed = sale.created;
            attendee.ticket_class = *world.dice.pick(&classes);
            attendee.profile = Some(sale.profile.clone());
            let later = later_than(world, sale.created, now);
            match world.dice.below(1_000) {
                0..15 => (attendee.status, attendee.cancelled) = ("Not Attending".to_owned(), true),
                15..27 => {
                    attendee.status = "Not Attending".to_owned();
                    (attendee.cancelled, attendee.refunded) = (true, true);
                }
                27..37 => attendee.status = "Deleted".to_owned(),
                37..50 => attendee.status = "Not Attending".to_owned(),
                50..70 => attendee.status = "Unpaid".to_owned(),
                _ => {}
            }
            if attendee.status == "Attending" && world.dice.happens(1, 5) {
                let at = check_in_time(world, starts_at, sale.created, now);
                attendee.status = "Checked In".to_owned();
                attendee.checked_in = true;
                (attendee.changed, attendee.barcode_changed) = (at, at);
            } else if attendee.status != "Attending" || world.dice.happens(1, 10) {
                attendee.changed = later;
            }
            match world.dice.below(1_200) {
                0..4 => attendee.profile = None,
                4..14 => without(&mut attendee.profile, |profile| profile.email = None),
                14..22 => without(&mut attendee.profile, |profile| profile.name = None),
                _ => {}
            }
            made.push(attendee);
        }
    }
    let Some(event) = world.events.get_mut(event_id) else {
        return false;
    };
    for attendee in made {
        event.push(attendee);
    }
    true
}

fn sell(world: &mut World, before: Timestamp) -> Sale {
    world.people += 1;
    let person = people::person(&mut world.dice, world.people);
    let minutes = i64::try_from(world.dice.below(60 * 24 * 60)).unwrap_or(0);
    let created = whole_seconds(before - SignedDuration::from_secs(minutes * 60 + 61));
    Sale {
        profile: AttendeeProfile {
            name: Some(format!("{} {}", person.first_name, person.last_name)),
            first_name: Some(person.first_name),
            last_name: Some(person.last_name),
            email: Some(person.email),
            company: person.company,
            job_title: person.job_title,
        },
        order_id: world.next_order_id(),
        created,
    }
}

/// A moment between `from` and `now`.
fn later_than(world: &mut World, from: Timestamp, now: Timestamp) -> Timestamp {
    let span = u64::try_from(now.as_second() - from.as_second()).unwrap_or(0);
    let seconds = i64::try_from(world.dice.below(span.max(1))).unwrap_or(0);
    whole_seconds(from + SignedDuration::from_secs(seconds))
}

/// Around the doors' opening where that has passed, within the last two hours otherwise.
fn check_in_time(world: &mut World, starts_at: Timestamp, created: Timestamp, now: Timestamp) -> Timestamp {
    let opening = starts_at - SignedDuration::from_mins(45);
    let from = if opening < now {
        opening
    } else {
        now - SignedDuration::from_hours(2)
    };
    let seconds = i64::try_from(world.dice.below(5_400)).unwrap_or(0);
    whole_seconds((from + SignedDuration::from_secs(seconds)).clamp(created, now))
}

fn without(profile: &mut Option<AttendeeProfile>, forget: impl FnOnce(&mut AttendeeProfile)) {
    if let Some(profile) = profile {
        forget(profile);
    }
}
