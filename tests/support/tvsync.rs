//! The built `tvsync`, run with a data folder, a keychain and a temp folder of its own.

use crate::loopback::browse;
use crate::oauth::redirected;
use crate::sweep::{Secrets, assert_nothing_found};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};

/// One person's computer: where tvsync keeps its data and secrets.
pub struct Computer {
    pub keychain: PrivateKeychain,
    pub folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    secrets: Secrets,
}

/// What one run printed, and how it ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The one JSON document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout must hold one JSON document ({error}): {self:?}"))
    }

    /// Asserts the exit code, with everything that was printed if it is another.
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "the exit code must be {code}: {self:?}");
        self
    }
}

impl Computer {
    pub fn with(sandbox: &Sandbox, state: KeychainState) -> Self {
        let keychain = PrivateKeychain::start(state).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        let variables = vec![
            (
                "TALKVALUE_EVENTBRITE_API_URL".to_owned(),
                sandbox.eventbrite().api_url(),
            ),
            ("TALKVALUE_LUMA_API_URL".to_owned(), sandbox.luma().api_url()),
            (
                "TALKVALUE_EVENTBRITE_OAUTH_URL".to_owned(),
                sandbox.eventbrite().oauth_url(),
            ),
            ("TALKVALUE_LUMA_OAUTH_URL".to_owned(), sandbox.luma().oauth_url()),
            (
                "TALKVALUE_VAULT_SERVICE".to_owned(),
                "com.talkvalue.sync.test".to_owned(),
            ),
            (
                "TMPDIR".to_owned(),
                folder.path().join("tmp").display().to_string(),
            ),
        ];
        Self {
            keychain,
            folder,
            variables,
            secrets: Secrets::of(sandbox),
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(own, _)| own != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(binary());
        self.keychain.apply_to(&mut command);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command.env("TALKVALUE_DATA_DIR", self.data_dir());
        // Everything that could be logged is logged, for the leak sweep.
        command.env("TALKVALUE_LOG", "trace");
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts tvsync and does not wait for it.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Child {
        let mut child = self.command(arguments).spawn().unwrap();
        drop(child.stdin.take());
        child
    }

    /// Runs tvsync to its end. Its outputs and the data folder are swept for credentials.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        self.run_with_input(arguments, "")
    }

    pub fn run_with_input<A: AsRef<OsStr>>(&self, arguments: &[A], input: &str) -> Run {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        self.finish(child)
    }

    pub fn finish(&self, child: Child) -> Run {
        let output = child.wait_with_output().unwrap();
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            self.secrets.assert_not_said(name, bytes);
        }
        self.sweep();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts `connect … --oauth`, and waits until it names the page to open.
    pub fn signs_in(&self, arguments: &[&str], input: &str) -> SigningIn {
        let mut child = self.command(arguments).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let mut signing_in = SigningIn {
            stderr: BufReader::new(child.stderr.take().unwrap()),
            told: String::new(),
            child,
        };
        signing_in.tells("Open: ");
        signing_in
    }

    /// The same to its end, with a browser in which the provider's page was answered already.
    pub fn signed_in(&self, arguments: &[&str], input: &str) -> Run {
        let signing_in = self.signs_in(arguments, input);
        signing_in.browses();
        signing_in.ends(self)
    }

    /// Asserts that no credential stands in the data folder or the temp folder.
    pub fn sweep(&self) {
        assert_nothing_found(&self.secrets.below(self.folder.path()));
    }

    /// Asserts the same of what was printed elsewhere. `what` names it in the failure.
    pub fn assert_not_said(&self, what: &str, said: &[u8]) {
        self.secrets.assert_not_said(what, said);
    }

    /// Connects an account and answers with the integration's id.
    pub fn connect_eventbrite(&self, token: &str) -> String {
        let run = self
            .run_with_input(&["connect", "eventbrite", "--token-stdin", "--json"], token)
            .exits(0);
        text(&run.json(), "id")
    }

    pub fn connect_luma(&self, key: &str) -> String {
        let run = self
            .run_with_input(&["connect", "luma", "--key-stdin", "--json"], key)
            .exits(0);
        text(&run.json(), "id")
    }
}

/// A `connect … --oauth` that waits for its answer.
pub struct SigningIn {
    pub child: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
}

impl SigningIn {
    /// Waits for a line on standard error that begins so, and answers with its rest.
    pub fn tells(&mut self, beginning: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.stderr.read_line(&mut line).unwrap() > 0,
                "it must tell {beginning:?}, but ended with {}",
                self.told
            );
            self.told.push_str(&line);
            if let Some(rest) = line.trim_end().strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }

    /// The page that the person is to open.
    pub fn address(&self) -> &str {
        let mut lines = self.told.lines().filter_map(|line| line.strip_prefix("Open: "));
        lines.next().unwrap()
    }

    /// A browser shows the provider's page, which redirects at once, and follows.
    pub fn browses(&self) {
        let page = block_on(async { browse(&redirected(self.address()).await).await });
        let page = page.expect("the listener must answer");
        assert_eq!(page.status, 200);
        assert!(page.body.ends_with("</html>"), "the page must be whole: {page:?}");
    }

    /// What it printed in all, and how it ended; swept for credentials.
    pub fn ends(mut self, computer: &Computer) -> Run {
        self.stderr.read_to_string(&mut self.told).unwrap();
        computer.assert_not_said("stderr", self.told.as_bytes());
        let mut run = computer.finish(self.child);
        run.stderr = self.told;
        run
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// A member that must be text.
pub fn text(value: &Value, member: &str) -> String {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} must be text in {value}"))
        .to_owned()
}

/// tvsync as built beside these tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(Path::parent).unwrap();
    let binary = folder.join("tvsync");
    assert!(
        binary.is_file(),
        "{} is not built yet: `cargo build -p talkvalue-cli` first (`cargo xtask test` does)",
        binary.display()
    );
    binary
}
