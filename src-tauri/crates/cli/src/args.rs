//! What can be typed: the commands, their options and their help. Contradictions are refused here, before anything
//! happens.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::error::CommandError;

const ABOUT: &str = "Keeps the attendee lists of your Eventbrite and Luma events on this computer, and says how far each \
                     can be trusted right now. It only reads: nothing is changed at Eventbrite or Luma.";

const FIRST_STEPS: &str = "\
First steps:
  tvsync connect eventbrite --token-stdin      paste a private token (or: connect luma --key-stdin;
                                               or sign in: tvsync connect --help)
  tvsync integrations                          your accounts; copy the ID of one
  tvsync candidates ID                         its events; copy the id of one
  tvsync import ID EXTERNAL --as badge-event   bring it here
  tvsync items                                 what is here, and as of when

Exit codes: 0 done, 1 failed, 2 not understood or not possible, 3 credentials needed, 4 not found,
5 not permitted, 6 the keychain does not give or take the credential.

Environment: TALKVALUE_DATA_DIR (as --data-dir), TALKVALUE_LOG (logs, e.g. debug), NO_COLOR.";

#[derive(Debug, Parser)]
#[command(
    name = "tvsync",
    version,
    about = ABOUT,
    after_help = FIRST_STEPS,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Where the lists are kept [env: TALKVALUE_DATA_DIR] [default: your system's folder for application data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print one JSON document on standard output
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// Wait at most so long for a used-up request limit, another tvsync or your sign-in; a job is kept
    #[arg(long, global = true, value_name = "SECS", help_heading = "Everywhere")]
    wait: Option<u32>,
    /// Show logs on standard error; -vv and -vvv show more
    #[arg(short, global = true, action = ArgAction::Count, help_heading = "Everywhere")]
    pub(crate) verbose: u8,
}

