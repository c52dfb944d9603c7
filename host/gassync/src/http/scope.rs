//! Scopes of API keys. A handler names its scope in the type of `Caller`; without one it has no account.

/// A scope.
pub trait KeyScope: Send + Sync + 'static {
    /// Name of the scope.
    const NAME: &'static str;
}

/// All partner scopes, including future ones.
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

        /// All scopes with their descriptions.
        pub const SCOPES: &[(&str, &str)] = &[$(($text, $says)),*];
    };
}

scopes! {
    PropertiesRead = "properties:read": "Read properties.";
    PropertiesWrite = "properties:write": "Create, change and withdraw properties.";
    RoomTypesRead = "room-types:read": "Read room types.";
    RoomTypesWrite = "room-types:write": "Create, change and withdraw room types.";
    RatePlansRead = "rate-plans:read": "Read rate plans.";
    RatePlansWrite = "rate-plans:write": "Create, change and withdraw rate plans.";
    ReservationsRead = "reservations:read": "Read reservations.";
    ReservationsWrite = "reservations:write": "Create, change and cancel reservations.";
    AvailabilityRead = "availability:read": "Read availability by night.";
    AvailabilityWrite = "availability:write": "Send calendars.";
    GuestsRead = "guests:read": "Read guests.";
    GuestsWrite = "guests:write": "Create, change and withdraw guests.";
    ChangesRead = "changes:read": "Read the change feed.";
    SyncRead = "sync:read": "Read the sync log and the status of the source.";
    WebhooksRead = "webhooks:read": "Read subscriptions and their deliveries.";
    WebhooksWrite = "webhooks:write": "Create, change, delete and test subscriptions, and replay messages.";
    CoreEvents = "core:events": "Report changed core records (for the PMS only).";
}

/// Prefix of scopes that `*` does not include.
const CORE_KINDS: &str = "core:";

/// True if these scopes include `scope`.
pub fn holds(scopes: &[String], scope: &str) -> bool {
    let for_partners = !scope.starts_with(CORE_KINDS);
    scopes.iter().any(|held| held == scope || (for_partners && held == ALL))
}

/// The first unknown scope.
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
