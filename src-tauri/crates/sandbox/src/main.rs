//! The sandbox as a program: `serve` for people, demos and benchmarks; `session` to run a command with a
//! keychain of its own.

mod fetch_pages;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};
use talkvalue_sandbox::{EventSpec, Sandbox};
use tokio::signal::ctrl_c;
use tokio::sync::oneshot;

#[derive(Parser)]
#[command(name = "talkvalue-sandbox", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Order,
}

#[derive(Subcommand)]
enum Order {
    /// Serves simulated Eventbrite and Luma APIs on loopback until interrupted
    Serve(Serve),
    /// Runs a command in a private D-Bus session with its own gnome-keyring (Linux)
    Session(Session),
    /// Fetches every page of the announced bulk event and keeps nothing: what an import costs at least
    FetchPages {
        /// The file that `serve --attendees N --announce FILE` wrote
        #[arg(long, value_name = "FILE")]
        announced: PathBuf,
    },
}

#[derive(Args)]
struct Serve {
    /// Same seed, same world, same credentials
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Fills the worlds with the demo workspace
    #[arg(long)]
    demo: bool,
    /// Port of the Eventbrite API; 0 takes any
    #[arg(long, default_value_t = 0)]
    eventbrite_port: u16,
    /// Port of the Luma API; 0 takes any
    #[arg(long, default_value_t = 0)]
    luma_port: u16,
    /// Port of the Eventbrite OAuth server; 0 takes any
    #[arg(long, default_value_t = 0)]
    eventbrite_oauth_port: u16,
    /// Port of the Luma OAuth server; 0 takes any
    #[arg(long, default_value_t = 0)]
    luma_oauth_port: u16,
    /// Any port on loopback will do in the redirect address of an OAuth app
    #[arg(long)]
    any_redirect_port: bool,
    /// Port of the control page; 0 takes any
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Every request takes this much longer
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Adds an Eventbrite account with one event of that many attendees
    #[arg(long)]
    attendees: Option<usize>,
    /// Adds a Luma calendar with one event of that many guests
    #[arg(long)]
    guests: Option<usize>,
    /// No rate limits
    #[arg(long)]
    unlimited: bool,
    /// Also writes the announcement to this file, at once and whole
    #[arg(long, value_name = "FILE")]
    announce: Option<PathBuf>,
    /// Ends when standard input does
    #[arg(long)]
    until_stdin_closes: bool,
}

#[derive(Args)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "sessions exist on Linux only")
)]
struct Session {
    /// The keychain is locked
    #[arg(long, group = "state")]
    locked: bool,
    /// There is no session bus
    #[arg(long, group = "state")]
    absent: bool,
    /// The keychain never answers
    #[arg(long, group = "state")]
    hung: bool,
    /// There is a session bus without a keychain
    #[arg(long, group = "state")]
    no_service: bool,
    /// Keeps the display, so that a locked keychain asks for its password
    #[arg(long)]
    with_display: bool,
    /// The command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<String>,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Order::Serve(wishes) => serve(&wishes),
        Order::Session(wishes) => session::run(&wishes),
        Order::FetchPages { announced } => fetch_pages::run(&announced),
    }
}

fn serve(wishes: &Serve) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut builder = Sandbox::builder()
            .seed(wishes.seed)
            .ports(wishes.eventbrite_port, wishes.luma_port, wishes.control_port)
            .oauth_ports(wishes.eventbrite_oauth_port, wishes.luma_oauth_port)
            .control_page(true);
        if wishes.demo {
            builder = builder.demo();
        }
        let sandbox = builder.start().await.context("the sandbox could not listen")?;
        let announcement = prepare(&sandbox, wishes).to_string();
        if let Some(file) = &wishes.announce {
            write_whole(file, &announcement).with_context(|| format!("writing {}", file.display()))?;
        }
        announce(&announcement)?;
        wait_for_the_end(wishes.until_stdin_closes).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Fills in what was asked for; what a client needs to know.
