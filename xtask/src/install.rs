//! What this computer must have beside Rust, and getting it. On Debian and Ubuntu we install it, after saying how; on
//! every other system we say what is missing and stop. A command asks only for what it needs itself.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::process;
use crate::repository::Repository;
use crate::terminal;

/// Something that a command needs from the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A C compiler, for SQLite and the cryptography.
    Compiler,
    /// The system's web view, to build the window.
    WebView,
    /// A message bus and a keychain to start privately.
    Keychain,
    /// A screen that nobody looks at, to open the window in tests.
    Screen,
    /// What uses the web view as a person would.
    Driver,
    /// What takes down how a process writes, for the power cuts.
    Recorder,
    /// A browser to look at the window's screens in. Only [`browser`] asks for it: we can do without.
    Browser,
}

impl Need {
    /// Debian's and Ubuntu's names.
    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Compiler => &["build-essential", "pkg-config"],
            Self::WebView => &["libwebkit2gtk-4.1-dev"],
            Self::Keychain => &["dbus", "gnome-keyring", "libsecret-tools", "libglib2.0-bin"],
            Self::Screen => &["xvfb", "xauth", "openbox", "xdotool", "fonts-dejavu-core"],
            Self::Driver => &["webkit2gtk-driver"],
            Self::Recorder => &["strace"],
            Self::Browser => &["chromium"],
        }
    }

    /// Whether it is there, on a Linux whose package names we do not know.
    fn is_there(self) -> bool {
        let all = |programs: &[&str]| programs.iter().all(|program| process::is_on_path(program));
        match self {
            Self::Compiler => all(&["cc"]),
            Self::WebView => process::succeeds("pkg-config", &["--exists", "webkit2gtk-4.1"]),
            Self::Keychain => all(&["dbus-run-session", "gnome-keyring-daemon"]),
            Self::Screen => all(&["xvfb-run", "dbus-run-session"]),
            Self::Driver => all(&["WebKitWebDriver"]),
            Self::Recorder => all(&["strace"]),
            Self::Browser => chromium().is_some(),
        }
    }

    /// What to look for in another Linux's packages.
    fn in_words(self) -> &'static str {
        match self {
            Self::Compiler => "a C compiler (gcc or clang, called cc)",
            Self::WebView => {
                "pkg-config and the development files of WebKitGTK 4.1 (webkit2gtk4.1-devel, webkit2gtk-4.1)"
            }
            Self::Keychain => "dbus-run-session and gnome-keyring (dbus-daemon, gnome-keyring)",
            Self::Driver => "WebKitWebDriver (webkitgtk's driver)",
            Self::Recorder => "strace",
            Self::Browser => "Chromium (chromium)",
            Self::Screen => "xvfb-run and dbus-run-session (xorg-x11-server-Xvfb, xorg-server-xvfb)",
        }
    }
}

/// Makes sure that the system has all of `needs`, installing it where we know how.
pub(crate) fn system(needs: &[Need]) -> anyhow::Result<()> {
    if cfg!(target_os = "linux") {
        if process::is_on_path("dpkg-query") && process::is_on_path("apt-get") {
            return with_apt(&missing_packages(needs, &installed_packages(needs)?));
        }
        return refuse_without(
            needs
                .iter()
                .copied()
                .filter(|need| !need.is_there())
                .map(Need::in_words)
                .collect(),
        );
    }
    if cfg!(target_os = "macos") && !process::succeeds("xcode-select", &["--print-path"]) {
        bail!(
            "Apple's command line tools are missing. Run `xcode-select --install`, then this command again."
        );
    }
    // Windows brings its web view and its keychain; Rust itself asks for the compiler while it is being installed.
    Ok(())
}

/// A Chromium: the one that `CHROMIUM` names, or one of the system's. On Debian and Ubuntu it is installed when there is
/// none; `None` where that is not possible.
pub(crate) fn browser() -> anyhow::Result<Option<PathBuf>> {
    let found = chromium();
    let has_apt = process::is_on_path("dpkg-query") && process::is_on_path("apt-get");
    if found.is_some() || !cfg!(target_os = "linux") || !has_apt {
        return Ok(found);
    }
    system(&[Need::Browser])?;
    Ok(chromium())
}

fn chromium() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let everywhere = ["chromium", "chromium-browser", "google-chrome"];
    let beside_programs = [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ];
    named
        .or_else(|| everywhere.into_iter().find_map(process::on_path))
        .or_else(|| {
            beside_programs
                .into_iter()
                .map(PathBuf::from)
                .find(|path| path.is_file())
        })
}

/// Makes sure that npm is there. It comes with Node, which we leave to the person: there are too many good ways.
pub(crate) fn node() -> anyhow::Result<()> {
    if process::succeeds(npm_program(), &["--version"]) {
        return Ok(());
    }
    bail!(
        "npm is missing: the window is built with it. Install Node 20 or newer, then run this command again."
    )
}

