//! The leak sweep: credentials, and what a sign-in is proved by, must stand nowhere but in the keychain.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use talkvalue_sandbox::{Oauth, Sandbox};

/// Every credential of the sandbox holds this word.
pub const CANARY: &str = "CANARY";

/// What must not be found: every canary, and what clients made for sign-ins at these servers, which holds none.
#[derive(Default)]
pub struct Secrets(Vec<Oauth>);

impl Secrets {
    pub fn of(sandbox: &Sandbox) -> Self {
        Self(vec![sandbox.eventbrite().oauth(), sandbox.luma().oauth()])
    }

    /// Those of this sandbox as well, from now on.
    pub fn join(&mut self, sandbox: &Sandbox) {
        self.0.extend(Self::of(sandbox).0);
    }

    /// All that can be told by now: a server knows a verifier once it has seen it.
    pub fn words(&self) -> BTreeSet<String> {
        let seen = self.0.iter().flat_map(Oauth::secrets);
        let made_by_clients = seen.filter(|secret| !secret.is_empty() && !secret.contains(CANARY));
        std::iter::once(CANARY.to_owned())
            .chain(made_by_clients)
            .collect()
    }

    /// The places below `folder` whose bytes hold one.
    pub fn below(&self, folder: &Path) -> Vec<String> {
        found_below(folder, &Vec::from_iter(self.words()))
    }

    /// Asserts that `said` holds none. `what` names it in the failure.
    pub fn assert_not_said(&self, what: &str, said: &[u8]) {
        assert!(
            !self.words().iter().any(|word| holds(said, word)),
            "{what} holds a credential: {}",
            String::from_utf8_lossy(said)
        );
    }
}

/// The end of a sweep.
pub fn assert_nothing_found(found: &[String]) {
    assert!(
        found.is_empty(),
        "credentials belong into the keychain only, but stand in {found:?}"
    );
}

/// The places below `folder` whose bytes hold a canary, as text or as UTF-16.
pub fn canaries_below(folder: &Path) -> Vec<String> {
    found_below(folder, &[CANARY])
}

/// The places below `folder` whose bytes hold one of these words, as text or as UTF-16.
pub fn found_below(folder: &Path, words: &[impl AsRef<str>]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_below(&path, words));
        } else if let Ok(bytes) = fs::read(&path)
            && words.iter().any(|word| holds(&bytes, word.as_ref()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

pub fn holds_canary(bytes: &[u8]) -> bool {
    holds(bytes, CANARY)
}

/// Whether the word stands there, as text or as UTF-16.
pub fn holds(bytes: &[u8], word: &str) -> bool {
    let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let stands = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    stands(word.as_bytes()) || stands(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Desk;
    use crate::oauth::{server, signed_in};
    use talkvalue_core::domain::provider::Provider;

    #[test]
    fn a_planted_canary_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deep")).unwrap();
        fs::write(folder.path().join("deep/log"), b"token=xxCANARYEB123").unwrap();
        assert_eq!(
            canaries_below(folder.path()).len(),
            1,
            "a sweep that finds nothing ever proves nothing"
        );
    }

    /// A desk at which somebody has signed in, and the verifier that its client made for that.
    async fn after_a_sign_in() -> (Desk, String) {
        let desk = Desk::open().await;
        let luma = desk.sandbox.luma();
        let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@harbour.example");
        let oauth = server(&desk, Provider::Luma);
        oauth.approves_as(&calendar.id);
        signed_in(&desk, Provider::Luma).await;
        let secrets = oauth.secrets();
        let verifier = secrets.into_iter().find(|secret| !secret.contains(CANARY));
        (desk, verifier.expect("a verifier is no canary"))
    }

    #[tokio::test]
    async fn a_planted_verifier_is_found() {
        let (desk, verifier) = after_a_sign_in().await;
        let mut joined = Secrets::default();
        joined.join(&desk.sandbox);
        for secrets in [Secrets::of(&desk.sandbox), joined] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("deep")).unwrap();
            assert_eq!(secrets.below(folder.path()), Vec::<String>::new());
            fs::write(folder.path().join("deep/log"), format!("verifier={verifier}&")).unwrap();
            assert_eq!(secrets.below(folder.path()).len(), 1);
            let wide: Vec<u8> = verifier.encode_utf16().flat_map(u16::to_le_bytes).collect();
            fs::write(folder.path().join("wide"), wide).unwrap();
            assert_eq!(secrets.below(folder.path()).len(), 2, "as the webview writes it");
        }
    }

    #[tokio::test]
    #[should_panic(expected = "stderr holds a credential")]
    async fn a_verifier_that_was_said_is_found() {
        let (desk, verifier) = after_a_sign_in().await;
        let secrets = Secrets::of(&desk.sandbox);
        secrets.assert_not_said("stdout", b"nothing of it");
        secrets.assert_not_said("stderr", format!("verifier={verifier}&").as_bytes());
    }
}
