use super::*;
use crate::domain::ids::{AttendeeId, RegistrationId};
use jiff::Timestamp;

fn row(number: usize, name: &str) -> Attendee {
    let external_id = format!("{}", 7_000_000 + number);
    Attendee {
        id: AttendeeId::of(&ItemId::from_text("item-1"), &external_id),
        external_id: RegistrationId::from_text(external_id),
        name: (!name.is_empty()).then(|| name.to_owned()),
        email: Some(format!("guest{number}@harbour.example")),
        company: None,
        ticket_type: None,
        status: AttendeeStatus::Attending,
        provider_status: "Attending".to_owned(),
        checked_in_at: None,
        order_id: Some(format!("ord-{number}")),
        registered_at: None,
        updated_at: None,
        registrations: 1,
    }
}

fn asking(search: &str) -> AttendeeListRequest {
    AttendeeListRequest {
        search: search.to_owned(),
        status: None,
        ticket: None,
        sort: AttendeeSort::Name,
        descending: false,
        offset: 0,
        limit: 200,
    }
}

fn names(page: &AttendeeListPage) -> Vec<&str> {
    page.rows
        .iter()
        .map(|row| row.name.as_deref().unwrap_or("-"))
        .collect()
}

#[test]
fn people_are_found_by_words_in_any_order_without_accents() {
    let mut people = vec![
        row(1, "Zoë Łuczak"),
        row(2, "ØYVIND STRAßER"),
        row(3, "Renée D'Arc"),
        row(4, "ﬁona İpek"),
        row(5, "Ada Lovelace"),
    ];
    people[4].company = Some("Café Größe".to_owned());
    let list = AttendeeList::new(people);
    let table = [
        ("", 5),
        ("   ", 5),
        ("zoe luczak", 1),
        ("LUCZAK zoë", 1),
        ("Zoe\u{308}", 1),
        ("oyvind strasser", 1),
        ("straßer", 1),
        ("renee", 1),
        ("fiona ipek", 1),
        ("cafe lovelace", 1),
        ("GROSSE", 1),
        ("guest3@harbour.example", 1),
        ("harbour", 5),
        ("ord-4", 1),
        ("7000002", 1),
        ("ada zoe", 0),
        ("lovelace guest1", 0),
        ("lovelaceguest", 0),
        ("nobody", 0),
    ];
    for (search, matching) in table {
        let page = list.page(&asking(search));
        assert_eq!(page.matching, matching, "searching for {search:?}");
        assert_eq!(page.rows.len(), matching, "searching for {search:?}");
        assert_eq!(page.total, 5, "the whole list stays known");
    }
}

#[test]
fn sorting_is_stable_and_puts_the_unknown_last_in_both_directions() {
    let at = |secs| Some(Timestamp::from_second(secs).unwrap());
    let mut people = vec![
        row(1, "bo"),
        row(2, ""),
        row(3, "Äda"),
        row(4, "Bo"),
        row(5, "cy"),
    ];
    people[0].checked_in_at = at(30);
    people[2].checked_in_at = at(10);
    people[0].status = AttendeeStatus::NotAttending;
    people[1].status = AttendeeStatus::Awaiting;
    people[4].ticket_type = Some("VIP".to_owned());
    people[3].ticket_type = Some("Early".to_owned());
    let list = AttendeeList::new(people);
    let table = [
        (AttendeeSort::Name, false, ["Äda", "bo", "Bo", "cy", "-"]),
        (AttendeeSort::Name, true, ["cy", "bo", "Bo", "Äda", "-"]),
        (AttendeeSort::Email, false, ["bo", "-", "Äda", "Bo", "cy"]),
        (AttendeeSort::Email, true, ["cy", "Bo", "Äda", "-", "bo"]),
        (AttendeeSort::Status, false, ["Äda", "Bo", "cy", "-", "bo"]),
        (AttendeeSort::Status, true, ["bo", "-", "Äda", "Bo", "cy"]),
        (AttendeeSort::CheckedIn, false, ["Äda", "bo", "-", "Bo", "cy"]),
        (AttendeeSort::CheckedIn, true, ["bo", "Äda", "-", "Bo", "cy"]),
        (AttendeeSort::Registered, false, ["bo", "-", "Äda", "Bo", "cy"]),
        (AttendeeSort::Ticket, false, ["Bo", "cy", "bo", "-", "Äda"]),
        (AttendeeSort::Ticket, true, ["cy", "Bo", "bo", "-", "Äda"]),
    ];
    for (sort, descending, expected) in table {
        let page = list.page(&AttendeeListRequest {
            sort,
            descending,
            ..asking("")
        });
        assert_eq!(names(&page), expected, "{sort:?}, descending: {descending}");
    }
}

