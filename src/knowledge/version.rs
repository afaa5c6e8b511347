//! Versions of keys.

use serde::{Deserialize, Serialize};

/// Stands for the contents of a key when it was read: as long as it is the same, the contents are.
///
/// A store may count writes or take a digest of the contents; so versions can be compared for equality, but say nothing
/// of before and after, and mean nothing in another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a key that does not exist.
    pub const ABSENT: Self = Self(0);

    /// The version a store knows by this number (not 0).
    #[must_use]
    pub const fn from_store(number: u64) -> Self {
        Self(number)
    }

    /// The store's number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}
