//! Processes killed at every step of a renewal: the next one goes on, or says honestly that the sign-in is lost.

use super::process::{Ground, NO_KEYCHAIN};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::process::Child;
use std::time::{Duration, Instant};
use talkvalue_sandbox::{Fault, OauthDialect};

/// How long one process may take to come as far as it is to be killed, or to its end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The process that goes on after a kill may ask this often for tokens, and not once more.
const MOST_TOKEN_REQUESTS: usize = 2;

/// What many kills in one dialect came to.
#[derive(Debug, Default)]
pub struct Killed {
    pub kills: u64,
    /// Processes that were done before their moment came.
    pub ended: u64,
    /// Kills after the server had renewed, and before the process said that it had kept the result.
    pub in_between: u64,
    pub recovered: u64,
    /// Sign-ins that were lost, and said to be.
    pub reconnects: u64,
    pub most_token_requests: usize,
    /// How long the only copy of a renewed token was in memory, in microseconds, ascending.
    pub saved_after_us: Vec<u64>,
    /// GNOME's keychain now and then dies with a client that is killed; its session starts it again.
    pub keychains_died: u64,
    pub defects: Vec<String>,
    pub time: Duration,
}

impl Killed {
    /// The time within which that part of all renewals was kept, in milliseconds.
    pub fn saved_within_ms(&self, part: f64) -> f64 {
        let place = (self.saved_after_us.len() as f64 * part).ceil() as usize;
        let us = self.saved_after_us.get(place.max(1) - 1).copied();
        us.map_or(0.0, |us| us as f64 / 1_000.0)
    }
}

/// When a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// So long after its start: before anything is sent, mostly.
    Early,
    /// The request has arrived, and nothing is carried out.
    Sent,
    /// It is carried out, and no answer comes.
    CarriedOut,
    /// So long after the answer: while it is received, in the keychain, in the database, or kept.
    Answered,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    moment: Moment,
    micros: u64,
}

fn rounds() -> impl Strategy<Value = Round> {
    let moments = vec![
        Moment::Early,
        Moment::Sent,
        Moment::CarriedOut,
        Moment::Answered,
        Moment::Answered,
        Moment::Answered,
    ];
    (select(moments), 0..=60_000u64).prop_map(|(moment, micros)| Round { moment, micros })
}

/// Kills that many processes at a server of that dialect.
pub fn killed(seed: u64, kills: u64, dialect: OauthDialect) -> Killed {
    let started = Instant::now();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut ground = Ground::open(seed, dialect);
    let mut figures = Killed::default();
    while figures.kills < kills && figures.defects.len() < 5 {
        let round = rounds()
            .new_tree(&mut runner)
            .expect("every round can be drawn")
            .current();
        let number = figures.kills + figures.ended + 1;
        if let Err(wrong) = plays(&mut ground, dialect, round, &mut figures) {
            figures.defects.push(format!(
                "{}, seed {seed}, round {number}: {wrong}\n{round:?}",
                dialect.name()
            ));
        }
    }
    ground.sweeps();
    figures.saved_after_us = std::mem::take(&mut ground.saved_after_us);
    figures.saved_after_us.sort_unstable();
    figures.keychains_died = ground.keychains_died;
    figures.time = started.elapsed();
    figures
}

fn plays(
    ground: &mut Ground,
    dialect: OauthDialect,
    round: Round,
    figures: &mut Killed,
) -> Result<(), String> {
    ground.oauth.expires_access_tokens();
    ground.oauth.clears_requests();
    let before = ground.oauth.tally();
    let item = ground.item.clone();
    let sync = ["sync", &item, "--json"];
    let was_killed = kills(ground, &sync, round)?;
    let carried_out = |ground: &Ground| ground.oauth.tally().refreshes > before.refreshes;
    let child_log = ground.log_of("killed");
    let was_kept = child_log.contains("the sign-in was renewed");
    match was_killed {
        true => figures.kills += 1,
        false => figures.ended += 1,
    }
    if was_killed && carried_out(ground) && !was_kept {
        figures.in_between += 1;
    }
    ground.oauth.clears_requests();
    let mut after = ground.runs(&sync);
    if after.code == Some(NO_KEYCHAIN) {
        ground.restarts_keychain();
        after = ground.runs(&sync);
    }
    let asked = ground.oauth.token_requests();
    figures.most_token_requests = figures.most_token_requests.max(asked);
    if asked > MOST_TOKEN_REQUESTS {
        return Err(format!("{asked} token requests after the kill"));
    }
    match after.code {
        Some(0) => {
            figures.recovered += 1;
            return Ok(());
        }
        Some(3) if dialect == OauthDialect::StrictRotation => {}
        code => return Err(format!("the next process ended with {code:?}: {}", after.json())),
    }
    // A request that had arrived may have been carried out after the kill: only now is that certain.
    if !carried_out(ground) || was_kept {
        return Err(format!(
            "disconnected without cause: {}\nThe killed one had said:\n{}",
            after.json(),
            last_lines(&child_log)
        ));
    }
    reconnects(ground, &sync)?;
    figures.reconnects += 1;
    Ok(())
}

