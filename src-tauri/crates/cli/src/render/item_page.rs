//! One item as a small page: what it is, how far it can be trusted, what to do next.

use super::items::{as_of_and_since, badge, starts};
use super::next_steps::next_steps;
use super::text::{plain, shorten, width, wrap};
use super::{BOLD, DIM, Page, integrations, moments, painted};
use std::io::{self, Write};
use talkvalue_core::domain::item::ItemKind;
use talkvalue_core::domain::words::{counted, number};
use talkvalue_core::query::{IntegrationView, ItemView};

pub(crate) fn write(
    out: &mut dyn Write,
    item: &ItemView,
    integration: Option<&IntegrationView>,
    page: &Page,
) -> io::Result<()> {
    let columns = page.text_width();
    for line in wrap(&plain(&item.title), columns) {
        writeln!(out, "{}", painted(&shorten(&line, columns), BOLD))?;
    }
    let badge = badge(item);
    writeln!(
        out,
        "{} · {}",
        painted(&format!("{} {}", badge.symbol, badge.word), badge.tone.style()),
        match item.last_synced_at {
            Some(_) => format!("as of {}", as_of_and_since(item, &page.reader)),
            None => "the list is not complete".to_owned(),
        }
    )?;
    // An archive explains nothing any more.
    if let Some(failure) = item.failure.as_ref().filter(|_| item.alert.is_some()) {
        writeln!(out)?;
        for line in wrap(&plain(&failure.message), columns.saturating_sub(2)) {
            writeln!(out, "  {line}")?;
        }
    }
    if let Some(at) = item.next_attempt_at.filter(|at| *at > page.reader.now) {
        let verb = if item.active_job.is_some() {
            "Goes on at"
        } else {
            "Can go on from"
        };
        writeln!(out, "  {verb} {}.", page.reader.moment(at))?;
    }
    writeln!(out)?;
    write_counts(out, item)?;
    writeln!(out)?;
    for (name, value) in facts(item, integration, page) {
        writeln!(out, "  {}  {value}", painted(&format!("{name:<9}"), DIM))?;
    }
    let steps = next_steps(item, integration);
    if !steps.is_empty() {
        writeln!(out)?;
    }
    let widest = steps.iter().map(|step| width(&step.command)).max().unwrap_or(0);
    let side_by_side = steps
        .iter()
        .all(|step| 8 + widest + 2 + width(step.purpose) <= columns);
    for (index, step) in steps.iter().enumerate() {
        let lead = if index == 0 { "Next" } else { "" };
        let purpose = painted(step.purpose, DIM);
        if side_by_side {
            writeln!(out, "{lead:<6}  {:widest$}  {purpose}", step.command)?;
        } else {
            writeln!(out, "{lead:<6}  {}\n          {purpose}", step.command)?;
        }
    }
    Ok(())
}

fn write_counts(out: &mut dyn Write, item: &ItemView) -> io::Result<()> {
    let counts = &item.counts;
    let lines = [
        ("Attending", counts.attending),
        ("Awaiting", counts.awaiting),
        ("Not attending", counts.not_attending),
        ("Total", counts.total),
    ];
    let widest = number(counts.total).len();
    for (name, value) in lines {
        let value = number(value);
        let note = match name {
            "Attending" if counts.checked_in > 0 => {
                format!("  {} checked in", number(counts.checked_in))
            }
            "Total" if item.tickets.total > 0 && item.tickets.total != counts.total => format!(
                "  {}{}",
                counted(item.tickets.total, "ticket", "tickets"),
                match item.tickets.checked_in {
                    0 => String::new(),
                    used => format!(", {} checked in", number(used)),
                }
            ),
            _ => String::new(),
        };
        writeln!(out, "  {name:<13}  {value:>widest$}{}", painted(&note, DIM))?;
    }
    if item.held_removals > 0 {
        writeln!(
            out,
            "  {}'s answer lacks {} of these. They stay in your list until you decide.",
            item.provider.name(),
            number(item.held_removals)
        )?;
    }
    if item.unreadable > 0 {
        writeln!(
            out,
            "  {} could not be read.",
            counted(item.unreadable, "registration", "registrations")
        )?;
    }
    Ok(())
}

