//! Codes, grants and their tokens. Owns what a grant type does under each dialect; knows no HTTP.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::switches::{OauthDialect, OauthSwitches};
use super::{OauthGrant, OauthTally};
use crate::dice::{Dice, LETTERS_AND_DIGITS};

/// What was asked for at the consent page.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: Option<String>,
}

/// A code that was issued; it stays known, so that its second use is noticed.
struct Code {
    asked: Asked,
    account_id: String,
    expires_at: Timestamp,
    grant: Option<usize>,
}

struct AccessToken {
    text: String,
    expires_at: Option<Timestamp>,
}

struct RefreshToken {
    text: String,
    used_at: Option<Timestamp>,
    /// The access and the refresh token that it was exchanged for.
    successor: Option<(usize, usize)>,
}

struct Grant {
    client_id: String,
    account_id: String,
    revoked: bool,
    refreshes: u64,
    access: Vec<AccessToken>,
    refresh: Vec<RefreshToken>,
}

/// A token answer.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) expires_in: Option<i64>,
    pub(super) refresh_token: Option<String>,
}

/// The error of a token answer.
#[derive(Debug)]
pub(super) struct Refused(pub(super) &'static str, pub(super) &'static str);

/// Whom an access token speaks for.
pub(crate) struct OauthCaller {
    pub(crate) account_id: String,
    pub(crate) client_id: String,
}

#[derive(Default)]
pub(super) struct Grants {
    codes: HashMap<String, Code>,
    grants: Vec<Grant>,
    /// Where a token stands: grant and index.
    access: HashMap<String, (usize, usize)>,
    refresh: HashMap<String, (usize, usize)>,
    pub(super) tally: OauthTally,
    pub(super) secrets: BTreeSet<String>,
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| now.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

fn is_live(token: &AccessToken, now: Timestamp) -> bool {
    token.expires_at.is_none_or(|end| now < end)
}

/// How long a code's or token's random part usually is.
pub(super) const WORD_LETTERS: usize = 24;

/// Makes the recognisable words.
pub(super) struct Mint<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) prefix: &'static str,
}

impl Mint<'_> {
    fn word(&mut self, kind: &str, letters: usize) -> String {
        format!(
            "{}{kind}{}",
            self.prefix,
            self.dice.word(LETTERS_AND_DIGITS, letters)
        )
    }
}

impl Grants {
    pub(super) fn issue_code(
        &mut self,
        mint: &mut Mint<'_>,
        switches: &OauthSwitches,
        asked: Asked,
        account_id: &str,
        now: Timestamp,
    ) -> String {
        let text = mint.word("CODE", WORD_LETTERS);
        let code = Code {
            asked,
            account_id: account_id.to_owned(),
            expires_at: later(now, switches.code_lifetime),
            grant: None,
        };
        self.tally.codes_issued += 1;
        self.secrets.insert(text.clone());
        self.codes.insert(text.clone(), code);
        text
    }

