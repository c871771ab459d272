//! Integrations: who is connected, and the severing of one with all its items.

use super::facts::{failure, micros, optional_time, required_time, word};
use super::history::{self, Whose};
use jiff::Timestamp;
use rusqlite::{Error, OptionalExtension, Row, Transaction, named_params, params};
use talkvalue_core::domain::credential::{Generation, SignIn};
use talkvalue_core::domain::failure::{Failure, FailureCode};
use talkvalue_core::domain::ids::{AccountId, IntegrationId};
use talkvalue_core::domain::integration::{Account, Integration};
use talkvalue_core::domain::provider::{Origin, Provider};
use talkvalue_core::ports::{Renewed, Severance};
use talkvalue_core::query::history::CredentialChange;

fn from_row(row: &Row<'_>) -> Result<Integration, Error> {
    Ok(Integration {
        id: IntegrationId::from_text(row.get::<_, String>("id")?),
        provider: word(row, "provider", Provider::from_code)?,
        api_origin: Origin::from_stored(row.get::<_, String>("api_origin")?),
        account: Account {
            id: AccountId::from_text(row.get::<_, String>("account_id")?),
            name: row.get("account_name")?,
            email: row.get("account_email")?,
        },
        sign_in: word(row, "sign_in", SignIn::from_code)?,
        generation: Generation(row.get::<_, i64>("generation")?.unsigned_abs()),
        connected_at: required_time(row, "connected_at")?,
        last_verified_at: optional_time(row, "last_verified_at")?,
        expires_at: optional_time(row, "expires_at")?,
        severed: failure(row, "severed")?,
    })
}

pub(super) fn all(transaction: &Transaction<'_>) -> Result<Vec<Integration>, Error> {
    transaction
        .prepare_cached("SELECT * FROM integration ORDER BY connected_at, id")?
        .query_map([], from_row)?
        .collect()
}

pub(super) fn one(transaction: &Transaction<'_>, id: &IntegrationId) -> Result<Option<Integration>, Error> {
    transaction
        .prepare_cached("SELECT * FROM integration WHERE id = ?1")?
        .query_row([id.as_str()], from_row)
        .optional()
}

pub(super) fn of_account(
    transaction: &Transaction<'_>,
    provider: Provider,
    account: &AccountId,
    api_origin: &Origin,
) -> Result<Option<Integration>, Error> {
    transaction
        .prepare_cached(
            "SELECT * FROM integration WHERE provider = ?1 AND account_id = ?2 AND api_origin = ?3",
        )?
        .query_row(
            params![provider.code(), account.as_str(), api_origin.as_str()],
            from_row,
        )
        .optional()
}

pub(super) fn save(transaction: &Transaction<'_>, integration: &Integration) -> Result<(), Error> {
    let severed = integration.severed.as_ref();
    let known: bool = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM integration WHERE id = ?1)")?
        .query_row([integration.id.as_str()], |row| row.get(0))?;
    transaction
        .prepare_cached(
            "INSERT INTO integration (id, provider, api_origin, account_id, account_name, account_email, sign_in,
                 generation, connected_at, last_verified_at, expires_at, severed_code, severed_at, severed_detail)
             VALUES (:id, :provider, :api_origin, :account_id, :account_name, :account_email, :sign_in,
                 :generation, :connected_at, :last_verified_at, :expires_at, :severed_code, :severed_at,
                 :severed_detail)
             ON CONFLICT (id) DO UPDATE SET
                 account_name = excluded.account_name, account_email = excluded.account_email,
                 sign_in = excluded.sign_in, generation = excluded.generation, connected_at = excluded.connected_at,
                 last_verified_at = excluded.last_verified_at, expires_at = excluded.expires_at,
                 severed_code = excluded.severed_code, severed_at = excluded.severed_at,
                 severed_detail = excluded.severed_detail",
        )?
        .execute(named_params! {
            ":id": integration.id.as_str(),
            ":provider": integration.provider.code(),
            ":api_origin": integration.api_origin.as_str(),
            ":account_id": integration.account.id.as_str(),
            ":account_name": integration.account.name,
            ":account_email": integration.account.email,
            ":sign_in": integration.sign_in.code(),
            ":generation": i64::try_from(integration.generation.0).unwrap_or(i64::MAX),
            ":connected_at": micros(integration.connected_at),
            ":last_verified_at": integration.last_verified_at.map(micros),
            ":expires_at": integration.expires_at.map(micros),
            ":severed_code": severed.map(|failure| failure.code.code()),
            ":severed_at": severed.map(|failure| micros(failure.at)),
            ":severed_detail": severed.and_then(|failure| failure.detail.as_deref()),
        })?;
    let change = if known {
        CredentialChange::Renewed
    } else {
        CredentialChange::Connected
    };
    history::note_credential(
        transaction,
        &integration.id,
        change,
        None,
        integration.connected_at,
    )
}

