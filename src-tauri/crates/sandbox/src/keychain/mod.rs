//! A private OS keychain for one test or one program: its own home, its own D-Bus session and its own
//! gnome-keyring, in any of the states a real desktop can be in. Linux only.
//!
//! Owns the processes and the folder; both are gone after the drop (and after the death of this process). The
//! caller passes [`PrivateKeychain::environment`] to the programs it starts and removes
//! [`PrivateKeychain::removed_environment`] from theirs. Nothing here touches the environment of this process.

mod bus;
mod keyring;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use crate::lock;
use bus::Bus;
use keyring::Keyring;

/// What a program finds when it asks for the secret service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeychainState {
    /// A secret service with an unlocked default collection.
    Unlocked,
    /// The default collection exists and is locked.
    Locked,
    /// No session bus at all.
    NoBus,
    /// A session bus, nobody offers secrets on it, and nobody can be activated.
    NoService,
    /// Somebody owns the service's name and never answers.
    Hung,
}

/// A keychain of its own. Stops and vanishes on drop.
#[derive(Debug)]
pub struct PrivateKeychain {
    home: TempDir,
    has_display: bool,
    bus: Option<Bus>,
    keyring: Mutex<Option<Keyring>>,
    keeper: Option<Child>,
}

impl PrivateKeychain {
    /// Starts in that state, without a display: nobody can be asked for a password.
    ///
    /// # Errors
    /// `dbus-daemon`, `dbus-send` or `gnome-keyring-daemon` is missing or does not get ready in ten seconds.
    pub fn start(state: KeychainState) -> io::Result<Self> {
        Self::start_where(state, false)
    }

