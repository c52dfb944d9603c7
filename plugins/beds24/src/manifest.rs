//! What the adapter asks for. The tokens of other systems in a booking, and our own secret in a property's webhook
//! settings, are named as sensitive: the host masks them before anything is kept.

/// The manifest.
pub(crate) const JSON: &str = include_str!("../manifest.json");

#[cfg(test)]
mod tests {
    use gassync_plugin::serde_json::{Value, from_str};

    use super::*;

    fn manifest() -> Value {
        from_str(JSON).expect("the manifest is JSON")
    }

    #[test]
    fn the_version_is_the_crates() {
        assert_eq!(manifest()["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn the_default_address_is_granted() {
        let manifest = manifest();
        assert_eq!(manifest["settings"]["properties"]["baseUrl"]["default"], crate::fetch::DEFAULT_BASE_URL);
        assert!(crate::fetch::DEFAULT_BASE_URL.starts_with(manifest["hosts"][0].as_str().expect("a host")));
    }

    #[test]
    fn tokens_are_masked_in_every_shape_a_booking_comes_in() {
        let sensitive = manifest()["sensitive"].to_string();
        for around in ["/booking", "/*/booking", "/data/*", "/*", ""] {
            for token in ["stripeToken", "pcibookingToken"] {
                assert!(sensitive.contains(&format!("\"{around}/{token}\"")), "{around}/{token}");
            }
        }
    }

    #[test]
    fn a_new_refresh_token_is_kept_but_not_required() {
        let captures = &manifest()["credentials"][0]["refresh"]["captures"];
        assert_eq!(captures[1]["field"], "refreshToken");
        assert_eq!(captures[1]["optional"], true);
    }
}
