//! What can go wrong with the parts of an app.

use crate::element::{ElementPath, TypeMismatch, UidError, debug_is_text};

debug_is_text!(Error);

/// Why a loop or level could not be made or moved, or why there is nothing at a path.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The uid is no good.
    #[error(transparent)]
    Uid(#[from] UidError),
    /// Another loop of the app has the uid; loop uids are unique in the whole app.
    #[error("can't add loop `{uid}` to {wanted_by}: {taken_by} already has a loop of that uid")]
    LoopTaken {
        /// The uid that both want.
        uid: String,
        /// The level that was to get the loop.
        wanted_by: String,
        /// The level that has a loop of that uid.
        taken_by: String,
    },
    /// The loop to which an element was to be moved has one of that uid.
    #[error("can't move `{path}` to loop `{to}`: that loop already has {taken_by} of that uid")]
    ElementTaken {
        /// The element that was to be moved.
        path: ElementPath,
        /// The uid of the loop.
        to: String,
        /// What has the uid there.
        taken_by: String,
    },
    /// What was to be moved and where to are parts of different apps.
    #[error("can't move `{what}` to `{to}`: they belong to different apps")]
    AcrossApps {
        /// What was to be moved.
        what: String,
        /// Where to.
        to: String,
    },
    /// There is nothing at the path.
    #[error("there is no {what} `{path}`{}", if .near.is_empty() { String::new() } else { format!("; did you mean `{}`?", .near) })]
    NotFound {
        /// What was looked for: an element, a loop, a level.
        what: &'static str,
        /// The path asked for.
        path: String,
        /// The path most like it, or nothing.
        near: String,
    },
    /// The text is no path.
    #[error("`{path}` is no path of an element: write `loop.element` or `level.loop.element`")]
    BadPath {
        /// The text.
        path: String,
    },
    /// The element at the path has other types.
    #[error(transparent)]
    Type(#[from] TypeMismatch),
    /// The app is shut down.
    #[error("the app is shut down; make a new one")]
    ShutDown,
}