/// npm is a script, and Windows starts scripts by their whole name only.
pub(crate) fn npm_program() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// Makes sure that rustfmt and clippy are there: a minimal Rust has neither.
pub(crate) fn rust_components(repository: &Repository) -> anyhow::Result<()> {
    let lacks = |tool: &str| {
        !process::capture(&mut repository.cargo(&[tool, "--version"])).is_ok_and(|v| !v.is_empty())
    };
    let components: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(tool, _)| lacks(tool))
        .map(|(_, c)| c)
        .collect();
    if components.is_empty() {
        return Ok(());
    }
    if !process::is_on_path("rustup") {
        bail!(
            "{} missing from this Rust. Install with your Rust's own means.",
            components.join(" and ")
        );
    }
    println!("Adding to Rust: {}", components.join(" "));
    process::run(Command::new("rustup").args(["component", "add"]).args(components))
}

/// Makes sure that cargo-deny is there, in the version whose settings ours are.
pub(crate) fn cargo_deny(repository: &Repository) -> anyhow::Result<()> {
    const VERSION: &str = "0.20.2";
    if process::is_on_path("cargo-deny") {
        return Ok(());
    }
    println!("Installing cargo-deny {VERSION} (once, some minutes).");
    process::run(&mut repository.cargo(&["install", "cargo-deny", "--locked", "--version", VERSION]))
}

/// Makes sure that tauri-driver is there: it starts the window for the end-to-end test.
pub(crate) fn tauri_driver(repository: &Repository) -> anyhow::Result<()> {
    const VERSION: &str = "2.1.0";
    if process::is_on_path("tauri-driver") {
        return Ok(());
    }
    println!("Installing tauri-driver {VERSION} (once, some minutes).");
    process::run(&mut repository.cargo(&["install", "tauri-driver", "--locked", "--version", VERSION]))
}

/// The wanted packages that dpkg reports as installed.
fn installed_packages(needs: &[Need]) -> anyhow::Result<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${Package} ${db:Status-Status}\n"]);
    query.args(needs.iter().flat_map(|need| need.debian_packages()));
    // It exits with 1 as soon as one package is unknown, and still lists the others.
    Ok(String::from_utf8_lossy(&query.output()?.stdout).into_owned())
}

/// `installed` has one line "name status" per package that dpkg knows.
fn missing_packages(needs: &[Need], installed: &str) -> Vec<&'static str> {
    let is_installed = |package: &str| {
        installed
            .lines()
            .any(|line| line.split_once(' ') == Some((package, "installed")))
    };
    let mut missing = Vec::new();
    for package in needs.iter().flat_map(|need| need.debian_packages()) {
        if !is_installed(package) && !missing.contains(package) {
            missing.push(*package);
        }
    }
    missing
}

fn with_apt(packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let is_root = process::capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let prefix = if is_root { "" } else { "sudo " };
    let install = format!(
        "{prefix}apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    println!(
        "{}",
        terminal::heading("This computer lacks some packages. Installing them with:")
    );
    println!("  {prefix}apt-get update && {install}");
    if !is_root && !process::is_on_path("sudo") {
        bail!("sudo is missing, so we may not install them. Run that command as root, then this one again.");
    }
    process::run(&mut apt(is_root, &["update"]))?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    process::run(&mut apt(is_root, &arguments))
}

/// apt without questions, waiting for another apt (a fresh Ubuntu updates itself) rather than failing.
fn apt(is_root: bool, arguments: &[&str]) -> Command {
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    if !is_root {
        command.arg("env");
    }
    command
        .args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
        ])
        .args(arguments);
    command
}

fn refuse_without(missing: Vec<&str>) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "this computer lacks, and we do not know your system's packages:\n  - {}\nInstall them, then run this \
           command again.",
        missing.join("\n  - ")
    )
}

/// Whether npm's folder holds what the lock file says: npm writes its own copy of the lock file when it is done.
pub(crate) fn node_modules_are_current(window: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let lock = time(&window.join("package-lock.json"));
    let installed = time(&window.join("node_modules").join(".package-lock.json"));
    matches!((lock, installed), (Some(lock), Some(installed)) if installed >= lock)
}

/// Whether there is a screen to open a window on. macOS and Windows always have one as far as we can tell.
pub(crate) fn has_display() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_installed_is_missing() {
        let installed = "build-essential installed\npkg-config config-files\n";
        assert_eq!(
            missing_packages(&[Need::Compiler, Need::WebView], installed),
            ["pkg-config", "libwebkit2gtk-4.1-dev"],
            "a package that left only its settings behind is not installed"
        );
    }

    #[test]
    fn package_with_a_longer_name_does_not_stand_for_another() {
        let installed = "dbus-x11 installed\ngnome-keyring installed\nlibsecret-tools installed\n";
        assert_eq!(
            missing_packages(&[Need::Keychain], installed),
            ["dbus", "libglib2.0-bin"],
            "dbus-x11 is not dbus"
        );
    }

    #[test]
    fn nothing_is_installed_twice_or_needlessly() {
        assert!(
            missing_packages(&[], "").is_empty(),
            "a command without needs installs nothing"
        );
        assert_eq!(
            missing_packages(&[Need::WebView, Need::WebView], "").len(),
            1,
            "asked twice is one package"
        );
    }
}
