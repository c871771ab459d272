//! `tvsync watch`: keeps every list live until interrupted, and tells what changes, one line each.

use crate::render::items::{as_of_and_since, badge, who};
use crate::render::painted;
use crate::render::text::plain;
use crate::run::{Stop, complain};
use crate::{exit, json, terminal};
use anstream::AutoStream;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use talkvalue_adapters::Settings;
use talkvalue_core::connect;
use talkvalue_core::domain::ids::{IntegrationId, ItemId};
use talkvalue_core::error::CommandError;
use talkvalue_core::ports::{Notice, Notices, Ports};
use talkvalue_core::query::{self, IntegrationView, ItemView};
use talkvalue_core::sync::live::keep_live;
use talkvalue_core::sync::runner::Runner;
use talkvalue_core::sync::turn::take_turn;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One line of `--json`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Line<'a> {
    Item {
        at: Timestamp,
        item: &'a ItemView,
    },
    Integration {
        at: Timestamp,
        integration: &'a IntegrationView,
    },
    Job {
        at: Timestamp,
        job: JobLine<'a>,
    },
}

/// How far a job is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobLine<'a> {
    id: &'a str,
    item_id: &'a ItemId,
    done: u64,
    total: Option<u64>,
}

struct ToWatch(UnboundedSender<Notice>);

impl Notices for ToWatch {
    fn notify(&self, notice: Notice) {
        // After the last line nobody listens any more.
        let _ = self.0.send(notice);
    }
}

/// Runs until Ctrl-C, which is its ordinary end.
pub(crate) async fn run(settings: &Settings, json: bool) -> Result<u8, Stop> {
    let (told, notices) = unbounded_channel();
    let opened = talkvalue_adapters::open(settings, Arc::new(ToWatch(told)));
    terminal::tell_mended(&opened);
    let ports = opened?;
    ports.sign_ins.keep_without_keychain();
    let runner = Arc::new(Runner::new(ports.clone()));
    let mut watch = Watch {
        ports: ports.clone(),
        runner: runner.clone(),
        json,
        shown: HashMap::new(),
    };
    let ended = tokio::select! {
        biased;
        Ok(()) = tokio::signal::ctrl_c() => Ok(()),
        told = watch.tell(notices) => told,
        () = keep_live(runner) => Ok(()),
        () = connect::keep_signed_in(ports.clone()) => Ok(()),
    };
    connect::settle_sign_ins(&ports).await;
    // What was being read is marked as cut off, so that nobody takes it for running; the next start goes on with it.
    let _ = take_turn(&ports, Some(std::time::Duration::ZERO)).await;
    let _ = ports.store.settle().await;
    ended.map(|()| exit::DONE)
}

struct Watch {
    ports: Ports,
    runner: Arc<Runner>,
    json: bool,
    /// What was told last of each item: the same is not told twice.
    shown: HashMap<ItemId, ItemView>,
}

impl Watch {
    async fn tell(&mut self, mut notices: UnboundedReceiver<Notice>) -> Result<(), Stop> {
        for item in query::items(&self.ports, self.runner.engine()).await? {
            self.tell_item(item)?;
        }
        while let Some(notice) = notices.recv().await {
            match notice {
                Notice::ItemChanged(id) | Notice::JobEnded { item: id, .. } => self.tell_change(&id).await?,
                Notice::JobWaits { item, .. } | Notice::JobResumed { item, .. } => {
                    self.tell_change(&item).await?;
                }
                Notice::OutOfDate => {
                    for item in query::items(&self.ports, self.runner.engine()).await? {
                        self.tell_item(item)?;
                    }
                }
                Notice::IntegrationChanged(id) => self.tell_integration(&id).await?,
                Notice::JobProgressed {
                    item,
                    job,
                    done,
                    total,
                } if self.json => {
                    let job = JobLine {
                        id: job.as_str(),
                        item_id: &item,
                        done,
                        total,
                    };
                    self.print(&Line::Job { at: self.now(), job })?;
                }
                Notice::SignInsHeldChanged => {
                    if let Some(sentence) = self.ports.sign_ins.unsaved() {
                        complain("note", &sentence);
                    }
                }
                Notice::JobProgressed { .. }
                | Notice::JobFailed { .. }
                | Notice::WaitingForLock
                | Notice::AskingVault => {}
            }
        }
        Ok(())
    }

    async fn tell_change(&mut self, id: &ItemId) -> Result<(), Stop> {
        match query::item(&self.ports, id, self.runner.engine()).await {
            Ok(item) => self.tell_item(item),
            // Removed meanwhile: nothing is left to tell of it.
            Err(_) => {
                self.shown.remove(id);
                Ok(())
            }
        }
    }

    fn tell_item(&mut self, item: ItemView) -> Result<(), Stop> {
        if self.shown.get(&item.id) == Some(&item) {
            return Ok(());
        }
        if self.json {
            self.print(&Line::Item {
                at: self.now(),
                item: &item,
            })?;
        } else if self
            .shown
            .get(&item.id)
            .is_none_or(|before| !says_the_same(before, &item))
        {
            self.print_card(&item)?;
        }
        self.shown.insert(item.id.clone(), item);
        Ok(())
    }

    async fn tell_integration(&mut self, id: &IntegrationId) -> Result<(), CommandError> {
        if self.json
            && let Ok(integration) = query::integration(&self.ports, id).await
        {
            let line = Line::Integration {
                at: self.now(),
                integration: &integration,
            };
            // A reader that has gone ends the watch with the next line about an item.
            let _ = self.print(&line);
        }
        // The items that read through it say for themselves what that means for them.
        for item in query::items(&self.ports, self.runner.engine()).await? {
            if item.integration_id == *id {
                let _ = self.tell_item(item);
            }
        }
        Ok(())
    }

    fn print(&self, line: &Line<'_>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        json::document(&mut out, line)?;
        out.flush()
    }

    fn print_card(&self, item: &ItemView) -> io::Result<()> {
        let reader = query::reader(&self.ports);
        let badge = badge(item);
        let mut out = AutoStream::auto(io::stdout().lock());
        writeln!(
            out,
            "{}  {}  {}  {} · {}",
            reader.moment(reader.now),
            painted(&badge.text(), badge.tone.style()),
            plain(&item.title),
            who(item),
            as_of_and_since(item, &reader)
        )?;
        if let Some(failure) = &item.failure {
            writeln!(out, "       {}", plain(&failure.message))?;
        }
        out.flush()
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }
}

/// For people a line is worth a change of status, of trust or of numbers, and not every read that confirmed them.
fn says_the_same(before: &ItemView, now: &ItemView) -> bool {
    (before.sync_status, before.freshness, before.alert, before.counts)
        == (now.sync_status, now.freshness, now.alert, now.counts)
        && before.failure.as_ref().map(|failure| failure.code)
            == now.failure.as_ref().map(|failure| failure.code)
}
