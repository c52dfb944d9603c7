//! A receiver of webhooks with configurable responses.

use axum::{body::Bytes, http::HeaderMap, http::Uri};

use super::*;

/// A received webhook.
#[derive(Debug, Clone)]
pub struct Got {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Value,
}

pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// Starts a receiver that answers with these statuses, then with 200.
    pub async fn start(answers: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        let take = async move |method: axum::http::Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let mut all = kept.lock().expect("the list");
            let status = answers.get(all.len()).copied().unwrap_or(200);
            all.push(Got { method: method.to_string(), uri: uri.to_string(), headers, body });
            (StatusCode::from_u16(status).expect("a status"), [("location", "/elsewhere")])
        };
        let app = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, got }
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().expect("the list").clone()
    }

    pub fn webhook(&self) -> WebhookTarget {
        WebhookTarget { url: self.url.clone(), header: Some(("X-Proof".into(), "s3".into())) }
    }
}
