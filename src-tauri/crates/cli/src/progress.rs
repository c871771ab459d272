//! What happens while a person waits: one line on standard error that is gone when the command ends. It listens to the
//! core's notices and to the keychain; it decides nothing and is silent when nobody watches.

use crate::render::text::{plain, shorten, width};
use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use jiff::Timestamp;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use talkvalue_core::domain::credential::{Credential, OauthApp};
use talkvalue_core::domain::failure::{FailureCode, Waiting};
use talkvalue_core::domain::ids::{IntegrationId, ItemId, JobId};
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::words::{Reader, number};
use talkvalue_core::ports::{Notice, Notices, Patience, Store, Vault, VaultError};
use talkvalue_core::query::pace::{Pace, Paces, Per};

/// A keychain that answers sooner is not worth a word; neither is a provider.
const WORTH_A_WORD: Duration = Duration::from_millis(500);
const REDRAW: Duration = Duration::from_millis(100);

const LOCK_WORDS: &str = "Another tvsync works on this data folder; waiting…";

/// Who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A person at a terminal: a line that moves.
    Terminal,
    /// A log file or a pipe: only that we wait for another process, once.
    Pipe,
    /// A program that reads JSON: nothing.
    Program,
}

/// What the command does, in the words of its progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Reading what is stored: no line.
    Reading,
    /// Pages of registrations come in: "Importing 1,240 of 3,000".
    Importing,
    /// The same for a list that was here before: "Reading 1,240 of 3,000".
    Syncing,
    /// One question to a provider, in words: "Asking Eventbrite…".
    Asking(&'static str),
}

pub(crate) struct Progress {
    audience: Audience,
    facts: Arc<Mutex<Facts>>,
    bar: Option<ProgressBar>,
    store: OnceLock<Arc<dyn Store>>,
}

impl Progress {
    pub(crate) fn new(audience: Audience, doing: Doing) -> Self {
        let facts = Arc::new(Mutex::new(Facts::starting(doing)));
        let bar = (audience == Audience::Terminal && doing != Doing::Reading)
            .then(|| moving_line(facts.clone()))
            .flatten();
        Self {
            audience,
            facts,
            bar,
            store: OnceLock::new(),
        }
    }

    /// From here on the line can name items.
    pub(crate) fn names_items_from(&self, store: Arc<dyn Store>) {
        let _ = self.store.set(store);
    }

    /// Takes the line away. What is printed afterwards stands alone.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// The item the command was last busy with.
    pub(crate) fn item(&self) -> Option<ItemId> {
        self.facts().item.clone()
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        hold(&self.facts)
    }

    /// Looks an item's name up, beside the work.
    fn learn_name(&self, item: ItemId) {
        let (Some(store), Ok(runtime)) = (self.store.get(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        if self.bar.is_none() || self.facts().names.contains_key(&item) {
            return;
        }
        let (store, facts) = (store.clone(), self.facts.clone());
        runtime.spawn(async move {
            if let Ok(Some(record)) = store.item(&item).await {
                let mut facts = hold(&facts);
                facts.provider = Some(record.item.provider);
                if record.item.title.is_some() {
                    facts.names.insert(item, plain(&record.item.display_title()));
                }
            }
        });
    }
}

fn hold(facts: &Mutex<Facts>) -> MutexGuard<'_, Facts> {
    facts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn moving_line(facts: Arc<Mutex<Facts>>) -> Option<ProgressBar> {
    let draw = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let columns = crate::terminal::stderr_width();
        let reader = Reader {
            now: Timestamp::now(),
            zone: jiff::tz::TimeZone::system(),
        };
        let line = hold(&facts).line(&reader, Instant::now());
        let _ = out.write_str(&shorten(&line, columns.saturating_sub(1)));
    };
    let style = ProgressStyle::with_template("{line}")
        .ok()?
        .with_key("line", draw);
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    bar.enable_steady_tick(REDRAW);
    Some(bar)
}

impl Notices for Progress {
    fn notify(&self, notice: Notice) {
        if notice == Notice::WaitingForLock && self.audience == Audience::Pipe {
            let _ = writeln!(std::io::stderr(), "{LOCK_WORDS}");
        }
        if let Notice::ItemChanged(item) | Notice::JobProgressed { item, .. } = &notice {
            self.learn_name(item.clone());
        }
        self.facts().take(notice, Instant::now());
    }
}

/// What the line is made of.
struct Facts {
    doing: Doing,
    started: Instant,
    lock_awaited: bool,
    vault_asked: Option<Instant>,
    waiting: Option<Waiting>,
    item: Option<ItemId>,
    done_of: Option<(u64, Option<u64>)>,
    job: Option<JobId>,
    paces: Paces,
    names: HashMap<ItemId, String>,
    provider: Option<Provider>,
}

impl Facts {
    fn starting(doing: Doing) -> Self {
        Self {
            doing,
            started: Instant::now(),
            lock_awaited: false,
            vault_asked: None,
            waiting: None,
            item: None,
            done_of: None,
            job: None,
            paces: Paces::default(),
            names: HashMap::new(),
            provider: None,
        }
    }

