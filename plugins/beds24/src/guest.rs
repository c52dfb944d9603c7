use gassync_plugin::{GuestDetails, country};

use crate::wire::Booking;

/// Who booked. An empty text says nothing: without the scope for personal data all of them are empty or missing.
pub(crate) fn of(booking: &Booking<'_>, source: Option<&str>) -> Option<GuestDetails> {
    GuestDetails {
        first_name: booking.first_name.owned(),
        last_name: booking.last_name.owned(),
        email: booking.email.owned(),
        phone: booking.phone.owned().or_else(|| booking.mobile.owned()),
        country: country_of(booking, source),
        language: booking.lang.owned(),
        ..GuestDetails::NOTHING
    }
    .said()
}

/// Whether the record knows its person at all; a webhook can be set to leave them out.
pub(crate) fn is_person_known(booking: &Booking<'_>) -> bool {
    let personal =
        [&booking.first_name, &booking.last_name, &booking.email, &booking.phone, &booking.mobile];
    personal.iter().any(|text| text.said().is_some())
}

/// For Airbnb the second country is often the language of the guest's screen, so only the first counts. That one is
/// free text: two letters, a name, or even a number, which says nothing.
fn country_of(booking: &Booking<'_>, source: Option<&str>) -> Option<String> {
    let first = booking.country.said();
    let second = booking.country2.said().filter(|_| source != Some("airbnb"));
    second
        .and_then(country::code)
        .or_else(|| first.and_then(country::code))
        .or_else(|| first.filter(|text| text.chars().any(char::is_alphabetic)).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use gassync_plugin::serde_json::from_str;

    use super::*;

    fn country(country: &str, country2: &str, source: &str) -> Option<String> {
        let json = format!(r#"{{"country":"{country}","country2":{country2}}}"#);
        country_of(&from_str(&json).expect("a booking"), Some(source))
    }

    #[test]
    fn a_country_is_two_letters_where_it_can_be() {
        assert_eq!(country("fi", "\"FI\"", "booking.com").as_deref(), Some("FI"));
        assert_eq!(country("Finland", "\"FI\"", "booking.com").as_deref(), Some("FI"));
        assert_eq!(country("fi", "null", "direct").as_deref(), Some("FI"));
        assert_eq!(country("Finland", "null", "direct").as_deref(), Some("Finland"));
        assert_eq!(country("19", "\"\"", "direct"), None);
    }

    #[test]
    fn airbnbs_second_country_is_a_language() {
        assert_eq!(country("fi", "\"DE\"", "airbnb").as_deref(), Some("FI"));
        assert_eq!(country("", "\"ES\"", "airbnb"), None);
        assert_eq!(country("", "\"EN\"", "expedia"), None);
    }

    #[test]
    fn a_mobile_number_stands_in_for_a_telephone() {
        let json = r#"{"phone":"","mobile":358401234567,"lastName":"  ","lang":"fi"}"#;
        let guest = of(&from_str(json).expect("a booking"), None).expect("a guest");
        assert_eq!(guest.phone.as_deref(), Some("358401234567"));
        assert_eq!((guest.last_name, guest.language.as_deref()), (None, Some("fi")));
    }

    #[test]
    fn nothing_said_is_no_guest() {
        let booking = from_str(r#"{"firstName":"","email":null}"#).expect("a booking");
        assert_eq!(of(&booking, None), None);
        assert!(!is_person_known(&booking));
    }
}
