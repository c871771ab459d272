//! Addresses in the person's browser. The window names a link and an id; the address is made here, so that no text of
//! a provider or a page ever becomes one.

use talkvalue_core::domain::freshness::EngineView;
use talkvalue_core::domain::ids::ItemId;
use talkvalue_core::domain::provider::Provider;
use talkvalue_core::error::CommandError;
use talkvalue_core::query;
use tauri::State;
use tracing::warn;
use url::Url;

use super::Answer;
use crate::desk::Desk;
use crate::ipc::arguments::Checked;
use crate::ipc::words::LinkKind;
use crate::shell::Shell;

#[tauri::command]
pub(crate) async fn open_link(
    shell: State<'_, Shell>,
    kind: Checked<LinkKind>,
    id: Checked<Option<ItemId>>,
) -> Answer<()> {
    let desk = shell.desk().await?;
    let address = address(&desk, kind.0, id.0).await?;
    let open_address = shell.world.open_address.clone();
    let opened = tokio::task::spawn_blocking(move || open_address(address.as_str())).await;
    if !matches!(opened, Ok(Ok(()))) {
        warn!("no browser could be started");
        return Err(CommandError::not_possible(
            "This computer did not start a browser. Nothing was opened.",
            talkvalue_core::domain::failure::Recovery::Retry,
        )
        .into());
    }
    Ok(())
}

async fn address(desk: &Desk, kind: LinkKind, id: Option<ItemId>) -> Result<Url, CommandError> {
    let fixed = match kind {
        LinkKind::EventbriteKeys => "https://www.eventbrite.com/account-settings/apps",
        LinkKind::LumaKeys => "https://luma.com/calendar/manage/api-keys",
        LinkKind::LumaBilling => "https://luma.com/pricing",
        LinkKind::EventbriteStatus => "https://www.eventbritestatus.com/",
        LinkKind::LumaStatus => "https://status.luma.com/",
        LinkKind::NetworkSignIn => {
            let provider = match id {
                None => Provider::Eventbrite,
                Some(id) => {
                    query::item(&desk.ports, &id, EngineView::default())
                        .await?
                        .provider
                }
            };
            return plain_page(desk, provider);
        }
        LinkKind::Item => {
            let id = id.ok_or_else(|| CommandError::bad_input("id must be the id of an item."))?;
            let item = query::item(&desk.ports, &id, EngineView::default()).await?;
            return item_page(item.provider, item.external_id.as_str());
        }
    };
    parsed(fixed)
}

/// The event's page at its provider, by the id that both providers redirect to the page's own address.
fn item_page(provider: Provider, external_id: &str) -> Result<Url, CommandError> {
    let mut page = parsed(match provider {
        Provider::Eventbrite => "https://www.eventbrite.com/e",
        Provider::Luma => "https://luma.com/event",
    })?;
    page.path_segments_mut()
        .map_err(|()| no_address())?
        .push(external_id);
    Ok(page)
}

/// The provider's own host without TLS: a network that wants a sign-in can answer only there. Nothing of ours is sent.
fn plain_page(desk: &Desk, provider: Provider) -> Result<Url, CommandError> {
    let origin = parsed(desk.ports.provider(provider).origins().api.as_str())?;
    let host = origin.host_str().ok_or_else(no_address)?;
    parsed(&format!("http://{host}/"))
}

fn parsed(address: &str) -> Result<Url, CommandError> {
    Url::parse(address).map_err(|_| no_address())
}

fn no_address() -> CommandError {
    CommandError::bad_input("There is no address for this link.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_path_segment_and_nothing_more() {
        let table = [
            (
                Provider::Eventbrite,
                "990000000011",
                "https://www.eventbrite.com/e/990000000011",
            ),
            (
                Provider::Luma,
                "evt-Qw12Er34Ty56Ui7",
                "https://luma.com/event/evt-Qw12Er34Ty56Ui7",
            ),
            (
                Provider::Luma,
                "../../login?next=//evil.example#x",
                "https://luma.com/event/..%2F..%2Flogin%3Fnext=%2F%2Fevil.example%23x",
            ),
            (
                Provider::Eventbrite,
                "https://evil.example/",
                "https://www.eventbrite.com/e/https:%2F%2Fevil.example%2F",
            ),
        ];
        for (provider, id, expected) in table {
            let page = item_page(provider, id).expect("an address");
            assert_eq!(page.as_str(), expected, "{id}");
        }
    }
}