    fn take(&mut self, notice: Notice, at: Instant) {
        self.lock_awaited = notice == Notice::WaitingForLock;
        self.paces.hear(&notice, at);
        match notice {
            Notice::ItemChanged(item) => {
                if self.item.as_ref() != Some(&item) {
                    self.done_of = None;
                }
                self.item = Some(item);
            }
            Notice::JobProgressed {
                item,
                job,
                done,
                total,
            } => {
                self.item = Some(item);
                self.job = Some(job);
                self.done_of = Some((done, total));
                self.waiting = None;
            }
            Notice::JobWaits { item, waiting, .. } => {
                self.item = Some(item);
                self.waiting = Some(waiting);
            }
            Notice::JobResumed { .. } => self.waiting = None,
            Notice::JobEnded { .. } => {
                self.waiting = None;
                self.done_of = None;
            }
            // How long the keychain takes is seen at the keychain itself.
            Notice::IntegrationChanged(_)
            | Notice::JobFailed { .. }
            | Notice::WaitingForLock
            | Notice::OutOfDate
            | Notice::SignInsHeldChanged
            | Notice::AskingVault => {}
        }
    }

    fn line(&self, reader: &Reader, now: Instant) -> String {
        if self.lock_awaited {
            return LOCK_WORDS.to_owned();
        }
        if self
            .vault_asked
            .is_some_and(|asked| now.duration_since(asked) >= WORTH_A_WORD)
        {
            return "Waiting for the keychain…".to_owned();
        }
        if let Some(waiting) = &self.waiting {
            return self.waiting_words(waiting, reader);
        }
        let waits_long = now.duration_since(self.started) >= WORTH_A_WORD;
        let verb = match self.doing {
            Doing::Reading => return String::new(),
            Doing::Asking(words) => {
                return if waits_long {
                    words.to_owned()
                } else {
                    String::new()
                };
            }
            Doing::Importing => "Importing",
            Doing::Syncing => "Reading",
        };
        let name = self.item.as_ref().and_then(|item| self.names.get(item));
        let mut line = match self.done_of {
            None if name.is_none() && !waits_long => return String::new(),
            None => format!("{verb}…"),
            Some((done, Some(total))) if done <= total && total > 0 => {
                format!(
                    "{} {verb} {} of {}",
                    drawn(done, total),
                    number(done),
                    number(total)
                )
            }
            Some((done, _)) => format!("{verb}, {} so far", number(done)),
        };
        let job = self.job.as_ref().filter(|_| self.done_of.is_some());
        if let Some(pace) = job.and_then(|job| self.paces.of(job, now)) {
            let _ = write!(line, " · {}", pace_words(pace));
        }
        if let Some(name) = name {
            let _ = write!(line, "  {}", shorten(name, 40));
        }
        line
    }

