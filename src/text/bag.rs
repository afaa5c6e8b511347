//! The numbers of a text.

/// The numbers of a text, and whether they say anything.
///
/// The numbers of a text without a known word are all 0. A model judges them like any others, and its answer is worth
/// nothing: ask [`knows_none`](Self::knows_none) before it is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bag {
    numbers: Vec<f32>,
    known: usize,
    unknown: usize,
}

impl Bag {
    pub(super) fn zeros(how_many: usize) -> Self {
        Self { numbers: vec![0.0; how_many], known: 0, unknown: 0 }
    }

    /// Notes a word, with the number that it changes.
    pub(super) fn note(&mut self, place: Option<usize>) -> Option<&mut f32> {
        let number = place.and_then(|place| self.numbers.get_mut(place));
        if number.is_some() {
            self.known += 1;
        } else {
            self.unknown += 1;
        }
        number
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers
    }

    /// The numbers.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// The numbers alone.
    #[must_use]
    pub fn into_numbers(self) -> Vec<f32> {
        self.numbers
    }

    /// How many words of the text stand behind the numbers; one that comes twice counts twice.
    #[must_use]
    pub fn known(&self) -> usize {
        self.known
    }

    /// How many words of the text have no number.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    /// Whether no word of the text has a number: the numbers are all 0 and say nothing.
    #[must_use]
    pub fn knows_none(&self) -> bool {
        self.known == 0
    }
}
