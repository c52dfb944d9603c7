//! What a token may do, and what a call asks for.

use axum::http::Method;

/// What was granted, as written: `read:bookings`, `all:inventory`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scopes(pub Vec<String>);

impl Scopes {
    /// Whether this may be done to that. Nothing follows from another right: who writes may not read, unless it says so.
    pub fn allow(&self, right: &str, area: &str) -> bool {
        let grants = |scope: &String| {
            let (granted, of) = scope.split_once(':').unwrap_or(("all", scope));
            of == area && (granted == right || granted == "all")
        };
        self.0.iter().any(grants)
    }
}

/// The right and the area that a call needs; none for a path that is nobody's.
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
