//! The headers of every request, and the envelope of every response.

use gassync_plugin::{ChannelError, Lenient, http, malformed, read_json, settings};
use serde::{Deserialize, de::DeserializeOwned};

/// The source's settings: workspace and linked system. They are not secret; the key is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub base_url: String,
    pub workspace_id: String,
    pub integration_account_id: String,
}

/// A successful response.
#[derive(Deserialize)]
pub(crate) struct Envelope<T> {
    pub data: T,
    #[serde(default)]
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Meta {
    pub cursors: Cursors,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Cursors {
    pub next: Lenient,
}

/// Sends a request with the common headers.
pub(crate) fn ask<T: DeserializeOwned>(
    request: http::Request,
    settings: &Settings,
) -> Result<Envelope<T>, ChannelError> {
    let answer = request
        .header("Authorization", "Bearer {{calry.key}}")
        .secret("calry.key")
        .header("workspaceId", &settings.workspace_id)
        .header("integrationAccountId", &settings.integration_account_id)
        .send()?;
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Said {
        success: Option<bool>,
        message: Lenient,
    }
    // Error bodies are not documented, so this may not match.
    let said: Said = serde_json::from_slice(answer.body()).unwrap_or_default();
    match (answer.status(), said.success) {
        (200..=299, Some(true)) => read_json(answer.body(), ""),
        // A failure may have a success status.
        (200..=299, Some(false)) => {
            let problem = said.message.as_str().unwrap_or("no reason given");
            Err(ChannelError::Unavailable(format!("success is false: {problem}")))
        }
        (200..=299, None) => Err(malformed("/success", "is missing")),
        _ => Err(answer.refusal(said.message.text())),
    }
}

pub(crate) fn configured() -> Result<Settings, ChannelError> {
    settings()
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Header, HttpResponse, testing::FakeHost};
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn a_refusal_for_now_says_how_long() {
        FakeHost::reset();
        FakeHost::set_settings(include_str!("../../../fixtures/calry/settings.json"));
        let headers = vec![Header { name: "Retry-After".to_owned(), value: "120".to_owned() }];
        FakeHost::answer_with(Ok(HttpResponse { status: 429, headers, body: Vec::new() }));
        let settings = configured().expect("settings");
        let reported = ask::<IgnoredAny>(http::Request::get("https://calry.example"), &settings).err();
        assert_eq!(reported, Some(ChannelError::RateLimited(Some(120))));
    }
}
