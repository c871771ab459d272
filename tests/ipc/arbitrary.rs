//! Every command with arguments that nobody would send: whatever they are, the command answers or refuses in the one form
//! of a refusal, and nothing panics. Arguments are mixed from anything at all and from what comes close to the real ones.

use crate::stage::{Stage, text};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use talkvalue_sync_app::commands::NAMES;

/// Tries of each command; `cargo xtask test` makes the same ones each time.
const TRIES: u32 = 40;
const SEED: [u8; 32] = *b"arguments that nobody would send";

/// Stand for the ids of what is really there.
const REAL: [&str; 3] = ["the item", "the integration", "the event"];

/// The names of arguments, and those of the parts of arguments.
const KEYS: [&str; 30] = [
    "itemId",
    "integrationId",
    "withIntegrationId",
    "externalId",
    "kind",
    "provider",
    "secret",
    "id",
    "renews",
    "ask",
    "request",
    "shown",
    "accept",
    "way",
    "address",
    "clientId",
    "clientSecret",
    "redirectPort",
    "search",
    "status",
    "ticket",
    "sort",
    "descending",
    "offset",
    "limit",
    "since",
    "after",
    "count",
    "mark",
    "more",
];

fn near_words() -> impl Strategy<Value = Value> {
    let words = [
        "item-1",
        "int-1",
        "evt-1",
        "BADGE_EVENT",
        "PATH_EVENT",
        "PATH_CHANNEL",
        "EVENTBRITE",
        "LUMA",
        "WINDOW",
        "BROWSER",
        "ITEM",
        "LUMA_KEYS",
        "NETWORK_SIGN_IN",
        "NAME",
        "ATTENDING",
        "secret-abc",
        "2026-11-23T14:00:00Z",
        "1/2",
        "-9999-01-01T00:00:00Z",
        "9223372036854775807/-1",
        "0123456789abcdef",
        "http://localhost:47832/oauth/luma/callback",
        "'; DROP TABLE item; --",
        "%_",
        "\u{202e}\u{0}",
        "💥",
        "",
    ];
    select([words.as_slice(), REAL.as_slice()].concat()).prop_map(Value::from)
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => near_words(),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => (0_u64..300).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => ".{0,40}".prop_map(Value::from),
        1 => (0_usize..6_000).prop_map(|length| Value::from("ü".repeat(length))),
    ];
    leaf.prop_recursive(3, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(
                prop_oneof![select(KEYS.to_vec()).prop_map(str::to_owned), ".{0,8}"],
                inner,
                0..6
            )
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// What the window really sends, so that one wrong part among right ones is met too.
fn right() -> Map<String, Value> {
    let arguments = json!({
        "itemId": "the item", "integrationId": "the integration", "withIntegrationId": "the integration",
        "externalId": "the event", "kind": "BADGE_EVENT", "provider": "LUMA", "secret": "secret-abc", "id": null,
        "renews": null, "ask": false, "request": crate::attendees::everybody(), "accept": false, "way": "BROWSER",
        "shown": { "count": 0, "mark": null }, "address": "http://localhost/", "clientId": "client-1",
        "clientSecret": null, "redirectPort": 47832,
    });
    arguments.as_object().unwrap().clone()
}

fn arguments() -> impl Strategy<Value = Value> {
    let nearly =
        (btree_map(select(KEYS.to_vec()), anything(), 0..4), any::<bool>()).prop_map(|(wrong, changes)| {
            let mut arguments = right();
            if changes {
                arguments["request"] = json!({ "since": null, "after": null });
            }
            for (key, value) in wrong {
                let inside = ["request", "shown"].into_iter().find(|outer| {
                    let parts = arguments.get(*outer).and_then(Value::as_object);
                    parts.is_some_and(|parts| parts.contains_key(key))
                });
                match inside {
                    Some(outer) => arguments[outer][key] = value,
                    None => {
                        arguments.insert(key.to_owned(), value);
                    }
                }
            }
            Value::Object(arguments)
        });
    prop_oneof![1 => anything(), 3 => nearly]
}

/// Puts the real ids where their names stand.
fn with_real(value: Value, real: &[String; 3]) -> Value {
    match value {
        Value::String(text) => match REAL.iter().position(|name| *name == text) {
            Some(place) => Value::from(real[place].as_str()),
            None => Value::String(text),
        },
        Value::Array(values) => values.into_iter().map(|value| with_real(value, real)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, with_real(value, real)))
            .collect(),
        other => other,
    }
}

/// Counts panics outside of tests from now on: one in a job's own task fails no call.
fn panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counted, usual) = (panics.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        // The thread of a test bears its path.
        if !std::thread::current()
            .name()
            .is_some_and(|name| name.contains("::"))
        {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        usual(panic);
    }));
    panics
}

/// A runner of its own for each command: one that has made its tries makes no more.
fn runner(number: usize) -> TestRunner {
    let mut seed = SEED;
    seed[0] = u8::try_from(number).unwrap();
    let config = Config {
        cases: TRIES,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

#[test]
fn whatever_the_arguments_are_a_command_answers_or_refuses_in_one_form() {
    let panics = panics();
    let (stage, _, event, integration) = Stage::with_luma(5);
    let real = [
        stage.imports(&integration, &event, "BADGE_EVENT"),
        integration,
        event,
    ];
    let (answers, refusals) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for (number, command) in NAMES.into_iter().enumerate() {
        let outcome = runner(number).run(&arguments(), |arguments| {
            if command == "sign_in" {
                // With an app of its own it would wait for a person.
                for provider in ["EVENTBRITE", "LUMA"] {
                    stage
                        .calls("forget_app", json!({ "provider": provider }))
                        .unwrap();
                }
            }
            match stage.calls(command, with_real(arguments, &real)) {
                Ok(_) => answers.fetch_add(1, Ordering::SeqCst),
                Err(refusal) => {
                    let fields: Vec<&String> = refusal.as_object().into_iter().flat_map(Map::keys).collect();
                    prop_assert_eq!(
                        fields,
                        ["code", "message", "recovery"],
                        "{}: {}",
                        command,
                        refusal
                    );
                    let message = text(&refusal["message"]);
                    prop_assert!(
                        !message.is_empty() && message.len() < 600 && !message.contains('💥'),
                        "{} explains and repeats nothing: {}",
                        command,
                        message
                    );
                    refusals.fetch_add(1, Ordering::SeqCst)
                }
            };
            Ok(())
        });
        if let Err(failed) = outcome {
            panic!("{command}: {failed}");
        }
    }
    let counted = (answers.into_inner(), refusals.into_inner());
    assert!(
        counted.0 > 100 && counted.1 > 100,
        "both ends must be met for this to prove anything: {counted:?}"
    );
    // The app is whole: the list that was there or a new one is read to its end.
    let status = stage.calls("app_status", json!({})).unwrap();
    assert_eq!(status["problem"], Value::Null);
    assert_eq!(
        panics.load(Ordering::SeqCst),
        0,
        "nothing panicked beside the calls either"
    );
}
