//! One command from its first word to its exit code: read what it needs, call its use case, print the answer.

use crate::args::{self, Arguments, Command, Connect, NotRun};
use crate::exit;
use crate::json;
use crate::progress::{Audience, Doing, Progress, WatchedVault};
use crate::render::text::{plain, wrap};
use crate::render::{BOLD, DIM, Page, candidates, integrations, item_page, items, painted};
use crate::{diagnostics, log, sign_in, terminal, watch};
use anstream::AutoStream;
use anstyle::AnsiColor;
use clap::CommandFactory;
use secrecy::SecretString;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use talkvalue_adapters::Settings;
use talkvalue_core::connect::{self, Repaired};
use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::{ExternalId, IntegrationId, ItemId};
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::words::counted;
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Patience, Ports};
use talkvalue_core::query::{self, IntegrationView, ItemView};
use talkvalue_core::sync::actions::{self, SyncedItem};
use talkvalue_core::sync::cancel;
use talkvalue_core::sync::engine::EngineOptions;
use talkvalue_core::sync::removals::Decision;

/// Why a command ended before its end.
pub(crate) enum Stop {
    Refused(CommandError),
    /// Standard output takes no more.
    Output(io::Error),
    /// Ctrl-C; what to say of it.
    Interrupted(String),
}

impl From<CommandError> for Stop {
    fn from(error: CommandError) -> Self {
        Stop::Refused(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Output(error)
    }
}

/// Runs a command line (program name first) and answers with its exit code. Whatever happens has been told.
pub(crate) fn run(raw: Vec<OsString>) -> u8 {
    let arguments = match args::parse(raw) {
        Ok(arguments) => arguments,
        // Where the words cannot be printed there is nobody to tell.
        Err(NotRun::Told(words)) => {
            let _ = words.print();
            return exit::DONE;
        }
        Err(NotRun::Refused(words)) => {
            let _ = words.print();
            return exit::USAGE;
        }
        Err(NotRun::Error { error, json }) => return told(Stop::Refused(error), json),
    };
    let json = arguments.global.json;
    match start(arguments) {
        Ok(code) => code,
        Err(stop) => told(stop, json),
    }
}

/// Tells why the command ended, and answers with the exit code.
fn told(stop: Stop, json: bool) -> u8 {
    match stop {
        Stop::Refused(error) => {
            if json {
                let mut out = for_programs();
                let _ = json::error(&mut out, &error).and_then(|()| out.flush());
            } else {
                complain("error", &error.message);
                if let Some(hint) = exit::hint(&error) {
                    complain("hint", hint);
                }
            }
            exit::exit_code(error.code)
        }
        // Whoever read our output has seen enough.
        Stop::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => exit::DONE,
        Stop::Output(error) => {
            complain("error", &format!("The output could not be written: {error}."));
            exit::FAILED
        }
        Stop::Interrupted(words) => {
            complain("stopped", &words);
            exit::INTERRUPTED
        }
    }
}

/// One line on standard error.
pub(crate) fn complain(label: &str, message: &str) {
    let mut stderr = AutoStream::auto(io::stderr().lock());
    let label = painted(label, AnsiColor::Red.on_default().bold());
    let _ = writeln!(stderr, "{label}: {}", plain(message));
}

pub(crate) fn for_programs() -> impl Write {
    BufWriter::new(io::stdout().lock())
}

pub(crate) fn for_people() -> impl Write {
    BufWriter::new(AutoStream::auto(io::stdout().lock()))
}

fn start(arguments: Arguments) -> Result<u8, Stop> {
    log::start(arguments.global.verbose)?;
    if let Command::Completions { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "tvsync", &mut script);
        let mut out = for_programs();
        out.write_all(&script)?;
        out.flush()?;
        return Ok(exit::DONE);
    }
    let settings = Settings::from_environment(arguments.global.data_dir.clone())?;
    // Asked for before anything listens to Ctrl-C: while typing is hidden, Ctrl-C must end us as it ends any program,
    // so that the shell sets the terminal right again.
    let secret = match &arguments.command {
        Command::Connect { provider } => secret_of(provider).map(terminal::read_secret).transpose()?,
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Stop::Output(io::Error::other(format!(
                "this process could not start ({error})"
            )))
        })?;
    let ended = runtime.block_on(perform(arguments, settings, secret));
    // A keychain that never answers must not keep the process.
    runtime.shutdown_background();
    ended
}

