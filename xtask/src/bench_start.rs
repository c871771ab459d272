//! The second part of `cargo xtask bench`: from starting the app to its last-known list painted, beside a Tauri window
//! with one word, in turn on the same screen. From the start of each program until it says that what it was opened for is
//! painted, when it closes itself. Linux only, where a screen that nobody looks at can be had.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::install::{self, Need};
use crate::repository::{Profile, Repository};
use crate::{process, session, terminal};

/// Enough that the medians of two runs differ by less than the promise leaves room for.
const ROUNDS: usize = 31;

/// What both windows say at that moment.
const PAINTED: &str = "painted";

/// What the app's start may cost, in blank windows.
const AT_MOST: f64 = 1.3;

/// Much longer than a start takes, so that only a window that never paints reaches it.
const DEADLINE_SECS: &str = "60";

/// Starts in each state of the keychain, whose median is judged: none of them may wait for the keychain.
const ROUNDS_PER_KEYCHAIN: usize = 5;

/// What a start may take in any of them.
const AT_MOST_IN_ANY_STATE: Duration = Duration::from_secs(1);

/// Every state a desktop's keychain can be in, with what the sandbox's session is told to bring it about. Each session's
/// keychain has just been started, as after a restart.
const KEYCHAINS: [(&str, &[&str]); 6] = [
    ("unlocked", &[]),
    ("locked", &["--locked"]),
    ("with a prompt", &["--locked", "--with-display"]),
    ("none", &["--no-service"]),
    ("no bus", &["--absent"]),
    ("hung", &["--hung"]),
];

/// Builds, fills a data folder, and measures on a screen of its own: a person's desktop would be measured as well.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<ExitCode> {
    println!(
        "\n{}",
        terminal::heading("Start to the last-known list painted (1,000 items), beside a blank Tauri window.")
    );
    if !cfg!(target_os = "linux") {
        println!("{}", terminal::careful("skipped: needs Linux with Xvfb"));
        return Ok(ExitCode::SUCCESS);
    }
    build(repository)?;
    fill(repository)?;
    let ourselves = env::current_exe().context("this program does not know where it lies")?;
    let mut screen = Command::new("xvfb-run");
    screen.args(["-a", "-s", "-screen 0 1280x900x24 -nolisten tcp"]);
    screen
        .args(["dbus-run-session", "--"])
        .arg(ourselves)
        .args(["bench", "--on-screen"]);
    screen.env("CARGO_TARGET_DIR", repository.target());
    Ok(session::exit_code(process::status(&mut screen)?.code()))
}

/// The app as it is measured: it closes itself once its list is painted.
fn app<'a>(repository: &Repository, home: &'a Path) -> anyhow::Result<Window<'a>> {
    let mut app = Window::new(repository, "talkvalue-sync", home)?;
    app.arguments = vec![
        "--quit-when-painted".into(),
        "--data-dir".into(),
        data_folder(repository).into(),
    ];
    Ok(app)
}

/// Starts both windows in turn, so that a slow moment of this computer meets both, and prints the figures.
pub(crate) fn measure(repository: &Repository) -> anyhow::Result<ExitCode> {
    let home = repository.scratch("bench-window-home");
    let blank = Window::new(repository, "talkvalue-blank-window", &home)?;
    let app = app(repository, &home)?;
    for window in [&blank, &app] {
        // What the system has to read from the disk once is not the start's own cost.
        window.start()?;
    }
    let mut apps = Vec::new();
    let mut blanks = Vec::new();
    for _ in 0..ROUNDS {
        blanks.push(blank.start()?);
        apps.push(app.start()?);
    }
    println!("{ROUNDS} starts of each, in turn, after one that does not count; each until it is painted.\n");
    println!(
        "{:>13}  {:>9}  {:>9}  {:>9}  {:>7}",
        "window", "median", "fastest", "slowest", "ratio"
    );
    let (blank, app) = (Spread::of(blanks), Spread::of(apps));
    let ratio = app.median.as_secs_f64() / blank.median.as_secs_f64();
    println!("{}", blank.row("one word", None));
    println!("{}", app.row("1,000 items", Some(ratio)));
    let promise = format!("(the promise: at most {AT_MOST})");
    let kept = is_kept(ratio);
    println!(
        "{}",
        if kept {
            terminal::good(&promise)
        } else {
            terminal::bad(&promise)
        }
    );
    println!("\nThe same start by the keychain's state, {ROUNDS_PER_KEYCHAIN} times each:\n");
    let mut all_are_kept = kept;
    for (state, session) in KEYCHAINS {
        all_are_kept &= start_with_keychain(repository, state, session)?;
    }
    if !kept {
        eprintln!(
            "{} the start with 1,000 items took {ratio:.2} times that of a blank window; the promise is at most {AT_MOST}.",
            terminal::bad("Missed:")
        );
    }
    Ok(if all_are_kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn is_kept(ratio: f64) -> bool {
    ratio <= AT_MOST
}

/// Runs this program once more, in a session whose keychain is in that state. Whether the promise was kept.
fn start_with_keychain(repository: &Repository, state: &str, wishes: &[&str]) -> anyhow::Result<bool> {
    let ourselves = env::current_exe().context("this program does not know where it lies")?;
    let mut session = Command::new(repository.program("talkvalue-sandbox", Profile::Release));
    session.arg("session").args(wishes).args(["--", "env"]);
    // The keychain may have no screen to ask on; the window needs one all the same.
    for name in ["DISPLAY", "XAUTHORITY"] {
        if let Ok(value) = env::var(name) {
            session.arg(format!("{name}={value}"));
        }
    }
    session
        .arg(ourselves)
        .args(["bench", "--on-screen", "--keychain", state]);
    let status = process::status(session.env("CARGO_TARGET_DIR", repository.target()))?;
    Ok(status.success())
}

/// One line: the starts with the keychain that is there now. Too slow a median is a failure.
pub(crate) fn measure_with_keychain(repository: &Repository, state: &str) -> anyhow::Result<ExitCode> {
    let home = repository.scratch("bench-window-home");
    let app = app(repository, &home)?;
    app.start()?;
    let starts: anyhow::Result<Vec<Duration>> = (0..ROUNDS_PER_KEYCHAIN).map(|_| app.start()).collect();
    let spread = Spread::of(starts?);
    println!("{}", spread.row(state, None));
    if spread.median <= AT_MOST_IN_ANY_STATE {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "{} with this keychain ({state}) the start took more than the second that is promised.",
        terminal::bad("Missed:")
    );
    Ok(ExitCode::FAILURE)
}

/// The window's files first, as the app embeds them.
fn build(repository: &Repository) -> anyhow::Result<()> {
    install::system(&[Need::Compiler, Need::WebView, Need::Screen, Need::Keychain])?;
    install::node()?;
    let window_files = repository.root().join("ui");
    if !install::node_modules_are_current(&window_files) {
        process::run(npm(&["ci", "--no-audit", "--no-fund"]).current_dir(&window_files))?;
    }
    process::run(npm(&["run", "build"]).current_dir(&window_files))?;
    process::run(&mut repository.cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "talkvalue-sync",
        "-p",
        "talkvalue-blank-window",
        "--features",
        "tauri/custom-protocol",
    ]))?;
    process::run(&mut repository.cargo(&["build", "--release", "--locked", "-p", "talkvalue-sandbox"]))
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new(install::npm_program());
    command.args(arguments);
    command
}

