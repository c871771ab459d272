//! Closing the main window. Owns that nobody loses a sign-in that is in memory only without having been asked; the
//! question itself is the window's, which answers with [`Quitting::answer`].

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use talkvalue_core::connect;
use tauri::{AppHandle, Manager as _, Runtime};
use tracing::warn;

use crate::ipc::notices::{Notice, NoticeType};
use crate::shell::Shell;
use crate::window::MAIN_WINDOW;

const LONGEST_SAVING: Duration = Duration::from_secs(5);

/// How far closing has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Step {
    #[default]
    Open,
    /// The keychain is offered once more what it did not take.
    Saving,
    /// The window asks the person.
    Asked,
}

/// One per process.
#[derive(Default)]
pub(crate) struct Quitting(Mutex<Step>);

impl Quitting {
    fn step(&self) -> MutexGuard<'_, Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person has answered the question: they quit, or the window stays.
    pub(crate) fn answer<R: Runtime>(&self, app: &AppHandle<R>, quits: bool) {
        *self.step() = Step::Open;
        if quits {
            close(app);
        }
    }
}

/// Whether the main window may close now. Where it may not yet, it closes by itself once everything is saved, or asks.
pub(crate) fn may_close<R: Runtime>(app: &AppHandle<R>) -> bool {
    let shell = app.state::<Shell>();
    let Some(desk) = shell.opened_desk() else {
        return true;
    };
    if desk.ports.sign_ins.unsaved().is_none() {
        return true;
    }
    let mut step = shell.quitting.step();
    match *step {
        Step::Saving => return false,
        // Who closes the window once more while it asks has answered; a page that hangs keeps nobody.
        Step::Asked => return true,
        Step::Open => *step = Step::Saving,
    }
    drop(step);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        // A keychain that does not answer keeps nobody waiting for the question.
        let _ = tokio::time::timeout(LONGEST_SAVING, connect::save_what_is_held(&desk.ports)).await;
        let shell = app.state::<Shell>();
        if desk.ports.sign_ins.unsaved().is_none() {
            *shell.quitting.step() = Step::Open;
            close(&app);
            return;
        }
        *shell.quitting.step() = Step::Asked;
        shell.push.send(Notice::new(NoticeType::QuitAsked));
    });
    false
}

/// Closes it without asking again.
fn close<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(MAIN_WINDOW)
        && let Err(error) = window.destroy()
    {
        warn!(error = %error, "the window could not be closed");
    }
}