/// What has to be typed or piped in.
fn secret_of(connect: &Connect) -> Option<&'static str> {
    match connect {
        Connect::Eventbrite {
            client_secret_stdin: true,
            ..
        } => Some("client secret"),
        Connect::Eventbrite { sign_in, .. } | Connect::Luma { sign_in, .. } if sign_in.oauth => None,
        connect => Some(provider_of(connect).credential_name()),
    }
}

fn provider_of(connect: &Connect) -> Provider {
    match connect {
        Connect::Eventbrite { .. } => Provider::Eventbrite,
        Connect::Luma { .. } => Provider::Luma,
    }
}

/// What the person sees while they wait.
fn doing(command: &Command) -> Doing {
    match command {
        Command::Connect { provider } => Doing::Asking(match provider_of(provider) {
            Provider::Eventbrite => "Asking Eventbrite…",
            Provider::Luma => "Asking Luma…",
        }),
        Command::Verify { .. } | Command::Candidates { .. } => Doing::Asking("Asking the provider…"),
        Command::Disconnect { .. }
        | Command::Cancel { .. }
        | Command::Keep { .. }
        | Command::Remove { .. }
        | Command::Removals { .. } => Doing::Asking("Just a moment…"),
        Command::Import { .. } => Doing::Importing,
        Command::Sync { .. } | Command::Retry { .. } | Command::Reconnect { .. } => Doing::Syncing,
        Command::Integrations
        | Command::Items
        | Command::Show { .. }
        | Command::Attendees { .. }
        | Command::History { .. }
        | Command::Watch
        | Command::Diagnostics { .. }
        | Command::Completions { .. } => Doing::Reading,
    }
}

/// The command that goes on after Ctrl-C; an item's id follows it.
fn way_on(command: &Command) -> Option<&'static str> {
    match command {
        Command::Sync { .. } => Some("sync"),
        Command::Import { .. } | Command::Retry { .. } | Command::Reconnect { .. } => Some("retry"),
        _ => None,
    }
}

fn stopped(way_on: Option<&'static str>, item: Option<ItemId>) -> String {
    match (way_on, item) {
        (Some(command), Some(item)) => {
            format!("What arrived is kept; `tvsync {command} {item}` goes on.")
        }
        (Some(_), None) => "What arrived is kept.".to_owned(),
        (None, _) => "Nothing more is done.".to_owned(),
    }
}

async fn perform(arguments: Arguments, settings: Settings, secret: Option<SecretString>) -> Result<u8, Stop> {
    let json = arguments.global.json;
    if let Command::Watch = arguments.command {
        return watch::run(&settings, json).await;
    }
    let doing = doing(&arguments.command);
    let audience = match (json, terminal::stderr_is_terminal()) {
        (true, _) => Audience::Program,
        (false, true) => Audience::Terminal,
        (false, false) => Audience::Pipe,
    };
    let progress = Arc::new(Progress::new(audience, doing));
    let opened = talkvalue_adapters::open(&settings, progress.clone());
    terminal::tell_mended(&opened);
    if let Command::Diagnostics { out, force } = &arguments.command {
        return support_file(&settings, opened, out, *force, json).await;
    }
    let mut ports = opened?;
    ports.vault = Arc::new(WatchedVault::new(ports.vault.clone(), &progress));
    progress.names_items_from(ports.store.clone());
    let session = Session {
        page: Page {
            reader: query::reader(&ports),
            width: terminal::stdout_width(),
        },
        options: EngineOptions {
            wait_limit: arguments.global.wait_limit(),
            patience: if terminal::stderr_is_terminal() {
                Patience::PersonAsked
            } else {
                Patience::Background
            },
        },
        ports: ports.clone(),
        progress: progress.clone(),
        json,
    };
    let way_on = way_on(&arguments.command);
    let work = session.perform(arguments.command, secret);
    let ended = if doing == Doing::Reading {
        work.await
    } else {
        tokio::select! {
            biased;
            ended = work => ended,
            Ok(()) = tokio::signal::ctrl_c() => Err(Stop::Interrupted(stopped(way_on, progress.item()))),
        }
    };
    // A renewed sign-in must be kept, whoever lost patience meanwhile.
    connect::settle_sign_ins(&ports).await;
    progress.finish();
    ended
}

