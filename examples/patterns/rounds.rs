//! Rounds: what all parties tell of one second.
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

use std::collections::BTreeMap;

/// Collects what several parties tell of the same second, until all of them have.
///
/// Channels bring what different parties say in any order. Who decides only on complete rounds decides the same in every
/// run, however long messages take.
#[derive(Debug)]
pub struct Rounds<T> {
    parties: usize,
    open: BTreeMap<u32, BTreeMap<String, T>>,
}

impl<T> Rounds<T> {
    /// Rounds of so many parties.
    pub fn of(parties: usize) -> Self {
        Self { parties, open: BTreeMap::new() }
    }

    /// Takes down what one tells; if it was the last one missing, all that is told of this second, by name.
    pub fn tell(&mut self, second: u32, who: &str, what: T) -> Option<BTreeMap<String, T>> {
        let round = self.open.entry(second).or_default();
        round.insert(who.to_owned(), what);
        if round.len() < self.parties { None } else { self.open.remove(&second) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_complete_when_all_have_told_in_any_order() {
        let mut rounds = Rounds::of(2);
        assert_eq!(rounds.tell(1, "panda", 'a'), None);
        assert_eq!(rounds.tell(2, "panda", 'b'), None);
        assert_eq!(rounds.tell(1, "panda", 'a'), None);
        let first = rounds.tell(1, "veyron", 'c').unwrap();
        assert_eq!(first.into_values().collect::<String>(), "ac");
        assert!(rounds.tell(2, "veyron", 'd').is_some());
    }
}
