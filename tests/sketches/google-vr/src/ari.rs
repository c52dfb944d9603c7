//! Pushes availability, rates and inventory: three messages per property, whose entries cover nights with the same
//! values.

use std::collections::{BTreeMap, BTreeSet};

use gassync_plugin::{
    CalendarNights, CalendarPart, ChannelError, Date, FieldError, Outcome, accepted, clock, settings,
    xml::{Element, element},
};

use crate::{
    Settings,
    upload::{self, Heard, error},
    weekdays::Span,
};

const NAMESPACE: &str = "http://www.opentravel.org/OTA/2003/05";
/// Occupancy of a price that gives none.
const GUESTS: u32 = 2;

/// A statement about nights: its package (`None` for all packages of the room), and its element.
type Saying = (Option<String>, Element);
/// Statements, keyed by package and content, with their nights.
type Sayings = BTreeMap<(Option<String>, Vec<u8>), (Element, BTreeSet<Date>)>;

/// A kind of message: its path, the names of its elements, and the statements of a row.
struct Kind {
    path: &'static str,
    root: &'static str,
    list: &'static str,
    entry: &'static str,
    says: fn(&CalendarNights, &Settings) -> Vec<Saying>,
}

const KINDS: [Kind; 3] = [
    Kind {
        path: "ota/hotel_inv_count_notif",
        root: "OTA_HotelInvCountNotifRQ",
        list: "Inventories",
        entry: "Inventory",
        says: inventory,
    },
    Kind {
        path: "ota/hotel_avail_notif",
        root: "OTA_HotelAvailNotifRQ",
        list: "AvailStatusMessages",
        entry: "AvailStatusMessage",
        says: availability,
    },
    Kind {
        path: "ota/hotel_rate_amount_notif",
        root: "OTA_HotelRateAmountNotifRQ",
        list: "RateAmountMessages",
        entry: "RateAmountMessage",
        says: rates,
    },
];

/// One outcome per row.
pub fn push(rows: &[CalendarNights]) -> Result<Vec<Outcome>, ChannelError> {
    let settings: Settings = settings()?;
    let mut outcomes: Vec<Outcome> = rows.iter().map(|_| accepted(None)).collect();
    let mut of_property: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        match problem(row) {
            Some(problem) => outcomes[index] = Outcome::Refused(vec![problem]),
            None => of_property.entry(&row.room_type_id).or_default().push(index),
        }
    }
    for (property, which) in of_property {
        let rows: Vec<&CalendarNights> = which.iter().map(|index| &rows[*index]).collect();
        for kind in &KINDS {
            let Some(message) = kind.message(property, &rows, &settings) else { continue };
            let worse = match upload::send(kind.path, &message)? {
                Heard::Taken => continue,
                Heard::Refused(errors) => Outcome::Refused(errors),
                Heard::Later(seconds) => Outcome::Retry(seconds),
            };
            // All or nothing: Google does not say which nights it rejects.
            which.iter().for_each(|index| outcomes[*index] = worse.clone());
            break;
        }
    }
    Ok(outcomes)
}

/// Why a row cannot be sent, if so.
fn problem(row: &CalendarNights) -> Option<FieldError> {
    if row.property_id.as_ref().is_some_and(|property| *property != row.room_type_id) {
        return Some(error("/roomTypeId", "of a vacation rental the room type is the property"));
    }
    let said = row.prices.iter().all(|price| price.amount.currency.is_some());
    (!said).then(|| error("/nights", "a price must say its currency"))
}

