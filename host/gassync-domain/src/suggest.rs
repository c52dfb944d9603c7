//! Suggests core entities for parked records.

use std::collections::BTreeMap;

use crate::{Property, RoomType};

/// The similarity of two records in percent, with reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Similarity {
    /// 0 to 100.
    pub percent: u8,
    /// Reasons, in words.
    pub because: Vec<String>,
}

/// Minimum similarity of a suggestion, in percent.
pub const WORTH_SHOWING: u8 = 40;
/// Maximum distance of equal locations, in degrees: about 200 metres.
const SAME_PLACE_DEGREES: f64 = 0.002;

/// Compares two properties by name and, if both have it, by address and location.
pub fn compare_properties(one: &Property, other: &Property) -> Similarity {
    let mut sum = Sum::default();
    sum.add(60.0, "name", Some(compare_texts(&one.name, &other.name)));
    let (here, there) = (one.address.clone().unwrap_or_default(), other.address.clone().unwrap_or_default());
    let both = |a: &Option<String>, b: &Option<String>| a.as_ref().zip(b.as_ref()).map(|(a, b)| compare_texts(a, b));
    sum.add(15.0, "postcode", both(&here.postcode, &there.postcode));
    sum.add(10.0, "city", both(&here.city, &there.city));
    sum.add(15.0, "street", both(&here.street, &there.street));
    let place = |p: &Property| p.latitude.zip(p.longitude);
    let near = place(one).zip(place(other)).map(|((north, east), (north2, east2))| {
        let near = (north - north2).abs() < SAME_PLACE_DEGREES && (east - east2).abs() < SAME_PLACE_DEGREES;
        if near { 1.0 } else { 0.0 }
    });
    sum.add(20.0, "place", near);
    sum.likeness()
}

/// Compares two room types of one property by name and, if both have it, by size and quantity.
pub fn compare_room_types(one: &RoomType, other: &RoomType) -> Similarity {
    let same = |a: Option<u32>, b: Option<u32>| a.zip(b).map(|(a, b)| if a == b { 1.0 } else { 0.0 });
    let mut sum = Sum::default();
    sum.add(65.0, "name", Some(compare_texts(&one.name, &other.name)));
    sum.add(25.0, "capacity", same(one.max_occupancy, other.max_occupancy));
    sum.add(10.0, "quantity", same(one.quantity, other.quantity));
    sum.likeness()
}

#[derive(Default)]
struct Sum {
    weight: f64,
    score: f64,
    because: Vec<String>,
}

impl Sum {
    /// Adds a feature; one unknown on either side is ignored.
    fn add(&mut self, weight: f64, what: &str, alike: Option<f64>) {
        let Some(alike) = alike else { return };
        self.weight += weight;
        self.score += weight * alike;
        if alike > 0.99 {
            self.because.push(format!("same {what}"));
        } else if alike > 0.5 {
            self.because.push(format!("similar {what}"));
        }
    }

    fn likeness(self) -> Similarity {
        let share = if self.weight > 0.0 { self.score / self.weight } else { 0.0 };
        // Between 0 and 100, because every share is weighted.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of one, in percent")]
        let percent = (share * 100.0).round().clamp(0.0, 100.0) as u8;
        Similarity { percent, because: self.because }
    }
}

/// Dice's coefficient over character pairs, ignoring case and punctuation.
fn compare_texts(one: &str, other: &str) -> f64 {
    let (one, other) = (plain(one), plain(other));
    if one.is_empty() || other.is_empty() {
        return 0.0;
    }
    if one == other {
        return 1.0;
    }
    let (mine, theirs) = (pairs(&one), pairs(&other));
    let shared: usize = mine.iter().map(|(pair, count)| count.min(theirs.get(pair).unwrap_or(&0))).sum();
    let all = mine.values().sum::<usize>() + theirs.values().sum::<usize>();
    if all == 0 {
        return 0.0;
    }
    // Texts have at most a few thousand characters.
    let (shared, all) = (u32::try_from(shared).unwrap_or(u32::MAX), u32::try_from(all).unwrap_or(u32::MAX));
    f64::from(shared) * 2.0 / f64::from(all)
}

fn plain(text: &str) -> Vec<char> {
    let lower = text.to_lowercase();
    lower.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn pairs(text: &[char]) -> BTreeMap<(char, char), usize> {
    let mut pairs = BTreeMap::new();
    for pair in text.windows(2) {
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    fn house(name: &str, city: Option<&str>) -> Property {
        let address = city.map(|city| Address { city: Some(city.to_owned()), ..Address::default() });
        Property { id: "x".into(), name: name.into(), address, ..Property::default() }
    }

    #[test]
    fn the_same_property_entered_differently_is_found() {
        let here = house("Casa Azul", Some("Faro"));
        assert_eq!(compare_properties(&here, &house("casa azul!", Some("FARO"))).percent, 100);
        let likely = compare_properties(&here, &house("Casa Azul Guesthouse", None));
        assert!((50..90).contains(&likely.percent), "{likely:?}");
        let unlikely = compare_properties(&here, &house("Hotel Sirius", Some("Oslo")));
        assert!(unlikely.percent < WORTH_SHOWING, "{unlikely:?}");
    }

    #[test]
    fn size_distinguishes_rooms_with_similar_names() {
        let room =
            |name: &str, people| RoomType { name: name.into(), max_occupancy: Some(people), ..RoomType::default() };
        let double = compare_room_types(&room("Room 2", 2), &room("Room 1", 2));
        let family = compare_room_types(&room("Room 2", 2), &room("Room 3", 5));
        assert!(double.percent > family.percent, "{double:?} {family:?}");
    }
}
