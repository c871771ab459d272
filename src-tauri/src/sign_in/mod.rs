//! One attempt to sign in at a time, from its page to its end, as commands and windows reach it. Owns who is under way,
//! and that nobody who signed in and is not wanted stays signed in; how an attempt goes is [`attempt`]'s.

mod attempt;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use talkvalue_core::connect::{self, Answer, Proved, SignInAttempt};
use talkvalue_core::domain::failure::Recovery;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Ports;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tracing::debug;
use url::Url;

use crate::ipc::sign_in::SignInWay;
pub(crate) use attempt::Attempt;

/// A person who closed the window waits no longer for a provider to forget somebody.
const LONGEST_FAREWELL: Duration = Duration::from_secs(2);

/// What somebody says to the attempt that is under way. That nobody can say anything any more is its end.
#[derive(Debug)]
enum Said {
    /// What came of the page of that number.
    OfPage(u64, PageSaid),
    Switch(SignInWay),
    ShowAgain,
}

/// What comes of a page of the provider's.
#[derive(Debug)]
enum PageSaid {
    Answered(Answer),
    /// The person closed its window.
    Closed,
    /// The provider shows nothing to windows like ours.
    Refused,
}

/// The attempt that is under way, as others reach it. Dropping it ends the attempt.
struct Current {
    number: u64,
    tell: UnboundedSender<Said>,
    page: Option<Page>,
}

/// The provider's page that is shown now. An attempt that is shown anew has another one, with a state of its own.
#[derive(Clone)]
struct Page {
    number: u64,
    attempt: Arc<SignInAttempt>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// Attempts and pages so far.
    count: u64,
    /// Somebody who signed in while somebody else was needed, until they are added or nobody wants them.
    other: Option<Other>,
}

struct Other {
    proved: Proved,
    /// Where they are given back.
    ports: Ports,
}

/// Signing in, as the commands reach it. One per process.
#[derive(Default)]
pub(crate) struct SignInDesk {
    state: Mutex<State>,
    /// Held by the attempt that may have a window or a listener: there is one at a time.
    place: Arc<tokio::sync::Mutex<()>>,
    /// Attempts, and sign-ins that are being given back.
    under_way: watch::Sender<usize>,
}

