use jiff::SignedDuration;
use parking_lot::Mutex;

use super::response::{DeliveryOutcome, GONE};

/// Set when the endpoint is unavailable; remaining messages are deferred.
#[derive(Default)]
pub(super) struct CircuitTrip(Mutex<Option<Tripped>>);

pub(super) struct Tripped {
    pub wait: Option<SignedDuration>,
    pub why: String,
    pub is_gone: bool,
}

impl CircuitTrip {
    /// What tripped it, if anything did.
    pub fn into_inner(self) -> Option<Tripped> {
        self.0.into_inner()
    }

    pub fn is_tripped(&self) -> bool {
        self.0.lock().is_some()
    }

    pub fn record(&self, outcome: &DeliveryOutcome) {
        let (wait, why, is_gone) = match outcome {
            DeliveryOutcome::Unreachable(why) => (None, why.clone(), false),
            DeliveryOutcome::Deferred(wait, why) => (*wait, why.clone(), false),
            DeliveryOutcome::Gone => (None, GONE.to_owned(), true),
            DeliveryOutcome::Delivered | DeliveryOutcome::Failed(_) => return,
        };
        let mut tripped = self.0.lock();
        let longest = tripped.as_ref().and_then(|tripped| tripped.wait).max(wait);
        let was_gone = tripped.as_ref().is_some_and(|tripped| tripped.is_gone);
        *tripped = Some(Tripped { wait: longest, why, is_gone: is_gone || was_gone });
    }
}
