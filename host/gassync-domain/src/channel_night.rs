use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Amount, CalendarNight, CalendarParts, StayRules, stay_rules::agree};

/// Desired values of a night of a room type (and rate plan, if the channel has them) at a channel.
///
/// Stored as JSON and compared as text: fields keep their order, empty ones are omitted, and prices have no trailing
/// zeros: `{"units":3,"price":90.5,"currency":"EUR","minStay":2}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelNight {
    /// Units for sale, unless closed.
    pub units: u32,
    /// Closed, whatever the unit count.
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
    /// Price of the night, in units of currency.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "without_zeros")]
    pub price: Option<Amount>,
    /// ISO 4217; absent means the property's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Rules of stay; a day that is not closed is open.
    #[serde(flatten, serialize_with = "closed_days")]
    pub rules: StayRules,
}

impl ChannelNight {
    /// The night as pushed to the channel; a closed night has no units.
    pub fn into_calendar_night(self, date: Date) -> CalendarNight {
        let sellable = self.sellable();
        CalendarNight {
            available: Some(sellable > 0),
            units_available: Some(i32::try_from(sellable).unwrap_or(i32::MAX)),
            price: self.price.map(|price| match &self.currency {
                Some(currency) => price.written_in(currency),
                None => price,
            }),
            currency: self.currency,
            rules: self.rules.with_days_said(),
            ..CalendarNight::new(date)
        }
    }

    /// Clears each rule that was set before and is not any more ([`StayRules::with_cleared`]).
    #[must_use]
    pub fn with_cleared_rules(self, before: Option<&Self>) -> Self {
        match before {
            Some(before) => Self { rules: self.rules.with_cleared(&before.rules), ..self },
            None => self,
        }
    }

    /// Parts that changed since what was pushed before. The unit count of a closed night is not sent, and neither is a
    /// price that is no longer known.
    pub fn diff(&self, before: Option<&Self>) -> CalendarParts {
        let Some(before) = before else {
            return CalendarParts { price: self.price.is_some(), ..CalendarParts::default() };
        };
        CalendarParts {
            availability: self.sellable() != before.sellable(),
            price: self.price.is_some() && (self.price, &self.currency) != (before.price, &before.currency),
            rules: self.rules.with_closed_days() != before.rules.with_closed_days(),
        }
    }

    /// Whether an observed night matches in these parts. A value missing on either side matches, and a channel with
    /// fewer rules may show one in place of another. If it shows prices by occupancy, the caller picks the entry that
    /// was written.
    pub fn matches(&self, seen: &CalendarNight, parts: CalendarParts) -> bool {
        (!parts.availability || self.availability_matches(seen))
            && (!parts.price || agree(self.price, seen.price) && agree(self.currency.as_ref(), seen.currency.as_ref()))
            && (!parts.rules || self.rules.match_seen(&seen.rules))
    }

    /// The night at the channel according to what it shows; values it does not show are taken as desired. `counts`
    /// tells whether its unit counts are the ones pushed.
    #[must_use]
    pub fn observed(&self, seen: &CalendarNight, counts: bool) -> Option<Self> {
        if seen.available.is_none() && seen.units_available.is_none() {
            return None; // Without the open state nothing can be concluded.
        }
        let left = seen.units_available.map(|units| u32::try_from(units).unwrap_or(0));
        let is_open = seen.available != Some(false) && left != Some(0);
        // If its counts say nothing, assume the desired count, or at least one.
        let units = left.filter(|_| counts).unwrap_or_else(|| self.sellable().max(1));
        let mut has = Self {
            units: if is_open { units } else { 0 },
            closed: false,
            price: seen.price,
            currency: seen.currency.clone().or_else(|| self.currency.clone()),
            ..self.clone()
        };
        if !self.rules.match_seen(&seen.rules) {
            has.rules = StayRules {
                closed_to_arrival: seen.rules.closed_to_arrival.or(self.rules.closed_to_arrival),
                closed_to_departure: seen.rules.closed_to_departure.or(self.rules.closed_to_departure),
                ..seen.rules
            };
        }
        Some(has)
    }

