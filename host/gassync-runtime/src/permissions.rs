//! Permissions an admin grants to a plugin, in the syntax of its manifest. They are stored per version, copied to the
//! next version, and compared with its requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Grant, HostPattern, Manifest,
    grant::{Origin, split_methods},
    manifest::{CREDENTIAL, SETTING},
};

/// Default memory of a call, in MiB.
const ORDINARY_MEMORY_MIB: u32 = 64;
/// Any host the plugin may call.
const ANYWHERE: &str = "*";

/// Permissions of a plugin. A request must be both in the manifest and permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Permissions {
    /// Hosts it may call, in the form of the manifest's `hosts`.
    pub hosts: BTreeSet<String>,
    /// Hosts that may receive the secrets of each slot; `*` for all allowed hosts.
    pub secrets: BTreeMap<String, BTreeSet<String>>,
    /// Memory limit per call, in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: u32,
    /// Paths of routes without verification.
    pub open_routes: BTreeSet<String>,
}

/// A permission requested by a manifest. Displayed as the `plugin grant` option that grants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermissionRequest {
    /// Calling a host.
    Host(String),
    /// Sending secrets of a slot to a host.
    Secret(String, String),
    /// Memory per call, in MiB.
    Memory(u32),
    /// A route without verification.
    OpenRoute(String),
}

impl PermissionRequest {
    /// Why this permission could never be granted (malformed host).
    pub fn problem(&self) -> Option<String> {
        let host = match self {
            Self::Host(host) => host,
            Self::Secret(_, host) if host == ANYWHERE => return None,
            Self::Secret(_, host) => host,
            Self::Memory(_) | Self::OpenRoute(_) => return None,
        };
        let named = split_methods(host).is_some_and(|(_, at)| at.starts_with(SETTING) || at.starts_with(CREDENTIAL));
        let good = named || HostPattern::parse(host).is_some();
        (!good).then(|| format!("{host} is neither a URL nor setting:NAME nor credential:SLOT.FIELD"))
    }
}

impl fmt::Display for PermissionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(f, "--host {host:?}"),
            Self::Secret(slot, host) => write!(f, "--secret {:?}", format!("{slot}={host}")),
            Self::Memory(mib) => write!(f, "--memory-mib {mib}"),
            Self::OpenRoute(path) => write!(f, "--open-route {path:?}"),
        }
    }
}

impl Default for Permissions {
    /// No hosts and the default memory.
    fn default() -> Self {
        let memory_mib = ORDINARY_MEMORY_MIB;
        Self { hosts: BTreeSet::new(), secrets: BTreeMap::new(), memory_mib, open_routes: BTreeSet::new() }
    }
}

impl Permissions {
    /// Everything a manifest requests.
    pub fn as_requested(manifest: &Manifest) -> Self {
        let mut all = Self::default();
        permission_requests(manifest).into_iter().for_each(|request| all.give(request));
        all
    }

    /// Requested permissions that are not granted here.
    pub fn missing(&self, manifest: &Manifest) -> Vec<PermissionRequest> {
        permission_requests(manifest).into_iter().filter(|request| !self.covers(request)).collect()
    }

    /// Grants a permission.
    pub fn give(&mut self, request: PermissionRequest) {
        match request {
            PermissionRequest::Host(host) => drop(self.hosts.insert(host)),
            PermissionRequest::Secret(slot, host) => drop(self.secrets.entry(slot).or_default().insert(host)),
            PermissionRequest::Memory(mib) => self.memory_mib = self.memory_mib.max(mib),
            PermissionRequest::OpenRoute(path) => drop(self.open_routes.insert(path)),
        }
    }

    /// Revokes a permission as it was granted; returns false if it was not granted. Memory is lowered to the given
    /// limit.
    pub fn take(&mut self, request: &PermissionRequest) -> bool {
        match request {
            PermissionRequest::Host(host) => self.hosts.remove(host),
            PermissionRequest::Secret(slot, host) => self.secrets.get_mut(slot).is_some_and(|hosts| hosts.remove(host)),
            PermissionRequest::Memory(mib) => {
                let more = self.memory_mib > *mib;
                self.memory_mib = self.memory_mib.min(*mib);
                more
            }
            PermissionRequest::OpenRoute(path) => self.open_routes.remove(path),
        }
    }

    /// Memory limit per call, in bytes.
    pub fn memory_bytes(&self, manifest: &Manifest) -> usize {
        let mib = manifest.limits.memory_mib.unwrap_or(ORDINARY_MEMORY_MIB).min(self.memory_mib);
        mib as usize * 1024 * 1024
    }

