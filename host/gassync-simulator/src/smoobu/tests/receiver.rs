//! A receiver of webhooks that answers as told.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use serde_json::Value;
use tokio::net::TcpListener;

/// A webhook that came.
#[derive(Debug, Clone)]
pub struct ReceivedWebhook {
    pub headers: HeaderMap,
    pub body: Value,
}

impl ReceivedWebhook {
    pub fn action(&self) -> &str {
        self.body["action"].as_str().expect("an action")
    }
}

pub struct WebhookReceiver {
    pub url: String,
    got: Arc<Mutex<Vec<ReceivedWebhook>>>,
}

impl WebhookReceiver {
    /// Starts a receiver that answers with these statuses, then with 200.
    pub async fn start(answers: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        let take = async move |headers: HeaderMap, body: Bytes| {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let mut all = kept.lock().expect("the list");
            let status = answers.get(all.len()).copied().unwrap_or(200);
            all.push(ReceivedWebhook { headers, body });
            StatusCode::from_u16(status).expect("a status")
        };
        let app = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, got }
    }

    pub fn got(&self) -> Vec<ReceivedWebhook> {
        self.got.lock().expect("the list").clone()
    }
}
