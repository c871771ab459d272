//! A stage: the whole app in this process with a window nobody sees, a data folder, a keychain and providers of its
//! own. Everything that leaves Rust for the window passes the recorder here.

use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_adapters::oauth::OauthClient;
use talkvalue_adapters::providers::{eventbrite::EventbriteApi, luma::LumaApi};
use talkvalue_adapters::store::SqliteStore;
use talkvalue_adapters::vault::{Deadlines, KeychainVault};
use talkvalue_core::domain::provider::{Origin, Origins};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Notices, Ports};
use talkvalue_sandbox::{EventSpec, LumaCalendar, Sandbox};
use talkvalue_sync_app::ipc::notices;
use talkvalue_sync_app::{Launch, MAIN_WINDOW, World};
use talkvalue_tests::clock::WallClock;
use talkvalue_tests::sweep::{CANARY, Secrets, assert_nothing_found};
use tauri::http::HeaderName;
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, Listener as _, Manager as _, WebviewWindow};

/// Much longer than anything here takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) window: WebviewWindow<MockRuntime>,
    sweep: Sweep,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) opened_addresses: Arc<Mutex<Vec<String>>>,
    /// Set: no browser starts on this computer.
    pub(crate) starts_no_browser: Arc<AtomicBool>,
    pub(crate) keychain: Keychain,
    clock: WallClock,
    notices: Receiver<Value>,
    app: App<MockRuntime>,
}

