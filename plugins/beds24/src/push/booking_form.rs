//! Reservations as Beds24 bookings, one per room.

use gassync_plugin::{
    Date, FieldError, GuestDetails, Money, Nights, Reservation, ReservationStatus, RoomStay, core_data,
};

use super::form::Form;

/// A booking to create, and the values by which an existing one is recognised.
#[derive(Debug, Clone)]
pub(crate) struct Creation {
    pub form: Form,
    pub room_id: String,
    pub arrival: Date,
}

/// A room of a reservation, and its position among the rooms.
pub(crate) struct BookingPart<'a> {
    pub reservation: &'a Reservation,
    pub room: Option<&'a RoomStay>,
    /// True if this is the only room, so that values of the whole reservation apply to it.
    pub is_alone: bool,
    /// True if this room takes the total price, when no room has its own.
    pub is_first: bool,
}

/// Builds one booking per room, all with our reference, which is the same on every attempt.
pub(crate) fn creations(
    reservation: &Reservation,
    reference: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<Creation>, FieldError> {
    if status(&reservation.status).is_none_or(|(word, _)| word == "cancelled") {
        return Err(FieldError::new("/status", "is none that a new booking can have"));
    }
    if reservation.rooms.is_empty() {
        return Err(FieldError::new("/roomId", "is missing: the reservation names no room"));
    }
    let rooms = parts(reservation).map(|part| creation(&part, reference, warnings));
    rooms.collect()
}

pub(crate) fn creation(
    part: &BookingPart<'_>,
    reference: &str,
    warnings: &mut Vec<String>,
) -> Result<Creation, FieldError> {
    let room_id = part.room.and_then(|room| room.room_type_id.clone());
    let room_id = room_id.ok_or_else(|| FieldError::new("/roomId", "is missing"))?;
    let stay = part.stay().ok_or_else(|| FieldError::new("/arrival", "is missing"))?;
    // Leave `channel` to Beds24: bookings we create are direct ones there.
    let form = part.known(Form::default(), warnings)?.text("reference", Some(reference));
    let form = form.text("comments", part.reservation.notes.as_deref());
    Ok(Creation { form, room_id, arrival: stay.start })
}

/// Returns each room of a reservation.
pub(crate) fn parts(reservation: &Reservation) -> impl Iterator<Item = BookingPart<'_>> {
    let is_alone = reservation.rooms.len() == 1;
    let part = move |(index, room)| BookingPart { reservation, room: Some(room), is_alone, is_first: index == 0 };
    reservation.rooms.iter().enumerate().map(part)
}

impl BookingPart<'_> {
    fn stay(&self) -> Option<Nights> {
        self.room.and_then(|room| room.stay).or(self.reservation.stay)
    }

    /// Writes the known values. Notes are excluded: Beds24 returns them in two fields, and they would grow with every
    /// change written back to one.
    pub fn known(&self, form: Form, warnings: &mut Vec<String>) -> Result<Form, FieldError> {
        let whole = |count: Option<u32>| count.filter(|_| self.is_alone);
        let of_room = |count: fn(&RoomStay) -> Option<u32>| self.room.and_then(count);
        let adults = of_room(|room| room.adults).or(whole(self.reservation.adults));
        let heads = of_room(|room| room.guests).or(whole(self.reservation.guests));
        let children = of_room(|room| room.children).or(whole(self.reservation.children));
        let (word, sub_status) = status(&self.reservation.status).unzip();
        let stay = self.stay();
        let form = form
            .id("roomId", self.room.and_then(|room| room.room_type_id.as_deref()))?
            .id("unitId", self.unit(warnings))?
            .text("status", word)
            .text("subStatus", sub_status.flatten())
            .date("arrival", stay.map(|stay| stay.start))
            .date("departure", stay.map(|stay| stay.until))
            .number("numAdult", adults.or(heads))
            .number("numChild", children);
        let guest = self.room.and_then(|room| room.guest.as_ref()).or(self.reservation.guest.as_ref());
        let form = guest.into_iter().fold(form, who);
        let form = form.amount("price", self.amount(self.price(), warnings).as_deref())?;
        let commission = self.reservation.commission.as_ref().filter(|_| self.is_alone);
        form.amount("commission", self.amount(commission, warnings).as_deref())
    }

    /// Omits an invalid unit with a warning, so that the booking is still created.
    fn unit(&self, warnings: &mut Vec<String>) -> Option<&str> {
        let unit = self.room?.unit_id.as_deref()?;
        let is_number = unit.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            warnings.push(format!("the unit {unit} was left out: Beds24 numbers its units"));
        }
        Some(unit).filter(|_| is_number)
    }

    fn price(&self) -> Option<&Money> {
        let own = self.room.and_then(|room| room.total.as_ref());
        let any_own = self.reservation.rooms.iter().any(|room| room.total.is_some());
        let of_all = self.reservation.total.as_ref().filter(|_| self.is_alone || (self.is_first && !any_own));
        own.or(of_all)
    }

    /// Returns an amount in the property's currency only. Bookings have no currency, so another one would be
    /// misinterpreted.
    fn amount(&self, money: Option<&Money>, warnings: &mut Vec<String>) -> Option<String> {
        let Money { amount, currency } = money?;
        let house = currency.as_ref().and_then(|_| self.currency_of_house());
        if let (Some(currency), Some(house)) = (currency, house)
            && *currency != house
        {
            warnings.push(format!("{amount} {currency} was left out: the house has {house}"));
            return None;
        }
        Some(amount.clone())
    }

    fn currency_of_house(&self) -> Option<String> {
        let id = self.reservation.property_id.as_ref()?;
        core_data::properties().into_iter().find(|property| property.id == *id)?.currency
    }
}

fn who(form: Form, guest: &GuestDetails) -> Form {
    // Do not split a full name by guessing.
    let last_name = guest.last_name.as_deref().or(guest.name.as_deref());
    let form = form
        .text("firstName", guest.first_name.as_deref())
        .text("lastName", last_name)
        .text("email", guest.email.as_deref())
        .text("phone", guest.phone.as_deref())
        .text("country", guest.country.as_deref())
        .text("lang", guest.language.as_deref());
    let Some(address) = &guest.address else { return form };
    form.text("address", address.street.as_deref())
        .text("city", address.city.as_deref())
        .text("state", address.state.as_deref())
        .text("postcode", address.postcode.as_deref())
}

/// Returns status and sub-status; `None` for a status that is not in the contract.
pub(crate) fn status(status: &ReservationStatus) -> Option<(&'static str, Option<&'static str>)> {
    match status {
        ReservationStatus::Confirmed => Some(("confirmed", None)),
        ReservationStatus::Pending(_) => Some(("request", None)),
        ReservationStatus::Inquiry => Some(("inquiry", None)),
        ReservationStatus::Cancelled | ReservationStatus::Declined => Some(("cancelled", None)),
        ReservationStatus::NoShow => Some(("confirmed", Some("noShow"))),
        ReservationStatus::Other(_) => None,
    }
}
