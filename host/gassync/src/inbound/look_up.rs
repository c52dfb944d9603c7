//! Records that are asked for by their ids: those that a list leaves out are asked for alone.

use std::sync::Arc;

use gassync_domain::{Entity, Query, Selection};

use super::{fetch, missing_reservation};
use crate::{app::App, channel::ChannelCallError, store::sources::Source};

/// Fetches what a query names, and takes note of reservations that the channel does not answer for.
pub async fn run(app: &Arc<App>, source: &Source, query: Query) -> Result<(), ChannelCallError> {
    let entity = query.entity;
    let alone = matches!(&query.selection, Selection::Some(ids) if ids.len() == 1);
    let asked_at = app.now();
    let (_, silent) = fetch::ask(app, source, query).await?;
    if entity != Entity::Reservation {
        return Ok(());
    }
    for id in silent {
        if alone {
            missing_reservation::record_absent(app, source, &id, asked_at).await?;
            continue;
        }
        // Whether a channel answers a list whole is not known of all.
        let asked_at = app.now();
        let (_, silent) = fetch::ask(app, source, Query::new(entity, Selection::Some(vec![id]))).await?;
        for id in silent {
            missing_reservation::record_absent(app, source, &id, asked_at).await?;
        }
    }
    Ok(())
}
