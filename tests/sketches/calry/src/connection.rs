//! How the connection stands, and having Calry call us.

use gassync_plugin::{ChannelError, Loose, Report, http, malformed, state};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::{Envelope, ask, configured};

/// Where the address is kept that a person has to enter in the system behind Calry.
const LISTENER: &str = "listener";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscription<'a> {
    name: &'a str,
    receiver_url: &'a str,
    integration_account_id: &'a str,
    enabled: bool,
    event_subscription: Events,
}

#[derive(Serialize)]
struct Events {
    #[serde(rename = "reservation.created")]
    created: bool,
    #[serde(rename = "reservation.updated")]
    updated: bool,
    #[serde(rename = "reservation.deleted")]
    deleted: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Subscribed {
    integration_account_webhook_id: Loose,
    listener_url: Loose,
}

pub(crate) fn check() -> Result<Report, ChannelError> {
    let settings = configured()?;
    let url = format!("{}/api/v2/vrs/properties?limit=1", settings.base_url.trim_end_matches('/'));
    ask::<Vec<Box<RawValue>>>(http::Request::get(url), &settings)?;
    let listener = state::get::<String>(LISTENER)?;
    let missing = listener.map(|url| format!("unless Calry could do it: have the system behind Calry call {url}"));
    Ok(Report {
        account: Some(settings.integration_account_id),
        scopes: Vec::new(),
        missing: missing.into_iter().collect(),
        extra: Vec::new(),
    })
}

/// The system calls are of the older version still. The address is a placeholder, and written as it is given.
pub(crate) fn subscribe(endpoint: &str) -> Result<Vec<String>, ChannelError> {
    let settings = configured()?;
    let url = format!("{}/api/v1/integration_account_webhook", settings.base_url.trim_end_matches('/'));
    let wanted = Subscription {
        name: "GasSync",
        receiver_url: endpoint,
        integration_account_id: &settings.integration_account_id,
        enabled: true,
        event_subscription: Events { created: true, updated: true, deleted: true },
    };
    let body = serde_json::to_vec(&wanted).map_err(|error| ChannelError::Broken(error.to_string()))?;
    let Envelope { data, .. }: Envelope<Subscribed> = ask(http::Request::post_json(url, body), &settings)?;
    if let Some(listener) = data.listener_url.as_str() {
        state::set(LISTENER, &listener)?;
    }
    let id = data.integration_account_webhook_id.text();
    id.map(|id| vec![id]).ok_or_else(|| malformed("/data/integrationAccountWebhookId", "is missing"))
}

#[cfg(test)]
mod tests {
    use gassync_plugin::testing::FakeHost;

    use super::*;

    #[test]
    fn the_address_to_call_stays_a_placeholder() {
        FakeHost::reset();
        FakeHost::set_settings(include_str!("../../../fixtures/calry/settings.json"));
        FakeHost::answer(200, include_str!("../../../fixtures/calry/subscribed.json"));
        assert_eq!(subscribe("{{webhook.url}}").expect("subscribed"), ["5120"]);
        let sent = FakeHost::take_requests().remove(0);
        assert_eq!(sent.url, "https://calry.example/api/v1/integration_account_webhook");
        let body: serde_json::Value = serde_json::from_slice(&sent.body.expect("a body")).expect("JSON");
        assert_eq!(body["receiverUrl"], "{{webhook.url}}");
        assert_eq!(body["integrationAccountId"], "00000000-0000-4000-8000-00000000c001");
        assert_eq!(body["eventSubscription"]["reservation.deleted"], true);
        FakeHost::answer(200, r#"{"success":true,"data":[]}"#);
        let report = check().expect("a report");
        assert!(report.missing[0].contains("https://calry.example.org/api/v1/listener/"), "{:?}", report.missing);
    }
}