    /// Describes prices and rules that differ from the desired ones; `None` if they match.
    pub fn describe_difference(&self, seen: &CalendarNight, parts: CalendarParts) -> Option<String> {
        let mut found = Vec::new();
        if parts.price && !agree(self.price, seen.price) {
            let said = |price: Option<Amount>| price.map_or_else(|| "none".to_owned(), |price| price.to_string());
            found.push(format!("the price is {} there and {} here", said(seen.price), said(self.price)));
        } else if parts.price && !agree(self.currency.as_ref(), seen.currency.as_ref()) {
            found.push("the price is in another currency there".to_owned());
        }
        if parts.rules && !self.rules.match_seen(&seen.rules) {
            found.push("the rules of stay differ at the channel".to_owned());
        }
        (!found.is_empty()).then(|| found.join("; "))
    }

    /// Units for sale; 0 if closed.
    pub fn sellable(&self) -> u32 {
        if self.closed { 0 } else { self.units }
    }

    fn availability_matches(&self, seen: &CalendarNight) -> bool {
        let is_sold_there = match (seen.available, seen.units_available) {
            (None, None) => return true,
            (available, units) => available != Some(false) && units.is_none_or(|units| units > 0),
        };
        if !is_sold_there {
            // Units shown next to a closing, or below zero, are not for sale.
            return self.sellable() == 0;
        }
        let counted = seen.units_available.map(|units| u32::try_from(units).unwrap_or(0));
        self.sellable() > 0 && agree(Some(self.sellable()), counted)
    }
}

fn closed_days<S: Serializer>(rules: &StayRules, serializer: S) -> Result<S::Ok, S::Error> {
    rules.with_closed_days().serialize(serializer)
}

fn is_false(value: &bool) -> bool {
    !value
}

