//! The connected accounts.

use super::grid::{Cell, Column, write_table};
use super::text::plain;
use super::{BOLD, Badge, DIM, Page, Tone, painted};
use std::io::{self, Write};
use talkvalue_core::connect::{Disconnected, Withdrawal};
use talkvalue_core::domain::credential::SignIn;
use talkvalue_core::domain::integration::IntegrationStatus;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::domain::words::Reader;
use talkvalue_core::query::IntegrationView;

/// How a person recognises the account: its e-mail at Eventbrite, the calendar's name at Luma.
pub(crate) fn label(integration: &IntegrationView) -> String {
    match (integration.provider, &integration.account_email) {
        (Provider::Eventbrite, Some(email)) => email.clone(),
        _ => integration.account_name.clone(),
    }
}

fn badge(integration: &IntegrationView, reader: &Reader) -> Badge {
    match integration.status {
        IntegrationStatus::Connected => Badge::new(
            Tone::Good,
            format!("Connected since {}", reader.moment(integration.connected_at)),
        ),
        IntegrationStatus::Disconnected => Badge::new(Tone::Severed, "Disconnected"),
    }
}

fn sign_in(integration: &IntegrationView) -> &'static str {
    match integration.sign_in {
        SignIn::Oauth => "sign-in",
        SignIn::Token => "private token",
        SignIn::Key => "API key",
    }
}

fn verified(integration: &IntegrationView, reader: &Reader) -> String {
    integration
        .last_verified_at
        .map_or_else(|| "–".to_owned(), |at| reader.moment(at))
}

const COLUMNS: [Column; 6] = [
    Column::left("PROVIDER", 10, 2),
    Column::left("ACCOUNT", 14, 0),
    Column::left("STATUS", 14, 0),
    Column::left("VERIFIED", 8, 3),
    Column::left("BY", 7, 4),
    Column::left("ID", 16, 0),
];

pub(crate) fn write(out: &mut dyn Write, integrations: &[IntegrationView], page: &Page) -> io::Result<()> {
    if integrations.is_empty() {
        writeln!(out, "No account is connected yet.")?;
        writeln!(out, "  tvsync connect eventbrite --token-stdin")?;
        return writeln!(out, "  tvsync connect luma --key-stdin");
    }
    let rows: Vec<Vec<Cell>> = integrations
        .iter()
        .map(|integration| {
            vec![
                integration.provider.name().into(),
                plain(&label(integration)).into(),
                badge(integration, &page.reader).cell(),
                verified(integration, &page.reader).into(),
                sign_in(integration).into(),
                Cell::new(integration.id.as_str(), DIM),
            ]
        })
        .collect();
    if !write_table(out, &COLUMNS, &rows, page.width)? {
        for integration in integrations {
            write_one(out, integration, page)?;
        }
        return Ok(());
    }
    for integration in integrations {
        if let Some(failure) = &integration.failure {
            writeln!(out, "\n{}", plain(&failure.message))?;
        }
    }
    Ok(())
}

/// What became of the sign-in at the provider, where a person has to know of it.
pub(crate) fn withdrawal_note(disconnected: &Disconnected) -> Option<String> {
    let (provider, what) = (
        disconnected.integration.provider.name(),
        match disconnected.integration.sign_in {
            SignIn::Oauth => "app",
            SignIn::Token => "token",
            SignIn::Key => "key",
        },
    );
    match disconnected.withdrawal {
        Withdrawal::Withdrawn => Some(format!("{provider} has withdrawn the sign-in.")),
        Withdrawal::NotOffered => Some(format!(
            "{provider} offers no sign-out for apps: remove the {what} there too."
        )),
        Withdrawal::Failed => Some(format!(
            "{provider} did not withdraw the sign-in: remove the {what} there too."
        )),
        Withdrawal::Over => None,
    }
}

/// One account as a small page.
pub(crate) fn write_one(out: &mut dyn Write, integration: &IntegrationView, page: &Page) -> io::Result<()> {
    let badge = badge(integration, &page.reader);
    writeln!(
        out,
        "{} · {}",
        painted(&plain(&label(integration)), BOLD),
        integration.provider.name()
    )?;
    writeln!(
        out,
        "{} · verified {} · {}",
        painted(&format!("{} {}", badge.symbol, badge.word), badge.tone.style()),
        verified(integration, &page.reader),
        sign_in(integration)
    )?;
    if let Some(failure) = &integration.failure {
        writeln!(out, "{}", plain(&failure.message))?;
    }
    writeln!(out, "{}", painted(integration.id.as_str(), DIM))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::samples::{at, page};
    use super::*;
    use talkvalue_core::domain::failure::FailureCode;
    use talkvalue_core::domain::ids::{AccountId, IntegrationId};
    use talkvalue_core::query::FailureView;

    pub(crate) fn connected() -> IntegrationView {
        IntegrationView {
            id: IntegrationId::from_text("int-001122334455"),
            provider: Provider::Eventbrite,
            account_id: AccountId::from_text("9001"),
            account_name: "Dock Hall".to_owned(),
            account_email: Some("box@dockhall.example".to_owned()),
            status: IntegrationStatus::Connected,
            sign_in: SignIn::Token,
            connected_at: at("2026-03-03T10:00:00Z"),
            last_verified_at: Some(at("2026-11-23T14:00:00Z")),
            expires_at: None,
            failure: None,
        }
    }

    fn printed(width: Option<usize>) -> String {
        let severed = IntegrationView {
            provider: Provider::Luma,
            account_name: "Harbour\u{1b} Makers".to_owned(),
            status: IntegrationStatus::Disconnected,
            sign_in: SignIn::Key,
            failure: Some(FailureView {
                code: FailureCode::CredentialsRejected,
                recovery: FailureCode::CredentialsRejected.recovery(),
                message: "Luma refuses the API key of Harbour Makers (since 11:47).".to_owned(),
                since: at("2026-11-23T11:47:00Z"),
            }),
            ..connected()
        };
        let mut out = Vec::new();
        write(&mut out, &[connected(), severed], &page(width)).expect("memory takes everything");
        let text = String::from_utf8(out).expect("we write text");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn accounts_as_a_table() {
        assert_eq!(
            printed(Some(110)),
            "PROVIDER    ACCOUNT               STATUS                   VERIFIED  BY             ID\n\
             Eventbrite  box@dockhall.example  ✓ Connected since 3 Mar  14:00     private token  int-001122334455\n\
             Luma        Harbour\u{fffd} Makers       ⛓ Disconnected           14:00     API key        int-001122334455\n\
             \n\
             Luma refuses the API key of Harbour Makers (since 11:47).\n"
        );
    }

    #[test]
    fn narrow_keeps_account_status_and_id() {
        let text = printed(Some(60));
        assert!(text.contains("box@dockhall"), "{text}");
        assert!(text.contains("int-001122334455"), "{text}");
        assert!(!text.contains("VERIFIED"), "{text}");
    }
}
