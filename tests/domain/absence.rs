//! What a complete walk that misses registrations means, over every size and history of the missing set.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use talkvalue_core::domain::ids::RegistrationId;
use talkvalue_core::sync::absence::{Absence, Judgement, Missing, Unlisted};

const WALK: i64 = 1_000_000;

fn walk() -> Timestamp {
    Timestamp::from_second(WALK).unwrap()
}

fn missed(secs_ago: i64) -> Option<Absence> {
    Some(Absence::Candidate(
        walk().checked_sub(SignedDuration::from_secs(secs_ago)).unwrap(),
    ))
}

/// So many missing rows of which the same is known.
fn rows(count: usize, known: Option<Absence>, prefix: &str) -> Vec<Missing> {
    (0..count)
        .map(|index| Missing {
            id: RegistrationId::from_text(format!("{prefix}{index}")),
            known,
        })
        .collect()
}

/// The rule for a walk whose every record had an id.
fn judge(missing: &[Missing], expected: u64, listed: u64, as_of: Timestamp) -> Judgement {
    let unlisted = Unlisted {
        missing: missing.to_vec(),
        expected,
        listed,
        nameless: 0,
    };
    talkvalue_core::sync::absence::judge(&unlisted, as_of)
}

#[test]
fn a_record_without_an_id_may_be_anybodys_so_nobody_is_missing() {
    for known in [None, missed(600), Some(Absence::Held)] {
        let unlisted = Unlisted {
            missing: rows(1, known, "a"),
            expected: 400,
            listed: 400,
            nameless: 1,
        };
        let judged = talkvalue_core::sync::absence::judge(&unlisted, walk());
        assert_eq!(sizes(&judged), (0, 0, 0), "{known:?}");
    }
}

/// How many become candidates, are gone, are held.
fn sizes(judgement: &Judgement) -> (usize, usize, usize) {
    (
        judgement.candidates.len(),
        judgement.gone.len(),
        judgement.held.len(),
    )
}

#[test]
fn the_first_walk_that_misses_somebody_changes_nothing() {
    for count in [1, 5, 6, 20, 21, 500] {
        let judged = judge(&rows(count, None, "a"), 500, 500 - count as u64, walk());
        assert_eq!(
            sizes(&judged),
            (count, 0, 0),
            "{count} missing rows are only noted"
        );
    }
}

#[test]
fn two_walks_a_minute_apart_make_a_few_missing_rows_gone() {
    let table = [
        // (missing, expected, listed, seconds between the walks) → (gone, held)
        ((1, 400, 399, 60), (1, 0), "one of many"),
        ((1, 400, 399, 59), (0, 0), "the walks are too close together"),
        (
            (5, 10, 5, 60),
            (5, 0),
            "five are few, whatever the size of the list",
        ),
        ((6, 60, 54, 60), (6, 0), "six are exactly one in ten"),
        ((6, 59, 53, 60), (0, 6), "six are more than one in ten"),
        ((20, 4_000, 3_980, 60), (20, 0), "twenty of thousands"),
        (
            (21, 4_000, 3_979, 60),
            (0, 21),
            "more than twenty are always a person's to decide",
        ),
        ((1, 1, 0, 3_600), (0, 1), "an empty answer proves nothing"),
    ];
    for ((missing, expected, listed, apart), (gone, held), why) in table {
        let judged = judge(&rows(missing, missed(apart), "a"), expected, listed, walk());
        assert_eq!(sizes(&judged), (0, gone, held), "{why}");
    }
}

#[test]
fn newly_missed_rows_count_when_a_set_is_alarming() {
    let mut missing = rows(3, missed(60), "ripe");
    missing.extend(rows(18, None, "new"));
    let judged = judge(&missing, 1_000, 979, walk());
    assert_eq!(
        sizes(&judged),
        (18, 0, 3),
        "21 are missing at once: none of them is taken to be gone"
    );
}

#[test]
fn a_kept_set_is_asked_about_again_only_when_it_grows() {
    let kept = rows(30, Some(Absence::Kept), "kept");
    assert_eq!(sizes(&judge(&kept, 300, 270, walk())), (0, 0, 0));
    let mut grown = kept.clone();
    grown.extend(rows(1, None, "new"));
    assert_eq!(
        sizes(&judge(&grown, 300, 269, walk())),
        (1, 0, 0),
        "a single walk asks nothing"
    );
    let mut ripe = kept;
    ripe.extend(rows(1, missed(60), "new"));
    assert_eq!(
        sizes(&judge(&ripe, 300, 269, walk())),
        (0, 0, 31),
        "the whole set is shown once more"
    );
}

#[test]
fn held_rows_of_a_set_that_shrank_to_a_few_are_gone_and_kept_ones_stay() {
    let mut missing = rows(2, Some(Absence::Held), "held");
    missing.extend(rows(2, Some(Absence::Kept), "kept"));
    let judged = judge(&missing, 400, 396, walk());
    assert_eq!(sizes(&judged), (0, 2, 0));
    assert!(judged.gone.iter().all(|id| id.as_str().starts_with("held")));
}

fn any_absence() -> impl Strategy<Value = Option<Absence>> {
    prop_oneof![
        3 => Just(None),
        4 => (0..200i64).prop_map(missed),
        1 => Just(Some(Absence::Held)),
        1 => Just(Some(Absence::Kept)),
    ]
}

proptest! {
    #[test]
    fn nobody_is_ever_gone_in_alarming_numbers_or_on_a_first_miss(
        known in proptest::collection::vec(any_absence(), 0..60),
        present in 0..300u64,
    ) {
        let missing: Vec<Missing> = known
            .into_iter()
            .enumerate()
            .map(|(index, known)| Missing { id: RegistrationId::from_text(index.to_string()), known })
            .collect();
        let expected = missing.len() as u64 + present;
        let judged = judge(&missing, expected, present, walk());
        let alarming = present == 0 || missing.len() > 20 || missing.len() > 5 && missing.len() as u64 * 10 > expected;
        prop_assert!(judged.gone.is_empty() || !alarming);
        prop_assert!(judged.gone.is_empty() || judged.held.is_empty(), "a set is gone or asked about, never both");
        for row in &missing {
            let fate = [&judged.candidates, &judged.gone, &judged.held]
                .into_iter()
                .filter(|ids| ids.contains(&row.id))
                .count();
            prop_assert!(fate <= 1, "one row has one fate");
            if row.known.is_none() {
                prop_assert!(judged.candidates.contains(&row.id), "a first miss is noted and nothing else");
            }
            if row.known == Some(Absence::Kept) {
                prop_assert!(!judged.gone.contains(&row.id), "what a person keeps never goes by itself");
            }
        }
    }
}
