//! A data file that went bad between two runs.

use crate::world::{Harbour, ids};
use std::collections::BTreeSet;
use std::fs;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_tests::tvsync::text;

#[test]
fn a_letter_gone_bad_on_the_disk_costs_a_retry_and_nothing_else() {
    let harbour = Harbour::open(KeychainState::Unlocked);
    let computer = &harbour.computer;
    let integration = computer.connect_eventbrite(&harbour.account.private_token);
    let imported = computer
        .run(&[
            "import",
            &integration,
            &harbour.event,
            "--as",
            "badge-event",
            "--json",
        ])
        .exits(0)
        .json();
    let item = text(&imported, "id");
    let before = ids(computer, &item);

    let file = computer.data_dir().join("talkvalue.sqlite3");
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes
        .windows(9)
        .position(|window| window == b"Attending")
        .unwrap();
    bytes[place] ^= 1;
    fs::write(&file, bytes).unwrap();

    let run = computer.run(&["items", "--json"]).exits(0);
    assert!(
        run.stderr.contains("was damaged and was set aside as") && run.stderr.contains("your list"),
        "a person is told: {run:?}"
    );
    let shown = &run.json()["items"][0];
    assert_eq!(
        (&shown["id"], &shown["title"], &shown["syncStatus"]),
        (&imported["id"], &imported["title"], &"PENDING".into()),
        "the list is known, and nobody is shown a wrong one: {shown}"
    );
    assert_eq!(shown["alert"], "IMPORT_FAILED");
    let again = computer.run(&["items"]).exits(0);
    assert!(!again.stderr.contains("damaged"), "it is told once: {again:?}");

    let done = computer.run(&["retry", &item, "--json"]).exits(0).json();
    assert_eq!(
        done["syncStatus"], "ACTIVE",
        "the credential still belongs to the account"
    );
    let external = |ids: BTreeSet<(String, String)>| -> BTreeSet<String> {
        ids.into_iter().map(|(_, external)| external).collect()
    };
    assert_eq!(
        external(ids(computer, &item)),
        external(before),
        "everybody is back"
    );
}