impl Stage {
    /// An empty world, and the app just started in it.
    pub(crate) fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap())
    }

    /// The same, over what `folder` holds.
    pub(crate) fn open_in(folder: tempfile::TempDir) -> Self {
        let sandbox = Sandbox::builder().seed(7).start_blocking().unwrap();
        Self::start(sandbox, folder, Keychain::new())
    }

    /// The app ends and is started again: same folder, same keychain, same providers.
    pub(crate) fn restarts(self) -> Self {
        let Self {
            sandbox,
            folder,
            keychain,
            app,
            ..
        } = self;
        drop(app);
        Self::start(sandbox, folder, keychain)
    }

    fn start(sandbox: Sandbox, folder: tempfile::TempDir, keychain: Keychain) -> Self {
        let opened_addresses: Arc<Mutex<Vec<String>>> = Arc::default();
        let starts_no_browser: Arc<AtomicBool> = Arc::default();
        let browser = (opened_addresses.clone(), starts_no_browser.clone());
        let clock = WallClock::default();
        let world = world(&sandbox, &folder, &keychain, &clock, browser);
        let mut app = talkvalue_sync_app::build(
            mock_builder(),
            talkvalue_sync_app::context(),
            world,
            &Launch::default(),
        )
        .unwrap();
        let (told, notices) = channel();
        let sweep = Sweep {
            folder: folder.path().to_path_buf(),
            secrets: Secrets::of(&sandbox),
            went_out: Arc::default(),
        };
        record(&app, told, sweep.went_out.clone());
        start(&mut app);
        let window = app.get_webview_window(MAIN_WINDOW).unwrap();
        Self {
            sandbox,
            window,
            sweep,
            folder,
            opened_addresses,
            starts_no_browser,
            keychain,
            clock,
            notices,
            app,
        }
    }

    /// Whoever waits for minutes has waited long enough.
    pub(crate) fn minutes_pass(&self) {
        self.clock.minutes_pass();
    }

    /// Takes this computer's keychain away, or gives it back.
    pub(crate) fn has_keychain(&self, has: bool) {
        self.keychain.is_there.store(has, Ordering::SeqCst);
    }

    /// A Luma calendar with one event of so many guests, connected by its key. Gives the calendar, the event's id and
    /// the integration's id.
    pub(crate) fn with_luma(guests: usize) -> (Self, LumaCalendar, String, String) {
        let stage = Self::open();
        let (calendar, event) = stage.add_luma_event("Spring Repair Cafe", guests);
        let connected = stage.connects("LUMA", &calendar.key);
        (stage, calendar, event, connected)
    }

    /// The same, with the event imported as a Badge event. Gives the item's id last.
    pub(crate) fn with_item(guests: usize) -> (Self, LumaCalendar, String, String) {
        let (stage, calendar, event, integration) = Self::with_luma(guests);
        let item = stage.imports(&integration, &event, "BADGE_EVENT");
        (stage, calendar, event, item)
    }

    pub(crate) fn add_luma_event(&self, title: &str, guests: usize) -> (LumaCalendar, String) {
        let luma = self.sandbox.luma();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let event = luma.add_event(&calendar.id, EventSpec::new(title));
        luma.add_guests(&event, guests);
        (calendar, event)
    }

    /// Connects an account; its integration's id.
    pub(crate) fn connects(&self, provider: &str, secret: &str) -> String {
        let connected = self
            .calls(
                "connect_account",
                json!({ "provider": provider, "secret": secret }),
            )
            .unwrap();
        text(&connected["integration"]["id"])
    }

    /// Imports and waits for the end; the item's id.
    pub(crate) fn imports(&self, integration: &str, event: &str, kind: &str) -> String {
        let arguments = json!({ "integrationId": integration, "externalId": event, "kind": kind });
        let item = self.calls("import_event", arguments).unwrap();
        self.hears("JOB_ENDED");
        text(&item["id"])
    }

    /// Calls a command as the main window's page does.
    pub(crate) fn calls(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.sweep.calls(&self.window, command, arguments)
    }

    pub(crate) fn shows(&self, item: &str) -> Value {
        self.calls("show_item", json!({ "itemId": item })).unwrap()
    }

    /// A file of the window's, as the web view is given it.
    pub(crate) fn serves(&self, path: &str) -> tauri::Asset {
        self.app
            .asset_resolver()
            .get(path.to_owned())
            .unwrap_or_else(|| panic!("{path} is not among the window's files"))
    }

    /// The paths of the window's files.
    pub(crate) fn files(&self) -> Vec<String> {
        let resolver = self.app.asset_resolver();
        resolver.iter().map(|(path, _)| path.into_owned()).collect()
    }

    /// The resources of Tauri's that the app and its windows hold: each would be a number that a page could guess.
    pub(crate) fn resources(&self) -> usize {
        let of_windows: usize = self
            .app
            .webview_windows()
            .values()
            .map(|window| {
                window.resources_table().names().count()
                    + window.as_ref().window().resources_table().names().count()
            })
            .sum();
        of_windows + self.app.resources_table().names().count()
    }

    /// Another window of this app, as a sign-in of a provider would open it.
    pub(crate) fn opens_window(&self, label: &str) -> WebviewWindow<MockRuntime> {
        tauri::WebviewWindowBuilder::new(&self.app, label, tauri::WebviewUrl::default())
            .build()
            .unwrap()
    }

    /// Lets the event loop run beside the test. What is given hears the end of the loop: the last window is closed.
    pub(crate) fn runs(self) -> (Running, Receiver<()>) {
        let Self {
            sandbox,
            window,
            sweep,
            folder,
            notices,
            app,
            ..
        } = self;
        let (begun, begins) = channel();
        let (ended, end) = channel();
        std::thread::spawn(move || {
            app.run_return(move |app, event| {
                if let tauri::RunEvent::Ready = event {
                    // A test that has failed waits no longer.
                    let _ = begun.send(());
                }
                talkvalue_sync_app::heed(app, &event);
            });
            let _ = ended.send(());
        });
        begins.recv_timeout(DEADLINE).expect("the loop begins");
        let running = Running {
            window,
            notices,
            sweep,
            _world: (sandbox, folder),
        };
        (running, end)
    }

    /// Waits for a notice of that type; those before it are passed over.
    pub(crate) fn hears(&self, kind: &str) -> Value {
        heard(&self.notices, kind)
    }

    /// Looks again after each notice, until what is awaited has come about.
    pub(crate) fn waits_until(&self, what: &str, has_come: impl Fn(&Self) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !has_come(self) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                self.notices.recv_timeout(left).is_ok(),
                "it never came that {what}"
            );
        }
    }

    /// The notices that have come so far and were not heard yet.
    pub(crate) fn heard_so_far(&self) -> Vec<Value> {
        self.notices.try_iter().collect()
    }
}

