//! The real window on a screen of its own: Xvfb, a private keychain, tauri-driver and WebKit's driver. What is started
//! here ends with the test.

use fantoccini::actions::{InputSource as _, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};
use talkvalue_sandbox::{OauthApp, Sandbox};
use talkvalue_tests::sweep::{Secrets, assert_nothing_found};

/// The app, and the app with a stranger's page in it.
const APPS: [&str; 2] = ["talkvalue-sync", "stranger"];

/// Where the app keeps its sign-ins in the private keychain.
pub(crate) const VAULT_SERVICE: &str = "com.talkvalue.sync.e2e";

/// A session opens in a second or two; one that has not by then never does.
const SESSION_OPENS_WITHIN: Duration = Duration::from_secs(15);
const SESSIONS_TRIED: usize = 4;

/// How long a script in the page may take.
const SCRIPTS_END_WITHIN: Duration = Duration::from_secs(180);

/// How long the driver may take to say that the app has ended. It forgets to now and then.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long a fact may take to show.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a pressed row may take to open before the press counts as gone astray.
const OPENED_WITHIN: Duration = Duration::from_secs(5);

/// Ends its process, and all that this one has started, when dropped: a driver leaves its own driver and the app behind.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0).spawn().map(Self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group bears its first process's number, which is ours until it is waited for.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// A computer with a screen: where the app runs, is quit and started again. When a test is done with it, no credential
/// may stand anywhere on it but in the keychain: neither in what the app keeps nor in what it has said.
pub(crate) struct Computer {
    pub(crate) keychain: PrivateKeychain,
    pub(crate) folder: tempfile::TempDir,
    _screen: Running,
    display: String,
    /// What no sweep may find: grows with each sandbox that the app is started against.
    secrets: Mutex<Secrets>,
}

/// What one start of the app differs in from the ordinary one.
#[derive(Default)]
pub(crate) struct Start {
    /// Another program than the app, built beside these tests: its path below the target folder.
    pub(crate) program: Option<&'static str>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// A program and its arguments that starts everything else.
    pub(crate) wrapper: Vec<&'static str>,
}

impl Computer {
    pub(crate) fn start(state: KeychainState) -> Self {
        Self::start_with(|| PrivateKeychain::start(state))
    }

    /// A computer on which the keychain's own prompt can show.
    pub(crate) fn start_with_prompts(state: KeychainState) -> Self {
        let computer = Self::start_with(|| PrivateKeychain::start_with_display(state));
        let told = Command::new("dbus-update-activation-environment")
            .arg(format!("DISPLAY={}", computer.display))
            .envs(computer.keychain.environment())
            .status()
            .expect("dbus-update-activation-environment runs");
        assert!(told.success(), "the prompt must know where to show");
        computer
    }

