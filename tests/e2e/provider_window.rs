//! The provider's page in a window that WebDriver cannot see, because its data store is its own: found and used by the
//! screen's own means, as a person does.

use crate::screen::Computer;
use std::process::Command;
use std::time::{Duration, Instant};

/// A picture of one colour is much smaller than one with words.
const LEAST_OF_A_PAGE: u64 = 3_000;
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct ProviderWindow<'a> {
    computer: &'a Computer,
    id: String,
}

impl<'a> ProviderWindow<'a> {
    /// Waits for a window in whose title these words stand.
    pub(crate) fn titled(computer: &'a Computer, words: &str) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(id) = windows(computer, words).into_iter().next() {
                return Self { computer, id };
            }
            assert!(
                Instant::now() < deadline,
                "no window is titled {words:?}; there are {:?}",
                titles(computer)
            );
            std::thread::yield_now();
        }
    }

    /// Presses keys one after another, by their X names.
    pub(crate) fn keys(&self, keys: &[&str]) {
        // Without a window manager nobody else gives the focus.
        let mut command = self.xdotool();
        command.args(["windowfocus", "--sync", &self.id]);
        for key in keys {
            command.args(["key", "--delay", "60", key]);
        }
        let status = command
            .status()
            .expect("xdotool runs (`cargo xtask test` installs it)");
        assert!(status.success(), "the keys {keys:?} could not be pressed");
    }

    /// Keeps a picture of the window as an artifact once its page is painted, where the tool for it is there.
    pub(crate) fn picture(&self, name: &str) {
        let folder = crate::screen::pictures();
        std::fs::create_dir_all(&folder).expect("a folder for pictures can be made");
        let file = folder.join(format!("{name}.png"));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let taken = Command::new("import")
                .env("DISPLAY", self.computer.display())
                .args(["-window", &self.id])
                .arg(&file)
                .status();
            let is_blank = std::fs::metadata(&file).is_ok_and(|file| file.len() < LEAST_OF_A_PAGE);
            if taken.is_err() || !is_blank {
                return;
            }
            assert!(Instant::now() < deadline, "the provider's page must be painted");
        }
    }

    /// Waits until the window is gone.
    pub(crate) fn closes(self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while windows(self.computer, words).contains(&self.id) {
            assert!(Instant::now() < deadline, "the window {words:?} must close");
            std::thread::yield_now();
        }
    }

    fn xdotool(&self) -> Command {
        xdotool(self.computer)
    }
}

fn xdotool(computer: &Computer) -> Command {
    let mut command = Command::new("xdotool");
    command.env("DISPLAY", computer.display());
    command
}

/// Drags with the pointer from one place on the main window's page to another, and lets go there.
pub(crate) fn drags(computer: &Computer, from: (f64, f64), to: (f64, f64)) {
    let id = windows(computer, "^TalkValue Sync$")
        .into_iter()
        .next()
        .expect("the main window shows");
    let whole = |value: f64| format!("{value:.0}");
    let mut pointer = xdotool(computer);
    pointer.args([
        "mousemove",
        "--sync",
        "--window",
        &id,
        &whole(from.0),
        &whole(from.1),
    ]);
    pointer.args(["mousedown", "1"]);
    // A drag begins once the pointer has gone some way.
    for step in 1..=10 {
        let part = f64::from(step) / 10.0;
        let x = from.0 + (to.0 - from.0) * part;
        let y = from.1 + (to.1 - from.1) * part;
        pointer.args([
            "mousemove",
            "--window",
            &id,
            &whole(x),
            &whole(y),
            "sleep",
            "0.05",
        ]);
    }
    pointer.args(["mouseup", "1"]);
    let status = pointer
        .status()
        .expect("xdotool runs (`cargo xtask test` installs it)");
    assert!(status.success(), "the pointer could not be moved");
}

/// How many windows show on the screen.
pub(crate) fn how_many(computer: &Computer) -> usize {
    windows(computer, ".").len()
}

fn windows(computer: &Computer, words: &str) -> Vec<String> {
    let found = xdotool(computer)
        .args(["search", "--onlyvisible", "--name", words])
        .output()
        .expect("xdotool runs (`cargo xtask test` installs it)");
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    text.lines().map(str::to_owned).collect()
}

fn titles(computer: &Computer) -> Vec<String> {
    windows(computer, ".")
        .into_iter()
        .map(|id| {
            let name = xdotool(computer).args(["getwindowname", &id]).output();
            name.map(|name| String::from_utf8_lossy(&name.stdout).trim().to_owned())
                .unwrap_or_default()
        })
        .collect()
}
