//! `tvsync`: TalkValue Sync in the terminal. Understands a command line, calls one use case of the core, prints the
//! answer. It holds no decision of its own: what the window decides, this decides alike, because neither does.

mod args;
mod csv_export;
mod diagnostics;
mod exit;
mod json;
mod lists;
mod log;
mod progress;
mod render;
mod run;
mod sign_in;
mod terminal;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    talkvalue_adapters::dumps::keep_none();
    ExitCode::from(run::run(std::env::args_os().collect()))
}
