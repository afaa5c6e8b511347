//! Hashed features against scikit-learn.

use super::data;
use mape::text::FeatureHasher;
use serde::Deserialize;

#[derive(Deserialize)]
struct Hashed {
    text: String,
    numbers: usize,
    signed: Vec<(usize, f64)>,
    unsigned: Vec<(usize, f64)>,
    normalised: Vec<(usize, f64)>,
}

#[test]
fn hashed_features_are_those_of_scikit_learn() {
    let vectors: Vec<Hashed> = serde_json::from_str(&data("hashes.json")).unwrap();
    assert!(vectors.len() > 150, "{} texts", vectors.len());
    for vector in vectors {
        let hasher = FeatureHasher::new(vector.numbers).unwrap();
        let makers = [
            (hasher, &vector.signed),
            (hasher.without_signs(), &vector.unsigned),
            (hasher.normalised(), &vector.normalised),
        ];
        for (maker, expected) in makers {
            let found = maker.bag(&vector.text).unwrap();
            let mut dense = vec![0.0; vector.numbers];
            for (place, number) in expected {
                dense[*place] = *number;
            }
            assert_eq!(found.numbers().len(), dense.len());
            for (place, (found, expected)) in found.numbers().iter().zip(&dense).enumerate() {
                let off = (f64::from(*found) - expected).abs();
                assert!(
                    off < 1e-7,
                    "{:?}: number {place} of {}: {found}, {expected}",
                    vector.text,
                    dense.len()
                );
            }
        }
    }
}

#[test]
fn words_that_cancel_out_are_still_known() {
    let hasher = FeatureHasher::new(1).unwrap();
    let words = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let opposite = words.iter().flat_map(|a| words.iter().map(move |b| [*a, *b]));
    let found = opposite.map(|pair| hasher.bag_of(pair)).find(|bag| bag.numbers() == [0.0]).unwrap();
    assert!(!found.knows_none());
    assert_eq!(found.known(), 2);
}

#[test]
fn no_numbers_and_too_many_are_refused() {
    for asked in [0, FeatureHasher::MOST + 1] {
        let error = FeatureHasher::new(asked).unwrap_err().to_string();
        assert_eq!(error, format!("hashing features to {asked} numbers: ask for 1 to 16777216"));
    }
    assert!(FeatureHasher::new(FeatureHasher::MOST).is_ok());
}
