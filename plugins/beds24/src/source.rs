//! Who sold a booking, in the vocabulary all channels share.

use crate::wire::Booking;

/// None only where the record says nothing at all of it.
pub(crate) fn of(booking: &Booking<'_>) -> Option<String> {
    if let Some(word) = booking.channel.said() {
        return Some(in_our_words(&word.to_lowercase()).to_owned());
    }
    // A V1 row has the number under the name that V2 uses for the display text.
    let number = booking.api_source_id.said().or(booking.api_source.said());
    match number.and_then(by_number) {
        Some(word) => Some(word.to_owned()),
        None => {
            let text = booking.api_source.said().filter(|text| text.parse::<u32>().is_err());
            text.map(|text| in_our_words(&text.to_lowercase()).to_owned())
        }
    }
}

fn in_our_words(word: &str) -> &str {
    match word {
        "booking" => "booking.com",
        "bookingpage" | "booking page" => "direct",
        "airbnbical" | "airbnb ical" => "airbnb",
        "vrboical" | "vrbo ical" => "vrbo",
        "googleads" => "google",
        other => other,
    }
}

fn by_number(number: &str) -> Option<&'static str> {
    Some(match number {
        "0" | "1" => "direct",
        "10" | "46" => "airbnb",
        "12" => "flipkey",
        "14" => "expedia",
        "17" => "agoda",
        "19" => "booking.com",
        "20" => "tripadvisor",
        "21" => "icalimport1",
        "24" => "hostelworld",
        "28" => "icalimport2",
        "29" => "icalimport3",
        "30" | "40" => "vrbo",
        "32" => "atraveo",
        "33" => "feratel",
        "35" => "lastminute",
        "36" => "hotelbeds",
        "42" => "ota",
        "43" => "trivago",
        "50" => "tomastravel",
        "51" => "ostrovokru",
        "53" => "trip",
        "54" => "asiatravel",
        "55" => "tripadvisorrentals",
        "56" => "traveloka",
        "57" => "hrs",
        "58" => "google",
        "59" => "despegar",
        "63" => "vacationstay",
        "64" => "hostelsclub",
        "66" => "edreamsodigeo",
        "72" => "jomres",
        "73" => "goibibo",
        "76" => "travia",
        "78" => "hometogo",
        "80" => "googlecal",
        "83" => "traum",
        "86" => "tiket",
        "87" => "marriott",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use gassync_plugin::serde_json::from_str;

    use super::*;

    fn source(json: &str) -> Option<String> {
        of(&from_str(json).expect("a booking"))
    }

    #[test]
    fn words_are_ours() {
        for (channel, ours) in [
            ("booking", "booking.com"),
            ("booking.com", "booking.com"),
            ("bookingpage", "direct"),
            ("airbnbical", "airbnb"),
            ("Airbnb", "airbnb"),
            ("vrboical", "vrbo"),
            ("googleads", "google"),
            ("hometogo", "hometogo"),
            ("SomethingNew", "somethingnew"),
        ] {
            let json = format!(r#"{{"channel":"{channel}","apiSourceId":14}}"#);
            assert_eq!(source(&json).as_deref(), Some(ours), "{channel}");
        }
    }

    #[test]
    fn without_a_word_the_number_says_it() {
        assert_eq!(source(r#"{"channel":"","apiSourceId":0}"#).as_deref(), Some("direct"));
        assert_eq!(source(r#"{"channel":"","apiSourceId":"46"}"#).as_deref(), Some("airbnb"));
        // V1: the number stands in apiSource.
        assert_eq!(source(r#"{"bookId":"1","apiSource":"19"}"#).as_deref(), Some("booking.com"));
        assert_eq!(source(r#"{"channel":"","apiSourceId":7,"apiSource":"Lodge Club"}"#).as_deref(), Some("lodge club"));
        assert_eq!(source(r#"{"channel":"","apiSourceId":7}"#), None);
        assert_eq!(source("{}"), None);
    }
}
