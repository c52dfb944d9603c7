//! Fault injection: by rate, or for the next calls.

use std::{collections::BTreeMap, time::Duration};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// An injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InjectedFault {
    /// The call is delayed.
    Delay,
    /// The call is processed, but the response times out.
    TimeoutAfterWork,
    /// 503 without processing.
    ErrorBeforeWork,
    /// 503 after processing.
    ErrorAfterWork,
    /// 429, regardless of credits.
    TooManyRequests,
    /// The call is processed, but the connection breaks within the response.
    HalfAnswer,
    /// A write returns success without any change.
    NothingChanged,
    /// The access token expires with this call.
    TokenExpired,
    /// A webhook is delivered twice.
    DuplicateWebhook,
    /// A webhook overtakes those before it.
    ReorderedWebhook,
}

impl InjectedFault {
    /// All faults.
    pub const ALL: [Self; 10] = [
        Self::Delay,
        Self::TimeoutAfterWork,
        Self::ErrorBeforeWork,
        Self::ErrorAfterWork,
        Self::TooManyRequests,
        Self::HalfAnswer,
        Self::NothingChanged,
        Self::TokenExpired,
        Self::DuplicateWebhook,
        Self::ReorderedWebhook,
    ];

    fn is_of_webhooks(self) -> bool {
        matches!(self, Self::DuplicateWebhook | Self::ReorderedWebhook)
    }
}

/// When a fault occurs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rule {
    /// The share of calls or webhooks, from 0 to 1.
    pub rate: f64,
    /// Number of next calls affected, regardless of the rate.
    pub next: u32,
    /// Only calls of this method, or of this method and path, such as `POST /bookings`.
    pub only: Option<String>,
}

impl Rule {
    /// Affects this number of next calls.
    pub fn next(count: u32) -> Self {
        Self { next: count, ..Self::default() }
    }

    /// Affects a share of calls.
    pub fn rate(rate: f64) -> Self {
        Self { rate, ..Self::default() }
    }

    /// Restricts the rule to a method, or to a method and path.
    pub fn only(self, call: &str) -> Self {
        Self { only: Some(call.to_owned()), ..self }
    }
}

/// Fault settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultSettings {
    /// Rules by fault; at most one fault affects a call.
    pub rules: BTreeMap<InjectedFault, Rule>,
    /// Delay of a delayed call.
    pub delay_millis: u64,
    /// How long a timed-out response is held before 504 is sent.
    pub hold_millis: u64,
}

impl Default for FaultSettings {
    fn default() -> Self {
        Self { rules: BTreeMap::new(), delay_millis: 1_500, hold_millis: 90_000 }
    }
}

impl FaultSettings {
    /// Distributes a rate evenly over the faults of calls and webhooks.
    pub fn any(rate: f64) -> Self {
        let of_webhooks = InjectedFault::ALL.iter().filter(|fault| fault.is_of_webhooks()).count();
        let rules = InjectedFault::ALL.map(|fault| {
            let alike = if fault.is_of_webhooks() { of_webhooks } else { InjectedFault::ALL.len() - of_webhooks };
            (fault, Rule::rate(rate / alike as f64))
        });
        Self { rules: rules.into(), ..Self::default() }
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_millis)
    }

    pub(crate) fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_millis)
    }

    /// Picks the fault of a call such as `POST /bookings`.
    pub(crate) fn of_call(&mut self, call: &str, fault_rng: &mut ChaCha8Rng) -> Option<InjectedFault> {
        let writes = !call.starts_with("GET ");
        let may =
            |fault: &InjectedFault| !fault.is_of_webhooks() && (writes || *fault != InjectedFault::NothingChanged);
        InjectedFault::ALL.into_iter().filter(may).find(|fault| self.strikes(*fault, call, fault_rng))
    }

    /// True if this fault occurs now. Random numbers are drawn only for applicable rules, so that rules do not affect
    /// each other.
    pub(crate) fn strikes(&mut self, fault: InjectedFault, call: &str, fault_rng: &mut ChaCha8Rng) -> bool {
        let Some(rule) = self.rules.get_mut(&fault) else { return false };
        let method = call.split(' ').next();
        if rule.only.as_deref().is_some_and(|only| only != call && Some(only) != method) {
            return false;
        }
        if rule.next > 0 {
            rule.next -= 1;
            return true;
        }
        rule.rate > 0.0 && fault_rng.random::<f64>() < rule.rate
    }
}
