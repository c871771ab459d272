//! The long versions of what the tests do briefly, with their figures. `cargo xtask soak` runs it.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::process::ExitCode;
use std::time::Duration;
use talkvalue_tests::model;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, seed, count] = &words[..] else {
        return usage();
    };
    match (what.as_str(), seed.parse(), count.parse()) {
        ("stories", Ok(seed), Ok(count)) => stories(seed, count),
        #[cfg(target_os = "linux")]
        ("kills", Ok(seed), Ok(count)) => kills(seed, count),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    println!("soak stories FIRST_SEED COUNT | soak kills SEED COUNT (Linux only)");
    ExitCode::from(2)
}

fn stories(first_seed: u64, count: u64) -> ExitCode {
    let figures = model::soak(first_seed, count);
    row("stories", figures.stories);
    row("reads", figures.reads);
    row("  of them failed", figures.failed_reads);
    row("  of them killed", figures.kills);
    row("changes", figures.changes);
    row("requests", figures.requests);
    row("  looks for news", figures.looks);
    row("  organization walks", figures.shared_walks);
    end(figures.time, &figures.defects)
}

#[cfg(target_os = "linux")]
fn kills(seed: u64, count: u64) -> ExitCode {
    let figures = talkvalue_tests::kills::soak(seed, count);
    row("kills", figures.kills);
    row("ended before", figures.ended);
    row("rows acknowledged", figures.acknowledged);
    row("pages asked again", figures.asked_again);
    row("  after one kill", figures.most_asked_again);
    end(figures.time, &figures.defects)
}

fn row(name: &str, figure: impl std::fmt::Display) {
    println!("{name:<20}{figure:>12}");
}

fn end(time: Duration, defects: &[String]) -> ExitCode {
    row("seconds", format!("{:.1}", time.as_secs_f64()));
    row("defects", defects.len());
    for defect in defects {
        println!("\n{defect}");
    }
    if defects.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
