//! Scores as text, so that every one of them crosses JSON as it is: also infinite ones and the last bit.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use std::str::FromStr;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(super) fn serialize<S: Serializer>(score: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(score)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    f64::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// A score that may be missing.
pub(super) mod option {
    use super::Score;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        score: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        score.map(Score).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Score>::deserialize(deserializer)?.map(|score| score.0))
    }
}

/// Members and their scores.
pub(super) mod pairs {
    use super::Score;
    use crate::knowledge::Data;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        pairs: &[(Data, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(pairs.iter().map(|(member, score)| (member, Score(*score))))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Data, f64)>, D::Error> {
        let pairs = Vec::<(Data, Score)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().map(|(member, score)| (member, score.0)).collect())
    }
}

/// One or many of them.
pub(super) mod items {
    use super::pairs;
    use crate::knowledge::{Data, Items};
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        items: &Items<(Data, f64)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        pairs::serialize(items, serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Items<(Data, f64)>, D::Error> {
        pairs::deserialize(deserializer).map(Items::Many)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Score(#[serde(with = "self")] f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_comes_back_bit_by_bit() {
        for score in [0.1 + 0.2, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, 5e-324] {
            let json = serde_json::to_string(&Score(score)).unwrap();
            let Score(back) = serde_json::from_str(&json).unwrap();
            assert_eq!(back.to_bits(), score.to_bits());
        }
    }
}
