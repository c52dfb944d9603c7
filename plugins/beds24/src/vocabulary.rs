//! Converts Beds24 terms to those of the contract.

use gassync_plugin::{Lenient, ReservationStatus};

/// Kind of record, by the booking's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BookingKind {
    /// `black`: nights closed by hand.
    Block,
    Reservation(Word),
}

/// The status of a reservation, before conversion to the contract.
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

/// Reads V2 words and V1 numbers, in any case. Bookings of selling sites normally arrive as `new`, which only means
/// that the host has not viewed them.
///
/// A booking without a status is of unknown status.
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

/// The seller of a booking.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seller {
    /// The site, by the contract's name if it has one.
    pub source: Option<String>,
    /// Additional text of another field.
    pub beside: Option<String>,
}

/// Values of these fields that name no seller: they tell how a booking was entered.
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

/// Finds the seller: first by `channel`, then by the number of the API source, then by the texts of the other fields in
/// order. Sites without an interface are entered in those by hand or by another program, on bookings that are `direct`
/// for Beds24. Unknown values are passed on in lower case.
pub(crate) fn seller(channel: &str, api_source_id: Option<u32>, sides: &[&Lenient]) -> Seller {
    let sides: Vec<&str> = sides.iter().filter_map(|said| said.as_str()).collect();
    let channel_site = site(channel).or_else(|| by_number(api_source_id).map(str::to_owned));
    let mut named = sides.iter().copied().filter_map(side);
    let source = match channel_site {
        Some(channel_site) if channel_site != DIRECT => Some(channel_site),
        // Only the other fields are more specific than `direct`.
        channel_site => {
            named.find(|name| name != DIRECT).or(channel_site).or_else(|| sides.iter().copied().find_map(side))
        }
    };
    // The first text is the API source's, whose number was already used.
    let beside = sides.iter().copied().skip(1).find(|text| {
        side(text).is_some_and(|name| name != DIRECT && Some(&name) != source.as_ref() && !is_same(&name, &source))
    });
    Seller { beside: beside.map(str::to_owned), source }
}

/// True if both name the same site, such as `Hotelbeds (XML)` and `hotelbeds`.
fn is_same(name: &str, source: &Option<String>) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    source.as_ref().is_some_and(|source| letters(name) == letters(source))
}

/// Returns the seller named by a field; numbers and addresses name none.
fn side(text: &str) -> Option<String> {
    let word = text.trim().to_lowercase();
    let names_one = word.chars().any(char::is_alphabetic)
        && !word.contains("://")
        && !word.starts_with("www.")
        && !NO_SELLERS.contains(&word.as_str());
    if names_one { site(&word) } else { None }
}

/// Beds24's term for a booking without a selling site.
const DIRECT: &str = "direct";

/// Finds a site by its name in lower case.
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

/// Numbers of API sources with the corresponding values of `channel`. Each feed of a site has its own number.
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

/// Returns a guest's country. `country2` is the upper-case ISO code for most selling sites; for Airbnb it is often the
/// guest's interface language in capitals, so only the free text is used.
pub(crate) fn country(free: Option<&str>, iso: Option<&str>, source: Option<&str>) -> Option<String> {
    let code = |text: &&str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if source != Some("airbnb")
        && let Some(iso) = iso.filter(code)
    {
        return Some(iso.to_uppercase());
    }
    // Some sites write their own number, which is not a country.
    let free = free.filter(|text| text.chars().any(char::is_alphabetic))?;
    if code(&free) { Some(free.to_uppercase()) } else { Some(free.to_owned()) }
}
