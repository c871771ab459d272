//! Closing the window: who would lose a sign-in that is in memory only is asked first.

use crate::stage::{DEADLINE, Running, Stage, text};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use talkvalue_sync_app::{QUIT, heed};
use tauri::menu::MenuEvent;
use tauri::{Manager as _, RunEvent};

/// An app with a sign-in that no keychain took, and its event loop running. What is given says whether that is so.
fn unsaved() -> (Running, Receiver<()>, Arc<AtomicBool>) {
    let stage = Stage::open();
    stage.keychain.is_there.store(false, Ordering::SeqCst);
    let (calendar, _) = stage.add_luma_event("Spring Repair Cafe", 5);
    stage.connects("LUMA", &calendar.key);
    let keychain = stage.keychain.is_there.clone();
    let (running, end) = stage.runs();
    (running, end, keychain)
}

fn assert_ends(end: &Receiver<()>) {
    end.recv_timeout(DEADLINE).expect("the window must close");
}

#[test]
fn who_closes_the_window_over_an_unsaved_sign_in_is_asked_first() {
    let (running, end, _) = unsaved();
    for _ in 0..2 {
        running.window.close().unwrap();
        running.hears("QUIT_ASKED");
        assert!(end.try_recv().is_err(), "the window stays until it is answered");
        let status = running.calls("app_status", json!({})).unwrap();
        assert!(text(&status["unsaved"]).contains("until you quit"), "{status}");
        running.calls("answer_quit", json!({ "quits": false })).unwrap();
    }
    running.window.close().unwrap();
    running.hears("QUIT_ASKED");
    running.calls("answer_quit", json!({ "quits": true })).unwrap();
    assert_ends(&end);
}

#[test]
fn who_quits_by_the_menu_is_asked_as_well() {
    let (running, end, _) = unsaved();
    let quit = MenuEvent { id: QUIT.into() };
    heed(running.window.app_handle(), &RunEvent::MenuEvent(quit));
    running.hears("QUIT_ASKED");
    assert!(end.try_recv().is_err(), "the window stays until it is answered");
    running.calls("answer_quit", json!({ "quits": true })).unwrap();
    assert_ends(&end);
}

#[test]
fn what_can_be_saved_when_the_window_closes_is_saved_without_a_question() {
    let (running, end, keychain) = unsaved();
    keychain.store(true, Ordering::SeqCst);
    running.window.close().unwrap();
    assert_ends(&end);
    assert!(!running.has_heard("QUIT_ASKED"), "there was nothing to ask");
    let status = running.calls("app_status", json!({})).unwrap();
    assert_eq!(status["unsaved"], Value::Null);
}

#[test]
fn a_window_that_does_not_answer_can_be_closed_all_the_same() {
    let (running, end, _) = unsaved();
    running.window.close().unwrap();
    running.hears("QUIT_ASKED");
    running.window.close().unwrap();
    assert_ends(&end);
}
