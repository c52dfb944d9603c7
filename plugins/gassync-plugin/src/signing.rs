//! Signing with keys that stay in the host. The text may contain placeholders, which the host fills before signing.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::{ChannelError, percent_encode};

/// HMAC with SHA-256.
pub const HMAC_SHA256: &str = "hmac-sha256";
/// HMAC with SHA-512.
pub const HMAC_SHA512: &str = "hmac-sha512";
/// HMAC with SHA-1, for legacy channels.
pub const HMAC_SHA1: &str = "hmac-sha1";
/// RSA with SHA-256, PKCS #1 v1.5.
pub const RSA_SHA256: &str = "rsa-sha256";

/// Signs with the secret of a slot field. `secrets` declares the placeholders of the text, as `slot.field`.
pub fn sign(
    (slot, field): (&str, &str),
    algorithm: &str,
    text: &[u8],
    secrets: &[&str],
) -> Result<Vec<u8>, ChannelError> {
    host::sign(slot, field, algorithm, text, &owned(secrets)).map_err(ChannelError::Unauthorized)
}

/// Verifies a signature with the secret of a slot field.
pub fn verify(
    (slot, field): (&str, &str),
    algorithm: &str,
    text: &[u8],
    secrets: &[&str],
    signature: &[u8],
) -> Result<bool, ChannelError> {
    host::verify(slot, field, algorithm, text, &owned(secrets), signature).map_err(ChannelError::Unauthorized)
}

/// How a channel writes the bytes of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal, in lower case.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 with `-` and `_`, without padding.
    Base64Url,
}

impl Encoding {
    /// Writes bytes.
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

/// The part of an address that a channel wants signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedPart {
    /// All of it, from the scheme to the query.
    Address,
    /// `/path?query`.
    PathAndQuery,
    /// `query`, without the question mark.
    Query,
}

/// A key that stays in the host, and how the channel wants its signatures.
///
/// ```
/// use gassync_plugin::signing::{Encoding, HMAC_SHA1, SignedPart, Signer};
/// # use gassync_plugin::testing::FakeHost;
/// # FakeHost::sign_with(|_, _, _, text| text[..3].to_vec());
///
/// let signer = Signer { key: ("maps", "secret"), algorithm: HMAC_SHA1, encoding: Encoding::Base64Url };
/// let url = "https://maps.example.org/tile?client={{maps.client}}";
/// let url = signer.signed_url(url, SignedPart::PathAndQuery, "signature", &["maps.client"])?;
/// assert!(url.starts_with("https://maps.example.org/tile?client={{maps.client}}&signature="));
/// # Ok::<(), gassync_plugin::ChannelError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Slot and field of the key.
    pub key: (&'a str, &'a str),
    /// One of the constants of this module.
    pub algorithm: &'a str,
    /// How the signature is written.
    pub encoding: Encoding,
}

impl Signer<'_> {
    /// The signature of a text, encoded. `secrets` declares the placeholders of the text.
    pub fn signature(self, text: &[u8], secrets: &[&str]) -> Result<String, ChannelError> {
        Ok(self.encoding.encode(&sign(self.key, self.algorithm, text, secrets)?))
    }

    /// An address with its signature as the last parameter of the query. `secrets` declares the placeholders of the
    /// address, which the request has to declare, too. Text that people wrote must be percent-encoded in it.
    pub fn signed_url(
        self,
        url: &str,
        part: SignedPart,
        parameter: &str,
        secrets: &[&str],
    ) -> Result<String, ChannelError> {
        // A fragment is never sent.
        let url = url.split('#').next().unwrap_or_default();
        let host = url.find("://").map_or(0, |at| at + "://".len());
        let path = url[host..].find(['/', '?']).map_or(url.len(), |at| host + at);
        let query = url.find('?');
        let text = match part {
            SignedPart::Address => url,
            SignedPart::PathAndQuery => &url[path..],
            SignedPart::Query => query.map_or("", |at| &url[at + 1..]),
        };
        let signature = percent_encode(&self.signature(text.as_bytes(), secrets)?);
        Ok(format!("{url}{}{parameter}={signature}", if query.is_some() { '&' } else { '?' }))
    }
}

fn owned(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::signing as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::signing as host;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHost;

    #[test]
    fn signatures_are_written_as_the_channel_wants_them() {
        let bytes = [0xfb, 0xff, 0x00, 0x10];
        let written = [Encoding::Hex, Encoding::Base64, Encoding::Base64Url].map(|encoding| encoding.encode(&bytes));
        assert_eq!(written, ["fbff0010", "+/8AEA==", "-_8AEA"]);
    }

    #[test]
    fn addresses_are_signed_in_part_or_as_a_whole() {
        FakeHost::reset();
        // The signature is the signed text itself, to show what is signed with which key.
        FakeHost::sign_with(|slot, field, algorithm, text| {
            format!("{slot}.{field} {algorithm} {}", String::from_utf8_lossy(text)).into_bytes()
        });
        let signer = Signer { key: ("acme", "key"), algorithm: HMAC_SHA256, encoding: Encoding::Hex };
        let signed = |url: &str, part| signer.signed_url(url, part, "sig", &["acme.id"]).expect("signed");
        let hex = |text: &str| hex::encode(format!("acme.key hmac-sha256 {text}"));
        let url = "https://x.org/a/b?id={{acme.id}}&q=1";
        for (part, text) in [
            (SignedPart::Address, url),
            (SignedPart::PathAndQuery, "/a/b?id={{acme.id}}&q=1"),
            (SignedPart::Query, "id={{acme.id}}&q=1"),
        ] {
            assert_eq!(signed(url, part), format!("{url}&sig={}", hex(text)), "{part:?}");
        }
        assert_eq!(signed("https://x.org?q", SignedPart::PathAndQuery), format!("https://x.org?q&sig={}", hex("?q")));
        assert_eq!(signed("https://x.org/a#b?c", SignedPart::Query), format!("https://x.org/a?sig={}", hex("")));
        FakeHost::sign_with(|_, _, _, _| vec![0xfb, 0xff]);
        let signer = Signer { encoding: Encoding::Base64, ..signer };
        let signed = signer.signed_url("https://x.org", SignedPart::Address, "s", &[]);
        assert_eq!(signed.as_deref(), Ok("https://x.org?s=%2B%2F8%3D"), "an address has its own plus and slash");
    }
}
