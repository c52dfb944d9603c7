//! Describes the connection, and subscribes to Calry's webhooks.

use gassync_plugin::{ChannelError, Lenient, Report, Subscribed, http, malformed};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::{Envelope, ask, configured};

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
struct Made {
    integration_account_webhook_id: Lenient,
    listener_url: Lenient,
}

pub(crate) fn check() -> Result<Report, ChannelError> {
    let settings = configured()?;
    let url = format!("{}/api/v2/vrs/properties?limit=1", settings.base_url.trim_end_matches('/'));
    ask::<Vec<Box<RawValue>>>(http::Request::get(url), &settings)?;
    let account = Some(settings.integration_account_id);
    Ok(Report { account, scopes: Vec::new(), missing: Vec::new(), extra: Vec::new() })
}

/// Subscriptions still use the older API version. The URL is a placeholder that the host fills in.
pub(crate) fn subscribe(endpoint: &str) -> Result<Subscribed, ChannelError> {
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
    let request = http::Request::post_json(url, body).body_secret("webhook.url");
    let Envelope { data, .. }: Envelope<Made> = ask(request, &settings)?;
    let id = data.integration_account_webhook_id.text();
    let id = id.ok_or_else(|| malformed("/data/integrationAccountWebhookId", "is missing"))?;
    // Calry does not document which systems it registers this URL with.
    let step = |url: &str| format!("Unless Calry has done it: enter {url} as the webhook in the system behind Calry.");
    Ok(Subscribed { ids: vec![id], steps: data.listener_url.as_str().map(step).into_iter().collect() })
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
        let subscribed = subscribe("{{webhook.url}}").expect("subscribed");
        assert_eq!(subscribed.ids, ["5120"]);
        let [step] = subscribed.steps.as_slice() else { panic!("{:?}", subscribed.steps) };
        assert!(step.contains("https://calry.example.org/api/v1/listener/"), "{step}");
        let sent = FakeHost::take_requests().remove(0);
        assert_eq!(sent.url, "https://calry.example/api/v1/integration_account_webhook");
        let body: serde_json::Value = serde_json::from_slice(&sent.body.expect("a body")).expect("JSON");
        assert_eq!(body["receiverUrl"], "{{webhook.url}}");
        assert_eq!(FakeHost::secrets_meant(), ["body:webhook.url", "calry.key"]);
        assert_eq!(body["integrationAccountId"], "00000000-0000-4000-8000-00000000c001");
        assert_eq!(body["eventSubscription"]["reservation.deleted"], true);
    }

    #[test]
    fn a_person_is_left_nothing_to_do_where_there_is_nothing() {
        FakeHost::reset();
        FakeHost::set_settings(include_str!("../../../fixtures/calry/settings.json"));
        FakeHost::answer(200, r#"{"success":true,"data":{"integrationAccountWebhookId":7}}"#);
        assert_eq!(subscribe("{{webhook.url}}"), Ok(Subscribed::to(vec!["7".to_owned()])));
        FakeHost::answer(200, r#"{"success":true,"data":{}}"#);
        assert!(matches!(subscribe("{{webhook.url}}"), Err(ChannelError::Malformed(_))));
        FakeHost::answer(200, r#"{"success":true,"data":[]}"#);
        let report = check().expect("a report");
        assert!(report.account.is_some() && report.missing.is_empty(), "{report:?}");
    }
}
