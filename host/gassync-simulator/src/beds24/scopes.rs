//! Scopes of tokens, and scopes required by calls.

use axum::http::Method;

/// Granted scopes as written: `read:bookings`, `all:inventory`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scopes(pub Vec<String>);

impl Scopes {
    /// True if the scope is granted. Rights are independent: write access does not include read access.
    pub fn allow(&self, right: &str, area: &str) -> bool {
        let grants = |scope: &String| {
            let (granted, of) = scope.split_once(':').unwrap_or(("all", scope));
            of == area && (granted == right || granted == "all")
        };
        self.0.iter().any(grants)
    }
}

/// Returns the right and area a call requires; `None` for an unknown path.
pub(super) fn needed(method: &Method, path: &str) -> Option<(&'static str, &'static str)> {
    let right = match *method {
        Method::GET | Method::HEAD => "read",
        Method::DELETE => "delete",
        _ => "write",
    };
    let area = match path.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        ["bookings", "messages"] => "bookings-personal",
        ["bookings", ..] => "bookings",
        ["properties", ..] => "properties",
        ["inventory", ..] => "inventory",
        _ => return None,
    };
    Some((right, area))
}
