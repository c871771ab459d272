//! How one attempt to sign in goes. Owns where the page is shown (a window of ours without any right, or the person's
//! browser with a listener) and that both are gone afterwards; what an answer means and what is kept of it is the
//! core's.

use std::pin::Pin;
use std::sync::Arc;

use talkvalue_adapters::oauth::Loopback;
use talkvalue_core::connect::{self, Answer, SIGN_IN_DEADLINE, SignInAttempt, SignedIn};
use talkvalue_core::domain::credential::OauthApp;
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Patience;
use tauri::{AppHandle, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use super::window::{self, SignInWindow};
use super::{Page, PageSaid, Said, SignInDesk, Turn};
use crate::desk::{Desk, while_waiting};
use crate::ipc::notices::{Notice, NoticeType, Push};
use crate::ipc::sign_in::{SignInEnd, SignInProgress, SignInStep, SignInWay};
use crate::world::OpenAddress;

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

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Where the provider's page is, until dropped.
enum Shown<R: Runtime> {
    Window(SignInWindow<R>),
    Browser {
        /// Closes its port when dropped.
        listening: Option<Pending<Answer>>,
        /// Starts the browser; what it leaves to the person.
        starting: Option<Pending<Option<String>>>,
        /// Why nobody listens.
        taken: Option<String>,
    },
}

/// How showing the page, or waiting for its answer, ended.
enum Waited<T> {
    Done(T),
    ShowIn(SignInWay),
    Stopped,
}

impl<R: Runtime> Attempt<'_, R> {
    /// Signs in, and ends every window and listener that it needed.
    pub(crate) async fn run(&self, way: SignInWay) -> Result<SignInEnd, CommandError> {
        let turn = self.sign_ins.begin().await;
        let number = turn.number;
        let end = self.sign_in(turn, way).await;
        self.sign_ins.end(number);
        self.push.send(Notice::of_sign_in(None));
        end
    }

    async fn sign_in(&self, turn: Turn, mut way: SignInWay) -> Result<SignInEnd, CommandError> {
        let Turn {
            number,
            mut said,
            place,
            under_way: _under_way,
        } = turn;
        let clock = self.desk.ports.clock.clone();
        let mut deadline: Pending<()> = Box::pin(async move { clock.sleep(SIGN_IN_DEADLINE).await });
        let mut app = None;
        let (attempt, answer) = loop {
            self.tell(way, SignInStep::Opening, None);
            let opened = match unless_stopped(self.open(number, way, &mut app), &mut said).await {
                Waited::Done(opened) => opened?,
                Waited::ShowIn(other) => {
                    way = other;
                    continue;
                }
                Waited::Stopped => return Ok(SignInEnd::Cancelled),
            };
            let (page, shown) = opened;
            match self.wait(shown, &page, &mut said, &mut deadline).await? {
                Waited::Done(answer) => break (page.attempt, answer),
                Waited::ShowIn(other) => way = other,
                Waited::Stopped => return Ok(SignInEnd::Cancelled),
            }
        };
        // Nothing is shown and nobody listens any more: whoever begins next need not wait for the rest.
        self.sign_ins.set_page(number, None);
        drop(place);
        self.tell(way, SignInStep::Proving, None);
        self.finish(number, attempt, answer, &mut said).await
    }

    /// A code that was sent is redeemed to its end, whatever a person does meanwhile; what nobody wants is given back.
    async fn finish(
        &self,
        number: u64,
        attempt: Arc<SignInAttempt>,
        answer: Answer,
        said: &mut UnboundedReceiver<Said>,
    ) -> Result<SignInEnd, CommandError> {
        let ports = &self.desk.ports;
        let (theirs, own) = (attempt.clone(), ports.clone());
        let mut redeeming: Pending<_> =
            Box::pin(async move { connect::redeem(&own, &theirs, answer, while_waiting()).await });
        let proved = tokio::select! {
            biased;
            () = stopped(said) => {
                self.sign_ins.give_back(ports.clone(), async move { redeeming.await.ok() });
                return Ok(SignInEnd::Cancelled);
            }
            proved = &mut redeeming => proved?,
        };
        if !self.sign_ins.is_current(number) {
            self.sign_ins.give_back(ports.clone(), async { Some(proved) });
            return Ok(SignInEnd::Cancelled);
        }
        // From here on it is saved: half a sign-in would be worse than one that nobody wants.
        let signed_in = connect::keep_sign_in(ports, &attempt, proved, while_waiting()).await?;
        match signed_in {
            SignedIn::Connected(connected) => Ok(SignInEnd::Connected {
                connected: connected.into(),
            }),
            SignedIn::OtherAccount {
                error,
                needed,
                signed_in_as,
                proved,
            } => {
                if !self.sign_ins.hold(number, ports.clone(), *proved) {
                    return Ok(SignInEnd::Cancelled);
                }
                Ok(SignInEnd::OtherAccount {
                    message: error.message,
                    needed,
                    signed_in_as,
                })
            }
        }
    }

    /// Shows the provider's page, with the app that `known` holds or that is asked for first.
    async fn open(
        &self,
        number: u64,
        way: SignInWay,
        known: &mut Option<OauthApp>,
    ) -> Result<(Page, Shown<R>), CommandError> {
        let (ports, provider) = (&self.desk.ports, self.provider);
        let app = match known {
            Some(app) => app.clone(),
            None => {
                let app = connect::known_app(ports, provider, Patience::PersonAsked).await?;
                let app = app.ok_or_else(|| {
                    CommandError::bad_input(format!("Enter your app's data for {} first.", provider.name()))
                })?;
                known.insert(app).clone()
            }
        };
        let attempt = Arc::new(connect::begin_sign_in(ports, provider, app, self.renews).await?);
        let page = Page {
            number: self.sign_ins.next_number(),
            attempt,
        };
        let shown = match way {
            SignInWay::Window => Shown::Window(window::open(
                self.app,
                self.sign_ins.clone(),
                page.number,
                page.attempt.clone(),
            )?),
            SignInWay::Browser => self.to_browser(&page.attempt).await,
        };
        self.sign_ins.set_page(number, Some(page.clone()));
        Ok((page, shown))
    }

    /// The port first: a browser that is sent to somebody else's would hand them the answer.
    async fn to_browser(&self, attempt: &Arc<SignInAttempt>) -> Shown<R> {
        match Loopback::bind(self.provider, redirect_port(attempt)).await {
            Ok(listener) => {
                let heard = attempt.clone();
                Shown::Browser {
                    listening: Some(Box::pin(
                        listener.answer(Arc::new(move |address| heard.hear(address))),
                    )),
                    starting: Some(self.start_browser(attempt)),
                    taken: None,
                }
            }
            Err(error) => Shown::Browser {
                listening: None,
                starting: None,
                taken: Some(error.for_person(self.provider).message),
            },
        }
    }

    fn start_browser(&self, attempt: &SignInAttempt) -> Pending<Option<String>> {
        let (open_address, address) = (self.open_address.clone(), attempt.address().to_owned());
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || open_address(&address)).await;
            match opened {
                Ok(Ok(())) => None,
                _ => Some(
                    "This computer did not start a browser. Copy the link and open it by hand.".to_owned(),
                ),
            }
        })
    }

    /// Waits for the page's answer.
    async fn wait(
        &self,
        mut shown: Shown<R>,
        page: &Page,
        said: &mut UnboundedReceiver<Said>,
        deadline: &mut Pending<()>,
    ) -> Result<Waited<Answer>, CommandError> {
        self.tell_shown(&shown);
        loop {
            let (mut no_answer, mut no_start) = (None, None);
            let (listening, starting) = match &mut shown {
                Shown::Window(_) => (&mut no_answer, &mut no_start),
                Shown::Browser {
                    listening, starting, ..
                } => (listening, starting),
            };
            tokio::select! {
                biased;
                said = said.recv() => match said {
                    None => return Ok(Waited::Stopped),
                    Some(Said::OfPage(number, said)) => {
                        if let Some(waited) = heard(page.number, number, said) {
                            return Ok(waited);
                        }
                    }
                    Some(Said::Switch(way)) => return Ok(Waited::ShowIn(way)),
                    Some(Said::ShowAgain) => match &mut shown {
                        Shown::Window(window) => window.show(),
                        Shown::Browser { listening: Some(_), starting, .. } => {
                            starting.get_or_insert_with(|| self.start_browser(&page.attempt));
                        }
                        // The port may be free by now.
                        Shown::Browser { .. } => {
                            shown = self.to_browser(&page.attempt).await;
                            self.tell_shown(&shown);
                        }
                    },
                },
                answer = once(listening) => return Ok(Waited::Done(answer)),
                note = once(starting) => self.tell(SignInWay::Browser, SignInStep::Waiting, note),
                () = &mut *deadline => {
                    return Err(CommandError::waiting(format!(
                        "Nobody signed in at {} within five minutes. Nothing was changed; begin again when you are \
                         ready.",
                        self.provider.name()
                    )));
                }
            }
        }
    }

    fn tell_shown(&self, shown: &Shown<R>) {
        match shown {
            Shown::Window(_) => self.tell(SignInWay::Window, SignInStep::Waiting, None),
            Shown::Browser {
                taken: Some(taken), ..
            } => {
                self.tell(SignInWay::Browser, SignInStep::Waiting, Some(taken.clone()));
            }
            // Told once the browser has started, or could not be.
            Shown::Browser { .. } => {}
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

/// Goes on with what shows the page until the attempt is stopped, or is to be shown elsewhere.
async fn unless_stopped<T>(work: impl Future<Output = T>, said: &mut UnboundedReceiver<Said>) -> Waited<T> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            said = said.recv() => match said {
                None => return Waited::Stopped,
                Some(Said::Switch(way)) => return Waited::ShowIn(way),
                // Nothing is shown yet: it is said of a page before.
                Some(Said::OfPage(..) | Said::ShowAgain) => {}
            },
            done = &mut work => return Waited::Done(done),
        }
    }
}

