//! Beds24's words, in the contract's.

use gassync_plugin::{Lenient, ReservationStatus};

/// What a booking's status makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BookingKind {
    /// `black`: nights closed by hand.
    Block,
    Reservation(Word),
}

/// The status of a reservation, before it becomes the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Confirmed,
    Pending,
    Inquiry,
    Cancelled,
    NoShow,
    Other(String),
}

impl From<Word> for ReservationStatus {
    fn from(word: Word) -> Self {
        match word {
            Word::Confirmed => Self::Confirmed,
            Word::Pending => Self::Pending(None),
            Word::Inquiry => Self::Inquiry,
            Word::Cancelled => Self::Cancelled,
            Word::NoShow => Self::NoShow,
            Word::Other(word) => Self::Other(word),
        }
    }
}

/// V2 words and V1 numbers, in any case. Bookings of selling sites normally arrive as `new`, which means only that
/// the host has not looked yet.
///
/// A booking that says no word is one that nobody knows.
pub(crate) fn booking_kind(status: Option<&str>, sub_status: &str) -> BookingKind {
    let status = status.unwrap_or("missing");
    let no_show = sub_status.eq_ignore_ascii_case("noShow");
    BookingKind::Reservation(match status.to_lowercase().as_str() {
        "black" | "4" => return BookingKind::Block,
        "cancelled" | "canceled" | "0" => Word::Cancelled,
        _ if no_show => Word::NoShow,
        "confirmed" | "new" | "1" | "2" => Word::Confirmed,
        "request" | "3" => Word::Pending,
        "inquiry" | "5" => Word::Inquiry,
        _ => Word::Other(status.to_owned()),
    })
}

/// Who sold a booking.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seller {
    /// The site, in the contract's word where it has one.
    pub source: Option<String>,
    /// What a side field says besides.
    pub beside: Option<String>,
}

/// Words of a side field that name no seller: how a booking was entered, not who sold it.
const NO_SELLERS: [&str; 18] = [
    "api",
    "admin",
    "beds24",
    "booking page",
    "control panel",
    "desk",
    "email",
    "front desk",
    "front-desk",
    "frontdesk",
    "iframe",
    "internal",
    "phone",
    "reception",
    "walk in",
    "walk-in",
    "walkin",
    "website",
];

/// Who sold it. The word of the booking counts first, then the number of the API source, then the texts beside them, in
/// their order: a site without an interface of its own is written there, by hand or by another program, on a booking that
/// is `direct` for Beds24. What nobody knows is passed on in lower case.
pub(crate) fn seller(channel: &str, api_source_id: Option<u32>, sides: &[&Lenient]) -> Seller {
    let sides: Vec<&str> = sides.iter().filter_map(|said| said.as_str()).collect();
    let channel_site = site(channel).or_else(|| by_number(api_source_id).map(str::to_owned));
    let mut named = sides.iter().copied().filter_map(side);
    let source = match channel_site {
        Some(channel_site) if channel_site != DIRECT => Some(channel_site),
        // Only what a side field says is nearer than `direct`.
        channel_site => {
            named.find(|name| name != DIRECT).or(channel_site).or_else(|| sides.iter().copied().find_map(side))
        }
    };
    // The first is the text of the API source, of which the number has told already.
    let beside = sides.iter().copied().skip(1).find(|text| {
        side(text).is_some_and(|name| name != DIRECT && Some(&name) != source.as_ref() && !is_same(&name, &source))
    });
    Seller { beside: beside.map(str::to_owned), source }
}

/// Whether both are about one site: `Hotelbeds (XML)` and `hotelbeds`.
fn is_same(name: &str, source: &Option<String>) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    source.as_ref().is_some_and(|source| letters(name) == letters(source))
}

/// The seller that a side field names. Neither a number nor an address names one.
fn side(text: &str) -> Option<String> {
    let word = text.trim().to_lowercase();
    let names_one = word.chars().any(char::is_alphabetic)
        && !word.contains("://")
        && !word.starts_with("www.")
        && !NO_SELLERS.contains(&word.as_str());
    if names_one { site(&word) } else { None }
}

/// What Beds24 calls a booking that no site sold.
const DIRECT: &str = "direct";

/// A site by its name, in lower case.
fn site(word: &str) -> Option<String> {
    let known = match word {
        "" => return None,
        "booking" | "booking.com" | "bookingcom" => "booking.com",
        "airbnb" | "airbnbical" => "airbnb",
        "vrbo" | "vrboical" => "vrbo",
        "direct" | "bookingpage" => DIRECT,
        "googleads" => "google",
        "trip" => "trip.com",
        other => other,
    };
    Some(known.to_owned())
}

/// The numbers of the API's sources, with the words that `channel` has for them. Of several feeds of one site each has a
/// number.
fn by_number(id: Option<u32>) -> Option<&'static str> {
    Some(match id? {
        0 | 1 => DIRECT,
        12 => "flipkey",
        10 | 46 => "airbnb",
        14 => "expedia",
        17 => "agoda",
        19 => "booking.com",
        24 => "hostelworld",
        27 => "bedandbreakfasteu",
        30 | 40 => "vrbo",
        31 => "bedandbreakfastnl",
        32 => "atraveode",
        33 => "feratel",
        35 => "lastminute",
        36 => "hotelbeds",
        42 => "ota",
        51 => "ostrovokru",
        53 => "trip.com",
        54 => "asiatravel",
        55 => "tripadvisorrentals",
        56 => "traveloka",
        57 => "hrs",
        58 => "google",
        59 => "despegar",
        63 => "vacationstay",
        64 => "hostelsclub",
        66 => "edreamsodigeo",
        72 => "jomres",
        73 => "goibibo",
        76 => "travia",
        78 => "hometogo",
        83 => "traum",
        86 => "tiket",
        87 => "marriott",
        _ => return None,
    })
}

/// The country of a guest. `country2` is upper-case ISO for most selling sites; for Airbnb it is often the language of
/// the guest's screen in capitals, so there only the free text counts.
pub(crate) fn country(free: Option<&str>, iso: Option<&str>, source: Option<&str>) -> Option<String> {
    let code = |text: &&str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if source != Some("airbnb")
        && let Some(iso) = iso.filter(code)
    {
        return Some(iso.to_uppercase());
    }
    // Some sites fill in a number of their own, which is no country.
    let free = free.filter(|text| text.chars().any(char::is_alphabetic))?;
    if code(&free) { Some(free.to_uppercase()) } else { Some(free.to_owned()) }
}
