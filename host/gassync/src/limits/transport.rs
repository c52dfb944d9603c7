use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use gassync_domain::{AccountId, ConnectionId, HttpResponse};
use gassync_runtime::{LimitScope, Manifest, OutgoingRequest, RateLimit, SendError, Transport};
use jiff::SignedDuration;

use super::{Charge, Seen, Told};
use crate::app::App;

/// The longest wait for room that is waited out within a call; for a longer one the call ends, and its job waits.
const WAITED_OUT: SignedDuration = SignedDuration::from_secs(2);

/// Asks the limits before each request, and tells them what each answer says.
pub struct LimitedTransport<T> {
    app: Arc<App>,
    within: T,
    limits: Vec<Named>,
    connection: String,
    waits_for_room: bool,
}

/// A limit of the manifest, and whose it is here.
struct Named {
    limit: RateLimit,
    holder: String,
}

impl<T> LimitedTransport<T> {
    /// Sends within the limits that the manifest names, on behalf of a connection.
    pub fn new(
        app: Arc<App>,
        within: T,
        manifest: &Manifest,
        (account, connection): (AccountId, ConnectionId),
    ) -> Self {
        let named = |(number, limit): (usize, &RateLimit)| {
            // One limit of a plugin is one budget for each of those it is counted for.
            let holder = match limit.scope {
                LimitScope::Address | LimitScope::Application => format!("{}/{number}", manifest.id),
                LimitScope::Credential | LimitScope::Property => {
                    format!("{}/{number}/{account}/{connection}", manifest.id)
                }
            };
            Named { limit: limit.clone(), holder }
        };
        let limits = manifest.rate_limits.iter().enumerate().map(named).collect();
        Self { app, within, limits, connection: format!("{account}/{connection}"), waits_for_room: true }
    }

    /// Sends whether there is room or not, and whether the channel works or not, and is counted: without a token nothing
    /// else could be sent either.
    #[must_use]
    pub fn without_waiting(self) -> Self {
        Self { waits_for_room: false, ..self }
    }
}

impl Named {
    fn charge(&self, request: &OutgoingRequest) -> Option<Charge> {
        let path = request.url.path();
        let concerns =
            self.limit.paths.is_empty() || self.limit.paths.iter().any(|named| path.contains(named.as_str()));
        let is_counted = !self.limit.windows.is_empty();
        (concerns && is_counted).then(|| Charge {
            budget: format!("{}@{}", self.holder, request.url.host_str().unwrap_or_default()),
            windows: self.limit.windows.clone(),
            weight: self.limit.weight,
        })
    }

    fn told(&self, answer: &HttpResponse) -> Told {
        let header = |name: &String| {
            answer.headers.iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let number = |what: &str| -> Option<f64> {
            let names = self.limit.headers.get(what)?;
            names.iter().filter_map(header).find_map(|value| value.parse().ok()).filter(|n: &f64| n.is_finite())
        };
        let seconds = |seconds: f64| SignedDuration::try_from_secs_f64(seconds.max(0.0)).ok();
        let retry_after = || header(&"retry-after".to_owned())?.parse().ok();
        Told {
            cost: number("cost").filter(|cost| *cost >= 0.0),
            remaining: number("remaining"),
            resets_in: number("resetsIn").and_then(seconds),
            retry_after: retry_after().and_then(seconds),
            refused: answer.status == 429,
        }
    }
}

/// What a request says of the channel.
fn seen(answer: &Result<HttpResponse, SendError>) -> Seen {
    match answer {
        Ok(answer) if answer.status >= 500 => Seen::Broken,
        Ok(_) | Err(SendError::TooLarge(_)) => Seen::Working,
        Err(SendError::TimedOut | SendError::Connect(_) | SendError::Tls(_)) => Seen::Broken,
        Err(SendError::AddressRefused(_) | SendError::RateLimited(_) | SendError::CircuitOpen(_)) => Seen::Nothing,
    }
}

/// Whole seconds, rounded up.
fn seconds(wait: SignedDuration) -> u32 {
    u32::try_from(wait.as_secs() + i64::from(wait.subsec_nanos() > 0)).unwrap_or(u32::MAX)
}

#[async_trait]
impl<T: Transport> Transport for LimitedTransport<T> {
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError> {
        let charged: Vec<(&Named, Charge)> =
            self.limits.iter().filter_map(|named| Some((named, named.charge(&request)?))).collect();
        let charges: Vec<Charge> = charged.iter().map(|(_, charge)| charge.clone()).collect();
        let limits = &self.app.channel_limits;
        if self.waits_for_room
            && let Err(until) = self.app.breakers.admits(&self.connection, self.app.now()).await
        {
            return Err(SendError::CircuitOpen(seconds(until.duration_since(self.app.now()))));
        }
        while let Err(wait) = limits.take(&charges, self.app.now()).await {
            if !self.waits_for_room {
                break;
            }
            if wait > WAITED_OUT {
                self.app.breakers.ended(&self.connection, Seen::Nothing, self.app.now()).await;
                return Err(SendError::RateLimited(seconds(wait)));
            }
            tokio::time::sleep(wait.unsigned_abs().max(Duration::from_millis(1))).await;
        }
        let answer = self.within.send(request).await;
        if self.waits_for_room {
            self.app.breakers.ended(&self.connection, seen(&answer), self.app.now()).await;
        }
        let answer = answer?;
        for (named, charge) in charged {
            limits.correct(&charge, named.told(&answer), self.app.now()).await;
        }
        Ok(answer)
    }
}
