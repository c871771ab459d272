//! The real `tvsync`, pointed at a data folder, a keychain service and providers of the caller's choice.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::Context as _;
use serde_json::Value;

use crate::process;
use crate::sandbox::Announcement;

/// How to call `tvsync` in one demo or measurement.
pub(crate) struct Tvsync {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Tvsync {
    /// Calls that reach the sandbox only, with a data folder and a keychain service of their own.
    pub(crate) fn against(
        program: PathBuf,
        sandbox: &Announcement,
        data: &Path,
        vault_service: &str,
    ) -> anyhow::Result<Self> {
        let data = data
            .to_str()
            .context("the data folder's path is not plain text")?;
        let environment = vec![
            ("TALKVALUE_DATA_DIR", data.to_owned()),
            ("TALKVALUE_VAULT_SERVICE", vault_service.to_owned()),
            (
                "TALKVALUE_EVENTBRITE_API_URL",
                sandbox.eventbrite_api_url()?.to_owned(),
            ),
            ("TALKVALUE_LUMA_API_URL", sandbox.luma_api_url()?.to_owned()),
            (
                "TALKVALUE_EVENTBRITE_OAUTH_URL",
                sandbox.eventbrite_oauth_url()?.to_owned(),
            ),
            ("TALKVALUE_LUMA_OAUTH_URL", sandbox.luma_oauth_url()?.to_owned()),
        ];
        Ok(Self { program, environment })
    }

    /// Another program in the same world: the window.
    pub(crate) fn beside(&self, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A call, not yet made.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Makes a call on our terminal, with a secret on its standard input if one is asked for.
    pub(crate) fn call(&self, arguments: &[&str], secret: Option<&str>) -> anyhow::Result<ExitStatus> {
        match secret {
            Some(secret) => process::status_with_input(&mut self.command(arguments), &format!("{secret}\n")),
            None => process::status(&mut self.command(arguments)),
        }
    }

    /// Makes a call for its JSON answer.
    pub(crate) fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let mut words = arguments.to_vec();
        words.push("--json");
        let answer = process::capture(&mut self.command(&words))?;
        serde_json::from_str(&answer).with_context(|| format!("`tvsync {}` printed no JSON", words.join(" ")))
    }

    /// The id of the first entry of a list answer for which `field` is `value`:
    /// `find_id("integrations", "provider", "LUMA")`.
    pub(crate) fn find_id(&self, list: &str, field: &str, value: &str) -> anyhow::Result<String> {
        let answer = self.ask(&[list])?;
        let entries = answer[list]
            .as_array()
            .with_context(|| format!("`tvsync {list}` gave no list"))?;
        let entry = entries.iter().find(|entry| entry[field] == value);
        let id = entry.and_then(|entry| entry["id"].as_str());
        id.map(str::to_owned)
            .with_context(|| format!("`tvsync {list}` lists nothing with {field} {value}"))
    }
}