fn prepare(sandbox: &Sandbox, wishes: &Serve) -> Value {
    let (eventbrite, luma) = (sandbox.eventbrite(), sandbox.luma());
    let latency = Duration::from_millis(wishes.latency_ms);
    let (eventbrite_oauth, luma_oauth) = (eventbrite.oauth(), luma.oauth());
    for oauth in [&eventbrite_oauth, &luma_oauth] {
        oauth.switches(|switches| switches.any_redirect_port = wishes.any_redirect_port);
    }
    for door in [&*eventbrite, &*luma, &*eventbrite_oauth, &*luma_oauth] {
        door.latency(latency);
        if wishes.unlimited {
            door.unlimited();
        }
    }
    let bulk_attendees = wishes.attendees.map(|count| {
        let account = eventbrite.add_account("Bulk Tickets", "bulk@harbour.example");
        let organization = eventbrite.add_organization(&account, "Bulk Tickets");
        let event = eventbrite.add_event(&organization, EventSpec::new("Bulk Event"));
        eventbrite.add_attendees(&event, count);
        json!({ "account": account, "organizationId": organization, "eventId": event, "registrations": count })
    });
    let bulk_guests = wishes.guests.map(|count| {
        let calendar = luma.add_calendar("Bulk Calendar", "Bulk Owner", "bulk@community.example");
        let event = luma.add_event(&calendar.id, EventSpec::new("Bulk Event"));
        luma.add_guests(&event, count);
        json!({ "calendar": calendar, "eventId": event, "registrations": count })
    });
    json!({
        "eventbriteApiUrl": eventbrite.api_url(),
        "eventbriteOauthUrl": eventbrite.oauth_url(),
        "lumaApiUrl": luma.api_url(),
        "lumaOauthUrl": luma.oauth_url(),
        "eventbriteOauthApp": eventbrite_oauth.app(),
        "lumaOauthApp": luma_oauth.app(),
        "controlUrl": sandbox.control_url(),
        "processId": std::process::id(),
        "demo": sandbox.demo(),
        "bulkAttendees": bulk_attendees,
        "bulkGuests": bulk_guests,
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the announcement on standard output is this program's interface"
)]
fn announce(line: &str) -> io::Result<()> {
    println!("{line}");
    io::stdout().flush()
}

/// A reader sees the whole file or none.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(draft, "{text}")?;
    draft.persist(file).map_err(|failed| failed.error)?;
    Ok(())
}

async fn wait_for_the_end(until_stdin_closes: bool) -> io::Result<()> {
    let (closed, stdin_closes) = oneshot::channel::<()>();
    let mut never_closed = Some(closed);
    if until_stdin_closes && let Some(closed) = never_closed.take() {
        std::thread::spawn(move || {
            // Either the end or an error of the input is the end.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            drop(closed);
        });
    }
    tokio::select! {
        interrupted = ctrl_c() => interrupted,
        terminated = terminated() => terminated,
        _ = stdin_closes => Ok(()),
    }
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    std::future::pending().await
}

#[cfg(target_os = "linux")]
mod session {
    //! Runs the command in the private session and passes its exit code through.

    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitCode};

    use anyhow::{Context, Result};
    use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};

    use super::Session;

    pub(super) fn run(wishes: &Session) -> Result<ExitCode> {
        let state = match wishes {
            Session { locked: true, .. } => KeychainState::Locked,
            Session { absent: true, .. } => KeychainState::NoBus,
            Session { hung: true, .. } => KeychainState::Hung,
            Session { no_service: true, .. } => KeychainState::NoService,
            _ => KeychainState::Unlocked,
        };
        let keychain = if wishes.with_display {
            PrivateKeychain::start_with_display(state)
        } else {
            PrivateKeychain::start(state)
        }
        .context("the private keychain could not start")?;
        let (program, arguments) = wishes.command.split_first().context("a command is needed")?;
        let mut command = Command::new(program);
        command.args(arguments);
        let status = keychain
            .apply_to(&mut command)
            .status()
            .with_context(|| format!("running {program}"))?;
        drop(keychain);
        // As shells do it: a signal is 128 and its number.
        let code = status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .unwrap_or(1);
        Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
    }
}

#[cfg(not(target_os = "linux"))]
mod session {
    //! Private sessions exist on Linux only.

    use std::process::ExitCode;

    use anyhow::{Result, bail};

    pub(super) fn run(_wishes: &super::Session) -> Result<ExitCode> {
        bail!("private keychain sessions need Linux")
    }
}
