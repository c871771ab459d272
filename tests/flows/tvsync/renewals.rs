//! Sign-ins that several processes renew, and that processes die over.

use talkvalue_sandbox::OauthDialect;
use talkvalue_tests::renewals::{self, THAT_RENEW};

/// `cargo xtask soak` plays two hundred.
const ROUNDS: u64 = 8;
/// ... and kills five hundred in each dialect.
const KILLS: u64 = 10;

#[test]
fn two_processes_renew_one_sign_in_and_never_send_a_used_token() {
    let figures = renewals::together(1, ROUNDS);
    assert!(figures.defects.is_empty(), "{}", figures.defects.join("\n\n"));
    assert_eq!(figures.family_revocations, 0);
    assert!(figures.lapses > 0 && figures.refreshes >= ROUNDS);
}

#[test]
fn a_process_killed_in_a_renewal_loses_no_sign_in_that_could_be_kept() {
    for dialect in THAT_RENEW {
        let figures = renewals::killed(1, KILLS, dialect);
        assert!(figures.defects.is_empty(), "{}", figures.defects.join("\n\n"));
        assert!(
            figures.in_between > 0,
            "kills that hit nothing prove nothing: {figures:?}"
        );
        if dialect != OauthDialect::StrictRotation {
            assert_eq!(figures.reconnects, 0, "{dialect:?}");
        }
    }
}
