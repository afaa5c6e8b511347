//! A list of words, each of which is a number of a text.

use super::{Bag, Error, Reading};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A list of words: of a text, the number at the place of a word is 1 if the text has it, else 0.
///
/// The order of the words is that of the numbers, and nothing but the list says it: keep it in one file, beside the model
/// that was trained with it. Words are what the [`Reading`] makes of a text, which is [stems](Reading::stems) unless
/// [`read_by`](Self::read_by) says otherwise. A clone is cheap and is the same list.
///
/// ```
/// use mape::text::{Reading, Vocabulary};
///
/// let vocabulary = Vocabulary::from_json(r#"["volunt", "?", "hour"]"#)?;
/// let bag = vocabulary.bag("Volunteering hours, volunteers: three hours")?;
/// assert_eq!(bag.numbers(), [1.0, 0.0, 1.0]);
/// assert_eq!((bag.known(), bag.unknown()), (4, 3));
///
/// let words = Vocabulary::new(["volunteering", "volunteers"])?.read_by(Reading::words());
/// assert_eq!(words.bag("Volunteering")?.numbers(), [1.0, 0.0]);
/// # Ok::<(), mape::text::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    words: Arc<[Arc<str>]>,
    places: Arc<HashMap<Arc<str>, usize, RandomState>>,
    reading: Reading,
}

impl Vocabulary {
    /// A vocabulary of words in their order.
    ///
    /// # Errors
    ///
    /// [`Error::NoWords`], [`Error::EmptyWord`], [`Error::Twice`].
    pub fn new(words: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Result<Self, Error> {
        let words: Arc<[Arc<str>]> = words.into_iter().map(Into::into).collect();
        let mut places = HashMap::with_capacity_and_hasher(words.len(), RandomState::default());
        for (place, word) in words.iter().enumerate() {
            if word.is_empty() {
                return Err(Error::EmptyWord { place });
            }
            match places.entry(Arc::clone(word)) {
                Entry::Vacant(free) => _ = free.insert(place),
                Entry::Occupied(taken) => {
                    return Err(Error::Twice { word: word.to_string(), first: *taken.get(), second: place });
                }
            }
        }
        if words.is_empty() {
            return Err(Error::NoWords);
        }
        Ok(Self { words, places: Arc::new(places), reading: Reading::stems() })
    }

    /// A vocabulary from a JSON array of strings.
    ///
    /// # Errors
    ///
    /// [`Error::NoList`], and those of [`new`](Self::new).
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, Error> {
        let words: Vec<String> = serde_json::from_slice(json.as_ref()).map_err(Error::NoList)?;
        Self::new(words)
    }

    /// A vocabulary from a file with a JSON array of strings. It blocks until the file is read.
    ///
    /// # Errors
    ///
    /// [`Error::File`], and [`Error::InFile`] with what is wrong inside.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let json = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        Self::from_json(json).map_err(|error| Error::InFile { path: path.to_owned(), error: Box::new(error) })
    }

    /// The same words, looked for in what another reading makes of a text.
    #[must_use]
    pub fn read_by(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// Refuses texts of more bytes.
    #[must_use]
    pub fn at_most(self, bytes: usize) -> Self {
        Self { reading: self.reading.at_most(bytes), ..self }
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
        let mut bag = Bag::zeros(self.words.len());
        for word in words {
            if let Some(number) = bag.note(self.places.get(word.as_ref()).copied()) {
                *number = 1.0;
            }
        }
        bag
    }

    /// The words in their order.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &str> {
        self.words.iter().map(AsRef::as_ref)
    }

    /// How many words there are, and so numbers of each text.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.words.len()
    }
}
