//! Closes and opens nights by hand, as the owner does: by blocks.

use jiff::{Span, Timestamp, civil::Date};

use super::{Account, SmoobuSettings, booking::SmoobuBooking, channel::Channel, webhook::BookingEvent};
use crate::Notification;

impl Account {
    /// Blocks the free nights of a range, or removes blocks from it; both ends are included. False for an unknown
    /// apartment.
    pub fn close_by_hand(
        &mut self,
        settings: &SmoobuSettings,
        apartment: u64,
        (from, to): (Date, Date),
        closed: bool,
        now: Timestamp,
    ) -> bool {
        if self.book.apartment(apartment).is_none() {
            return false;
        }
        let ends = to.saturating_add(Span::new().days(1));
        if closed {
            self.block(settings, apartment, (from, ends), now);
        } else {
            self.unblock(settings, apartment, (from, ends), now);
        }
        true
    }

    fn block(&mut self, settings: &SmoobuSettings, apartment: u64, (from, ends): (Date, Date), now: Timestamp) {
        let day = Span::new().days(1);
        let mut begins = from;
        while begins < ends {
            let free = |night: &Date| !self.book.is_taken(apartment, *night);
            let count = begins.series(day).take_while(|night| *night < ends && free(night)).count();
            let stops = begins.saturating_add(Span::new().days(count as i64));
            if let Some(block) = self.book.make(apartment, Channel::Blocked, (begins, stops), now) {
                let id = block.id;
                self.notify(settings, id, BookingEvent::New, now);
            }
            begins = stops.saturating_add(day);
        }
    }

    /// Removes blocks, and blocks again what they covered outside of the range.
    fn unblock(&mut self, settings: &SmoobuSettings, apartment: u64, range: (Date, Date), now: Timestamp) {
        let meets = |block: &&SmoobuBooking| block.is_block() && block.apartment == apartment && block.meets(range);
        let blocks: Vec<SmoobuBooking> = self.book.bookings.iter().filter(meets).cloned().collect();
        for block in blocks {
            self.cancel(settings, block.id, now, Notification::Webhook);
            for rest in [(block.arrival, range.0), (range.1, block.departure)] {
                self.block(settings, apartment, rest, now);
            }
        }
    }
}
