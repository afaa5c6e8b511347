//! Versions of keys: digests of their contents, made here or by a script.

use crate::knowledge::Version;
use sha1_smol::Sha1;

/// The version of a key that holds this value, as `version_of` in the script makes it.
pub(super) fn of_value(value: &[u8]) -> Version {
    let mut digest = Sha1::new();
    digest.update(b"string");
    digest.update(value);
    let [a, b, c, d, e, f, g, h, ..] = digest.digest().bytes();
    // 0 means that there is no key.
    Version::from_store(u64::from_be_bytes([a, b, c, d, e, f, g, h]).max(1))
}

/// The version that a script writes so.
pub(super) fn from_hex(hex: &[u8]) -> Option<Version> {
    u64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok().map(Version::from_store)
}

/// As a script compares it.
pub(super) fn to_hex(version: Version) -> String {
    format!("{:016x}", version.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_comes_back_from_its_text() {
        let version = of_value(b"panda");
        assert_eq!(from_hex(to_hex(version).as_bytes()), Some(version));
        assert_eq!(to_hex(Version::ABSENT), "0000000000000000");
        assert_ne!(version, of_value(b"tipo"));
        // As `redis.sha1hex("stringpanda")` gives it.
        assert_eq!(to_hex(version), &Sha1::from("stringpanda").digest().to_string()[..16]);
    }
}