/// How the wait for `page` ends by what came of the page of that number. That of a page that is gone is not heard: its
/// answer belongs to another state and verifier, and perhaps to another provider.
fn heard(page: u64, number: u64, said: PageSaid) -> Option<Waited<Answer>> {
    (number == page).then_some(match said {
        PageSaid::Answered(answer) => Waited::Done(answer),
        PageSaid::Closed => Waited::Stopped,
        PageSaid::Refused => Waited::ShowIn(SignInWay::Browser),
    })
}

/// Waits until the attempt is stopped.
async fn stopped(said: &mut UnboundedReceiver<Said>) {
    while said.recv().await.is_some() {}
}

/// Comes to its end once, and never where there is nothing to wait for.
async fn once<T>(pending: &mut Option<Pending<T>>) -> T {
    let Some(waited) = pending else {
        return std::future::pending().await;
    };
    let done = waited.await;
    *pending = None;
    done
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_a_page_that_is_gone_is_not_heard() {
        let all = || {
            let code = Answer::Code("CODE".to_owned().into());
            [
                PageSaid::Answered(code),
                PageSaid::Answered(Answer::Declined),
                PageSaid::Closed,
                PageSaid::Refused,
            ]
        };
        for said in all() {
            assert!(heard(2, 1, said).is_none(), "the page is another one now");
        }
        let [code, declined, closed, refused] = all().map(|said| heard(2, 2, said));
        assert!(matches!(code, Some(Waited::Done(Answer::Code(_)))));
        assert!(matches!(declined, Some(Waited::Done(Answer::Declined))));
        assert!(matches!(closed, Some(Waited::Stopped)));
        assert!(matches!(refused, Some(Waited::ShowIn(SignInWay::Browser))));
    }
}