#[test]
fn filters_narrow_and_pages_follow_on_each_other() {
    let people = (0..95)
        .map(|number| {
            let mut person = row(number, &format!("Guest {number:03}"));
            person.ticket_type = Some(if number % 5 == 0 { "VIP" } else { "Standard" }.to_owned());
            if number % 2 == 0 {
                person.status = AttendeeStatus::Awaiting;
            }
            person
        })
        .collect();
    let list = AttendeeList::new(people);
    let vip = AttendeeListRequest {
        ticket: Some("VIP".to_owned()),
        ..asking("guest")
    };
    assert_eq!(list.page(&vip).matching, 19);
    assert_eq!(list.page(&vip).tickets, ["Standard", "VIP"]);
    let awaiting = AttendeeListRequest {
        status: Some(AttendeeStatus::Awaiting),
        ..vip.clone()
    };
    assert_eq!(list.page(&awaiting).matching, 10);
    let unknown = AttendeeListRequest {
        ticket: Some("Vip".to_owned()),
        ..asking("")
    };
    assert_eq!(
        list.page(&unknown).matching,
        0,
        "a ticket's name is taken as it is"
    );

    let mut seen = Vec::new();
    for offset in (0..120).step_by(10) {
        let page = list.page(&AttendeeListRequest {
            offset,
            limit: 10,
            ..asking("")
        });
        assert_eq!(page.matching, 95, "whichever page is asked for");
        seen.extend(page.rows.into_iter().map(|row| row.name));
    }
    assert_eq!(seen.len(), 95, "every row once, and nothing past the end");
    assert!(seen.is_sorted());
    let nothing = list.page(&AttendeeListRequest {
        limit: 0,
        ..asking("")
    });
    assert_eq!((nothing.rows.len(), nothing.matching), (0, 95));
}

/// The promise of 100 ms holds for a release build; this one only has to stay within reach of it.
#[test]
fn hundred_thousand_rows_are_searched_and_sorted_at_once() {
    let given = ["Zoë", "Ada", "Øyvind", "Renée", "Bo", "Chidi", "Mária"];
    let family = ["Łuczak", "Lovelace", "Straßer", "D'Arc", "Okafor"];
    let people = (0..100_000)
        .map(|number| {
            let name = format!(
                "{} {} {number}",
                given[number * 7 % given.len()],
                family[number * 3 % family.len()]
            );
            let mut person = row(number, &name);
            person.registered_at = Timestamp::from_second((number as i64 * 7919) % 1_000_003).ok();
            person
        })
        .collect();
    let list = AttendeeList::new(people);
    let limit_ms = if cfg!(debug_assertions) { 3_000 } else { 100 };
    let sorts = [
        AttendeeSort::Name,
        AttendeeSort::Email,
        AttendeeSort::Status,
        AttendeeSort::CheckedIn,
        AttendeeSort::Registered,
        AttendeeSort::Ticket,
    ];
    for search in ["", "a", "zoe 99", "no such person"] {
        for sort in sorts {
            for descending in [false, true] {
                let request = AttendeeListRequest {
                    sort,
                    descending,
                    offset: 50_000,
                    ..asking(search)
                };
                let started = std::time::Instant::now();
                let page = list.page(&request);
                let took_ms = started.elapsed().as_millis();
                assert_eq!(page.total, 100_000);
                println!("{search:?} {sort:?} {descending}: {took_ms} ms");
                assert!(
                    took_ms <= limit_ms,
                    "a page must feel immediate: {sort:?} took {took_ms} ms"
                );
            }
        }
    }
}
