//! What happens to an element whose function or operator failed.

use crate::stream::Backoff;

/// What an element does after an error or a panic in its function or in one of its operators.
///
/// In every case the error is an [`Event`](super::Event), travels downstream in order with the items, and goes to the
/// [dead letters](super::DeadLetter) with the item that caused it; the next item is not lost. An operator that
/// panicked is always built anew, since what it holds can't be trusted; what it held is gone.
///
/// Source: the supervision directives of Akka and Erlang/OTP.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum OnError {
    /// Go on with the next item; operators and function keep their state.
    #[default]
    Resume,
    /// Wait, build the operators anew, then go on with the next item. Items wait in the links meanwhile. The attempts
    /// start from the first again once an item went through; when they are used up, the element fails as with `Stop`.
    Restart(Backoff),
    /// Complete the output; the element is then [`Failed`](super::State::Failed) and can be started again.
    Stop,
    /// As `Stop`, and the loop that owns the element decides what happens to the other elements.
    Escalate,
}