    fn waiting_words(&self, waiting: &Waiting, reader: &Reader) -> String {
        let whose = self.provider.map_or_else(
            || "The provider".to_owned(),
            |provider| provider.name().to_owned(),
        );
        let why = match waiting.code {
            FailureCode::RateLimited => format!("{whose}'s limit is used up"),
            _ => format!("{whose} does not answer now"),
        };
        match waiting.until {
            Some(until) => {
                let left = (until.as_second() - reader.now.as_second()).max(0);
                let at = if left < 60 {
                    until
                        .to_zoned_datetime(reader.zone.clone())
                        .strftime("%H:%M:%S")
                        .to_string()
                } else {
                    reader.moment(until)
                };
                format!("{why}; going on at {at} (in {})", counted_down(left))
            }
            None => format!("{why}; going on by itself"),
        }
    }
}

/// "about 180 a second · under a minute left".
fn pace_words(pace: Pace) -> String {
    let count = number(pace.count);
    let rate = match pace.per {
        Per::Second => format!("about {count} a second"),
        Per::Minute => format!("about {count} a minute"),
    };
    match pace.minutes_left {
        None => rate,
        Some(0) => format!("{rate} · under a minute left"),
        Some(minutes @ 1..120) => format!("{rate} · about {minutes} min left"),
        Some(minutes) => format!("{rate} · about {} h left", minutes.div_ceil(60)),
    }
}

fn counted_down(secs: i64) -> String {
    match secs {
        ..60 => format!("{secs} s"),
        60..3600 => format!("{}:{:02} min", secs / 60, secs % 60),
        _ => format!("{}:{:02} h", secs / 3600, secs % 3600 / 60),
    }
}

/// "▓▓▓▓▓░░░░░░░░░░".
fn drawn(done: u64, total: u64) -> String {
    const CELLS: u64 = 20;
    let full = usize::try_from(done.saturating_mul(CELLS) / total.max(1))
        .unwrap_or(0)
        .min(CELLS as usize);
    let bar = format!("{}{}", "▓".repeat(full), "░".repeat(CELLS as usize - full));
    debug_assert_eq!(width(&bar), CELLS as usize);
    bar
}

/// The keychain, watched: how long it takes is known only where it is asked.
pub(crate) struct WatchedVault {
    vault: Arc<dyn Vault>,
    facts: Arc<Mutex<Facts>>,
}

impl WatchedVault {
    pub(crate) fn new(vault: Arc<dyn Vault>, progress: &Progress) -> Self {
        Self {
            vault,
            facts: progress.facts.clone(),
        }
    }

    fn asks(&self) {
        hold(&self.facts).vault_asked.get_or_insert_with(Instant::now);
    }

    fn answered(&self) {
        hold(&self.facts).vault_asked = None;
    }
}

#[async_trait]
impl Vault for WatchedVault {
    async fn load(&self, integration: &IntegrationId, patience: Patience) -> Result<Credential, VaultError> {
        self.asks();
        let answer = self.vault.load(integration, patience).await;
        // A keychain that is not there yet is asked again soon: that is one wait, not many.
        if !matches!(answer, Err(VaultError::NotThereYet)) {
            self.answered();
        }
        answer
    }

    async fn save(
        &self,
        integration: &IntegrationId,
        credential: &Credential,
        patience: Patience,
    ) -> Result<(), VaultError> {
        self.asks();
        let answer = self.vault.save(integration, credential, patience).await;
        self.answered();
        answer
    }

    async fn check(&self, patience: Patience) -> Result<(), VaultError> {
        self.vault.check(patience).await
    }

    async fn check_keeps(&self, patience: Patience) -> Result<(), VaultError> {
        self.vault.check_keeps(patience).await
    }

    async fn load_app(&self, provider: Provider, patience: Patience) -> Result<Option<OauthApp>, VaultError> {
        self.asks();
        let answer = self.vault.load_app(provider, patience).await;
        self.answered();
        answer
    }

    async fn save_app(
        &self,
        provider: Provider,
        app: &OauthApp,
        patience: Patience,
    ) -> Result<(), VaultError> {
        self.asks();
        let answer = self.vault.save_app(provider, app, patience).await;
        self.answered();
        answer
    }

    async fn erase_app(&self, provider: Provider, patience: Patience) -> Result<(), VaultError> {
        self.asks();
        let answer = self.vault.erase_app(provider, patience).await;
        self.answered();
        answer
    }

