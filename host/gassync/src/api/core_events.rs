//! `/core/v1/events`: the PMS reports changed core records. The host reads them again; it applies no data from the
//! event.

use std::sync::Arc;

use axum::{Json, Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use gassync_domain::{Date, FieldError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use crate::{
    app::App,
    http::{ApiError, Caller, Problem, problem::Document, scope::CoreEvents},
    store::outbox::{self, ReportedChange},
};

/// Maximum events per request.
const MAX_EVENTS: usize = 1_000;

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/core/v1/events", post(publish))
}

/// A core record that may have changed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "type": "booking.updated", "id": 17 }))]
pub struct CoreEvent {
    /// `booking.confirmed`, `booking.updated`, `booking.cancelled`, `availability.updated` or `pricing.updated`.
    #[serde(rename = "type")]
    name: String,
    /// Core id of the booking; for availability and prices, of the bookable unit.
    id: i64,
    /// For availability and prices: the first night. Default: all nights.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last night, inclusive.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// One event or a list of events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CoreEventsRequest {
    /// One event.
    One(CoreEvent),
    /// Up to 1,000.
    Several(Vec<CoreEvent>),
}

/// Which records are read again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoreEventsResponse {
    /// Number of accepted events.
    #[schema(example = 1)]
    accepted: usize,
    /// Ids that do not exist in the account.
    #[schema(example = json!([]))]
    unknown: Vec<i64>,
}

/// Report changed core records. The host reads them again and informs the channels and subscribers concerned. The key
/// needs the scope `core:events`, which `*` does not include.
#[utoipa::path(
    post, path = "/core/v1/events", tag = "core", operation_id = "post_core_events",
    request_body = CoreEventsRequest,
    responses(
        (status = 202, description = "The records are read again", body = CoreEventsResponse),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller<CoreEvents>,
    body: Bytes,
) -> Result<(StatusCode, Json<CoreEventsResponse>), ApiError> {
    let events = match serde_json::from_slice(&body) {
        Ok(CoreEventsRequest::One(event)) => vec![event],
        Ok(CoreEventsRequest::Several(events)) => events,
        Err(_) => {
            let text =
                "the body must be an event such as {\"type\": \"booking.updated\", \"id\": 17} or a list of events";
            return Err(Problem::Malformed(text.to_owned()).into());
        }
    };
    if events.len() > MAX_EVENTS {
        let text = format!("the list has {} events; the limit is {MAX_EVENTS}", events.len());
        return Err(Problem::TooLarge(text).into());
    }
    let mut changes = Vec::new();
    let mut wrong = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match event.change() {
            Ok(change) => changes.push(change),
            Err((field, problem)) => wrong.push(FieldError::new(format!("/{index}/{field}"), problem)),
        }
    }
    if !wrong.is_empty() {
        return Err(Problem::Invalid(wrong).into());
    }
    let mut tx = app.db.write(caller.account).await?;
    let mut unknown = Vec::new();
    for change in &changes {
        if !outbox::report_change(&mut tx, caller.account, change, app.now()).await? {
            unknown.push(change.entity_id);
        }
    }
    tx.commit().await?;
    app.facts.notify_one();
    Ok((StatusCode::ACCEPTED, Json(CoreEventsResponse { accepted: changes.len() - unknown.len(), unknown })))
}

impl CoreEvent {
    fn change(&self) -> Result<ReportedChange, (&'static str, String)> {
        let entity_type = match self.name.as_str() {
            "booking.confirmed" | "booking.updated" | "booking.cancelled" => "booking",
            "availability.updated" => "availability",
            "pricing.updated" => "rate",
            other => return Err(("type", format!("{other} is not a core event"))),
        };
        let span = match (self.from, self.to) {
            (None, None) => None,
            _ if entity_type == "booking" => return Err(("from", "is not allowed for booking events".to_owned())),
            (Some(from), Some(to)) if from <= to => Some((from, to)),
            (Some(from), Some(to)) => return Err(("to", format!("{to} is before {from}"))),
            (None, Some(_)) => return Err(("from", "is required with to".to_owned())),
            (Some(_), None) => return Err(("to", "is required with from".to_owned())),
        };
        Ok(ReportedChange { entity_type, entity_id: self.id, span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_name_the_records_to_invalidate() {
        let change = |text: &str| serde_json::from_str::<CoreEvent>(text).expect(text).change();
        assert!(matches!(
            change(r#"{"type":"booking.cancelled","id":17}"#),
            Ok(ReportedChange { entity_type: "booking", .. })
        ));
        let nights = r#"{"type":"pricing.updated","id":3,"from":"2027-05-01","to":"2027-05-02"}"#;
        assert!(change(nights).is_ok_and(|change| change.entity_type == "rate" && change.span.is_some()));
        for (text, field) in [
            (r#"{"type":"guest.updated","id":1}"#, "type"),
            (r#"{"type":"booking.updated","id":1,"from":"2027-05-01"}"#, "from"),
            (r#"{"type":"availability.updated","id":1,"from":"2027-05-01"}"#, "to"),
            (r#"{"type":"availability.updated","id":1,"to":"2027-05-01"}"#, "from"),
            (r#"{"type":"availability.updated","id":1,"from":"2027-05-02","to":"2027-05-01"}"#, "to"),
        ] {
            assert_eq!(change(text).expect_err(text).0, field, "{text}");
        }
    }
}
