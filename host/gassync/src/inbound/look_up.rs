//! Fetches records by id. Ids that a list response omits are requested individually.

use std::sync::Arc;

use gassync_domain::{Entity, Query, Selection};

use super::{fetch, missing_reservation};
use crate::{app::App, channel::ChannelCallError, store::sources::Source};

/// Runs a query by ids and records reservations that the channel does not return.
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
        // Not all channels return complete lists.
        let asked_at = app.now();
        let (_, silent) = fetch::ask(app, source, Query::new(entity, Selection::Some(vec![id]))).await?;
        for id in silent {
            missing_reservation::record_absent(app, source, &id, asked_at).await?;
        }
    }
    Ok(())
}
