//! The provider's page in a window that WebDriver cannot see, because its data store is its own: found and used by the
//! screen's own means, as a person does.

use crate::screen::Computer;
use std::process::{Command, ExitStatus};
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
            // Of a run before there may be one already, which shows nothing of this.
            let is_page = |taken: ExitStatus| {
                taken.success() && std::fs::metadata(&file).is_ok_and(|file| file.len() >= LEAST_OF_A_PAGE)
            };
            if taken.map_or(true, is_page) {
                return;
            }
            assert!(Instant::now() < deadline, "the provider's page must be painted");
        }
    }

    /// Drags with the pointer from a place on this window, in parts of its width and height, to the main window's lower
    /// left corner, which this one does not cover, and lets go there.
    pub(crate) fn drags_to_main(&self, (across, down): (f64, f64)) {
        let place = |id: &str| -> [f64; 4] {
            let told = self.xdotool().args(["getwindowgeometry", "--shell", id]).output();
            let told = String::from_utf8_lossy(&told.expect("xdotool runs").stdout).into_owned();
            let number = |name: &str| {
                let line = told.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|number| number.parse().ok())
                    .expect("a window has a place")
            };
            ["X=", "Y=", "WIDTH=", "HEIGHT="].map(number)
        };
        let [x, y, width, height] = place(&self.id);
        let from = (x + width * across, y + height * down);
        let main = windows(self.computer, "^TalkValue Sync$");
        let [x, y, _, height] = place(main.first().expect("the main window shows"));
        let to = (x + 30.0, y + height - 60.0);
        let mut pointer = self.xdotool();
        let mut moves = |part: f64| {
            let at = |from: f64, to: f64| format!("{:.0}", from + (to - from) * part);
            let at = [at(from.0, to.0), at(from.1, to.1)];
            pointer.args(["mousemove", &at[0], &at[1], "sleep", "0.05"]);
            if part == 0.0 {
                pointer.args(["mousedown", "1"]);
            }
        };
        // A drag begins once the pointer has gone some way.
        for step in 0..=10 {
            moves(f64::from(step) / 10.0);
        }
        let status = pointer
            .args(["sleep", "0.2", "mouseup", "1"])
            .status()
            .expect("xdotool runs (`cargo xtask test` installs it)");
        assert!(status.success(), "the pointer could not be moved");
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
