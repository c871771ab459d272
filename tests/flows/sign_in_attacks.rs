//! Signing in while somebody lies: answers that are another's, servers that name others, sign-ins that cannot be kept.
//! Answers come through the real listener.

use secrecy::SecretString;
use std::sync::Arc;
use talkvalue_adapters::oauth::Loopback;
use talkvalue_core::connect::{self, Answer, SignInAttempt, SignedIn};
use talkvalue_core::domain::credential::OauthApp;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::ports::Patience;
use talkvalue_core::query;
use talkvalue_sandbox::Fault;
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::loopback::{browse, free_port, is_closed};
use talkvalue_tests::oauth::{Canary, app, redirected, server, sign_in, signed_in};
use tokio::task::JoinHandle;
use url::Url;

use crate::stage::BOTH;

/// One account at each provider, which has approved.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    let account = desk
        .sandbox
        .eventbrite()
        .add_account("Robin Vale", "events@harbour.example");
    let calendar = desk
        .sandbox
        .luma()
        .add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    for (provider, account) in [(Provider::Eventbrite, account.id), (Provider::Luma, calendar.id)] {
        let server = server(&desk, provider);
        server.approves_as(&account);
        server.switches(|switches| switches.any_redirect_port = true);
    }
    desk
}

/// An attempt with its listener at work.
struct Attempt {
    sign_in: Arc<SignInAttempt>,
    port: u16,
    answer: JoinHandle<Answer>,
}

async fn attempt(desk: &Desk, provider: Provider) -> Attempt {
    let port = free_port();
    let app = OauthApp {
        redirect_port: port,
        ..app(desk, provider)
    };
    let listener = Loopback::bind(provider, port).await.unwrap();
    let sign_in = connect::begin_sign_in(&desk.ports, provider, app, None)
        .await
        .unwrap();
    let sign_in = Arc::new(sign_in);
    let hears = sign_in.clone();
    let answer = tokio::spawn(listener.answer(Arc::new(move |address| hears.hear(address))));
    Attempt {
        sign_in,
        port,
        answer,
    }
}

/// The same address at another listener.
fn at_port(address: &Url, port: u16) -> Url {
    let mut moved = address.clone();
    moved.set_port(Some(port)).unwrap();
    moved
}

fn status(reply: Option<talkvalue_tests::loopback::Reply>) -> u16 {
    reply.expect("every request is answered").status
}

#[tokio::test]
async fn of_a_thousand_answers_that_are_not_this_attempts_none_is_accepted() {
    for provider in BOTH {
        let desk = desk().await;
        let waiting = attempt(&desk, provider).await;
        let own = redirected(waiting.sign_in.address()).await;
        // An attempt that has ended: what it was answered is known to whoever read a browser's history.
        let ended = attempt(&desk, provider).await;
        let replayed = redirected(ended.sign_in.address()).await;
        assert_eq!(status(browse(&replayed).await), 200);
        ended.answer.await.unwrap();
        let foreign = match provider {
            Provider::Eventbrite => Provider::Luma,
            Provider::Luma => Provider::Eventbrite,
        };
        let foreign = redirected(attempt(&desk, foreign).await.sign_in.address()).await;
        let mut accepted = 0;
        for round in 0..1_000 {
            let mut address = at_port(&own, waiting.port);
            let query = match round % 4 {
                0 => replayed.query().unwrap_or_default().to_owned(),
                1 => "code=CANARYSTOLEN".to_owned(),
                2 => foreign.query().unwrap_or_default().to_owned(),
                _ => format!("code=CANARYSTOLEN&state={round}"),
            };
            address.set_query(Some(&query));
            accepted += usize::from(status(browse(&address).await) != 400);
        }
        assert_eq!(accepted, 0, "{}", provider.name());
        assert!(!waiting.answer.is_finished(), "it listens on");
        assert_eq!(
            server(&desk, provider).token_requests(),
            0,
            "nothing was redeemed"
        );
        assert_eq!(status(browse(&own).await), 200);
        let answer = waiting.answer.await.unwrap();
        let connected = connect::finish_sign_in(&desk.ports, &waiting.sign_in, answer, patient()).await;
        assert!(matches!(connected, Ok(SignedIn::Connected(_))));
        assert!(is_closed(waiting.port).await);
    }
}

