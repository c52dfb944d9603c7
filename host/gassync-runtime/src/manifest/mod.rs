//! The manifest of a plugin, as in the contract's `manifest.schema.json`.

mod credential;
mod polling;
mod route;
mod settings;

use gassync_domain::UnitCount;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use credential::{Authorize, CredentialSlot, Input, SlotKind, Step, StepRequest};
pub use polling::{Batch, Batches, Days, LimitScope, Poll, RateLimit, Window};
pub use route::{Encoding, FallbackResponse, InboundRoute, RouteKind, Verification};

use crate::{Algorithm, HostPattern, MAX_SANDBOX_BYTES, grant};

/// Supported manifest schema version.
const SCHEMA_VERSION: u32 = 1;
/// Largest manifest, in bytes.
const MAX_MANIFEST_BYTES: usize = 256 * 1024;
/// Prefix of a host given by a setting.
pub(crate) const SETTING: &str = "setting:";
/// Prefix of a host given by a secret, `credential:SLOT.FIELD`.
pub(crate) const CREDENTIAL: &str = "credential:";

/// The manifest of a plugin. Unknown keys are refused, so that typing errors do not pass silently.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Schema version: 1.
    pub schema_version: u32,
    /// Channel id, which is also the file name.
    pub id: String,
    /// Display name.
    pub display_name: String,
    /// Plugin version.
    pub version: String,
    /// Contract version.
    pub contract: String,
    /// Vendor.
    pub vendor: String,
    /// Requested hosts: a URL, optionally with a leading `*.` label, `setting:NAME` or `credential:SLOT.FIELD`;
    /// optionally preceded by methods, as in `GET,POST https://api.example.org`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Credential slots.
    #[serde(default)]
    pub credentials: Vec<CredentialSlot>,
    /// Inbound routes.
    #[serde(default)]
    pub routes: Vec<InboundRoute>,
    /// Polls.
    #[serde(default)]
    pub polls: Vec<Poll>,
    /// Rate limits of the channel.
    #[serde(default)]
    pub rate_limits: Vec<RateLimit>,
    /// Batch sizes.
    #[serde(default)]
    pub batches: Batches,
    /// Sensitive fields that are never stored: JSON pointers, with `*` for any array element, and `xml:A/B/@C`, a path
    /// suffix without namespace prefixes; an element includes its content.
    #[serde(default)]
    pub sensitive: Vec<String>,
    /// JSON Schema of the source's settings.
    #[serde(default = "no_settings")]
    pub settings: Value,
    /// Limits beyond the defaults.
    #[serde(default)]
    pub limits: Limits,
    /// The channel subtracts its own bookings from the availability it shows.
    #[serde(default)]
    pub decrements_own_availability: bool,
    /// The channel computes the units left by itself, from its rooms and the bookings it knows, and accepts no number.
    #[serde(default)]
    pub computes_availability: bool,
    /// The channel requires content before prices.
    #[serde(default)]
    pub needs_content_first: bool,
    /// The channel returns every reservation by id, however old; one it does not return no longer exists.
    #[serde(default)]
    pub answers_every_id: bool,
}

impl Manifest {
    /// How the channel counts available units.
    pub fn unit_count(&self) -> UnitCount {
        match (self.computes_availability, self.decrements_own_availability) {
            (true, _) => UnitCount::ComputedByChannel,
            (false, true) => UnitCount::MinusOwnBookings,
            (false, false) => UnitCount::AsSent,
        }
    }
}

fn no_settings() -> Value {
    serde_json::json!({ "type": "object" })
}

/// Limits beyond the defaults, to be granted by an admin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Memory per call in MiB: 64 by default, at most 256.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: Option<u32>,
}

/// Reserved placeholder names that are not slots.
pub(crate) const NO_SLOTS: [&str; 2] = ["setting", "oauth"];

/// An invalid manifest.
#[derive(Debug, thiserror::Error)]
#[error("manifest, {path}: {problem}")]
pub struct ManifestError {
    /// Path, such as `routes[0].kind`.
    pub path: String,
    /// Problem.
    pub problem: String,
}

