use std::time::{Duration, SystemTime};

use gassync_plugin::ChannelError;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The present instant.
pub(crate) fn since_1970() -> Result<Duration, ChannelError> {
    #[expect(clippy::disallowed_methods, reason = "a guest's clock is the host's: it is what the call is given")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_err(|_| ChannelError::Broken("the clock stands before 1970".to_owned()))
}

/// An instant in UTC, without parts of a second.
pub(crate) fn instant_text(since_1970: Duration) -> String {
    let (days, seconds) = (since_1970.as_secs() / DAY_SECONDS, since_1970.as_secs() % DAY_SECONDS);
    // Years that begin in March have their odd day at the end.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_804_136_767, "2027-03-04T05:06:07Z"),
            (1_830_297_599, "2027-12-31T23:59:59Z"),
        ] {
            assert_eq!(instant_text(Duration::from_secs(seconds)), text);
        }
    }
}
