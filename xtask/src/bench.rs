//! `cargo xtask bench`: what an import costs us, beside a bare loop that fetches the same pages and keeps nothing. All
//! figures of one run, printed side by side, on a release build and with the real keychain's way of working.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::install::{self, Need};
use crate::repository::{Profile, Repository};
use crate::sandbox::Sandbox;
use crate::tvsync::Tvsync;
use crate::{demo_vault, process, session, terminal};

/// One size and speed of provider to import from.
struct Scale {
    attendees: u32,
    page_delay_millis: u32,
    /// Repetitions; the median counts.
    rounds: usize,
}

const SCALES: [Scale; 3] = [
    Scale {
        attendees: 10_000,
        page_delay_millis: 0,
        rounds: 5,
    },
    Scale {
        attendees: 10_000,
        page_delay_millis: 20,
        rounds: 3,
    },
    Scale {
        attendees: 100_000,
        page_delay_millis: 0,
        rounds: 1,
    },
];

/// What one program run took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    /// The highest resident memory, in KiB, where the system tells.
    peak_kib: Option<u64>,
}

/// Builds, measures every scale, and prints the figures.
pub(crate) fn run(repository: &Repository, inside_session: bool) -> anyhow::Result<ExitCode> {
    if !inside_session {
        install::system(&[Need::Compiler])?;
        println!(
            "{}",
            terminal::heading("Building tvsync and the sandbox as they are released.")
        );
        process::run(&mut repository.cargo(&[
            "build",
            "--release",
            "--locked",
            "-p",
            "talkvalue-cli",
            "-p",
            "talkvalue-sandbox",
        ]))?;
        if !session::has_keychain() {
            return session::run_again_inside(repository, Profile::Release);
        }
    }
    println!(
        "\n{}",
        terminal::heading("Import of one Eventbrite event, stored, beside a bare loop over the same pages.")
    );
    println!("Medians; each time is a whole program, from its start to its end.\n");
    println!(
        "{:>9}  {:>8}  {:>9}  {:>9}  {:>9}  {:>7}  {:>9}",
        "attendees", "per page", "import", "bare loop", "our own", "ratio", "peak"
    );
    for scale in &SCALES {
        let measured = measure(repository, scale);
        // A private keychain ends with its session; a person's own is left as it was found.
        if !inside_session {
            demo_vault::forget();
        }
        let (import, bare) = measured?;
        println!("{}", row(scale, import, bare));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(scale: &Scale, import: Cost, bare: Cost) -> String {
    let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
    let peak = import.peak_kib.map_or_else(
        || "unknown".to_owned(),
        |kib| format!("{:.1} MB", kib as f64 / 1024.0),
    );
    format!(
        "{:>9}  {:>8}  {:>9}  {:>9}  {:>9}  {:>7.2}  {:>9}",
        scale.attendees,
        format!("{} ms", scale.page_delay_millis),
        seconds(import.time),
        seconds(bare.time),
        seconds(import.time.saturating_sub(bare.time)),
        import.time.as_secs_f64() / bare.time.as_secs_f64(),
        peak
    )
}

/// Imports and bare loops in turn, so that a slow moment of this computer meets both.
fn measure(repository: &Repository, scale: &Scale) -> anyhow::Result<(Cost, Cost)> {
    let folder = repository.scratch("bench");
    let attendees = scale.attendees.to_string();
    let delay = scale.page_delay_millis.to_string();
    let mut imports = Vec::new();
    let mut bare_loops = Vec::new();
    for _ in 0..scale.rounds {
        if folder.exists() {
            fs::remove_dir_all(&folder).context("the last measurement's folder could not be removed")?;
        }
        fs::create_dir_all(&folder).context("the folder for measuring could not be made")?;
        let sandbox = Sandbox::start(
            &repository.program("talkvalue-sandbox", Profile::Release),
            &folder,
            &["--attendees", &attendees, "--latency-ms", &delay, "--unlimited"],
        )?;
        bare_loops.push(cost_of(&mut bare_loop(repository, &sandbox))?);
        imports.push(import_cost(repository, &sandbox, &folder)?);
    }
    Ok((median(imports), median(bare_loops)))
}

/// The program that fetches every page of the announced event and keeps nothing: the least an import could cost.
fn bare_loop(repository: &Repository, sandbox: &Sandbox) -> Command {
    let mut command = Command::new(repository.program("talkvalue-sandbox", Profile::Release));
    command
        .arg("fetch-pages")
        .arg("--announced")
        .arg(sandbox.announced_in());
    command
}

fn import_cost(repository: &Repository, sandbox: &Sandbox, folder: &Path) -> anyhow::Result<Cost> {
    let announced = sandbox.announcement();
    let program = repository.program("tvsync", Profile::Release);
    let tvsync = Tvsync::against(program, announced, &folder.join("data"), demo_vault::SERVICE)?;
    let mut connect = tvsync.command(&["connect", "eventbrite", "--token-stdin"]);
    let token = format!("{}\n", announced.bulk_token()?);
    let connected = process::status_with_input(connect.stdout(Stdio::null()), &token)?;
    if !connected.success() {
        bail!("`tvsync connect` {}", process::how_it_ended(connected));
    }
    let integration = tvsync.find_id("integrations", "provider", "EVENTBRITE")?;
    let event = announced.bulk_event()?;
    cost_of(&mut tvsync.command(&["import", &integration, event, "--as", "badge-event", "--json"]))
}

/// Runs a program to its end, watching its memory.
fn cost_of(command: &mut Command) -> anyhow::Result<Cost> {
    let name = process::describe(command);
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("`{name}` could not be started"))?;
    let mut peak_kib = None;
    let status = loop {
        if let Some(status) = child
            .try_wait()
            .with_context(|| format!("`{name}` could not be looked after"))?
        {
            break status;
        }
        // The system keeps the peak itself: the last look before the end misses at most this wait's growth.
        peak_kib = peak_memory_kib(&child).or(peak_kib);
        thread::sleep(Duration::from_millis(2));
    };
    let time = started.elapsed();
    if status.success() {
        return Ok(Cost { time, peak_kib });
    }
    bail!("`{name}` {}", process::how_it_ended(status))
}

/// Linux tells it in a file; elsewhere the figure stays unknown.
fn peak_memory_kib(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The middle by time; the peak is the highest of all, as a promise about memory holds for every run.
fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.time);
    let peak_kib = costs.iter().filter_map(|cost| cost.peak_kib).max();
    Cost {
        time: costs[costs.len() / 2].time,
        peak_kib,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_time_and_highest_memory_count() {
        let cost = |millis, kib| Cost {
            time: Duration::from_millis(millis),
            peak_kib: Some(kib),
        };
        let median = median(vec![cost(900, 10), cost(100, 70), cost(200, 20)]);
        assert_eq!(
            median.time,
            Duration::from_millis(200),
            "one slow round must not decide"
        );
        assert_eq!(median.peak_kib, Some(70), "memory is a promise about every round");
    }
}