fn data_folder(repository: &Repository) -> PathBuf {
    repository.scratch("bench-lists")
}

/// Anew in each run: its lists are as old as the run, and so shown as they would be that day.
fn fill(repository: &Repository) -> anyhow::Result<()> {
    let folder = data_folder(repository);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("the last measurement's data folder could not be removed")?;
    }
    let mut fill = repository.cargo(&["run", "--quiet", "--locked", "-p", "talkvalue-tests"]);
    fill.args(["--example", "fill_data_folder", "--"]).arg(&folder);
    process::run(&mut fill)
}

/// A program that opens a window and closes it once painted.
struct Window<'a> {
    program: PathBuf,
    arguments: Vec<OsString>,
    home: &'a Path,
}

impl<'a> Window<'a> {
    fn new(repository: &Repository, name: &str, home: &'a Path) -> anyhow::Result<Self> {
        fs::create_dir_all(home.join("runtime"))
            .with_context(|| format!("{} could not be made", home.display()))?;
        Ok(Self {
            program: repository.program(name, Profile::Release),
            arguments: Vec::new(),
            home,
        })
    }

    fn start(&self) -> anyhow::Result<Duration> {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", DEADLINE_SECS])
            .arg(&self.program)
            .args(&self.arguments)
            .env("HOME", self.home)
            .env("XDG_RUNTIME_DIR", self.home.join("runtime"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        for (name, folder) in [
            ("XDG_DATA_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(name, self.home.join(folder));
        }
        let started = Instant::now();
        let mut program = command
            .spawn()
            .with_context(|| format!("`{}` could not be started", process::describe(&command)))?;
        let said = program.stdout.take().context("its output is piped")?;
        let is_painted = BufReader::new(said)
            .lines()
            .any(|line| line.is_ok_and(|line| line == PAINTED));
        let painted = is_painted.then(|| started.elapsed());
        let status = program.wait()?;
        match painted {
            Some(time) if status.success() => Ok(time),
            _ => bail!(
                "`{}` {}",
                process::describe(&command),
                process::how_it_ended(status)
            ),
        }
    }
}

/// What many starts of one window took.
struct Spread {
    median: Duration,
    fastest: Duration,
    slowest: Duration,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self {
            median: times[times.len() / 2],
            fastest: times[0],
            slowest: times[times.len() - 1],
        }
    }

    fn row(&self, name: &str, ratio: Option<f64>) -> String {
        let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
        format!(
            "{name:>13}  {:>9}  {:>9}  {:>9}  {:>7}",
            seconds(self.median),
            seconds(self.fastest),
            seconds(self.slowest),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_above_the_promise_is_a_failure() {
        assert!(is_kept(0.9) && is_kept(AT_MOST), "as quick as promised is kept");
        for ratio in [AT_MOST + 0.01, 2.0, f64::INFINITY, f64::NAN] {
            assert!(!is_kept(ratio), "{ratio} is no promise kept");
        }
    }

    #[test]
    fn one_slow_start_decides_nothing_and_is_still_shown() {
        let spread = Spread::of([700, 5_000, 600].map(Duration::from_millis).to_vec());
        assert_eq!(
            spread.median,
            Duration::from_millis(700),
            "the middle start counts"
        );
        let row = spread.row("one word", Some(1.234));
        for part in ["0.700 s", "0.600 s", "5.000 s", "1.23"] {
            assert!(
                row.contains(part),
                "who reads the figure must see how it spreads: {part} in {row}"
            );
        }
    }
}
