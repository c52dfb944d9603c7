use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JobSpec, priority};
use crate::store::{
    queue::{NewJob, QueueKey},
    webhooks::Webhook,
};

/// Delivers a fact, or a test message, to a webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    webhook: i64,
    #[serde(flatten)]
    message: Delivered,
}

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Delivered {
    /// The fact of this sequence number.
    Sequence(i64),
    /// A test message of this id.
    Test(String),
}

impl JobSpec for Deliver {
    const NAME: &'static str = "deliver";
    const PRIORITY: i64 = priority::AVAILABILITY;
    /// Deliveries are limited by attempts, not by age.
    const MAX_AGE: Option<SignedDuration> = None;

    fn queue(&self) -> QueueKey {
        QueueKey::Webhook(self.webhook)
    }

    fn sequence(&self) -> Option<i64> {
        match self.message {
            Delivered::Sequence(sequence) => Some(sequence),
            Delivered::Test(_) => None,
        }
    }
}

impl Deliver {
    /// The delivery of the fact of this sequence number to a subscription.
    pub fn fact(webhook: &Webhook, sequence: i64) -> NewJob {
        Self { webhook: webhook.id, message: Delivered::Sequence(sequence) }.of(webhook.key())
    }

    /// The delivery of a test message.
    pub fn test(webhook: &Webhook, id: String) -> NewJob {
        Self { webhook: webhook.id, message: Delivered::Test(id) }.of(webhook.key())
    }

    /// The id of the test message that a stored delivery names.
    pub fn test_id_in(payload: &Value) -> Option<String> {
        match Self::deserialize(payload).ok()?.message {
            Delivered::Sequence(_) => None,
            Delivered::Test(id) => Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&Deliver { webhook: 7, message: Delivered::Sequence(9) }, r#"{"sequence":9,"webhook":7}"#);
        let test = Deliver { webhook: 7, message: Delivered::Test("msg_1".to_owned()) };
        assert_stored(&test, r#"{"test":"msg_1","webhook":7}"#);
    }
}
