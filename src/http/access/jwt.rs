//! JSON Web Tokens.

use super::Role;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// How JSON Web Tokens are verified: signature, time, and whose they are.
///
/// A token has to have `exp`; its role is the claim `role` (`read`, `operate` or `admin`), unless another claim is
/// named. A claim that is a list gives the highest of its roles.
#[derive(Clone)]
#[must_use = "it does nothing until an `Access` has it"]
pub struct Jwt {
    key: Key,
    issuer: Option<String>,
    audience: Option<String>,
    claim: String,
}

#[derive(Clone)]
enum Key {
    Secret(String),
    Pem(Vec<u8>),
}

impl Jwt {
    /// Signed with a shared secret: HS256, HS384 or HS512. A secret of fewer than 32 bytes is refused when the service
    /// starts.
    pub fn secret(secret: impl Into<String>) -> Self {
        Self::with(Key::Secret(secret.into()))
    }

    /// Signed with a private key whose public one this is, in PEM: RS256 to RS512 and PS256 to PS512 (RSA), ES256
    /// (P-256), ES384 (P-384) or `EdDSA`.
    pub fn public_key(pem: impl Into<Vec<u8>>) -> Self {
        Self::with(Key::Pem(pem.into()))
    }

    fn with(key: Key) -> Self {
        Self { key, issuer: None, audience: None, claim: "role".to_owned() }
    }

    /// Only those of this `iss`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Only those for this `aud`. Without it a token that names an audience is refused.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The claim that has the role.
    pub fn role_claim(mut self, claim: impl Into<String>) -> Self {
        self.claim = claim.into();
        self
    }

    pub(super) fn verifier(self) -> Result<Verifier, String> {
        let (key, algorithms) = match self.key {
            Key::Secret(secret) if secret.len() < 32 => {
                return Err("a secret of fewer than 32 bytes can be guessed".to_owned());
            }
            Key::Secret(secret) => (
                DecodingKey::from_secret(secret.as_bytes()),
                vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512],
            ),
            Key::Pem(pem) => public(&pem)?,
        };
        let mut validation = Validation::new(algorithms.first().copied().unwrap_or_default());
        validation.algorithms = algorithms;
        validation.validate_nbf = true;
        validation.leeway = 30;
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        Ok(Verifier { key, validation, claim: self.claim })
    }
}

/// What a public key in PEM verifies.
fn public(pem: &[u8]) -> Result<(DecodingKey, Vec<Algorithm>), String> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        return Ok((key, vec![RS256, RS384, RS512, PS256, PS384, PS512]));
    }
    if let Ok(key) = DecodingKey::from_ec_pem(pem) {
        return Ok((key, vec![ES256, ES384]));
    }
    let no_key =
        |error: jsonwebtoken::errors::Error| format!("there is no public key of RSA, EC or Ed25519: {error}");
    Ok((DecodingKey::from_ed_pem(pem).map_err(no_key)?, vec![EdDSA]))
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

/// Verifies tokens.
pub(super) struct Verifier {
    key: DecodingKey,
    validation: Validation,
    claim: String,
}

#[derive(Clone, Deserialize)]
struct Claims {
    sub: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Verifier {
    /// Whose token it is, and what that may do; or why it is refused.
    pub(super) fn verify(&self, token: &str) -> Result<(Arc<str>, Role), String> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| format!("the token is refused: {error}"))?
            .claims;
        let role = match claims.others.get(&self.claim) {
            Some(Value::Array(list)) => list.iter().filter_map(role).max(),
            Some(one) => role(one),
            None => None,
        };
        let role = role.ok_or_else(|| {
            format!("the token has no role: its claim `{}` is to be read, operate or admin", self.claim)
        })?;
        Ok((claims.sub.unwrap_or_default().into(), role))
    }
}

fn role(value: &Value) -> Option<Role> {
    serde_json::from_value(value.clone()).ok()
}
