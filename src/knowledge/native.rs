//! What a server can do beyond what a store is asked for.

use super::{Data, Error, Key};
use crate::stream::Answer;
use serde_json::Value as Json;
use std::fmt;

/// Carries out commands of the server behind a store, in that server's own words.
///
/// A store that is no server has none. It is for what a program says word for word, such as a task that runs a command
/// of Redis; everything else goes through a [`Store`](super::Store), which means the same everywhere.
pub trait Native: fmt::Debug + Send + Sync + 'static {
    /// Does one command, which must neither block nor change the connection, for that is shared. Whoever watches a key
    /// that it [writes](NativeCommand::writes) is told that it missed a change.
    ///
    /// Text is text, numbers are numbers, lists and sets are arrays and maps are objects; nothing is `null`, and a bare
    /// `OK` is `true`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: it may or may not have been done, and may be tried again if it has a
    /// [name](NativeCommand::once). [`Error::Refused`]: it was not done, in the server's words. [`Error::Unexpected`]:
    /// what it answers is no text.
    ///
    /// # Cancel safety
    ///
    /// Dropping the answer leaves open whether it is carried out.
    fn run(&self, command: NativeCommand) -> Answer<Result<Json, Error>>;

    /// What the server says of a command with these arguments; nothing if it does not know it.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    fn describe(&self, name: &str, args: &[Data]) -> Answer<Result<Option<NativeTraits>, Error>>;
}

/// A command in a server's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeCommand {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<NativeArg>,
    /// The keys that it may change.
    pub writes: Vec<Key>,
    /// A hash and a field of it under which the answer is kept, in one with the command: another command of that name is
    /// not carried out, and has the same answer.
    pub once: Option<(Key, Data)>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NativeArg {
    /// The name of a key, as this store calls it.
    Key(Key),
    /// Anything else, sent as it is.
    Data(Data),
}

/// What a server says of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NativeTraits {
    /// Whether it may change keys.
    pub writes: bool,
    /// Whether it can be done [once](NativeCommand::once).
    pub once: bool,
    /// The arguments that are keys, as the server calls them, without what all keys of this store begin with.
    pub keys: Vec<Key>,
}

impl NativeTraits {
    /// What it says.
    #[must_use]
    pub fn new(writes: bool, once: bool, keys: Vec<Key>) -> Self {
        Self { writes, once, keys }
    }
}
