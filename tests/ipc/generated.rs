//! The window's TypeScript of the wire types is what the Rust types say.
//! `TALKVALUE_UPDATE_GENERATED=1 cargo test -p talkvalue-sync --test ipc` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use talkvalue_sync_app::ipc::{dto, error, history, notices, removals, sign_in, words};
use ts_rs::{Config, TS};

const VARIABLE: &str = "TALKVALUE_UPDATE_GENERATED";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/lib/generated")
}

/// File by file, what should stand there.
fn expected() -> BTreeMap<String, String> {
    // Counts stay far below what a JavaScript number holds exactly.
    let config = Config::new().with_large_int("number");
    let mut files = BTreeMap::new();
    macro_rules! file {
        ($($type:ty),+ $(,)?) => {$(
            let text = <$type>::export_to_string(&config).unwrap();
            files.insert(format!("{}.ts", <$type>::ident(&config)), text);
        )+};
    }
    file!(
        dto::AccountOption,
        dto::AppStatus,
        dto::Attendee,
        dto::AttendeePage,
        dto::AttendeeRequest,
        dto::Candidate,
        dto::Connected,
        dto::Counts,
        dto::Disconnected,
        dto::FailureView,
        dto::ImportedAs,
        dto::IntegrationView,
        dto::ItemView,
        dto::JobView,
        dto::ReconnectOptions,
        dto::Tickets,
        dto::Waiting,
        error::CommandError,
        error::ErrorCode,
        error::Refusal,
        history::Activity,
        history::ChangePage,
        history::ChangeRequest,
        history::FieldChange,
        history::HistoryEntry,
        history::HistoryKind,
        notices::Notice,
        notices::NoticeType,
        notices::Pace,
        notices::Per,
        removals::HeldRemovals,
        removals::ShownRemovals,
        sign_in::OauthApp,
        sign_in::Repaired,
        sign_in::SignInEnd,
        sign_in::SignInOptions,
        sign_in::SignInProgress,
        sign_in::SignInStep,
        sign_in::SignInWay,
        words::Alert,
        words::AttendeeSort,
        words::AttendeeStatus,
        words::FailureCode,
        words::Freshness,
        words::IntegrationStatus,
        words::ItemKind,
        words::JobKind,
        words::LinkKind,
        words::Provider,
        words::Recovery,
        words::SignIn,
        words::SyncStatus,
        words::Withdrawal,
    );
    let mut index = String::from("// Generated from src-tauri/src/ipc. Do not edit.\n");
    for file in files.keys() {
        let name = file.trim_end_matches(".ts");
        index.push_str(&format!("export type {{ {name} }} from \"./{name}\";\n"));
    }
    files.insert("index.ts".to_owned(), index);
    files
}

#[test]
fn typescript_says_what_rust_says() {
    let expected = expected();
    if std::env::var_os(VARIABLE).is_some() {
        let _ = fs::remove_dir_all(folder());
        fs::create_dir_all(folder()).unwrap();
        for (file, text) in &expected {
            fs::write(folder().join(file), text).unwrap();
        }
    }
    let again =
        format!("run `{VARIABLE}=1 cargo test -p talkvalue-sync --test ipc` and look at what changed");
    for (file, text) in &expected {
        let there = fs::read_to_string(folder().join(file)).unwrap_or_default();
        assert_eq!(there, *text, "{file} is not fresh: {again}");
    }
    let there: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for file in there {
        assert!(expected.contains_key(&file), "{file} belongs to no type: {again}");
    }
}

#[test]
fn every_wire_type_is_generated() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/src/ipc");
    let count = |file: &str, mark: &str| {
        fs::read_to_string(sources.join(file))
            .unwrap()
            .matches(mark)
            .count()
    };
    let files = [
        "dto.rs",
        "error.rs",
        "history.rs",
        "notices.rs",
        "removals.rs",
        "sign_in.rs",
        "words.rs",
    ];
    let derived = files.into_iter().map(|file| count(file, "TS)]")).sum::<usize>()
        // The macro's own derive stands for every word that it makes.
        - 1
        + count("words.rs", "words!(\n");
    assert_eq!(
        expected().len() - 1,
        derived,
        "a new wire type must be listed above, or the window has no type for it"
    );
}
