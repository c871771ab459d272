//! `cargo xtask run`: the main job, shown. The terminal tells how accounts are connected and lists imported, through
//! `tvsync`; where there is a screen the window then opens on them, elsewhere the story goes on in the terminal.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::install::{self, Need};
use crate::repository::{Profile, Repository};
use crate::sandbox::Sandbox;
use crate::tvsync::Tvsync;
use crate::{demo_vault, process, session, terminal};

/// How many lines of the attendee list the story shows: its head and enough people to see what a row holds.
const ATTENDEE_LINES: usize = 14;

/// How long the made-up providers take to answer: long enough for a person to see the import run.
const ANSWER_MILLIS: &str = "90";

/// Builds, starts the sandbox with its demo workspace, and tells the story on it.
pub(crate) fn with_sandbox(repository: &Repository, inside_session: bool) -> anyhow::Result<ExitCode> {
    if !inside_session {
        install::system(&[Need::Compiler])?;
        println!(
            "{}",
            terminal::heading("Building tvsync and the sandbox (the first time takes some minutes).")
        );
        process::run(&mut repository.cargo(&[
            "build",
            "--locked",
            "-p",
            "talkvalue-cli",
            "-p",
            "talkvalue-sandbox",
        ]))?;
        if install::has_display() {
            build_window(repository)?;
        }
        if !session::has_keychain() {
            println!("No keychain answers here: the demo brings a private one.");
            return session::run_again_inside(repository, Profile::Debug);
        }
    }
    // A private keychain starts empty and ends with its session; a person's own is left as it was found.
    if !inside_session {
        demo_vault::forget();
    }
    let told = tell(repository);
    if !inside_session {
        demo_vault::forget();
    }
    match told {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => match error.downcast_ref::<StepFailed>() {
            Some(failed) => {
                eprintln!("\n{} {failed}", terminal::bad("Stopped:"));
                Ok(session::exit_code(failed.code))
            }
            None => Err(error),
        },
    }
}

