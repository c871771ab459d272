//! Starts the app. Everything it does is in the library, so that tests can reach it.

// A released app on Windows must not open a console beside its window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use talkvalue_sync_app::Launch;

fn main() -> ExitCode {
    talkvalue_adapters::dumps::keep_none();
    let launch = match Launch::from_arguments(std::env::args_os().skip(1)) {
        Ok(launch) => launch,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match talkvalue_sync_app::run(launch) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("TalkValue Sync could not start: {error:#}");
            ExitCode::FAILURE
        }
    }
}
