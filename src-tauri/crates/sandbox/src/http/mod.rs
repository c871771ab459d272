//! Real HTTP/1.1 on loopback. Owns connections and bytes; what an answer says is the providers' part.

mod answer;
mod connection;
mod trouble;

pub(crate) use answer::{Answer, Reply, Request};
pub(crate) use connection::{Listening, bind, serve};
pub(crate) use trouble::{html_error, spoil_answer};

use crate::door::Door;
use crate::fault::Fault;

/// One simulated API behind a [`Door`].
pub(crate) trait Api: Send + Sync + 'static {
    fn door(&self) -> &Door;

    /// The token or key that the request carries.
    fn credential(&self, request: &Request) -> Option<String>;

    /// The query as the journal holds it, which faults for a path see too.
    fn journalled_query(&self, request: &Request) -> String {
        request.raw_query.clone()
    }

    /// Whether the request asks for a page of attendees or guests.
    fn asks_for_registrations(&self, request: &Request) -> bool;

    /// The query parameter that carries the paging token.
    fn cursor_parameter(&self) -> &'static str;

    /// The true answer: credential, rate limit, then the route. `unlimited` switches the limiter off.
    fn answer(&self, request: &Request, unlimited: bool) -> Reply;

    /// An error of that status in the provider's shape.
    fn error(&self, status: u16) -> Reply;

    /// 429 as the provider words it.
    fn rate_limited(&self, request: &Request, retry_after_secs: Option<u64>) -> Reply;

    /// The answer to a paging token that is refused.
    fn bad_cursor(&self) -> Reply;

    /// `reply`, a list, changed as `fault` says ([`Fault::EmptyList`] and its like).
    fn bend_list(&self, request: &Request, reply: Reply, fault: &Fault) -> Reply;

    /// Revokes every credential.
    fn revoke_all(&self);

    /// Uses up the limiter of the request's credential.
    fn exhaust_limiter(&self, request: &Request);
}

/// A request's way through the door.
pub(crate) async fn pass(api: &dyn Api, request: Request) -> Answer {
    let door = api.door();
    let arrival = crate::door::Arrival::new(
        door.clock().now(),
        request.method.clone(),
        request.path.clone(),
        api.journalled_query(&request),
        api.credential(&request),
        request.journalled_headers(),
        request.query(api.cursor_parameter()).is_some(),
    );
    let admission = door.arrives(arrival);
    if admission.revoke_all {
        api.revoke_all();
    }
    if admission.exhaust_limiter {
        api.exhaust_limiter(&request);
    }
    for held in admission.held {
        held.wait().await;
    }
    if !admission.latency.is_zero() {
        tokio::time::sleep(admission.latency).await;
    }
    let is_page = api.asks_for_registrations(&request);
    if is_page {
        door.before_page();
    }
    let answer = match admission.fault {
        None => Answer::plain(api.answer(&request, admission.unlimited)),
        Some(fault) => spoil_answer(api, &request, &fault, admission.unlimited),
    };
    door.answered(admission.number, answer.status());
    if is_page && answer.status() == 200 {
        door.after_page();
    }
    answer
}
