//! Writes to channels, and their results.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::Value;

use crate::{Block, Calendar, Entity, Extra, FieldError, Header, Reservation};

/// Nights to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarUpdate {
    /// Every known value, because a channel may need the whole row.
    #[serde(flatten)]
    pub calendar: Calendar,
    /// Which parts changed.
    #[serde(default)]
    pub changed: CalendarParts,
}

/// Parts of a calendar; all by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CalendarParts {
    /// Availability and number of units.
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

/// The kind of an operation at the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// Create the reservation.
    Create,
    /// Change the reservation.
    Change,
    /// Cancel the reservation.
    Cancel,
    /// Accept a request.
    Accept,
    /// Decline a request.
    Decline,
    /// Block nights.
    Block,
    /// Put nights back on sale.
    Unblock,
}

/// Whether an earlier attempt may have succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attempt {
    /// No earlier attempt, or it certainly failed.
    #[default]
    First,
    /// An earlier attempt may have succeeded: look before writing again.
    AfterUnknown,
}

/// The record of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A reservation in its desired state.
    Reservation(Box<Reservation>),
    /// A block, for [`OperationKind::Block`] and [`OperationKind::Unblock`].
    Block(Box<Block>),
}

/// One operation on a reservation or a block at the channel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "OperationJson")]
pub struct Operation {
    /// Its kind.
    pub kind: OperationKind,
    /// Whether an earlier attempt may have succeeded.
    pub attempt: Attempt,
    /// Our reference, the same on every attempt.
    pub reference: String,
    /// The channel's id, if it has one.
    pub channel_id: Option<String>,
    /// The record.
    pub subject: Subject,
}

/// An operation in JSON: the record is under the name of its kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OperationJson {
    kind: OperationKind,
    #[serde(default)]
    attempt: Attempt,
    reference: String,
    channel_id: Option<String>,
    reservation: Option<Box<Reservation>>,
    block: Option<Box<Block>>,
}

impl TryFrom<OperationJson> for Operation {
    type Error = &'static str;

    fn try_from(operation: OperationJson) -> Result<Self, Self::Error> {
        let OperationJson { kind, attempt, reference, channel_id, reservation, block } = operation;
        let mut subject = match (kind, reservation, block) {
            (OperationKind::Block | OperationKind::Unblock, None, Some(block)) => Subject::Block(block),
            (OperationKind::Block | OperationKind::Unblock, ..) => {
                return Err("block: is required by this kind of operation");
            }
            (_, Some(reservation), None) => Subject::Reservation(reservation),
            _ => return Err("reservation: is required by this kind of operation"),
        };
        // The JSON may use the short forms.
        match &mut subject {
            Subject::Reservation(reservation) => reservation.normalise(),
            Subject::Block(block) => block.normalise(),
        }
        Ok(Self { kind, attempt, reference, channel_id, subject })
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_struct("Operation", 5)?;
        written.serialize_field("kind", &self.kind)?;
        written.serialize_field("attempt", &self.attempt)?;
        written.serialize_field("reference", &self.reference)?;
        written.serialize_field("channelId", &self.channel_id)?;
        match &self.subject {
            Subject::Reservation(reservation) => written.serialize_field("reservation", reservation)?,
            Subject::Block(block) => written.serialize_field("block", block)?,
        }
        written.end()
    }
}

/// Content of a property, a room type or a rate plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentItem {
    /// The kind of record.
    pub entity: Entity,
    /// Our reference.
    pub reference: String,
    /// The channel's id, if it has one.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// In the form of the contract's `content.schema.json`.
    pub content: Value,
}

/// The outcome of one pushed item.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The channel accepted it.
    Accepted {
        /// The channel's id.
        id: Option<String>,
        /// The former id, if the channel moved the record to another one.
        replaces: Option<String>,
        /// The channel has certainly stored it; otherwise it counts only after it has been read back.
        confirmed: bool,
        /// Its warnings.
        warnings: Vec<String>,
    },
    /// The channel refused it for good.
    Refused(Vec<FieldError>),
    /// Try again, after this many seconds if the channel says so.
    Retry(Option<u32>),
    /// The channel may or may not have accepted it.
    Unknown,
    /// An outcome the contract has no case for.
    Other {
        /// The plugin's name for it.
        kind: String,
        /// Its value.
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
    /// Combines the outcomes of several parts into one: the worst of them, with all messages.
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
                if a.severity() >= b.severity() {
                    a
                } else {
                    b
                }
            }
        }
    }

    fn severity(&self) -> u8 {
        match self {
            Self::Accepted { .. } => 0,
            Self::Other { .. } => 1,
            Self::Retry(_) => 2,
            Self::Unknown => 3,
            Self::Refused(_) => 4,
        }
    }
}

