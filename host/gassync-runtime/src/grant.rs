use std::{collections::BTreeMap, fmt};

use url::Url;

/// Hosts a plugin may call: both requested by the manifest and granted by an admin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Hosts requested by the manifest.
    pub requested: Vec<HostPattern>,
    /// Hosts granted by an admin.
    pub granted: Vec<HostPattern>,
    /// Hosts that may receive the secrets of a slot, as requested by the manifest; a missing slot is unrestricted.
    pub slots: BTreeMap<String, Vec<HostPattern>>,
    /// The same as granted by the admin; a slot of the manifest must be in both.
    pub granted_slots: BTreeMap<String, Vec<HostPattern>>,
    /// Host and port pairs that may have private addresses, as set by the operator.
    pub private: Vec<(String, u16)>,
}

/// An origin with allowed methods: `GET,POST https://api.example.org:8443`. No methods means any method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    methods: Vec<String>,
    origin: Origin,
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// A host name, optionally with a leading `*.` label.
    host: String,
    port: u16,
}

/// Why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The manifest does not request this host.
    #[error("the manifest lacks \"hosts\": [\"{0}\"]")]
    NotRequested(String),
    /// The admin has not granted this host.
    #[error("the grant lacks --host \"{0}\"")]
    NotGranted(String),
}

impl HostPattern {
    /// Parses the form above; a path is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let (methods, origin) = split_methods(text)?;
        Some(Self { methods, origin: Origin::parse(origin)? })
    }

    /// The pattern of a URL, for these methods.
    pub(crate) fn of(methods: Vec<String>, address: &str) -> Option<Self> {
        Some(Self { methods, origin: Origin::parse(address)? })
    }

    /// Any method at this origin.
    pub fn any_method_at(origin: Origin) -> Self {
        Self { methods: Vec::new(), origin }
    }

    /// True if this pattern covers the origin of the other one, regardless of methods.
    pub(crate) fn contains_origin_of(&self, other: &Self) -> bool {
        let url = Url::parse(&other.origin.to_string());
        self.origin == other.origin || url.is_ok_and(|url| self.origin.covers(&url))
    }

    fn covers(&self, method: &str, url: &Url) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|m| m == method)) && self.origin.covers(url)
    }
}

/// Splits methods and address.
pub(crate) fn split_methods(text: &str) -> Option<(Vec<String>, &str)> {
    let Some((methods, rest)) = text.split_once(' ') else { return Some((Vec::new(), text)) };
    let methods: Vec<String> = methods.split(',').map(str::to_owned).collect();
    let words = methods.iter().all(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_uppercase()));
    words.then_some((methods, rest.trim()))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        self.origin.fmt(f)
    }
}

impl Origin {
    /// Parses a URL such as `https://api.example.org` or `https://*.example.org:8443`; a path is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        // The URL parser rejects wildcards, so a label replaces it.
        let url = Url::parse(&text.replacen("://*.", "://wildcard.", 1)).ok()?;
        let wildcard = text.contains("://*.");
        let host = url.host_str()?.to_owned();
        let host = if wildcard { host.replacen("wildcard.", "*.", 1) } else { host };
        if host.contains("*.") && !wildcard {
            return None;
        }
        matches!(url.scheme(), "http" | "https").then_some(())?;
        Some(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
    }

