//! The long versions of what the tests do briefly, with their figures. `cargo xtask soak` runs it.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::process::ExitCode;
use std::time::Duration;
use talkvalue_tests::model;

/// Moments at which two processes need a new token.
#[cfg(target_os = "linux")]
const PAIRS: u64 = 200;
/// Callers that go away.
#[cfg(target_os = "linux")]
const CALLERS: u64 = 1_000;
/// Days of an open window, in virtual time.
#[cfg(target_os = "linux")]
const DAYS: u64 = 30;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    talkvalue_tests::power::plays_if_asked();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, seed, count] = &words[..] else {
        return usage();
    };
    match (what.as_str(), seed.parse(), count.parse()) {
        ("stories", Ok(seed), Ok(count)) => stories(seed, count),
        #[cfg(target_os = "linux")]
        ("kills", Ok(seed), Ok(count)) => kills(seed, count),
        #[cfg(target_os = "linux")]
        ("renewals", Ok(seed), Ok(count)) => renewals(seed, count),
        #[cfg(target_os = "linux")]
        ("power-cuts", Ok(seed), Ok(count)) => power_cuts(seed, count),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    println!(
        "soak stories FIRST_SEED COUNT | soak kills SEED COUNT | soak renewals SEED COUNT | soak power-cuts SEED COUNT"
    );
    println!("All but the stories on Linux only.");
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

#[cfg(target_os = "linux")]
fn renewals(seed: u64, kills: u64) -> ExitCode {
    use talkvalue_tests::renewals;
    let mut defects = Vec::new();
    let mut time = Duration::ZERO;
    let mut over = |part: Duration, found: Vec<String>| {
        row("  seconds", format!("{:.1}", part.as_secs_f64()));
        time += part;
        defects.extend(found);
    };
    let together = renewals::together(seed, PAIRS);
    row("two processes", together.rounds);
    row("  lapses", together.lapses);
    row("  renewals", together.refreshes);
    row("  families revoked", together.family_revocations);
    row("  keychains died", together.keychains_died);
    over(together.time, together.defects);
    for dialect in renewals::THAT_RENEW {
        let killed = renewals::killed(seed, kills, dialect);
        row(dialect.name(), killed.kills);
        row("  ended before", killed.ended);
        row("  in between", killed.in_between);
        row("  recovered", killed.recovered);
        row("  reconnects", killed.reconnects);
        row("  token requests", killed.most_token_requests);
        row("  keychains died", killed.keychains_died);
        row("  saved, p50 ms", format!("{:.1}", killed.saved_within_ms(0.5)));
        row("  saved, p99 ms", format!("{:.1}", killed.saved_within_ms(0.99)));
        over(killed.time, killed.defects);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can always be built");
    let dropped = runtime.block_on(renewals::dropped(CALLERS));
    row("callers dropped", dropped.rounds - dropped.answered);
    row("  of", dropped.rounds);
    row("  renewals", dropped.refreshes);
    over(dropped.time, dropped.defects);
    let days = runtime.block_on(renewals::days(DAYS, Duration::from_secs(60)));
    row("days", days.days);
    row("  calls", days.calls);
    row("  refused", days.refused);
    row("  renewals", days.refreshes);
    over(days.time, days.defects);
    end(time, &defects)
}

#[cfg(target_os = "linux")]
fn power_cuts(seed: u64, cuts: u64) -> ExitCode {
    use talkvalue_tests::power;
    let own = std::env::current_exe().expect("a program knows where it is");
    let figures = power::soak(seed, cuts, || std::process::Command::new(&own));
    row("transactions", figures.transactions);
    row("  writes and syncs", figures.operations);
    row("power cuts", figures.cuts);
    row("  that lost writes", figures.losses);
    row("  and transactions", figures.earlier);
    row("  with a seal", figures.sealed);
    row("  with a log", figures.with_log);
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
