//! The sentences: what happened, what we kept, whose move it is.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use talkvalue_core::domain::credential::SignIn;
use talkvalue_core::domain::failure::{Failure, FailureCode};
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::words::{Reader, Subject, counted, failure_sentence, number};
use talkvalue_core::ports::VaultError;

fn now() -> Timestamp {
    "2026-11-23T13:45:00Z".parse().unwrap()
}

fn reader() -> Reader {
    Reader {
        now: now(),
        zone: TimeZone::UTC,
    }
}

fn subject() -> Subject<'static> {
    Subject {
        provider: Provider::Eventbrite,
        account: "events@harbour.example",
        sign_in: SignIn::Token,
        last_synced_at: Some("2026-11-23T11:45:00Z".parse().unwrap()),
        attending: 1412,
        total: 1500,
        shows_people: false,
    }
}

#[test]
fn moments_are_named_as_a_person_would() {
    let reader = reader();
    let ago = |hours| reader.moment(now().checked_sub(SignedDuration::from_hours(hours)).unwrap());
    assert_eq!(ago(0), "13:45");
    assert_eq!(ago(19), "yesterday 18:45");
    assert_eq!(ago(48), "21 Nov");
    assert_eq!(ago(24 * 365), "23 Nov 2025");
}

#[test]
fn numbers_have_separators_and_the_right_form() {
    let table = [
        (0, "0"),
        (999, "999"),
        (1240, "1,240"),
        (100_000, "100,000"),
        (1_234_567, "1,234,567"),
    ];
    for (value, text) in table {
        assert_eq!(number(value), text);
    }
    assert_eq!(counted(1, "person", "people"), "1 person");
    assert_eq!(counted(1240, "person", "people"), "1,240 people");
}

#[test]
fn a_rejected_token_is_explained_with_what_is_kept() {
    let since: Timestamp = "2026-11-23T11:47:00Z".parse().unwrap();
    assert_eq!(
        failure_sentence(
            &Failure::new(FailureCode::CredentialsRejected, since),
            &subject(),
            &reader()
        ),
        "Eventbrite refuses the private token of events@harbour.example (since 11:47), most often because the \
         password was changed. The list is as of 11:45, 1,412 attending. This will not repair itself."
    );
}

#[test]
fn an_incomplete_list_is_called_incomplete() {
    let people = Subject {
        last_synced_at: None,
        total: 1240,
        shows_people: true,
        ..subject()
    };
    let sentence = failure_sentence(&Failure::new(FailureCode::Interrupted, now()), &people, &reader());
    assert!(
        sentence.ends_with("Only 1,240 people have arrived; this list is not complete."),
        "{sentence}"
    );
    let one = Subject { total: 1, ..people };
    let sentence = failure_sentence(&Failure::new(FailureCode::Interrupted, now()), &one, &reader());
    assert!(sentence.contains("Only 1 person has arrived"), "{sentence}");
}

#[test]
fn a_keychain_that_is_locked_absent_newer_or_silent_is_told_apart() {
    let sentences = [
        (VaultError::Locked, "keychain is locked"),
        (
            VaultError::Absent {
                detail: "no bus".to_owned(),
            },
            "offers no keychain",
        ),
        (VaultError::Unreadable, "newer TalkValue Sync"),
        (
            VaultError::Unavailable {
                detail: "hung".to_owned(),
            },
            "does not answer",
        ),
    ]
    .map(|(error, words)| {
        let sentence = failure_sentence(&error.failure(now()), &subject(), &reader());
        assert!(sentence.contains(words), "{error:?} must say so: {sentence}");
        sentence
    });
    for (index, sentence) in sentences.iter().enumerate() {
        assert!(
            !sentences[..index].contains(sentence),
            "each has its own way out, so each has its own sentence: {sentence}"
        );
    }
}

#[test]
fn every_code_has_a_sentence_that_says_what_is_kept_and_blames_nobody() {
    for code in FailureCode::ALL {
        let sentence = failure_sentence(&Failure::new(code, now()), &subject(), &reader());
        assert!(
            sentence.contains("The list is as of 11:45"),
            "{code:?}: {sentence}"
        );
        assert!(
            !sentence.contains('!') && !sentence.to_lowercase().contains("oops"),
            "{code:?}: {sentence}"
        );
        assert!(sentence.ends_with('.'), "{code:?}: {sentence}");
    }
}
