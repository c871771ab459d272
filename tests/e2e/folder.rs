//! The data folder in trouble: not writable, written by a newer version, wanted by a second start, left by a killed
//! one. The window says what is wrong and what to do; nothing that was kept is lost or touched.

use crate::screen::{Computer, Start, apps_on};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::channel;
use std::time::Duration;
use talkvalue_adapters::store::SCHEMA_VERSION;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Sandbox};

const TITLE: &str = "Harbour Makers Night";

/// Takes root's right to write everywhere away from what it starts: without that no permission binds root. Other users
/// have no such right, and `setpriv` (of util-linux) changes nothing for them.
const WITHOUT_ROOTS_RIGHTS: [&str; 2] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

/// A second start ends by itself in far less.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

async fn harbour() -> (Sandbox, String) {
    let sandbox = Sandbox::builder()
        .seed(9)
        .start()
        .await
        .expect("the sandbox listens");
    let luma = sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
    let event = luma.add_event(&calendar.id, EventSpec::new(TITLE));
    luma.add_guests(&event, 40);
    let key = calendar.key.clone();
    (sandbox, key)
}

/// A computer on which an earlier run has brought in a list.
async fn after_an_earlier_run() -> (Sandbox, Computer) {
    let (sandbox, key) = harbour().await;
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.brings_in(&key, TITLE).await;
    window.quit().await;
    (sandbox, computer)
}

/// Every file of the folder, byte by byte.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("the data folder can be listed")
        .map(|entry| {
            let path = entry.expect("the data folder can be listed").path();
            let bytes = fs::read(&path).expect("a file of the data folder can be read");
            (path.display().to_string(), bytes)
        })
        .collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions can be set");
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_named_and_works_once_it_may() {
    let (sandbox, _) = harbour().await;
    let computer = Computer::start(KeychainState::Unlocked);
    fs::create_dir(computer.data_dir()).expect("the data folder can be made");
    set_mode(&computer.data_dir(), 0o500);
    let window = computer
        .open_as(
            &sandbox,
            Start {
                wrapper: WITHOUT_ROOTS_RIGHTS.to_vec(),
                ..Start::default()
            },
        )
        .await;
    window.sees("The lists cannot be opened").await;
    window.sees("it may not be written to").await;
    window.sees("Make it writable for you").await;
    window.sees(&computer.data_dir().display().to_string()).await;
    assert_eq!(
        contents(&computer.data_dir()).len(),
        0,
        "nothing was written into a folder that may not be written"
    );

    set_mode(&computer.data_dir(), 0o700);
    window.press("Try again").await;
    window.sees("Which lists should be live here?").await;
    window.quit().await;
}

#[tokio::test]
async fn a_newer_versions_file_is_refused_untouched_and_its_lists_are_still_there_for_it() {
    let (sandbox, computer) = after_an_earlier_run().await;
    let file = database(&computer.data_dir());
    let newer = i64::try_from(SCHEMA_VERSION).expect("a small number") + 1;
    set_schema(&file, newer);
    let before = contents(&computer.data_dir());

    let window = computer.open(&sandbox).await;
    window.sees("The lists cannot be opened").await;
    window.sees("was written by a newer TalkValue Sync").await;
    window.sees("use the newer version").await;
    window.press("Try again").await;
    window.sees("was written by a newer TalkValue Sync").await;
    window.press("About").await;
    window.sees("Data folder").await;
    window.quit().await;
    assert!(
        before == contents(&computer.data_dir()),
        "a newer version's files must stay as they are, byte by byte"
    );

    // What the newer version would find: everything.
    set_schema(&file, newer - 1);
    let window = computer.open(&sandbox).await;
    window.sees(TITLE).await;
    window.sees("as of").await;
    window.quit().await;
}

#[tokio::test]
async fn a_second_start_ends_by_itself_and_leaves_the_first_window_working() {
    let (sandbox, computer) = after_an_earlier_run().await;
    let window = computer.open(&sandbox).await;
    window.sees(TITLE).await;
    for attempt in 1..=3 {
        let second = computer
            .app_command(&sandbox)
            .spawn()
            .expect("the app starts a second time");
        let ended = ended_by_itself(second);
        assert_eq!(
            ended.code(),
            Some(0),
            "start {attempt} has shown the first window and has nothing left to do"
        );
    }
    window.opens(TITLE).await;
    window.press("Sync").await;
    window.sees("Syncing").await;
    assert_eq!(
        window.count("Total attendees").await,
        "40",
        "the first window works on"
    );
    window.quit().await;
}

#[tokio::test]
async fn without_a_session_bus_the_app_opens_all_the_same() {
    let (sandbox, _) = harbour().await;
    let computer = Computer::start(KeychainState::NoBus);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    window.press("Settings").await;
    window.sees("Integrations").await;
    window.quit().await;
}

#[tokio::test]
async fn after_the_app_was_killed_its_locks_are_free_and_its_lists_there() {
    let (sandbox, computer) = after_an_earlier_run().await;
    let pause = sandbox.luma().pause_at(1);
    let window = computer.open(&sandbox).await;
    window.sees(TITLE).await;
    // In the middle of a job, with the data folder's lock held.
    window.syncs_until(pause.reached()).await;
    kill_the_app(&computer.data_dir());
    pause.release();
    drop(window);

    let window = computer.open(&sandbox).await;
    window.sees(TITLE).await;
    window.opens(TITLE).await;
    assert_eq!(window.count("Total attendees").await, "40", "nothing was lost");
    window.press("Sync").await;
    window.sees("Syncing").await;
    window
        .does_not_see("Another TalkValue Sync", "the killed one holds nothing any more")
        .await;
    window.quit().await;
}

fn database(folder: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder)
        .expect("the data folder can be listed")
        .map(|entry| entry.expect("the data folder can be listed").path())
        .filter(|path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")));
    files.next().expect("the earlier run left its database")
}

/// Sets the version number in the file as another version of the app would, with nothing left beside the file.
fn set_schema(file: &Path, version: i64) {
    let database = rusqlite::Connection::open(file).expect("the database opens");
    database
        .pragma_update(None, "user_version", version)
        .expect("the version can be set");
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("the log can be folded in");
}

fn ended_by_itself(mut process: Child) -> ExitStatus {
    let id = process.id().to_string();
    let (tell, ended) = channel();
    std::thread::spawn(move || tell.send(process.wait()));
    match ended.recv_timeout(ENDS_WITHIN) {
        Ok(status) => status.expect("the second start can be looked after"),
        Err(_) => {
            kill(&id);
            panic!("the second start is still there: it must show the first window and end");
        }
    }
}

fn kill(id: &str) {
    let status = Command::new("kill").args(["-9", id]).status().expect("kill runs");
    assert!(status.success(), "process {id} must be killed");
}

/// Kills the one app that works on this folder, as a power cut would.
fn kill_the_app(data_dir: &Path) {
    let apps = apps_on(data_dir);
    assert_eq!(apps.len(), 1, "exactly one app works on this folder");
    kill(&apps[0]);
}

#[test]
#[should_panic(expected = "credentials belong into the keychain only")]
fn a_credential_left_on_a_computer_fails_any_test_here() {
    let computer = Computer::start(KeychainState::NoBus);
    let left = computer.keychain.home().join("cache/left");
    fs::write(left, "token=xxCANARYEB123").expect("a file can be written");
}