impl Global {
    pub(crate) fn wait_limit(&self) -> Option<Duration> {
        self.wait.map(|secs| Duration::from_secs(secs.into()))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect an Eventbrite account or a Luma calendar
    Connect {
        #[command(subcommand)]
        provider: Connect,
    },
    /// List the connected accounts
    Integrations,
    /// Prove now that an account's credential still works
    Verify {
        /// The integration, as `tvsync integrations` lists it
        #[arg(value_name = "ID")]
        integration: String,
    },
    /// Disconnect an account: its lists stay, its credential leaves the keychain
    Disconnect {
        /// The integration, as `tvsync integrations` lists it
        #[arg(value_name = "ID")]
        integration: String,
    },
    /// List the events of an account that can be imported
    Candidates {
        /// The integration, as `tvsync integrations` lists it
        #[arg(value_name = "ID")]
        integration: String,
    },
    /// Import an event and wait until its list is here
    #[command(
        after_help = "Example:\n  tvsync import int-3f0a9c2b7d11 1122334455 --as badge-event\n\n\
        Importing the same event again opens the item there is, and finishes it if it never completed."
    )]
    Import {
        /// The integration, as `tvsync integrations` lists it
        #[arg(value_name = "ID")]
        integration: String,
        /// The provider's id of the event, as `tvsync candidates` lists it
        external: String,
        /// What to make of it
        #[arg(long = "as", value_name = "KIND")]
        kind: Kind,
    },
    /// List what is kept here, and how far it can be trusted
    Items,
    /// Show one item, and what to do about it
    Show {
        /// The item, as `tvsync items` lists it
        item: String,
    },
    /// List the attendees of an item
    #[command(after_help = "Examples:\n  tvsync attendees item-3f0a9c2b7d11\n  \
        tvsync attendees item-3f0a9c2b7d11 --csv > attendees.csv\n\n\
        In CSV a cell that a spreadsheet would run as a formula begins with '.")]
    Attendees {
        /// The item, as `tvsync items` lists it
        item: String,
        /// Print CSV for a spreadsheet
        #[arg(long)]
        csv: bool,
    },
    /// Tell what happened to an item: attendees, statuses, jobs, credentials
    #[command(after_help = "Examples:\n  tvsync history item-3f0a9c2b7d11 --since 24h\n  \
        tvsync history item-3f0a9c2b7d11 --since 2026-11-24T08:00:00Z --json")]
    History {
        /// The item, as `tvsync items` lists it
        item: String,
        /// Only what happened since then: a time (2026-11-24T08:00:00Z), a day (2026-11-24), or how long ago (24h, 7d)
        #[arg(long, value_name = "T", value_parser = since)]
        since: Option<Since>,
    },
    /// Decide about attendees that the provider no longer lists
    #[command(
        after_help = "Without --accept or --reject they are listed. They stay in the list until you decide."
    )]
    Removals {
        /// The item, as `tvsync items` lists it
        item: String,
        /// They no longer attend: mark them so
        #[arg(long, conflicts_with = "reject")]
        accept: bool,
        /// Keep them in the list; asked again only when more go missing
        #[arg(long)]
        reject: bool,
    },
    /// Read the list of an item again now
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(false).args(["item", "all"]))]
    Sync {
        /// The item, as `tvsync items` lists it
        item: Option<String>,
        /// Every item that is not an archive
        #[arg(long)]
        all: bool,
    },
    /// Keep every list live until interrupted, and tell what changes
    Watch,
    /// Run again what failed, or an import that never completed
    Retry {
        /// The item, as `tvsync items` lists it
        item: String,
    },
    /// Stop what runs for an item; what arrived is kept
    Cancel {
        /// The item, as `tvsync items` lists it
        item: String,
    },
    /// Make a disconnected item live again; nobody on its list is lost
    #[command(
        group = clap::ArgGroup::new("which").required(true).multiple(false).args(["item", "all"]),
        after_help = "Connect the account again first; then, or through another account of the same provider:\n  \
        tvsync reconnect item-3f0a9c2b7d11\n  \
        tvsync reconnect item-3f0a9c2b7d11 --with int-8c1d2e3f4a5b\n  \
        tvsync reconnect --all --with int-8c1d2e3f4a5b\n\n\
        With --all, what starts first is repaired first; lists that the account cannot see stay as they are."
    )]
    Reconnect {
        /// The item, as `tvsync items` lists it
        item: Option<String>,
        /// Every disconnected item that the account named by --with can see, the next to start first
        #[arg(long, requires = "with")]
        all: bool,
        /// Read it through this integration from now on
        #[arg(long, value_name = "ID")]
        with: Option<String>,
    },
    /// Keep an item as an archive: no more syncs, no alert
    Keep {
        /// The item, as `tvsync items` lists it
        item: String,
    },
    /// Erase an item and its list from this computer
    Remove {
        /// The item, as `tvsync items` lists it
        item: String,
        /// Do not ask, also on a terminal
        #[arg(long, short)]
        yes: bool,
    },
    /// Write a file for support, without names, e-mails or credentials
    Diagnostics {
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Replace the file if it exists
        #[arg(long)]
        force: bool,
    },
    /// Print a completion script for your shell
    #[command(
        after_help = "Example:\n  tvsync completions bash > ~/.local/share/bash-completion/completions/tvsync"
    )]
    Completions { shell: Shell },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Connect {
    /// Connect an Eventbrite account, by its private token or by signing in
    #[command(after_help = "\
By private token:
1. Open https://www.eventbrite.com/account-settings/apps, signed in as the person who sees the events.
2. No key yet? Create one; any name will do.
3. Copy the line called Private token.
4. Run: tvsync connect eventbrite --token-stdin
   and paste it; it is not shown. From a file: tvsync connect eventbrite --token-stdin < token.txt

By signing in with your browser, through an app of your own:
1. On the same page set your app's redirect URI to http://localhost:47831/oauth/eventbrite/callback
   (with --redirect-port N, to that port).
2. Run: tvsync connect eventbrite --oauth --client-id API_KEY --client-secret-stdin
   and paste the client secret; it is not shown. Your browser opens; allow it there within five minutes.
The app is remembered: the next time `tvsync connect eventbrite --oauth` will do.

Tokens and secrets are kept in this computer's keychain and nowhere else.")]
    Eventbrite {
        /// Read the private token from standard input, or type it unseen at a terminal
        #[arg(long, required_unless_present = "oauth", conflicts_with = "oauth")]
        token_stdin: bool,
        #[command(flatten)]
        sign_in: SignIn,
        /// Read the app's client secret from standard input, or type it unseen at a terminal
        #[arg(long, requires = "client_id")]
        client_secret_stdin: bool,
    },
    /// Connect a Luma calendar, by its API key or by signing in
    #[command(after_help = "\
By API key: you need admin rights on the calendar, and Luma Plus on it. One key opens one calendar.
1. Open the calendar's settings at Luma, then API keys, and copy a key (it begins with secret-).
2. Run: tvsync connect luma --key-stdin
   and paste it; it is not shown. From a file: tvsync connect luma --key-stdin < key.txt

By signing in with your browser, if your organization has an app at Luma (an experiment of Luma's):
1. Its redirect URI has to be http://localhost:47832/oauth/luma/callback (with --redirect-port N, that port).
2. Run: tvsync connect luma --oauth --client-id ID
   Your browser opens; allow it there within five minutes.
The app is remembered: the next time `tvsync connect luma --oauth` will do.

A key could also change your calendar; TalkValue Sync only reads.
Keys and sign-ins are kept in this computer's keychain and nowhere else.")]
    Luma {
        /// Read the API key from standard input, or type it unseen at a terminal
        #[arg(long, required_unless_present = "oauth", conflicts_with = "oauth")]
        key_stdin: bool,
        #[command(flatten)]
        sign_in: SignIn,
    },
}

/// Signing in at the provider rather than pasting a credential.
#[derive(Debug, Args)]
pub(crate) struct SignIn {
    /// Sign in with your browser
    #[arg(long)]
    pub(crate) oauth: bool,
    /// The app's client id (Eventbrite calls it API key); remembered for the next time
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The port in the app's redirect URI on this computer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1024..))]
    pub(crate) redirect_port: Option<u16>,
    /// Only print the address to open; open it yourself, in a browser on this computer
    #[arg(long)]
    pub(crate) no_browser: bool,
}

impl SignIn {
    fn has_details(&self) -> bool {
        self.client_id.is_some() || self.redirect_port.is_some() || self.no_browser
    }
}

/// From when on: a time, or so long before now.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Since {
    Time(Timestamp),
    Ago(SignedDuration),
}

