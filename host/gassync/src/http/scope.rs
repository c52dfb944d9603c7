//! What a key may do. A handler names its scope in its signature; without it there is no account to ask for.

/// One thing a key may do.
pub trait KeyScope: Send + Sync + 'static {
    /// As it is given to a key.
    const NAME: &'static str;
}

/// Everything that partners do, now and later.
pub const ALL: &str = "*";

macro_rules! scopes {
    ($($name:ident = $text:literal: $says:literal;)*) => {
        $(
            #[doc = $says]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl KeyScope for $name {
                const NAME: &'static str = $text;
            }
        )*

        /// Every scope that a key can be given, and what it lets its holder do.
        pub const SCOPES: &[(&str, &str)] = &[$(($text, $says)),*];
    };
}

scopes! {
    PropertiesRead = "properties:read": "Read properties.";
    PropertiesWrite = "properties:write": "Make and change properties.";
    RoomTypesRead = "room-types:read": "Read room types.";
    RoomTypesWrite = "room-types:write": "Make and change room types.";
    RatePlansRead = "rate-plans:read": "Read rate plans.";
    RatePlansWrite = "rate-plans:write": "Make and change rate plans.";
    ReservationsRead = "reservations:read": "Read reservations.";
    ReservationsWrite = "reservations:write": "Make, change and cancel reservations.";
    AvailabilityRead = "availability:read": "Read what can be sold, night by night.";
    AvailabilityWrite = "availability:write": "Tell a calendar.";
    GuestsRead = "guests:read": "Read guests.";
    GuestsWrite = "guests:write": "Make and change guests.";
    ChangesRead = "changes:read": "Follow the feed of changes.";
    SyncRead = "sync:read": "Read the audit trail and where the source stands.";
    WebhooksRead = "webhooks:read": "Read subscriptions and what came of their deliveries.";
    WebhooksWrite = "webhooks:write": "Subscribe, change and end subscriptions, test them, and have messages told again.";
    CoreEvents = "core:events": "Say that something of the core may have changed: for the property-management system itself.";
}

/// Begins the scopes that are the core's own, and that a key must be given by name.
const CORE_KINDS: &str = "core:";

/// Whether a key with these scopes may do what `scope` names.
pub fn holds(scopes: &[String], scope: &str) -> bool {
    let for_partners = !scope.starts_with(CORE_KINDS);
    scopes.iter().any(|held| held == scope || (for_partners && held == ALL))
}

/// The first of these that is no scope.
pub fn unknown(scopes: &[String]) -> Option<&String> {
    scopes.iter().find(|given| *given != ALL && !SCOPES.iter().any(|(name, _)| name == given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hold_their_scopes() {
        let some = ["guests:read".to_owned()];
        assert!(holds(&some, GuestsRead::NAME) && !holds(&some, GuestsWrite::NAME));
        assert!(holds(&[ALL.to_owned()], GuestsWrite::NAME) && !holds(&[], GuestsRead::NAME));
        assert!(!holds(&[ALL.to_owned()], CoreEvents::NAME) && holds(&["core:events".to_owned()], CoreEvents::NAME));
        assert_eq!(unknown(&["guests:read".into(), "guest:read".into()]).map(String::as_str), Some("guest:read"));
    }
}