pub(crate) struct Session {
    pub(crate) ports: Ports,
    pub(crate) page: Page,
    pub(crate) options: EngineOptions,
    pub(crate) progress: Arc<Progress>,
    pub(crate) json: bool,
}

/// How an item that was acted on is shown.
#[derive(Clone, Copy)]
enum Shown {
    /// With all that is known of it.
    Page,
    /// In two lines.
    Card,
}

impl Session {
    async fn perform(&self, command: Command, secret: Option<SecretString>) -> Result<u8, Stop> {
        let (ports, options) = (&self.ports, self.options);
        match command {
            Command::Connect { provider } => {
                let connected = match &provider {
                    Connect::Eventbrite { sign_in, .. } | Connect::Luma { sign_in, .. } if sign_in.oauth => {
                        sign_in::run(self, provider_of(&provider), sign_in, secret).await?
                    }
                    _ => {
                        let pasted = secret.unwrap_or_default();
                        connect::connect(ports, provider_of(&provider), pasted, None, options).await?
                    }
                };
                self.print_connected(&connected.integration)?;
                if connected.events == Some(0) {
                    let provider = connected.integration.provider.name();
                    complain(
                        "note",
                        &format!(
                            "{provider} shows this account no events yet. Is it the account that runs them?"
                        ),
                    );
                }
            }
            Command::Integrations => {
                let all = query::integrations(ports).await?;
                self.print(
                    |out| json::list(out, "integrations", &all),
                    |out| integrations::write(out, &all, &self.page),
                )?;
            }
            Command::Verify { integration } => {
                let id = IntegrationId::from_text(integration);
                self.print_integration(&connect::verify(ports, &id, options).await?)?;
            }
            Command::Disconnect { integration } => {
                let id = IntegrationId::from_text(integration);
                let disconnected = connect::disconnect(ports, &id, options).await?;
                self.print_integration(&disconnected.integration)?;
                if let Some(note) = integrations::withdrawal_note(&disconnected) {
                    complain("note", &note);
                }
            }
            Command::Candidates { integration } => {
                let id = IntegrationId::from_text(integration);
                let all = connect::candidates(ports, &id, options).await?;
                self.print(
                    |out| json::list(out, "candidates", &all),
                    |out| candidates::write(out, &all, &id, &self.page),
                )?;
            }
            Command::Import {
                integration,
                external,
                kind,
            } => {
                let (id, external) = (
                    IntegrationId::from_text(integration),
                    ExternalId::from_text(external),
                );
                let item = actions::import_event(ports, &id, &external, kind.into(), options).await?;
                self.print_item(&item, Shown::Page).await?;
            }
            Command::Items => {
                let all = query::items(ports, EngineView::default()).await?;
                self.print(
                    |out| json::list(out, "items", &all),
                    |out| items::write(out, &all, &self.page),
                )?;
            }
            Command::Show { item } => {
                let item = query::item(ports, &ItemId::from_text(item), EngineView::default()).await?;
                self.print_item(&item, Shown::Page).await?;
            }
            Command::Attendees { item, csv } => {
                return self.print_attendees(&ItemId::from_text(item), csv).await;
            }
            Command::History { item, since } => {
                let since = since.map(|since| since.before(ports.clock.now()));
                return self.print_history(&ItemId::from_text(item), since).await;
            }
            Command::Removals { item, accept, reject } => {
                let id = ItemId::from_text(item);
                let decision = match (accept, reject) {
                    (true, _) => Decision::Accept,
                    (false, true) => Decision::Reject,
                    (false, false) => return self.print_removals(&id).await,
                };
                self.decide_removals(&id, decision).await?;
            }
            // Without an item the command line said --all.
            Command::Sync { item: None, .. } => return self.sync_all().await,
            Command::Sync { item: Some(item), .. } => {
                let item = actions::sync_item(ports, &ItemId::from_text(item), options).await?;
                self.print_item(&item, Shown::Card).await?;
            }
            Command::Retry { item } => {
                let item = actions::retry_item(ports, &ItemId::from_text(item), options).await?;
                self.print_item(&item, Shown::Card).await?;
            }
            Command::Reconnect { item, with, .. } => {
                let with = with.map(IntegrationId::from_text);
                let Some(item) = item else {
                    // Without an item the command line said --all, and with what.
                    return self
                        .reconnect_all(&with.unwrap_or_else(|| IntegrationId::from_text("")))
                        .await;
                };
                let id = ItemId::from_text(item);
                let item = connect::reconnect_item(ports, &id, with.as_ref(), options).await?;
                self.print_item(&item, Shown::Page).await?;
            }
            Command::Cancel { item } => {
                let item = cancel::cancel_item(ports, &ItemId::from_text(item)).await?;
                self.print_item(&item, Shown::Card).await?;
            }
            Command::Keep { item } => {
                let item = actions::keep_item(ports, &ItemId::from_text(item)).await?;
                self.print_item(&item, Shown::Card).await?;
            }
            Command::Remove { item, yes } => self.remove(&ItemId::from_text(item), yes).await?,
            // These are done before a session begins.
            Command::Watch | Command::Diagnostics { .. } | Command::Completions { .. } => {}
        }
        Ok(exit::DONE)
    }

