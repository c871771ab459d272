//! `cargo xtask test`: everything that continuous integration runs, as named steps. A failed step does not stop the
//! others: one run shows all that is wrong. What this system or `--fast` leaves out is said by name.

mod dependencies;
mod hygiene;
mod imports;
mod versions;
mod window;

use std::env;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::install::{self, Need};
use crate::repository::Repository;
use crate::{process, terminal};

/// How a step ended, when it could be run at all.
pub(crate) enum Outcome {
    Passed,
    /// Not run, and why.
    Skipped(&'static str),
}

/// What the steps are run on, and how thoroughly.
struct Run<'a> {
    repository: &'a Repository,
    fast: bool,
}

struct Step {
    name: &'static str,
    run: fn(&Run<'_>) -> anyhow::Result<Outcome>,
}

/// In this order: what is quick to tell first, and the window's files before the program that embeds them.
const STEPS: [Step; 13] = [
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "repository hygiene",
        run: |run| hygiene::check(run.repository),
    },
    Step {
        name: "minimum versions",
        run: |run| versions::check(run.repository),
    },
    Step {
        name: "imports",
        run: |run| imports::check(run.repository),
    },
    Step {
        name: "dependency rules",
        run: |run| dependencies::check(run.repository, run.fast),
    },
    Step {
        name: "window files: install",
        run: install_window_files,
    },
    Step {
        name: "window files: check",
        run: |run| npm(run, &["run", "check"]),
    },
    Step {
        name: "window files: tests",
        run: |run| {
            if run.fast {
                return Ok(Outcome::Skipped("--fast: the window's own tests"));
            }
            npm(run, &["test"])
        },
    },
    Step {
        name: "window files: in a browser",
        run: window_files_in_a_browser,
    },
    Step {
        name: "window files: build",
        run: |run| npm(run, &["run", "build"]),
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "tests",
        run: tests,
    },
    Step {
        name: "window opens, paints, quits",
        run: |run| window::check(run.repository, run.fast),
    },
];

/// How one step ended and how long it took.
struct Report {
    name: &'static str,
    time: Duration,
    result: anyhow::Result<Outcome>,
}

