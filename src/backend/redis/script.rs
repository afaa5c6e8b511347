//! Lua that the server runs as one.

use sha1_smol::Sha1;

/// A script; made once, called often.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) code: &'static str,
    pub(super) sha: String,
}

impl Script {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, sha: Sha1::from(code).digest().to_string() }
    }
}
