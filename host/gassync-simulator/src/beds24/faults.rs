//! What goes wrong, on request: by chance, or the next few times.

use std::{collections::BTreeMap, time::Duration};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// One thing that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InjectedFault {
    /// The call is looked at late.
    Delay,
    /// The work is done, and the answer does not come in time.
    TimeoutAfterWork,
    /// 503, and nothing was done.
    ErrorBeforeWork,
    /// 503, and the work was done.
    ErrorAfterWork,
    /// 429, whatever credits are left.
    TooManyRequests,
    /// The work is done, and the connection breaks in the middle of the answer.
    HalfAnswer,
    /// A write is answered as a success, and nothing has changed.
    NothingChanged,
    /// The access token is dead from this call on.
    TokenExpired,
    /// A webhook is delivered twice.
    DuplicateWebhook,
    /// A webhook overtakes those before it.
    ReorderedWebhook,
}

impl InjectedFault {
    /// All there are.
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

/// How often a fault strikes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Rule {
    /// The share of calls or webhooks, from 0 to 1.
    pub rate: f64,
    /// So many of the next ones, whatever the rate.
    pub next: u32,
    /// Only calls of this method, or of this method and path, such as `POST /bookings`.
    pub only: Option<String>,
}

impl Rule {
    /// So many of the next ones.
    pub fn next(count: u32) -> Self {
        Self { next: count, ..Self::default() }
    }

    /// This share of them.
    pub fn rate(rate: f64) -> Self {
        Self { rate, ..Self::default() }
    }

    /// Only calls of this method, or of this method and path.
    pub fn only(self, call: &str) -> Self {
        Self { only: Some(call.to_owned()), ..self }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultSettings {
    /// The faults that may strike; of a call at most one does.
    pub rules: BTreeMap<InjectedFault, Rule>,
    /// How late a delayed call is looked at.
    pub delay_millis: u64,
    /// How long an answer that does not come in time is held back, before 504 is sent.
    pub hold_millis: u64,
}

impl Default for FaultSettings {
    fn default() -> Self {
        Self { rules: BTreeMap::new(), delay_millis: 1_500, hold_millis: 90_000 }
    }
}

impl FaultSettings {
    /// Something goes wrong with this share of calls, and of webhooks: each fault as often as the others.
    pub fn any(rate: f64) -> Self {
        let of_webhooks = InjectedFault::ALL.iter().filter(|fault| fault.is_of_webhooks()).count();
        let rules = InjectedFault::ALL.map(|fault| {
            let alike = if fault.is_of_webhooks() { of_webhooks } else { InjectedFault::ALL.len() - of_webhooks };
            (fault, Rule::rate(rate / alike as f64))
        });
        Self { rules: rules.into(), ..Self::default() }
    }

    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_millis)
    }

    pub(super) fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_millis)
    }

    /// What strikes a call such as `POST /bookings`.
    pub(super) fn of_call(&mut self, call: &str, fault_rng: &mut ChaCha8Rng) -> Option<InjectedFault> {
        let writes = !call.starts_with("GET ");
        let may =
            |fault: &InjectedFault| !fault.is_of_webhooks() && (writes || *fault != InjectedFault::NothingChanged);
        InjectedFault::ALL.into_iter().filter(may).find(|fault| self.strikes(*fault, call, fault_rng))
    }

    /// Whether this fault strikes now. Dice are thrown only for what may strike, so that a rule changes no other's luck.
    pub(super) fn strikes(&mut self, fault: InjectedFault, call: &str, fault_rng: &mut ChaCha8Rng) -> bool {
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
