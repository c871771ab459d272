//! `tvsync` of one computer that signed in to a simulated Luma.

use crate::tvsync::{Computer, text};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use talkvalue_sandbox::keychain::KeychainState;
use talkvalue_sandbox::{EventSpec, Luma, Oauth, OauthDialect, Sandbox};
use url::Url;

/// The exit code of a process that finds no keychain.
pub(super) const NO_KEYCHAIN: i32 = 6;

pub(super) struct Ground {
    pub(super) sandbox: Sandbox,
    pub(super) computer: Computer,
    pub(super) oauth: Oauth,
    pub(super) integration: String,
    pub(super) item: String,
    /// How long renewed tokens were in memory only, in microseconds.
    pub(super) saved_after_us: Vec<u64>,
    /// GNOME's keychain now and then dies; its session starts it again.
    pub(super) keychains_died: u64,
}

/// More than this are no mishaps.
const MOST_KEYCHAINS: u64 = 20;

/// How one process ended.
pub(super) struct Ended {
    /// `None` where it was killed.
    pub(super) code: Option<i32>,
    stdout: String,
}

impl Ended {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or(Value::Null)
    }
}

impl Ground {
    pub(super) fn open(seed: u64, dialect: OauthDialect) -> Self {
        let sandbox = Sandbox::builder().seed(seed).start_blocking().unwrap();
        let luma = sandbox.luma();
        luma.unlimited();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let event = luma.add_event(&calendar.id, EventSpec::new("Spring Repair Cafe"));
        luma.add_guests(&event, 12);
        let oauth = luma.oauth();
        oauth.speaks(dialect);
        oauth.approves_as(&calendar.id);
        oauth.switches(|switches| switches.any_redirect_port = true);
        let mut computer = Computer::with(&sandbox, KeychainState::Unlocked);
        computer.set("TALKVALUE_LUMA_OAUTH_URL", &oauth.url());
        fs::create_dir(computer.folder.path().join("logs")).unwrap();
        let mut ground = Self {
            sandbox,
            computer,
            oauth,
            integration: String::new(),
            item: String::new(),
            saved_after_us: Vec::new(),
            keychains_died: 0,
        };
        ground.integration = ground.signs_in();
        let words = [
            "import",
            &ground.integration,
            &event,
            "--as",
            "badge-event",
            "--json",
        ];
        let imported = ground.computer.run(&words).exits(0).json();
        ground.item = text(&imported, "id");
        ground
    }

    /// A process has found that the keychain died: whoever comes next finds it started again.
    pub(super) fn restarts_keychain(&mut self) {
        self.keychains_died += 1;
        assert!(self.keychains_died <= MOST_KEYCHAINS, "no keychain stays alive");
        self.computer.keychain.restart().unwrap();
    }

    pub(super) fn luma(&self) -> Luma {
        self.sandbox.luma()
    }

    /// Signs in through a browser that allows it at once.
    pub(super) fn signs_in(&self) -> String {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let app = self.oauth.app().client_id;
        let words = ["connect", "luma", "--oauth", "--client-id", &app];
        let words = [&words[..], &["--redirect-port", &port, "--no-browser", "--json"]].concat();
        let mut child = self.computer.start(&words);
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the address must be told");
            if let Some(address) = line.trim().strip_prefix("Open: ") {
                break address.to_owned();
            }
        };
        browse(&address);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        self.computer.assert_not_said("stderr", rest.as_bytes());
        let ended = self.computer.finish(child).exits(0);
        text(&ended.json(), "id")
    }

    /// Starts a process that writes everything it could log.
    pub(super) fn starts(&self, name: &str, words: &[&str]) -> Child {
        let log = fs::File::create(self.log(name)).unwrap();
        self.computer
            .command(words)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Waits for its end, and looks at all that it said.
    pub(super) fn ends(&mut self, name: &str, child: Child) -> Ended {
        let output = child.wait_with_output().unwrap();
        let log = fs::read(self.log(name)).unwrap();
        self.computer.assert_not_said("the log", &log);
        self.computer.assert_not_said("stdout", &output.stdout);
        let log = String::from_utf8_lossy(&log);
        let times = log.split("saved_after_us=").skip(1);
        self.saved_after_us.extend(times.filter_map(|rest| {
            let end = rest.find(|sign: char| !sign.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse::<u64>().ok()
        }));
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
        }
    }

    pub(super) fn runs(&mut self, words: &[&str]) -> Ended {
        let child = self.starts("one", words);
        self.ends("one", child)
    }

    pub(super) fn log_of(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.log(name)).unwrap()).into_owned()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.computer.folder.path().join("logs").join(name)
    }

    /// What must hold at the end, whatever happened.
    pub(super) fn sweeps(&self) {
        self.computer.sweep();
    }
}

/// A browser that follows one redirect: the person has allowed it before.
fn browse(address: &str) {
    let page = get(&Url::parse(address).unwrap());
    let target = page
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap_or_else(|| panic!("the page must redirect at once: {page}"));
    let shown = get(&Url::parse(target.trim()).unwrap());
    assert!(
        shown.starts_with("HTTP/1.1 200"),
        "the person must be told that it is done: {shown}"
    );
}

fn get(url: &Url) -> String {
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut server = TcpStream::connect((host, port)).unwrap();
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    write!(
        server,
        "GET {path}?{query} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}
