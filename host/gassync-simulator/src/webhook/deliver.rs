//! Delivery of queued webhooks, one by one.

use std::time::Duration;

use reqwest::{Client, redirect::Policy};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{QueuedWebhook, WebhookMessage};

/// Timeout of a delivery.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Polling interval of an idle queue.
const IDLE: Duration = Duration::from_millis(50);

/// A request to send.
pub(crate) struct WebhookRequest {
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// JSON to POST; `None` for GET.
    pub body: Option<String>,
}

/// A simulator that sends webhooks.
pub(crate) trait WebhookSender: Send + Sync + 'static {
    /// What it sends.
    type Message: WebhookMessage;

    /// Takes the next due webhook, rendered for its current target.
    fn take(&self) -> Option<(QueuedWebhook<Self::Message>, WebhookRequest)>;

    /// Records the status of the response; `None` without a response.
    fn settle(&self, sent: QueuedWebhook<Self::Message>, status: Option<u16>);

    /// Notified when a webhook is queued.
    fn ready(&self) -> &Notify;
}

/// Delivers until shutdown.
pub(crate) async fn deliver(simulator: impl WebhookSender, shutdown: CancellationToken) {
    // Another part of the process may have installed a provider; either provider works.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = match Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy().build() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "webhook client unavailable");
            return;
        }
    };
    while !shutdown.is_cancelled() {
        let Some((queued, request)) = simulator.take() else {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = simulator.ready().notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
            continue;
        };
        let status = send(&client, request).await;
        simulator.settle(queued, status);
    }
}

async fn send(client: &Client, webhook: WebhookRequest) -> Option<u16> {
    let mut request = match webhook.body {
        Some(body) => client.post(&webhook.url).header("content-type", "application/json").body(body),
        None => client.get(&webhook.url),
    };
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(answer) => Some(answer.status().as_u16()),
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "webhook delivery failed");
            None
        }
    }
}
