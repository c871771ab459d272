//! One attempt to sign in at a time, from its page to its end. Owns where the page is shown (a window of ours without
//! any right, or the person's browser with a listener) and that both are gone afterwards; what an answer means and what
//! is kept of it is the core's.

mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use talkvalue_adapters::oauth::Loopback;
use talkvalue_core::connect::{self, Answer, Proved, SIGN_IN_DEADLINE, SignInAttempt, SignedIn};
use talkvalue_core::domain::failure::Recovery;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Patience;
use tauri::{AppHandle, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use url::Url;

use crate::desk::{Desk, while_waiting};
use crate::ipc::notices::{Notice, NoticeType, Push};
use crate::ipc::sign_in::{SignInEnd, SignInProgress, SignInStep, SignInWay};
use crate::world::OpenAddress;
use window::SignInWindow;

/// What somebody says to the attempt that is under way.
#[derive(Debug)]
enum Said {
    Answered(Answer),
    /// The person closed the window of that number.
    WindowClosed(u64),
    /// The provider shows nothing to windows like ours.
    WindowRefused(u64),
    Switch(SignInWay),
    ShowAgain,
    Cancel,
}

/// The attempt that is under way, as others reach it.
struct Current {
    number: u64,
    tell: UnboundedSender<Said>,
    attempt: Option<Arc<SignInAttempt>>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// Attempts and windows so far.
    count: u64,
    /// Somebody who signed in while somebody else was needed.
    other: Option<Proved>,
}

/// Signing in, as the commands reach it. One per process.
#[derive(Default)]
pub(crate) struct SignInDesk {
    state: Mutex<State>,
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

    /// The new attempt takes the place of one that is under way.
    fn begin(&self) -> (u64, UnboundedReceiver<Said>) {
        let number = self.next_number();
        let (tell, said) = unbounded_channel();
        let mut state = self.state();
        state.other = None;
        let before = state.current.replace(Current {
            number,
            tell,
            attempt: None,
        });
        if let Some(before) = before {
            // Gone already, or it goes now.
            let _ = before.tell.send(Said::Cancel);
        }
        (number, said)
    }

    fn set_attempt(&self, number: u64, attempt: &Arc<SignInAttempt>) {
        let mut state = self.state();
        if let Some(current) = state.current.as_mut().filter(|current| current.number == number) {
            current.attempt = Some(attempt.clone());
        }
    }

    fn end(&self, number: u64) {
        let mut state = self.state();
        if state
            .current
            .as_ref()
            .is_some_and(|current| current.number == number)
        {
            state.current = None;
        }
    }

    fn say(&self, said: Said) -> Result<(), CommandError> {
        let state = self.state();
        let current = state.current.as_ref().ok_or_else(nobody_signs_in)?;
        current.tell.send(said).map_err(|_| nobody_signs_in())
    }

    fn attempt(&self) -> Result<Arc<SignInAttempt>, CommandError> {
        let state = self.state();
        let current = state.current.as_ref().and_then(|current| current.attempt.clone());
        current.ok_or_else(nobody_signs_in)
    }

    /// Nothing happens where nobody signs in.
    pub(crate) fn cancel(&self) {
        let _ = self.say(Said::Cancel);
    }

    pub(crate) fn switch(&self, way: SignInWay) -> Result<(), CommandError> {
        self.say(Said::Switch(way))
    }

    pub(crate) fn show_again(&self) -> Result<(), CommandError> {
        self.say(Said::ShowAgain)
    }

    /// The provider's page, for a browser that could not be started or belongs to another computer.
    pub(crate) fn address(&self) -> Result<String, CommandError> {
        Ok(self.attempt()?.address().to_owned())
    }

    /// Takes the address at which a browser ended that could not reach the listener.
    pub(crate) fn answer(&self, address: &SecretString) -> Result<(), CommandError> {
        let attempt = self.attempt()?;
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
        self.say(Said::Answered(answer))
    }

    /// Whoever signed in while somebody else was needed, once.
    pub(crate) fn take_other(&self) -> Result<Proved, CommandError> {
        self.state().other.take().ok_or_else(nobody_signs_in)
    }
}

fn nobody_signs_in() -> CommandError {
    CommandError::not_possible("Nobody is signing in just now. Begin again.", Recovery::Retry)
}

/// Everything one attempt needs around it.
pub(crate) struct Attempt<'a, R: Runtime> {
    pub(crate) app: &'a AppHandle<R>,
    pub(crate) sign_ins: &'a Arc<SignInDesk>,
    pub(crate) desk: &'a Desk,
    pub(crate) push: &'a Push,
    pub(crate) open_address: &'a Arc<OpenAddress>,
    pub(crate) provider: Provider,
    pub(crate) renews: Option<&'a IntegrationId>,
}

/// Where the provider's page is, until dropped.
enum Shown<R: Runtime> {
    Window(SignInWindow<R>),
    Browser(Option<Loopback>),
}

/// How waiting for an answer ended.
enum Waited {
    Answered(Answer),
    ShowIn(SignInWay),
    Cancelled,
}

