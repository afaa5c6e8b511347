//! Numbers of a text without a list of words.

use super::{Bag, Error, Reading};

/// Numbers of a text without a list of words: each word changes the number that its hash says.
///
/// This is scikit-learn's `FeatureHasher(n_features, input_type="string")`, and with [`normalised`](Self::normalised) its
/// `HashingVectorizer` with an analyser that makes the same words: the 32-bit `MurmurHash3` of the word's UTF-8 with seed
/// 0, read as a signed number; its remainder chooses the number, which grows by 1, or shrinks by 1 where the hash is
/// negative, so that words that fall together cancel out more often than they add up. Nothing has to be kept with the
/// model but how many numbers there are; what a number stands for, nobody can say any more.
///
/// ```
/// use mape::text::FeatureHasher;
///
/// let hasher = FeatureHasher::new(8)?;
/// assert_eq!(hasher.bag("Can I come? Can I?")?.numbers(), [0.0, 0.0, -2.0, -2.0, 0.0, -2.0, 1.0, 0.0]);
/// assert!(hasher.bag(" ")?.knows_none());
/// # Ok::<(), mape::text::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[doc(alias = "HashingVectorizer")]
pub struct FeatureHasher {
    numbers: u32,
    alternate_sign: bool,
    normalised: bool,
    reading: Reading,
}

impl FeatureHasher {
    /// The most numbers that there can be: 2²⁴, which are 64 MiB for each text.
    pub const MOST: usize = 1 << 24;

    /// Makes so many numbers of a text, of its [stems](Reading::stems).
    ///
    /// # Errors
    ///
    /// [`Error::Numbers`]: none, or more than [`MOST`](Self::MOST).
    pub fn new(numbers: usize) -> Result<Self, Error> {
        let wrong = Error::Numbers { asked: numbers, most: Self::MOST };
        if numbers == 0 || numbers > Self::MOST {
            return Err(wrong);
        }
        let numbers = u32::try_from(numbers).map_err(|_| wrong)?;
        Ok(Self { numbers, alternate_sign: true, normalised: false, reading: Reading::stems() })
    }

    /// Hashes what another reading makes of a text.
    #[must_use]
    pub fn read_by(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// Every word adds 1: `alternate_sign=False`.
    #[must_use]
    pub fn without_signs(self) -> Self {
        Self { alternate_sign: false, ..self }
    }

    /// The numbers are divided by the root of the sum of their squares: `norm="l2"`. All zeros stay zeros.
    #[must_use]
    pub fn normalised(self) -> Self {
        Self { normalised: true, ..self }
    }

    /// The numbers of a text.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`].
    pub fn bag(&self, text: &str) -> Result<Bag, Error> {
        Ok(self.bag_of(self.reading.read(text)?))
    }

    /// The numbers of words that are read already.
    #[must_use]
    pub fn bag_of(&self, words: impl IntoIterator<Item = impl AsRef<str>>) -> Bag {
        let mut bag = Bag::zeros(self.len());
        for word in words {
            let hash = murmur3(word.as_ref().as_bytes());
            // The remainder of the hash without its sign; scikit-learn says the same of the smallest, whose opposite
            // a signed number cannot hold.
            let place = usize::try_from(hash.unsigned_abs() % self.numbers).ok();
            if let Some(number) = bag.note(place) {
                *number += if self.alternate_sign && hash < 0 { -1.0 } else { 1.0 };
            }
        }
        if self.normalised {
            let length = bag.numbers().iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                for number in bag.numbers_mut() {
                    *number = narrow(f64::from(*number) / length);
                }
            }
        }
        bag
    }

    /// How many numbers each text has.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        usize::try_from(self.numbers).unwrap_or(Self::MOST)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is between -1 and 1; a model takes no finer numbers")]
fn narrow(number: f64) -> f32 {
    number as f32
}

/// `MurmurHash3_x86_32` with seed 0, by Austin Appleby.
fn murmur3(bytes: &[u8]) -> i32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mix = |block: u32| block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for block in blocks {
        hash = (hash ^ mix(u32::from_le_bytes(*block)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    let tail = tail.iter().rev().fold(0, |tail, byte| (tail << 8) | u32::from(*byte));
    hash ^= mix(tail);
    // The length is taken modulo 2³², as the original takes it.
    hash ^= u32::try_from(bytes.len() & 0xffff_ffff).unwrap_or_default();
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)).cast_signed()
}
