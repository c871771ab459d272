//! Logs on standard error: warnings, unless `TALKVALUE_LOG` asks for more. Libraries log headers and bus messages,
//! which hold secrets: below warnings only our own code is ever heard, whatever is asked for.

use std::io;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// A level, or levels by target as in `talkvalue_core=debug`.
const VARIABLE: &str = "TALKVALUE_LOG";

/// Starts logging, once per process. `Err` is the sentence to print.
pub(crate) fn start() -> Result<(), String> {
    let wanted = wanted(std::env::var(VARIABLE).ok().as_deref())?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(filter_fn(move |metadata| is_heard(&wanted, metadata)));
    // A second start would change nothing that the first one did not settle.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}

fn wanted(variable: Option<&str>) -> Result<Targets, String> {
    match variable.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(Targets::new().with_default(LevelFilter::WARN)),
        Some(text) => text.parse().map_err(|_| {
            format!(
                "{VARIABLE} is not understood. Give a level (error, warn, info, debug, trace), or levels by target as \
                 in talkvalue_core=debug."
            )
        }),
    }
}

fn is_heard(wanted: &Targets, metadata: &Metadata<'_>) -> bool {
    wanted.would_enable(metadata.target(), metadata.level())
        && (*metadata.level() <= Level::WARN || is_ours(metadata.target()))
}

fn is_ours(target: &str) -> bool {
    target
        .split("::")
        .next()
        .is_some_and(|program| program.starts_with("talkvalue_"))
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

    fn logged(variable: Option<&str>) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let wanted = wanted(variable).expect("a level");
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_filter(filter_fn(move |metadata| is_heard(&wanted, metadata)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::debug!(target: "talkvalue_core::sync", "ours-debug");
            tracing::warn!(target: "talkvalue_sync_app", "ours-warn");
            tracing::info!(target: "zbus::connection", "library-info");
            tracing::trace!(target: "tauri", "library-trace");
            tracing::warn!(target: "reqwest", "library-warn");
        });
        let bytes = sink.0.lock().expect("no panic holds it").clone();
        String::from_utf8(bytes).expect("logs are text")
    }

    #[test]
    fn libraries_are_never_heard_below_warnings() {
        for variable in [None, Some("trace"), Some("zbus=trace,tauri=trace"), Some("debug")] {
            let text = logged(variable);
            assert!(!text.contains("library-info"), "{variable:?}: {text}");
            assert!(!text.contains("library-trace"), "{variable:?}: {text}");
        }
        assert!(logged(Some("trace")).contains("ours-debug"));
        assert!(!logged(None).contains("ours-debug"), "quiet unless asked");
        assert!(logged(None).contains("ours-warn") && logged(None).contains("library-warn"));
    }

    #[test]
    fn a_level_nobody_knows_is_refused() {
        assert!(wanted(Some("talkvalue_core=loud")).is_err());
    }
}
