//! The host's clock, in UTC. It is fixed by `gassync plugin try --now`, and in unit tests by
//! `testing::FakeHost::set_now`.

#[cfg(not(target_arch = "wasm32"))]
use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use crate::{Date, date::FIRST_DAY, to_date_text};

const DAY_SECONDS: u64 = 24 * 60 * 60;

#[cfg(not(target_arch = "wasm32"))]
thread_local! {
    /// Fixed time in unit tests.
    static STOPPED_AT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// The current instant in the format of the contract, in whole seconds: `2027-03-01T09:30:00Z`.
pub fn now() -> String {
    instant_text(since_1970())
}

/// Today in UTC; the local date of a property may differ.
pub fn today() -> Date {
    day_of(since_1970())
}

/// Time since the Unix epoch at full resolution, for waits and unique names.
pub fn since_1970() -> Duration {
    #[cfg(not(target_arch = "wasm32"))]
    if let Some(set) = STOPPED_AT.get() {
        return set;
    }
    // WASI's clock starts in 1970, so earlier times cannot occur.
    UNIX_EPOCH.elapsed().unwrap_or_default()
}

fn day_of(since_1970: Duration) -> Date {
    FIRST_DAY.add_days(i64::try_from(since_1970.as_secs() / DAY_SECONDS).unwrap_or(i64::MAX))
}

fn instant_text(since_1970: Duration) -> String {
    let second = since_1970.as_secs() % DAY_SECONDS;
    let date = to_date_text(day_of(since_1970));
    format!("{date}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// Sets a fixed time; `None` returns to the system clock.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn stop_at(instant: Option<Duration>) {
    STOPPED_AT.set(instant);
}

/// Parses the format of [`now`].
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn parse_instant(text: &str) -> Option<Duration> {
    let (seconds, _) = crate::instant::moment(text)?;
    let instant = Duration::from_secs(u64::try_from(seconds).ok()?);
    (instant_text(instant) == text).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHost;

    #[test]
    fn instants_are_written_in_utc_and_read_back() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_804_136_767, "2027-03-04T05:06:07Z"),
            (1_830_297_599, "2027-12-31T23:59:59Z"),
        ] {
            assert_eq!(instant_text(Duration::from_secs(seconds)), text);
            assert_eq!(parse_instant(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in [
            "2027-03-04",
            "2027-03-04T05:06:07",
            "2027-03-04T25:00:00Z",
            "2027-03-04 05:06:07Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(parse_instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_fake_hosts_clock_stands_still_until_it_is_reset() {
        FakeHost::set_now("2027-03-04T23:59:59Z");
        assert_eq!((now().as_str(), to_date_text(today()).as_str()), ("2027-03-04T23:59:59Z", "2027-03-04"));
        assert_eq!(since_1970().as_secs(), 1_804_204_799);
        FakeHost::reset();
        assert!(since_1970().as_secs() != 1_804_204_799, "then it is the machine's");
    }
}
