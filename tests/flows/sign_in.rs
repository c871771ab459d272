//! Signing in by OAuth: what is kept, what is refused, and in which words.

use crate::stage::{BOTH, assert_sentence};
use secrecy::SecretString;
use talkvalue_core::connect::{self, Answer, SignedIn};
use talkvalue_core::domain::credential::SignIn;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Patience;
use talkvalue_core::query;
use talkvalue_sandbox::{EventSpec, Fault};
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::oauth::{Canary, app, begin, heard, redirected, server, sign_in, signed_in};
use url::Url;

/// Two accounts at each provider, the first of them with an event.
struct World {
    desk: Desk,
    eventbrite: [String; 2],
    luma: [String; 2],
    events: [String; 2],
}

impl World {
    async fn open() -> Self {
        let desk = Desk::open().await;
        let (eventbrite, luma) = (desk.sandbox.eventbrite(), desk.sandbox.luma());
        let first = eventbrite.add_account("Robin Vale", "events@harbour.example");
        let organization = eventbrite.add_organization(&first, "Harbour Guild");
        let event = eventbrite.add_event(&organization, EventSpec::new("Harbour Makers Night"));
        eventbrite.add_attendees(&event, 40);
        let second = eventbrite.add_account("Kim Dock", "box@dockhall.example");
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let cafe = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
        luma.add_guests(&cafe, 30);
        let other = luma.add_calendar("Dock Hall", "Kim Dock", "kim@dockhall.example");
        Self {
            desk,
            eventbrite: [first.id, second.id],
            luma: [calendar.id, other.id],
            events: [event, cafe],
        }
    }

    fn approves(&self, provider: Provider, which: usize) {
        let account = match provider {
            Provider::Eventbrite => &self.eventbrite[which],
            Provider::Luma => &self.luma[which],
        };
        server(&self.desk, provider).approves_as(account);
    }

    fn event(&self, provider: Provider) -> &str {
        match provider {
            Provider::Eventbrite => &self.events[0],
            Provider::Luma => &self.events[1],
        }
    }

    async fn assert_nothing_kept(&self) {
        let all = query::integrations(&self.desk.ports).await.unwrap();
        assert!(all.is_empty(), "a refused sign-in leaves nothing behind: {all:?}");
    }
}

fn assert_says(error: &CommandError, words: &[&str]) {
    assert_sentence(error);
    for word in words {
        assert!(
            error.message.contains(word),
            "{word:?} is missing in {:?}",
            error.message
        );
    }
}

#[tokio::test]
async fn signing_in_connects_the_account_and_its_events_can_be_imported() {
    for provider in BOTH {
        let world = World::open().await;
        world.approves(provider, 0);
        let id = signed_in(&world.desk, provider).await;
        let kept = query::integration(&world.desk.ports, &id).await.unwrap();
        assert_eq!(kept.sign_in, SignIn::Oauth);
        assert_eq!(
            kept.expires_at.is_some(),
            provider == Provider::Luma,
            "only a server that tells an end gives one"
        );
        let item = world
            .desk
            .import(&id, world.event(provider), ItemKind::BadgeEvent)
            .await
            .unwrap();
        assert!(item.counts.total > 0, "the list must be here");
    }
}

#[tokio::test]
async fn the_app_is_remembered_for_the_next_time() {
    let world = World::open().await;
    world.approves(Provider::Eventbrite, 0);
    signed_in(&world.desk, Provider::Eventbrite).await;
    let known = connect::known_app(&world.desk.ports, Provider::Eventbrite, Patience::Background)
        .await
        .unwrap()
        .expect("the app was entered once");
    assert_eq!(known.client_id, app(&world.desk, Provider::Eventbrite).client_id);
    connect::forget_app(&world.desk.ports, Provider::Eventbrite, Patience::Background)
        .await
        .unwrap();
    let known = connect::known_app(&world.desk.ports, Provider::Eventbrite, Patience::Background).await;
    assert!(known.unwrap().is_none());
}

#[tokio::test]
async fn an_account_that_signs_in_again_keeps_its_id() {
    for provider in BOTH {
        let world = World::open().await;
        world.approves(provider, 0);
        let first = signed_in(&world.desk, provider).await;
        assert_eq!(signed_in(&world.desk, provider).await, first);
    }
}

