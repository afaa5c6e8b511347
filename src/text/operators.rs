//! Text to numbers as methods on every stream of texts.

use super::{Bag, Error, FeatureHasher, Reading, Vocabulary};
use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What makes something of a text: a [`Reading`] words, a [`Vocabulary`] and a [`FeatureHasher`] numbers.
pub trait ReadsText {
    /// What it makes.
    type Output;

    /// Makes it of a text.
    fn read_text(&self, text: &str) -> Result<Self::Output, Error>;
}

impl ReadsText for Reading {
    type Output = Vec<String>;

    fn read_text(&self, text: &str) -> Result<Vec<String>, Error> {
        self.read(text)
    }
}

impl ReadsText for Vocabulary {
    type Output = Bag;

    fn read_text(&self, text: &str) -> Result<Bag, Error> {
        self.bag(text)
    }
}

impl ReadsText for FeatureHasher {
    type Output = Bag;

    fn read_text(&self, text: &str) -> Result<Bag, Error> {
        self.bag(text)
    }
}

/// Text to numbers on any [`Stream`] of texts.
///
/// A text that cannot be read is an error in its place, and the next goes on. Where items are more than their texts, such
/// as deliveries of a log, use `map` and [`Vocabulary::bag`].
///
/// ```
/// use futures::{StreamExt, stream};
/// use mape::text::{TextOperators, Vocabulary};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mape::text::Error> {
/// let vocabulary = Vocabulary::new(["help", "thank"])?;
/// let texts = stream::iter(["Helping!", "No, thanks", "Hallo"]);
/// let bags: Vec<_> = texts.bag_of_words(&vocabulary).map(|bag| bag.map(|bag| bag.into_numbers())).collect().await;
/// let bags: Vec<Vec<f32>> = bags.into_iter().collect::<Result<_, _>>()?;
/// assert_eq!(bags, [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
/// # Ok(())
/// # }
/// ```
pub trait TextOperators: Stream {
    /// The tokens of each text: [`Reading::tokens`].
    ///
    /// ```text
    /// self   Don't!----------No|
    ///        [Do,n't,!]------[No]|
    /// ```
    ///
    /// See [`Read`].
    fn tokens(self) -> Read<Self, Reading>
    where
        Self: Sized,
        Self::Item: AsRef<str>,
    {
        self.read_text_by(Reading::tokens())
    }

    /// The stems of each text: [`Reading::stems`].
    ///
    /// ```text
    /// self   Helping!-----No|
    ///        [help,!]-----[no]|
    /// ```
    ///
    /// See [`Read`].
    fn stems(self) -> Read<Self, Reading>
    where
        Self: Sized,
        Self::Item: AsRef<str>,
    {
        self.read_text_by(Reading::stems())
    }

    /// Which words of a vocabulary each text has: [`Vocabulary::bag`].
    ///
    /// ```text
    /// self   Helping!---No|
    ///        [1,0]------[0,1]|   with a vocabulary of `help` and `no`
    /// ```
    ///
    /// See [`Read`].
    fn bag_of_words(self, vocabulary: &Vocabulary) -> Read<Self, Vocabulary>
    where
        Self: Sized,
        Self::Item: AsRef<str>,
    {
        self.read_text_by(vocabulary.clone())
    }

    /// Each text as numbers that the hashes of its words say: [`FeatureHasher::bag`].
    ///
    /// ```text
    /// self   Helping!---No|
    ///        [0,1,-1]---[1,0,0]|
    /// ```
    ///
    /// See [`Read`].
    fn hashed(self, hasher: FeatureHasher) -> Read<Self, FeatureHasher>
    where
        Self: Sized,
        Self::Item: AsRef<str>,
    {
        self.read_text_by(hasher)
    }

    /// What a reader makes of each text: with a reading of another bound, say.
    ///
    /// See [`Read`].
    fn read_text_by<R: ReadsText>(self, reader: R) -> Read<Self, R>
    where
        Self: Sized,
        Self::Item: AsRef<str>,
    {
        Read { source: self, reader }
    }
}

impl<S: Stream> TextOperators for S {}

pin_project! {
    /// What is made of each text: the operators of [`TextOperators`].
    ///
    /// - **Emits when** a text comes: what was made of it, or why nothing was.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source does.
    /// - **Cancels when** dropped, with its source.
    ///
    /// It holds nothing.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Read<S, R> {
        #[pin]
        source: S,
        reader: R,
    }
}

impl<S: Stream<Item: AsRef<str>>, R: ReadsText> Stream for Read<S, R> {
    type Item = Result<R::Output, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let reader = &*this.reader;
        this.source.poll_next(cx).map(|text| text.map(|text| reader.read_text(text.as_ref())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.size_hint()
    }
}
