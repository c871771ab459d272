//! Running other programs: with their output on the terminal, or with their answer in hand.

use std::env;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};

/// The cargo that runs us, so that its toolchain is the one used throughout.
pub(crate) fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs a program on our terminal and expects it to succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    if status.success() {
        return Ok(());
    }
    bail!("`{}` {}", describe(command), how_it_ended(status))
}

/// Runs a program on our terminal and gives how it ended.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("`{}` could not be started", describe(command)))
}

/// Runs a program with `input` on its standard input, the rest on our terminal. Secrets go this way: arguments can be
/// read by every program of this computer.
pub(crate) fn status_with_input(command: &mut Command, input: &str) -> anyhow::Result<ExitStatus> {
    let name = describe(command);
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{name}` could not be started"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that has already refused closes its input: its exit code tells more than our broken pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    child
        .wait()
        .with_context(|| format!("`{name}` could not be waited for"))
}

/// Runs a program and gives what it printed. Its errors stay on our terminal.
pub(crate) fn capture(command: &mut Command) -> anyhow::Result<String> {
    let name = describe(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{name}` could not be started"))?;
    let mut answer = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout
            .read_to_string(&mut answer)
            .with_context(|| format!("`{name}` printed something unreadable"))?;
    }
    let status = child
        .wait()
        .with_context(|| format!("`{name}` could not be waited for"))?;
    if status.success() {
        return Ok(answer);
    }
    bail!("`{name}` {}", how_it_ended(status))
}

/// Whether a program can be run and says it is well. Its output is not shown.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program of this name is on the search path.
pub(crate) fn is_on_path(program: &str) -> bool {
    on_path(program).is_some()
}

/// The first program of this name on the search path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let name = PathBuf::from(format!("{program}{}", env::consts::EXE_SUFFIX));
    search_folders()
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

/// The search path for what we start: this process's own, then where `cargo install` puts programs. A cargo that came
/// from elsewhere than rustup does not have that on its path.
pub(crate) fn search_path() -> Option<OsString> {
    env::join_paths(search_folders()).ok()
}

fn search_folders() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own: Vec<PathBuf> = env::split_paths(&path).collect();
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    own.into_iter().chain(cargo_home.map(|home| home.join("bin")))
}

/// A command as a person would type it, with the program's bare name.
pub(crate) fn describe(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program
        .file_stem()
        .map_or_else(|| command.get_program().into(), OsString::from);
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| {
        let argument = argument.to_string_lossy();
        if argument.contains(' ') {
            format!("'{argument}'")
        } else {
            argument.into_owned()
        }
    }));
    words.join(" ")
}

/// "ended with exit code 1", or that a signal ended it.
pub(crate) fn how_it_ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    }
}