impl Since {
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Since::Time(time) => time,
            Since::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Since::Time(time));
    }
    // A day, or a time without zone, is meant in this computer's zone.
    if let Ok(time) = text.parse::<DateTime>()
        && let Ok(time) = TimeZone::system().to_timestamp(time)
    {
        return Ok(Since::Time(time));
    }
    let ago = text.parse::<Span>().ok().and_then(|span| {
        span.to_duration(SpanRelativeTo::days_are_24_hours())
            .ok()
            .filter(SignedDuration::is_positive)
    });
    ago.map(Since::Ago).ok_or_else(|| {
        "say a time like 2026-11-24T08:00:00Z, a day like 2026-11-24, or an age like 24h".to_owned()
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// For check-in: one row per registration
    BadgeEvent,
    /// For your audience: each e-mail once
    PathEvent,
    /// Everyone of this account: all its events (EXTERNAL is the organization's or calendar's id)
    PathChannel,
}

impl From<Kind> for ItemKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::BadgeEvent => ItemKind::BadgeEvent,
            Kind::PathEvent => ItemKind::PathEvent,
            Kind::PathChannel => ItemKind::PathChannel,
        }
    }
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum NotRun {
    /// Help or the version was asked for: text for standard output.
    Told(clap::Error),
    /// It was not understood: text for standard error.
    Refused(clap::Error),
    /// It was not understood, in a sentence of our own or for a program that reads JSON.
    Error { error: CommandError, json: bool },
}

