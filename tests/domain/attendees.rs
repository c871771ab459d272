//! Rows of an item: registrations for the desk, people for an audience.

use jiff::{SignedDuration, Timestamp};
use talkvalue_core::domain::attendee::{Attendee, AttendeeStatus, Registration};
use talkvalue_core::domain::ids::{ItemId, RegistrationId};

fn at(hour: i64) -> Timestamp {
    talkvalue_tests::noon()
        .checked_add(SignedDuration::from_hours(hour))
        .unwrap()
}

fn registration(id: &str, email: Option<&str>, status: AttendeeStatus, hour: i64) -> Registration {
    Registration {
        external_id: RegistrationId::from_text(id),
        name: Some(format!("Name of {id}")),
        email: email.map(str::to_owned),
        company: None,
        ticket_type: Some(format!("Ticket {id}")),
        status,
        provider_status: status.code().to_lowercase(),
        checked_in_at: None,
        order_id: None,
        registered_at: Some(at(hour)),
        updated_at: None,
        tickets: 1,
        tickets_checked_in: 0,
        version: 0,
    }
}

#[test]
fn an_e_mail_joins_whatever_its_case_and_blanks() {
    let joined = ["Imani@Example.net", " imani@example.net ", "IMANI@EXAMPLE.NET"];
    for email in joined {
        let row = registration("1", Some(email), AttendeeStatus::Attending, 0);
        assert_eq!(row.person_key(), "imani@example.net");
    }
    for nobody in [None, Some(""), Some("   ")] {
        let (one, two) = (
            registration("1", nobody, AttendeeStatus::Attending, 0),
            registration("2", nobody, AttendeeStatus::Attending, 0),
        );
        assert_ne!(
            one.person_key(),
            two.person_key(),
            "people without e-mail are not one person"
        );
    }
}

#[test]
fn a_person_is_the_best_of_their_registrations() {
    use AttendeeStatus::{Attending, Awaiting, NotAttending};
    let item = ItemId::from_text("item-1");
    let mut early = registration("1", Some("a@example.net"), NotAttending, 0);
    let mut middle = registration("2", Some("A@example.net"), Attending, 1);
    let late = registration("3", Some("a@example.net"), Awaiting, 2);
    early.company = Some("Tidewater".to_owned());
    middle.checked_in_at = Some(at(9));
    early.checked_in_at = Some(at(8));
    let orders = [
        vec![early.clone(), middle.clone(), late.clone()],
        vec![late.clone(), middle.clone(), early.clone()],
        vec![middle, late, early],
    ];
    let people: Vec<Attendee> = orders
        .iter()
        .map(|order| Attendee::of_person(&item, order).unwrap())
        .collect();
    for person in &people {
        assert_eq!(
            person, &people[0],
            "the order in which registrations are read makes no difference"
        );
    }
    assert_eq!(people[0].status, Attending);
    assert_eq!(people[0].provider_status, "attending");
    assert_eq!(
        people[0].name.as_deref(),
        Some("Name of 3"),
        "the name of the newest registration"
    );
    assert_eq!(
        people[0].company.as_deref(),
        Some("Tidewater"),
        "what only an older registration tells is kept"
    );
    assert_eq!(people[0].checked_in_at, Some(at(8)), "the earliest check-in");
    assert_eq!(people[0].registrations, 3);
    assert_eq!(Attendee::of_person(&item, &[]), None);
}

#[test]
fn a_rows_id_outlives_its_contents_but_not_its_item() {
    let (one, other) = (ItemId::from_text("item-1"), ItemId::from_text("item-2"));
    let before = registration("1", Some("a@example.net"), AttendeeStatus::Attending, 0);
    let after = Registration {
        name: None,
        status: AttendeeStatus::NotAttending,
        ..before.clone()
    };
    let id = |item: &ItemId, row: &Registration| Attendee::of_registration(item, row.clone()).id;
    assert_eq!(
        id(&one, &before),
        id(&one, &after),
        "a reconnect or a change keeps local ids"
    );
    assert_ne!(id(&one, &before), id(&other, &before));
}
