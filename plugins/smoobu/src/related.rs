//! Apartments that a booking of another one closes, such as the floors of a house. They are blocks: nobody books them,
//! and selling them elsewhere would sell the same rooms twice.
//!
//! Smoobu names them at the booking and keeps no record of its own, so the state remembers for which bookings there is
//! a block: only those can lose it.

use gassync_plugin::{
    Block, Change, ChangeKind, ChannelError, Entity, EntityRef, Nights, change, clock, parse_date, state, to_date_text,
};

/// Days after departure for which a block is remembered.
const REMEMBERED_DAYS: i64 = 7;

/// The state key of a booking with such a block; its value is the day of departure.
fn key(booking: &str) -> String {
    format!("related/{booking}")
}

fn id(booking: &str) -> String {
    format!("{booking}-related")
}

/// What a booking says about related apartments.
pub(crate) struct Related<'a> {
    pub booking: &'a str,
    pub apartment: Option<&'a str>,
    /// The others; `None` if the record does not say.
    pub apartments: Option<Vec<String>>,
    /// True if the booking holds its nights.
    pub is_live: bool,
    pub stay: Option<Nights>,
    pub modified_at: Option<String>,
}

impl Related<'_> {
    /// The block, its end, or nothing.
    pub fn change(self) -> Result<Option<Change>, ChannelError> {
        let Self { booking, apartment, apartments, is_live, stay, modified_at } = self;
        if !is_live {
            return gone(booking);
        }
        match (apartments, stay) {
            (Some(apartments), _) if apartments.is_empty() => gone(booking),
            (Some(apartments), Some(stay)) if clock::today() < stay.until.add_days(REMEMBERED_DAYS) => {
                state::set(&key(booking), &to_date_text(stay.until))?;
                let block = Block {
                    id: Some(id(booking)),
                    property_id: apartment.map(str::to_owned),
                    reason: Some(format!("closed by booking {booking} of a related apartment")),
                    modified_at,
                    ..Block::new(apartments, stay)
                };
                Ok(Some(change(apartment, ChangeKind::Block(block))))
            }
            // Over, or not said: what is known stays.
            _ => Ok(None),
        }
    }
}

/// The end of a booking's block, if there is one.
pub(crate) fn gone(booking: &str) -> Result<Option<Change>, ChannelError> {
    if state::get::<String>(&key(booking))?.is_none() {
        return Ok(None);
    }
    state::delete(&key(booking));
    Ok(Some(change(None, ChangeKind::Removed(EntityRef { entity: Entity::Block, id: id(booking) }))))
}

/// Forgets blocks of stays that are over.
pub(crate) fn forget_past() -> Result<(), ChannelError> {
    let today = clock::today();
    for key in state::keys(&key("")) {
        let until = state::get::<String>(&key)?.and_then(|until| parse_date(&until));
        if until.is_none_or(|until| until.add_days(REMEMBERED_DAYS) <= today) {
            state::delete(&key);
        }
    }
    Ok(())
}