    /// The grant of a call for a source, given its settings and the secrets that are URLs.
    pub fn grant(
        &self,
        manifest: &Manifest,
        settings: &Value,
        secret: impl Fn(&str, &str) -> Option<String>,
        private: Vec<(String, u16)>,
    ) -> Grant {
        // An unset setting means the manifest's default, which must be granted by URL, since the next version may
        // change it.
        let (given, settings) = (settings, &manifest.with_defaults(settings));
        let requested = manifest.host_patterns(&manifest.hosts, settings, &secret);
        let granted = manifest.host_patterns(&self.hosts, given, &secret);
        let slots = manifest.credentials.iter().map(|slot| {
            let patterns = if slot.hosts.is_empty() {
                requested.clone()
            } else {
                manifest.host_patterns(&slot.hosts, settings, &secret)
            };
            (slot.slot.clone(), patterns)
        });
        let granted_slots = self.secrets.iter().map(|(slot, hosts)| {
            let anywhere = hosts.contains(ANYWHERE);
            let patterns = if anywhere { granted.clone() } else { manifest.host_patterns(hosts, given, &secret) };
            (slot.clone(), patterns)
        });
        Grant { slots: slots.collect(), granted_slots: granted_slots.collect(), requested, granted, private }
    }

    fn covers(&self, request: &PermissionRequest) -> bool {
        let one_of = |hosts: &BTreeSet<String>, requested: &str| {
            hosts.contains(ANYWHERE) || hosts.iter().any(|granted| includes(granted, requested))
        };
        match request {
            PermissionRequest::Host(host) => one_of(&self.hosts, host),
            PermissionRequest::Secret(slot, host) => self.secrets.get(slot).is_some_and(|hosts| one_of(hosts, host)),
            PermissionRequest::Memory(mib) => self.memory_mib >= *mib,
            PermissionRequest::OpenRoute(path) => self.open_routes.contains(path),
        }
    }
}

fn permission_requests(manifest: &Manifest) -> Vec<PermissionRequest> {
    let mut requests: Vec<PermissionRequest> =
        with_defaults(manifest, &manifest.hosts).into_iter().map(PermissionRequest::Host).collect();
    for slot in &manifest.credentials {
        if slot.hosts.is_empty() {
            requests.push(PermissionRequest::Secret(slot.slot.clone(), ANYWHERE.to_owned()));
        }
        let hosts = with_defaults(manifest, &slot.hosts).into_iter();
        requests.extend(hosts.map(|host| PermissionRequest::Secret(slot.slot.clone(), host)));
    }
    requests.push(PermissionRequest::Memory(manifest.limits.memory_mib.unwrap_or(ORDINARY_MEMORY_MIB)));
    let open = manifest.routes.iter().filter(|route| route.is_open());
    requests.extend(open.map(|route| PermissionRequest::OpenRoute(route.path.clone())));
    requests
}

/// Hosts, and for each `setting:` also the URL of its default.
fn with_defaults(manifest: &Manifest, hosts: &[String]) -> Vec<String> {
    let default = |host: &String| {
        let (methods, at) = split_methods(host)?;
        let name = at.strip_prefix(SETTING)?;
        let address = manifest.settings.get("properties")?.get(name)?.get("default")?.as_str()?;
        Some(if methods.is_empty() { address.to_owned() } else { format!("{} {address}", methods.join(",")) })
    };
    hosts.iter().flat_map(|host| [Some(host.clone()), default(host)]).flatten().collect()
}

