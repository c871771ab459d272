//! Disconnecting: what becomes of the sign-in, here and at the provider, and that a person is told the truth of it.

use crate::renewal::World;
use crate::stage::{BOTH, Stage, code_of};
use keyring::Error;
use talkvalue_core::connect::{self, Withdrawal};
use talkvalue_core::domain::failure::FailureCode;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_sandbox::{Fault, OauthDialect};
use talkvalue_tests::desk::{Desk, patient};
use talkvalue_tests::oauth::signed_in;

/// Disconnects; asserts that nothing of the sign-in stays here, and answers with what became of it there.
async fn disconnects(desk: &Desk, id: &IntegrationId) -> Withdrawal {
    let gone = connect::disconnect(&desk.ports, id, patient()).await.unwrap();
    assert_eq!(gone.integration.status, IntegrationStatus::Disconnected);
    let failure = gone.integration.failure.map(|failure| failure.code);
    assert_eq!(failure, Some(FailureCode::DisconnectedByYou));
    let entry = desk.keychain.build("desk", id.as_str(), None).unwrap();
    assert!(
        matches!(entry.get_secret(), Err(Error::NoEntry)),
        "whatever the provider says, nothing of it stays here"
    );
    gone.withdrawal
}

#[tokio::test]
async fn a_grant_is_withdrawn_where_the_provider_takes_it_back() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    let became = disconnects(&world.desk, &world.integration).await;
    assert_eq!(became, Withdrawal::Withdrawn);
    assert_eq!(world.oauth.tally().revocations, 1);
    assert!(world.oauth.grants()[0].revoked);
}

#[tokio::test]
async fn a_grant_that_the_provider_did_not_take_back_is_not_called_withdrawn() {
    for fault in [Fault::Status(503), Fault::Reset, Fault::Html200] {
        let world = World::open(OauthDialect::RotatingWithGrace).await;
        world.oauth.fails_path("/revoke?", fault.clone());
        let became = disconnects(&world.desk, &world.integration).await;
        assert_eq!(became, Withdrawal::Failed, "{fault:?}");
        assert!(!world.oauth.grants()[0].revoked);
    }
}

#[tokio::test]
async fn a_provider_without_a_way_to_withdraw_is_said_to_offer_none() {
    let desk = Desk::open().await;
    let eventbrite = desk.sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "robin@harbour.example");
    eventbrite.add_organization(&account, "Harbour Guild");
    eventbrite.oauth().approves_as(&account.id);
    let id = signed_in(&desk, Provider::Eventbrite).await;
    assert_eq!(disconnects(&desk, &id).await, Withdrawal::NotOffered);
    let mut world = World::open(OauthDialect::RotatingWithGrace).await;
    world.oauth.switches(|set| set.revocation = false);
    world.desk.ports = world.desk.restarted();
    assert_eq!(
        disconnects(&world.desk, &world.integration).await,
        Withdrawal::NotOffered
    );
    for provider in BOTH {
        let stage = Stage::open(provider, 0).await;
        let became = disconnects(&stage.desk, &stage.integration).await;
        assert_eq!(became, Withdrawal::NotOffered, "what was pasted: {provider:?}");
    }
}

#[tokio::test]
async fn a_grant_that_the_keychain_lost_may_live_on_at_the_provider() {
    let world = World::open(OauthDialect::RotatingWithGrace).await;
    let (keychain, id) = (&world.desk.keychain, world.integration.as_str());
    let entry = keychain.build("desk", id, None).unwrap();
    entry.delete_credential().unwrap();
    assert_eq!(world.sync().await, Err("CREDENTIALS_MISSING".to_owned()));
    assert_eq!(
        disconnects(&world.desk, &world.integration).await,
        Withdrawal::Failed
    );
}

#[tokio::test]
async fn a_refused_account_can_be_disconnected_and_its_credential_leaves_the_keychain() {
    for provider in BOTH {
        let (stage, item) = Stage::imported(provider, 20).await;
        stage.revokes_credentials();
        assert_eq!(code_of(&stage.sync(&item).await), "CREDENTIALS_REJECTED");
        let entry = stage
            .desk
            .keychain
            .build("desk", stage.integration.as_str(), None);
        assert!(
            entry.unwrap().get_secret().is_ok(),
            "a refused credential stays until a person says otherwise"
        );
        stage.door().clears_requests();
        assert_eq!(
            disconnects(&stage.desk, &stage.integration).await,
            Withdrawal::Over,
            "{provider:?}: what is refused already needs nobody to take it back"
        );
        assert_eq!(stage.door().request_count(), 0);
        stage.assert_exact(&item).await;
    }
}
