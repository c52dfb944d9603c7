use serde::{Deserialize, Serialize};

/// Rules of stay of a night. Lengths of stay are in nights. A rule of `None` is not set; 0 clears it, except for
/// `max_advance_days`, as in the plugin contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StayRules {
    /// Minimum stay by arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay: Option<u32>,
    /// Maximum stay by arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay: Option<u32>,
    /// No arrival on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_arrival: Option<bool>,
    /// No departure on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_departure: Option<bool>,
    /// Minimum length of any stay that includes this night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay_through: Option<u32>,
    /// The only allowed length of a stay by arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_stay: Option<u32>,
    /// Minimum days between booking and arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_advance_days: Option<u32>,
    /// Maximum days between booking and arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_advance_days: Option<u32>,
}

impl StayRules {
    /// With both days said: one that is not closed is open.
    #[must_use]
    pub fn with_days_said(self) -> Self {
        let said = |flag: Option<bool>| Some(flag.unwrap_or_default());
        Self {
            closed_to_arrival: said(self.closed_to_arrival),
            closed_to_departure: said(self.closed_to_departure),
            ..self
        }
    }

    /// With closed days only: one that is open is not said.
    #[must_use]
    pub fn with_closed_days(self) -> Self {
        let closed = |flag: Option<bool>| flag.filter(|closed| *closed);
        Self {
            closed_to_arrival: closed(self.closed_to_arrival),
            closed_to_departure: closed(self.closed_to_departure),
            ..self
        }
    }

    /// Clears each rule that was set before and is not any more, since an omitted rule stays in force at the channel.
    /// `max_advance_days` cannot be cleared in the contract.
    #[must_use]
    pub fn with_cleared(mut self, before: &Self) -> Self {
        for (rule, before, lifted) in [
            // Every channel accepts a minimum of one night; some do not accept none.
            (&mut self.min_stay, before.min_stay, 1),
            (&mut self.min_stay_through, before.min_stay_through, 1),
            (&mut self.max_stay, before.max_stay, 0),
            (&mut self.exact_stay, before.exact_stay, 0),
            (&mut self.min_advance_days, before.min_advance_days, 0),
        ] {
            *rule = rule.or(before.map(|_| lifted));
        }
        self
    }

    /// True if a channel that was sent these rules may show them as `seen`: a value missing on either side matches, and
    /// a channel with fewer rules may show one in place of another.
    pub fn match_seen(&self, seen: &Self) -> bool {
        let exact = self.exact_stay.filter(|nights| *nights > 0);
        // No rule and a rule without effect are the same.
        let least = |nights: Option<u32>| nights.map(|nights| nights.max(1));
        let most = |nights: Option<u32>| nights.map(|nights| if nights == 0 { u32::MAX } else { nights });
        let strictest = self.min_stay.max(self.min_stay_through);
        // A channel without arrival rules shows its stay-through rule there, too.
        let is_through = self.min_stay_through.is_some() && seen.min_stay == seen.min_stay_through;
        let days = self.with_days_said();
        (is_through || agree_with_one([self.min_stay, strictest, exact].map(least), least(seen.min_stay)))
            && agree(least(self.min_stay_through), least(seen.min_stay_through))
            && agree_with_one([self.max_stay, exact].map(most), most(seen.max_stay))
            && agree(self.exact_stay, seen.exact_stay)
            && agree(days.closed_to_arrival, seen.closed_to_arrival)
            && agree(days.closed_to_departure, seen.closed_to_departure)
            && agree(self.min_advance_days, seen.min_advance_days)
            && agree(self.max_advance_days, seen.max_advance_days)
    }
}

/// Whether two values agree; a missing value agrees with any.
pub(crate) fn agree<T: PartialEq>(wanted: Option<T>, seen: Option<T>) -> bool {
    wanted.zip(seen).is_none_or(|(wanted, seen)| wanted == seen)
}

/// Whether the observed value agrees with any desired one.
fn agree_with_one<const N: usize>(wanted: [Option<u32>; N], seen: Option<u32>) -> bool {
    seen.is_none() || wanted.iter().all(Option::is_none) || wanted.contains(&seen)
}
