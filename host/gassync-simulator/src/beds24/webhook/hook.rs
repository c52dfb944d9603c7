//! Webhook settings of a property.

use serde_json::{Value, json};

use super::WebhookTarget;

const VERSIONS: [&str; 3] = ["one", "twoNoPersonalData", "twoWithPersonalData"];
const ADDITIONAL_DATA: [&str; 4] = ["none", "CVC", "token", "CVCAndToken"];

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct PropertyHook {
    pub version: String,
    /// URLs, one per line.
    url: String,
    additional_data: String,
    /// `Name: value`, one per line.
    custom_header: String,
}

impl Default for PropertyHook {
    fn default() -> Self {
        Self {
            version: "one".to_owned(),
            url: String::new(),
            additional_data: "none".to_owned(),
            custom_header: String::new(),
        }
    }
}

impl PropertyHook {
    pub fn with_personal_data(webhook: WebhookTarget) -> Self {
        Self {
            version: "twoWithPersonalData".to_owned(),
            url: webhook.url,
            custom_header: webhook.header.map(|(name, value)| format!("{name}: {value}")).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Writes settings. If one is invalid, nothing changes and its name is returned.
    pub fn write(&mut self, written: &Value) -> Result<(), &'static str> {
        let read = |name: &'static str, now: &str, words: &[&str]| match written.get(name) {
            None => Ok(now.to_owned()),
            Some(Value::String(text)) if words.is_empty() || words.contains(&text.as_str()) => Ok(text.clone()),
            Some(_) => Err(name),
        };
        *self = Self {
            version: read("version", &self.version, &VERSIONS)?,
            url: read("url", &self.url, &[])?,
            additional_data: read("additionalData", &self.additional_data, &ADDITIONAL_DATA)?,
            custom_header: read("customHeader", &self.custom_header, &[])?,
        };
        Ok(())
    }

    pub fn wire(&self) -> Value {
        json!({
            "version": self.version,
            "url": self.url,
            "additionalData": self.additional_data,
            "customHeader": self.custom_header,
        })
    }

    /// Returns the URLs. Each receives every webhook, with all headers.
    pub fn addresses(&self) -> Vec<&str> {
        self.url.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    }

    pub fn headers(&self) -> Vec<(String, String)> {
        let lines = self.custom_header.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }
}