    async fn sync_all(&self) -> Result<u8, Stop> {
        let synced = actions::sync_all(&self.ports, self.options).await?;
        let outcomes = synced
            .into_iter()
            .map(|SyncedItem { id, result }| (id, result.err()))
            .collect();
        self.print_all(outcomes).await
    }

    async fn reconnect_all(&self, with: &IntegrationId) -> Result<u8, Stop> {
        let repaired =
            connect::reconnect_all(&self.ports, connect::Whose::Anybody, with, self.options).await?;
        let outcomes = repaired
            .into_iter()
            .map(|Repaired { item, outcome, .. }| (item, outcome.err()))
            .collect();
        self.print_all(outcomes).await
    }

    /// Shows the items that were acted on, and why some of it did not succeed.
    async fn print_all(&self, outcomes: Vec<(ItemId, Option<CommandError>)>) -> Result<u8, Stop> {
        let mut all = query::items(&self.ports, EngineView::default()).await?;
        all.retain(|item| outcomes.iter().any(|(id, _)| *id == item.id));
        self.print(
            |out| json::list(out, "items", &all),
            |out| items::write(out, &all, &self.page),
        )?;
        let failed = || {
            outcomes
                .iter()
                .filter_map(|(id, error)| Some((id, error.as_ref()?)))
        };
        if !self.json {
            for (id, error) in failed() {
                let title = all
                    .iter()
                    .find(|item| item.id == *id)
                    .map_or(id.as_str(), |item| &item.title);
                complain(&plain(title), &error.message);
            }
        }
        Ok(exit::exit_code_of_all(
            failed().map(|(_, error)| exit::exit_code(error.code)),
        ))
    }