    /// The origin of a URL.
    pub(crate) fn of(url: &Url) -> Self {
        Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        }
    }

    /// True if this origin covers the other one.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let host = match (self.host.strip_prefix("*."), other.host.split_once('.')) {
            (Some(rest), Some((_, parent))) => parent == rest,
            _ => self.host == other.host,
        };
        host && self.scheme == other.scheme && self.port == other.port
    }

    fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host_fits = match self.host.strip_prefix("*.") {
            // The wildcard matches one label only: `*.example.org` does not match `a.b.example.org`.
            Some(rest) => host
                .strip_suffix(rest)
                .and_then(|h| h.strip_suffix('.'))
                .is_some_and(|l| !l.is_empty() && !l.contains('.')),
            None => host == self.host,
        };
        host_fits && url.scheme() == self.scheme && url.port_or_known_default() == Some(self.port)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl Grant {
    /// Grants everything requested.
    pub fn as_requested(requested: Vec<HostPattern>) -> Self {
        Self { granted: requested.clone(), requested, ..Self::default() }
    }

    /// Checks a request; the error names the missing manifest entry or grant option.
    pub fn judge(&self, method: &str, url: &Url) -> Result<(), Denial> {
        let covered = |patterns: &[HostPattern]| patterns.iter().any(|pattern| pattern.covers(method, url));
        let line = || format!("{method} {}", Origin::of(url));
        if !covered(&self.requested) {
            Err(Denial::NotRequested(line()))
        } else if !covered(&self.granted) {
            Err(Denial::NotGranted(line()))
        } else {
            Ok(())
        }
    }

    /// True if the secrets of the slot may be sent with this method to this URL.
    pub fn allows_slot(&self, slot: &str, method: &str, url: &Url) -> bool {
        let covered = |patterns: &Vec<HostPattern>| patterns.iter().any(|pattern| pattern.covers(method, url));
        match (self.slots.get(slot), self.granted_slots.get(slot)) {
            (None, None) => true,
            (requested, granted) => requested.is_some_and(covered) && granted.is_some_and(covered),
        }
    }

    /// True if this host may have a private address.
    pub fn allows_private(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        self.private.iter().any(|(host, p)| Some(host.as_str()) == url.host_str() && Some(*p) == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, method: &str, url: &str) -> bool {
        let grant = Grant::as_requested(vec![HostPattern::parse(pattern).expect(pattern)]);
        grant.judge(method, &Url::parse(url).expect(url)).is_ok()
    }

    #[test]
    fn grants_match_scheme_host_port_and_method() {
        assert!(allows("https://beds.example", "GET", "https://beds.example/api/v2"));
        assert!(allows("https://beds.example/base/path", "DELETE", "https://beds.example:443/x"));
        assert!(allows("https://*.example.org", "GET", "https://a.example.org/"));
        assert!(allows("GET,POST https://beds.example", "POST", "https://beds.example/"));
        for (pattern, method, url) in [
            ("https://beds.example", "GET", "http://beds.example/"),
            ("https://beds.example", "GET", "https://beds.example:8443/"),
            ("https://beds.example", "GET", "https://beds.example.evil.test/"),
            ("https://beds.example", "GET", "https://evil.test/beds.example"),
            ("https://*.example.org", "GET", "https://example.org/"),
            ("https://*.example.org", "GET", "https://a.b.example.org/"),
            ("https://*.example.org", "GET", "https://evilexample.org/"),
            ("https://beds.example", "GET", "https://user@evil.test/"),
            ("GET,POST https://beds.example", "DELETE", "https://beds.example/"),
        ] {
            assert!(!allows(pattern, method, url), "{pattern} must not allow {method} {url}");
        }
        for wrong in ["ftp://example.org", "get https://example.org", "GET, https://example.org", "GET"] {
            assert!(HostPattern::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_contains_another_by_origin() {
        let pattern = |text| HostPattern::parse(text).expect(text);
        let (wide, narrow) = (pattern("https://*.example.org"), pattern("GET https://a.example.org"));
        assert!(
            wide.contains_origin_of(&narrow) && wide.contains_origin_of(&wide) && !narrow.contains_origin_of(&wide)
        );
        assert!(pattern("POST https://a.example.org").contains_origin_of(&narrow));
    }

    #[test]
    fn denials_name_the_missing_option() {
        let pattern = |text| HostPattern::parse(text).expect(text);
        let url = Url::parse("https://a.example/x").expect("a URL");
        let mut grant = Grant::default();
        let denied = grant.judge("GET", &url).expect_err("denied").to_string();
        assert_eq!(denied, r#"the manifest lacks "hosts": ["GET https://a.example:443"]"#);
        grant.requested = vec![pattern("https://a.example")];
        let denied = grant.judge("GET", &url).expect_err("denied").to_string();
        assert_eq!(denied, r#"the grant lacks --host "GET https://a.example:443""#);
        grant.granted = vec![pattern("GET https://a.example:443")];
        assert!(grant.judge("GET", &url).is_ok());
        assert!(grant.judge("POST", &url).is_err());
        grant.slots.insert("s".to_owned(), vec![pattern("https://a.example")]);
        assert!(!grant.allows_slot("s", "GET", &url) && grant.allows_slot("t", "GET", &url));
        grant.granted_slots.insert("s".to_owned(), vec![pattern("https://a.example")]);
        assert!(grant.allows_slot("s", "GET", &url));
        grant.slots.insert("s".to_owned(), vec![pattern("https://b.example")]);
        assert!(!grant.allows_slot("s", "GET", &url), "both must say so");
    }
}