impl Manifest {
    /// Parses and validates a manifest.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST_BYTES {
            let problem = format!("has {} bytes; the limit is {MAX_MANIFEST_BYTES}", text.len());
            return Err(ManifestError { path: ".".to_owned(), problem });
        }
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
            check_host(&manifest, &format!("hosts[{index}]"), host)?;
        }
        for (index, slot) in manifest.credentials.iter().enumerate() {
            if NO_SLOTS.contains(&slot.slot.as_str()) {
                return fail(&format!("credentials[{index}].slot"), format!("{} is reserved", slot.slot));
            }
            for (number, host) in slot.hosts.iter().enumerate() {
                check_host(&manifest, &format!("credentials[{index}].hosts[{number}]"), host)?;
            }
        }
        for (index, route) in manifest.routes.iter().enumerate() {
            check_route(&manifest, &format!("routes[{index}]"), route)?;
        }
        for (index, limit) in manifest.rate_limits.iter().enumerate() {
            if limit.weight < 0.0 || limit.windows.iter().any(|window| window.limit <= 0.0) {
                let problem = "a weight must not be below zero, and a window must have room for something".to_owned();
                return fail(&format!("rateLimits[{index}]"), problem);
            }
        }
        let most = MAX_SANDBOX_BYTES / (1024 * 1024);
        if let Some(mib) = manifest.limits.memory_mib.filter(|mib| !(1..=most).contains(&(*mib as usize))) {
            return fail("limits.memoryMiB", format!("is {mib}; allowed are 1 to {most}"));
        }
        if let Err(problem) = settings::validator(&manifest.settings) {
            return fail("settings", problem);
        }
        let properties = manifest.settings.get("properties").and_then(Value::as_object);
        if let Some((name, _)) = properties.into_iter().flatten().find(|(_, s)| s.get("writeOnly").is_some()) {
            return fail(&format!("settings.properties.{name}"), "secrets belong in a credential slot".to_owned());
        }
        Ok(manifest)
    }

    /// Resolves hosts to patterns, given the settings (with or without defaults) and the secrets that are URLs.
    /// Unresolvable hosts are left out.
    pub fn host_patterns<'a>(
        &self,
        hosts: impl IntoIterator<Item = &'a String>,
        settings: &Value,
        secret: impl Fn(&str, &str) -> Option<String>,
    ) -> Vec<HostPattern> {
        let pattern = |host: &String| {
            let (methods, at) = grant::split_methods(host)?;
            if let Some(name) = at.strip_prefix(SETTING) {
                HostPattern::of(methods, settings.get(name)?.as_str()?)
            } else if let Some(name) = at.strip_prefix(CREDENTIAL) {
                let (slot, field) = name.split_once('.')?;
                HostPattern::of(methods, &secret(slot, field)?)
            } else {
                HostPattern::parse(host)
            }
        };
        hosts.into_iter().filter_map(pattern).collect()
    }

    /// Slots and fields whose secrets are URLs.
    pub fn secret_addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.hosts.iter().chain(self.credentials.iter().flat_map(|slot| &slot.hosts));
        all.filter_map(|host| grant::split_methods(host)?.1.strip_prefix(CREDENTIAL)?.split_once('.'))
    }

    /// The settings with the schema's defaults applied.
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

    /// A slot by name.
    pub fn slot(&self, name: &str) -> Option<&CredentialSlot> {
        self.credentials.iter().find(|slot| slot.slot == name)
    }
}

fn check_host(manifest: &Manifest, path: &str, host: &str) -> Result<(), ManifestError> {
    let fail = |problem: String| Err(ManifestError { path: path.to_owned(), problem });
    let Some((_, at)) = grant::split_methods(host) else {
        return fail(format!("{host} must start with upper-case methods"));
    };
    if let Some(name) = at.strip_prefix(SETTING) {
        return match manifest.settings.get("properties").and_then(|properties| properties.get(name)) {
            Some(_) => Ok(()),
            None => fail(format!("there is no setting {name}")),
        };
    }
    if let Some(name) = at.strip_prefix(CREDENTIAL) {
        return match name.split_once('.').and_then(|(slot, _)| manifest.slot(slot)) {
            Some(_) => Ok(()),
            None => fail(format!("{name} names no slot and field")),
        };
    }
    match HostPattern::parse(host) {
        Some(_) => Ok(()),
        None => fail(format!("{host} is neither a URL nor setting:NAME nor credential:SLOT.FIELD")),
    }
}

