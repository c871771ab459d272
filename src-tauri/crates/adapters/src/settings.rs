//! Where things are: the data folder, the providers' servers, the keychain service. Read from the environment once.

use std::path::PathBuf;
use talkvalue_core::domain::provider::{Origin, Origins};
use talkvalue_core::error::CommandError;

pub(crate) const EVENTBRITE_OAUTH: &str = "https://www.eventbrite.com/oauth";
pub const DEFAULT_VAULT_SERVICE: &str = "com.talkvalue.sync";

#[derive(Debug, Clone)]
pub struct Settings {
    pub data_dir: PathBuf,
    pub eventbrite: Origins,
    pub luma: Origins,
    pub vault_service: String,
}

impl Settings {
    /// `data_dir` wins over `TALKVALUE_DATA_DIR`, which wins over the OS's own folder.
    pub fn from_environment(data_dir: Option<PathBuf>) -> Result<Self, CommandError> {
        let data_dir = match data_dir.or_else(|| {
            std::env::var_os("TALKVALUE_DATA_DIR")
                .filter(|given| !given.is_empty())
                .map(PathBuf::from)
        }) {
            Some(given) => given,
            None => Self::default_data_dir()?,
        };
        Ok(Self {
            data_dir,
            eventbrite: Origins {
                api: origin("TALKVALUE_EVENTBRITE_API_URL", "https://www.eventbriteapi.com/v3")?,
                oauth: origin("TALKVALUE_EVENTBRITE_OAUTH_URL", EVENTBRITE_OAUTH)?,
            },
            luma: Origins {
                api: origin("TALKVALUE_LUMA_API_URL", "https://public-api.luma.com")?,
                oauth: origin("TALKVALUE_LUMA_OAUTH_URL", "https://api.luma.com")?,
            },
            vault_service: text("TALKVALUE_VAULT_SERVICE")?
                .unwrap_or_else(|| DEFAULT_VAULT_SERVICE.to_owned()),
        })
    }

    /// The OS's folder for an application's data.
    pub fn default_data_dir() -> Result<PathBuf, CommandError> {
        directories::ProjectDirs::from("com", "TalkValue", "TalkValue Sync")
            .map(|directories| directories.data_local_dir().to_path_buf())
            .ok_or_else(|| {
                CommandError::bad_input(
                    "This account has no home folder, so there is no place for the lists. Name one with --data-dir.",
                )
            })
    }
}

/// A variable that is set and not empty. One that is no text is refused: falling back would choose another place.
fn text(name: &str) -> Result<Option<String>, CommandError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(CommandError::bad_input(format!(
            "{name} cannot be used: it is not text."
        ))),
    }
}

fn origin(name: &str, default: &str) -> Result<Origin, CommandError> {
    let given = text(name)?;
    Origin::parse(given.as_deref().unwrap_or(default))
        .map_err(|error| CommandError::bad_input(format!("{name} cannot be used: {error}.")))
}