    async fn erase(&self, integration: &IntegrationId, patience: Patience) -> Result<(), VaultError> {
        self.asks();
        let answer = self.vault.erase(integration, patience).await;
        self.answered();
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn reader() -> Reader {
        Reader {
            now: at("2026-11-23T14:00:00Z"),
            zone: TimeZone::UTC,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn item() -> ItemId {
        ItemId::from_text("item-1")
    }

    fn progressed(done: u64, total: Option<u64>) -> Notice {
        Notice::JobProgressed {
            item: item(),
            job: JobId::from_text("job-1"),
            done,
            total,
        }
    }

    fn line_after(doing: Doing, notices: Vec<Notice>) -> String {
        let mut facts = Facts::starting(doing);
        for notice in notices {
            facts.take(notice, facts.started);
        }
        facts.line(&reader(), facts.started)
    }

    #[test]
    fn counts_are_told_as_they_come() {
        let table = [
            (Doing::Importing, vec![], ""),
            (
                Doing::Importing,
                vec![progressed(1_240, Some(3_000))],
                "▓▓▓▓▓▓▓▓░░░░░░░░░░░░ Importing 1,240 of 3,000",
            ),
            (
                Doing::Importing,
                vec![progressed(1_240, None)],
                "Importing, 1,240 so far",
            ),
            (
                Doing::Syncing,
                vec![progressed(3_001, Some(3_000))],
                "Reading, 3,001 so far",
            ),
            (
                Doing::Importing,
                vec![progressed(0, Some(0))],
                "Importing, 0 so far",
            ),
            (Doing::Reading, vec![Notice::ItemChanged(item())], ""),
        ];
        for (doing, notices, expected) in table {
            assert_eq!(line_after(doing, notices.clone()), expected, "{notices:?}");
        }
    }

    #[test]
    fn a_steady_read_tells_its_rate_and_what_is_left() {
        let mut facts = Facts::starting(Doing::Importing);
        let start = facts.started;
        for page in 0..=6 {
            facts.take(
                progressed(200 + page * 180, Some(3_000)),
                start + Duration::from_secs(page),
            );
        }
        assert_eq!(
            facts.line(&reader(), start + Duration::from_secs(6)),
            "▓▓▓▓▓▓▓▓░░░░░░░░░░░░ Importing 1,280 of 3,000 · about 180 a second · under a minute left"
        );
        let later = start + Duration::from_secs(60);
        assert_eq!(
            facts.line(&reader(), later),
            "▓▓▓▓▓▓▓▓░░░░░░░░░░░░ Importing 1,280 of 3,000",
            "a rate that holds no longer is not told"
        );
    }

    #[test]
    fn what_is_left_is_told_in_the_unit_a_person_plans_with() {
        let left = |minutes_left| {
            pace_words(Pace {
                count: 1_200,
                per: Per::Minute,
                minutes_left,
            })
        };
        assert_eq!(left(None), "about 1,200 a minute");
        assert_eq!(left(Some(1)), "about 1,200 a minute · about 1 min left");
        assert_eq!(left(Some(119)), "about 1,200 a minute · about 119 min left");
        assert_eq!(left(Some(121)), "about 1,200 a minute · about 3 h left");
    }

    #[test]
    fn a_rate_limit_is_counted_down_and_forgotten_when_it_is_over() {
        let waits = |until| Notice::JobWaits {
            item: item(),
            job: JobId::from_text("job-1"),
            waiting: Waiting {
                code: FailureCode::RateLimited,
                until: Some(at(until)),
            },
        };
        let resumed = Notice::JobResumed {
            item: item(),
            job: JobId::from_text("job-1"),
        };
        assert_eq!(
            line_after(Doing::Importing, vec![waits("2026-11-23T14:02:05Z")]),
            "The provider's limit is used up; going on at 14:02 (in 2:05 min)"
        );
        assert_eq!(
            line_after(Doing::Importing, vec![waits("2026-11-23T14:00:07Z")]),
            "The provider's limit is used up; going on at 14:00:07 (in 7 s)"
        );
        assert_eq!(
            line_after(
                Doing::Importing,
                vec![progressed(5, None), waits("2026-11-23T14:02:05Z"), resumed]
            ),
            "Importing, 5 so far"
        );
    }

    #[test]
    fn waiting_for_another_process_is_said_until_it_is_over() {
        assert_eq!(
            line_after(Doing::Syncing, vec![Notice::WaitingForLock]),
            LOCK_WORDS
        );
        assert_eq!(
            line_after(
                Doing::Syncing,
                vec![Notice::WaitingForLock, progressed(1, Some(2))]
            ),
            "▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░ Reading 1 of 2"
        );
    }

    #[test]
    fn a_quick_keychain_is_not_worth_a_word() {
        let mut facts = Facts::starting(Doing::Asking("Asking Eventbrite…"));
        facts.vault_asked = Some(facts.started);
        let (soon, later) = (
            facts.started + Duration::from_millis(499),
            facts.started + WORTH_A_WORD,
        );
        assert_eq!(facts.line(&reader(), soon), "");
        assert_eq!(facts.line(&reader(), later), "Waiting for the keychain…");
        facts.vault_asked = None;
        assert_eq!(facts.line(&reader(), later), "Asking Eventbrite…");
    }

    #[test]
    fn the_item_is_named_once_its_name_is_known() {
        let mut facts = Facts::starting(Doing::Syncing);
        facts.take(progressed(1, Some(2)), facts.started);
        facts.names.insert(item(), "Spring Repair Cafe".to_owned());
        assert_eq!(
            facts.line(&reader(), facts.started),
            "▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░ Reading 1 of 2  Spring Repair Cafe"
        );
    }
}