impl Kind {
    /// The message for a property; `None` if no row changes this kind. Equal rows share an entry.
    fn message(&self, property: &str, rows: &[&CalendarNights], settings: &Settings) -> Option<Element> {
        let mut nights_of = Sayings::new();
        for row in rows {
            for (package, said) in (self.says)(row, settings) {
                let same = nights_of.entry((package, said.document())).or_insert_with(|| (said, BTreeSet::new()));
                same.1.extend(row.stay.each_night());
            }
        }
        let entries = nights_of.into_iter().flat_map(|((package, _), (said, nights))| {
            let control = move |span: Span| {
                let control = span.write(element("StatusApplicationControl")).with("InvTypeCode", property);
                let control = control.with_some("RatePlanCode", package.as_deref());
                element(self.entry).with_children([control, said.clone()])
            };
            Span::cover(&nights).into_iter().map(control)
        });
        let entries: Vec<Element> = entries.collect();
        if entries.is_empty() {
            return None;
        }
        let overlay = (self.entry == "RateAmountMessage").then_some(("Overlay", "ProductRate"));
        // A token may contain letters, digits, `_` and `-`.
        let plain: String = property.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        let source = element("Source").with_children([element("RequestorID").with("ID", &settings.partner)]);
        let root = element(self.root)
            .with("xmlns", NAMESPACE)
            .with("EchoToken", format!("{}_{plain}_{}", self.entry, clock::since_1970().as_nanos()))
            .with("TimeStamp", clock::now())
            .with("Version", "3.0")
            .with_some("NotifType", overlay.map(|(kind, _)| kind))
            .with_some("NotifScopeType", overlay.map(|(_, scope)| scope));
        let list = element(self.list).with("HotelCode", property).with_children(entries);
        Some(root.with_children([element("POS").with_children([source]), list]))
    }
}

/// The number of units, which replaces the earlier one.
fn inventory(row: &CalendarNights, _: &Settings) -> Vec<Saying> {
    let count = match (row.available, row.units_available) {
        (Some(false), _) => Some(0),
        (_, Some(units)) => Some(units.max(0)),
        (Some(true), None) => Some(1),
        (None, None) => None,
    };
    let data = count.filter(|_| row.changed.contains(CalendarPart::AVAILABILITY));
    let said = data.map(|count| {
        element("InvCounts").with_children([element("InvCount").with("Count", count).with("CountType", "2")])
    });
    said.map(|said| (None, said)).into_iter().collect()
}

/// Open or closed, and the rules: each kind stays until it is sent again.
fn availability(row: &CalendarNights, settings: &Settings) -> Vec<Saying> {
    let status = |restriction: &str, open: bool| {
        let status = element("RestrictionStatus").with("Restriction", restriction);
        status.with("Status", if open { "Open" } else { "Close" })
    };
    let mut said = Vec::new();
    if row.changed.contains(CalendarPart::AVAILABILITY) {
        said.extend(row.available.map(|open| status("Master", open)));
    }
    if row.changed.contains(CalendarPart::RULES) {
        let rules = &row.rules;
        said.extend(rules.closed_to_arrival.map(|closed| status("Arrival", !closed)));
        said.extend(rules.closed_to_departure.map(|closed| status("Departure", !closed)));
        for (nights, kind, on_arrival) in [
            (rules.min_stay_arrival, "SetMinLOS", "1"),
            (rules.min_stay_through, "SetMinLOS", "0"),
            (rules.max_stay, "SetMaxLOS", "1"),
        ] {
            let length = |nights: u32| {
                element("LengthOfStay").with("Time", nights).with("TimeUnit", "Day").with("MinMaxMessageType", kind)
            };
            let lengths = element("LengthsOfStay").with("ArrivalDateBased", on_arrival);
            said.extend(nights.map(|nights| lengths.with_children([length(nights)])));
        }
    }
    said.into_iter().map(|said| (Some(package(row, settings)), said)).collect()
}

/// The price of a night.
fn rates(row: &CalendarNights, settings: &Settings) -> Vec<Saying> {
    if !row.changed.contains(CalendarPart::PRICE) || row.prices.is_empty() {
        return Vec::new();
    }
    let amounts = row.prices.iter().map(|price| {
        let with_tax = price.tax_included.unwrap_or(settings.prices_with_tax);
        element("BaseByGuestAmt")
            .with(if with_tax { "AmountAfterTax" } else { "AmountBeforeTax" }, &price.amount.amount)
            .with_some("CurrencyCode", price.amount.currency.as_deref())
            .with("NumberOfGuests", price.occupancy.unwrap_or(GUESTS))
    });
    let rate = element("Rate").with_children([element("BaseByGuestAmts").with_children(amounts)]);
    vec![(Some(package(row, settings)), element("Rates").with_children([rate]))]
}

fn package(row: &CalendarNights, settings: &Settings) -> String {
    row.rate_plan_id.clone().unwrap_or_else(|| settings.package.clone())
}
