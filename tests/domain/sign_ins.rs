//! When a sign-in is renewed and when an account is proved: both rules as tables.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use talkvalue_core::connect::{Care, care};
use talkvalue_core::domain::credential::{Credential, Generation, Grant, Need, SignIn};
use talkvalue_core::domain::failure::{Failure, FailureCode};
use talkvalue_core::domain::ids::{AccountId, IntegrationId};
use talkvalue_core::domain::integration::{Account, Integration};
use talkvalue_core::domain::provider::{Origin, Origins, Provider};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn at(secs: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    noon.checked_add(SignedDuration::from_secs(secs)).unwrap()
}

/// Obtained at 0.
fn granted(lives: Option<i64>, can_be_renewed: bool) -> Credential {
    let origin = || Origin::parse("https://public-api.luma.com").unwrap();
    Credential {
        sign_in: SignIn::Oauth,
        secret: SecretString::from("CANARYACCESS"),
        origins: Origins {
            api: origin(),
            oauth: origin(),
        },
        generation: Generation::FIRST,
        grant: Some(Grant {
            client_id: "client".to_owned(),
            refresh_token: can_be_renewed.then(|| SecretString::from("CANARYREFRESH")),
            obtained_at: at(0),
            expires_at: lives.map(at),
        }),
    }
}

#[test]
fn a_sign_in_is_renewed_a_quarter_of_an_hour_or_a_fifth_of_its_life_before_its_end() {
    let cases = [
        // lifetime, renewable, now, need
        (Some(DAY), true, 0, Need::None),
        // Give or take a tenth.
        (Some(DAY), true, DAY - 16 * MINUTE - 31, Need::None),
        (Some(DAY), true, DAY - 13 * MINUTE - 29, Need::Soon),
        (Some(DAY), true, DAY - 1, Need::Soon),
        (Some(DAY), true, DAY, Need::Now),
        (Some(DAY), true, 9 * DAY, Need::Now),
        (Some(HOUR), true, HOUR - 13 * MINUTE - 13, Need::None),
        (Some(HOUR), true, HOUR - 10 * MINUTE - 47, Need::Soon),
        (Some(10), true, 7, Need::None),
        (Some(10), true, 9, Need::Soon),
        // A clock that was put back: nothing is known of a lapse.
        (Some(HOUR), true, -DAY, Need::None),
        // Nothing renews it, or it has no end.
        (Some(HOUR), false, 2 * HOUR, Need::None),
        (None, true, 900 * DAY, Need::None),
        (None, false, 900 * DAY, Need::None),
        // An end before its beginning.
        (Some(-HOUR), true, 0, Need::Now),
    ];
    for (lives, can_be_renewed, now, need) in cases {
        assert_eq!(
            granted(lives, can_be_renewed).need(at(now)),
            need,
            "lives {lives:?}, renewable: {can_be_renewed}, after {now} s"
        );
    }
    let key = Credential {
        grant: None,
        ..granted(None, false)
    };
    assert_eq!(key.need(at(900 * DAY)), Need::None, "a key has no end");
}

#[test]
fn accounts_that_signed_in_together_are_not_renewed_all_at_once() {
    let lead = |credential: &Credential| {
        let due = credential.renewal_due_at().unwrap();
        at(DAY).duration_since(due).as_millis()
    };
    let mut leads = Vec::new();
    for step in 0..1_000 {
        let mut credential = granted(Some(DAY), true);
        credential.generation = Generation(1 + step % 7);
        let grant = credential.grant.as_mut().unwrap();
        grant.obtained_at = at(i64::try_from(step / 7).unwrap());
        let first = lead(&credential);
        assert_eq!(
            first,
            lead(&credential),
            "whoever asks, whenever, is told the same"
        );
        assert!(
            (810_000..=990_000).contains(&first),
            "a tenth of a quarter of an hour at most, but {first} ms"
        );
        leads.push(first);
    }
    let in_each_fifth: Vec<usize> = (0..5)
        .map(|fifth| {
            let from = 810_000 + fifth * 36_000;
            leads
                .iter()
                .filter(|lead| (from..from + 36_000).contains(*lead))
                .count()
        })
        .collect();
    assert!(
        in_each_fifth.iter().all(|count| *count > 100),
        "they lie all over the time, but {in_each_fifth:?}"
    );
}

fn account(proved: Option<i64>, ends: Option<i64>) -> Integration {
    Integration {
        id: IntegrationId::from_text("int-1"),
        provider: Provider::Luma,
        api_origin: Origin::parse("https://public-api.luma.com").unwrap(),
        account: Account {
            id: AccountId::from_text("cal-1"),
            name: "Harbour Makers".to_owned(),
            email: None,
        },
        sign_in: SignIn::Oauth,
        generation: Generation::FIRST,
        connected_at: at(-30 * DAY),
        last_verified_at: proved.map(at),
        expires_at: ends.map(at),
        severed: None,
    }
}

#[test]
fn an_account_is_proved_daily_and_before_an_event_and_opened_before_its_end() {
    let cases = [
        // proved, ends, next start, care
        (Some(0), None, None, Care::Nothing),
        (Some(-DAY + 1), None, None, Care::Nothing),
        (Some(-DAY), None, None, Care::Proof),
        (None, None, None, Care::Proof),
        // An event in the next three hours wants a proof of the last hour.
        (Some(-HOUR), None, Some(3 * HOUR + 1), Care::Nothing),
        (Some(-HOUR), None, Some(3 * HOUR), Care::Proof),
        (Some(-HOUR), None, Some(0), Care::Proof),
        (Some(-HOUR + 1), None, Some(HOUR), Care::Nothing),
        (Some(-2 * HOUR), None, Some(-1), Care::Nothing),
        // A sign-in that ends.
        (Some(0), Some(17 * MINUTE + 1), None, Care::Nothing),
        (Some(0), Some(17 * MINUTE), None, Care::Renewal),
        (Some(0), Some(-DAY), None, Care::Renewal),
        // A proof renews what is due; an end that means nothing must not keep it from being proved.
        (Some(-DAY), Some(-DAY), None, Care::Proof),
        (Some(-HOUR), Some(MINUTE), Some(HOUR), Care::Proof),
        // A proof in the future, by a clock that was wrong, counts for now.
        (Some(HOUR), None, None, Care::Nothing),
    ];
    for (proved, ends, start, wanted) in cases {
        assert_eq!(
            care(&account(proved, ends), start.map(at), at(0)),
            wanted,
            "proved {proved:?}, ends {ends:?}, an event at {start:?}"
        );
    }
    let severed = Integration {
        severed: Some(Failure::new(FailureCode::CredentialsRejected, at(0))),
        ..account(None, Some(-DAY))
    };
    assert_eq!(
        care(&severed, Some(at(HOUR)), at(0)),
        Care::Nothing,
        "what is over is left alone"
    );
}
