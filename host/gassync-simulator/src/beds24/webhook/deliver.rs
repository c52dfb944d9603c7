//! Delivery of queued webhooks, one by one.

use std::time::Duration;

use reqwest::{Client, redirect::Policy};
use tokio_util::sync::CancellationToken;

use super::{
    super::{Beds24, json_text},
    outgoing::{Event, PendingDelivery},
    render::{self, Rendered},
};

/// Timeout of a delivery.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Polling interval of an idle queue.
const IDLE: Duration = Duration::from_millis(50);

/// Delivers until shutdown.
pub(in super::super) async fn deliver(simulator: Beds24, shutdown: CancellationToken) {
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
        let Some((delivery, rendered)) = take(&simulator) else {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = simulator.inner.delivery_ready.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
            continue;
        };
        let status = send(&client, rendered).await;
        let now = simulator.now();
        simulator.account().outgoing.settle(delivery, status, now);
    }
}

/// Takes the next due delivery, rendered for its current webhook; drops deliveries without a webhook.
fn take(simulator: &Beds24) -> Option<(PendingDelivery, Rendered)> {
    let (now, in_array) = (simulator.now(), simulator.inner.settings.webhook_in_array);
    let account = &mut *simulator.account();
    loop {
        let delivery = account.outgoing.take(now, &mut account.faults, &mut account.fault_rng)?;
        let rendered = if delivery.event == Event::Room {
            account.outgoing.inventory.clone().map(|webhook| Rendered {
                url: webhook.url,
                headers: webhook.header.into_iter().collect(),
                body: Some(delivery.body.clone()),
            })
        } else {
            let hook = account.book.hooks.get(&delivery.property);
            let address = hook.and_then(|hook| Some((hook, *hook.addresses().get(delivery.line)?)));
            address.map(|hook| render::booking(hook, &delivery, in_array, &mut account.fault_rng))
        };
        match rendered {
            Some(rendered) => return Some((delivery, rendered)),
            None => account.outgoing.drop_taken(),
        }
    }
}

async fn send(client: &Client, rendered: Rendered) -> Option<u16> {
    let mut request = match &rendered.body {
        Some(body) => {
            let request = client.post(&rendered.url).header("content-type", "application/json");
            request.body(json_text::body(body))
        }
        None => client.get(&rendered.url),
    };
    for (name, value) in &rendered.headers {
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