impl<R: Runtime> Attempt<'_, R> {
    /// Signs in, and ends every window and listener that it needed.
    pub(crate) async fn run(&self, way: SignInWay) -> Result<SignInEnd, CommandError> {
        let (number, mut said) = self.sign_ins.begin();
        let end = self.sign_in(number, way, &mut said).await;
        self.sign_ins.end(number);
        self.push.send(Notice::of_sign_in(None));
        end
    }

    async fn sign_in(
        &self,
        number: u64,
        mut way: SignInWay,
        said: &mut UnboundedReceiver<Said>,
    ) -> Result<SignInEnd, CommandError> {
        let ports = &self.desk.ports;
        let provider = self.provider;
        let deadline = Instant::now() + SIGN_IN_DEADLINE;
        self.tell(way, SignInStep::Opening, None);
        let app = connect::known_app(ports, provider, Patience::PersonAsked)
            .await?
            .ok_or_else(|| {
                CommandError::bad_input(format!("Enter your app's data for {} first.", provider.name()))
            })?;
        let (attempt, answer) = loop {
            let attempt = Arc::new(connect::begin_sign_in(ports, provider, app.clone(), self.renews).await?);
            self.sign_ins.set_attempt(number, &attempt);
            let (shown, note) = self.show(way, &attempt).await?;
            self.tell(way, SignInStep::Waiting, note);
            match self.wait(shown, &attempt, said, deadline).await? {
                Waited::Answered(answer) => break (attempt, answer),
                Waited::ShowIn(other) => {
                    way = other;
                    self.tell(way, SignInStep::Opening, None);
                }
                Waited::Cancelled => return Ok(SignInEnd::Cancelled),
            }
        };
        self.tell(way, SignInStep::Proving, None);
        let signed_in = connect::finish_sign_in(ports, &attempt, answer, while_waiting()).await?;
        Ok(match signed_in {
            SignedIn::Connected(connected) => SignInEnd::Connected {
                connected: connected.into(),
            },
            SignedIn::OtherAccount {
                error,
                needed,
                signed_in_as,
                proved,
            } => {
                self.sign_ins.state().other = Some(*proved);
                SignInEnd::OtherAccount {
                    message: error.message,
                    needed,
                    signed_in_as,
                }
            }
        })
    }

    /// Shows the provider's page. The note says what the person has to do themselves.
    async fn show(
        &self,
        way: SignInWay,
        attempt: &Arc<SignInAttempt>,
    ) -> Result<(Shown<R>, Option<String>), CommandError> {
        match way {
            SignInWay::Window => {
                let number = self.sign_ins.next_number();
                let window = window::open(self.app, self.sign_ins.clone(), number, attempt.clone())?;
                Ok((Shown::Window(window), None))
            }
            SignInWay::Browser => {
                let port = redirect_port(attempt);
                // The port first: a browser that is sent to somebody else's would hand them the answer.
                let (listener, taken) = match Loopback::bind(self.provider, port).await {
                    Ok(listener) => (Some(listener), None),
                    Err(error) => (None, Some(error.for_person(self.provider))),
                };
                if let Some(taken) = taken {
                    return Ok((Shown::Browser(None), Some(taken.message)));
                }
                let note = self.open_browser(attempt).await.err().map(|error| error.message);
                Ok((Shown::Browser(listener), note))
            }
        }
    }

    async fn open_browser(&self, attempt: &SignInAttempt) -> Result<(), CommandError> {
        let (open_address, address) = (self.open_address.clone(), attempt.address().to_owned());
        let opened = tokio::task::spawn_blocking(move || open_address(&address)).await;
        match opened {
            Ok(Ok(())) => Ok(()),
            _ => Err(CommandError::not_possible(
                "This computer did not start a browser. Copy the link and open it by hand.",
                Recovery::Retry,
            )),
        }
    }

    async fn wait(
        &self,
        shown: Shown<R>,
        attempt: &Arc<SignInAttempt>,
        said: &mut UnboundedReceiver<Said>,
        deadline: Instant,
    ) -> Result<Waited, CommandError> {
        let (window, listener) = match shown {
            Shown::Window(window) => (Some(window), None),
            Shown::Browser(listener) => (None, listener),
        };
        let is_ours = |number: u64| window.as_ref().is_some_and(|window| window.number() == number);
        let heard = attempt.clone();
        let listening = async move {
            match listener {
                Some(listener) => {
                    listener
                        .answer(Arc::new(move |address| heard.hear(address)))
                        .await
                }
                None => std::future::pending().await,
            }
        };
        tokio::pin!(listening);
        loop {
            tokio::select! {
                answer = &mut listening => return Ok(Waited::Answered(answer)),
                said = said.recv() => match said {
                    Some(Said::Answered(answer)) => return Ok(Waited::Answered(answer)),
                    Some(Said::Switch(way)) => return Ok(Waited::ShowIn(way)),
                    Some(Said::WindowRefused(number)) if is_ours(number) => {
                        return Ok(Waited::ShowIn(SignInWay::Browser));
                    }
                    Some(Said::WindowClosed(number)) if is_ours(number) => return Ok(Waited::Cancelled),
                    // Of a window that is gone.
                    Some(Said::WindowClosed(_) | Said::WindowRefused(_)) => {}
                    Some(Said::ShowAgain) => match &window {
                        Some(window) => window.show(),
                        None => self.open_browser(attempt).await?,
                    },
                    Some(Said::Cancel) | None => return Ok(Waited::Cancelled),
                },
                () = tokio::time::sleep_until(deadline) => {
                    return Err(CommandError::waiting(format!(
                        "Nobody signed in at {} within five minutes. Nothing was changed; begin again when you are \
                         ready.",
                        self.provider.name()
                    )));
                }
            }
        }
    }

    fn tell(&self, way: SignInWay, step: SignInStep, note: Option<String>) {
        self.push.send(Notice::of_sign_in(Some(SignInProgress {
            provider: self.provider.into(),
            way,
            step,
            note,
        })));
    }
}

fn redirect_port(attempt: &SignInAttempt) -> u16 {
    Url::parse(attempt.redirect_uri())
        .ok()
        .and_then(|address| address.port())
        .unwrap_or_default()
}

impl Notice {
    fn of_sign_in(progress: Option<SignInProgress>) -> Self {
        Self {
            sign_in: progress,
            ..Self::new(NoticeType::SignInChanged)
        }
    }
}