fn check_route(manifest: &Manifest, path: &str, route: &InboundRoute) -> Result<(), ManifestError> {
    let fail = |field: &str, problem: String| Err(ManifestError { path: format!("{path}.{field}"), problem });
    if !route.path.starts_with('/') {
        return fail("path", "must begin with /".to_owned());
    }
    if !(100..600).contains(&route.fallback_response.status) {
        return fail("fallbackResponse.status", format!("{} is not an HTTP status", route.fallback_response.status));
    }
    let slot = match &route.verification {
        Verification::Basic { slot }
        | Verification::Message { slot, .. }
        | Verification::Signature { slot, .. }
        | Verification::Jwt { slot, .. } => slot,
        _ => return Ok(()),
    };
    if manifest.slot(slot).is_none() {
        return fail("verification.slot", format!("there is no slot {slot}"));
    }
    match &route.verification {
        Verification::Signature { algorithm, .. } if Algorithm::by_name(algorithm).is_err() => {
            fail("verification.algorithm", format!("unknown algorithm {algorithm}"))
        }
        Verification::Jwt { algorithm, .. } if !["HS256", "RS256"].contains(&&**algorithm) => {
            fail("verification.algorithm", format!("{algorithm} is neither HS256 nor RS256"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"{"schemaVersion":1,"id":"tiny","displayName":"Tiny","version":"1.0.0",
        "contract":"1.0.0-rc.5","vendor":"Nobody","hosts":["setting:baseUrl"],
        "settings":{"properties":{"baseUrl":{"type":"string","default":"https://tiny.example/v1"}}}}"#;

    #[test]
    fn unknown_manifest_keys_are_refused_with_their_path() {
        let text = SMALLEST.replace(r#""vendor""#, r#""polls":[{"entity":"reservation","every":5}],"vendor""#);
        let error = Manifest::parse(&text).expect_err("refused");
        assert!(error.path.starts_with("polls[0]") && error.problem.contains("every"), "{error}");
        assert_eq!(Manifest::parse(&SMALLEST.replace("tiny\"", "Ti ny\"")).expect_err("refused").path, "id");
    }

    #[test]
    fn manifest_references_must_resolve() {
        for (said, instead, path) in [
            ("setting:baseUrl", "setting:url", "hosts[0]"),
            ("setting:baseUrl", "credential:a.b", "hosts[0]"),
            ("setting:baseUrl", "get https://tiny.example", "hosts[0]"),
            (r#""vendor""#, r#""limits":{"memoryMiB":1024},"vendor""#, "limits.memoryMiB"),
            (r#""type":"string""#, r#""writeOnly":true"#, "settings.properties.baseUrl"),
            (
                r#""vendor""#,
                r#""routes":[{"path":"/","methods":["POST"],"kind":"ack","budgetMillis":1,"fallbackResponse":{"status":200},
                    "verification":{"kind":"basic","slot":"s"}}],"vendor""#,
                "routes[0].verification.slot",
            ),
        ] {
            let error = Manifest::parse(&SMALLEST.replace(said, instead)).expect_err(instead);
            assert_eq!(error.path, path, "{error}");
        }
    }

    #[test]
    fn settings_have_defaults_and_resolve_hosts() {
        let manifest = Manifest::parse(SMALLEST).expect("a manifest");
        let pattern = |settings| {
            let host_patterns =
                manifest.host_patterns(&manifest.hosts, &manifest.with_defaults(&settings), |_, _| None);
            host_patterns.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(pattern(serde_json::json!({})), ["https://tiny.example:443"]);
        assert_eq!(pattern(serde_json::json!({"baseUrl": "http://127.0.0.1:99/x"})), ["http://127.0.0.1:99"]);
        assert_eq!(manifest.wrong_settings(&serde_json::json!({"bse": 1}))[0].0, "bse");
    }
}