    /// [`Self::start`], keeping `DISPLAY` and `WAYLAND_DISPLAY` and letting the bus activate the desktop's
    /// password prompt: asking for a locked secret then waits for a person.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_display(state: KeychainState) -> io::Result<Self> {
        Self::start_where(state, true)
    }

    fn start_where(state: KeychainState, has_display: bool) -> io::Result<Self> {
        let home = tempfile::Builder::new().prefix("private-keychain-").tempdir()?;
        for folder in ["run", "data", "config", "cache"] {
            create_private(&home.path().join(folder))?;
        }
        let keeper = start_keeper(home.path())?;
        let mut keychain = Self {
            home,
            has_display,
            bus: None,
            keyring: Mutex::default(),
            keeper: Some(keeper),
        };
        if state == KeychainState::NoBus {
            return Ok(keychain);
        }
        let bus = Bus::start(
            keychain.home.path(),
            has_display && state != KeychainState::NoService,
        )?;
        keychain.bus = Some(bus);
        keychain.note_processes()?;
        if state == KeychainState::NoService {
            return Ok(keychain);
        }
        keychain.start_keyring(true)?;
        match state {
            KeychainState::Locked => keychain.restart_where(false)?,
            KeychainState::Hung => keychain.hang()?,
            _ => {}
        }
        Ok(keychain)
    }

    /// What a program needs in its environment to use this keychain and nothing else of the desktop.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut all = self.own_environment();
        // Build tools look below HOME: they keep the ones of the outer home.
        for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
            let outer = std::env::var(name).ok().or_else(|| {
                let home = std::env::var_os("HOME")?;
                Some(PathBuf::from(home).join(folder).to_string_lossy().into_owned())
            });
            all.extend(outer.map(|value| (name.to_owned(), value)));
        }
        all
    }

    /// What must not be in a program's environment: it would lead back to the desktop.
    #[must_use]
    pub fn removed_environment(&self) -> Vec<&str> {
        let always = [
            "GNOME_KEYRING_CONTROL",
            "SSH_AUTH_SOCK",
            "KDE_FULL_SESSION",
            "XDG_CURRENT_DESKTOP",
        ];
        let displays = if self.has_display {
            &[][..]
        } else {
            &["DISPLAY", "WAYLAND_DISPLAY"]
        };
        always.into_iter().chain(displays.iter().copied()).collect()
    }

    /// Sets both on `command`.
    pub fn apply_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in self.removed_environment() {
            command.env_remove(name);
        }
        command.envs(self.environment())
    }

    /// The private home.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Locks every collection; the service goes on running.
    ///
    /// # Errors
    /// There is no running secret service.
    pub fn lock(&self) -> io::Result<()> {
        self.with_keyring(|keyring, bus| keyring.lock(bus))
    }

    /// Unlocks the default collection; the service goes on running, sessions stay valid.
    ///
    /// # Errors
    /// There is no running secret service.
    pub fn unlock(&self) -> io::Result<()> {
        self.with_keyring(|keyring, bus| keyring.unlock(bus))
    }

    /// Ends the secret service and starts it again, unlocked: open sessions of clients are gone. Starts a secret
    /// service where there was none.
    ///
    /// # Errors
    /// There is no bus, or the service does not get ready.
    pub fn restart(&self) -> io::Result<()> {
        self.restart_where(true)
    }

    /// [`Self::restart`], but the default collection stays locked.
    ///
    /// # Errors
    /// As [`Self::restart`].
    pub fn restart_locked(&self) -> io::Result<()> {
        self.restart_where(false)
    }

    /// Ends the secret service; the bus stays.
    ///
    /// # Errors
    /// The note for the keeper cannot be written.
    pub fn stop_service(&self) -> io::Result<()> {
        drop(lock(&self.keyring).take());
        self.note_processes()
    }

    /// The service keeps its name and stops answering.
    ///
    /// # Errors
    /// There is no running secret service.
    pub fn hang(&self) -> io::Result<()> {
        self.with_keyring(|keyring, _| keyring.hang())
    }

    /// The service answers again, late calls first.
    ///
    /// # Errors
    /// There is no running secret service.
    pub fn resume(&self) -> io::Result<()> {
        self.with_keyring(|keyring, _| keyring.resume())
    }

    /// Forgets every secret: the service restarts, unlocked, with an empty default collection.
    ///
    /// # Errors
    /// As [`Self::restart`].
    pub fn empty(&self) -> io::Result<()> {
        self.stop_service()?;
        let keyrings = self.home.path().join("data/keyrings");
        if keyrings.exists() {
            fs::remove_dir_all(&keyrings)?;
        }
        self.start_keyring(true)
    }

    fn restart_where(&self, unlocked: bool) -> io::Result<()> {
        self.stop_service()?;
        self.start_keyring(unlocked)
    }

    fn start_keyring(&self, unlocked: bool) -> io::Result<()> {
        let bus = self
            .bus
            .as_ref()
            .ok_or_else(|| io::Error::other("this keychain has no bus"))?;
        let keyring = Keyring::start(
            bus,
            &self.own_environment(),
            &self.removed_environment(),
            unlocked,
        )?;
        *lock(&self.keyring) = Some(keyring);
        self.note_processes()
    }

    fn with_keyring(&self, act: impl FnOnce(&Keyring, &Bus) -> io::Result<()>) -> io::Result<()> {
        let keyring = lock(&self.keyring);
        match (&*keyring, &self.bus) {
            (Some(keyring), Some(bus)) => act(keyring, bus),
            _ => Err(io::Error::other("this keychain has no secret service")),
        }
    }

    fn own_environment(&self) -> Vec<(String, String)> {
        let place = |name: &str| self.home.path().join(name).to_string_lossy().into_owned();
        // Without a bus the address must name one that is not there: libraries guess otherwise.
        let address = self.bus.as_ref().map_or_else(
            || format!("unix:path={}", place("run/no-bus")),
            |bus| bus.address().to_owned(),
        );
        [
            ("HOME", self.home.path().to_string_lossy().into_owned()),
            ("XDG_RUNTIME_DIR", place("run")),
            ("XDG_DATA_HOME", place("data")),
            ("XDG_CONFIG_HOME", place("config")),
            ("XDG_CACHE_HOME", place("cache")),
            ("DBUS_SESSION_BUS_ADDRESS", address),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// Tells the keeper whom to end if this process dies.
    fn note_processes(&self) -> io::Result<()> {
        let mut ids: Vec<u32> = self.bus.iter().map(Bus::id).collect();
        ids.extend(lock(&self.keyring).iter().map(Keyring::id));
        let text: Vec<String> = ids.iter().map(u32::to_string).collect();
        fs::write(self.home.path().join("processes"), text.join("\n"))
    }
}

impl Drop for PrivateKeychain {
    fn drop(&mut self) {
        drop(lock(&self.keyring).take());
        drop(self.bus.take());
        // Nothing left to end: the keeper must not meet process ids that are somebody else's by now.
        let _ = fs::remove_file(self.home.path().join("processes"));
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }
}

fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// A shell that waits for its input to end, which happens when this process does, however it dies. Then it ends
/// the noted processes and removes the folder.
fn start_keeper(home: &Path) -> io::Result<Child> {
    const SCRIPT: &str = r#"read -r _; for id in $(cat "$1/processes" 2>/dev/null); do kill -9 "$id" 2>/dev/null; done; rm -rf "$1""#;
    Command::new("sh")
        .args(["-c", SCRIPT, "keeper"])
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Ends a child for good and collects it.
fn end(child: &mut Child) {
    // Both fail only for a child that is gone already.
    let _ = child.kill();
    let _ = child.wait();
}
