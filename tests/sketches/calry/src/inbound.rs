//! Calry's calls. What stands in them nobody has written down, so they say where to look and nothing else.

use gassync_plugin::{ChannelError, Decoded, Entity, EntityRef, HttpRequest, Loose, News, change, reply};
use serde::Deserialize;

use crate::malformed;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    reservation_id: Loose,
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Data {
    id: Loose,
    reservation_id: Loose,
}

pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let body = request.body.as_deref().unwrap_or_default();
    let said: Message = serde_json::from_slice(body).map_err(|error| malformed("", &error.to_string()))?;
    let id = said.reservation_id.text().or(said.data.reservation_id.text()).or(said.data.id.text());
    let news = match id {
        Some(id) => News::LookAgain(EntityRef { entity: Entity::Reservation, id }),
        // Kept, so that somebody can learn from it what these calls look like; the next window finds what changed.
        None => News::Other(("calry-event".to_owned(), String::from_utf8_lossy(body).into_owned())),
    };
    Ok(Decoded { event_id: None, changes: vec![change(None, news)], reply: Some(reply(200, "ok")) })
}
