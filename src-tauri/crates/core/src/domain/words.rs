//! The sentences a person reads about a failure: what happened, what we kept, whose move it is.

use super::credential::SignIn;
use super::failure::{Failure, FailureCode, KeychainTrouble};
use super::provider::Provider;
use jiff::{Timestamp, Unit, tz::TimeZone};

/// Where and when the sentences are read.
#[derive(Debug, Clone)]
pub struct Reader {
    pub now: Timestamp,
    pub zone: TimeZone,
}

impl Reader {
    /// "14:02" today, "yesterday 18:40", then "21 Nov", with the year when it is another.
    pub fn moment(&self, at: Timestamp) -> String {
        let (then, now) = (
            at.to_zoned_datetime(self.zone.clone()),
            self.now.to_zoned_datetime(self.zone.clone()),
        );
        let days = now
            .date()
            .since((Unit::Day, then.date()))
            .map_or(i32::MAX, |span| span.get_days());
        match days {
            0 => then.strftime("%H:%M").to_string(),
            1 => then.strftime("yesterday %H:%M").to_string(),
            _ if then.year() == now.year() => then.strftime("%-d %b").to_string(),
            _ => then.strftime("%-d %b %Y").to_string(),
        }
    }
}

/// 1240 → "1,240".
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 person", "1,240 people": the right form for the count.
pub fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// What the sentences about one item speak of.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    pub provider: Provider,
    /// The account, as [`super::integration::Integration::label`] names it.
    pub account: &'a str,
    pub sign_in: SignIn,
    pub last_synced_at: Option<Timestamp>,
    pub attending: u64,
    pub total: u64,
    pub shows_people: bool,
}

impl Subject<'_> {
    /// What we have: "The list is as of 13:31, 88 attending."
    fn list(&self, reader: &Reader) -> String {
        match self.last_synced_at {
            Some(at) => {
                format!(
                    "The list is as of {}, {} attending.",
                    reader.moment(at),
                    number(self.attending)
                )
            }
            None if self.total == 0 => "Nobody has arrived yet; this list is not complete.".to_owned(),
            None if self.shows_people => format!(
                "Only {} arrived; this list is not complete.",
                if self.total == 1 {
                    "1 person has".to_owned()
                } else {
                    format!("{} people have", number(self.total))
                }
            ),
            None => format!(
                "Only {} arrived; this list is not complete.",
                if self.total == 1 {
                    "1 registration has".to_owned()
                } else {
                    format!("{} registrations have", number(self.total))
                }
            ),
        }
    }
}

/// What is the matter with the keychain, for failures of the codes VAULT_LOCKED and VAULT_UNAVAILABLE.
pub fn keychain_sentence(failure: &Failure) -> &'static str {
    match (failure.code, KeychainTrouble::of(failure)) {
        (FailureCode::VaultLocked, _) => "Your keychain is locked, so syncing is paused.",
        (_, KeychainTrouble::NoKeychain) => "This computer offers no keychain, so syncing is paused.",
        (_, KeychainTrouble::NewerEntry) => {
            "The keychain's entry was written by a newer TalkValue Sync, so syncing is paused."
        }
        (_, KeychainTrouble::NoAnswer) => "This computer's keychain does not answer, so syncing is paused.",
    }
}

/// What a person can do where there is no keychain at all, which only happens where a desktop may come without one.
pub fn keychain_hint(failure: &Failure) -> Option<&'static str> {
    (failure.code == FailureCode::VaultUnavailable
        && KeychainTrouble::of(failure) == KeychainTrouble::NoKeychain)
        .then_some("Start GNOME Keyring, KWallet, or KeePassXC with its Secret Service, then try again.")
}

/// The sentence for one failure or condition, whose time is when it was first seen.
pub fn failure_sentence(failure: &Failure, subject: &Subject<'_>, reader: &Reader) -> String {
    let provider = subject.provider.name();
    let account = subject.account;
    let list = subject.list(reader);
    let since = reader.moment(failure.at);
    match failure.code {
        FailureCode::Offline => format!("This computer is offline (since {since}). {list}"),
        FailureCode::ProviderUnreachable => format!("{provider} does not answer (since {since}). {list}"),
        FailureCode::NetworkSignIn => {
            format!("This network wants you to sign in first (venue Wi-Fi?). {list}")
        }
        FailureCode::RateLimited => format!("{provider}'s request limit is used up. {list}"),
        FailureCode::CredentialsRejected => {
            let cause = match (subject.sign_in, subject.provider) {
                (SignIn::Oauth, _) => "most often because it was withdrawn there or the password was changed",
                (_, Provider::Eventbrite) => "most often because the password was changed",
                (_, Provider::Luma) => "most often because the key was deleted",
            };
            format!(
                "{provider} refuses the {} of {account} (since {since}), {cause}. {list} This will not repair itself.",
                subject.sign_in.credential_name(subject.provider)
            )
        }
        FailureCode::CredentialsMissing => {
            format!("The sign-in of {account} is no longer in this computer's keychain. {list}")
        }
        FailureCode::DisconnectedByYou => {
            format!("You disconnected {account} ({since}). {list}")
        }
        FailureCode::AppRejected => format!("{provider} refuses your app's API key or client secret. {list}"),
        FailureCode::PlanRequired => {
            format!("{provider} refuses this calendar's key. Its Luma Plus plan may have ended. {list}")
        }
        FailureCode::PermissionMissing => {
            format!(
                "{account} may no longer see this event's attendees. Ask its owner to restore the role. {list}"
            )
        }
        FailureCode::RemoteGone => {
            format!("{provider} no longer shows this event to {account}: cancelled, deleted or moved. {list}")
        }
        FailureCode::ProviderChanged => {
            format!("{provider} answered in a form this version does not know. Nothing was changed. {list}")
        }
        FailureCode::VaultLocked | FailureCode::VaultUnavailable => {
            format!("{} {list}", keychain_sentence(failure))
        }
        FailureCode::VaultWriteFailed => {
            format!("The sign-in could not be saved in this computer's keychain. {list}")
        }
        FailureCode::StorageFailed => format!("The list could not be saved on this computer. {list}"),
        FailureCode::Interrupted => {
            format!("The last run was cut off (at {since}). What arrived is kept. {list}")
        }
        FailureCode::ImportCancelled => format!("Import stopped by you. {list}"),
    }
}