    /// `verified` tells whether what the client sent answers the challenge that it set, or the lack of one.
    pub(super) fn exchange(
        &mut self,
        mint: &mut Mint<'_>,
        switches: &OauthSwitches,
        sent: (&str, &str, Option<&str>),
        verified: impl FnOnce(Option<&str>) -> bool,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let (text, client_id, redirect_uri) = sent;
        let unknown = Refused("invalid_grant", "The authorization code is invalid.");
        let code = self.codes.get_mut(text).ok_or(unknown)?;
        if code.asked.client_id != client_id {
            return Err(Refused("invalid_grant", "The code was issued to another client."));
        }
        if let Some(grant) = code.grant {
            // RFC 6749, section 4.1.2: what a code used twice has brought is withdrawn.
            self.grants[grant].revoked = true;
            self.tally.code_replays += 1;
            return Err(Refused("invalid_grant", "The code was used before."));
        }
        if code.expires_at <= now {
            return Err(Refused("invalid_grant", "The code has expired."));
        }
        if redirect_uri != Some(code.asked.redirect_uri.as_str()) {
            return Err(Refused("invalid_grant", "The redirect_uri does not match."));
        }
        if !verified(code.asked.challenge.as_deref()) {
            return Err(Refused("invalid_grant", "The code_verifier does not match."));
        }
        let number = self.grants.len();
        code.grant = Some(number);
        let account_id = code.account_id.clone();
        self.grants.push(Grant {
            client_id: client_id.to_owned(),
            account_id,
            revoked: false,
            refreshes: 0,
            access: Vec::new(),
            refresh: Vec::new(),
        });
        self.tally.code_exchanges += 1;
        let access = self.add_access(mint, switches, number, now);
        let refresh =
            (switches.dialect != OauthDialect::NoExpiry).then(|| self.add_refresh(mint, switches, number));
        Ok(self.answer(switches, number, access, refresh, now))
    }

    pub(super) fn refresh(
        &mut self,
        mint: &mut Mint<'_>,
        switches: &OauthSwitches,
        text: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let dead = || {
            Refused(
                "invalid_grant",
                "The refresh token is invalid, expired or revoked.",
            )
        };
        if switches.dialect == OauthDialect::NoExpiry {
            return Err(Refused(
                "unsupported_grant_type",
                "There are no refresh tokens here.",
            ));
        }
        let (number, index) = *self.refresh.get(text).ok_or_else(dead)?;
        let grant = &mut self.grants[number];
        if grant.client_id != client_id || grant.revoked {
            return Err(dead());
        }
        let token = &mut grant.refresh[index];
        if let (Some(used_at), Some((access, refresh))) = (token.used_at, token.successor) {
            let in_grace = now < later(used_at, switches.grace);
            if switches.dialect == OauthDialect::StrictRotation {
                grant.revoked = true;
                self.tally.family_revocations += 1;
                return Err(dead());
            }
            if switches.dialect == OauthDialect::RotatingWithGrace && !in_grace {
                return Err(dead());
            }
            self.tally.successors_repeated += 1;
            let access = if is_live(&grant.access[access], now) {
                access
            } else {
                self.add_access(mint, switches, number, now)
            };
            return Ok(self.answer(switches, number, access, Some(refresh), now));
        }
        grant.refreshes += 1;
        self.tally.refreshes += 1;
        let access = self.add_access(mint, switches, number, now);
        let refresh = if switches.dialect == OauthDialect::FixedRefresh {
            switches.repeats_refresh_token.then_some(index)
        } else {
            let successor = self.add_refresh(mint, switches, number);
            let token = &mut self.grants[number].refresh[index];
            token.used_at = Some(now);
            token.successor = Some((access, successor));
            Some(successor)
        };
        Ok(self.answer(switches, number, access, refresh, now))
    }

    fn add_access(
        &mut self,
        mint: &mut Mint<'_>,
        switches: &OauthSwitches,
        grant: usize,
        now: Timestamp,
    ) -> usize {
        let text = mint.word("ACCESS", switches.token_letters);
        let expires = switches.dialect != OauthDialect::NoExpiry;
        let tokens = &mut self.grants[grant].access;
        tokens.push(AccessToken {
            text: text.clone(),
            expires_at: expires.then(|| later(now, switches.access_lifetime)),
        });
        self.access.insert(text.clone(), (grant, tokens.len() - 1));
        self.secrets.insert(text);
        self.grants[grant].access.len() - 1
    }

    fn add_refresh(&mut self, mint: &mut Mint<'_>, switches: &OauthSwitches, grant: usize) -> usize {
        let text = mint.word("REFRESH", switches.token_letters);
        let tokens = &mut self.grants[grant].refresh;
        tokens.push(RefreshToken {
            text: text.clone(),
            used_at: None,
            successor: None,
        });
        self.refresh.insert(text.clone(), (grant, tokens.len() - 1));
        self.secrets.insert(text);
        self.grants[grant].refresh.len() - 1
    }

