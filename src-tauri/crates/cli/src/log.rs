//! Logs on standard error, silent unless asked for. Libraries log headers and bus messages, which hold secrets: below
//! warnings only our own code is ever heard, whatever is asked for.

use std::io;
use talkvalue_core::error::CommandError;
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that asks for logs where no `-v` does: a level, or levels by target as in
/// `talkvalue_core=debug,talkvalue_adapters=trace`.
pub(crate) const VARIABLE: &str = "TALKVALUE_LOG";

/// Starts logging, once per process.
pub(crate) fn start(verbosity: u8) -> Result<(), CommandError> {
    let wanted = wanted(verbosity, std::env::var(VARIABLE).ok().as_deref())?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(heard(wanted));
    // A second start would change nothing that the first one did not settle.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}

fn wanted(verbosity: u8, variable: Option<&str>) -> Result<Targets, CommandError> {
    let level = match verbosity {
        0 => match variable.map(str::trim).filter(|text| !text.is_empty()) {
            None => LevelFilter::OFF,
            Some(text) => {
                return text.parse().map_err(|_| {
                    CommandError::bad_input(format!(
                        "{VARIABLE} is not understood. Give a level (error, warn, info, debug, trace), or levels by \
                         target as in talkvalue_core=debug."
                    ))
                });
            }
        },
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Ok(Targets::new().with_default(level))
}

fn heard(wanted: Targets) -> impl Filter<Registry> {
    filter_fn(move |metadata| {
        wanted.would_enable(metadata.target(), metadata.level())
            && (*metadata.level() <= Level::WARN || is_ours(metadata.target()))
    })
}

fn is_ours(target: &str) -> bool {
    let program = target.split("::").next().unwrap_or(target);
    program == "tvsync" || program.starts_with("talkvalue_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic holds it").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(verbosity: u8, variable: Option<&str>) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .with_filter(heard(wanted(verbosity, variable).expect("a level")));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::trace!(target: "talkvalue_core::sync", "ours-trace");
            tracing::debug!(target: "talkvalue_adapters", "ours-debug");
            tracing::info!(target: "tvsync", "ours-info");
            tracing::warn!(target: "talkvalue_core", "ours-warn");
            tracing::trace!(target: "hyper::proto", "library-trace");
            tracing::debug!(target: "zbus::connection", "library-debug");
            tracing::info!(target: "reqwest", "library-info");
            tracing::info!(target: "tvsync_lookalike", "library-lookalike");
            tracing::warn!(target: "reqwest", "library-warn");
        });
        let bytes = sink.0.lock().expect("no panic holds it").clone();
        String::from_utf8(bytes).expect("logs are text")
    }

    #[test]
    fn libraries_are_never_heard_below_warnings() {
        let asked = [
            (3, None),
            (0, Some("trace")),
            (
                0,
                Some("hyper=trace,zbus=trace,reqwest=trace,tvsync_lookalike=trace"),
            ),
            (9, Some("trace")),
        ];
        for (verbosity, variable) in asked {
            let text = logged(verbosity, variable);
            for library in [
                "library-trace",
                "library-debug",
                "library-info",
                "library-lookalike",
            ] {
                assert!(!text.contains(library), "{library} at {verbosity} {variable:?}");
            }
            assert!(text.contains("library-warn"), "{verbosity} {variable:?}");
        }
    }

    #[test]
    fn what_is_asked_for_decides_about_ours() {
        let table: [(u8, Option<&str>, &[&str]); 7] = [
            (0, None, &[]),
            (0, Some(" "), &[]),
            (1, None, &["ours-info", "ours-warn"]),
            (2, None, &["ours-debug", "ours-info", "ours-warn"]),
            (3, None, &["ours-trace", "ours-debug", "ours-info", "ours-warn"]),
            (0, Some("talkvalue_core=trace"), &["ours-trace", "ours-warn"]),
            (1, Some("trace"), &["ours-info", "ours-warn"]),
        ];
        for (verbosity, variable, expected) in table {
            let text = logged(verbosity, variable);
            for line in ["ours-trace", "ours-debug", "ours-info", "ours-warn"] {
                assert_eq!(
                    text.contains(line),
                    expected.contains(&line),
                    "{line} {verbosity} {variable:?}"
                );
            }
        }
    }

    #[test]
    fn a_level_nobody_knows_is_refused() {
        assert!(wanted(0, Some("talkvalue_core=loud")).is_err());
        assert!(wanted(1, Some("talkvalue_core=loud")).is_ok(), "-v decides alone");
    }
}