/// Installs what is missing, runs every step, and sums up. Fails if any step did.
pub(crate) fn run(repository: &Repository, fast: bool) -> anyhow::Result<ExitCode> {
    install::rust_components(repository)?;
    install::system(&[
        Need::Compiler,
        Need::WebView,
        Need::Keychain,
        Need::Screen,
        Need::Driver,
        Need::Recorder,
    ])?;
    install::node()?;
    if cfg!(target_os = "linux") {
        install::tauri_driver(repository)?;
    }
    let run = Run { repository, fast };
    let reports: Vec<Report> = STEPS.iter().map(|step| report(step, &run)).collect();
    println!("\n{}", summary(&reports));
    let failed = reports.iter().any(|report| report.result.is_err());
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn report(step: &Step, run: &Run<'_>) -> Report {
    println!("\n{}", terminal::heading(&format!("── {} ──", step.name)));
    let started = Instant::now();
    let result = (step.run)(run);
    let time = started.elapsed();
    match &result {
        Ok(Outcome::Passed) => {}
        Ok(Outcome::Skipped(reason)) => println!("{}", terminal::careful(&format!("skipped: {reason}"))),
        Err(error) => println!("{}", terminal::bad(&format!("failed: {error:#}"))),
    }
    Report {
        name: step.name,
        time,
        result,
    }
}

/// The closing table, and the line that machines read.
fn summary(reports: &[Report]) -> String {
    let mut lines = Vec::new();
    let [mut passed, mut failed, mut skipped] = [0_usize; 3];
    for report in reports {
        let time = terminal::duration(report.time);
        let (mark, note) = match &report.result {
            Ok(Outcome::Passed) => {
                passed += 1;
                (terminal::good("passed "), String::new())
            }
            Ok(Outcome::Skipped(reason)) => {
                skipped += 1;
                (terminal::careful("skipped"), format!("  {reason}"))
            }
            Err(error) => {
                failed += 1;
                let sentence = error.to_string();
                (
                    terminal::bad("failed "),
                    format!("  {}", sentence.lines().next().unwrap_or_default()),
                )
            }
        };
        lines.push(format!("{mark}  {:<28} {time:>12}{note}", report.name));
    }
    let total: Duration = reports.iter().map(|report| report.time).sum();
    lines.push(format!("{} in all.", terminal::duration(total)));
    lines.push(format!("{passed} passed, {failed} failed, {skipped} skipped"));
    lines.join("\n")
}

fn format(run: &Run<'_>) -> anyhow::Result<Outcome> {
    process::run(&mut run.repository.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn clippy(run: &Run<'_>) -> anyhow::Result<Outcome> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ];
    process::run(&mut run.repository.cargo(&arguments))?;
    Ok(Outcome::Passed)
}

/// The programs first: the flow tests run the real `tvsync` and the sandbox from cargo's target folder. They are built
/// for the same packages and targets, and so with the same features, as the tests; else cargo builds the tree twice.
fn tests(run: &Run<'_>) -> anyhow::Result<Outcome> {
    let mut build = run
        .repository
        .cargo(&["build", "--workspace", "--all-targets", "--locked"]);
    if cfg!(windows) {
        // Windows lets nobody overwrite a running program, and xtask is the one that runs.
        build.args(["--exclude", "xtask"]);
    }
    process::run(&mut build)?;

    let mut test = run
        .repository
        .cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    if run.fast {
        println!(
            "{}",
            terminal::careful(
                "skipped: tests named slow_…, and the targets tvsync, ipc, e2e and the sandbox's own (--fast)"
            )
        );
        test.args([
            "--lib", "--bins", "--test", "domain", "--test", "contract", "--test", "storage", "--test",
            "power", "--test", "flows",
        ]);
        test.args(["--", "--skip", "slow_"]);
    }
    process::run(&mut test)?;
    Ok(Outcome::Passed)
}

/// `npm ci` empties the folder first, so a `--fast` run keeps one that is as the lock file says.
fn install_window_files(run: &Run<'_>) -> anyhow::Result<Outcome> {
    if run.fast && install::node_modules_are_current(&run.repository.root().join("ui")) {
        return Ok(Outcome::Skipped("--fast: node_modules is as the lock file says"));
    }
    npm(run, &["ci", "--no-audit", "--no-fund"])
}

/// What only a real engine shows: contrast, layout, focus, and what the window's policy refuses.
fn window_files_in_a_browser(run: &Run<'_>) -> anyhow::Result<Outcome> {
    if run.fast {
        return Ok(Outcome::Skipped("--fast: the screens in Chromium"));
    }
    let Some(chromium) = install::browser()? else {
        return Ok(Outcome::Skipped("no Chromium here; set CHROMIUM to one"));
    };
    let mut npm = npm_command(run, &["run", "test:browser"]);
    npm.env("CHROMIUM", chromium);
    process::run(&mut npm)?;
    Ok(Outcome::Passed)
}

fn npm(run: &Run<'_>, arguments: &[&str]) -> anyhow::Result<Outcome> {
    process::run(&mut npm_command(run, arguments))?;
    Ok(Outcome::Passed)
}

fn npm_command(run: &Run<'_>, arguments: &[&str]) -> Command {
    let mut npm = Command::new(install::npm_program());
    npm.args(arguments).current_dir(run.repository.root().join("ui"));
    // Without this some tools draw over their lines although nobody watches.
    if env::var_os("CI").is_some() {
        npm.env("NO_COLOR", "1");
    }
    npm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_names_every_step_and_closes_with_the_counts() {
        let report = |name, result| Report {
            name,
            time: Duration::from_secs(1),
            result,
        };
        let reports = [
            report("format", Ok(Outcome::Passed)),
            report(
                "clippy",
                Err(anyhow::anyhow!("two lints").context("`cargo clippy` ended with exit code 1")),
            ),
            report("window", Ok(Outcome::Skipped("needs Linux"))),
        ];
        let summary = summary(&reports);
        for part in ["format", "clippy", "exit code 1", "window", "needs Linux"] {
            assert!(summary.contains(part), "{part} is missing from:\n{summary}");
        }
        assert_eq!(
            summary.lines().last(),
            Some("1 passed, 1 failed, 1 skipped"),
            "machines read the last line, so nothing may stand beside the counts"
        );
    }
}