/// One that is under way, until dropped.
pub(crate) struct UnderWay(Arc<SignInDesk>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

/// The right of one attempt to show something.
struct Turn {
    number: u64,
    said: UnboundedReceiver<Said>,
    place: tokio::sync::OwnedMutexGuard<()>,
    under_way: UnderWay,
}

impl SignInDesk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        let mut state = self.state();
        state.count += 1;
        state.count
    }

    /// The new attempt takes the place of one that is under way, once that has nothing open any more.
    async fn begin(self: &Arc<Self>) -> Turn {
        let under_way = self.under_way();
        let number = self.next_number();
        let (tell, said) = unbounded_channel();
        let next = Current {
            number,
            tell,
            page: None,
        };
        self.put(Some(next));
        // Whoever has it has heard that they have ended, and keeps nobody waiting.
        let place = self.place.clone().lock_owned().await;
        Turn {
            number,
            said,
            place,
            under_way,
        }
    }

    fn under_way(self: &Arc<Self>) -> UnderWay {
        self.under_way.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    /// Ends whoever is under way, and gives back whoever the attempt before brought and nobody added.
    fn put(self: &Arc<Self>, next: Option<Current>) {
        let other = {
            let mut state = self.state();
            state.current = next;
            state.other.take()
        };
        if let Some(Other { proved, ports }) = other {
            self.give_back(ports, async { Some(proved) });
        }
    }

    /// Keeps whoever signed in in place of somebody else until the person decides. Gives them back where nobody waits
    /// for the attempt any more, and says so.
    fn hold(self: &Arc<Self>, number: u64, ports: Ports, proved: Proved) -> bool {
        let mut state = self.state();
        let is_awaited = state
            .current
            .as_ref()
            .is_some_and(|current| current.number == number);
        if is_awaited {
            state.other = Some(Other { proved, ports });
        } else {
            drop(state);
            self.give_back(ports, async { Some(proved) });
        }
        is_awaited
    }

    fn set_page(&self, number: u64, page: Option<Page>) {
        let mut state = self.state();
        if let Some(current) = state.current.as_mut().filter(|current| current.number == number) {
            current.page = page;
        }
    }

    fn is_current(&self, number: u64) -> bool {
        let state = self.state();
        state
            .current
            .as_ref()
            .is_some_and(|current| current.number == number)
    }

    fn end(&self, number: u64) {
        let mut state = self.state();
        state.current.take_if(|current| current.number == number);
    }

    fn say(&self, said: Said) -> Result<(), CommandError> {
        let state = self.state();
        let current = state.current.as_ref().ok_or_else(nobody_signs_in)?;
        current.tell.send(said).map_err(|_| nobody_signs_in())
    }

    /// Hears what came of a page. Nobody may be waiting for it any more.
    fn hear(&self, page: u64, said: PageSaid) {
        let _ = self.say(Said::OfPage(page, said));
    }

    fn page(&self) -> Result<Page, CommandError> {
        let state = self.state();
        let page = state.current.as_ref().and_then(|current| current.page.clone());
        page.ok_or_else(nobody_signs_in)
    }

    /// Nobody signs in, and nobody is wanted who has. Nothing happens where that is so.
    pub(crate) fn cancel(self: &Arc<Self>) {
        self.put(None);
    }

    pub(crate) fn switch(&self, way: SignInWay) -> Result<(), CommandError> {
        self.say(Said::Switch(way))
    }

    pub(crate) fn show_again(&self) -> Result<(), CommandError> {
        self.say(Said::ShowAgain)
    }

    /// The provider's page, for a browser that could not be started or belongs to another computer.
    pub(crate) fn address(&self) -> Result<String, CommandError> {
        Ok(self.page()?.attempt.address().to_owned())
    }

    /// Takes the address at which a browser ended that could not reach the listener.
    pub(crate) fn answer(&self, address: &SecretString) -> Result<(), CommandError> {
        let Page { number, attempt } = self.page()?;
        let heard = Url::parse(address.expose_secret().trim())
            .ok()
            .and_then(|address| attempt.hear(&address));
        let Some(answer) = heard else {
            return Err(CommandError::bad_input(format!(
                "That is not the address that {} sent your browser to. Copy the whole address line; it begins with {}.",
                attempt.provider().name(),
                attempt.redirect_uri()
            )));
        };
        self.say(Said::OfPage(number, PageSaid::Answered(answer)))
    }

    /// Ends at the provider what nobody wants, once it is there.
    fn give_back(
        self: &Arc<Self>,
        ports: Ports,
        unwanted: impl Future<Output = Option<Proved>> + Send + 'static,
    ) {
        let under_way = self.under_way();
        tauri::async_runtime::spawn(async move {
            if let Some(proved) = unwanted.await {
                connect::give_back(&ports, proved).await;
            }
            drop(under_way);
        });
    }

    /// The end of the process: nobody signs in any more, and whoever is not wanted has been given back, unless the
    /// provider takes its time.
    pub(crate) async fn settle(self: &Arc<Self>) {
        self.cancel();
        let mut under_way = self.under_way.subscribe();
        let over = under_way.wait_for(|count| *count == 0);
        if tokio::time::timeout(LONGEST_FAREWELL, over).await.is_err() {
            debug!("a sign-in was still under way at the end");
        }
    }

    /// Whoever signed in while somebody else was needed, once. The end of the process waits until the guard is dropped.
    pub(crate) fn take_other(self: &Arc<Self>) -> Result<(Proved, UnderWay), CommandError> {
        let other = self.state().other.take();
        Ok((other.ok_or_else(nobody_signs_in)?.proved, self.under_way()))
    }
}

fn nobody_signs_in() -> CommandError {
    CommandError::not_possible("Nobody is signing in just now. Begin again.", Recovery::Retry)
}