fn facts(item: &ItemView, integration: Option<&IntegrationView>, page: &Page) -> Vec<(&'static str, String)> {
    let mut facts = vec![(
        "Kind",
        format!(
            "{} · {} ({})",
            item.kind.name(),
            item.provider.name(),
            match item.kind {
                ItemKind::BadgeEvent => "one row per registration",
                ItemKind::PathEvent | ItemKind::PathChannel => "one row per e-mail",
            }
        ),
    )];
    if let Some(starts_at) = item.starts_at {
        let when = moments::span(starts_at, item.ends_at, item.timezone.as_deref(), &page.reader);
        facts.push(("When", format!("{when} · {}", starts(item, &page.reader))));
    }
    facts.push((
        "Account",
        match integration {
            Some(integration) => {
                format!(
                    "{} · {}",
                    plain(&integrations::label(integration)),
                    integration.id
                )
            }
            None => item.integration_id.to_string(),
        },
    ));
    facts.push(("Event", plain(item.external_id.as_str())));
    facts.push(("Item", item.id.to_string()));
    facts
}

#[cfg(test)]
mod tests {
    use super::super::integrations::tests::connected;
    use super::super::samples::{failure, live_item, page};
    use super::*;
    use talkvalue_core::domain::failure::FailureCode;
    use talkvalue_core::domain::status::{Alert, SyncStatus};

    fn printed(item: &ItemView, width: Option<usize>) -> String {
        let mut out = Vec::new();
        write(&mut out, item, Some(&connected()), &page(width)).expect("memory takes everything");
        let text = String::from_utf8(out).expect("we write text");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn who_was_met_since_the_last_complete_read_is_told_beside_it() {
        let item = ItemView {
            new_since: 1_203,
            ..live_item()
        };
        let page = printed(&item, Some(100));
        let line = page
            .lines()
            .nth(1)
            .expect("the second line says how far it can be trusted");
        assert!(
            line.contains("as of") && line.ends_with(", 1,203 new since"),
            "{line}"
        );
        assert!(!printed(&live_item(), Some(100)).contains("new since"));
    }

    #[test]
    fn a_live_item() {
        assert_eq!(
            printed(&live_item(), Some(100)),
            "Harbour Makers Night\n\
             ✓ Syncing · as of 14:00 (2 min ago)\n\
             \n\
             \x20 Attending      1,412  30 checked in\n\
             \x20 Awaiting           0\n\
             \x20 Not attending     19\n\
             \x20 Total          1,431  1,440 tickets, 31 checked in\n\
             \n\
             \x20 Kind       Badge event · Eventbrite (one row per registration)\n\
             \x20 When       Mon 23 Nov 2026 17:30–21:30 GMT · in 3 h\n\
             \x20 Account    box@dockhall.example · int-001122334455\n\
             \x20 Event      1122334455\n\
             \x20 Item       item-0a1b2c3d4e5f\n\
             \n\
             Next    tvsync attendees item-0a1b2c3d4e5f  lists the attendees\n"
        );
    }

    #[test]
    fn a_failed_item_says_why_and_what_to_do() {
        let item = ItemView {
            sync_status: SyncStatus::Failed,
            alert: Some(Alert::SyncFailed),
            failure: failure(FailureCode::RemoteGone),
            unreadable: 2,
            ..live_item()
        };
        let text = printed(&item, Some(60));
        assert!(
            text.starts_with(
                "Harbour Makers Night\n\
                 ▲ Sync failed · as of 14:00 (2 min ago)\n\
                 \n\
                 \x20 Something happened. The list is as of 11:45, 1,412\n\
                 \x20 attending.\n"
            ),
            "{text}"
        );
        assert!(text.contains("2 registrations could not be read."), "{text}");
        assert!(
            text.ends_with(
                "Next    tvsync retry item-0a1b2c3d4e5f\n\
                 \x20         checks again\n\
                 \x20       tvsync keep item-0a1b2c3d4e5f\n\
                 \x20         keeps the list as an archive\n\
                 \x20       tvsync remove item-0a1b2c3d4e5f\n\
                 \x20         erases it from this computer\n"
            ),
            "{text}"
        );
    }
}
