//! What the command line asks of this start.

use std::ffi::OsString;
use std::path::PathBuf;

/// The arguments, understood.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Where the lists are kept; `None` leaves it to the environment and the system.
    pub data_dir: Option<PathBuf>,
    /// Close the window, as a person would, as soon as its page has been painted. For checks of a build.
    pub quit_when_painted: bool,
}

impl Launch {
    /// Reads the arguments after the program's name. `Err` is the sentence to print.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut launch = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            match text.as_ref() {
                "--quit-when-painted" => launch.quit_when_painted = true,
                "--data-dir" => {
                    launch.data_dir = Some(folder(arguments.next().unwrap_or_default())?);
                }
                other if other.starts_with("--data-dir=") => {
                    launch.data_dir = Some(folder(OsString::from(&other["--data-dir=".len()..]))?);
                }
                // macOS passed this to programs opened from the Finder.
                other if cfg!(target_os = "macos") && other.starts_with("-psn_") => {}
                other => {
                    return Err(format!(
                        "TalkValue Sync does not know the option {other}. It knows --data-dir DIR."
                    ));
                }
            }
        }
        Ok(launch)
    }
}

fn folder(given: OsString) -> Result<PathBuf, String> {
    if given.is_empty() {
        return Err("--data-dir needs the name of a folder after it.".to_owned());
    }
    Ok(PathBuf::from(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launched(arguments: &[&str]) -> Result<Launch, String> {
        Launch::from_arguments(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_are_read_in_any_order() {
        let expected = Launch {
            data_dir: Some(PathBuf::from("lists here")),
            quit_when_painted: true,
        };
        for arguments in [
            &["--data-dir", "lists here", "--quit-when-painted"][..],
            &["--quit-when-painted", "--data-dir=lists here"],
        ] {
            assert_eq!(launched(arguments), Ok(expected.clone()), "{arguments:?}");
        }
        assert_eq!(launched(&[]), Ok(Launch::default()));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (arguments, named) in [
            (&["--quick"][..], "--quick"),
            (&["--data-dir"], "--data-dir"),
            (&["--data-dir="], "--data-dir"),
            (&["somewhere"], "somewhere"),
        ] {
            let answer = launched(arguments);
            assert!(
                answer.as_ref().is_err_and(|message| message.contains(named)),
                "a typing error must not be swallowed: {answer:?}"
            );
        }
    }
}
