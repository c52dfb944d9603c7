//! Writes reservations and blocks, one request each, after a look at what stands there.

use gassync_plugin::{
    Accepted, Block, ChannelError, Lenient, Operation, OperationKind, Outcome, Reservation, Subject, read_json, state,
};
use serde::Deserialize;

use super::{
    blocks,
    booking_form::{self, ChangedBooking, NewBooking, Place, rejected},
    lookup,
    session::Session,
};
use crate::{booking::Booking, pull::number_of, refusal, remembered::Fact, settings::Settings, signature::Request};

pub(crate) fn push(operations: &[Operation]) -> Result<Vec<Outcome>, ChannelError> {
    let settings = Settings::read()?;
    let mut session = Session::default();
    let one = |operation: &Operation| {
        session.item(operation.attempt, |session| Write { session, settings: &settings, operation }.run())
    };
    operations.iter().map(one).collect()
}

/// An operation being written.
struct Write<'a> {
    session: &'a mut Session,
    settings: &'a Settings,
    operation: &'a Operation,
}

impl Write<'_> {
    fn run(mut self) -> Result<Outcome, ChannelError> {
        let operation = self.operation;
        match (operation.kind, &operation.subject) {
            (OperationKind::Create, Subject::Reservation(reservation)) => {
                let place = booking_form::place(reservation)?;
                let form = self.form(reservation, place)?;
                self.create(&form, place)
            }
            (OperationKind::Change, Subject::Reservation(reservation)) => self.change(reservation),
            (OperationKind::Cancel, Subject::Reservation(reservation)) => {
                let id = self.id(|| booking_form::place(reservation))?;
                self.delete(id)
            }
            (OperationKind::Block, Subject::Block(block)) => self.block(block),
            (OperationKind::Unblock, Subject::Block(block)) => {
                let id = self.id(|| booking_form::place_of_block(block))?;
                self.delete(id)
            }
            (OperationKind::Accept | OperationKind::Decline, _) => {
                Err(rejected("/type", "Smoobu has no requests: every booking there is confirmed or cancelled"))
            }
            _ => Err(rejected("", "the record does not match the kind of the operation")),
        }
    }

    fn form(&self, reservation: &Reservation, place: Place) -> Result<NewBooking, ChannelError> {
        booking_form::new_booking(reservation, place, (&self.operation.reference, self.settings.channel_id))
    }

    fn block(&mut self, block: &Block) -> Result<Outcome, ChannelError> {
        let place = booking_form::place_of_block(block)?;
        let form = booking_form::new_block(block, place, &self.operation.reference);
        self.create(&form, place)
    }

    fn create(&mut self, form: &NewBooking, place: Place) -> Result<Outcome, ChannelError> {
        let (id, confirmed) = self.find_or_make(form, place)?;
        Ok(self.accepted(Some(id), None, confirmed))
    }

    /// The id of the booking with our reference there, which is made if there is none; and whether it stands as wanted.
    /// Nights that we closed ourselves are opened for it: Smoobu refuses bookings on blocked nights.
    fn find_or_make(&mut self, form: &NewBooking, place: Place) -> Result<(String, bool), ChannelError> {
        let Place { apartment, stay } = place;
        let active = lookup::active(self.session, apartment, stay)?;
        if let Some(there) = lookup::of_reference(&active, &self.operation.reference) {
            let id = there.id.unless_zero().ok_or_else(|| rejected("/id", "is missing"))?;
            return Ok((id, there.nights("") == Some(stay)));
        }
        blocks::remember(apartment, &active)?;
        let freed = blocks::free(self.session, apartment, stay)?;
        let answer = self.session.ask(Request::post("/api/reservations", form)?)?;
        if !(200..300).contains(&answer.status()) {
            let refused = refusal::of(&answer);
            // Refused: our nights are closed again. In doubt they stay owed, and are settled with the next calendar.
            if matches!(refused, ChannelError::Rejected(_)) && !freed.is_empty() {
                self.close_again(apartment)?;
            }
            return Err(refused);
        }
        let id = blocks::made(answer.body())?;
        freed.iter().for_each(|key| state::delete(key));
        self.close_again(apartment)?;
        Ok((id, true))
    }

    /// Settles the nights around a booking. A failure does not concern the booking: they stay owed.
    fn close_again(&mut self, apartment: u64) -> Result<(), ChannelError> {
        match blocks::settle(self.session, apartment) {
            Err(error @ ChannelError::Broken(_)) => Err(error),
            Err(_) => {
                let warning = "nights beside it, which were closed, are open until the next calendar is written";
                self.session.warnings.push(warning.to_owned());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Changes what can be changed. Dates and apartment cannot: such a booking is made anew before the former one is
    /// cancelled, so that it is never lost.
    fn change(&mut self, reservation: &Reservation) -> Result<Outcome, ChannelError> {
        let id = self.id(|| booking_form::place(reservation))?;
        let there = lookup::by_id(self.session, id)?;
        let there = there.ok_or_else(|| rejected("/id", "Smoobu has no such booking"))?;
        let is_partial = reservation.rooms.is_empty();
        let wanted = if is_partial { None } else { Some(booking_form::place(reservation)?) };
        let has = place_of(&there);
        match wanted {
            Some(wanted) if there.is_cancelled() || has != Some(wanted) => {
                self.move_to(reservation, wanted, (id, &there))
            }
            _ => self.update(reservation, id),
        }
    }

    fn move_to(
        &mut self,
        reservation: &Reservation,
        wanted: Place,
        (id, there): (u64, &Booking),
    ) -> Result<Outcome, ChannelError> {
        let is_active = !there.is_cancelled();
        let overlaps = place_of(there).is_none_or(|has| {
            has.apartment == wanted.apartment
                && has.stay.start < wanted.stay.until
                && wanted.stay.start < has.stay.until
        });
        if is_active && overlaps {
            return Err(rejected(
                "/arrivalDate",
                "cannot be changed at Smoobu, and the new nights overlap the former ones: cancel the booking there",
            ));
        }
        let form = self.form(reservation, wanted)?;
        let (new, confirmed) = self.find_or_make(&form, wanted)?;
        let departure = place_of(there).map_or(wanted.stay.until, |has| has.stay.until);
        Fact::Replaced.remember(&id.to_string(), departure)?;
        if is_active {
            let is_gone = self.session.ask(Request::delete(format!("/api/reservations/{id}")));
            if !is_gone.is_ok_and(|answer| matches!(answer.status(), 200..=299 | 404)) {
                let warning = format!("the former booking {id} may still be there: cancel it in Smoobu");
                self.session.warnings.push(warning);
            }
        }
        Ok(self.accepted(Some(new), Some(id.to_string()), confirmed && self.session.warnings.is_empty()))
    }

    fn update(&mut self, reservation: &Reservation, id: u64) -> Result<Outcome, ChannelError> {
        let form = booking_form::changed_booking(reservation)?;
        if form == ChangedBooking::default() {
            return Ok(self.accepted(Some(id.to_string()), None, true));
        }
        let answer = self.session.ask(Request::put(format!("/api/reservations/{id}"), &form)?)?;
        match answer.status() {
            // What it answers is not documented.
            200..=299 => Ok(self.accepted(Some(id.to_string()), None, false)),
            _ => Err(refusal::of(&answer)),
        }
    }

    /// Deleting a booking cancels it.
    fn delete(&mut self, id: u64) -> Result<Outcome, ChannelError> {
        #[derive(Deserialize, Default)]
        struct Deleted {
            #[serde(default)]
            success: Lenient,
        }
        let answer = self.session.ask(Request::delete(format!("/api/reservations/{id}")))?;
        match answer.status() {
            200..=299 => {
                let deleted: Deleted = read_json(answer.body(), "").unwrap_or_default();
                match deleted.success.flag() {
                    Some(false) => Err(rejected("", "Smoobu did not delete it, and says no reason")),
                    said => Ok(self.accepted(Some(id.to_string()), None, said == Some(true))),
                }
            }
            404 => {
                self.session.warnings.push(format!("Smoobu does not have {id} any more"));
                Ok(self.accepted(Some(id.to_string()), None, true))
            }
            _ => Err(refusal::of(&answer)),
        }
    }

    /// The stored id, or else that of the booking with our reference at this place.
    fn id(&mut self, place: impl FnOnce() -> Result<Place, ChannelError>) -> Result<u64, ChannelError> {
        if let Some(id) = &self.operation.channel_id {
            return number_of(id).map_err(|_| rejected("/id", "is not a number"));
        }
        let Place { apartment, stay } = place()?;
        let active = lookup::active(self.session, apartment, stay)?;
        let there = lookup::of_reference(&active, &self.operation.reference);
        let id = there.and_then(|there| there.id.as_str()?.parse().ok());
        id.ok_or_else(|| rejected("/id", "Smoobu has no booking of our reference there"))
    }

    fn accepted(&mut self, channel_id: Option<String>, replaces: Option<String>, confirmed: bool) -> Outcome {
        let warnings = std::mem::take(&mut self.session.warnings);
        Outcome::Accepted(Accepted { channel_id, replaces, confirmed, warnings })
    }
}

fn place_of(booking: &Booking) -> Option<Place> {
    Some(Place { apartment: booking.apartment.id.as_str()?.parse().ok()?, stay: booking.nights("")? })
}
