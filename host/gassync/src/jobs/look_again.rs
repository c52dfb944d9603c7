use std::sync::Arc;

use gassync_domain::{Entity, EntityRef, Selection};
use serde_json::Value;

use crate::{
    app::App,
    inbound::pull::{self, PullError},
    store::sources::Source,
};

/// Fetches one record. A room type is fetched with its property's, which is how channels give them.
pub(super) async fn run(app: &Arc<App>, source: &Source, payload: &Value) -> Result<(), PullError> {
    let Ok(EntityRef { entity, id }) = serde_json::from_value(payload.clone()) else {
        // Only this program writes payloads; one it cannot read is of another version and has nothing to fetch.
        tracing::error!(source = %source.id, "a look-again names nothing");
        return Ok(());
    };
    let selection = match entity {
        Entity::Property | Entity::RoomType => Selection::Everything,
        _ => Selection::Some(vec![id]),
    };
    pull::run(app, source, entity, selection).await.map(drop)
}
