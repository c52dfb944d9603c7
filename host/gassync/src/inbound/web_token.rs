//! JSON Web Tokens of callers. `jsonwebtoken` reads and judges them; signatures are checked by the runtime's algorithms, and
//! times by the host's clock.

use gassync_domain::Timestamp;
use gassync_runtime::{Algorithm as SignatureAlgorithm, Secret};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{self, Verifier},
};
use serde::Deserialize;

/// Maximum clock skew of a channel, in seconds.
const MAX_SKEW_SECONDS: f64 = 300.0;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(TokenVerifier::new(*algorithm, key)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

/// What a route asks of a token.
pub(super) struct ExpectedClaims<'a> {
    /// `HS256` or `RS256`, as the manifest says; what the token says of itself must agree.
    pub algorithm: &'a str,
    pub issuer: Option<&'a str>,
    pub audience: Option<&'a str>,
}

/// Times in seconds, fractions allowed.
#[derive(Deserialize)]
struct Times {
    /// Required: a token without expiry could be replayed for ever.
    exp: f64,
    nbf: Option<f64>,
}

/// True if the token is signed with this key, valid now, and has the issuer and audience expected.
pub(super) fn is_valid(token: &str, key: &Secret, expected: &ExpectedClaims<'_>, now: Timestamp) -> bool {
    // The second time it is there already.
    let _installed = PROVIDER.install_default();
    let (algorithm, key) = match expected.algorithm {
        "HS256" => (Algorithm::HS256, DecodingKey::from_secret(key.reveal().as_bytes())),
        "RS256" => (Algorithm::RS256, Ok(DecodingKey::from_rsa_der(key.reveal().as_bytes()))),
        _ => return false,
    };
    let Ok(key) = key else { return false };
    let mut rules = Validation::new(algorithm);
    rules.validate_exp = false;
    rules.validate_aud = expected.audience.is_some();
    let mut required = vec!["exp"];
    if let Some(issuer) = expected.issuer {
        rules.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = expected.audience {
        rules.set_audience(&[audience]);
        required.push("aud");
    }
    rules.set_required_spec_claims(&required);
    let Ok(token) = jsonwebtoken::decode::<Times>(token, &key, &rules) else { return false };
    let now = now.as_second() as f64;
    let Times { exp, nbf } = token.claims;
    exp + MAX_SKEW_SECONDS > now && nbf.is_none_or(|nbf| nbf - MAX_SKEW_SECONDS <= now)
}

/// Verifies with the algorithms that also sign and verify everything else.
struct TokenVerifier {
    named: Algorithm,
    algorithm: SignatureAlgorithm,
    key: String,
}

impl TokenVerifier {
    fn new(named: Algorithm, key: &DecodingKey) -> Result<Self, Error> {
        let algorithm = match named {
            Algorithm::HS256 => SignatureAlgorithm::HmacSha256,
            Algorithm::RS256 => SignatureAlgorithm::RsaSha256,
            _ => return Err(ErrorKind::InvalidAlgorithm.into()),
        };
        let family = if named == Algorithm::HS256 { AlgorithmFamily::Hmac } else { AlgorithmFamily::Rsa };
        if key.family() != family {
            return Err(ErrorKind::InvalidKeyFormat.into());
        }
        let key = String::from_utf8(key.try_get_as_bytes()?.to_vec()).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self { named, algorithm, key })
    }
}

impl Verifier<Vec<u8>> for TokenVerifier {
    fn verify(&self, text: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        match self.algorithm.verify(&self.key, text, signature) {
            Ok(true) => Ok(()),
            _ => Err(signature::Error::new()),
        }
    }
}

impl JwtVerifier for TokenVerifier {
    fn algorithm(&self) -> Algorithm {
        self.named
    }
}
