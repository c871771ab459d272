//! The sandbox itself: starts the servers on threads of their own and stops them on drop.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use tokio::sync::{oneshot, watch};

use crate::clock::SandboxClock;
use crate::control::Controls;
use crate::demo::{self, Demo};
use crate::eventbrite::{Eventbrite, EventbriteApi};
use crate::http::{self, Api, Listening};
use crate::luma::{Luma, LumaApi};
use crate::oauth::{self, Oauth, OauthServer};
use crate::outage::{Outage, WORKER_NAME};

/// Both simulated providers, and the control page if asked for. Stops on drop.
pub struct Sandbox {
    eventbrite: Eventbrite,
    luma: Luma,
    clock: SandboxClock,
    demo: Option<Demo>,
    control_url: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<thread::JoinHandle<()>>,
}

/// How to start a [`Sandbox`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SandboxBuilder {
    seed: u64,
    clock: SandboxClock,
    eventbrite_port: u16,
    luma_port: u16,
    eventbrite_oauth_port: u16,
    luma_oauth_port: u16,
    control_port: u16,
    control_page: bool,
    demo: bool,
}

impl SandboxBuilder {
    /// Same seed, same world, same credentials.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The clock that everything in the sandbox reads.
    pub fn clock(mut self, clock: SandboxClock) -> Self {
        self.clock = clock;
        self
    }

    /// Ports to listen on; 0 takes any.
    pub fn ports(mut self, eventbrite: u16, luma: u16, control: u16) -> Self {
        (self.eventbrite_port, self.luma_port, self.control_port) = (eventbrite, luma, control);
        self
    }

    /// Ports of the OAuth servers; 0 takes any.
    pub fn oauth_ports(mut self, eventbrite: u16, luma: u16) -> Self {
        (self.eventbrite_oauth_port, self.luma_oauth_port) = (eventbrite, luma);
        self
    }

    /// Fills the worlds with the demo workspace.
    pub fn demo(mut self) -> Self {
        self.demo = true;
        self
    }

    /// Serves the control page.
    pub fn control_page(mut self, wanted: bool) -> Self {
        self.control_page = wanted;
        self
    }

    /// Starts. The servers listen when this returns.
    ///
    /// # Errors
    /// A port that is taken, or no threads left.
    pub async fn start(self) -> io::Result<Sandbox> {
        self.start_blocking()
    }

    /// [`Self::start`] for callers without a runtime.
    ///
    /// # Errors
    /// A port that is taken, or no threads left.
    pub fn start_blocking(self) -> io::Result<Sandbox> {
        let (eventbrite_seat, eventbrite_port, eventbrite_outage) = Seat::take(self.eventbrite_port)?;
        let (luma_seat, luma_port, luma_outage) = Seat::take(self.luma_port)?;
        let oauth_server = |brand, wanted_port| -> io::Result<_> {
            let (seat, port, outage) = Seat::take(wanted_port)?;
            let server = Arc::new(OauthServer::new(brand, self.seed, self.clock.clone(), port));
            Ok((seat, Oauth::new(Arc::clone(&server), outage), server))
        };
        let (eventbrite_oauth_seat, eventbrite_oauth, eventbrite_oauth_server) =
            oauth_server(oauth::EVENTBRITE, self.eventbrite_oauth_port)?;
        let (luma_oauth_seat, luma_oauth, luma_oauth_server) =
            oauth_server(oauth::LUMA, self.luma_oauth_port)?;
        let eventbrite_api = Arc::new(EventbriteApi::new(
            self.seed,
            self.clock.clone(),
            Arc::clone(&eventbrite_oauth_server),
        ));
        let luma_api = Arc::new(LumaApi::new(
            self.seed,
            self.clock.clone(),
            Arc::clone(&luma_oauth_server),
        ));
        let eventbrite = Eventbrite::new(
            Arc::clone(&eventbrite_api),
            eventbrite_port,
            eventbrite_outage,
            eventbrite_oauth,
        );
        let luma = Luma::new(Arc::clone(&luma_api), luma_port, luma_outage, luma_oauth);
        let demo = self.demo.then(|| demo::fill(&eventbrite, &luma, &self.clock));

        let control = if self.control_page {
            Some(http::bind(self.control_port)?)
        } else {
            None
        };
        let control_port = match &control {
            Some(listener) => Some(listener.local_addr()?.port()),
            None => None,
        };
        let controls = control_port.map(|port| Controls::new(eventbrite.clone(), luma.clone(), port));

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(WORKER_NAME)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let clock = self.clock.clone();
        let server = thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            {
                let _inside = runtime.enter();
                runtime.spawn(eventbrite_seat.serve(clock.clone(), eventbrite_api));
                runtime.spawn(luma_seat.serve(clock.clone(), luma_api));
                runtime.spawn(eventbrite_oauth_seat.serve(clock.clone(), eventbrite_oauth_server));
                runtime.spawn(luma_oauth_seat.serve(clock.clone(), luma_oauth_server));
                if let (Some(listener), Some(controls)) = (control, controls) {
                    let (wanted, wish) = watch::channel(Listening::Up);
                    let (actual, _) = watch::channel(Listening::Up);
                    runtime.spawn(async move {
                        // Held so that the server does not take the page for abandoned.
                        let _wanted = wanted;
                        let handler = move |request| {
                            let answer = controls.answer(&request);
                            async move { http::Answer::plain(answer) }
                        };
                        http::serve(listener, clock, wish, actual, handler).await
                    });
                }
            }
            // Either a word or the drop of the sender ends the servers.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Sandbox {
            eventbrite,
            luma,
            clock: self.clock,
            demo,
            control_url: control_port.map(|port| format!("http://127.0.0.1:{port}/")),
            stop: Some(stop),
            server: Some(server),
        })
    }
}

