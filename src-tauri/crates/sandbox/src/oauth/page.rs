//! What a browser shows: the consent page and the pages that end an attempt. They need no script, so that a person, a
//! scripted browser and a few lines of a test can all use them.

use super::Account;
use super::server::Brand;
use crate::http::Reply;

const STYLE: &str = include_str!("consent.css");
// No form-action: browsers hold it against the redirect that answers the form, which leads to the app.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn style() -> Reply {
    Reply {
        status: 200,
        headers: vec![("content-type", "text/css; charset=utf-8".to_owned())],
        body: STYLE.into(),
    }
}

pub(super) fn redirect(status: u16, to: &str) -> Reply {
    guarded(Reply::html(
        status,
        "<!doctype html><title>Going back</title><p>Going back to the app.",
    ))
    .with_header("location", to)
}

/// The form posts `request`, `account` and `decision` (`allow` or `refuse`) to where it came from.
pub(super) fn consent(brand: &Brand, ticket: &str, accounts: &[Account]) -> Reply {
    let choices: String = accounts
        .iter()
        .enumerate()
        .map(|(index, account)| {
            let checked = if index == 0 { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{}\"{checked}> \
                 <span><b>{}</b><br>{}</span></label>\n",
                escaped(&account.id),
                escaped(&account.name),
                escaped(&account.email),
            )
        })
        .collect();
    let none = if accounts.is_empty() {
        format!("<p>There is no {} in this sandbox yet.</p>", brand.choice)
    } else {
        String::new()
    };
    let disabled = if accounts.is_empty() { " disabled" } else { "" };
    let body = format!(
        "<h1>Let TalkValue Sync read your {name} {choice}?</h1>\n{none}\
         <form method=\"post\" action=\"{folder}/authorize\">\n\
         <input type=\"hidden\" name=\"request\" value=\"{ticket}\">\n\
         <fieldset><legend>Choose the {choice}</legend>\n{choices}</fieldset>\n\
         <p class=\"buttons\"><button id=\"refuse\" name=\"decision\" value=\"refuse\">Refuse</button> \
         <button id=\"allow\" name=\"decision\" value=\"allow\"{disabled}>Allow</button></p>\n</form>\n",
        name = brand.name,
        choice = brand.choice,
        folder = brand.folder,
    );
    whole(brand, 200, &body)
}

pub(super) fn error(brand: &Brand, text: &str) -> Reply {
    whole(
        brand,
        400,
        &format!("<h1>This request cannot be answered</h1>\n<p>{text}</p>\n"),
    )
}

pub(super) fn disallowed_useragent(brand: &Brand) -> Reply {
    let text = "<h1>Please use a browser</h1>\n<p>Signing in inside an app is not allowed here. \
                Error 403: <code>disallowed_useragent</code></p>\n";
    titled(brand, 403, "Error 403: disallowed_useragent", text)
}

pub(super) fn not_found() -> Reply {
    guarded(Reply::html(
        404,
        "<!doctype html><title>Not found</title><p>Not found.",
    ))
}

pub(super) fn wrong_method(allowed: &'static str) -> Reply {
    guarded(Reply::html(
        405,
        "<!doctype html><title>Not allowed</title><p>Not allowed.",
    ))
    .with_header("allow", allowed)
}

fn whole(brand: &Brand, status: u16, body: &str) -> Reply {
    titled(brand, status, &format!("{} (sandbox)", brand.name), body)
}

fn titled(brand: &Brand, status: u16, title: &str, body: &str) -> Reply {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"stylesheet\" href=\"{folder}/consent.css\">\n</head>\n\
         <body>\n<main>\n<p class=\"brand\">{name}, simulated</p>\n{body}</main>\n</body>\n</html>\n",
        name = brand.name,
        folder = brand.folder,
    );
    guarded(Reply::html(status, page))
}

fn guarded(reply: Reply) -> Reply {
    reply
        .with_header("content-security-policy", POLICY)
        .with_header("cache-control", "no-store")
        .with_header("referrer-policy", "no-referrer")
        .with_header("x-content-type-options", "nosniff")
}

/// Names in the worlds are hostile on purpose.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
