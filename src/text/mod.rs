//! Text to numbers: sentences, tokens, stems, bags of words, hashed features.
//!
//! A model judges numbers. What makes numbers of a text has to be, to the last detail, what it was when the model was
//! trained; that is mostly Python. So this is what NLTK and scikit-learn do, rule by rule, tested on thousands of words
//! and sentences against them:
//!
//! | here | there |
//! |---|---|
//! | [`sentences`] | `nltk.sent_tokenize`: Punkt for English, with lists of its own |
//! | [`tokenise`] | `nltk.word_tokenize`: the rules of the Penn Treebank with NLTK's own |
//! | [`stem`] | `nltk.stem.LancasterStemmer` |
//! | [`Vocabulary`] | 0 or 1 for each word of a list, in its order |
//! | [`FeatureHasher`] | `sklearn.feature_extraction.FeatureHasher`, `HashingVectorizer` |
//!
//! ```
//! use mape::text::{Reading, Vocabulary};
//!
//! assert_eq!(mape::text::tokenise("I can't wait!"), ["I", "ca", "n't", "wait", "!"]);
//! assert_eq!(Reading::stems().read("Volunteers are helping")?, ["volunt", "ar", "help"]);
//!
//! let vocabulary = Vocabulary::new(["help", "hour", "volunt"])?;
//! let bag = vocabulary.bag("Volunteers, volunteers!")?;
//! assert_eq!(bag.numbers(), [0.0, 0.0, 1.0]);
//! // What a model says to a text of which it knows no word is worth nothing, and this is how to see it:
//! assert!(vocabulary.bag("Guten Tag")?.knows_none());
//! # Ok::<(), mape::text::Error>(())
//! ```
//!
//! Texts come from people nobody has to trust. No text makes anything here panic, what it takes grows with its length
//! and no faster, and a [`Reading`] refuses what is longer than its bound. [`TextOperators`] are the same on streams.

mod bag;
mod characters;
mod error;
mod hashing;
mod lancaster;
mod operators;
mod reading;
mod sentence;
mod tokens;
mod vocabulary;

pub use bag::Bag;
pub use error::Error;
pub use hashing::FeatureHasher;
pub use lancaster::stem;
pub use operators::{Read, ReadsText, TextOperators};
pub use reading::Reading;
pub use sentence::sentences;
pub use tokens::{tokenise, tokenise_sentence};
pub use vocabulary::Vocabulary;