#[tokio::test]
async fn one_providers_answer_at_the_others_port_is_redeemed_nowhere() {
    let desk = desk().await;
    let (eventbrite, luma) = (
        attempt(&desk, Provider::Eventbrite).await,
        attempt(&desk, Provider::Luma).await,
    );
    for (from, to) in [(&eventbrite, &luma), (&luma, &eventbrite)] {
        let answer = redirected(from.sign_in.address()).await;
        assert_eq!(
            status(browse(&at_port(&answer, to.port)).await),
            404,
            "the path is the other provider's"
        );
        let mut renamed = at_port(&answer, to.port);
        renamed.set_path(Url::parse(to.sign_in.redirect_uri()).unwrap().path());
        assert_eq!(
            status(browse(&renamed).await),
            400,
            "and so is what the attempt is known by"
        );
    }
    for provider in BOTH {
        assert_eq!(server(&desk, provider).token_requests(), 0);
    }
    // Each gets its own, and redeems it at its own server.
    for (attempt, provider) in [(eventbrite, Provider::Eventbrite), (luma, Provider::Luma)] {
        assert_eq!(
            status(browse(&redirected(attempt.sign_in.address()).await).await),
            200
        );
        let answer = attempt.answer.await.unwrap();
        assert!(
            connect::finish_sign_in(&desk.ports, &attempt.sign_in, answer, patient())
                .await
                .is_ok()
        );
        assert_eq!(server(&desk, provider).token_requests(), 1);
    }
}

#[tokio::test]
async fn a_server_that_names_another_one_for_secrets_is_not_used() {
    let desk = desk().await;
    let canary = Canary::open().await;
    let luma = server(&desk, Provider::Luma);
    let (origin, there) = (luma.url(), &canary.address);
    let honest = serde_json::json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth2/authorize"),
        "token_endpoint": format!("{origin}/oauth2/token"),
        "revocation_endpoint": format!("{origin}/oauth2/revoke"),
        "code_challenge_methods_supported": ["S256"],
    });
    let with = |name: &str, value: serde_json::Value| {
        let mut document = honest.clone();
        document[name] = value;
        Fault::json(200, &document)
    };
    let bare = origin.trim_start_matches("http://");
    let metadata = "oauth-authorization-server";
    let odd = [
        (
            "token elsewhere",
            with("token_endpoint", format!("{there}/token").into()),
        ),
        (
            "token over another scheme",
            with("token_endpoint", format!("https://{bare}/oauth2/token").into()),
        ),
        (
            "token with a password",
            with("token_endpoint", format!("http://a:b@{bare}/oauth2/token").into()),
        ),
        (
            "token that is no address",
            with("token_endpoint", "/oauth2/token".into()),
        ),
        ("token that is a number", with("token_endpoint", 7.into())),
        (
            "revocation elsewhere",
            with("revocation_endpoint", format!("{there}/revoke").into()),
        ),
        (
            "page elsewhere without TLS",
            with("authorization_endpoint", format!("{there}/authorize").into()),
        ),
        (
            "page that is a script",
            with("authorization_endpoint", "javascript:alert(1)".into()),
        ),
        (
            "page that is a file",
            with("authorization_endpoint", "file:///etc/passwd".into()),
        ),
        (
            "page of another program",
            with("authorization_endpoint", format!("vscode://{bare}/x").into()),
        ),
        (
            "page with a password",
            with(
                "authorization_endpoint",
                "https://luma.com@evil.example/authorize".into(),
            ),
        ),
        ("issuer of another", with("issuer", "https://evil.example".into())),
        (
            "issuer below another path",
            with("issuer", format!("{origin}/tenant").into()),
        ),
        (
            "no S256",
            with("code_challenge_methods_supported", serde_json::json!(["plain"])),
        ),
        (
            "no token endpoint",
            Fault::json(200, &serde_json::json!({ "issuer": origin })),
        ),
        ("a list", Fault::json(200, &serde_json::json!([1, 2]))),
        ("missing", Fault::Status(404)),
        ("a web page", Fault::Html200),
        ("a gateway's page", Fault::HtmlGateway(502)),
        ("truncated", Fault::TruncatedJson),
        ("cut short", Fault::TruncatedBody),
        ("nothing", Fault::EmptyBody(200)),
        ("2 MB", Fault::HugeBody { bytes: 2 << 20 }),
        ("redirected 301", Fault::redirects(301, there)),
        ("redirected 302", Fault::redirects(302, there)),
        ("redirected 307", Fault::redirects(307, there)),
        ("redirected 308", Fault::redirects(308, there)),
    ];
    for (name, fault) in odd {
        luma.fails_path(metadata, fault);
        let Err(error) = sign_in(&desk, Provider::Luma, None).await else {
            panic!("{name}: nobody is sent anywhere");
        };
        assert!(
            error.message.contains("Nothing was changed"),
            "{name}: {}",
            error.message
        );
        luma.clears_faults();
    }
    assert_eq!(canary.met(), 0, "nothing was sent to anybody else");
    assert_eq!(luma.token_requests(), 0);
    let mut fuller = honest.clone();
    fuller["scopes_supported"] = serde_json::json!(["read", { "odd": true }]);
    fuller["registration_endpoint"] = format!("{there}/register").into();
    fuller["issuer"] = format!("{origin}/").into();
    luma.fails_path(metadata, Fault::json(200, &fuller));
    signed_in(&desk, Provider::Luma).await;
    assert_eq!(canary.met(), 0, "what is not used is not asked");
}

