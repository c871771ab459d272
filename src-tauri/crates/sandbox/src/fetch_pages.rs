//! The bare loop that benchmarks compare an import with: the same requests over the same HTTP library, one after the
//! other, each page read to its end and dropped. Only the continuation is looked for.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;

/// What stands at the end of every page of attendees.
#[derive(Deserialize)]
struct Page {
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Pagination {
    continuation: Option<String>,
    has_more_items: bool,
}

pub(crate) fn run(announced: &Path) -> Result<ExitCode> {
    let text = fs::read_to_string(announced).with_context(|| format!("reading {}", announced.display()))?;
    let announcement: Value = serde_json::from_str(&text).context("the announcement is not JSON")?;
    let member = |pointer: &str| {
        announcement
            .pointer(pointer)
            .and_then(Value::as_str)
            .with_context(|| format!("the announcement has no {pointer}: was it served with --attendees?"))
    };
    let base = format!(
        "{}/events/{}",
        member("/eventbriteApiUrl")?,
        member("/bulkAttendees/eventId")?
    );
    let token = member("/bulkAttendees/account/privateToken")?.to_owned();
    // Fails only where one is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(fetch(&base, &token))?;
    Ok(ExitCode::SUCCESS)
}

/// The event, all its attendees, and the closing pass over what changed of late.
async fn fetch(base: &str, token: &str) -> Result<()> {
    let client = Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let get = |path: String| client.get(format!("{base}{path}")).bearer_auth(token);
    get("/".to_owned())
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    let since = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(10))?;
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    for changed_since in [None, Some(since)] {
        let mut continuation: Option<String> = None;
        loop {
            let mut query: Vec<(&str, &str)> = Vec::new();
            query.extend(changed_since.as_deref().map(|since| ("changed_since", since)));
            query.extend(continuation.as_deref().map(|token| ("continuation", token)));
            let answer = get("/attendees/".to_owned())
                .query(&query)
                .send()
                .await?
                .error_for_status()?;
            let page: Page = serde_json::from_slice(&answer.bytes().await?)?;
            match page.pagination.continuation {
                Some(next) if page.pagination.has_more_items => continuation = Some(next),
                _ => break,
            }
        }
    }
    Ok(())
}
