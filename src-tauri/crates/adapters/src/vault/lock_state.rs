//! Whether the keychain is locked, asked of the keychain itself. One question at a time: who comes meanwhile gets the
//! same answer, and while a question hangs nobody waits and no further thread is spent on it.

use super::IsLocked;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::warn;

/// What is known of a question: nothing yet, or its answer.
type Answer = Option<Option<bool>>;

pub(super) struct LockState {
    is_locked: Arc<IsLocked>,
    last: Mutex<Option<Question>>,
}

#[derive(Clone)]
struct Question {
    asked_at: Instant,
    answer: watch::Receiver<Answer>,
}

impl Question {
    fn is_open(&self) -> bool {
        // Without a sender its thread has ended, one way or another.
        self.answer.borrow().is_none() && self.answer.has_changed().is_ok()
    }
}

impl LockState {
    pub(super) fn new(is_locked: Arc<IsLocked>) -> Self {
        Self {
            is_locked,
            last: Mutex::new(None),
        }
    }

    /// `None` where it cannot be told, or not within `deadline` of the question.
    pub(super) async fn ask(&self, deadline: Duration) -> Option<bool> {
        let mut question = self.join_or_begin();
        let end = question.asked_at + deadline;
        let answer = tokio::time::timeout_at(end, question.answer.wait_for(Option::is_some)).await;
        match answer {
            Ok(Ok(answer)) => (*answer).flatten(),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    fn join_or_begin(&self) -> Question {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = last.as_ref().filter(|question| question.is_open()) {
            return open.clone();
        }
        let (tell, answer) = watch::channel(None);
        let is_locked = self.is_locked.clone();
        // A thread of its own, left to itself if it hangs: the runtime would wait for a task of its blocking pool.
        let spawned = std::thread::Builder::new()
            .name("keychain-state".to_owned())
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = tell.send(Some(is_locked()));
            });
        if spawned.is_err() {
            warn!("no thread could be started to ask whether the keychain is locked");
        }
        let question = Question {
            asked_at: Instant::now(),
            answer,
        };
        *last = Some(question.clone());
        question
    }
}
