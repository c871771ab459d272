//! The long versions of what the tests do briefly. `cargo xtask soak` runs it; `soak stories FIRST_SEED COUNT` by hand.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::process::ExitCode;
use talkvalue_tests::model;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["stories", first_seed, count] => match (first_seed.parse(), count.parse()) {
            (Ok(first_seed), Ok(count)) => stories(first_seed, count),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    println!("soak stories FIRST_SEED COUNT");
    ExitCode::from(2)
}

fn stories(first_seed: u64, count: u64) -> ExitCode {
    let figures = model::soak(first_seed, count);
    let row = |name: &str, figure: String| println!("{name:<22}{figure:>12}");
    row("stories", figures.stories.to_string());
    row("reads", figures.reads.to_string());
    row("failed reads", figures.failed_reads.to_string());
    row("kills", figures.kills.to_string());
    row("changes", figures.changes.to_string());
    row("requests", figures.requests.to_string());
    row("seconds", format!("{:.1}", figures.time.as_secs_f64()));
    row("defects", figures.defects.len().to_string());
    for defect in &figures.defects {
        println!("\n{defect}");
    }
    if figures.defects.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
