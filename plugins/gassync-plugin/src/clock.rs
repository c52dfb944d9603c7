//! The clock. In a component it is the host's, which a test run may set.

use crate::{Date, instant};

/// Seconds since 1970-01-01T00:00:00Z.
pub fn unix_seconds() -> i64 {
    #[cfg(target_family = "wasm")]
    {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
    #[cfg(not(target_family = "wasm"))]
    crate::testing::unix_seconds()
}

/// This instant, to the second.
pub fn now() -> String {
    instant::from_unix_seconds(unix_seconds())
}

/// Today's date in UTC; at the property it may be a day earlier or later.
pub fn today() -> Date {
    Date::from_unix_days(unix_seconds().div_euclid(86_400))
}
