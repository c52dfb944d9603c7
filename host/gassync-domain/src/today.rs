use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// How far the westernmost time zone is behind UTC.
const LAST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// Whether the IANA time zone database has a zone of this name.
pub fn is_time_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// The day of an instant in UTC.
pub fn utc_day(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date()
}

/// The current day at a property. Without a time zone, the earliest current day anywhere, so that no night counts as
/// past too soon and goes unsold.
pub fn today_at(now: Timestamp, zone: Option<&str>) -> Date {
    match zone.and_then(|name| TimeZone::get(name).ok()) {
        Some(zone) => now.to_zoned(zone).date(),
        None => utc_day(now - LAST_ZONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_zone_a_day_ends_where_it_ends_last() {
        let at = |time: &str, zone| today_at(time.parse().expect("a time"), zone).to_string();
        assert_eq!(at("2027-06-02T03:00:00Z", Some("America/New_York")), "2027-06-01");
        assert_eq!(at("2027-06-01T23:30:00Z", Some("Europe/Lisbon")), "2027-06-02");
        for unknown in [None, Some("Mars/Olympus")] {
            assert_eq!(at("2027-06-02T11:59:59Z", unknown), "2027-06-01");
            assert_eq!(at("2027-06-02T12:00:00Z", unknown), "2027-06-02");
        }
        assert!(is_time_zone("Europe/Lisbon") && !is_time_zone("Mars/Olympus"));
    }
}
