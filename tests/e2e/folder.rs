//! The data folder in trouble: not writable, written by a newer version, wanted by a second start, left by a killed
//! one. The window says what is wrong and what to do; nothing that was kept is lost or touched.

use crate::screen::{Computer, Start, apps_on};
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use talkvalue_adapters::store::SCHEMA_VERSION;
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Sandbox};
use talkvalue_tests::loopback::call;

const TITLE: &str = "Harbour Makers Night";

/// Takes root's right to write everywhere away from what it starts: without that no permission binds root. Other users
/// have no such right, and `setpriv` (of util-linux) changes nothing for them.
const WITHOUT_ROOTS_RIGHTS: [&str; 2] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

/// Gives what it starts a mount table of its own, in which the data folder cannot be written to, whoever one is.
const ON_A_READ_ONLY_DISK: [&str; 7] = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    r#"mount --bind "$TALKVALUE_DATA_DIR" "$TALKVALUE_DATA_DIR" &&
       mount -o remount,bind,ro "$TALKVALUE_DATA_DIR" && exec "$@""#,
    "read-only",
];

/// Makes what it starts somebody whom this computer does not know, and who so has no home.
const SOMEBODY_UNKNOWN: [&str; 3] = ["unshare", "--user", "--map-user=54321"];

/// What another process has written is seen much sooner.
const SAID_WITHIN: Duration = Duration::from_secs(20);

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

/// Whether this system lets anybody have namespaces; some allow it to nobody.
fn may(wrapper: &[&str]) -> bool {
    let probe = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg("true")
        .env("TALKVALUE_DATA_DIR", std::env::temp_dir())
        .stderr(Stdio::null())
        .status();
    let may = probe.is_ok_and(|status| status.success());
    if !may {
        println!("skipped: this system gives nobody namespaces of their own");
    }
    may
}

#[tokio::test]
async fn a_folder_on_a_read_only_disk_is_named_and_its_lists_are_there_again_afterwards() {
    if !may(&ON_A_READ_ONLY_DISK) {
        return;
    }
    let (sandbox, computer) = after_an_earlier_run().await;
    let before = contents(&computer.data_dir());
    let start = Start {
        wrapper: ON_A_READ_ONLY_DISK.to_vec(),
        ..Start::default()
    };
    let window = computer.open_as(&sandbox, start).await;
    window.sees("The lists cannot be opened").await;
    window.sees("it lies on a read-only disk").await;
    window.sees(&computer.data_dir().display().to_string()).await;
    window.press("Try again").await;
    window.sees("it lies on a read-only disk").await;
    window.quit().await;
    assert!(
        before == contents(&computer.data_dir()),
        "what could not be opened stays as it was, byte by byte"
    );

    let window = computer.open(&sandbox).await;
    window.sees(TITLE).await;
    window.sees("as of").await;
    window.quit().await;
}

#[tokio::test]
async fn an_account_without_a_home_is_told_to_name_a_folder_before_any_window_opens() {
    if !may(&SOMEBODY_UNKNOWN) {
        return;
    }
    let (sandbox, _) = harbour().await;
    let computer = Computer::start(KeychainState::NoBus);
    let app = computer.app_command(&sandbox);
    let mut homeless = Command::new(SOMEBODY_UNKNOWN[0]);
    homeless.args(&SOMEBODY_UNKNOWN[1..]).arg(app.get_program());
    for (name, value) in app.get_envs() {
        if let Some(value) = value {
            homeless.env(name, value);
        }
    }
    for name in ["HOME", "XDG_DATA_HOME", "TALKVALUE_DATA_DIR"] {
        homeless.env_remove(name);
    }
    let ended = homeless.output().expect("the app starts");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{told}");
    assert!(
        told.contains("has no home folder") && told.contains("--data-dir"),
        "what is missing, and the way out: {told}"
    );
    assert!(!computer.data_dir().exists(), "no other place is chosen");
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
async fn without_a_session_bus_a_second_window_shows_the_same_lists_and_says_for_whom_it_waits() {
    let (sandbox, key) = harbour().await;
    let computer = Computer::start(KeychainState::NoBus);
    let first = computer.open(&sandbox).await;
    first.brings_in(&key, TITLE).await;
    // In the middle of a read, with the data folder's lock held.
    let pause = sandbox.luma().pause_at(1);
    first.syncs_until(pause.reached()).await;

    let second = computer.open(&sandbox).await;
    second.sees(TITLE).await;
    second.sees("as of").await;
    second.opens(TITLE).await;
    assert_eq!(
        second.count("Total attendees").await,
        "40",
        "it reads all the same"
    );
    let refused = "//button[@disabled and starts-with(@aria-label, 'Sync: ')]";
    second
        .finds_within(refused, "why it cannot sync now", SAID_WITHIN)
        .await;
    second.press("More actions").await;
    second.press("Keep as archive").await;
    second.sees("Another TalkValue Sync works on this data").await;
    second
        .does_not_see(
            "no syncs, no alerts",
            "whoever waits for its turn has changed nothing",
        )
        .await;
    pause.release();
    second.sees("no syncs, no alerts").await;
    drop(second);

    first.opens(TITLE).await;
    first.sees("no syncs, no alerts").await;
    assert_eq!(
        first.count("Total attendees").await,
        "40",
        "two windows lose nobody and double nobody"
    );
    first.quit().await;
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

/// The app makes it, so that it is no canary: the servers of whatever it was started against tell what they have seen.
#[tokio::test]
#[should_panic(expected = "credentials belong into the keychain only")]
async fn a_verifier_left_on_a_computer_fails_any_test_here() {
    let sandbox = Sandbox::builder().seed(2).start().await;
    let sandbox = sandbox.expect("the sandbox listens");
    let computer = Computer::start(KeychainState::NoBus);
    drop(computer.app_command(&sandbox));
    let oauth = sandbox.luma().oauth();
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let app = oauth.app().client_id;
    let form = format!("grant_type=authorization_code&code=none&client_id={app}&code_verifier={verifier}");
    let request = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let port = oauth.url().rsplit(':').next().and_then(|port| port.parse().ok());
    let reply = call(
        Ipv4Addr::LOCALHOST.into(),
        port.expect("it listens on a port"),
        request.as_bytes(),
    )
    .await;
    assert_eq!(reply.expect("the server answers").status, 400);
    let left = computer.keychain.home().join("cache/left");
    fs::write(left, verifier).expect("a file can be written");
}
