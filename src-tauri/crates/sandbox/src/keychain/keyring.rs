//! One gnome-keyring daemon. Owns the process, its password and the ways to lock, unlock and stop it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::bus::Bus;
use super::end;

const PASSWORD: &str = "harbour-test-password";
const SERVICE: &str = "org.freedesktop.secrets";
const DEFAULT_COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
const READY_WITHIN: Duration = Duration::from_secs(10);

/// The daemon's own protocol, which the login screen uses: operation "unlock".
const OPERATION_UNLOCK: u32 = 1;

#[derive(Debug)]
pub(super) struct Keyring {
    daemon: Child,
    control: PathBuf,
}

impl Keyring {
    /// Ready when this returns. With `unlocked` the default collection is made where there is none.
    pub(super) fn start(
        bus: &Bus,
        environment: &[(String, String)],
        removed: &[&str],
        unlocked: bool,
    ) -> io::Result<Self> {
        let value = |wanted: &str| {
            environment
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        let home = PathBuf::from(value("HOME").map_or("", String::as_str));
        let control =
            PathBuf::from(value("XDG_RUNTIME_DIR").map_or("", String::as_str)).join("keyring/control");
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        for name in removed {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        if unlocked {
            command.arg("--unlock").stdin(Stdio::piped());
        } else {
            command.stdin(Stdio::null());
        }
        let log = File::create(home.join("keyring.log"))?;
        command.stdout(Stdio::null()).stderr(log);
        let mut daemon = command
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("gnome-keyring-daemon: {error}")))?;
        if let Some(mut input) = daemon.stdin.take() {
            // The daemon reads the password until the end of its input.
            input.write_all(PASSWORD.as_bytes())?;
        }
        // From here on the drop ends the daemon, also when waiting fails.
        let keyring = Self { daemon, control };
        wait_until("the secret service", || bus.has_secret_service())?;
        let expected = !unlocked;
        // A daemon that was never unlocked has no default collection: nothing to wait for then.
        if unlocked || home.join("data/keyrings/login.keyring").exists() {
            wait_until("the default collection", || {
                Ok(is_locked(bus).ok() == Some(expected))
            })?;
        }
        Ok(keyring)
    }

    pub(super) fn id(&self) -> u32 {
        self.daemon.id()
    }

    pub(super) fn lock(&self, bus: &Bus) -> io::Result<()> {
        let collection = format!("array:objpath:{DEFAULT_COLLECTION}");
        bus.call(
            SERVICE,
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &[&collection],
        )?;
        wait_until("the lock", || is_locked(bus))
    }

    /// Speaks to the daemon's control socket: one byte of credentials, then length, operation and password,
    /// numbers in network order; the answer is a length of 8 and the result 0.
    pub(super) fn unlock(&self, bus: &Bus) -> io::Result<()> {
        let mut socket = UnixStream::connect(&self.control)?;
        socket.set_read_timeout(Some(READY_WITHIN))?;
        let size = u32::try_from(PASSWORD.len()).unwrap_or(0);
        let mut message = vec![0_u8];
        for number in [12 + size, OPERATION_UNLOCK, size] {
            message.extend(number.to_be_bytes());
        }
        message.extend(PASSWORD.as_bytes());
        socket.write_all(&message)?;
        let mut answer = [0_u8; 8];
        socket.read_exact(&mut answer)?;
        if answer != [0, 0, 0, 8, 0, 0, 0, 0] {
            return Err(io::Error::other(format!(
                "the keyring did not unlock: {answer:?}"
            )));
        }
        wait_until("the unlocking", || Ok(!is_locked(bus)?))
    }

    pub(super) fn hang(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        // The child is ours and not collected yet, so its id cannot be somebody else's.
        let id = i32::try_from(self.daemon.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the keyring has no process id"))?;
        Ok(kill_process(id, signal)?)
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}

fn is_locked(bus: &Bus) -> io::Result<bool> {
    let reply = bus.call(
        SERVICE,
        DEFAULT_COLLECTION,
        "org.freedesktop.DBus.Properties.Get",
        &["string:org.freedesktop.Secret.Collection", "string:Locked"],
    )?;
    Ok(reply.contains("true"))
}

fn wait_until(what: &str, mut ready: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let started = Instant::now();
    while !ready()? {
        if started.elapsed() > READY_WITHIN {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{what} did not get ready"),
            ));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
