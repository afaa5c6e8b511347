//! The parts of the town, each behind a valve of its own.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A part of the town.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sector {
    Mills,
    Harbour,
    OldTown,
    Hospital,
}

impl Sector {
    /// All of them, in the order in which they can do without water.
    pub const ALL: [Self; 4] = [Self::Mills, Self::Harbour, Self::OldTown, Self::Hospital];

    /// Whether its valve must stay open.
    pub fn is_vital(self) -> bool {
        self == Self::Hospital
    }

    /// Its part of what the town draws, 0 to 1.
    pub fn share(self) -> f64 {
        match self {
            Self::Mills => 0.35,
            Self::Harbour => 0.30,
            Self::OldTown => 0.20,
            Self::Hospital => 0.15,
        }
    }
}

impl fmt::Display for Sector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mills => "the mills",
            Self::Harbour => "the harbour",
            Self::OldTown => "the old town",
            Self::Hospital => "the hospital",
        })
    }
}

/// A set of sectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sectors(u8);

impl Sectors {
    pub fn insert(&mut self, sector: Sector) {
        self.0 |= 1 << sector as u8;
    }

    pub fn contains(self, sector: Sector) -> bool {
        self.0 & (1 << sector as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Sector> {
        Sector::ALL.into_iter().filter(move |sector| self.contains(*sector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_the_whole_town() {
        let whole: f64 = Sector::ALL.into_iter().map(Sector::share).sum();
        assert!((whole - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut sectors = Sectors::default();
        assert!(sectors.is_empty());
        sectors.insert(Sector::OldTown);
        sectors.insert(Sector::Mills);
        assert_eq!(sectors.iter().collect::<Vec<_>>(), [Sector::Mills, Sector::OldTown]);
    }
}
