use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Amount, Calendar, CalendarNight, FieldError, StayRules};

/// Maximum nights of one record.
pub const MAX_CALENDAR_NIGHTS: i32 = 1_100;

/// Availability, price and stay rules of one night, or of several nights with equal values, in the standard schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "roomTypeId": "room-garden", "ratePlanId": "flex", "from": "2027-06-01", "to": "2027-06-30", "price": 130.0,
    "currency": "EUR", "minStay": 2
}))]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of the rate plan that price and rules belong to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_plan_id: Option<String>,
    /// The night that begins on this day; alternatively use `from` and `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub date: Option<Date>,
    /// The first night of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// The last night of the range, inclusive (unlike the day of departure of a stay).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
    /// Whether it is for sale; false closes it for every seller, whatever the number of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<bool>,
    /// Units left for sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_available: Option<u32>,
    /// Price per night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub price: Option<Amount>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    // The rules stand here one by one: a reader that mends them must know which one is wrong.
    /// Minimum stay by arrival, in nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay: Option<u32>,
    /// Maximum stay by arrival, in nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay: Option<u32>,
    /// No arrival on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_arrival: Option<bool>,
    /// No departure on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_to_departure: Option<bool>,
    /// Minimum length of any stay that includes one of these nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay_through: Option<u32>,
    /// The only allowed length of a stay that arrives on these days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_stay: Option<u32>,
    /// Minimum days between booking and arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_advance_days: Option<u32>,
    /// Maximum days between booking and arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_advance_days: Option<u32>,
}

impl Availability {
    /// Expands the record to one entry per night, or returns its errors.
    pub fn into_calendar(self) -> Result<Calendar, Vec<FieldError>> {
        let error = |path: &str, problem: String| vec![FieldError::new(path.to_owned(), problem)];
        let (first, last) = match (self.date, self.from, self.to) {
            (Some(date), None, None) => (date, date),
            (None, Some(from), Some(to)) => (from, to),
            (None, None, None) => return Err(error("/date", "is missing: name a night, or from and to".to_owned())),
            (None, None, Some(_)) => return Err(error("/from", "is missing beside to".to_owned())),
            (None, Some(_), None) => return Err(error("/to", "is missing beside from".to_owned())),
            (Some(_), ..) => return Err(error("/date", "stands beside from or to: name one or the other".to_owned())),
        };
        let nights = first.until(last).map_or(-1, |span| span.get_days()).saturating_add(1);
        if nights < 1 {
            return Err(error("/to", format!("must not be before from ({first})")));
        }
        if nights > MAX_CALENDAR_NIGHTS {
            return Err(error("/to", format!("makes {nights} nights; the limit is {MAX_CALENDAR_NIGHTS}")));
        }
        let rules = StayRules {
            min_stay: self.min_stay,
            max_stay: self.max_stay,
            closed_to_arrival: self.closed_to_arrival,
            closed_to_departure: self.closed_to_departure,
            min_stay_through: self.min_stay_through,
            exact_stay: self.exact_stay,
            min_advance_days: self.min_advance_days,
            max_advance_days: self.max_advance_days,
        };
        let night = |date| CalendarNight {
            available: self.available,
            units_available: self.units_available.map(|units| i32::try_from(units).unwrap_or(i32::MAX)),
            price: self.price,
            currency: self.currency.clone(),
            rules,
            ..CalendarNight::new(date)
        };
        let nights = first.series(jiff::Span::new().days(1)).take_while(|date| *date <= last).map(night).collect();
        Ok(Calendar { property_id: None, room_type_id: self.room_type_id, rate_plan_id: self.rate_plan_id, nights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Calendar, Vec<FieldError>> {
        serde_json::from_str::<Availability>(json).expect("a record").into_calendar()
    }

    #[test]
    fn the_last_night_is_one_of_them() {
        let calendar = read(r#"{"roomTypeId":"t","from":"2027-02-27","to":"2027-03-01","minStay":2}"#).expect("nights");
        let dates: Vec<String> = calendar.nights.iter().map(|night| night.date.to_string()).collect();
        assert_eq!(dates, ["2027-02-27", "2027-02-28", "2027-03-01"]);
        assert_eq!(calendar.nights[2].rules.min_stay, Some(2));
    }

    #[test]
    fn invalid_nights_name_the_field() {
        for (fields, path) in [
            ("", "/date"),
            (r#","from":"2027-01-01""#, "/to"),
            (r#","to":"2027-01-01""#, "/from"),
            (r#","date":"2027-01-01","to":"2027-01-01""#, "/date"),
            (r#","from":"2027-01-02","to":"2027-01-01""#, "/to"),
            (r#","from":"1990-01-02","to":"2990-01-01""#, "/to"),
        ] {
            let errors = read(&format!(r#"{{"roomTypeId":"t"{fields}}}"#)).expect_err(fields);
            assert_eq!(errors[0].path, path, "{fields}");
        }
    }
}
