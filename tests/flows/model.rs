//! Random stories of one list: whatever happens to it, nobody is lost or invented, and when the trouble is over one
//! cycle of a window makes it the provider's.

use talkvalue_tests::model;

/// `cargo xtask soak` plays thousands.
const STORIES: u64 = 80;

#[test]
fn whatever_happens_one_cycle_of_a_window_makes_the_list_the_providers() {
    let figures = model::soak(1, STORIES);
    assert!(
        figures.defects.is_empty(),
        "these stories must end well:\n{}",
        figures.defects.join("\n\n")
    );
    assert!(
        figures.looks > 0 && figures.shared_walks > 0,
        "the cheap ways of reading take part: {figures:?}"
    );
    assert!(
        figures.kills > 0 && figures.failed_reads > 0 && figures.changes > figures.stories,
        "stories in which nothing happens prove nothing: {figures:?}"
    );
}
