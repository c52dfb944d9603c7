//! Apartments that a booking of another one closes, such as the floors of a house. They are blocks: nobody books them,
//! and selling them elsewhere would sell the same rooms twice.
//!
//! Smoobu names them at the booking and keeps no record of its own, so the state remembers for which bookings there is
//! a block: only those can lose it.

use gassync_plugin::{Block, Change, ChangeKind, ChannelError, Entity, EntityRef, Nights, change};

use crate::remembered::Fact;

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
            (Some(apartments), Some(stay)) if Fact::lasts(stay.until) => {
                Fact::ClosesRelated.remember(booking, stay.until)?;
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
    if !Fact::ClosesRelated.is_known(booking)? {
        return Ok(None);
    }
    Fact::ClosesRelated.forget(booking);
    Ok(Some(change(None, ChangeKind::Removed(EntityRef { entity: Entity::Block, id: id(booking) }))))
}
