//! What the account holds: houses and bookings, never oversold by its own hand.

use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};
use rand::{Rng, RngExt, seq::IndexedRandom};
use serde_json::Value;

use super::{Settings, wire};

pub(super) const OWNER_ID: u64 = 77_001;
/// Bookings begin within so many days from now.
const HORIZON_DAYS: i64 = 120;
/// Stays are at most so long.
const MAX_NIGHTS: i64 = 9;
/// How often a free place is looked for before giving up.
const TRIES: u32 = 40;

const HOUSES: [&str; 6] =
    ["Villa Marisol", "Gasthof Lärche", "Le Petit Phare", "Casa do Vento", "Hytte Nord", "Torre Bianca"];
const CITIES: [(&str, &str, &str); 6] = [
    ("Nerja", "ES", "EUR"),
    ("Hallstatt", "AT", "EUR"),
    ("Cancale", "FR", "EUR"),
    ("Aljezur", "PT", "EUR"),
    ("Lom", "NO", "NOK"),
    ("Ostuni", "IT", "EUR"),
];
const ROOMS: [&str; 4] = ["Garden studio", "Sea room", "Loft", "Family suite"];
const FIRST: [&str; 8] = ["Oksana", "Henrik", "Zoë", "Tomás", "Ngozi", "Bjørn", "Yuki", "Élodie"];
const LAST: [&str; 8] = ["Petrenko", "Sørby", "Lindqvist", "Quiroga", "Adeyemi", "Strand", "Morita", "Garnier"];

/// A house.
#[derive(Debug, Clone)]
pub struct Property {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it charges in.
    pub currency: String,
    /// Where it is.
    pub city: String,
    /// Two capital letters.
    pub country: String,
    /// What it sells by.
    pub room_types: Vec<RoomType>,
}

/// What a house sells by.
#[derive(Debug, Clone)]
pub struct RoomType {
    /// Its id: `roomId` on the wire.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// How many units.
    pub qty: u32,
    /// Most people in a unit.
    pub max_people: u32,
}

/// A booking to be made by hand.
#[derive(Debug, Clone)]
pub struct NewBooking {
    /// Which room type.
    pub room_id: u64,
    /// First night.
    pub arrival: Date,
    /// Day of departure.
    pub departure: Date,
    /// Adults.
    pub num_adult: u32,
    /// Price in whole cents.
    pub price_cents: u64,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

/// A change to be made by hand; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// First night and day of departure.
    pub dates: Option<(Date, Date)>,
    /// Adults.
    pub num_adult: Option<u32>,
    /// Price in whole cents.
    pub price_cents: Option<u64>,
}