pub(super) fn mark_verified(
    transaction: &Transaction<'_>,
    id: &IntegrationId,
    at: Timestamp,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "UPDATE integration SET last_verified_at = max(coalesce(last_verified_at, ?2), ?2) WHERE id = ?1",
        )?
        .execute(params![id.as_str(), micros(at)])?;
    Ok(())
}

pub(super) fn note_renewal(
    transaction: &Transaction<'_>,
    id: &IntegrationId,
    generation: Generation,
    at: Timestamp,
) -> Result<bool, Error> {
    let generation = i64::try_from(generation.0).unwrap_or(i64::MAX);
    let stood: bool = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM renewal WHERE integration_id = ?1 AND generation = ?2)",
        )?
        .query_row(params![id.as_str(), generation], |row| row.get(0))?;
    transaction
        .prepare_cached(
            "INSERT INTO renewal (integration_id, generation, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (integration_id) DO UPDATE SET generation = excluded.generation, at = excluded.at",
        )?
        .execute(params![id.as_str(), generation, micros(at)])?;
    Ok(stood)
}

pub(super) fn end_renewal(
    transaction: &Transaction<'_>,
    id: &IntegrationId,
    renewed: Option<&Renewed>,
) -> Result<(), Error> {
    transaction
        .prepare_cached("DELETE FROM renewal WHERE integration_id = ?1")?
        .execute([id.as_str()])?;
    if let Some(renewed) = renewed {
        transaction
            .prepare_cached(
                "UPDATE integration SET generation = max(generation, ?2), expires_at = ?3,
                     last_verified_at = max(coalesce(last_verified_at, ?4), ?4)
                 WHERE id = ?1",
            )?
            .execute(params![
                id.as_str(),
                i64::try_from(renewed.generation.0).unwrap_or(i64::MAX),
                renewed.expires_at.map(micros),
                micros(renewed.at)
            ])?;
    }
    Ok(())
}

/// Severs the integration and every item that reads through it, in one transaction. A first reason is kept, except
/// that a person's own word replaces it.
pub(super) fn sever(
    transaction: &Transaction<'_>,
    id: &IntegrationId,
    generation: Generation,
    failure: &Failure,
) -> Result<Severance, Error> {
    let current: Option<i64> = transaction
        .prepare_cached("SELECT generation FROM integration WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    if current.is_none_or(|current| current.unsigned_abs() > generation.0) {
        return Ok(Severance::Superseded);
    }
    let by_person = failure.code == FailureCode::DisconnectedByYou;
    for (table, own) in [
        ("integration", "id = ?1"),
        ("item", "integration_id = ?1 AND archived = 0"),
    ] {
        transaction
            .prepare_cached(&format!(
                "UPDATE {table} SET severed_code = ?2, severed_at = ?3, severed_detail = ?4
                 WHERE {own} AND (severed_code IS NULL OR ?5)"
            ))?
            .execute(params![
                id.as_str(),
                failure.code.code(),
                micros(failure.at),
                failure.detail,
                by_person
            ])?;
    }
    history::note_credential(
        transaction,
        id,
        CredentialChange::Severed,
        Some(failure.code),
        failure.at,
    )?;
    history::note_statuses(transaction, Whose::Integration(id), failure.at)?;
    Ok(Severance::Severed)
}