#[tokio::test]
async fn declining_changes_nothing_and_is_told_as_that() {
    for provider in BOTH {
        let world = World::open().await;
        server(&world.desk, provider).refuses();
        let Err(error) = sign_in(&world.desk, provider, None).await else {
            panic!("nobody has signed in");
        };
        assert_says(&error, &["You declined", "Nothing was changed"]);
        world.assert_nothing_kept().await;
    }
}

#[tokio::test]
async fn another_account_than_the_one_needed_changes_nothing_unless_it_is_added() {
    for provider in BOTH {
        let world = World::open().await;
        world.approves(provider, 0);
        let needed = signed_in(&world.desk, provider).await;
        let before = query::integrations(&world.desk.ports).await.unwrap();
        world.approves(provider, 1);
        let Ok(SignedIn::OtherAccount { error, proved, .. }) =
            sign_in(&world.desk, provider, Some(&needed)).await
        else {
            panic!("somebody else has signed in");
        };
        assert_says(&error, &["You signed in as", "Nothing was changed"]);
        assert_eq!(query::integrations(&world.desk.ports).await.unwrap(), before);
        let added = connect::add_account(&world.desk.ports, *proved, patient())
            .await
            .unwrap();
        assert_ne!(added.integration.id, needed, "it is an account of its own");
        assert_eq!(added.integration.status, IntegrationStatus::Connected);
    }
}

