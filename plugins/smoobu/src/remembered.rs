//! What the state remembers of bookings until their stay is over.

use gassync_plugin::{ChannelError, Date, clock, parse_date, state, to_date_text};

/// Days after departure for which something is remembered.
const REMEMBERED_DAYS: i64 = 7;

/// What is remembered of a booking.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact {
    /// There is a block of related apartments.
    ClosesRelated,
    /// We have made it anew elsewhere, so that its cancellation is no news.
    Replaced,
}

impl Fact {
    const ALL: [Self; 2] = [Self::ClosesRelated, Self::Replaced];

    fn key(self, booking: &str) -> String {
        let name = match self {
            Self::ClosesRelated => "related",
            Self::Replaced => "replaced",
        };
        format!("{name}/{booking}")
    }

    /// True while a stay with this departure is remembered.
    pub fn lasts(departure: Date) -> bool {
        clock::today() < departure.add_days(REMEMBERED_DAYS)
    }

    pub fn remember(self, booking: &str, departure: Date) -> Result<(), ChannelError> {
        state::set(&self.key(booking), &to_date_text(departure))
    }

    pub fn is_known(self, booking: &str) -> Result<bool, ChannelError> {
        Ok(state::get::<String>(&self.key(booking))?.is_some())
    }

    pub fn forget(self, booking: &str) {
        state::delete(&self.key(booking));
    }
}

/// Forgets bookings whose stay is over.
pub(crate) fn forget_past() -> Result<(), ChannelError> {
    for key in Fact::ALL.into_iter().flat_map(|fact| state::keys(&fact.key(""))) {
        let departure = state::get::<String>(&key)?.and_then(|departure| parse_date(&departure));
        if !departure.is_some_and(Fact::lasts) {
            state::delete(&key);
        }
    }
    Ok(())
}
