//! Which bookings a list has. Cancelled ones are hidden unless they are asked for.

use jiff::civil::{Date, DateTime};

use super::super::{
    SmoobuSettings,
    book::Book,
    booking::SmoobuBooking,
    query::{InvalidParameter, Parameters},
};

/// A range; both ends are optional.
struct Range<T> {
    from: Option<T>,
    to: Option<T>,
    bounds_included: bool,
}

pub(super) struct Filter {
    cancelled_too: bool,
    without_blocks: bool,
    apartment: Option<u64>,
    stay: Range<Date>,
    arrival: Range<Date>,
    departure: Range<Date>,
    created: Range<DateTime>,
    modified: Range<DateTime>,
}

impl Filter {
    /// Reads the parameters, whose names are of two styles.
    pub fn read(parameters: &Parameters, settings: &SmoobuSettings) -> Result<Self, InvalidParameter> {
        let days = |from, to| -> Result<Range<Date>, InvalidParameter> {
            Ok(Range { from: parameters.date(from)?, to: parameters.date(to)?, bounds_included: true })
        };
        let moments = |from, to, bounds_included| -> Result<Range<DateTime>, InvalidParameter> {
            let (from, to) = (parameters.moment(from, false)?, parameters.moment(to, true)?);
            Ok(Range { from, to, bounds_included })
        };
        Ok(Self {
            cancelled_too: parameters.flag("showCancellation"),
            without_blocks: parameters.flag("excludeBlocked"),
            apartment: parameters.number("apartmentId")?,
            stay: days("from", "to")?,
            arrival: days("arrivalFrom", "arrivalTo")?,
            departure: days("departureFrom", "departureTo")?,
            created: moments("created_from", "created_to", true)?,
            modified: moments("modifiedFrom", "modifiedTo", settings.bounds_included)?,
        })
    }

    pub fn takes(&self, booking: &SmoobuBooking, book: &Book) -> bool {
        let local = |at: jiff::Timestamp| at.to_zoned(book.time_zone.clone()).datetime();
        (self.cancelled_too || booking.is_active())
            && !(self.without_blocks && booking.is_block())
            && self.apartment.is_none_or(|id| booking.apartment == id)
            // A stay is in the list if any of its days is in the range.
            && self.stay.from.is_none_or(|from| booking.departure >= from)
            && self.stay.to.is_none_or(|to| booking.arrival <= to)
            && self.arrival.holds(&booking.arrival)
            && self.departure.holds(&booking.departure)
            && self.created.holds(&local(booking.created))
            && self.modified.holds(&local(booking.modified))
    }
}

impl<T: PartialOrd> Range<T> {
    fn holds(&self, value: &T) -> bool {
        let on_bound = |bound: &T| self.bounds_included && value == bound;
        let begun = self.from.as_ref().is_none_or(|from| value > from || on_bound(from));
        begun && self.to.as_ref().is_none_or(|to| value < to || on_bound(to))
    }
}
