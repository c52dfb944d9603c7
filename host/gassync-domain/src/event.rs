use std::borrow::Cow;

/// The names of a fact of the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    /// Business name: `booking.confirmed`.
    pub event: Cow<'static, str>,
    /// Record name: `reservation.created`.
    pub record: Cow<'static, str>,
}

/// All kinds of facts: entity, action, booking statuses that select the row (empty: any), business name, record name.
const NAMES: &[(&str, &str, &[&str], &str, &str)] = &[
    ("booking", "created", &["confirmed"], "booking.confirmed", "reservation.created"),
    ("booking", "created", &["cancelled", "declined"], "booking.cancelled", "reservation.created"),
    ("booking", "created", &[], "booking.updated", "reservation.created"),
    ("booking", "updated", &["confirmed"], "booking.confirmed", "reservation.updated"),
    ("booking", "updated", &["cancelled", "declined"], "booking.cancelled", "reservation.cancelled"),
    ("booking", "updated", &[], "booking.updated", "reservation.updated"),
    ("booking", "deleted", &[], "booking.cancelled", "reservation.deleted"),
    ("availability", "updated", &[], "availability.updated", "availability.updated"),
    ("overbooking", "created", &[], "overbooking.detected", "overbooking.detected"),
    ("rate", "updated", &[], "pricing.updated", "rate.updated"),
    ("property", "created", &[], "property.created", "property.created"),
    ("property", "updated", &[], "property.updated", "property.updated"),
    ("property", "deleted", &[], "property.deleted", "property.deleted"),
    ("bookable_unit", "created", &[], "room-type.created", "room-type.created"),
    ("bookable_unit", "updated", &[], "room-type.updated", "room-type.updated"),
    ("bookable_unit", "deleted", &[], "room-type.deleted", "room-type.deleted"),
    ("rate_plan", "created", &[], "rate-plan.created", "rate-plan.created"),
    ("rate_plan", "updated", &[], "rate-plan.updated", "rate-plan.updated"),
    ("rate_plan", "deleted", &[], "rate-plan.deleted", "rate-plan.deleted"),
    ("guest", "created", &[], "guest.created", "guest.created"),
    ("guest", "updated", &[], "guest.updated", "guest.updated"),
    ("guest", "deleted", &[], "guest.deleted", "guest.deleted"),
    ("webhook", "updated", &["disabled"], "webhook.disabled", "webhook.disabled"),
    ("website", "created", &[], "website.created", "website.created"),
    ("website", "updated", &[], "website.updated", "website.updated"),
    ("website", "deleted", &[], "website.deleted", "website.deleted"),
];

impl EventName {
    /// The names of a fact; `status` is the resulting status of a booking. A kind missing in the table, such as one
    /// written by a newer process, is named after its entity and action.
    pub fn of(entity: &str, action: &str, status: Option<&str>) -> Self {
        let fits = |(of, done, statuses, ..): &&(&str, &str, &[&str], &str, &str)| {
            *of == entity && *done == action && (statuses.is_empty() || status.is_some_and(|s| statuses.contains(&s)))
        };
        NAMES.iter().find(fits).map_or_else(
            || {
                let written = Cow::from(format!("{}.{action}", entity.replace('_', "-")));
                Self { event: written.clone(), record: written }
            },
            |(.., event, record)| Self { event: Cow::from(*event), record: Cow::from(*record) },
        )
    }

    /// All names, in both forms.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(.., event, record)| Self { event: Cow::from(*event), record: Cow::from(*record) })
    }

    /// Whether `name` is one of the two names.
    pub fn answers_to(&self, name: &str) -> bool {
        self.event == name || self.record == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_two_names() {
        for (entity, action, status, event, record) in [
            ("booking", "created", Some("confirmed"), "booking.confirmed", "reservation.created"),
            ("booking", "created", Some("pending"), "booking.updated", "reservation.created"),
            ("booking", "updated", Some("confirmed"), "booking.confirmed", "reservation.updated"),
            ("booking", "updated", Some("declined"), "booking.cancelled", "reservation.cancelled"),
            ("booking", "updated", Some("no-show"), "booking.updated", "reservation.updated"),
            ("booking", "updated", None, "booking.updated", "reservation.updated"),
            ("rate", "updated", None, "pricing.updated", "rate.updated"),
        ] {
            let name = EventName::of(entity, action, status);
            assert_eq!((&*name.event, &*name.record), (event, record), "{entity} {action}");
        }
        let names: Vec<Cow<'_, str>> = EventName::all().map(|name| name.event).collect();
        for asked in
            ["booking.confirmed", "booking.updated", "booking.cancelled", "availability.updated", "pricing.updated"]
        {
            assert!(names.iter().any(|name| name == asked), "{asked}");
        }
    }

    #[test]
    fn unknown_events_use_entity_and_action() {
        let name = EventName::of("tax_rule", "created", None);
        assert_eq!((&*name.event, &*name.record), ("tax-rule.created", "tax-rule.created"));
        assert_eq!(EventName::of("booking", "seen", Some("confirmed")).record, "booking.seen");
    }
}
