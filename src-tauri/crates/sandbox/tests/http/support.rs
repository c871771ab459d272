//! A deliberately plain client for the sandbox's own tests: it walks lists and maps rows by the documented rules.

use std::sync::Once;

use jiff::Timestamp;
use reqwest::{Client, Response};
use serde_json::Value;
use talkvalue_sandbox::{
    Attendance, EventSpec, Eventbrite, EventbriteAccount, Luma, LumaCalendar, ProviderRegistration, Sandbox,
    SandboxClock,
};

pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

pub(crate) async fn get_eventbrite(
    client: &Client,
    eventbrite: &Eventbrite,
    token: &str,
    path: &str,
) -> Response {
    client
        .get(format!("{}{path}", eventbrite.api_url()))
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
}

pub(crate) async fn get_luma(client: &Client, luma: &Luma, key: &str, path: &str) -> Response {
    client
        .get(format!("{}{path}", luma.api_url()))
        .header("x-luma-api-key", key)
        .send()
        .await
        .unwrap()
}

/// Every row of a list, page by page; `query` without continuation.
pub(crate) async fn walk_eventbrite(
    eventbrite: &Eventbrite,
    account: &EventbriteAccount,
    path: &str,
    query: &str,
) -> Vec<Value> {
    let client = client();
    let mut rows = Vec::new();
    let mut continuation = String::new();
    loop {
        let address = format!("{path}?{query}{continuation}");
        let response = get_eventbrite(&client, eventbrite, &account.private_token, &address).await;
        assert_eq!(response.status(), 200, "a walk is not refused");
        let page: Value = response.json().await.unwrap();
        let key = path.trim_end_matches('/').rsplit('/').next().unwrap();
        rows.extend(page[key].as_array().unwrap().iter().cloned());
        if page["pagination"]["has_more_items"] != true {
            return rows;
        }
        continuation = format!(
            "&continuation={}",
            page["pagination"]["continuation"].as_str().unwrap()
        );
    }
}

pub(crate) async fn walk_luma(luma: &Luma, calendar: &LumaCalendar, path: &str, query: &str) -> Vec<Value> {
    let client = client();
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let response = get_luma(&client, luma, &calendar.key, &format!("{path}?{query}{cursor}")).await;
        assert_eq!(response.status(), 200, "a walk is not refused");
        let page: Value = response.json().await.unwrap();
        rows.extend(page["entries"].as_array().unwrap().iter().cloned());
        if page["has_more"] != true {
            return rows;
        }
        cursor = format!("&pagination_cursor={}", page["next_cursor"].as_str().unwrap());
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().map(|text| text.parse().unwrap())
}

pub(crate) fn from_eventbrite(row: &Value) -> ProviderRegistration {
    let profile = &row["profile"];
    let joined = || {
        let parts: Vec<&str> = [&profile["first_name"], &profile["last_name"]]
            .into_iter()
            .filter_map(Value::as_str)
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let status = row["status"].as_str().unwrap();
    let gone = row["cancelled"] == true || row["refunded"] == true;
    let used = row["barcodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|code| code["status"] == "used");
    let checked_in = row["checked_in"] == true;
    ProviderRegistration {
        id: text(&row["id"]).unwrap(),
        name: text(&profile["name"]).or_else(joined),
        email: text(&profile["email"]),
        company: text(&profile["company"]),
        ticket_type: text(&row["ticket_class_name"]),
        provider_status: status.to_owned(),
        attending: match status {
            _ if gone => Attendance::NotAttending,
            "Deleted" | "Not Attending" => Attendance::NotAttending,
            "Attending" | "Checked In" => Attendance::Attending,
            _ => Attendance::Awaiting,
        },
        checked_in_at: used
            .filter(|_| checked_in)
            .and_then(|code| time(&code["changed"])),
        order_id: text(&row["order_id"]),
        registered_at: time(&row["created"]),
        changed: time(&row["changed"]),
        tickets: 1,
        tickets_checked_in: u32::from(checked_in),
    }
}

pub(crate) fn from_luma(row: &Value) -> ProviderRegistration {
    let captured: Vec<&Value> = row["event_tickets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|ticket| ticket["is_captured"] == true)
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for ticket in &captured {
        let name = ticket["name"].as_str().unwrap();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let joined = || {
        let parts: Vec<&str> = [&row["user_first_name"], &row["user_last_name"]]
            .into_iter()
            .filter_map(Value::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let answers = row["registration_answers"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let company = answers.iter().find(|answer| answer["question_type"] == "company");
    let times: Vec<Timestamp> = captured
        .iter()
        .filter_map(|ticket| time(&ticket["checked_in_at"]))
        .collect();
    let status = row["approval_status"].as_str().unwrap();
    ProviderRegistration {
        id: text(&row["id"]).unwrap(),
        name: text(&row["user_name"]).or_else(joined),
        email: text(&row["user_email"]),
        company: company
            .and_then(|answer| text(&answer["value"]).or_else(|| text(&answer["value"]["company"]))),
        ticket_type: (!names.is_empty()).then(|| names.join(", ")),
        provider_status: status.to_owned(),
        attending: match status {
            "approved" | "session" => Attendance::Attending,
            "declined" => Attendance::NotAttending,
            _ => Attendance::Awaiting,
        },
        checked_in_at: times.iter().min().copied(),
        order_id: None,
        registered_at: time(&row["registered_at"]),
        changed: None,
        tickets: u32::try_from(captured.len()).unwrap(),
        tickets_checked_in: u32::try_from(times.len()).unwrap(),
    }
}

pub(crate) const NOON: &str = "2026-05-01T12:00:00Z";

pub(crate) fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

pub(crate) fn eventbrite_with(
    sandbox: &Sandbox,
    count: usize,
) -> (Eventbrite, EventbriteAccount, String, String) {
    let eventbrite = sandbox.eventbrite();
    let account = eventbrite.add_account("Robin Vale", "robin@tide.example");
    let organization = eventbrite.add_organization(&account, "Harbour Guild");
    let event = eventbrite.add_event(&organization, EventSpec::new("Repair Café"));
    eventbrite.add_attendees(&event, count);
    (eventbrite, account, organization, event)
}

pub(crate) fn luma_with(sandbox: &Sandbox, count: usize) -> (Luma, LumaCalendar, String) {
    let luma = sandbox.luma();
    let calendar = luma.add_calendar("Harbour Makers", "Robin Vale", "robin@tide.example");
    let event = luma.add_event(&calendar.id, EventSpec::new("Repair Evening"));
    luma.add_guests(&event, count);
    (luma, calendar, event)
}

pub(crate) async fn fixed() -> Sandbox {
    Sandbox::builder()
        .clock(SandboxClock::fixed(noon()))
        .start()
        .await
        .unwrap()
}
