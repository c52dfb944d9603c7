//! Middleware of every call: token, scope, credits, fault injection and the call log.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use tokio_util::sync::CancellationToken;

use super::{
    Beds24, InjectedFault, Parallel, SeenCall,
    answer::error,
    auth::header,
    credits::Cost,
    response_faults::apply,
    scopes::{Scopes, needed},
};

/// Error text for an expired token.
const DEAD: &str = "Token not valid";

/// The simulated account, and the shutdown signal.
#[derive(Clone)]
pub(super) struct CallGuard {
    pub simulator: Beds24,
    pub shutdown: CancellationToken,
}

/// An authenticated call, for handlers.
#[derive(Debug, Clone, Default)]
pub(super) struct Admitted {
    pub scopes: Scopes,
    /// The response is a success, but changes are discarded.
    pub discard_changes: bool,
}

/// Counts a running call.
struct Running(Beds24);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.account().calls.running -= 1;
    }
}

/// Result of a call.
struct Outcome {
    answer: Response,
    cost: Cost,
    fault: Option<InjectedFault>,
}

impl Outcome {
    fn free(answer: Response) -> Self {
        Self { answer, cost: Cost::NOTHING, fault: None }
    }
}

/// Logs a call that needs no token.
pub(super) async fn note(State(guard): State<CallGuard>, request: Request, next: Next) -> Response {
    let seen = seen(&guard.simulator, &request);
    let answer = next.run(request).await;
    let status = answer.status().as_u16();
    guard.simulator.account().calls.note(SeenCall { status, ..seen });
    answer
}

/// Authenticates and runs a call.
pub(super) async fn admit(State(guard): State<CallGuard>, request: Request, next: Next) -> Response {
    let simulator = &guard.simulator;
    let seen = seen(simulator, &request);
    let (_running, alone) = simulator.begin();
    let outcome = if alone || simulator.inner.settings.parallel == Parallel::Count {
        work(simulator, request, next).await
    } else {
        Outcome::free(error(StatusCode::TOO_MANY_REQUESTS, "Too many calls at once"))
    };
    let (status, credits, fault) = (outcome.answer.status().as_u16(), outcome.cost.credits(), outcome.fault);
    let hold = {
        let account = &mut *simulator.account();
        account.calls.note(SeenCall { status, credits, fault, ..seen });
        account.faults.hold()
    };
    apply(outcome.answer, fault, hold, &guard.shutdown).await
}

async fn work(simulator: &Beds24, mut request: Request, next: Next) -> Outcome {
    let token = header(request.headers(), "token").to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let scopes = match simulator.scopes(&token, &method, &path) {
        Ok(scopes) => scopes,
        Err((status, text)) => return Outcome::free(error(status, &text)),
    };
    let settings = &simulator.inner.settings;
    let cost = Cost::new(if method == Method::GET { settings.read_cost } else { settings.write_cost });
    let (fault, delay) = simulator.pick_fault(&format!("{method} {path}"));
    let unpaid = |answer| Outcome { answer, cost: Cost::NOTHING, fault };
    match fault {
        Some(InjectedFault::TokenExpired) => {
            simulator.account().tokens.end(&token);
            return unpaid(error(StatusCode::UNAUTHORIZED, DEAD));
        }
        Some(InjectedFault::ErrorBeforeWork) => return unpaid(unavailable()),
        Some(InjectedFault::TooManyRequests) => return unpaid(simulator.exhausted(cost)),
        Some(InjectedFault::Delay) => tokio::time::sleep(delay).await,
        _ => {}
    }
    let paid = simulator.account().credits.charge(cost, simulator.now());
    let Ok(paid) = paid else { return unpaid(simulator.exhausted(cost)) };
    request.extensions_mut().insert(Admitted { scopes, discard_changes: fault == Some(InjectedFault::NothingChanged) });
    let mut answer = next.run(request).await;
    if answer.status() == StatusCode::BAD_REQUEST {
        // A refused call costs nothing and has no credit headers.
        simulator.account().credits.refund(&paid);
        return unpaid(answer);
    }
    if fault == Some(InjectedFault::ErrorAfterWork) {
        answer = unavailable();
    } else {
        simulator.account().credits.write_headers(&mut answer, cost, simulator.now());
    }
    Outcome { answer, cost, fault }
}

fn unavailable() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "Service temporarily unavailable")
}

fn seen(simulator: &Beds24, request: &Request) -> SeenCall {
    let uri = request.uri();
    SeenCall {
        at: simulator.now(),
        method: request.method().to_string(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        status: 0,
        credits: 0.0,
        fault: None,
    }
}

impl Beds24 {
    /// Counts a starting call; also returns true if no other call is running.
    fn begin(&self) -> (Running, bool) {
        let calls = &mut self.account().calls;
        let alone = calls.running == 0;
        calls.running += 1;
        calls.parallel += u64::from(!alone);
        (Running(self.clone()), alone)
    }

    /// Returns the scopes of a valid token that allows this call.
    fn scopes(&self, token: &str, method: &Method, path: &str) -> Result<Scopes, (StatusCode, String)> {
        let scopes = self.account().tokens.scopes(token, self.now());
        let scopes = scopes.ok_or_else(|| (StatusCode::UNAUTHORIZED, DEAD.to_owned()))?;
        match needed(method, path) {
            Some((right, area)) if !scopes.allow(right, area) => {
                let status = StatusCode::from_u16(self.inner.settings.missing_scope_status);
                Err((status.unwrap_or(StatusCode::FORBIDDEN), format!("Token does not have scope {right}:{area}")))
            }
            _ => Ok(scopes),
        }
    }

    /// Picks the fault of a call, and the delay for a delay fault.
    fn pick_fault(&self, call: &str) -> (Option<InjectedFault>, Duration) {
        let account = &mut *self.account();
        (account.faults.of_call(call, &mut account.fault_rng), account.faults.delay())
    }

    fn exhausted(&self, cost: Cost) -> Response {
        let mut answer = error(StatusCode::TOO_MANY_REQUESTS, "Credit limit exceeded");
        self.account().credits.write_headers(&mut answer, cost, self.now());
        answer
    }
}
