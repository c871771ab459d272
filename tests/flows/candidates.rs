//! What can be imported, in the one order that the window and `tvsync` show.

use crate::stage::{BOTH, Owner, Stage};
use jiff::SignedDuration;
use talkvalue_core::connect;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_sandbox::EventSpec;
use talkvalue_tests::desk::patient;
use talkvalue_tests::noon;

/// Adds an event that begins so many hours from noon and lasts so many.
fn add(stage: &Stage, title: &str, starts_in_hours: i64, lasts_hours: i64) -> String {
    let starts_at = noon() + SignedDuration::from_hours(starts_in_hours);
    let spec = EventSpec::new(title)
        .starts_at(starts_at)
        .ends_at(starts_at + SignedDuration::from_hours(lasts_hours));
    match &stage.owner {
        Owner::Eventbrite { organization, .. } => stage.eventbrite.add_event(organization, spec),
        Owner::Luma(calendar) => stage.luma.add_event(&calendar.id, spec),
    }
}

async fn titles(stage: &Stage) -> Vec<String> {
    let offered = connect::candidates(&stage.desk.ports, &stage.integration, patient())
        .await
        .unwrap();
    offered
        .into_iter()
        .map(|candidate| {
            if candidate.kinds == [ItemKind::PathChannel] {
                "everybody".to_owned()
            } else {
                candidate.title
            }
        })
        .collect()
}

#[tokio::test]
async fn what_is_near_comes_first_and_what_is_over_last_wherever_it_is_imported() {
    for provider in BOTH {
        let stage = Stage::open(provider, 3).await;
        // The stage's own event begins at noon tomorrow.
        let own = match provider {
            talkvalue_core::domain::provider::Provider::Eventbrite => "Harbour Makers Night",
            talkvalue_core::domain::provider::Provider::Luma => "Spring Repair Cafe",
        };
        add(&stage, "Last year", -24 * 365, 3);
        add(&stage, "Next month", 24 * 30, 3);
        add(&stage, "Yesterday", -24, 3);
        add(&stage, "On now", -1, 3);
        add(&stage, "Long week", -24 * 3, 24 * 7);
        add(&stage, "Tonight", 6, 3);
        let expected = [
            "Long week",
            "On now",
            "Tonight",
            own,
            "Next month",
            "everybody",
            "Yesterday",
            "Last year",
        ];
        assert_eq!(titles(&stage).await, expected, "{provider:?}");
        stage.import().await.unwrap();
        assert_eq!(
            titles(&stage).await,
            expected,
            "{provider:?}: whoever looks again finds everything where it was"
        );
    }
}