/// The sign-in is lost: that is said once, nothing more is asked, and one sign-in makes it good.
fn reconnects(ground: &mut Ground, sync: &[&str]) -> Result<(), String> {
    ground.oauth.clears_requests();
    ground.luma().clears_requests();
    let again = ground.runs(sync);
    let asked = ground.oauth.request_count() + ground.luma().request_count();
    if again.code != Some(3) || asked > 0 {
        return Err(format!(
            "once it is lost nothing is asked: {asked}, {:?}",
            again.code
        ));
    }
    let accounts = ground.runs(&["integrations", "--json"]).json();
    let account = &accounts["integrations"][0];
    if account["status"] != "DISCONNECTED" || account["failure"]["code"] != "CREDENTIALS_REJECTED" {
        return Err(format!("it must be said of the account too: {account}"));
    }
    if ground.signs_in() != ground.integration {
        return Err("signing in again must renew the account".to_owned());
    }
    let item = ground.item.clone();
    let reconnected = ground.runs(&["reconnect", &item, "--json"]);
    match reconnected.code {
        Some(0) => Ok(()),
        code => Err(format!(
            "reconnecting ended with {code:?}: {}",
            reconnected.json()
        )),
    }
}

/// Runs one process up to its moment; whether it was alive then.
fn kills(ground: &mut Ground, words: &[&str], round: Round) -> Result<bool, String> {
    // The first request of a process asks where the server's addresses are.
    let pause = matches!(round.moment, Moment::Sent | Moment::Answered).then(|| ground.oauth.pause_at(2));
    if round.moment == Moment::CarriedOut {
        ground.oauth.refresh_fails_next(1, Fault::HeldAnswer);
    }
    let before = ground.oauth.tally().refreshes;
    let mut child = ground.starts("killed", words);
    let came_so_far = match (&pause, round.moment) {
        (Some(pause), _) => waits_for(&mut child, || pause.is_reached()),
        (None, Moment::CarriedOut) => waits_for(&mut child, || ground.oauth.tally().refreshes > before),
        (None, _) => Ok(()),
    };
    if let Err(wrong) = came_so_far {
        child.kill().unwrap();
        let ended = ground.ends("killed", child);
        ground.oauth.clears_faults();
        if ended.code == Some(NO_KEYCHAIN) {
            ground.restarts_keychain();
            return Ok(false);
        }
        let log = ground.log_of("killed");
        return Err(format!("{wrong}: {}\n{}", ended.json(), last_lines(&log)));
    }
    if let (Some(pause), Moment::Answered) = (&pause, round.moment) {
        pause.release();
    }
    if matches!(round.moment, Moment::Early | Moment::Answered) {
        // Nothing is waited for: the moment is part of the round.
        std::thread::sleep(Duration::from_micros(round.micros));
    }
    let done = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    ground.ends("killed", child);
    ground.oauth.clears_faults();
    Ok(!done)
}

fn waits_for(child: &mut Child, fact: impl Fn() -> bool) -> Result<(), String> {
    let begun = Instant::now();
    while !fact() {
        if child.try_wait().unwrap().is_some() {
            return Err("the process ended before it asked".to_owned());
        }
        if begun.elapsed() > PATIENCE {
            return Err("the process neither ends nor asks".to_owned());
        }
        std::thread::yield_now();
    }
    Ok(())
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
