//! What is written to channels, and what they make of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::{Calendar, Entity, FieldError, Header, Reservation};

/// Nights to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarUpdate {
    /// Every value that is known, since a channel may need the whole row.
    #[serde(flatten)]
    pub calendar: Calendar,
    /// Which of them are new.
    #[serde(default)]
    pub changed: CalendarParts,
}

/// Parts of a calendar; all, unless somebody says fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CalendarParts {
    /// Free or not, and how many.
    pub availability: bool,
    /// Prices.
    pub price: bool,
    /// Stay rules.
    pub rules: bool,
}

impl Default for CalendarParts {
    fn default() -> Self {
        Self { availability: true, price: true, rules: true }
    }
}

/// What to do with a reservation at the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Make it.
    Create,
    /// Change it.
    Change,
    /// Cancel it.
    Cancel,
    /// Say yes to a request.
    Accept,
    /// Say no to a request.
    Decline,
    /// Take nights out of sale.
    Block,
    /// Put them back.
    Unblock,
}

/// Whether this was tried before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attempt {
    /// Never, or it surely failed.
    #[default]
    First,
    /// An earlier try may have worked: look before writing again.
    AfterUnknown,
}

/// One thing to do with a reservation at the channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// What.
    pub verb: Verb,
    /// Whether this was tried before.
    #[serde(default)]
    pub attempt: Attempt,
    /// Our id, the same on every try.
    pub reference: String,
    /// The channel's id, where it has one.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// As it should be.
    pub reservation: Reservation,
}

/// Content of a property, a room type or a rate plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentItem {
    /// What it is.
    pub entity: Entity,
    /// Our id.
    pub reference: String,
    /// The channel's id, where it has one.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// By the contract's `content.schema.json`.
    pub content: Value,
}

/// What a channel made of one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It took it.
    Accepted {
        /// Its id.
        id: Option<String>,
        /// The id it moved the record away from.
        replaces: Option<String>,
        /// It has it for sure; otherwise it counts only after it was read back.
        confirmed: bool,
        /// What it said besides.
        warnings: Vec<String>,
    },
    /// It did not, and will not.
    Refused(Vec<FieldError>),
    /// Not now; after so many seconds where it says.
    Retry(Option<u32>),
    /// It may have taken it.
    Unknown,
    /// Something this contract has no word for.
    Other {
        /// The plugin's word.
        kind: String,
        /// What it says.
        value: Value,
    },
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            status: &'a str,
            id: Option<&'a str>,
            retry_after: Option<u32>,
            errors: &'a [FieldError],
            warnings: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            replaces: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            confirmed: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'a Value>,
        }
        let bare = |status| Shown {
            status,
            id: None,
            retry_after: None,
            errors: &[],
            warnings: &[],
            replaces: None,
            confirmed: None,
            value: None,
        };
        let shown = match self {
            Self::Accepted { id, replaces, confirmed, warnings } => Shown {
                id: id.as_deref(),
                replaces: replaces.as_deref(),
                confirmed: (!confirmed).then_some(false),
                warnings,
                ..bare(if warnings.is_empty() { "accepted" } else { "warned" })
            },
            Self::Refused(errors) => Shown { errors, ..bare("refused") },
            Self::Retry(seconds) => Shown { retry_after: *seconds, ..bare("retry") },
            Self::Unknown => bare("unknown"),
            Self::Other { kind, value } => Shown { value: Some(value), ..bare(kind) },
        };
        shown.serialize(serializer)
    }
}

impl Outcome {
    /// One outcome for something that was written in several parts: the worst of them, with all that was said.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused(mut errors), Self::Refused(more)) => {
                errors.extend(more);
                Self::Refused(errors)
            }
            (Self::Retry(a), Self::Retry(b)) => Self::Retry(a.max(b)),
            (
                Self::Accepted { id, replaces, confirmed, mut warnings },
                Self::Accepted { id: other_id, replaces: other_replaces, confirmed: other_confirmed, warnings: more },
            ) => {
                warnings.extend(more);
                Self::Accepted {
                    id: id.or(other_id),
                    replaces: replaces.or(other_replaces),
                    confirmed: confirmed && other_confirmed,
                    warnings,
                }
            }
            (a, b) => {
                if a.gravity() >= b.gravity() {
                    a
                } else {
                    b
                }
            }
        }
    }

    fn gravity(&self) -> u8 {
        match self {
            Self::Accepted { .. } => 0,
            Self::Other { .. } => 1,
            Self::Retry(_) => 2,
            Self::Unknown => 3,
            Self::Refused(_) => 4,
        }
    }
}

/// What became of a reservation, for channels that want each of them confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The reservation's own.
    pub token: String,
    /// The channel's id.
    pub external_id: String,
    /// Ours.
    #[serde(default)]
    pub reference: Option<String>,
    /// Why it was refused, if it was.
    #[serde(default)]
    pub refused: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A part of what a channel fetches from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Counts in the first part alone.
    pub status: u16,
    /// Count in the first part alone.
    pub headers: Vec<Header>,
    /// The bytes.
    pub body: Vec<u8>,
    /// What the next call is given; none on the last part.
    pub next: Option<String>,
}

/// How a connection stands, by its own test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Who we are there.
    pub account: Option<String>,
    /// What we may do.
    pub scopes: Vec<String>,
    /// What is missing; empty when nothing is.
    pub missing: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_part_tells_for_all() {
        let taken = |warnings: Vec<String>| Outcome::Accepted { id: None, replaces: None, confirmed: true, warnings };
        let refused = Outcome::Refused(vec![FieldError { path: "/a".into(), problem: "no".into() }]);
        assert_eq!(taken(vec!["a".into()]).and(taken(vec!["b".into()])), taken(vec!["a".into(), "b".into()]));
        assert_eq!(taken(Vec::new()).and(refused.clone()), refused);
        assert_eq!(refused.clone().and(Outcome::Unknown), refused);
        assert_eq!(Outcome::Retry(Some(5)).and(Outcome::Retry(Some(9))), Outcome::Retry(Some(9)));
        let shown = serde_json::to_value(taken(vec!["a".into()])).expect("JSON");
        assert_eq!(shown["status"], "warned");
    }

    #[test]
    fn an_update_that_does_not_say_is_new_in_every_part() {
        let update = r#"{"kind":"calendar","roomTypeId":"r","nights":[{"date":"2027-05-01","price":90.50}]}"#;
        let update: CalendarUpdate = serde_json::from_str(update).expect("an update");
        assert!(update.changed.availability && update.changed.price && update.changed.rules);
        assert_eq!(update.calendar.nights[0].price.map(|p| p.to_string()).as_deref(), Some("90.5"));
    }
}