    /// Whether the keychain's prompt is open, or being opened.
    pub(crate) fn shows_prompt(&self) -> bool {
        let asked = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply=literal",
                "--dest=org.freedesktop.DBus",
            ])
            .args(["/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner"])
            .arg("string:org.gnome.keyring.SystemPrompter")
            .envs(self.keychain.environment())
            .output()
            .expect("dbus-send runs");
        String::from_utf8_lossy(&asked.stdout).contains("true")
    }

    fn start_with(keychain: impl FnOnce() -> io::Result<PrivateKeychain>) -> Self {
        let mut screen = Command::new("Xvfb");
        screen
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x900x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut screen = Running::start(&mut screen).expect("Xvfb starts (`cargo xtask test` installs it)");
        let mut number = String::new();
        let stdout = screen.0.stdout.take().expect("its output is piped");
        BufReader::new(stdout)
            .read_line(&mut number)
            .expect("Xvfb names its display");
        Self {
            keychain: keychain().expect("a private keychain starts"),
            folder: tempfile::tempdir().expect("a folder can be made"),
            _screen: screen,
            display: format!(":{}", number.trim()),
            secrets: Mutex::default(),
        }
    }

    /// The X display of its screen.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Replaces its keychain by another one.
    pub(crate) fn gets_keychain(&mut self, keychain: PrivateKeychain) {
        // What the app has left in the home of the old one goes with it.
        self.assert_no_leak();
        self.keychain = keychain;
    }

    /// What every start has said so far, one after another.
    pub(crate) fn said(&self) -> String {
        let bytes = std::fs::read(self.output_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn output_path(&self) -> PathBuf {
        self.folder.path().join("output")
    }

    fn output(&self) -> File {
        let file = File::options().create(true).append(true).open(self.output_path());
        file.expect("the app's output can be kept")
    }

    fn assert_no_leak(&self) {
        let home = self.keychain.home();
        let keyrings = home.join("data/keyrings");
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = secrets.below(self.folder.path());
        found.extend(secrets.below(home));
        found.retain(|place| !Path::new(place).starts_with(&keyrings));
        assert_nothing_found(&found);
    }

    /// Starts the app and waits until its page answers.
    pub(crate) async fn open(&self, sandbox: &Sandbox) -> Window {
        self.open_as(sandbox, Start::default()).await
    }

    /// [`Self::open`], with what `start` says.
    pub(crate) async fn open_as(&self, sandbox: &Sandbox, start: Start) -> Window {
        for _ in 0..SESSIONS_TRIED {
            // WebKit's driver waits for ever for an app whose first word it has missed.
            let session = tokio::time::timeout(SESSION_OPENS_WITHIN, self.session(sandbox, &start)).await;
            if let Ok(window) = session {
                return window;
            }
        }
        panic!("{SESSIONS_TRIED} sessions were begun, and none was opened in {SESSION_OPENS_WITHIN:?}");
    }

    /// One driver with one app. Dropping it, also while it opens, ends them both.
    async fn session(&self, sandbox: &Sandbox, start: &Start) -> Window {
        let begun = Instant::now();
        let (port, native_port) = (free_port(), free_port());
        let mut words = start.wrapper.clone();
        words.push("tauri-driver");
        let mut driver = Command::new(words[0]);
        driver.args(&words[1..]).args([
            "--port",
            &port.to_string(),
            "--native-port",
            &native_port.to_string(),
        ]);
        self.prepare(&mut driver, sandbox);
        driver.envs(start.environment.iter().map(|(name, value)| (name, value)));
        let driver =
            Running::start(&mut driver).expect("tauri-driver starts (`cargo xtask test` installs it)");
        let program = start.program.map_or_else(app, built);
        let capabilities = serde_json::json!({
            "browserName": "wry",
            "tauri:options": { "application": program },
        });
        let serde_json::Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let deadline = Instant::now() + PATIENCE;
        let client = loop {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            match builder
                .capabilities(capabilities.clone())
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
            {
                Ok(client) => break client,
                Err(error) => assert!(Instant::now() < deadline, "no session with the app: {error}"),
            }
        };
        // A script in the page may wait for facts as long as a test does, and longer on a busy computer.
        client
            .update_timeouts(TimeoutConfiguration::new(Some(SCRIPTS_END_WITHIN), None, None))
            .await
            .expect("the driver can be told how long to wait");
        Window {
            client,
            begun,
            data_dir: self.data_dir(),
            _driver: driver,
        }
    }

    /// The app itself, to be started without anybody driving it.
    pub(crate) fn app_command(&self, sandbox: &Sandbox) -> Command {
        let mut command = Command::new(app());
        self.prepare(&mut command, sandbox);
        command
    }

    /// What every start has around it.
    fn prepare(&self, command: &mut Command, sandbox: &Sandbox) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.join(sandbox);
        self.keychain.apply_to(command);
        command
            .env("DISPLAY", &self.display)
            .env("TALKVALUE_DATA_DIR", self.data_dir())
            .env("TALKVALUE_VAULT_SERVICE", VAULT_SERVICE)
            .env("TALKVALUE_EVENTBRITE_API_URL", sandbox.eventbrite().api_url())
            .env("TALKVALUE_LUMA_API_URL", sandbox.luma().api_url())
            .env("TALKVALUE_EVENTBRITE_OAUTH_URL", sandbox.eventbrite().oauth_url())
            .env("TALKVALUE_LUMA_OAUTH_URL", sandbox.luma().oauth_url())
            .env("TALKVALUE_LOG", "debug")
            .env("TZ", "UTC")
            .stdout(self.output())
            .stderr(self.output());
    }
}

impl Drop for Computer {
    /// Every end-to-end test ends with the leak sweep.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_no_leak();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// The app as built beside these tests.
fn app() -> PathBuf {
    built("talkvalue-sync")
}

/// A program as built beside these tests.
fn built(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this test has a path");
    let folder = tests
        .parent()
        .and_then(Path::parent)
        .expect("it lies in target/*/deps");
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} is not built yet: `cargo build -p talkvalue-sync` first (`cargo xtask test` does)",
        program.display()
    );
    program
}

/// Where pictures are kept as artifacts.
pub(crate) fn pictures() -> PathBuf {
    app()
        .parent()
        .map(|target| target.join("e2e-pictures"))
        .expect("the target folder")
}

/// One run of the app, seen and used as a person would: by the words on it.
pub(crate) struct Window {
    pub(crate) client: Client,
    /// When its driver was started.
    pub(crate) begun: Instant,
    data_dir: PathBuf,
    _driver: Running,
}

