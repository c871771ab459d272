//! Eventbrite's organization-wide list of attendees: one walk over all events of an organization.

use jiff::Timestamp;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::Arc;
use talkvalue_adapters::clock::SystemClock;
use talkvalue_adapters::providers::eventbrite::EventbriteApi;
use talkvalue_core::domain::credential::{Credential, Generation, SignIn};
use talkvalue_core::domain::ids::ExternalId;
use talkvalue_core::domain::provider::{Origin, Origins};
use talkvalue_core::ports::ProviderApi as _;
use talkvalue_sandbox::{EventSpec, Sandbox};

#[tokio::test]
async fn one_walk_brings_every_attendee_with_its_event() {
    let sandbox = Sandbox::builder().seed(5).start().await.unwrap();
    let eventbrite = sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "events@harbour.example");
    let organization = eventbrite.add_organization(&account, "Harbour Guild");
    let mut truth = BTreeSet::new();
    for (title, count) in [("Lantern Night", 70), ("Repair Cafe", 45), ("Nobody yet", 0)] {
        let event = eventbrite.add_event(&organization, EventSpec::new(title));
        eventbrite.add_attendees(&event, count);
        let attendees = eventbrite.attendees(&event);
        truth.extend(attendees.into_iter().map(|attendee| (event.clone(), attendee.id)));
    }
    let origin = Origin::parse(&eventbrite.api_url()).unwrap();
    let origins = Origins {
        api: origin.clone(),
        oauth: origin.clone(),
    };
    let api = EventbriteApi::new(origins.clone(), &origin, Arc::new(SystemClock)).unwrap();
    let credential = Credential {
        sign_in: SignIn::Token,
        secret: SecretString::from(account.private_token.clone()),
        origins,
        generation: Generation::FIRST,
        grant: None,
    };
    let organization = ExternalId::from_text(organization);
    let (mut met, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = api
            .organization_page(&credential, &organization, Timestamp::UNIX_EPOCH, cursor.as_ref())
            .await
            .unwrap();
        assert!(page.set_aside.is_empty());
        let rows = page.rows.into_iter();
        met.extend(rows.map(|(event, row)| (event.as_str().to_owned(), row.external_id.as_str().to_owned())));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(
        met, truth,
        "nobody is lost between the events of one organization"
    );
    let later = sandbox
        .clock()
        .now()
        .checked_add(jiff::SignedDuration::from_hours(1))
        .unwrap();
    let page = api
        .organization_page(&credential, &organization, later, None)
        .await
        .unwrap();
    assert!(
        page.rows.is_empty(),
        "changed_since is honoured for the whole organization"
    );
}
