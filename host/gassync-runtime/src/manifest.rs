use std::collections::BTreeMap;

use gassync_domain::Entity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Origin;

/// The form of manifest this host reads.
const SCHEMA_VERSION: u32 = 1;

/// What a plugin says of itself and asks for. Unknown keys are refused, so that a typing error is not a silent wish.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The form of this document: 1.
    pub schema_version: u32,
    /// The channel; also the name of the file.
    pub id: String,
    /// For people.
    pub display_name: String,
    /// The plugin's own version.
    pub version: String,
    /// The contract it was built against.
    pub contract: String,
    /// Who answers for it.
    pub vendor: String,
    /// Where it wants to go: an address, one with a leading `*.` label, or `setting:NAME`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What secrets it needs.
    #[serde(default)]
    pub credentials: Vec<CredentialSlot>,
    /// How channels call it.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// What is fetched, and how often.
    #[serde(default)]
    pub polls: Vec<Poll>,
    /// What the channel allows.
    #[serde(default)]
    pub rate_limits: Vec<RateLimit>,
    /// JSON pointers to what nobody may keep; `*` stands for any element of an array.
    #[serde(default)]
    pub sensitive: Vec<String>,
    /// A JSON Schema of the source's settings.
    #[serde(default)]
    pub settings: Value,
    /// The channel takes its own bookings off the availability it shows.
    #[serde(default)]
    pub counts_own_bookings: bool,
    /// The channel refuses prices for content it does not have yet.
    #[serde(default)]
    pub needs_content_first: bool,
}

/// A set of secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSlot {
    /// The first part of a placeholder.
    pub slot: String,
    /// For people.
    #[serde(default)]
    pub label: String,
    /// `steps`, or `api-key` for fields that a person types in and nothing changes.
    pub kind: String,
    /// What a person types in.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// How inputs become tokens.
    pub setup: Option<Step>,
    /// How tokens become new ones.
    pub refresh: Option<Step>,
    /// How long before its end a token is refreshed, in seconds.
    #[serde(default)]
    pub refresh_before_seconds: u32,
    /// After how many days without use the channel forgets us.
    pub idle_days: Option<u32>,
}

/// A field that a person types in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The second part of a placeholder.
    pub field: String,
    /// For people.
    #[serde(default)]
    pub label: String,
}

/// A request the host makes by itself to get or renew secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// With placeholders, `{{setting.NAME}}` among them.
    pub request: StepRequest,
    /// What of the answer is kept.
    pub captures: Vec<Capture>,
    /// A pointer to the seconds the captures are good for.
    pub expires_in: Option<String>,
}

/// What a step sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepRequest {
    /// Upper case.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The bytes.
    pub body: Option<String>,
}

/// A secret in an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capture {
    /// The field it is kept as.
    pub field: String,
    /// Where it stands.
    pub pointer: String,
    /// It may be absent.
    #[serde(default)]
    pub optional: bool,
}

/// A way channels call us.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Below the connection's address; `/` is the address itself.
    pub path: String,
    /// Upper case.
    pub methods: Vec<String>,
    /// How the caller is known.
    pub verification: Verification,
    /// Whether the outcome is in the answer.
    pub kind: RouteKind,
    /// How long the caller waits, in milliseconds.
    pub budget_millis: u64,
    /// What to answer when the plugin cannot.
    pub when_unable: WhenUnable,
}

/// How a caller is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Verification {
    /// It is not.
    None,
    /// By a header with the connection's token.
    StaticHeader {
        /// Its name.
        header: String,
    },
    /// By the connection's token as the query parameter `token`.
    UrlToken,
}

/// Whether the outcome is in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// It is kept and worked on, whatever comes of it.
    Ack,
    /// The answer says what came of it.
    Ask,
}

/// The answer when the plugin cannot word one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WhenUnable {
    /// Status code.
    pub status: u16,
    /// Text.
    #[serde(default)]
    pub body: String,
}

/// Something that is fetched again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Poll {
    /// What.
    pub entity: Entity,
    /// The queue, for channels that have several.
    pub stream: Option<String>,
    /// How often.
    pub interval_seconds: u32,
    /// How far the next fetch reaches back behind the last one.
    #[serde(default)]
    pub overlap_seconds: u32,
}