/// An acknowledgement of a reservation, for channels that require one for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// The token of the reservation.
    pub token: String,
    /// The channel's id.
    pub external_id: String,
    /// Our reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// The reason, if it was refused.
    #[serde(default)]
    pub refused: Option<String>,
    /// The time of processing.
    pub at: Timestamp,
}

/// The channel's answer to an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcknowledgementOutcome {
    /// It accepted it.
    Accepted,
    /// Send the same again, after this many seconds if the channel says so.
    Retry(Option<u32>),
    /// It has a newer revision and will deliver it: this acknowledgement is void.
    Outdated(String),
    /// It will never accept it.
    Refused(String),
}

/// A chunk of a feed that a channel fetches from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Counts in the first chunk only.
    pub status: u16,
    /// Count in the first chunk only.
    pub headers: Vec<Header>,
    /// The bytes.
    pub body: Vec<u8>,
    /// The cursor of the next chunk; none on the last chunk.
    pub next: Option<String>,
}

/// The result of subscribing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscribed {
    /// The channel's ids of the new subscriptions.
    pub ids: Vec<String>,
    /// Steps that a person still has to do there.
    pub steps: Vec<String>,
}

/// The result of testing a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The name of our account there.
    pub account: Option<String>,
    /// The permissions we have.
    pub scopes: Vec<String>,
    /// What is missing; empty if nothing.
    pub missing: Vec<String>,
    /// Additional members.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_counts() {
        let taken = |warnings: Vec<String>| Outcome::Accepted { id: None, replaces: None, confirmed: true, warnings };
        let refused = Outcome::Refused(vec![FieldError::new("/a", "no")]);
        assert_eq!(taken(vec!["a".into()]).and(taken(vec!["b".into()])), taken(vec!["a".into(), "b".into()]));
        assert_eq!(taken(Vec::new()).and(refused.clone()), refused);
        assert_eq!(refused.clone().and(Outcome::Unknown), refused);
        assert_eq!(Outcome::Retry(Some(5)).and(Outcome::Retry(Some(9))), Outcome::Retry(Some(9)));
        let shown = serde_json::to_value(taken(vec!["a".into()])).expect("JSON");
        assert_eq!(shown["status"], "warned");
    }

    #[test]
    fn an_update_without_changed_parts_changes_all() {
        let update = r#"{"kind":"calendar","roomTypeId":"r","nights":[{"date":"2027-05-01","price":90.50}]}"#;
        let update: CalendarUpdate = serde_json::from_str(update).expect("an update");
        assert!(update.changed.availability && update.changed.price && update.changed.rules);
        assert_eq!(update.calendar.nights[0].price.map(|p| p.to_string()).as_deref(), Some("90.5"));
    }

    #[test]
    fn an_operation_requires_the_record_of_its_kind() {
        let reservation = r#"{"kind":"create","reference":"b1",
            "reservation":{"id":"","status":"confirmed","roomTypeId":"7","checkIn":"2027-05-01","checkOut":"2027-05-03"}}"#;
        let operation: Operation = serde_json::from_str(reservation).expect("an operation");
        let Subject::Reservation(about) = &operation.subject else { panic!("{operation:?}") };
        assert_eq!(about.rooms[0].room_type_id.as_deref(), Some("7"), "the short form counts");
        assert_eq!(operation.attempt, Attempt::First);
        let block = r#"{"kind":"block","reference":"b2","block":{"checkIn":"2027-05-01","checkOut":"2027-05-03"}}"#;
        let operation: Operation = serde_json::from_str(block).expect("an operation");
        let again: Operation = serde_json::from_value(serde_json::to_value(&operation).expect("JSON")).expect("again");
        assert_eq!(again, operation);
        for wrong in [
            r#"{"kind":"create","reference":"b1"}"#,
            r#"{"kind":"unblock","reference":"b1","reservation":{"id":"","status":"confirmed"}}"#,
        ] {
            assert!(serde_json::from_str::<Operation>(wrong).is_err(), "{wrong}");
        }
    }
}
