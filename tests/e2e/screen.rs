//! The real window on a screen of its own: Xvfb, a private keychain, tauri-driver and WebKit's driver. What is started
//! here ends with the test.

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};

/// How long a fact may take to show.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends its process when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A computer with a screen: where the app runs, is quit and started again.
pub(crate) struct Computer {
    pub(crate) keychain: PrivateKeychain,
    pub(crate) folder: tempfile::TempDir,
    _screen: Running,
    display: String,
}

impl Computer {
    pub(crate) fn start(state: KeychainState) -> Self {
        let mut screen = Command::new("Xvfb")
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
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts (`cargo xtask test` installs it)");
        let mut number = String::new();
        let stdout = screen.stdout.take().expect("its output is piped");
        BufReader::new(stdout)
            .read_line(&mut number)
            .expect("Xvfb names its display");
        Self {
            keychain: PrivateKeychain::start(state).expect("a private keychain starts"),
            folder: tempfile::tempdir().expect("a folder can be made"),
            _screen: Running(screen),
            display: format!(":{}", number.trim()),
        }
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the app and waits until its page answers.
    pub(crate) async fn open(&self, sandbox: &Sandbox) -> Window {
        let (port, native_port) = (free_port(), free_port());
        let mut driver = Command::new("tauri-driver");
        self.keychain.apply_to(&mut driver);
        driver
            .args([
                "--port",
                &port.to_string(),
                "--native-port",
                &native_port.to_string(),
            ])
            .env("DISPLAY", &self.display)
            .env("TALKVALUE_DATA_DIR", self.data_dir())
            .env("TALKVALUE_VAULT_SERVICE", "com.talkvalue.sync.e2e")
            .env("TALKVALUE_EVENTBRITE_API_URL", sandbox.eventbrite().api_url())
            .env("TALKVALUE_LUMA_API_URL", sandbox.luma().api_url())
            .env("TZ", "UTC")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let driver = Running(
            driver
                .spawn()
                .expect("tauri-driver starts (`cargo xtask test` installs it)"),
        );
        let capabilities = serde_json::json!({
            "browserName": "wry",
            "tauri:options": { "application": app() },
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
        Window {
            client,
            _driver: driver,
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// The app as built beside these tests.
fn app() -> PathBuf {
    let tests = std::env::current_exe().expect("this test has a path");
    let folder = tests
        .parent()
        .and_then(Path::parent)
        .expect("it lies in target/*/deps");
    folder.join("talkvalue-sync")
}

/// One run of the app, seen and used as a person would: by the words on it.
pub(crate) struct Window {
    pub(crate) client: Client,
    _driver: Running,
}

impl Window {
    /// Waits until an element is there. `what` names it in the failure.
    async fn find(&self, xpath: &str, what: &str) -> Element {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
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
                Err(error) => assert!(
                    Instant::now() < deadline,
                    "\"{words}\" cannot be pressed: {error}"
                ),
            }
        }
    }

    /// Picks the row of a list that holds these words.
    pub(crate) async fn choose(&self, words: &str) {
        let xpath = format!(
            "//*[@role='option'][contains(., \"{words}\")] | //*[@data-row][contains(@aria-label, \"{words}\")]"
        );
        let row = self.find(&xpath, &format!("the row \"{words}\"")).await;
        row.click().await.expect("the row can be picked");
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
        let xpath = format!("//body[contains(normalize-space(.), \"{words}\")]");
        self.find(&xpath, &format!("\"{words}\"")).await;
    }

    /// Asserts that the page does not say these words now.
    pub(crate) async fn does_not_see(&self, words: &str, why: &str) {
        let page = self.words().await;
        assert!(!page.contains(words), "{why}: the page says \"{words}\":\n{page}");
    }

    /// Keeps a picture of the window as an artifact, after two frames were drawn: before that it shows an old one.
    pub(crate) async fn picture(&self, name: &str) {
        let frames =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(1)))";
        let _ = self.client.execute_async(frames, Vec::new()).await;
        let png = self
            .client
            .screenshot()
            .await
            .expect("the window can be pictured");
        let folder = app()
            .parent()
            .map(|target| target.join("e2e-pictures"))
            .expect("the target folder");
        std::fs::create_dir_all(&folder).expect("a folder for pictures can be made");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("a picture can be written");
    }

    /// Ends the app.
    pub(crate) async fn quit(self) {
        let _ = self.client.close().await;
    }
}