/// What the channel allows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// `address`, `application`, `credential`, `account`, `property`.
    pub scope: String,
    /// How much in how long.
    pub windows: Vec<Window>,
    /// The headers by which the channel tells what is left.
    #[serde(default)]
    pub headers: BTreeMap<String, Vec<String>>,
    /// One call at a time.
    #[serde(default)]
    pub one_at_a_time: bool,
    /// Only for these paths.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// How much in how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// How long.
    pub seconds: u32,
    /// How much, in the channel's units.
    pub limit: f64,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("manifest, {path}: {problem}")]
pub struct ManifestError {
    /// Where, as `routes[0].kind`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

impl Manifest {
    /// Reads and checks the document.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let manifest: Self = serde_path_to_error::deserialize(&mut reader)
            .map_err(|e| ManifestError { path: e.path().to_string(), problem: e.inner().to_string() })?;
        let fail = |path: &str, problem: String| Err(ManifestError { path: path.to_owned(), problem });
        if manifest.schema_version != SCHEMA_VERSION {
            return fail("schemaVersion", format!("is {}; this host reads {SCHEMA_VERSION}", manifest.schema_version));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if manifest.id.is_empty() || !manifest.id.chars().all(plain) {
            return fail("id", "must be of lower-case letters, digits and hyphens".to_owned());
        }
        for (index, host) in manifest.hosts.iter().enumerate() {
            if !host.starts_with("setting:") && Origin::parse(host).is_none() {
                return fail(&format!("hosts[{index}]"), format!("{host} is neither an address nor setting:NAME"));
            }
        }
        Ok(manifest)
    }

    /// The places it asks for, given a source's settings.
    pub fn origins(&self, settings: &Value) -> Vec<Origin> {
        let settings = self.with_defaults(settings);
        let place = |host: &String| match host.strip_prefix("setting:") {
            Some(name) => settings.get(name).and_then(Value::as_str).and_then(Origin::parse),
            None => Origin::parse(host),
        };
        self.hosts.iter().filter_map(place).collect()
    }

    /// A source's settings with the schema's defaults where they say nothing.
    pub fn with_defaults(&self, settings: &Value) -> Value {
        let mut whole = serde_json::Map::new();
        if let Some(properties) = self.settings.get("properties").and_then(Value::as_object) {
            for (name, schema) in properties {
                if let Some(default) = schema.get("default") {
                    whole.insert(name.clone(), default.clone());
                }
            }
        }
        if let Some(given) = settings.as_object() {
            whole.extend(given.clone());
        }
        Value::Object(whole)
    }

    /// The settings that the schema does not know.
    pub fn unknown_settings(&self, settings: &Value) -> Vec<String> {
        let known = self.settings.get("properties").and_then(Value::as_object);
        let given = settings.as_object().into_iter().flat_map(|s| s.keys());
        given.filter(|name| !known.is_some_and(|k| k.contains_key(*name))).cloned().collect()
    }

    /// A slot by its name.
    pub fn slot(&self, name: &str) -> Option<&CredentialSlot> {
        self.credentials.iter().find(|slot| slot.slot == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"{"schemaVersion":1,"id":"tiny","displayName":"Tiny","version":"1.0.0",
        "contract":"1.0.0-rc.1","vendor":"Nobody","hosts":["setting:baseUrl"],
        "settings":{"properties":{"baseUrl":{"type":"string","default":"https://tiny.example/v1"}}}}"#;

    #[test]
    fn an_unknown_key_is_refused_with_its_path() {
        let text = SMALLEST.replace(r#""vendor""#, r#""polls":[{"entity":"reservation","every":5}],"vendor""#);
        let error = Manifest::parse(&text).expect_err("refused");
        assert!(error.path.starts_with("polls[0]") && error.problem.contains("every"), "{error}");
        assert_eq!(Manifest::parse(&SMALLEST.replace("tiny\"", "Ti ny\"")).expect_err("refused").path, "id");
    }

    #[test]
    fn settings_have_defaults_and_give_places() {
        let manifest = Manifest::parse(SMALLEST).expect("a manifest");
        let place = |settings| manifest.origins(&settings).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(place(serde_json::json!({})), ["https://tiny.example:443"]);
        assert_eq!(place(serde_json::json!({"baseUrl": "http://127.0.0.1:99/x"})), ["http://127.0.0.1:99"]);
        assert_eq!(manifest.unknown_settings(&serde_json::json!({"bse": 1})), ["bse"]);
    }
}
