//! A D-Bus session of its own. Owns the daemon, its address, and short calls on it.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::end;

#[derive(Debug)]
pub(super) struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    /// Ready when this returns. Without activation nobody appears on the bus who was not started on it.
    pub(super) fn start(home: &Path, activates: bool) -> io::Result<Self> {
        let config = home.join("bus.conf");
        fs::write(&config, config_text(home, activates))?;
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address=1"])
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("XDG_DATA_HOME", home.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("dbus-daemon: {error}")))?;
        let mut address = String::new();
        if let Some(output) = daemon.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        let address = address.trim().to_owned();
        if address.is_empty() {
            end(&mut daemon);
            return Err(io::Error::other("dbus-daemon ended without naming its address"));
        }
        Ok(Self { daemon, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn id(&self) -> u32 {
        self.daemon.id()
    }

    /// Calls a method and gives the printed reply.
    pub(super) fn call(&self, to: &str, path: &str, method: &str, arguments: &[&str]) -> io::Result<String> {
        let output = Command::new("dbus-send")
            .arg(format!("--bus={}", self.address))
            .args(["--print-reply=literal", "--reply-timeout=5000"])
            .arg(format!("--dest={to}"))
            .args([path, method])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| io::Error::new(error.kind(), format!("dbus-send: {error}")))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ))
        }
    }

    /// Whether somebody offers secrets.
    pub(super) fn has_secret_service(&self) -> io::Result<bool> {
        let reply = self.call(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            &["string:org.freedesktop.secrets"],
        )?;
        Ok(reply.contains("true"))
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}

fn config_text(home: &Path, activates: bool) -> String {
    let services = if activates {
        "<standard_session_servicedirs/>"
    } else {
        ""
    };
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#,
        home.join("run/bus").display()
    )
}
