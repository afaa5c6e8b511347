//! What stands behind the handles of a backend.

use crate::stream::Answer;

/// Whatever has to live as long as anyone has a handle, and ends what it does when the last is dropped.
pub(super) trait Keeper: Send + Sync {
    /// Ends it now, whoever has handles; the answer is there when it has ended.
    fn close(&self) -> Answer<()>;
}