#[tokio::test]
async fn a_sign_in_too_large_for_a_keychain_is_refused_and_given_back() {
    for provider in BOTH {
        let desk = desk().await;
        let oauth = server(&desk, provider);
        oauth.switches(|switches| switches.token_letters = 2_000);
        let Err(error) = sign_in(&desk, provider, None).await else {
            panic!("Windows' keychain could not keep it");
        };
        for words in ["bytes long", "1900", "Nothing was saved"] {
            assert!(
                error.message.contains(words),
                "{words:?} is missing in {:?}",
                error.message
            );
        }
        assert!(query::integrations(&desk.ports).await.unwrap().is_empty());
        let known = connect::known_app(&desk.ports, provider, Patience::Background).await;
        assert!(known.unwrap().is_none(), "the app is not kept either");
        match provider {
            Provider::Luma => assert!(oauth.grants()[0].revoked, "nobody holds it, so nobody may use it"),
            Provider::Eventbrite => assert_eq!(oauth.revocation_requests(), 0, "nothing to ask there"),
        }
        oauth.switches(|switches| switches.token_letters = 24);
        signed_in(&desk, provider).await;
    }
}

#[tokio::test]
async fn a_sign_in_that_shows_nothing_is_given_back() {
    let desk = desk().await;
    let oauth = server(&desk, Provider::Luma);
    desk.sandbox.luma().fails_always(Fault::Status(403));
    assert!(sign_in(&desk, Provider::Luma, None).await.is_err());
    assert!(
        oauth.grants()[0].revoked,
        "what is not kept here is over there too"
    );
}

#[tokio::test]
async fn what_might_be_a_connected_accounts_is_left_alone() {
    let desk = desk().await;
    let oauth = server(&desk, Provider::Luma);
    let kept = signed_in(&desk, Provider::Luma).await;
    desk.sandbox.luma().fails_always(Fault::Status(403));
    assert!(sign_in(&desk, Provider::Luma, None).await.is_err());
    desk.sandbox.luma().clears_faults();
    assert_eq!(
        oauth.revocation_requests(),
        0,
        "a server may end all that an account allowed an app at once"
    );
    assert!(connect::verify(&desk.ports, &kept, patient()).await.is_ok());
}

#[tokio::test]
async fn somebody_else_who_is_not_wanted_is_given_back() {
    let desk = desk().await;
    let (oauth, luma) = (server(&desk, Provider::Luma), desk.sandbox.luma());
    let needed = signed_in(&desk, Provider::Luma).await;
    let other = luma.add_calendar("Dock Hall", "Kim Dock", "kim@dockhall.example");
    oauth.approves_as(&other.id);
    let Ok(SignedIn::OtherAccount { proved, .. }) = sign_in(&desk, Provider::Luma, Some(&needed)).await
    else {
        panic!("somebody else has signed in");
    };
    assert_eq!(oauth.revocation_requests(), 0, "the person may still add them");
    connect::give_back(&desk.ports, *proved).await;
    let grants = oauth.grants();
    assert!(grants[1].revoked && !grants[0].revoked);
    assert!(connect::verify(&desk.ports, &needed, patient()).await.is_ok());
}

#[tokio::test]
async fn what_a_browser_is_shown_holds_no_secret() {
    for provider in BOTH {
        let desk = desk().await;
        let waiting = attempt(&desk, provider).await;
        let address = waiting.sign_in.address().to_owned();
        assert_eq!(status(browse(&redirected(&address).await).await), 200);
        let answer = waiting.answer.await.unwrap();
        connect::finish_sign_in(&desk.ports, &waiting.sign_in, answer, patient())
            .await
            .unwrap();
        let secrets = server(&desk, provider).secrets();
        assert!(secrets.len() >= 3, "code, token and verifier at least");
        for secret in secrets {
            assert!(!address.contains(&secret), "the address shows a secret");
        }
    }
    // A secret that was typed wrongly is one too.
    let desk = desk().await;
    let wrong = OauthApp {
        client_secret: Some(SecretString::from("CANARYWRONG")),
        ..app(&desk, Provider::Eventbrite)
    };
    let attempt = connect::begin_sign_in(&desk.ports, Provider::Eventbrite, wrong, None)
        .await
        .unwrap();
    assert!(!attempt.address().contains("CANARYWRONG"));
}
