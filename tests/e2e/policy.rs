//! The policy that the window's page really lives under: as the web view has understood it, not as a file says it.

use crate::screen::Computer;
use serde_json::Value;
use std::collections::BTreeSet;
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;

const GOLDEN: &str = include_str!("../ipc/golden/csp.txt");

/// Breaks the policy once, and tells the policy that the refusal names.
const BREAK_IT: &str = r#"
const done = arguments[0];
document.addEventListener("securitypolicyviolation", ({ originalPolicy }) => done(originalPolicy), { once: true });
document.body.append(Object.assign(document.createElement("iframe"), { src: "https://elsewhere.example/" }));
"#;

#[tokio::test]
async fn the_policy_in_force_equals_the_golden_file() {
    let sandbox = Sandbox::builder()
        .seed(2)
        .start()
        .await
        .expect("the sandbox listens");
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    let Value::String(policy) = window.script(BREAK_IT, Vec::new()).await else {
        panic!("a refusal names the policy it follows");
    };
    let in_force: BTreeSet<String> = policy
        .split(';')
        .map(|directive| {
            // Tauri adds the hashes of our own scripts; the ipc tests prove that they are those.
            let kept = directive
                .split_ascii_whitespace()
                .filter(|source| !source.starts_with("'sha256-"));
            kept.collect::<Vec<_>>().join(" ")
        })
        .filter(|directive| !directive.is_empty())
        .collect();
    assert_eq!(
        in_force,
        GOLDEN.lines().map(str::to_owned).collect(),
        "nothing is added to the policy and nothing lost on its way to the page"
    );
    window.quit().await;
}