#[tokio::test]
async fn only_the_answer_to_this_attempt_is_heard() {
    for provider in BOTH {
        let world = World::open().await;
        world.approves(provider, 0);
        let attempt = begin(&world.desk.ports, &world.desk, provider).await;
        let other = begin(&world.desk.ports, &world.desk, provider).await;
        let answer = redirected(attempt.address()).await;
        assert!(matches!(attempt.hear(&answer), Some(Answer::Code(_))));
        assert!(other.hear(&answer).is_none(), "the state is another attempt's");
        for provider in BOTH {
            let foreign = begin(&world.desk.ports, &world.desk, provider).await;
            assert!(foreign.hear(&answer).is_none());
        }
        let changed = |change: &dyn Fn(&mut Url)| {
            let mut address = answer.clone();
            change(&mut address);
            address
        };
        let state = answer
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        let table = [
            (
                "no state",
                changed(&|address| address.set_query(Some("code=abc"))),
            ),
            (
                "an empty state",
                changed(&|address| address.set_query(Some("code=abc&state="))),
            ),
            (
                "two states",
                changed(&|address| address.set_query(Some(&format!("code=abc&state={state}&state={state}")))),
            ),
            (
                "a longer state",
                changed(&|address| address.set_query(Some(&format!("code=abc&state={state}x")))),
            ),
            (
                "another path",
                changed(&|address| address.set_path("/oauth/other/callback")),
            ),
            (
                "another port",
                changed(&|address| address.set_port(Some(1)).unwrap()),
            ),
            (
                "another host",
                changed(&|address| address.set_host(Some("localhost.example")).unwrap()),
            ),
            (
                "TLS",
                changed(&|address| {
                    address.set_scheme("https").unwrap();
                }),
            ),
        ];
        for (what, address) in table {
            assert!(attempt.hear(&address).is_none(), "{what} must not be heard");
        }
        for (what, query) in [
            ("both", format!("code=abc&error=access_denied&state={state}")),
            ("two codes", format!("code=abc&code=def&state={state}")),
            ("neither", format!("state={state}")),
            ("another error", format!("error=server_error&state={state}")),
        ] {
            let address = changed(&|address| address.set_query(Some(&query)));
            assert!(
                matches!(attempt.hear(&address), Some(Answer::Failed)),
                "{what} is no code"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_in_another_servers_name_is_not_redeemed() {
    let world = World::open().await;
    world.approves(Provider::Luma, 0);
    let luma = server(&world.desk, Provider::Luma);
    let attempt = begin(&world.desk.ports, &world.desk, Provider::Luma).await;
    for other in [
        "iss=https%3A%2F%2Fevil.example",
        "iss=https%3A%2F%2Fevil.example&iss=https%3A%2F%2Fworse.example",
    ] {
        luma.redirects_with(other);
        let answer = redirected(attempt.address()).await;
        assert!(attempt.hear(&answer).is_none(), "{other}");
    }
    luma.redirects_with("");
    luma.switches(|switches| switches.sends_issuer = true);
    let answer = redirected(attempt.address()).await;
    assert!(
        matches!(attempt.hear(&answer), Some(Answer::Code(_))),
        "its own name is no reason to doubt"
    );
}

#[tokio::test]
async fn every_attempt_has_a_state_and_a_challenge_of_its_own() {
    let world = World::open().await;
    for provider in BOTH {
        let mut met = std::collections::HashSet::new();
        for _ in 0..50 {
            let attempt = begin(&world.desk.ports, &world.desk, provider).await;
            let address = Url::parse(attempt.address()).unwrap();
            let value = |name: &str| {
                let found = address.query_pairs().find(|(key, _)| key == name);
                found.map(|(_, value)| value.into_owned()).unwrap_or_default()
            };
            assert_eq!(value("code_challenge_method"), "S256");
            assert_eq!(value("response_type"), "code");
            assert!(value("state").len() >= 43, "32 random bytes are 43 characters");
            assert!(met.insert(value("state")) && met.insert(value("code_challenge")));
            assert!(
                !attempt.address().contains("client_secret"),
                "what the person's browser shows holds no secret"
            );
        }
    }
}

#[tokio::test]
async fn whatever_goes_wrong_with_the_code_leaves_nothing_behind() {
    for provider in BOTH {
        let canary = Canary::open().await;
        for (name, fault) in Fault::token_catalogue(&format!("{}/steal", canary.address)) {
            let world = World::open().await;
            world.approves(provider, 0);
            server(&world.desk, provider).token_fails(fault);
            match sign_in(&world.desk, provider, None).await {
                Ok(SignedIn::Connected(_)) => {
                    assert!(
                        query::integrations(&world.desk.ports).await.unwrap().len() == 1,
                        "{name}: a sign-in that was told is kept"
                    );
                }
                Ok(SignedIn::OtherAccount { .. }) => panic!("{name}: nobody in particular was needed"),
                Err(error) => {
                    assert!(
                        error.message.contains("Nothing was"),
                        "{name}: it must say that nothing was changed: {}",
                        error.message
                    );
                    world.assert_nothing_kept().await;
                }
            }
        }
        assert_eq!(canary.met(), 0, "no secret follows a redirect");
    }
}

#[tokio::test]
async fn an_app_that_the_provider_refuses_is_told_as_the_app() {
    for provider in BOTH {
        let world = World::open().await;
        world.approves(provider, 0);
        let attempt = begin(&world.desk.ports, &world.desk, provider).await;
        let answer = heard(&attempt, &redirected(attempt.address()).await);
        let server = server(&world.desk, provider);
        server.forgets_app(&server.app().client_id);
        let Err(error) = connect::finish_sign_in(&world.desk.ports, &attempt, answer, patient()).await else {
            panic!("an unknown app signs nobody in");
        };
        assert_eq!(error.code.code(), "APP_REJECTED");
        assert_says(&error, &["refuses your app", "Nothing was changed"]);
        world.assert_nothing_kept().await;
    }
}

#[tokio::test]
async fn what_is_no_app_is_refused_before_anything_is_sent() {
    let desk = Desk::open().await;
    let secret = |text: &str| Some(SecretString::from(text.to_owned()));
    let enter =
        |id: &str, secret, port| connect::app_as_entered(&desk.ports, Provider::Eventbrite, id, secret, port);
    assert!(enter("KEY", secret("SECRET"), 47_831).is_ok());
    assert!(enter("", secret("SECRET"), 47_831).is_err());
    assert!(enter("two words", secret("SECRET"), 47_831).is_err());
    assert!(enter("KEY", secret("two words"), 47_831).is_err());
    assert!(enter("KEY", None, 47_831).is_err(), "Eventbrite wants a secret");
    assert!(enter("KEY", secret("SECRET"), 80).is_err());
    assert!(
        connect::app_as_entered(
            &desk.ports,
            Provider::Luma,
            "https://app.example/client.json",
            None,
            47_832
        )
        .is_ok(),
        "Luma's apps are public"
    );
}