fn without_zeros<S: Serializer>(price: &Option<Amount>, serializer: S) -> Result<S::Ok, S::Error> {
    price.map(|price| Amount::from_ten_thousandths(price.ten_thousandths())).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Date = Date::constant(2027, 6, 1);
    const ALL: CalendarParts = CalendarParts { availability: true, price: true, rules: true };

    fn read(json: &str) -> ChannelNight {
        serde_json::from_str(json).expect(json)
    }

    fn seen(json: &str) -> CalendarNight {
        let json = format!(r#"{{"date":"2027-06-01"{}{json}}}"#, if json.is_empty() { "" } else { "," });
        serde_json::from_str(&json).expect(&json)
    }

    #[test]
    fn serialisation_is_canonical() {
        let full = concat!(
            r#"{"units":3,"closed":true,"price":90.5,"currency":"EUR","minStay":2,"maxStay":14,"closedToArrival":true,"#,
            r#""closedToDeparture":true,"minStayThrough":3,"exactStay":7,"minAdvanceDays":1,"maxAdvanceDays":365}"#
        );
        for text in [full, r#"{"units":0}"#, r#"{"units":1,"price":0,"maxAdvanceDays":0}"#] {
            assert_eq!(serde_json::to_string(&read(text)).expect("JSON"), text);
        }
        let zeros = read(r#"{"currency":null,"price":"90.5000","units":3,"closed":false}"#);
        assert_eq!(serde_json::to_string(&zeros).expect("JSON"), r#"{"units":3,"price":90.5}"#);
        assert!(serde_json::from_str::<ChannelNight>("{}").is_err(), "of an empty record nobody knows what is free");
    }

    #[test]
    fn a_closed_night_has_no_units() {
        let sent = |json: &str| {
            let night = read(json).into_calendar_night(DATE);
            (night.available, night.units_available)
        };
        assert_eq!(sent(r#"{"units":3}"#), (Some(true), Some(3)));
        assert_eq!(sent(r#"{"units":3,"closed":true}"#), (Some(false), Some(0)));
        assert_eq!(sent(r#"{"units":0}"#), (Some(false), Some(0)));
        assert_eq!(sent(r#"{"units":4294967295}"#), (Some(true), Some(i32::MAX)));
    }

    #[test]
    fn all_fields_are_sent_unchanged() {
        let night = read(
            r#"{"units":1,"price":90.5,"currency":"EUR","minStay":2,"maxStay":14,"closedToArrival":true,
            "minStayThrough":3,"exactStay":7,"minAdvanceDays":1,"maxAdvanceDays":365}"#,
        );
        let sent = serde_json::to_string(&night.into_calendar_night(DATE)).expect("JSON");
        let expected = concat!(
            r#"{"date":"2027-06-01","available":true,"unitsAvailable":1,"price":90.50,"currency":"EUR","minStay":2,"#,
            r#""maxStay":14,"closedToArrival":true,"closedToDeparture":false,"minStayThrough":3,"exactStay":7,"#,
            r#""minAdvanceDays":1,"maxAdvanceDays":365}"#
        );
        assert_eq!(sent, expected);
    }

    #[test]
    fn the_diff_contains_changed_parts_only() {
        let new = |now: &str, before: &str| {
            let CalendarParts { availability, price, rules } = read(now).diff(Some(&read(before)));
            (availability, price, rules)
        };
        let before = r#"{"units":3,"price":90.50,"currency":"EUR","minStay":2}"#;
        assert_eq!(new(r#"{"units":3,"price":"90.5","currency":"EUR","minStay":2}"#, before), (false, false, false));
        assert_eq!(new(r#"{"units":2,"price":90.50,"currency":"EUR","minStay":2}"#, before), (true, false, false));
        assert_eq!(new(r#"{"units":3,"price":91,"currency":"EUR","minStay":2}"#, before), (false, true, false));
        assert_eq!(new(r#"{"units":3,"price":90.50,"currency":"USD","minStay":2}"#, before), (false, true, false));
        assert_eq!(new(r#"{"units":3,"minStay":2}"#, before), (false, false, false), "no price is nothing to tell");
        assert_eq!(new(before, r#"{"units":3,"minStay":2}"#), (false, true, false));
        assert_eq!(new(r#"{"units":3,"price":90.50,"currency":"EUR"}"#, before), (false, false, true));
        assert_eq!(new(r#"{"units":2,"closed":true}"#, r#"{"units":3,"closed":true}"#), (false, false, false));
        assert_eq!(new(r#"{"units":2,"closed":true}"#, r#"{"units":0}"#), (false, false, false));
        assert_eq!(new(r#"{"units":2,"closed":true}"#, r#"{"units":2}"#), (true, false, false));
        for rule in [
            r#""minStay":3"#,
            r#""maxStay":3"#,
            r#""closedToArrival":true"#,
            r#""closedToDeparture":true"#,
            r#""minStayThrough":3"#,
            r#""exactStay":3"#,
            r#""minAdvanceDays":3"#,
            r#""maxAdvanceDays":3"#,
        ] {
            assert_eq!(new(&format!(r#"{{"units":1,{rule}}}"#), r#"{"units":1}"#), (false, false, true), "{rule}");
        }
        assert_eq!(read(before).diff(None), ALL);
        assert_eq!(read(r#"{"units":0}"#).diff(None), CalendarParts { price: false, ..ALL });
    }

    #[test]
    fn removed_rules_are_cleared_explicitly() {
        let before = read(
            r#"{"units":1,"minStay":2,"maxStay":9,"minStayThrough":2,"exactStay":7,"minAdvanceDays":1,
            "maxAdvanceDays":30}"#,
        );
        let lifted = read(r#"{"units":1}"#).with_cleared_rules(Some(&before));
        let text = r#"{"units":1,"minStay":1,"maxStay":0,"minStayThrough":1,"exactStay":0,"minAdvanceDays":0}"#;
        assert_eq!(serde_json::to_string(&lifted).expect("JSON"), text);
        assert_eq!(read(r#"{"units":1}"#).with_cleared_rules(Some(&lifted)), lifted, "so that a later try says it too");
        let changed = read(r#"{"units":1,"minStay":3}"#);
        assert_eq!(changed.clone().with_cleared_rules(Some(&changed)), changed);
        assert_eq!(changed.clone().with_cleared_rules(None), changed);
    }

    #[test]
    fn an_observed_night_replaces_the_sent_one() {
        let wanted = read(r#"{"units":2,"price":90,"currency":"EUR","minStay":2}"#);
        let differs = |shown: &str, counts: bool| {
            let has = wanted.observed(&seen(shown), counts)?;
            let CalendarParts { availability, price, rules } = wanted.diff(Some(&has));
            Some((availability, price, rules))
        };
        assert_eq!(differs("", true), None, "whether it is sold is not said");
        assert_eq!(differs(r#""available":true,"price":90"#, true), Some((false, false, false)));
        assert_eq!(differs(r#""available":true"#, true), Some((false, true, false)), "it has no price");
        assert_eq!(differs(r#""available":false,"unitsAvailable":2,"price":90"#, true), Some((true, false, false)));
        assert_eq!(differs(r#""available":true,"unitsAvailable":3,"price":90"#, true), Some((true, false, false)));
        assert_eq!(differs(r#""available":true,"unitsAvailable":3,"price":90"#, false), Some((false, false, false)));
        assert_eq!(differs(r#""unitsAvailable":0,"price":90"#, false), Some((true, false, false)));
        assert_eq!(differs(r#""available":true,"price":95,"minStay":3"#, true), Some((false, true, true)));
        let none = read(r#"{"units":0}"#);
        let open = none.observed(&seen(r#""available":true,"unitsAvailable":2"#), false).expect("it says");
        assert!(none.diff(Some(&open)).availability, "it is to be closed");
    }

    #[test]
    fn unit_counts_are_compared_when_present() {
        let agrees = |wanted: &str, shown: &str| read(wanted).matches(&seen(shown), ALL);
        for (wanted, shown, expected) in [
            (r#"{"units":3}"#, "", true),
            (r#"{"units":3}"#, r#""available":true"#, true),
            (r#"{"units":3}"#, r#""available":false"#, false),
            (r#"{"units":3}"#, r#""unitsAvailable":3"#, true),
            (r#"{"units":3}"#, r#""available":true,"unitsAvailable":2"#, false),
            (r#"{"units":3}"#, r#""available":true,"unitsAvailable":0"#, false),
            (r#"{"units":3}"#, r#""available":false,"unitsAvailable":3"#, false),
            (r#"{"units":0}"#, "", true),
            (r#"{"units":0}"#, r#""available":true"#, false),
            (r#"{"units":0}"#, r#""available":false"#, true),
            (r#"{"units":0}"#, r#""unitsAvailable":-1"#, true),
            (r#"{"units":0}"#, r#""unitsAvailable":1"#, false),
            (r#"{"units":3,"closed":true}"#, r#""available":false,"unitsAvailable":3"#, true),
            (r#"{"units":3,"closed":true}"#, r#""available":true,"unitsAvailable":0"#, true),
            (r#"{"units":3,"closed":true}"#, r#""available":true,"unitsAvailable":3"#, false),
        ] {
            assert_eq!(agrees(wanted, shown), expected, "{wanted} shown as {shown}");
        }
    }

    #[test]
    fn prices_are_compared_by_value() {
        let wanted = read(r#"{"units":1,"price":90.50,"currency":"EUR"}"#);
        for (shown, expected) in [
            (r#""price":"90.5000""#, true),
            (r#""price":90.5,"currency":"EUR""#, true),
            (r#""price":90.5,"currency":"USD""#, false),
            (r#""price":90.51"#, false),
            (r#""currency":"EUR""#, true),
        ] {
            assert_eq!(wanted.matches(&seen(shown), ALL), expected, "{shown}");
        }
        let unknown = read(r#"{"units":1}"#);
        assert!(unknown.matches(&seen(r#""price":90.5,"currency":"EUR""#), ALL), "no price was wanted");
    }

    #[test]
    fn equivalent_rules_match() {
        for (wanted, shown, expected) in [
            (r#""minStay":2"#, r#""minStay":2"#, true),
            (r#""minStay":2"#, r#""minStay":3"#, false),
            (r#""minStay":2"#, "", true),
            (r#""minStay":1"#, r#""minStay":0"#, true),
            (r#""minStay":0"#, r#""minStay":2"#, false),
            (r#""maxStay":9"#, r#""minStay":3,"maxStay":9"#, true),
            (r#""maxStay":9"#, r#""maxStay":0"#, false),
            (r#""maxStay":0"#, r#""maxStay":0"#, true),
            (r#""maxStay":0"#, r#""maxStay":9"#, false),
            // A channel with one minimum-stay rule shows the stricter of two, or the one it supports.
            (r#""minStay":2,"minStayThrough":3"#, r#""minStay":3"#, true),
            (r#""minStay":2,"minStayThrough":3"#, r#""minStay":2"#, true),
            (r#""minStay":5,"minStayThrough":3"#, r#""minStay":3"#, false),
            (r#""minStay":5,"minStayThrough":3"#, r#""minStay":3,"minStayThrough":3"#, true),
            (r#""minStay":5,"minStayThrough":3"#, r#""minStay":4,"minStayThrough":4"#, false),
            (r#""minStay":5"#, r#""minStay":3,"minStayThrough":3"#, false),
            (r#""minStayThrough":3"#, r#""minStay":3"#, true),
            (r#""minStayThrough":3"#, r#""minStay":2"#, false),
            // A channel without an exact-stay rule shows it as minimum and maximum.
            (r#""minStay":2,"exactStay":7"#, r#""minStay":7,"maxStay":7"#, true),
            (r#""minStay":2,"exactStay":7"#, r#""minStay":6,"maxStay":7"#, false),
            (r#""minStay":2,"exactStay":7"#, r#""minStay":2,"exactStay":7"#, true),
            (r#""maxStay":14,"exactStay":7"#, r#""minStay":7,"maxStay":7"#, true),
            (r#""exactStay":7"#, r#""exactStay":6"#, false),
            (r#""exactStay":0"#, r#""exactStay":7"#, false),
            (r#""exactStay":0,"maxStay":9"#, r#""maxStay":9,"minStay":1"#, true),
            (r#""closedToArrival":true"#, "", true),
            (r#""closedToArrival":true"#, r#""closedToArrival":false"#, false),
            (r#""closedToArrival":false"#, r#""closedToArrival":true"#, false),
            (r#""closedToDeparture":true"#, r#""closedToDeparture":true"#, true),
            (r#""closedToDeparture":true"#, r#""closedToDeparture":false"#, false),
            (r#""minAdvanceDays":1"#, r#""minAdvanceDays":2"#, false),
            (r#""maxAdvanceDays":0"#, r#""maxAdvanceDays":30"#, false),
            (r#""maxAdvanceDays":30"#, r#""maxAdvanceDays":30,"minAdvanceDays":1"#, true),
        ] {
            let night = read(&format!(r#"{{"units":1,{wanted}}}"#));
            assert_eq!(night.matches(&seen(shown), ALL), expected, "{wanted} shown as {shown}");
        }
    }

    #[test]
    fn only_selected_parts_are_compared() {
        const NONE: CalendarParts = CalendarParts { availability: false, price: false, rules: false };
        let wanted = read(r#"{"units":1,"price":90,"minStay":2}"#);
        for (shown, part) in [
            (r#""unitsAvailable":2"#, CalendarParts { availability: true, ..NONE }),
            (r#""price":91"#, CalendarParts { price: true, ..NONE }),
            (r#""minStay":3"#, CalendarParts { rules: true, ..NONE }),
        ] {
            let shown = seen(shown);
            assert!(!wanted.matches(&shown, part) && !wanted.matches(&shown, ALL), "{shown:?}");
            let others = CalendarParts { availability: !part.availability, price: !part.price, rules: !part.rules };
            assert!(wanted.matches(&shown, others), "{shown:?}");
        }
    }

    #[test]
    fn a_sent_night_matches_the_desired_night() {
        for json in [
            r#"{"units":3,"price":90.50,"currency":"EUR","minStay":2,"maxStay":14,"exactStay":7,"minStayThrough":3}"#,
            r#"{"units":3,"closed":true,"closedToArrival":true,"minAdvanceDays":1,"maxAdvanceDays":0}"#,
            r#"{"units":0,"minStay":0,"maxStay":0,"exactStay":0,"minAdvanceDays":0}"#,
        ] {
            assert!(read(json).matches(&read(json).into_calendar_night(DATE), ALL), "{json}");
        }
    }
}