/// A stage whose event loop runs.
pub(crate) struct Running {
    pub(crate) window: WebviewWindow<MockRuntime>,
    notices: Receiver<Value>,
    sweep: Sweep,
    _world: (Sandbox, tempfile::TempDir),
}

impl Running {
    pub(crate) fn calls(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.sweep.calls(&self.window, command, arguments)
    }

    pub(crate) fn hears(&self, kind: &str) -> Value {
        heard(&self.notices, kind)
    }

    pub(crate) fn has_heard(&self, kind: &str) -> bool {
        self.notices.try_iter().any(|notice| notice["type"] == kind)
    }
}

fn heard(notices: &Receiver<Value>, kind: &str) -> Value {
    let end = Instant::now() + DEADLINE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let notice = notices
            .recv_timeout(left)
            .unwrap_or_else(|_| panic!("no notice {kind} came"));
        if notice["type"] == kind {
            return notice;
        }
    }
}

/// What every test ends with: no credential stands in the data folder, or went to a window.
struct Sweep {
    folder: PathBuf,
    secrets: Secrets,
    /// Notices, and answers to the main window's calls.
    went_out: Arc<Mutex<Vec<String>>>,
}

impl Sweep {
    fn calls(
        &self,
        window: &WebviewWindow<MockRuntime>,
        command: &str,
        arguments: Value,
    ) -> Result<Value, Value> {
        let answer = call(window, command, InvokeBody::Json(arguments));
        let (Ok(said) | Err(said)) = &answer;
        self.went_out.lock().unwrap().push(said.to_string());
        answer
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert_nothing_found(&self.secrets.below(&self.folder));
        let words = self.secrets.words();
        let went_out = self.went_out.lock().unwrap();
        let leaked = went_out
            .iter()
            .filter(|said| words.iter().any(|word| said.contains(word)));
        assert_eq!(leaked.count(), 0, "a credential went out into the window");
    }
}

/// Calls a command from any window, and sees to it that no credential comes back.
pub(crate) fn call(
    window: &WebviewWindow<MockRuntime>,
    command: &str,
    body: InvokeBody,
) -> Result<Value, Value> {
    call_from(window, command, body, own_address())
}

/// The same from a page at `address`.
pub(crate) fn call_from(
    window: &WebviewWindow<MockRuntime>,
    command: &str,
    body: InvokeBody,
    address: &str,
) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: address.parse().unwrap(),
        body,
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    answer_to(window, request)
}

