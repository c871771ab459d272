//! The provider's page in a window of ours that has nothing of ours: no capability names its label, its data store is
//! its own and gone with it, its host stands in its title, and the provider's answer is taken before it loads.

use std::sync::Arc;

use talkvalue_core::connect::SignInAttempt;
use talkvalue_core::domain::failure::Recovery;
use talkvalue_core::error::CommandError;
use tauri::webview::{NewWindowResponse, PageLoadEvent, PermissionResponse};
use tauri::{AppHandle, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use tracing::warn;
use url::{Host, Url};

use super::{PageSaid, SignInDesk};

const SIZE: (f64, f64) = (520.0, 720.0);
/// Until a page is there, whose host takes its place.
const UNTITLED: &str = "Sign in";
/// What stands in the title of pages that serve no window but a browser's.
const REFUSED: &str = "disallowed_useragent";

/// An open window, closed when dropped.
pub(super) struct SignInWindow<R: Runtime> {
    window: WebviewWindow<R>,
}

impl<R: Runtime> SignInWindow<R> {
    pub(super) fn show(&self) {
        if let Err(error) = self.window.set_focus() {
            warn!(error = %error, "the sign-in window could not be brought to the front");
        }
    }
}

impl<R: Runtime> Drop for SignInWindow<R> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.window.destroy();
    }
}

/// Opens the attempt's page. What happens in it is said to `sign_ins`, under the page's number.
pub(super) fn open<R: Runtime>(
    app: &AppHandle<R>,
    sign_ins: Arc<SignInDesk>,
    number: u64,
    attempt: Arc<SignInAttempt>,
) -> Result<SignInWindow<R>, CommandError> {
    let no_window = || {
        CommandError::not_possible(
            "The sign-in window could not be opened. Use your browser instead.",
            Recovery::Retry,
        )
    };
    let address = Url::parse(attempt.address()).map_err(|_| no_window())?;
    let rules = Rules::of(&address);
    let (told, refused, closed) = (sign_ins.clone(), sign_ins.clone(), sign_ins);
    let blank = Url::parse("about:blank").map_err(|_| no_window())?;
    let window = WebviewWindowBuilder::new(app, format!("oauth-{number}"), WebviewUrl::External(blank))
        .title(UNTITLED)
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(360.0, 400.0)
        .center()
        // A data store of its own, gone with the window: nobody is signed in here already, and nothing stays.
        .incognito(true)
        .devtools(false)
        .on_navigation(move |url| {
            if let Some(answer) = attempt.hear(url) {
                told.hear(number, PageSaid::Answered(answer));
                return false;
            }
            if is_refusal(url) {
                told.hear(number, PageSaid::Refused);
                return false;
            }
            rules.allow(url)
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .on_document_title_changed(move |_, title| {
            if title.contains(REFUSED) {
                refused.hear(number, PageSaid::Refused);
            }
        })
        .on_page_load(|window, page| {
            if page.event() == PageLoadEvent::Started
                && let Some(title) = title_of(page.url())
                && let Err(error) = window.set_title(&title)
            {
                warn!(error = %error, "the sign-in window's title could not be set");
            }
        })
        .build()
        .map_err(|error| {
            warn!(error = %error, "the sign-in window could not be opened");
            no_window()
        })?;
    window.on_window_event(move |event| {
        if let WindowEvent::Destroyed = event {
            closed.hear(number, PageSaid::Closed);
        }
    });
    let window = SignInWindow { window };
    // Not before: of a window that is still being built nothing is said, and a page that loads meanwhile is not heard.
    window.window.navigate(address).map_err(|error| {
        warn!(error = %error, "the sign-in window could not go to the provider's page");
        no_window()
    })?;
    Ok(window)
}

/// Whether an address is where Google sends windows that it takes for no browser.
fn is_refusal(url: &Url) -> bool {
    url.host_str() == Some("accounts.google.com")
        && ["/signin/oauth/error", "/signin/rejected"]
            .iter()
            .any(|path| url.path().ends_with(path))
}

/// Whose page it is, in front of anything that the page could say. A blank one is whoever's it was before.
fn title_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port} · Sign in"),
        None => format!("{host} · Sign in"),
    })
}

/// Where the window may go.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// The sign-in begins on this computer: a simulated provider.
    begins_here: bool,
}

impl Rules {
    fn of(begin: &Url) -> Self {
        Self {
            begins_here: begin.scheme() == "http" && is_loopback(begin),
        }
    }

    /// The web, encrypted; frames without an address of their own. No file, no script, no other program.
    fn allow(self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self.begins_here && is_loopback(url),
            "about" => matches!(url.path(), "blank" | "srcdoc"),
            _ => false,
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_sign_in_stays_on_the_encrypted_web() {
        let rules = Rules::of(&url("https://www.eventbrite.com/oauth/authorize?x=1"));
        for address in [
            "https://www.eventbrite.com/signin",
            "https://accounts.google.com/",
            "about:blank",
        ] {
            assert!(rules.allow(&url(address)), "{address} may be part of signing in");
        }
        for address in [
            "http://www.eventbrite.com/signin",
            "http://localhost:47831/other",
            "http://127.0.0.1/",
            "file:///etc/passwd",
            "data:text/html,hello",
            "javascript:alert(1)",
            "tauri://localhost/",
            "ipc://localhost/list_items",
            "asset://localhost/x",
            "smb://server/share",
            "mailto:a@b.example",
        ] {
            assert!(!rules.allow(&url(address)), "{address} is no page of a sign-in");
        }
    }

    #[test]
    fn a_simulated_provider_may_be_on_this_computer_only() {
        let rules = Rules::of(&url("http://127.0.0.1:8080/oauth/authorize"));
        assert!(rules.allow(&url("http://127.0.0.1:8080/consent")));
        assert!(!rules.allow(&url("http://192.168.0.1/")));
    }

    #[test]
    fn a_provider_that_refuses_such_windows_is_noticed() {
        assert!(is_refusal(&url(
            "https://accounts.google.com/signin/oauth/error?authError=x"
        )));
        assert!(is_refusal(&url(
            "https://accounts.google.com/v3/signin/rejected?rrk=46"
        )));
        assert!(!is_refusal(&url(
            "https://accounts.google.com/v3/signin/identifier"
        )));
        assert!(!is_refusal(&url("https://evil.example/signin/oauth/error")));
    }

    #[test]
    fn the_host_stands_first_in_the_title() {
        for (address, title) in [
            (
                "https://www.eventbrite.com/x?title=luma.com",
                "www.eventbrite.com · Sign in",
            ),
            ("http://127.0.0.1:8080/x", "127.0.0.1:8080 · Sign in"),
            (
                "https://www.eventbrite.com@evil.example/",
                "evil.example · Sign in",
            ),
        ] {
            assert_eq!(title_of(&url(address)).as_deref(), Some(title));
        }
        assert_eq!(title_of(&url("about:blank")), None, "it is nobody's own");
    }
}
