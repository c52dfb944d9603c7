use std::sync::Arc;

use gassync_domain::{Entity, Hint, Query, Selection};
use jiff::{Span, tz::TimeZone};
use serde_json::Value;

use super::poll;
use crate::{
    app::App,
    inbound::pull::{self, PullError},
    store::sources::Source,
};

/// Nights of a calendar that are looked at again where the plugin's manifest names no window of its own.
const DAYS_AHEAD: i64 = 365;

/// Fetches one record, or what has changed of its kind.
pub(super) async fn run(app: &Arc<App>, source: &Source, payload: &Value) -> Result<(), PullError> {
    let Ok(hint) = serde_json::from_value::<Hint>(payload.clone()) else {
        // Only this program writes payloads; one it cannot read is of another version and has nothing to fetch.
        tracing::error!(source = %source.id, "a look-again names nothing");
        return Ok(());
    };
    let query = query(app, source, hint).await?;
    pull::run(app, source, query).await.map(drop)
}

/// Room types and rate plans are fetched with their property's, which is how channels give them.
async fn query(app: &App, source: &Source, Hint { entity, id }: Hint) -> Result<Query, PullError> {
    Ok(match (entity, id) {
        (Entity::Reservation | Entity::Guest | Entity::Block, Some(id)) => {
            Query::new(entity, Selection::Some(vec![id]))
        }
        (Entity::Calendar, room_type_id) => {
            Query { room_type_id, ..Query::new(entity, of_its_kind(app, source, entity).await?) }
        }
        (Entity::Property | Entity::RoomType | Entity::RatePlan, Some(_)) => Query::new(entity, Selection::Everything),
        (_, None) => Query::new(entity, of_its_kind(app, source, entity).await?),
    })
}

/// What the plugin's poll of this kind asks for, where it has one.
async fn of_its_kind(app: &App, source: &Source, entity: Entity) -> Result<Selection, PullError> {
    let plugin = app.plugins.get(&source.source_type);
    let polls = plugin.as_ref().map(|plugin| plugin.manifest().polls.as_slice()).unwrap_or_default();
    match polls.iter().find(|poll| poll.entity == entity) {
        Some(poll) => Ok(poll::selection(app, source, poll).await?),
        None if entity == Entity::Calendar => {
            let start = app.now().to_zoned(TimeZone::UTC).date();
            Ok(Selection::Within { start, until: start.saturating_add(Span::new().days(DAYS_AHEAD)) })
        }
        None => Ok(Selection::Everything),
    }
}
