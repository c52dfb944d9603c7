//! Durable work: one file per job. Every job is safe to run twice; none holds a transaction while a plugin or the
//! network works.

mod backfill;
mod drive_parked;
mod ending;
mod finisher;
mod horizon;
mod kind;
mod look_again;
mod poll;
mod push;
mod relay;
mod retention;
mod worker;

use gassync_domain::{AccountId, SourceId, Timestamp};
use serde_json::json;

pub use backfill::go_on;
pub(crate) use ending::Outcome;
pub use finisher::Finisher;
pub use kind::Kind;
pub use poll::{
    begin as begin_polls, begin_new as begin_new_polls, hasten as hasten_polls, of_bookings as polls_of_bookings,
    selection as poll_selection,
};
pub use push::{of_booking as push_of_booking, of_calendar as push_of_calendar};
pub use relay::run as relay;
pub use retention::run as retention;
pub use worker::run;

use crate::store::{self, Tx, outbound::invalidations};

/// Something was linked: what waited for it is tried again, in a transaction of its own, and what is linked is told of.
pub(crate) async fn linked(tx: &mut Tx, account: AccountId, source: SourceId, now: Timestamp) -> store::Result<()> {
    let whom = (account, source);
    crate::core::give_time_zone(tx, account, (source, None), now).await?;
    store::queue::put(tx, &[Kind::DriveParked.put(whom, json!({}), (now, now))], now).await?;
    crate::outbound::fan_out::source(tx, whom, (invalidations::FIRST, false), now).await
}
