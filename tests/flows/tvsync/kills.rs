//! `kill -9`, whenever: what was stored stays, nothing is half there, and the next process goes on.

use talkvalue_tests::kills;

/// `cargo xtask soak` kills a thousand.
const KILLS: u64 = 15;

#[test]
fn a_process_killed_at_any_moment_loses_nothing_and_the_next_goes_on() {
    let figures = kills::soak(1, KILLS);
    assert!(
        figures.defects.is_empty(),
        "a kill costs at most one page:\n{}",
        figures.defects.join("\n\n")
    );
    assert!(
        figures.acknowledged > 0,
        "kills of processes that stored nothing prove nothing: {figures:?}"
    );
}
