//! What every call passes: its key, the rate limit, and the faults.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{BODY_BYTES, Smoobu, answer};
use crate::{InjectedFault, SeenCall, response_faults::apply};

/// The simulated account, and the shutdown signal.
#[derive(Clone)]
pub(super) struct Gate {
    pub simulator: Smoobu,
    pub shutdown: CancellationToken,
}

/// A call that was let in, for handlers.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdmittedCall {
    /// The answer is a success, but changes are discarded.
    pub discard_changes: bool,
}

/// Lets a call in, runs it, and logs it.
pub(super) async fn admit(State(guard): State<Gate>, request: Request, next: Next) -> Response {
    let simulator = &guard.simulator;
    let (call, body) = request.into_parts();
    let seen = seen(&call, simulator.now());
    let (answer, fault) = match to_bytes(body, BODY_BYTES).await {
        Ok(body) => work(simulator, call, body.into(), next).await,
        Err(_) => (answer::page(StatusCode::PAYLOAD_TOO_LARGE), None),
    };
    let hold = {
        let account = &mut *simulator.account();
        account.calls.note(SeenCall { status: answer.status().as_u16(), fault, ..seen });
        account.faults.hold()
    };
    apply(answer, fault, hold, &guard.shutdown).await
}

async fn work(simulator: &Smoobu, call: Parts, body: Vec<u8>, next: Next) -> (Response, Option<InjectedFault>) {
    if !simulator.knows(&call, &body) {
        return (answer::refused(StatusCode::UNAUTHORIZED, "verification error"), None);
    }
    let (fault, delay) = simulator.pick_fault(&call);
    let limited = match fault {
        Some(InjectedFault::ErrorBeforeWork) => return (unavailable(), fault),
        Some(InjectedFault::TooManyRequests) => true,
        Some(InjectedFault::Delay) => {
            tokio::time::sleep(delay).await;
            !simulator.count_call()
        }
        _ => !simulator.count_call(),
    };
    let mut answer = if limited {
        answer::refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
    } else if simulator.account().oddities.page_is_due(&call.method) {
        answer::page(StatusCode::INTERNAL_SERVER_ERROR)
    } else {
        let mut request = Request::from_parts(call, Body::from(body));
        request.extensions_mut().insert(AdmittedCall { discard_changes: fault == Some(InjectedFault::NothingChanged) });
        next.run(request).await
    };
    if fault == Some(InjectedFault::ErrorAfterWork) {
        return (unavailable(), fault);
    }
    let (now, settings) = (simulator.now(), &simulator.inner.settings);
    simulator.account().limit.write_headers(&mut answer, settings, now, limited);
    (answer, fault)
}

fn unavailable() -> Response {
    answer::page(StatusCode::SERVICE_UNAVAILABLE)
}

fn seen(call: &Parts, at: Timestamp) -> SeenCall {
    SeenCall {
        at,
        method: call.method.to_string(),
        path: call.uri.path().to_owned(),
        query: call.uri.query().unwrap_or_default().to_owned(),
        status: 0,
        credits: 0.0,
        fault: None,
    }
}

impl Smoobu {
    /// True if the call shows a key of the account.
    fn knows(&self, call: &Parts, body: &[u8]) -> bool {
        let now = self.now();
        self.account().keys.check(call, body, &self.inner.settings, now).is_ok()
    }

    /// Counts a call; false if it is one too many.
    fn count_call(&self) -> bool {
        let now = self.now();
        self.account().limit.count(&self.inner.settings, now)
    }

    /// Picks the fault of a call, and the delay for a delay fault.
    fn pick_fault(&self, call: &Parts) -> (Option<InjectedFault>, Duration) {
        let account = &mut *self.account();
        let fault = if reads_by_post(call) {
            account.faults.of_call(&format!("GET {}", call.uri.path()), &mut account.fault_rng)
        } else {
            account.faults.of_call(&format!("{} {}", call.method, call.uri.path()), &mut account.fault_rng)
        };
        // There are no tokens that could expire.
        (fault.filter(|fault| *fault != InjectedFault::TokenExpired), account.faults.delay())
    }
}

/// True for a question that is asked by POST: there is nothing that it could change.
fn reads_by_post(call: &Parts) -> bool {
    call.method == Method::POST && call.uri.path() == super::availability::PATH
}