/// A port that is listened on, and the switch that ends and resumes that.
struct Seat {
    listener: TcpListener,
    wish: watch::Receiver<Listening>,
    actual: watch::Sender<Listening>,
}

impl Seat {
    fn take(port: u16) -> io::Result<(Self, u16, Outage)> {
        let listener = http::bind(port)?;
        let port = listener.local_addr()?.port();
        let (wanted, wish) = watch::channel(Listening::Up);
        let (actual, state) = watch::channel(Listening::Up);
        let seat = Self {
            listener,
            wish,
            actual,
        };
        Ok((seat, port, Outage::new(wanted, state)))
    }

    fn serve<Provider: Api>(
        self,
        clock: SandboxClock,
        api: Arc<Provider>,
    ) -> impl Future<Output = io::Result<Infallible>> + Send {
        http::serve(self.listener, clock, self.wish, self.actual, passing(api))
    }
}

fn passing<Provider: Api>(
    api: Arc<Provider>,
) -> impl Fn(http::Request) -> std::pin::Pin<Box<dyn Future<Output = http::Answer> + Send>> + Clone + Send + Sync
{
    move |request| {
        let api = Arc::clone(&api);
        Box::pin(async move { http::pass(&*api, request).await })
    }
}

impl Sandbox {
    /// Starts with choices.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Starts with the builder's defaults and empty worlds.
    ///
    /// # Panics
    /// If the machine has no loopback port left.
    pub async fn start() -> Self {
        Self::builder()
            .start()
            .await
            .expect("a loopback port is always free on a working machine")
    }

    /// The simulated Eventbrite.
    #[must_use]
    pub fn eventbrite(&self) -> Eventbrite {
        self.eventbrite.clone()
    }

    /// The simulated Luma.
    #[must_use]
    pub fn luma(&self) -> Luma {
        self.luma.clone()
    }

    /// The clock of this sandbox.
    #[must_use]
    pub fn clock(&self) -> SandboxClock {
        self.clock.clone()
    }

    /// What the demo workspace consists of, if it was asked for.
    #[must_use]
    pub fn demo(&self) -> Option<&Demo> {
        self.demo.as_ref()
    }

    /// The control page's address, if it was asked for.
    #[must_use]
    pub fn control_url(&self) -> Option<&str> {
        self.control_url.as_deref()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            // Waits until every port is closed. A server thread that panicked has closed them too.
            let _ = server.join();
        }
    }
}
