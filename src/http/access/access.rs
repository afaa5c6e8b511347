//! Who may do what: tokens, roles, rules.

use super::{Jwt, Role, Rule, jwt};
use crate::http::Error;
use axum::http::Method;
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Who may do what.
///
/// Without tokens every request may do everything, which is refused on an address that others can reach.
///
/// ```
/// use mape::http::{Access, Role, Rule};
///
/// let access = Access::new()
///     .token("dashboard", "kPbb…a long random text", Role::Read)
///     .token("operators", "v8yR…another one", Role::Operate)
///     .rule(Rule::new("/loops/brake/**", Role::Admin).methods(["POST"]));
/// # let _ = access;
/// ```
#[derive(Clone, Default)]
#[must_use = "it does nothing until a service has it"]
pub struct Access {
    tokens: Vec<Token>,
    jwt: Option<Arc<jwt::Verifier>>,
    rules: Vec<Rule>,
    pub(super) origins: Vec<String>,
    pub(super) hosts: Vec<String>,
    anyone: bool,
    defects: Vec<(String, String)>,
}

#[derive(Clone)]
struct Token {
    name: Arc<str>,
    text: Arc<str>,
    role: Role,
}

/// The fewest characters of a token; shorter ones can be guessed.
const SHORTEST: usize = 16;

impl Access {
    /// No tokens, no rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets whoever has a text do what a role may: `Authorization: Bearer TEXT`. The name is shown in logs.
    ///
    /// A text of fewer than 16 characters is refused when the service starts.
    pub fn token(mut self, name: impl Into<String>, text: impl Into<String>, role: Role) -> Self {
        let (name, text) = (name.into(), text.into());
        if text.chars().count() < SHORTEST {
            let reason = format!("a token of fewer than {SHORTEST} characters can be guessed");
            self.defects.push((format!("rest.tokens.{name}"), reason));
        }
        self.tokens.push(Token { name: name.into(), text: text.into(), role });
        self
    }

    /// Takes JSON Web Tokens, too.
    pub fn jwt(mut self, jwt: Jwt) -> Self {
        match jwt.verifier() {
            Ok(verifier) => self.jwt = Some(Arc::new(verifier)),
            Err(reason) => self.defects.push(("rest.jwt".to_owned(), reason)),
        }
        self
    }

    /// Asks for another role than the method does; see [`Rule`].
    pub fn rule(mut self, rule: Rule) -> Self {
        if let Some(reason) = rule.defect() {
            self.defects.push(("rest.rules".to_owned(), reason));
        }
        self.rules.push(rule);
        self
    }

    /// Lets pages of another site ask, such as `https://dashboard.example`: CORS, off by default.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Lets requests name this host, besides those by which a loopback address is known.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Lets anyone who reaches the address do everything, if there are no tokens.
    #[doc(alias = "allow_public")]
    pub fn anyone(mut self) -> Self {
        self.anyone = true;
        self
    }

    /// Whether a request needs a token.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        !self.tokens.is_empty() || self.jwt.is_some()
    }

    pub(in crate::http) fn check(&self) -> Result<(), Error> {
        match self.defects.first() {
            Some((what, reason)) => Err(Error::Access { what: what.clone(), reason: reason.clone() }),
            None => Ok(()),
        }
    }

    pub(in crate::http) fn origins(&self) -> &[String] {
        &self.origins
    }

    pub(in crate::http) fn anyone_may(&self) -> bool {
        self.anyone
    }

    /// Whose token it is, and what that may do.
    pub(super) fn who(&self, text: &str) -> Result<(Arc<str>, Role), String> {
        // All are compared, so that time tells nothing.
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.text.as_bytes().ct_eq(text.as_bytes())) {
                found = Some((token.name.clone(), token.role));
            }
        }
        match (found, &self.jwt) {
            (Some(found), _) => Ok(found),
            (None, Some(jwt)) => jwt.verify(text),
            (None, None) => Err("the token is not known".to_owned()),
        }
    }

    /// What a request asks for; `None`: nothing.
    pub(super) fn needed(&self, method: &Method, path: &str) -> Option<Role> {
        let by_rule = self.rules.iter().find(|rule| rule.fits(method.as_str(), path));
        by_rule.map_or_else(|| super::rule::needed(method, path), Rule::role)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.tokens.iter().map(|token| (&token.name, token.role)).collect();
        f.debug_struct("Access")
            .field("tokens", &tokens)
            .field("jwt", &self.jwt.is_some())
            .field("rules", &self.rules)
            .field("origins", &self.origins)
            .field("hosts", &self.hosts)
            .field("anyone", &self.anyone)
            .finish_non_exhaustive()
    }
}