/// Understands a command line, program name first.
pub(crate) fn parse(raw: Vec<OsString>) -> Result<Arguments, NotRun> {
    // The parser stops at the first mistake, so whether JSON was asked for is looked up by hand.
    let json = raw
        .iter()
        .skip(1)
        .take_while(|argument| *argument != "--")
        .any(|argument| argument == "--json");
    let connects = raw.iter().any(|argument| argument == "connect");
    let arguments = match Arguments::try_parse_from(raw) {
        Ok(arguments) => arguments,
        Err(told) if matches!(told.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Err(NotRun::Told(told));
        }
        Err(refused) if connects && may_repeat_a_secret(&refused) => {
            let error = CommandError::bad_input(
                "Say `tvsync connect eventbrite --token-stdin`, `tvsync connect luma --key-stdin` or \
                 `--client-secret-stdin`, then paste it. A token, key or secret is never taken from the command line, \
                 where other programs and your shell's history could read it.",
            );
            return Err(NotRun::Error { error, json });
        }
        Err(refused) if json => {
            let error = CommandError::bad_input(in_one_line(&refused));
            return Err(NotRun::Error { error, json });
        }
        Err(refused) => return Err(NotRun::Refused(refused)),
    };
    contradictions(&arguments).map_err(|error| NotRun::Error { error, json })?;
    Ok(arguments)
}

fn contradictions(arguments: &Arguments) -> Result<(), CommandError> {
    match &arguments.command {
        Command::Connect {
            provider: Connect::Eventbrite { sign_in, .. } | Connect::Luma { sign_in, .. },
        } if !sign_in.oauth && sign_in.has_details() => Err(CommandError::bad_input(
            "--client-id, --redirect-port and --no-browser are about signing in: say --oauth too.",
        )),
        Command::Attendees { csv: true, .. } if arguments.global.json => Err(CommandError::bad_input(
            "--csv and --json exclude each other: choose one form of output.",
        )),
        Command::Completions { .. } if arguments.global.json => Err(CommandError::bad_input(
            "A completion script cannot be printed as JSON.",
        )),
        _ => Ok(()),
    }
}

/// Whether the parser's words would repeat a value that somebody meant as a credential.
fn may_repeat_a_secret(error: &clap::Error) -> bool {
    match error.kind() {
        ErrorKind::TooManyValues | ErrorKind::InvalidSubcommand => true,
        ErrorKind::UnknownArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => !argument.starts_with('-'),
            _ => true,
        },
        _ => false,
    }
}

