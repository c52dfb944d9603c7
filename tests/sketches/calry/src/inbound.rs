//! Decodes Calry's webhooks. Their content is not documented, so they are used as hints only.

use gassync_plugin::{ChannelError, Decoded, Entity, HttpRequest, Lenient, change, read_json, refetch, reply};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    reservation_id: Lenient,
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Data {
    id: Lenient,
    reservation_id: Lenient,
}

pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let said: Message = read_json(request.bytes(), "")?;
    // All subscribed events are about reservations: without an id, some reservation changed.
    let id = said.reservation_id.text().or(said.data.reservation_id.text()).or(said.data.id.text());
    let data = refetch(Entity::Reservation, id);
    Ok(Decoded { event_id: None, changes: vec![change(None, data)], reply: Some(reply(200, "ok")) })
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{ChangeKind, Hint, testing::post};

    use super::*;

    #[test]
    fn a_call_that_names_no_reservation_has_all_of_them_looked_at() {
        let reported = |body: &str| decode(&post("/", body)).map(|mut decoded| decoded.changes.remove(0).data);
        let hint =
            |id: Option<&str>| ChangeKind::Refetch(Hint { entity: Entity::Reservation, id: id.map(str::to_owned) });
        assert_eq!(reported(r#"{"event":"reservation.updated","data":{"id":88401}}"#), Ok(hint(Some("88401"))));
        assert_eq!(reported(r#"{"event":"reservation.deleted","data":{}}"#), Ok(hint(None)));
        for body in ["", "null", "[[", "<html>"] {
            assert!(matches!(reported(body), Err(ChannelError::Malformed(_))), "{body}");
        }
    }
}