/// Builds, and opens the window on a person's own accounts, lists and keychain; without a screen it says how to go on in
/// the terminal. Nothing is connected unasked.
pub(crate) fn with_real_providers(repository: &Repository) -> anyhow::Result<ExitCode> {
    if install::has_display() {
        build_window(repository)?;
        println!(
            "\n{} Your own accounts, your own keychain, your own lists; TalkValue Sync only reads at the providers.",
            terminal::heading("The window opens.")
        );
        process::run(&mut Command::new(
            repository.program("talkvalue-sync", Profile::Debug),
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    install::system(&[Need::Compiler])?;
    println!(
        "{}",
        terminal::heading("Building tvsync (the first time takes some minutes).")
    );
    process::run(&mut repository.cargo(&["build", "--release", "--locked", "-p", "talkvalue-cli"]))?;
    let tvsync = repository.program("tvsync", Profile::Release);
    println!(
        "\n{}\n\n  {}\n\n\
         Your own accounts, your own keychain, your own lists; TalkValue Sync only reads at the providers. Nothing is\n\
         connected yet. Next, with `tvsync` for that program:\n\n\
         \x20 tvsync connect eventbrite --token-stdin    paste a private token, then Enter\n\
         \x20 tvsync connect luma --key-stdin            the same with a calendar's API key\n\
         \x20 tvsync integrations                        the accounts, and the ID of each\n\
         \x20 tvsync candidates ID                       the events it can see\n\
         \x20 tvsync import ID EVENT --as badge-event    bring one here (or path-event: one row per e-mail)\n\
         \x20 tvsync items                               what is here, and how far it can be trusted\n\
         \x20 tvsync attendees ITEM                      the list\n\
         \x20 tvsync --help                              everything else",
        terminal::heading("tvsync is built:"),
        tvsync.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn tell(repository: &Repository) -> anyhow::Result<()> {
    let folder = fresh_folder(repository)?;
    let sandbox = Sandbox::start(
        &repository.program("talkvalue-sandbox", Profile::Debug),
        &folder,
        &["--demo", "--latency-ms", ANSWER_MILLIS],
    )?;
    let demo = sandbox.announcement();
    println!(
        "\nA made-up Eventbrite and Luma answer on this computer, at {}",
        demo.eventbrite_api_url()?
    );
    println!(
        "and {}. They hold a demo workspace; no real account is touched.",
        demo.luma_api_url()?
    );

    let program = repository.program("tvsync", Profile::Debug);
    let tvsync = Tvsync::against(program, demo, &folder.join("data"), demo_vault::SERVICE)?;
    let story = Story { tvsync: &tvsync };

    story.step(
        "Connect Eventbrite with a private token. It is proved by a call, then kept in the keychain.",
        &["connect", "eventbrite", "--token-stdin"],
        Some(demo.demo_token()?),
    )?;
    story.step(
        "Connect Luma with a calendar's API key.",
        &["connect", "luma", "--key-stdin"],
        Some(demo.demo_key()?),
    )?;
    story.step("Both accounts are connected.", &["integrations"], None)?;
    let eventbrite = tvsync.find_id("integrations", "provider", "EVENTBRITE")?;
    let luma = tvsync.find_id("integrations", "provider", "LUMA")?;

    story.step(
        "What can be imported from Eventbrite.",
        &["candidates", &eventbrite],
        None,
    )?;
    story.step(
        "Import one event for the check-in desk: one row per registration.",
        &[
            "import",
            &eventbrite,
            demo.demo_eventbrite_event()?,
            "--as",
            "badge-event",
        ],
        None,
    )?;
    story.step(
        "Import a Luma event for the audience: each e-mail once.",
        &["import", &luma, demo.demo_luma_event()?, "--as", "path-event"],
        None,
    )?;
    story.step("What is kept here now, and as of when.", &["items"], None)?;
    if install::has_display() {
        return show_window(repository, &tvsync);
    }
    let badge_event = tvsync.find_id("items", "kind", "BADGE_EVENT")?;
    story.step("One event in full.", &["show", &badge_event], None)?;
    story.beginning("Its attendees.", &["attendees", &badge_event], ATTENDEE_LINES)?;

    println!(
        "\n{} Everything above came from this computer alone, and the demo's sign-ins are removed again.",
        terminal::good("Done.")
    );
    println!("Your own accounts: cargo xtask run --real");
    Ok(())
}

/// The window's files, then the program that embeds them.
fn build_window(repository: &Repository) -> anyhow::Result<()> {
    install::system(&[Need::Compiler, Need::WebView])?;
    install::node()?;
    println!("{}", terminal::heading("Building the window."));
    for arguments in [["ci"].as_slice(), &["run", "build"]] {
        let mut npm = Command::new(install::npm_program());
        npm.args(arguments).current_dir(repository.root().join("ui"));
        process::run(&mut npm)?;
    }
    process::run(&mut repository.cargo(&["build", "--locked", "-p", "talkvalue-sync"]))
}

/// Opens the window on what the story has brought here, and waits until it is closed.
fn show_window(repository: &Repository, tvsync: &Tvsync) -> anyhow::Result<()> {
    println!(
        "\n{} Close it to end the demo; everything in it came from this computer alone.",
        terminal::heading("The window opens on these lists.")
    );
    let mut window = tvsync.beside(repository.program("talkvalue-sync", Profile::Debug));
    process::run(&mut window)?;
    println!("\nYour own accounts: cargo xtask run --real");
    Ok(())
}

/// An empty folder: each demo starts as a newcomer.
fn fresh_folder(repository: &Repository) -> anyhow::Result<PathBuf> {
    let folder = repository.scratch("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} could not be emptied", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} could not be made", folder.display()))?;
    Ok(folder)
}

/// Calls of `tvsync`, each with the sentence that says what it is for.
struct Story<'a> {
    tvsync: &'a Tvsync,
}

impl Story<'_> {
    fn step(&self, sentence: &str, arguments: &[&str], secret: Option<&str>) -> anyhow::Result<()> {
        announce(sentence, arguments);
        let status = self.tvsync.call(arguments, secret)?;
        if status.success() {
            return Ok(());
        }
        Err(StepFailed {
            command: arguments.join(" "),
            code: status.code(),
        }
        .into())
    }

    /// A step of which only the first lines are worth reading here.
    fn beginning(&self, sentence: &str, arguments: &[&str], lines: usize) -> anyhow::Result<()> {
        announce(sentence, arguments);
        let mut command = self.tvsync.command(arguments);
        let output = command.stderr(std::process::Stdio::inherit()).output();
        let output =
            output.with_context(|| format!("`{}` could not be started", process::describe(&command)))?;
        if !output.status.success() {
            return Err(StepFailed {
                command: arguments.join(" "),
                code: output.status.code(),
            }
            .into());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().take(lines).for_each(|line| println!("{line}"));
        let more = text.lines().count().saturating_sub(lines);
        if more > 0 {
            println!("{}", terminal::dim(&format!("… and {more} more lines")));
        }
        Ok(())
    }
}

fn announce(sentence: &str, arguments: &[&str]) {
    println!("\n{}", terminal::heading(sentence));
    println!("{}", terminal::dim(&format!("$ tvsync {}", arguments.join(" "))));
}

/// A call of `tvsync` in the story that did not succeed. The demo ends with its exit code.
#[derive(Debug)]
struct StepFailed {
    command: String,
    code: Option<i32>,
}

impl fmt::Display for StepFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(
                formatter,
                "`tvsync {}` ended with exit code {code}.",
                self.command
            ),
            None => write!(formatter, "`tvsync {}` was ended by a signal.", self.command),
        }
    }
}

impl Error for StepFailed {}
