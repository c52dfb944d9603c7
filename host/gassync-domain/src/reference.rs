use crate::{AccountId, CoreId};

/// Our reference of a booking at channels, stable across retries: `gas-3-17` is booking 17 of account 3. A channel
/// booking with this reference was created by us.
pub fn reference_of(account: AccountId, booking: CoreId) -> String {
    format!("gas-{account}-{booking}")
}

/// The booking of this account for a reference; `None` if the reference is not ours or another account's.
pub fn referenced(account: AccountId, reference: &str) -> Option<CoreId> {
    let booking: i64 = reference.strip_prefix(&format!("gas-{account}-"))?.parse().ok()?;
    let booking = CoreId(booking);
    // Only the canonical spelling of the number counts.
    (reference_of(account, booking) == reference).then_some(booking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_booking_and_no_other() {
        let (account, booking) = (AccountId(3), CoreId(17));
        assert_eq!(reference_of(account, booking), "gas-3-17");
        assert_eq!(referenced(account, "gas-3-17"), Some(booking));
        for other in ["gas-31-17", "gas-3-017", "gas-3-+17", "gas-3-", "GAS-3-17", "gas-3-17 ", "17"] {
            assert_eq!(referenced(account, other), None, "{other}");
        }
    }
}
