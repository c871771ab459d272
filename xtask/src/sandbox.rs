//! The simulated Eventbrite and Luma as a running program: starting it, reading what it announces, ending it.
//! It ends with us in any case: it watches its standard input, which closes when we are gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process;

const START_DEADLINE: Duration = Duration::from_secs(60);
const END_DEADLINE: Duration = Duration::from_secs(5);

/// A running sandbox. Dropping it ends it.
pub(crate) struct Sandbox {
    process: Child,
    announced_in: PathBuf,
    announcement: Announcement,
}

impl Sandbox {
    /// Starts `talkvalue-sandbox serve` with these options and waits until it answers. `folder` takes its announcement.
    pub(crate) fn start(program: &Path, folder: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let announced_in = folder.join("sandbox.json");
        if announced_in.exists() {
            fs::remove_file(&announced_in)
                .context("an earlier sandbox's announcement could not be removed")?;
        }
        let mut command = Command::new(program);
        command
            .arg("serve")
            .args(options)
            .arg("--announce")
            .arg(&announced_in)
            .arg("--until-stdin-closes");
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("`{}` could not be started", process::describe(&command)))?;
        let announcement = match wait_for_announcement(&mut process, &announced_in) {
            Ok(announcement) => announcement,
            Err(error) => {
                end(&mut process);
                return Err(error);
            }
        };
        Ok(Self {
            process,
            announced_in,
            announcement,
        })
    }

    pub(crate) fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// The file that other programs can read the announcement from.
    pub(crate) fn announced_in(&self) -> &Path {
        &self.announced_in
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Closes its input, which it takes as the sign to end, and insists after a while.
fn end(process: &mut Child) {
    drop(process.stdin.take());
    let deadline = Instant::now() + END_DEADLINE;
    while Instant::now() < deadline {
        if !matches!(process.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Nothing is lost with it: it keeps everything in memory.
    let _ = process.kill();
    let _ = process.wait();
}

fn wait_for_announcement(process: &mut Child, file: &Path) -> anyhow::Result<Announcement> {
    let deadline = Instant::now() + START_DEADLINE;
    loop {
        // The file may be there before its line is whole: a half one does not parse, and is read again.
        if let Some(announcement) = fs::read_to_string(file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
        {
            return Ok(Announcement(announcement));
        }
        if let Some(status) = process
            .try_wait()
            .context("the sandbox could not be looked after")?
        {
            bail!("the sandbox {} before it answered", process::how_it_ended(status));
        }
        if Instant::now() > deadline {
            bail!("the sandbox did not answer within {} s", START_DEADLINE.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// What the sandbox says about itself when it is ready: its addresses, and what it was filled with.
pub(crate) struct Announcement(Value);

impl Announcement {
    pub(crate) fn eventbrite_api_url(&self) -> anyhow::Result<&str> {
        self.text("/eventbriteApiUrl")
    }

    pub(crate) fn luma_api_url(&self) -> anyhow::Result<&str> {
        self.text("/lumaApiUrl")
    }

    pub(crate) fn eventbrite_oauth_url(&self) -> anyhow::Result<&str> {
        self.text("/eventbriteOauthUrl")
    }

    pub(crate) fn luma_oauth_url(&self) -> anyhow::Result<&str> {
        self.text("/lumaOauthUrl")
    }

    /// The private token of the demo's first Eventbrite account.
    pub(crate) fn demo_token(&self) -> anyhow::Result<&str> {
        self.text("/demo/eventbriteAccounts/0/privateToken")
    }

    /// The API key of the demo's first Luma calendar.
    pub(crate) fn demo_key(&self) -> anyhow::Result<&str> {
        self.text("/demo/lumaCalendars/0/key")
    }

    /// The id of the demo's first Eventbrite event, which that account sees.
    pub(crate) fn demo_eventbrite_event(&self) -> anyhow::Result<&str> {
        self.text("/demo/eventbriteEvents/0/id")
    }

    /// The id of the demo's first Luma event, which is that calendar's.
    pub(crate) fn demo_luma_event(&self) -> anyhow::Result<&str> {
        self.text("/demo/lumaEvents/0/id")
    }

    /// The private token of the account whose one event `--attendees` filled.
    pub(crate) fn bulk_token(&self) -> anyhow::Result<&str> {
        self.text("/bulkAttendees/account/privateToken")
    }

    /// The id of that event.
    pub(crate) fn bulk_event(&self) -> anyhow::Result<&str> {
        self.text("/bulkAttendees/eventId")
    }

    fn text(&self, place: &str) -> anyhow::Result<&str> {
        self.0
            .pointer(place)
            .and_then(Value::as_str)
            .with_context(|| format!("the sandbox announces no {place}"))
    }
}
