//! Calry's calls. What stands in them nobody has written down, so they say where to look and nothing else.

use gassync_plugin::{ChannelError, Decoded, Entity, EntityRef, HttpRequest, Loose, News, change, malformed, reply};
use serde::Deserialize;
use serde_json::Value;

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
    let said: Message = serde_json::from_slice(body).map_err(|error| malformed("", error))?;
    let id = said.reservation_id.text().or(said.data.reservation_id.text()).or(said.data.id.text());
    let news = match id {
        Some(id) => News::LookAgain(EntityRef { entity: Entity::Reservation, id }),
        // Kept, so that somebody can learn from it what these calls look like; the next window finds what changed.
        // Written anew: what is deeper or larger than the host reads is malformed, and no fault of ours.
        None => {
            let whole: Value = serde_json::from_slice(body).map_err(|error| malformed("", error))?;
            News::Other(("calry-event".to_owned(), whole.to_string()))
        }
    };
    Ok(Decoded { event_id: None, changes: vec![change(None, news)], reply: Some(reply(200, "ok")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_reservation_is_kept_unless_the_host_could_not_read_it() {
        let tell = |body: &str| {
            let (method, url, body) = ("POST".to_owned(), "/".to_owned(), Some(body.as_bytes().to_vec()));
            decode(&HttpRequest { method, url, headers: Vec::new(), body })
        };
        let told = tell(r#"{"event":"ping"}"#).expect("decoded");
        assert!(matches!(&told.changes[0].news, News::Other((_, whole)) if whole == r#"{"event":"ping"}"#));
        let deep = format!(r#"{{"event":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for body in [deep.as_str(), r#"{"event":1e999}"#, "[["] {
            assert!(matches!(tell(body), Err(ChannelError::Malformed(_))), "{body}");
        }
    }
}