impl Window {
    /// Waits until an element is there. `what` names it in the failure.
    async fn find(&self, xpath: &str, what: &str) -> Element {
        self.find_within(xpath, what, PATIENCE).await
    }

    async fn find_within(&self, xpath: &str, what: &str, patience: Duration) -> Element {
        let found = self
            .client
            .wait()
            .at_most(patience)
            .for_element(Locator::XPath(xpath))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => {
                let page = self.words().await;
                panic!("{what} does not show ({error}). The page says:\n{page}");
            }
        }
    }

    /// Waits until such an element is there.
    pub(crate) async fn finds_within(&self, xpath: &str, what: &str, patience: Duration) {
        self.find_within(xpath, what, patience).await;
    }

    /// Everything the page says.
    pub(crate) async fn words(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Presses the button (or link) with exactly these words; the last one where there are several, which is the one
    /// of an open dialog.
    pub(crate) async fn press(&self, words: &str) {
        let own = format!(
            "normalize-space(.)='{words}' or @aria-label='{words}' or .//*[normalize-space(text())='{words}']"
        );
        let xpath = format!(
            "(//*[self::button or self::a or @role='menuitem' or @role='tab'][{own}][not(@disabled)])[last()]"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let button = self.find(&xpath, &format!("the button \"{words}\"")).await;
            // A page that is drawn anew may take the button away between finding and pressing it.
            match button.click().await {
                Ok(()) => return,
                Err(error) if Instant::now() < deadline => drop(error),
                Err(error) => {
                    self.picture("cannot-be-pressed").await;
                    panic!("\"{words}\" cannot be pressed: {error:?}");
                }
            }
        }
    }

    /// Asks for a sync wherever one is offered, until `done`. It is not offered while the engine, which begins one by
    /// itself, is at it or has found what it looked for.
    pub(crate) async fn syncs_until<T>(&self, done: impl Future<Output = T>) -> T {
        let offered = Locator::XPath("//button[normalize-space(.)='Sync' and not(@disabled)]");
        tokio::pin!(done);
        loop {
            let press = async {
                if let Ok(button) = self.client.find(offered).await {
                    // A page that is drawn anew may take it away in between.
                    let _ = button.click().await;
                }
            };
            tokio::select! {
                biased;
                result = &mut done => return result,
                () = press => {}
            }
        }
    }

    /// Picks the candidate of the import dialog that holds these words.
    pub(crate) async fn choose(&self, words: &str) {
        let option = format!("//*[@role='option'][contains(., \"{words}\")]");
        self.click_row(&option, words).await;
    }

    /// Opens the item that holds these words from the list of events.
    pub(crate) async fn opens(&self, words: &str) {
        let row = format!("//*[@data-row][contains(@aria-label, \"{words}\")]");
        let opened = "//body[not(descendant::*[@data-row])]";
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.click_row(&row, words).await;
            // A notice that comes up between aiming and pressing moves the rows away from under the pointer.
            let wait = self.client.wait().at_most(OPENED_WITHIN);
            match wait.for_element(Locator::XPath(opened)).await {
                Ok(_) => return,
                Err(error) => assert!(Instant::now() < deadline, "\"{words}\" does not open: {error:?}"),
            }
        }
    }

    async fn click_row(&self, xpath: &str, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let row = self.find(xpath, &format!("the row \"{words}\"")).await;
            // A dialog that has not closed yet covers the page's rows.
            match row.click().await {
                Ok(()) => return,
                Err(error) => assert!(
                    Instant::now() < deadline,
                    "\"{words}\" cannot be picked: {error:?}"
                ),
            }
        }
    }

    /// The number on the stat card of this name.
    pub(crate) async fn count(&self, name: &str) -> String {
        let xpath = format!("//*[normalize-space(text())='{name}']/parent::*");
        let card = self.find(&xpath, &format!("the card \"{name}\"")).await;
        let text = card.text().await.expect("the card has words");
        text.chars().filter(char::is_ascii_digit).collect()
    }

    /// Types into the field with this label.
    pub(crate) async fn type_into(&self, label: &str, text: &str) {
        let xpath = format!(
            "//*[self::input or self::textarea][@aria-label=\"{label}\" or @placeholder=\"{label}\" or \
             @id=//label[contains(normalize-space(.), \"{label}\")]/@for or \
             ancestor::label[contains(normalize-space(.), \"{label}\")]]"
        );
        let field = self.find(&xpath, &format!("the field \"{label}\"")).await;
        field.send_keys(text).await.expect("the field takes text");
    }

    /// Waits until the page says these words, case as shown.
    pub(crate) async fn sees(&self, words: &str) {
        self.sees_within(words, PATIENCE).await;
    }

    /// [`Self::sees`], for what takes the app longer.
    pub(crate) async fn sees_within(&self, words: &str, patience: Duration) {
        let xpath = format!("//body[contains(normalize-space(.), \"{words}\")]");
        self.find_within(&xpath, &format!("\"{words}\""), patience).await;
    }

    /// Runs a script in the page. It ends by calling its last argument, and may wait for facts before.
    pub(crate) async fn script(&self, script: &str, arguments: Vec<serde_json::Value>) -> serde_json::Value {
        let answer = self.client.execute_async(script, arguments).await;
        answer.unwrap_or_else(|error| panic!("the page could not be asked ({error}): {script}"))
    }

    /// Connects Luma by its key, as a newcomer does, and imports the first event of this title.
    pub(crate) async fn brings_in(&self, key: &str, title: &str) {
        self.press("Connect Luma").await;
        self.type_into("API key", key).await;
        self.press("Connect").await;
        self.press("Import events").await;
        self.choose(title).await;
        self.press("Import").await;
        self.sees("as of").await;
    }

    /// Enters the workspace's own app at Eventbrite, up to the button that saves it.
    pub(crate) async fn enters_own_app(&self, app: &OauthApp) {
        self.press("Connect Eventbrite").await;
        self.press("Other ways").await;
        self.type_into("API key", &app.client_id).await;
        let secret = app.client_secret.as_ref().expect("Eventbrite's apps have one");
        self.type_into("Client secret", secret).await;
    }

    /// Signs in at Eventbrite by the workspace's own app, up to the wait for the provider's page.
    pub(crate) async fn signs_in_by_own_app(&self, app: &OauthApp) {
        self.enters_own_app(app).await;
        self.press("Save and sign in").await;
        self.sees("Waiting for Eventbrite").await;
    }

    /// Begins to sign in at Eventbrite by an app that is known already, from this button.
    pub(crate) async fn signs_in_from(&self, button: &str) {
        self.press(button).await;
        self.press("Other ways").await;
        self.press("Sign in with Eventbrite").await;
    }

    /// Waits until the page no longer says these words.
    pub(crate) async fn gone(&self, words: &str, patience: Duration) {
        let xpath = format!("//body[not(contains(normalize-space(.), \"{words}\"))]");
        self.find_within(&xpath, &format!("the end of \"{words}\""), patience)
            .await;
    }

    /// Asserts that the page does not say these words now.
    pub(crate) async fn does_not_see(&self, words: &str, why: &str) {
        let page = self.words().await;
        assert!(!page.contains(words), "{why}: the page says \"{words}\":\n{page}");
    }

    /// Moves the pointer to the window's corner, where it points at nothing.
    pub(crate) async fn rest_the_pointer(&self) {
        let rest = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveTo {
            duration: None,
            x: 1.0,
            y: 1.0,
        });
        self.client
            .perform_actions(rest)
            .await
            .expect("the pointer can be moved");
    }

    /// Keeps a picture of the window as an artifact.
    pub(crate) async fn picture(&self, name: &str) {
        self.picture_in(&pictures(), name).await;
    }

    /// Keeps a picture of the window in `folder`, after two frames were drawn: before that it shows an old one.
    pub(crate) async fn picture_in(&self, folder: &Path, name: &str) {
        let frames =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(1)))";
        let _ = self.client.execute_async(frames, Vec::new()).await;
        let png = self
            .client
            .screenshot()
            .await
            .expect("the window can be pictured");
        std::fs::create_dir_all(folder).expect("a folder for pictures can be made");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("a picture can be written");
    }

    /// Ends the app, and waits until it is gone: a start before that would show its window and end.
    pub(crate) async fn quit(self) {
        // Where the driver does not answer, the drop ends them both.
        let _ = tokio::time::timeout(FAREWELL, self.client.close()).await;
        let data_dir = self.data_dir.clone();
        let deadline = Instant::now() + FAREWELL;
        drop(self._driver);
        while !apps_on(&data_dir).is_empty() {
            assert!(Instant::now() < deadline, "the app was closed and must end");
            tokio::task::yield_now().await;
        }
    }
}

/// The ids of the apps that work on this folder.
pub(crate) fn apps_on(data_dir: &Path) -> Vec<String> {
    let variable = format!("TALKVALUE_DATA_DIR={}", data_dir.display());
    let processes = std::fs::read_dir("/proc").expect("processes can be listed");
    let ours = processes.flatten().filter(|entry| {
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        // The kernel keeps fifteen letters of a name.
        APPS.contains(&name.trim())
            && environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == variable.as_bytes())
    });
    ours.map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