/// True if the granted pattern covers the requested one: same origin or below the wildcard, and no additional methods.
fn includes(granted: &str, requested: &str) -> bool {
    let (Some((may, at)), Some((wants, there))) = (split_methods(granted), split_methods(requested)) else {
        return false;
    };
    let methods = may.is_empty() || (!wants.is_empty() && wants.iter().all(|method| may.contains(method)));
    let same = at == there;
    let within = || matches!((Origin::parse(at), Origin::parse(there)), (Some(at), Some(there)) if at.includes(&there));
    methods && (same || within())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(more: Value) -> Manifest {
        let mut all = json!({
            "schemaVersion": 1, "id": "a", "displayName": "A", "version": "1.0.0", "contract": "1.0.0", "vendor": "V",
            "hosts": ["GET https://api.example.org", "setting:baseUrl"],
            "settings": { "type": "object", "properties": { "baseUrl": { "type": "string" } } },
        });
        let (all_keys, more) = (all.as_object_mut().expect("an object"), more.as_object().expect("an object").clone());
        all_keys.extend(more);
        Manifest::parse(&all.to_string()).expect("a manifest")
    }

    fn missing_options(more: Value) -> Vec<String> {
        let held = Permissions::as_requested(&manifest(json!({})));
        held.missing(&manifest(more)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_permission_is_missing_for_the_same_or_less() {
        for less in [
            json!({}),
            json!({ "hosts": ["GET https://api.example.org:443"] }),
            json!({ "hosts": ["GET https://api.example.org/v2", "POST setting:baseUrl"] }),
            json!({ "hosts": [], "limits": { "memoryMiB": 32 } }),
            json!({ "hosts": ["GET setting:baseUrl"],
                "settings": { "properties": { "baseUrl": { "default": "https://api.example.org/v3" } } } }),
        ] {
            assert_eq!(missing_options(less.clone()), Vec::<String>::new(), "{less}");
        }
    }

    #[test]
    fn missing_permissions_are_shown_as_grant_options() {
        let slot = |hosts: Value| json!({ "slot": "api", "kind": "api-key", "hosts": hosts });
        let open = json!({
            "path": "/open", "methods": ["POST"], "kind": "ack", "verification": { "kind": "none" },
            "budgetMillis": 1000, "fallbackResponse": { "status": 503 },
        });
        for (more, missing) in [
            (json!({ "hosts": ["https://api.example.org"] }), r#"--host "https://api.example.org""#),
            (json!({ "hosts": ["GET,POST https://api.example.org"] }), r#"--host "GET,POST https://api.example.org""#),
            (json!({ "hosts": ["GET https://*.example.org"] }), r#"--host "GET https://*.example.org""#),
            (json!({ "hosts": ["GET http://api.example.org"] }), r#"--host "GET http://api.example.org""#),
            (json!({ "credentials": [slot(json!([]))] }), r#"--secret "api=*""#),
            (json!({ "credentials": [slot(json!(["https://a.example"]))] }), r#"--secret "api=https://a.example""#),
            (json!({ "limits": { "memoryMiB": 128 } }), "--memory-mib 128"),
            (
                json!({ "settings": { "properties": { "baseUrl": { "default": "https://elsewhere.example" } } } }),
                r#"--host "https://elsewhere.example""#,
            ),
            (json!({ "routes": [open] }), r#"--open-route "/open""#),
        ] {
            assert_eq!(missing_options(more.clone()), [missing], "{more}");
        }
    }

    #[test]
    fn default_addresses_need_a_permission() {
        let with = |default: &str| {
            manifest(json!({ "settings": { "properties": { "baseUrl": { "type": "string", "default": default } } } }))
        };
        let (first, second) = (with("https://a.example"), with("https://b.example"));
        let held = Permissions::as_requested(&first);
        let judged = |manifest: &Manifest, settings: Value, url: &str| {
            let grant = held.grant(manifest, &settings, |_, _| None, Vec::new());
            grant.judge("GET", &url::Url::parse(url).expect("a URL")).is_ok()
        };
        assert!(judged(&first, json!({}), "https://a.example/x"));
        assert!(!judged(&second, json!({}), "https://b.example/x"), "nobody gave that");
        assert!(judged(&second, json!({ "baseUrl": "https://b.example" }), "https://b.example/x"), "a person wrote it");
        for (wrong, right) in
            [("example", "https://a.example"), ("*", "GET setting:baseUrl"), ("ftp://a", "credential:a.b")]
        {
            assert!(PermissionRequest::Host(wrong.to_owned()).problem().is_some(), "{wrong}");
            assert!(PermissionRequest::Host(right.to_owned()).problem().is_none(), "{right}");
        }
    }

    #[test]
    fn revoked_permissions_are_removed() {
        let requested = manifest(json!({ "credentials": [{ "slot": "api", "kind": "api-key" }] }));
        let mut held = Permissions::as_requested(&requested);
        let url = url::Url::parse("https://api.example.org/x").expect("a URL");
        let grant = |held: &Permissions| held.grant(&requested, &json!({}), |_, _| None, Vec::new());
        assert!(grant(&held).judge("GET", &url).is_ok() && grant(&held).allows_slot("api", "GET", &url));
        assert!(held.take(&PermissionRequest::Secret("api".to_owned(), "*".to_owned())));
        assert!(grant(&held).judge("GET", &url).is_ok() && !grant(&held).allows_slot("api", "GET", &url));
        assert!(held.take(&PermissionRequest::Host("GET https://api.example.org".to_owned())));
        assert!(!held.take(&PermissionRequest::Host("GET https://api.example.org".to_owned())), "it is taken once");
        assert!(grant(&held).judge("GET", &url).is_err());
        assert!(held.take(&PermissionRequest::Memory(16)));
        assert_eq!(held.memory_bytes(&requested), 16 * 1024 * 1024);
    }
}
