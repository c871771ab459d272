//! The person's own browser, replaced by a script that writes down what it is asked to open.

use crate::screen::{Start, Window};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// What `xdg-open` is on this computer.
pub(crate) struct Browser {
    folder: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn installed() -> Self {
        let browser = Self {
            folder: tempfile::tempdir().expect("a folder can be made"),
        };
        browser.becomes("printf '%s\\n' \"$address\" >> \"$log\"");
        browser
    }

    pub(crate) fn becomes(&self, does: &str) {
        let log = self.log();
        let script = format!(
            "#!/bin/sh\nlog='{}'\nfor address; do :; done\n{does}\n",
            log.display()
        );
        for name in [
            "xdg-open",
            "gio",
            "gnome-open",
            "kde-open6",
            "kde-open5",
            "kde-open",
        ] {
            let program = self.folder.path().join(name);
            std::fs::write(&program, &script).expect("the script can be written");
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))
                .expect("the script can be run");
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("opened")
    }

    pub(crate) fn start(&self) -> Start {
        let path = std::env::var("PATH").unwrap_or_default();
        Start {
            environment: vec![("PATH", format!("{}:{path}", self.folder.path().display()))],
            ..Start::default()
        }
    }

    /// Every address that it was asked to open so far.
    pub(crate) fn opened(&self) -> Vec<String> {
        std::fs::read_to_string(self.log())
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Waits for the address number `count`, which `window` has it open.
    pub(crate) async fn opens(&self, window: &Window, count: usize) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let opened = self.opened();
            if let Some(address) = opened.get(count - 1) {
                return address.clone();
            }
            if Instant::now() >= deadline {
                let page = window.words().await;
                panic!("the browser must be asked for {count}: {opened:?}. The page says:\n{page}");
            }
            tokio::task::yield_now().await;
        }
    }
}
