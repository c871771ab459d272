//! A window that nobody touches costs nothing: what it shows leads to no further question.

use crate::screen::Computer;
use talkvalue_sandbox::Sandbox;
use talkvalue_sandbox::keychain::KeychainState;

/// Counts what the page asks of the core while a hundred frames are drawn.
const QUESTIONS: &str = r#"
const [done] = arguments;
(async () => {
  const real = window.fetch;
  let asked = 0;
  window.fetch = (...question) => {
    asked += 1;
    return real.apply(window, question);
  };
  for (let frame = 0; frame < 100; frame += 1) {
    await new Promise(requestAnimationFrame);
  }
  window.fetch = real;
  return asked;
})().then(done, (error) => done(String(error)));
"#;

/// The second look that follows the first picture, and the questions that come every half minute, may fall into the
/// time; an answer that leads to the next question would make hundreds.
const FEW: u64 = 12;

#[tokio::test]
async fn a_window_that_nobody_touches_asks_next_to_nothing() {
    let sandbox = Sandbox::builder()
        .seed(4)
        .start()
        .await
        .expect("the sandbox listens");
    let computer = Computer::start(KeychainState::Unlocked);
    let window = computer.open(&sandbox).await;
    window.sees("Which lists should be live here?").await;
    // The questions of the start itself are answered by then.
    window.press("Settings").await;
    window.sees("No account connected.").await;
    let asked = window.script(QUESTIONS, Vec::new()).await;
    assert!(
        asked.as_u64().is_some_and(|asked| asked <= FEW),
        "an answer must not lead to the next question, but {asked} were asked"
    );
    window.quit().await;
}
