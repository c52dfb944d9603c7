//! Instants as the contract writes them: RFC 3339, UTC, with `Z`.

use crate::Date;

const DAY_SECONDS: i64 = 86_400;

/// Reads `2027-03-01T09:30:00Z`, the same with an offset or with a fraction (kept), and `2027-03-01 09:30:00`, which
/// is read as UTC since it names no zone. None where the text is empty or no instant.
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    let date: Date = text.get(..10)?.parse().ok()?;
    let rest = text.get(10..)?;
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let clock = time.get(..8)?;
    let [h0, h1, b':', m0, m1, b':', s0, s1] = *clock.as_bytes() else { return None };
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let tail = time.get(8..)?;
    let digits = tail.strip_prefix('.').map_or(0, |d| 1 + d.bytes().take_while(u8::is_ascii_digit).count());
    let (fraction, zone) = tail.split_at_checked(digits)?;
    if fraction == "." {
        return None;
    }
    let offset_seconds = offset(zone)?;
    let seconds = date.unix_days() * DAY_SECONDS + hour * 3_600 + minute * 60 + second - offset_seconds;
    Some(written(seconds, fraction))
}

/// That many seconds after 1970-01-01T00:00:00Z.
pub fn from_unix_seconds(seconds: i64) -> String {
    written(seconds, "")
}

/// Without a fraction, for channels that read none. Rounds down, so nothing later is missed.
pub fn whole_seconds(instant: &str) -> String {
    match instant.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => instant.to_owned(),
    }
}

fn written(seconds: i64, fraction: &str) -> String {
    let date = Date::from_unix_days(seconds.div_euclid(DAY_SECONDS));
    let second = seconds.rem_euclid(DAY_SECONDS);
    format!("{date}T{:02}:{:02}:{:02}{fraction}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.as_bytes().first() {
        None | Some(b'Z' | b'z') if zone.len() <= 1 => return Some(0),
        Some(b'+') => (1, zone.get(1..)?),
        Some(b'-') => (-1, zone.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = match *rest.as_bytes() {
        [h0, h1, b':', m0, m1] | [h0, h1, m0, m1] => (two(h0, h1)?, two(m0, m1)?),
        [h0, h1] => (two(h0, h1)?, 0),
        _ => return None,
    };
    Some(sign * (hours * 3_600 + minutes * 60))
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writing_becomes_utc() {
        for (text, instant) in [
            ("2027-03-01T09:30:00Z", "2027-03-01T09:30:00Z"),
            ("2027-03-01 09:30:00", "2027-03-01T09:30:00Z"),
            ("2027-03-01T01:30:00+02:00", "2027-02-28T23:30:00Z"),
            ("2027-12-31T23:30:00.250-0100", "2028-01-01T00:30:00.250Z"),
            ("2027-03-01T09:30:00.5", "2027-03-01T09:30:00.5Z"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(instant), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in ["", "2027-03-01", "0000-00-00 00:00:00", "2027-03-01T25:00:00Z", "2027-03-01T09:30:00 CET", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_cut_not_rounded() {
        assert_eq!(whole_seconds("2027-03-01T09:30:00.999Z"), "2027-03-01T09:30:00Z");
        assert_eq!(from_unix_seconds(951_868_800), "2000-03-01T00:00:00Z");
    }
}
