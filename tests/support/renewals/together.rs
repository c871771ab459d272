//! Two processes over one data folder and one keychain need a new token at the same moment.

use super::process::{Ground, NO_KEYCHAIN};
use std::time::{Duration, Instant};
use talkvalue_sandbox::OauthDialect;

/// Every so many rounds the token lapses by itself; in the others the provider ends it early.
const LAPSES_EVERY: u64 = 4;
const SHORT_LIFE: Duration = Duration::from_secs(2);
const LONG_LIFE: Duration = Duration::from_secs(3_600);

/// What many such moments came to.
#[derive(Debug, Default)]
pub struct Together {
    pub rounds: u64,
    pub lapses: u64,
    pub refreshes: u64,
    pub family_revocations: u64,
    pub defects: Vec<String>,
    pub keychains_died: u64,
    pub time: Duration,
}

/// At a server that forgives nothing.
pub fn together(seed: u64, rounds: u64) -> Together {
    let started = Instant::now();
    let mut ground = Ground::open(seed, OauthDialect::StrictRotation);
    let mut figures = Together::default();
    let mut round = 0;
    while figures.rounds < rounds {
        round += 1;
        let lapses = round % LAPSES_EVERY == 0;
        let lapses_next = (round + 1) % LAPSES_EVERY == 0;
        if lapses {
            figures.lapses += 1;
            while ground
                .oauth
                .grants()
                .iter()
                .any(|grant| grant.live_access_tokens > 0)
            {
                std::thread::sleep(Duration::from_millis(10));
            }
        } else {
            ground.oauth.expires_access_tokens();
        }
        let life = if lapses_next { SHORT_LIFE } else { LONG_LIFE };
        ground.oauth.access_tokens_live(life);
        let before = ground.oauth.tally().refreshes;
        let integration = ground.integration.clone();
        let words = ["verify", &integration, "--json"];
        let both = ["one", "two"].map(|name| (name, ground.starts(name, &words)));
        let both = both.map(|(name, child)| ground.ends(name, child));
        if both.iter().any(|ended| ended.code == Some(NO_KEYCHAIN)) {
            // Not ours to judge.
            ground.restarts_keychain();
            continue;
        }
        for ended in both {
            if ended.code != Some(0) {
                let said = ended.json();
                figures
                    .defects
                    .push(format!("seed {seed}, round {round}: {:?} {said}", ended.code));
            }
        }
        let made = ground.oauth.tally().refreshes - before;
        // A short life may end while the slower one still works.
        if made != 1 && !lapses_next {
            figures
                .defects
                .push(format!("seed {seed}, round {round}: {made} renewals"));
        }
        figures.rounds += 1;
        if figures.defects.len() >= 5 {
            break;
        }
    }
    figures.keychains_died = ground.keychains_died;
    let tally = ground.oauth.tally();
    figures.refreshes = tally.refreshes;
    figures.family_revocations = tally.family_revocations;
    if tally.family_revocations > 0 {
        figures
            .defects
            .push(format!("seed {seed}: a used token was sent again"));
    }
    ground.sweeps();
    figures.time = started.elapsed();
    figures
}
