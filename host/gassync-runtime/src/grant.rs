use std::fmt;

use url::Url;

/// Where an admin lets a plugin go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Scheme, host and port of each place.
    pub origins: Vec<Origin>,
    /// HOST and port pairs that may lead to a private address: the operator's word, not the plugin's.
    pub private: Vec<(String, u16)>,
}

/// A place on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// A host name, or `*.` and one.
    host: String,
    port: u16,
}

impl Origin {
    /// From an address such as `https://api.example.org` or `https://*.example.org:8443`; a path is left out.
    pub fn parse(text: &str) -> Option<Self> {
        // The parser of addresses knows no wildcard, so the label stands in while it looks.
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

    fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host_fits = match self.host.strip_prefix("*.") {
            // One label, no more: `*.example.org` is not `a.b.example.org`.
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
    /// Whether a request may go there.
    pub fn allows(&self, url: &Url) -> bool {
        self.origins.iter().any(|origin| origin.covers(url))
    }

    /// Whether a private address may stand behind this host.
    pub fn allows_private(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        self.private.iter().any(|(host, p)| Some(host.as_str()) == url.host_str() && Some(*p) == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(origin: &str, url: &str) -> bool {
        let grant = Grant { origins: vec![Origin::parse(origin).expect(origin)], private: Vec::new() };
        grant.allows(&Url::parse(url).expect(url))
    }

    #[test]
    fn scheme_host_and_port_all_count() {
        assert!(allows("https://beds.example", "https://beds.example/api/v2"));
        assert!(allows("https://beds.example/base/path", "https://beds.example:443/x"));
        assert!(allows("https://*.example.org", "https://a.example.org/"));
        for (origin, url) in [
            ("https://beds.example", "http://beds.example/"),
            ("https://beds.example", "https://beds.example:8443/"),
            ("https://beds.example", "https://beds.example.evil.test/"),
            ("https://beds.example", "https://evil.test/beds.example"),
            ("https://*.example.org", "https://example.org/"),
            ("https://*.example.org", "https://a.b.example.org/"),
            ("https://*.example.org", "https://evilexample.org/"),
            ("https://beds.example", "https://user@evil.test/"),
        ] {
            assert!(!allows(origin, url), "{origin} must not allow {url}");
        }
        assert!(Origin::parse("ftp://example.org").is_none());
    }
}
