//! A caller of a host's APIs, who says which status it expects and reads answers as types: a renamed field
//! fails the test that reads it.

use gassync_domain::FieldError;
use reqwest::{Client, Method};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Someone with a token.
#[derive(Clone)]
pub struct Caller {
    http: Client,
    base: String,
    token: String,
}

/// A problem document.
#[derive(Debug, Clone, Deserialize)]
pub struct ProblemDocument {
    /// Help page, such as `/problems/invalid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// Details of this occurrence.
    #[serde(default)]
    pub detail: String,
    /// The fields concerned.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

impl Caller {
    /// Calls the paths below this base, such as `http://127.0.0.1:8480/admin/v1`.
    pub fn new(http: Client, base: String, token: String) -> Self {
        Self { http, base, token }
    }

    /// Reads something that is there.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.call(Method::GET, path, &Value::Null, 200).await
    }

    /// Sends POST and expects this status.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize, expected: u16) -> T {
        self.call(Method::POST, path, body, expected).await
    }

    /// Sends POST and expects to be refused with this status.
    pub async fn refused(&self, path: &str, body: &impl Serialize, expected: u16) -> ProblemDocument {
        self.call(Method::POST, path, body, expected).await
    }

    /// Sends DELETE and expects this status.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str, expected: u16) -> T {
        self.call(Method::DELETE, path, &Value::Null, expected).await
    }

    /// Sends a request, without a body if it is null.
    ///
    /// # Panics
    ///
    /// Panics if the answer has another status or another form.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        expected: u16,
    ) -> T {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}/{path}", self.base)).bearer_auth(&self.token);
        let body = serde_json::to_value(body).expect("JSON");
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(status, expected, "{what}: {text}");
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{what}: {error} in {text}"))
    }
}