    fn answer(
        &self,
        switches: &OauthSwitches,
        grant: usize,
        access: usize,
        refresh: Option<usize>,
        now: Timestamp,
    ) -> Issued {
        let grant = &self.grants[grant];
        let token = &grant.access[access];
        let announced = switches
            .announces_expiry
            .then(|| i64::try_from(switches.access_lifetime.as_secs()).unwrap_or(i64::MAX));
        Issued {
            access_token: token.text.clone(),
            expires_in: token
                .expires_at
                .map(|end| end.duration_since(now).as_secs())
                .or(announced),
            refresh_token: refresh.map(|index| grant.refresh[index].text.clone()),
        }
    }

    /// Whom the token speaks for, if it is good now.
    pub(super) fn caller(&self, access_token: &str, now: Timestamp) -> Option<OauthCaller> {
        let (number, index) = *self.access.get(access_token)?;
        let grant = &self.grants[number];
        let good = !grant.revoked && is_live(&grant.access[index], now);
        good.then(|| OauthCaller {
            account_id: grant.account_id.clone(),
            client_id: grant.client_id.clone(),
        })
    }

    /// The grant that a code, an access or a refresh token belongs to.
    pub(super) fn number_of(&self, text: &str) -> Option<usize> {
        let of_token = self.refresh.get(text).or_else(|| self.access.get(text));
        of_token
            .map(|(number, _)| *number)
            .or_else(|| self.codes.get(text)?.grant)
    }

    /// RFC 7009: a refresh token takes its whole grant along, an access token only itself. Unknown tokens and other
    /// clients' are left alone; true when something was revoked.
    pub(super) fn revoke(&mut self, text: &str, client_id: &str, now: Timestamp) -> bool {
        let Some(number) = self.number_of(text) else {
            return false;
        };
        let grant = &mut self.grants[number];
        if grant.client_id != client_id {
            return false;
        }
        if let Some((_, index)) = self.access.get(text) {
            grant.access[*index].expires_at = Some(now);
        } else if self.refresh.contains_key(text) {
            grant.revoked = true;
        } else {
            return false;
        }
        self.tally.revocations += 1;
        true
    }

    /// Whether the account has allowed the client and not taken it back.
    pub(super) fn is_allowed(&self, client_id: &str, account_id: &str) -> bool {
        self.grants
            .iter()
            .any(|grant| !grant.revoked && grant.client_id == client_id && grant.account_id == account_id)
    }

    /// Revokes the grants that suit, by number, client and account; whether there are any.
    pub(super) fn revoke_where(&mut self, suits: impl Fn(u64, &str, &str) -> bool) -> bool {
        let mut any = false;
        for (number, grant) in (0_u64..).zip(&mut self.grants) {
            if suits(number, &grant.client_id, &grant.account_id) {
                grant.revoked = true;
                any = true;
            }
        }
        any
    }

    /// Every access token issued so far is good no longer; refresh tokens stay.
    pub(super) fn expire_access(&mut self, now: Timestamp) {
        for token in self.grants.iter_mut().flat_map(|grant| &mut grant.access) {
            token.expires_at = Some(token.expires_at.map_or(now, |end| end.min(now)));
        }
    }

    pub(super) fn list(&self, now: Timestamp) -> Vec<OauthGrant> {
        (0_u64..)
            .zip(&self.grants)
            .map(|(number, grant)| OauthGrant {
                number,
                client_id: grant.client_id.clone(),
                account_id: grant.account_id.clone(),
                revoked: grant.revoked,
                refreshes: grant.refreshes,
                live_access_tokens: grant
                    .access
                    .iter()
                    .filter(|token| !grant.revoked && is_live(token, now))
                    .count(),
            })
            .collect()
    }
}