/// [`call`] with headers, which a page may set as it likes.
pub(crate) fn call_with_headers(
    window: &WebviewWindow<MockRuntime>,
    command: &str,
    body: InvokeBody,
    headers: &[(&'static str, String)],
) -> Result<Value, Value> {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: own_address().parse().unwrap(),
        body,
        headers: headers.collect(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    answer_to(window, request)
}

fn answer_to(window: &WebviewWindow<MockRuntime>, request: InvokeRequest) -> Result<Value, Value> {
    let command = request.cmd.clone();
    let answer = get_ipc_response(window, request).map(|body| body.deserialize::<Value>().unwrap());
    let seen = match &answer {
        Ok(value) | Err(value) => value.to_string(),
    };
    assert!(
        !seen.contains(CANARY),
        "{command} let a credential out into the window"
    );
    answer
}

pub(crate) fn own_address() -> &'static str {
    if cfg!(windows) {
        "http://tauri.localhost"
    } else {
        "tauri://localhost"
    }
}

/// Asserts a refusal with that code; its message.
pub(crate) fn refused(answer: Result<Value, Value>, code: &str) -> String {
    let error = answer.expect_err("this must be refused");
    assert_eq!(error["code"], code, "{error}");
    assert!(
        error["recovery"].is_string(),
        "a refusal names a way out: {error}"
    );
    text(&error["message"])
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn record(app: &App<MockRuntime>, told: Sender<Value>, went_out: Arc<Mutex<Vec<String>>>) {
    app.listen_any(notices::EVENT, move |event| {
        // Looked at when the test ends: a panic here would be nobody's.
        went_out.lock().unwrap().push(event.payload().to_owned());
        // A test that has ended hears nothing.
        let _ = told.send(serde_json::from_str(event.payload()).unwrap());
    });
}

/// What the event loop does first: the app's set-up.
#[expect(
    deprecated,
    reason = "the mock's event loop never returns; one turn of it is what a test needs"
)]
fn start(app: &mut App<MockRuntime>) {
    app.run_iteration(|_, _| {});
}

/// A keychain in memory, which this computer may lack for a while.
#[derive(Clone)]
pub(crate) struct Keychain {
    store: Arc<keyring::CredentialStore>,
    pub(crate) is_there: Arc<AtomicBool>,
}

impl Keychain {
    fn new() -> Self {
        Self {
            store: keyring::mock::Store::new().unwrap(),
            is_there: Arc::new(AtomicBool::new(true)),
        }
    }

    fn open(&self) -> keyring::Result<Arc<keyring::CredentialStore>> {
        if self.is_there.load(Ordering::SeqCst) {
            Ok(self.store.clone())
        } else {
            Err(keyring::Error::NoDefaultStore)
        }
    }
}

fn world(
    sandbox: &Sandbox,
    folder: &tempfile::TempDir,
    keychain: &Keychain,
    clock: &WallClock,
    (opened, starts_none): (Arc<Mutex<Vec<String>>>, Arc<AtomicBool>),
) -> World {
    let (eventbrite, luma) = (
        origins(&sandbox.eventbrite().api_url(), &sandbox.eventbrite().oauth_url()),
        origins(&sandbox.luma().api_url(), &sandbox.luma().oauth_url()),
    );
    let (keychain, clock) = (keychain.clone(), clock.clone());
    let path = folder.path().to_path_buf();
    World {
        data_dir: folder.path().display().to_string(),
        open_ports: Arc::new(move |notices| ports(&path, &eventbrite, &luma, &keychain, &clock, notices)),
        open_address: Arc::new(move |address| {
            if starts_none.load(Ordering::SeqCst) {
                return Err(std::io::ErrorKind::NotFound.into());
            }
            opened.lock().unwrap().push(address.to_owned());
            Ok(())
        }),
    }
}

fn ports(
    path: &std::path::Path,
    eventbrite: &Origins,
    luma: &Origins,
    keychain: &Keychain,
    clock: &WallClock,
    notices: Arc<dyn Notices>,
) -> Result<Ports, CommandError> {
    let folder = DataFolder::open(path)?;
    let store = SqliteStore::open(&folder)?;
    let clock = Arc::new(clock.clone());
    let keychain = keychain.clone();
    let vault = KeychainVault::with_store("ipc", Arc::new(move || keychain.open()), Deadlines::default());
    Ok(Ports {
        store: Arc::new(store),
        vault: Arc::new(vault),
        eventbrite: Arc::new(EventbriteApi::new(eventbrite.clone(), &luma.api, clock.clone())?),
        luma: Arc::new(LumaApi::new(luma.clone(), &eventbrite.api, clock.clone())?),
        eventbrite_oauth: Arc::new(OauthClient::eventbrite(
            &eventbrite.oauth,
            &luma.api,
            clock.clone(),
        )?),
        luma_oauth: Arc::new(OauthClient::luma(&luma.oauth, &eventbrite.api, clock.clone())?),
        sign_ins: Arc::default(),
        clock,
        locks: Arc::new(folder),
        notices,
    })
}

fn origins(api: &str, oauth: &str) -> Origins {
    Origins {
        api: Origin::parse(api).unwrap(),
        oauth: Origin::parse(oauth).unwrap(),
    }
}