    async fn remove(&self, id: &ItemId, yes: bool) -> Result<(), Stop> {
        if !yes && terminal::stdin_is_terminal() {
            let item = query::item(&self.ports, id, EngineView::default()).await?;
            self.progress.finish();
            let columns = terminal::stderr_width().min(100);
            let question = remove_question(&item, columns);
            let answer = tokio::task::spawn_blocking(move || terminal::asks_yes(&question)).await;
            if !answer.unwrap_or(false) {
                return Err(
                    CommandError::bad_input("This was not confirmed, so nothing was removed.").into(),
                );
            }
        }
        let item = actions::remove_item(&self.ports, id).await?;
        self.print(
            |out| json::document(out, &item),
            |out| {
                writeln!(
                    out,
                    "Removed {} from this computer.",
                    painted(&plain(&item.title), BOLD)
                )
            },
        )
    }

    async fn print_item(&self, item: &ItemView, shown: Shown) -> Result<(), Stop> {
        let integration = query::integration(&self.ports, &item.integration_id).await.ok();
        self.print(
            |out| json::document(out, item),
            |out| match shown {
                Shown::Page => item_page::write(out, item, integration.as_ref(), &self.page),
                Shown::Card => items::write_card(out, item, &self.page),
            },
        )
    }

    fn print_integration(&self, integration: &IntegrationView) -> Result<(), Stop> {
        self.print(
            |out| json::document(out, integration),
            |out| integrations::write_one(out, integration, &self.page),
        )
    }

    fn print_connected(&self, integration: &IntegrationView) -> Result<(), Stop> {
        self.print(
            |out| json::document(out, integration),
            |out| {
                integrations::write_one(out, integration, &self.page)?;
                writeln!(
                    out,
                    "\nNext    tvsync candidates {}  {}",
                    integration.id,
                    painted("lists its events", DIM)
                )
            },
        )
    }

    /// Takes the progress line away and prints the answer in the form that was asked for.
    pub(crate) fn print(
        &self,
        as_json: impl FnOnce(&mut dyn Write) -> io::Result<()>,
        as_text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Stop> {
        self.progress.finish();
        if self.json {
            let mut out = for_programs();
            as_json(&mut out)?;
            out.flush()?;
        } else {
            let mut out = for_people();
            as_text(&mut out)?;
            out.flush()?;
        }
        Ok(())
    }
}

async fn support_file(
    settings: &Settings,
    opened: Result<Ports, CommandError>,
    path: &Path,
    force: bool,
    json: bool,
) -> Result<u8, Stop> {
    let facts = diagnostics::collect(settings, opened.as_ref()).await;
    diagnostics::save(path, &facts, force)?;
    let written = path.display().to_string();
    if json {
        let mut out = for_programs();
        json::document(
            &mut out,
            &serde_json::json!({ "diagnostics": { "file": written } }),
        )?;
        out.flush()?;
    } else {
        let mut out = for_people();
        writeln!(
            out,
            "Wrote {}. It holds no names, e-mails or credentials; look through it before you send it.",
            plain(&written)
        )?;
        out.flush()?;
    }
    Ok(exit::DONE)
}

fn remove_question(item: &ItemView, columns: usize) -> String {
    let attendees = counted(item.counts.total, "attendee", "attendees");
    let warning = format!(
        "Remove {} from this computer? {attendees}, their history and our temporary files are erased and will not \
         come back by themselves. {} and files you exported are not touched. This cannot be undone.",
        plain(&item.title),
        item.provider.name()
    );
    format!("{}\nRemove {attendees}?", wrap(&warning, columns).join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::live_item;

    #[test]
    fn removing_is_asked_in_words_that_say_what_is_lost() {
        let item = ItemView {
            title: "Harbour\u{1b} Night".to_owned(),
            ..live_item()
        };
        assert_eq!(
            remove_question(&item, 300),
            "Remove Harbour\u{fffd} Night from this computer? 1,431 attendees, their history and our temporary files are \
             erased and will not come back by themselves. Eventbrite and files you exported are not touched. This \
             cannot be undone.\nRemove 1,431 attendees?"
        );
    }
}
