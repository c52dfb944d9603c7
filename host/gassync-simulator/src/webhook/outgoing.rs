//! The webhook queue and delivery attempts.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::{FaultSettings, InjectedFault};

/// Name of webhooks in a rule's `only`.
const CALL: &str = "webhook";
/// Delay before the first retry; it doubles with each further one.
const FIRST_WAIT: SignedDuration = SignedDuration::from_millis(200);
/// Maximum delay between retries. The real ones are minutes; this one suits people who watch.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_secs(3);

/// A delivery attempt, for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The reservation; `None` for a room type.
    pub reservation_id: Option<String>,
    /// The room type; `None` for a reservation.
    pub room_type_id: Option<String>,
    /// Number of earlier attempts.
    pub retries: u32,
    /// Response status; `None` without a response.
    pub status: Option<u16>,
}

impl Delivered {
    /// True if the receiver acknowledged it.
    pub fn is_acknowledged(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The content of a webhook.
pub(crate) trait WebhookMessage: Clone + Send {
    /// The reservation it is about.
    fn reservation_id(&self) -> Option<String>;

    /// The room type it is about, if it is not about a reservation.
    fn room_type_id(&self) -> Option<String> {
        None
    }

    /// How long it is retried; `None` until it is acknowledged.
    fn is_retried_for(&self) -> Option<SignedDuration> {
        None
    }
}

/// A queued webhook with its content at the time of the event.
#[derive(Debug, Clone)]
pub(crate) struct QueuedWebhook<M> {
    pub message: M,
    pub retries: u32,
    since: Timestamp,
    not_before: Timestamp,
}

/// Webhooks to send, and those that were sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing<M> {
    pub delivered: Vec<Delivered>,
    queue: Vec<QueuedWebhook<M>>,
    in_flight: usize,
}

impl<M> Default for Outgoing<M> {
    fn default() -> Self {
        Self { delivered: Vec::new(), queue: Vec::new(), in_flight: 0 }
    }
}

impl<M: WebhookMessage> Outgoing<M> {
    pub fn pending(&self) -> usize {
        self.queue.len() + self.in_flight
    }

    /// Queues a webhook that is sent after `late`, twice if the faults say so.
    pub fn push(
        &mut self,
        message: M,
        (now, late): (Timestamp, SignedDuration),
        faults: &mut FaultSettings,
        fault_rng: &mut ChaCha8Rng,
    ) {
        let queued = QueuedWebhook { message, retries: 0, since: now, not_before: now + late };
        if faults.strikes(InjectedFault::DuplicateWebhook, CALL, fault_rng) {
            self.queue.push(queued.clone());
        }
        self.queue.push(queued);
    }

    /// Takes the next webhook: the first that is due, unless another one overtakes it.
    pub fn take(
        &mut self,
        now: Timestamp,
        faults: &mut FaultSettings,
        fault_rng: &mut ChaCha8Rng,
    ) -> Option<QueuedWebhook<M>> {
        let due = self.queue.iter().enumerate().filter(|(_, queued)| queued.not_before <= now);
        let due: Vec<usize> = due.map(|(place, _)| place).collect();
        let first = *due.first()?;
        let overtakes = due.len() > 1 && faults.strikes(InjectedFault::ReorderedWebhook, CALL, fault_rng);
        let place = if overtakes { due[fault_rng.random_range(0..due.len())] } else { first };
        self.in_flight += 1;
        Some(self.queue.remove(place))
    }

    /// Records a result, and schedules a retry if necessary.
    pub fn settle(&mut self, mut sent: QueuedWebhook<M>, status: Option<u16>, now: Timestamp) {
        self.in_flight -= 1;
        let delivered = Delivered {
            reservation_id: sent.message.reservation_id(),
            room_type_id: sent.message.room_type_id(),
            retries: sent.retries,
            status,
        };
        let given_up = sent.message.is_retried_for().is_some_and(|span| now.duration_since(sent.since) >= span);
        if !delivered.is_acknowledged() && !given_up {
            let wait = (FIRST_WAIT * 2_i32.pow(sent.retries.min(6))).min(MAX_BUDGET_WAIT);
            sent.retries += 1;
            sent.not_before = now + wait;
            self.queue.push(sent);
        }
        self.delivered.push(delivered);
    }

    /// Drops a webhook in flight whose target no longer exists.
    pub fn drop_taken(&mut self) {
        self.in_flight -= 1;
    }
}
