use crate::{EventName, FieldError, RetryDelay};

crate::words! {
    /// What a message carries.
    #[derive(Default, utoipa::ToSchema)]
    pub enum WebhookPayload {
        /// The entity's ids.
        #[default]
        Thin = "thin",
        /// Also its core record, if it is linked to the source.
        Full = "full",
    }
}

crate::words! {
    /// The form of a message.
    #[derive(Default, utoipa::ToSchema)]
    pub enum WebhookEnvelope {
        /// Standard Webhooks.
        #[default]
        Standard = "standard",
        /// CloudEvents 1.0, structured mode.
        CloudEvents = "cloudevents",
    }
}

crate::words! {
    /// Signature scheme.
    #[derive(Default, utoipa::ToSchema)]
    pub enum Signing {
        /// HMAC-SHA256 with a shared secret.
        #[default]
        V1 = "v1",
        /// Ed25519; the subscriber has the public key.
        V1a = "v1a",
    }
}

/// Delay before each delivery attempt, in seconds, as proposed by Standard Webhooks.
pub const DELIVERY_DELAYS: [i64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Maximum names in a subscriber's filter.
pub const MAX_EVENT_NAMES: usize = 64;

/// The delay after `attempts` failed attempts (1 = the first has just failed); `None` if the delivery is given up.
/// `jitter` (0.0–1.0) adds up to a quarter of it.
pub fn delivery_delay(attempts: u32, jitter: f64) -> Option<RetryDelay> {
    let seconds = DELIVERY_DELAYS.get(attempts.max(1) as usize)?;
    let base = seconds * 1_000;
    Some(RetryDelay(base + (base as f64 / 4.0 * jitter.clamp(0.0, 1.0)) as i64))
}

/// An event filter: event names in either form, `booking.*` for all of a kind; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter(Vec<String>);

impl EventFilter {
    /// Parses names, each of which must match an event.
    pub fn parse(names: Vec<String>) -> Result<Self, Vec<FieldError>> {
        if names.len() > MAX_EVENT_NAMES {
            let problem = format!("has more than {MAX_EVENT_NAMES} names");
            return Err(vec![FieldError::new("/events", problem)]);
        }
        let is_one = |asked: &String| EventName::all().any(|name| fits(asked, &name));
        let wrong = names.iter().enumerate().filter(|(_, asked)| !is_one(asked));
        let error = |(place, _)| FieldError::new(format!("/events/{place}"), "is no event");
        let errors: Vec<FieldError> = wrong.map(error).collect();
        if errors.is_empty() { Ok(Self(names)) } else { Err(errors) }
    }

    /// Creates a filter from names that were validated before; one that no longer exists matches nothing.
    pub fn from_checked(names: &[String]) -> Self {
        Self(names.to_vec())
    }

    /// Whether the filter matches an event.
    pub fn wants(&self, name: &EventName) -> bool {
        self.0.is_empty() || self.0.iter().any(|asked| fits(asked, name))
    }
}

fn fits(asked: &str, name: &EventName) -> bool {
    match asked.strip_suffix(".*") {
        Some(kind) => {
            let is_of = |called: &str| called.split_once('.').is_some_and(|(of, _)| of == kind);
            is_of(&name.event) || is_of(&name.record)
        }
        None => name.answers_to(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_and_then_no_more() {
        let waits: Vec<Option<i64>> = (1..=10).map(|n| delivery_delay(n, 0.0).map(|wait| wait.0 / 1_000)).collect();
        let expected = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(Some);
        assert_eq!(waits[..9], expected);
        assert_eq!(waits[9], None);
        assert_eq!(delivery_delay(1, 1.0), Some(RetryDelay(6_250)));
    }

    #[test]
    fn events_are_asked_for_by_either_name() {
        let filter = |names: &[&str]| EventFilter::parse(names.iter().map(|name| (*name).to_owned()).collect());
        let made = EventName::of("booking", "created", Some("confirmed"));
        let priced = EventName::of("rate", "updated", None);
        for names in [&["booking.confirmed"][..], &["reservation.created"], &["booking.*"], &["reservation.*"]] {
            let filter = filter(names).expect("events");
            assert!(filter.wants(&made) && !filter.wants(&priced), "{names:?}");
        }
        assert!(filter(&[]).expect("all").wants(&priced));
        let gone = EventFilter::from_checked(&["booking.seen".to_owned()]);
        assert!(!gone.wants(&made) && !gone.wants(&priced));
        let errors = filter(&["booking.confirmed", "booking.seen", "*"]).expect_err("no events");
        assert_eq!(errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>(), ["/events/1", "/events/2"]);
    }
}
