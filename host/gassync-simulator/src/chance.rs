//! Chance with a seed, and what invented accounts are made of.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Given names of invented guests.
pub(crate) const FIRST_NAMES: [&str; 8] = ["Oksana", "Henrik", "Zoë", "Tomás", "Ngozi", "Bjørn", "Yuki", "Élodie"];
/// Family names of invented guests.
pub(crate) const LAST_NAMES: [&str; 8] =
    ["Petrenko", "Sørby", "Lindqvist", "Quiroga", "Adeyemi", "Strand", "Morita", "Garnier"];
/// Names of invented properties.
pub(crate) const HOUSES: [&str; 6] =
    ["Villa Marisol", "Gasthof Lärche", "Le Petit Phare", "Casa do Vento", "Hytte Nord", "Torre Bianca"];
/// City, country and currency of each of [`HOUSES`].
pub(crate) const CITIES: [(&str, &str, &str); 6] = [
    ("Nerja", "ES", "EUR"),
    ("Hallstatt", "AT", "EUR"),
    ("Cancale", "FR", "EUR"),
    ("Aljezur", "PT", "EUR"),
    ("Lom", "NO", "NOK"),
    ("Ostuni", "IT", "EUR"),
];
/// Names of invented room types.
pub(crate) const ROOMS: [&str; 4] = ["Garden studio", "Sea room", "Loft", "Family suite"];

/// A random stream of the seed. Streams do not affect each other.
pub(crate) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// The current day of an account.
pub(crate) fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// Each night of a stay.
pub(crate) fn nights(check_in: Date, check_out: Date) -> impl Iterator<Item = Date> {
    check_in.series(Span::new().days(1)).take_while(move |night| *night < check_out)
}
