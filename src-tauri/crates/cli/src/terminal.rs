//! What standard input, output and error are connected to, and the two things a person is asked there.

use secrecy::SecretString;
use secrecy::zeroize::Zeroize;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::Ports;
use terminal_size::{Height, Width, terminal_size_of};

/// Far more than any credential; whoever pipes more piped the wrong file.
const LONGEST_INPUT: usize = 64 * 1024;

pub(crate) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Columns of the terminal on standard output; `None` where it is none.
pub(crate) fn stdout_width() -> Option<usize> {
    stdout_is_terminal().then(|| columns(terminal_size_of(io::stdout())))
}

/// Columns of the terminal on standard error.
pub(crate) fn stderr_width() -> usize {
    columns(terminal_size_of(io::stderr()))
}

/// A terminal that does not know its size says 0, or nothing.
fn columns(size: Option<(Width, Height)>) -> usize {
    match size {
        Some((Width(columns), _)) if columns > 0 => usize::from(columns),
        _ => 80,
    }
}

/// Takes a credential from a pipe, or from a person whose typing is not shown.
pub(crate) fn read_secret(name: &str) -> Result<SecretString, CommandError> {
    if stdin_is_terminal() {
        let prompt = format!("Paste the {name} and press Enter (it is not shown): ");
        return rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(|_| unreadable(name));
    }
    secret_of(io::stdin().lock(), name)
}

fn secret_of(input: impl Read, name: &str) -> Result<SecretString, CommandError> {
    // Room for everything at once: growing would leave copies of the secret behind.
    let mut bytes = Vec::with_capacity(LONGEST_INPUT + 1);
    let read = input.take(LONGEST_INPUT as u64 + 1).read_to_end(&mut bytes);
    let taken = match (read, std::str::from_utf8(&bytes)) {
        (Err(_), _) => Err(unreadable(name)),
        (Ok(length), _) if length > LONGEST_INPUT => Err(CommandError::bad_input(format!(
            "The input is longer than 64 KiB, far more than any {name}. Nothing was sent anywhere."
        ))),
        (Ok(_), Err(_)) => Err(CommandError::bad_input(format!(
            "The input is not text (UTF-8), and a {name} is. Nothing was sent anywhere."
        ))),
        (Ok(_), Ok(text)) => Ok(SecretString::from(text.trim().to_owned())),
    };
    bytes.zeroize();
    taken
}

fn unreadable(name: &str) -> CommandError {
    CommandError::bad_input(format!("The {name} could not be read from standard input."))
}

/// Says on standard error, where it disturbs no output, that the data file was damaged and made anew.
pub(crate) fn tell_mended(opened: &Result<Ports, CommandError>) {
    if let Ok(ports) = opened
        && let Some(sentence) = ports.store.mended()
    {
        let _ = writeln!(io::stderr(), "{sentence}");
    }
}

/// Asks on standard error; anything but a clear yes is a no.
pub(crate) fn asks_yes(question: &str) -> bool {
    let mut stderr = io::stderr();
    let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    asked.is_ok() && io::stdin().lock().read_line(&mut answer).is_ok() && is_yes(&answer)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use talkvalue_core::error::ErrorCode;

    #[test]
    fn a_piped_credential_loses_its_line_end_only() {
        let secret = secret_of(&b"  TOKEN123\r\n"[..], "private token").expect("text");
        assert_eq!(secret.expose_secret(), "TOKEN123");
        let empty = secret_of(&b""[..], "private token").expect("emptiness is judged by the core");
        assert_eq!(empty.expose_secret(), "");
    }

    #[test]
    fn what_is_no_credential_is_refused_before_anything_is_sent() {
        let too_long = vec![b'x'; LONGEST_INPUT + 1];
        for input in [&too_long[..], &[0xff, 0xfe][..]] {
            let error = secret_of(input, "API key").expect_err("it must be refused");
            assert_eq!(error.code, ErrorCode::BadInput);
        }
        assert!(
            secret_of(&too_long[1..], "API key").is_ok(),
            "64 KiB is still read"
        );
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for (answer, expected) in [
            ("y\n", true),
            ("YES", true),
            ("", false),
            ("\n", false),
            ("yy", false),
            ("n", false),
        ] {
            assert_eq!(is_yes(answer), expected, "{answer:?}");
        }
    }
}