/// The parser's explanation without its label, usage and blank lines.
fn in_one_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "No command was given; `tvsync --help` lists them.".to_owned();
    }
    let text = error.render().to_string();
    let explained = text.split("\n\nUsage:").next().unwrap_or(&text);
    let explained = explained
        .split("\n\nFor more information")
        .next()
        .unwrap_or(explained);
    let words: Vec<&str> = explained.split_whitespace().collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Result<Arguments, NotRun> {
        parse(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_documented_command_is_understood() {
        let lines = [
            "tvsync connect eventbrite --token-stdin",
            "tvsync connect luma --key-stdin --json",
            "tvsync connect eventbrite --oauth",
            "tvsync connect eventbrite --oauth --client-id KEY --client-secret-stdin --redirect-port 5000 --no-browser",
            "tvsync connect luma --oauth --client-id https://app.example/client.json --no-browser",
            "tvsync reconnect --all --with int-2",
            "tvsync integrations",
            "tvsync verify int-1",
            "tvsync disconnect int-1",
            "tvsync candidates int-1",
            "tvsync import int-1 ev --as badge-event",
            "tvsync import int-1 ev --as path-event --wait 0",
            "tvsync import int-1 org --as path-channel",
            "tvsync items",
            "tvsync show item-1",
            "tvsync attendees item-1 --csv",
            "tvsync sync item-1 --wait 5",
            "tvsync --wait 5 sync --all",
            "tvsync retry item-1",
            "tvsync reconnect item-1",
            "tvsync reconnect item-1 --with int-2",
            "tvsync keep item-1",
            "tvsync remove item-1",
            "tvsync remove item-1 --yes",
            "tvsync diagnostics --out support.json",
            "tvsync --data-dir /tmp/x --json -vvv items",
            "tvsync items --data-dir /tmp/x --json -v",
            "tvsync completions zsh",
        ];
        for line in lines {
            assert!(parsed(line).is_ok(), "{line}: {:?}", parsed(line).err());
        }
    }

    #[test]
    fn contradictions_and_gaps_are_refused() {
        let lines = [
            "tvsync",
            "tvsync dance",
            "tvsync sync",
            "tvsync sync item-1 --all",
            "tvsync connect eventbrite",
            "tvsync connect luma --token-stdin",
            "tvsync connect eventbrite --token-stdin --oauth",
            "tvsync connect eventbrite --token-stdin --client-id KEY",
            "tvsync connect eventbrite --oauth --redirect-port 80",
            "tvsync connect luma --oauth --client-secret-stdin",
            "tvsync reconnect",
            "tvsync reconnect --all",
            "tvsync reconnect item-1 --all --with int-2",
            "tvsync connect",
            "tvsync import int-1 ev",
            "tvsync import int-1 ev --as badge",
            "tvsync attendees item-1 --csv --json",
            "tvsync completions bash --json",
            "tvsync diagnostics",
            "tvsync items --wait soon",
            "tvsync items --wait -1",
            "tvsync sync --all --wait",
            "tvsync show",
        ];
        for line in lines {
            match parsed(line) {
                Err(NotRun::Refused(_) | NotRun::Error { .. }) => {}
                other => panic!("{line} must be refused, not {other:?}"),
            }
        }
    }

    #[test]
    fn with_json_refusals_are_one_sentence() {
        let table = [
            (
                "tvsync sync --json",
                "the following required arguments were not provided: <ITEM|--all>",
            ),
            (
                "tvsync --json import int-1 ev --as badge",
                "invalid value 'badge' for '--as <KIND>' [possible values: badge-event, path-event, path-channel] \
                 tip: a similar value exists: 'badge-event'",
            ),
            (
                "tvsync --json",
                "'tvsync' requires a subcommand but one was not provided [subcommands: connect, integrations, \
                 verify, disconnect, candidates, import, items, show, attendees, history, removals, sync, watch, retry, cancel, reconnect, keep, \
                 remove, diagnostics, completions, help]",
            ),
        ];
        for (line, expected) in table {
            match parsed(line) {
                Err(NotRun::Error { error, json: true }) => assert_eq!(error.message, expected, "{line}"),
                other => panic!("{line} must be refused as JSON, not {other:?}"),
            }
        }
    }

    #[test]
    fn a_credential_on_the_command_line_is_not_repeated() {
        let lines = [
            "tvsync connect eventbrite SECRETWORD",
            "tvsync connect eventbrite --token-stdin SECRETWORD",
            "tvsync connect eventbrite --token-stdin=SECRETWORD",
            "tvsync connect luma --key-stdin secret-SECRETWORD --json",
            "tvsync connect eventbrite --token=SECRETWORD",
            "tvsync connect SECRETWORD",
            "tvsync connect eventbrite --oauth --client-id KEY --client-secret-stdin SECRETWORD",
            "tvsync connect eventbrite --oauth --client-id KEY --client-secret-stdin=SECRETWORD",
            "tvsync connect eventbrite --oauth --client-id KEY --client-secret=SECRETWORD",
            "tvsync connect eventbrite --oauth --client-id KEY --client-secret SECRETWORD --json",
        ];
        for line in lines {
            let told = match parsed(line) {
                Err(NotRun::Refused(error)) => error.render().to_string(),
                Err(NotRun::Error { error, .. }) => error.message,
                other => panic!("{line} must be refused, not {other:?}"),
            };
            assert!(!told.contains("SECRETWORD"), "{line} was answered with {told}");
        }
    }
}
