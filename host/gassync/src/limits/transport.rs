use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use gassync_domain::{AccountId, Clock, ConnectionId, HttpResponse};
use gassync_runtime::{LimitScope, Manifest, OutgoingRequest, RateLimit, SendError, Transport};
use jiff::SignedDuration;

use super::{Breakers, CallHealth, ChannelLimits, Charge, RateLimitHeaders};
use crate::waiting::Sleep;

/// Longest rate-limit wait within a call; a longer one fails the call, and its job is deferred.
const MAX_INLINE_WAIT: SignedDuration = SignedDuration::from_secs(2);

/// Shared by all calls to channels.
#[derive(Clone)]
pub struct SharedLimits {
    /// Rate limits of channels.
    pub limits: Arc<dyn ChannelLimits>,
    /// Circuit breakers of channels.
    pub breakers: Arc<dyn Breakers>,
    /// The clock.
    pub clock: Clock,
    /// Waits by the clock.
    pub sleep: Sleep,
}

/// A transport that applies rate limits and circuit breakers.
pub struct LimitedTransport<T> {
    shared: SharedLimits,
    within: T,
    limits: Vec<Named>,
    connection: String,
    waits_for_room: bool,
}

/// A manifest limit with its budget key.
struct Named {
    limit: RateLimit,
    holder: String,
}

impl<T> LimitedTransport<T> {
    /// Applies the manifest's limits for a connection.
    pub fn new(
        shared: SharedLimits,
        within: T,
        manifest: &Manifest,
        (account, connection): (AccountId, ConnectionId),
    ) -> Self {
        let named = |(number, limit): (usize, &RateLimit)| {
            // A manifest limit is one budget per holder, which its scope determines.
            let holder = match limit.scope {
                LimitScope::Address | LimitScope::Application => format!("{}/{number}", manifest.id),
                LimitScope::Credential | LimitScope::Property => {
                    format!("{}/{number}/{account}/{connection}", manifest.id)
                }
            };
            Named { limit: limit.clone(), holder }
        };
        let limits = manifest.rate_limits.iter().enumerate().map(named).collect();
        Self { shared, within, limits, connection: format!("{account}/{connection}"), waits_for_room: true }
    }

    /// Sends regardless of limits and breaker, but counts the request: token requests must not wait, since nothing else could be
    /// sent without a token.
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

    fn read(&self, answer: &HttpResponse) -> RateLimitHeaders {
        let header = |name: &String| {
            answer.headers.iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let number = |what: &str| -> Option<f64> {
            let names = self.limit.headers.get(what)?;
            names.iter().filter_map(header).find_map(|value| value.parse().ok()).filter(|n: &f64| n.is_finite())
        };
        let seconds = |seconds: f64| SignedDuration::try_from_secs_f64(seconds.max(0.0)).ok();
        let retry_after = || header(&"retry-after".to_owned())?.parse().ok();
        RateLimitHeaders {
            cost: number("cost").filter(|cost| *cost >= 0.0),
            remaining: number("remaining"),
            resets_in: number("resetsIn").and_then(seconds),
            retry_after: retry_after().and_then(seconds),
            refused: answer.status == 429,
        }
    }
}

/// What the result of a request shows about the channel's health.
fn health(answer: &Result<HttpResponse, SendError>) -> CallHealth {
    match answer {
        Ok(answer) if answer.status >= 500 => CallHealth::Broken,
        Ok(_) | Err(SendError::TooLarge(_)) => CallHealth::Working,
        Err(SendError::TimedOut | SendError::Connect(_) | SendError::Tls(_)) => CallHealth::Broken,
        Err(SendError::AddressRefused(_) | SendError::RateLimited(_) | SendError::CircuitOpen(_)) => {
            CallHealth::Nothing
        }
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
        let SharedLimits { limits, breakers, clock, sleep } = &self.shared;
        if self.waits_for_room
            && let Err(until) = breakers.try_acquire(&self.connection, clock()).await
        {
            return Err(SendError::CircuitOpen(seconds(until.duration_since(clock()))));
        }
        while let Err(wait) = limits.take(&charges, clock()).await {
            if !self.waits_for_room {
                break;
            }
            if wait > MAX_INLINE_WAIT {
                breakers.record(&self.connection, CallHealth::Nothing, clock()).await;
                return Err(SendError::RateLimited(seconds(wait)));
            }
            sleep(wait.unsigned_abs().max(Duration::from_millis(1))).await;
        }
        let answer = self.within.send(request).await;
        if self.waits_for_room {
            breakers.record(&self.connection, health(&answer), clock()).await;
        }
        let answer = answer?;
        for (named, charge) in charged {
            limits.correct(&charge, named.read(&answer), clock()).await;
        }
        Ok(answer)
    }
}
