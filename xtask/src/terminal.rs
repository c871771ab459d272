//! How our own lines look. Colour only on a terminal, and not where somebody asked for none.

use std::env;
use std::io::{IsTerminal as _, stdout};
use std::time::Duration;

fn styled(code: &str, text: &str) -> String {
    let wanted = stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A sentence that opens a part.
pub(crate) fn heading(text: &str) -> String {
    styled("1", text)
}

/// What stands beside the main thing: the command behind a step.
pub(crate) fn dim(text: &str) -> String {
    styled("2", text)
}

pub(crate) fn good(text: &str) -> String {
    styled("32", text)
}

pub(crate) fn bad(text: &str) -> String {
    styled("31", text)
}

pub(crate) fn careful(text: &str) -> String {
    styled("33", text)
}

/// "0.4 s", "12 s", "3 min 05 s".
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_a_person_says_them() {
        for (millis, words) in [
            (0, "0.0 s"),
            (420, "0.4 s"),
            (12_900, "12 s"),
            (185_000, "3 min 05 s"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), words, "{millis} ms");
        }
    }
}