/// A booking, for comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookEntry {
    /// Its id.
    pub id: u64,
    /// Its house.
    pub property_id: u64,
    /// Its room type.
    pub room_id: u64,
    /// The word on the wire; `black` is a block, not a booking.
    pub status: String,
    /// First night.
    pub arrival: Date,
    /// Day of departure.
    pub departure: Date,
    /// Adults.
    pub num_adult: u32,
    /// Children.
    pub num_child: u32,
    /// Price in whole cents.
    pub price_cents: u64,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// When it last changed.
    pub modified: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Booking {
    pub entry: BookEntry,
    pub master_id: Option<u64>,
    pub channel: &'static str,
    pub api_source: (u32, &'static str),
    pub api_reference: String,
    pub country: &'static str,
    pub booked: Timestamp,
    pub cancelled: Option<Timestamp>,
}

pub(super) struct Book {
    pub properties: Vec<Property>,
    pub bookings: Vec<Booking>,
    next_id: u64,
}

impl Book {
    pub fn new(settings: &Settings, rng: &mut impl Rng) -> Self {
        let base = 340_000 + rng.random_range(0..1_000) * 10;
        let properties = (0..u64::from(settings.properties)).map(|index| {
            let (city, country, currency) = CITIES[index as usize % CITIES.len()];
            let rooms = (0..u64::from(settings.room_types_per_property)).map(|room| RoomType {
                id: base * 2 + index * 100 + room,
                name: ROOMS[room as usize % ROOMS.len()].to_owned(),
                qty: rng.random_range(1..=3),
                max_people: rng.random_range(2..=5),
            });
            Property {
                id: base + index,
                name: HOUSES[index as usize % HOUSES.len()].to_owned(),
                currency: currency.to_owned(),
                city: city.to_owned(),
                country: country.to_owned(),
                room_types: rooms.collect(),
            }
        });
        Self { properties: properties.collect(), bookings: Vec::new(), next_id: 91_000_000 }
    }

    pub fn entries(&self) -> Vec<BookEntry> {
        self.bookings.iter().map(|booking| booking.entry.clone()).collect()
    }

    pub fn get(&self, id: u64) -> Option<&Booking> {
        self.bookings.iter().find(|booking| booking.entry.id == id)
    }

    pub fn wire(&self, id: u64) -> Option<Value> {
        self.get(id).map(|booking| wire::booking(booking, self))
    }

    /// Makes a booking somewhere there is room, now and then a block or a group of two; none when the house is full.
    pub fn make_any(&mut self, rng: &mut impl Rng, now: Timestamp) -> Option<u64> {
        let (room_id, arrival, departure) = self.find_room(rng, now)?;
        let nights = departure.since(arrival).map_or(1, |s| s.get_days());
        let new = NewBooking {
            room_id,
            arrival,
            departure,
            num_adult: rng.random_range(1..=3),
            price_cents: u64::from(nights.unsigned_abs()) * rng.random_range(6_000..22_000),
            first_name: FIRST.choose(rng)?.to_string(),
            last_name: LAST.choose(rng)?.to_string(),
        };
        let (channel, api_source, status) = *[
            ("booking", (19, "Booking.com"), "new"),
            ("airbnb", (46, "Airbnb"), "new"),
            ("expedia", (14, "Expedia"), "new"),
            ("vrbo", (30, "Vrbo"), "new"),
            ("direct", (0, "Direct"), "confirmed"),
            ("direct", (0, "Direct"), "request"),
        ]
        .choose(rng)?;
        let black = rng.random_ratio(1, 15);
        let id = self.make(new.clone(), now)?;
        let reference = if channel == "direct" {
            String::new()
        } else {
            rng.random_range(1_000_000_000_u64..9_999_999_999).to_string()
        };
        let children = rng.random_range(0..=2);
        let booking = self.bookings.last_mut()?;
        booking.entry.status = if black { "black" } else { status }.to_owned();
        booking.entry.num_child = children;
        (booking.channel, booking.api_source, booking.api_reference) = (channel, api_source, reference.clone());
        if !black && rng.random_ratio(1, 10) && self.free(room_id, arrival, departure, None) > 0 {
            // A second room under the same number: the reference does not tell them apart.
            self.make(new, now)?;
            let second = self.bookings.last_mut()?;
            second.master_id = Some(id);
            second.entry.status = status.to_owned();
            (second.channel, second.api_source, second.api_reference) = (channel, api_source, reference);
        }
        Some(id)
    }

    /// Makes a booking; none when there is no such room or no room left.
    pub fn make(&mut self, new: NewBooking, now: Timestamp) -> Option<u64> {
        let (property_id, country) = self
            .properties
            .iter()
            .find(|p| p.room_types.iter().any(|r| r.id == new.room_id))
            .map(|p| (p.id, if p.country == "NO" { "no" } else { "es" }))?;
        if self.free(new.room_id, new.arrival, new.departure, None) == 0 {
            return None;
        }
        self.next_id += 7;
        let now = whole_second(now);
        self.bookings.push(Booking {
            entry: BookEntry {
                id: self.next_id,
                property_id,
                room_id: new.room_id,
                status: "confirmed".to_owned(),
                arrival: new.arrival,
                departure: new.departure,
                num_adult: new.num_adult,
                num_child: 0,
                price_cents: new.price_cents,
                first_name: new.first_name,
                last_name: new.last_name,
                modified: now,
            },
            master_id: None,
            channel: "direct",
            api_source: (0, "Direct"),
            api_reference: String::new(),
            country,
            booked: now,
            cancelled: None,
        });
        Some(self.next_id)
    }

    /// Changes a booking that stands, if the new nights are free; its modification time always moves.
    pub fn change(&mut self, id: u64, change: &Change, now: Timestamp) -> bool {
        let Some(booking) = self.get(id).filter(|b| b.stands()) else { return false };
        if let Some((arrival, departure)) = change.dates
            && self.free(booking.entry.room_id, arrival, departure, Some(id)) == 0
        {
            return false;
        }
        self.touch(id, now, |entry| {
            if let Some((arrival, departure)) = change.dates {
                (entry.arrival, entry.departure) = (arrival, departure);
            }
            entry.num_adult = change.num_adult.unwrap_or(entry.num_adult);
            entry.price_cents = change.price_cents.unwrap_or(entry.price_cents);
        })
    }

    /// Cancels a booking that stands.
    pub fn cancel(&mut self, id: u64, now: Timestamp) -> bool {
        if !self.get(id).is_some_and(Booking::stands) {
            return false;
        }
        self.touch(id, now, |entry| entry.status = "cancelled".to_owned());
        if let Some(booking) = self.bookings.iter_mut().find(|b| b.entry.id == id) {
            booking.cancelled = Some(booking.entry.modified);
        }
        true
    }

    fn touch(&mut self, id: u64, now: Timestamp, act: impl FnOnce(&mut BookEntry)) -> bool {
        let Some(booking) = self.bookings.iter_mut().find(|b| b.entry.id == id) else { return false };
        // Seconds are all that the wire has: two changes must not look like one.
        let next = booking.entry.modified + SignedDuration::from_secs(1);
        booking.entry.modified = whole_second(now).max(next);
        act(&mut booking.entry);
        true
    }

    fn find_room(&self, rng: &mut impl Rng, now: Timestamp) -> Option<(u64, Date, Date)> {
        let rooms: Vec<u64> = self.properties.iter().flat_map(|p| p.room_types.iter().map(|r| r.id)).collect();
        let today = now.to_zoned(TimeZone::UTC).date();
        (0..TRIES).find_map(|_| {
            let room = *rooms.choose(rng)?;
            let arrival = today.saturating_add(Span::new().days(rng.random_range(1..HORIZON_DAYS)));
            let departure = arrival.saturating_add(Span::new().days(rng.random_range(1..=MAX_NIGHTS)));
            (self.free(room, arrival, departure, None) > 0).then_some((room, arrival, departure))
        })
    }

    /// The fewest free units over these nights, leaving one booking out of the count.
    fn free(&self, room_id: u64, arrival: Date, departure: Date, without: Option<u64>) -> u32 {
        let Some(room) = self.properties.iter().flat_map(|p| &p.room_types).find(|r| r.id == room_id) else {
            return 0;
        };
        let taken = |night: Date| {
            let holds = |b: &&Booking| {
                b.entry.room_id == room_id
                    && b.stands()
                    && Some(b.entry.id) != without
                    && b.entry.arrival <= night
                    && night < b.entry.departure
            };
            self.bookings.iter().filter(holds).count()
        };
        let mut night = arrival;
        let mut most = 0;
        while night < departure {
            most = most.max(taken(night));
            night = night.saturating_add(Span::new().days(1));
        }
        room.qty.saturating_sub(u32::try_from(most).unwrap_or(u32::MAX))
    }
}

impl Booking {
    pub fn stands(&self) -> bool {
        self.entry.status != "cancelled"
    }
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
