//! What of a trace travels.

use super::{current, state};
use serde::{Serialize, Serializer};
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;
use std::sync::Arc;

/// A place in a trace: the trace, the span that comes before, and whether spans are recorded. Cheap to clone.
///
/// It is read from a `traceparent` and a `tracestate`, and shown as the former. Its fields are as the standard has them:
/// a trace is 32 hexadecimal digits, a span 16, none of them all zero.
///
/// Source: W3C Trace Context, level 1, version 00; of later versions what they have in common with it.
///
/// ```
/// use mape::stream::trace::TraceContext;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context = TraceContext::parse(text, Some("vendor=1")).unwrap();
/// assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(context.is_sampled());
/// assert_eq!((context.to_string().as_str(), context.state()), (text, Some("vendor=1")));
/// assert!(TraceContext::parse("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None).is_none());
/// ```
#[derive(Clone, PartialEq, Eq)]
#[doc(alias = "traceparent")]
pub struct TraceContext {
    pub(super) trace: NonZeroU128,
    pub(super) span: NonZeroU64,
    pub(super) flags: u8,
    pub(super) state: Option<Arc<str>>,
}

/// Spans of this trace are recorded.
pub(super) const SAMPLED: u8 = 1;
/// The trace id is random, says level 2.
const RANDOM: u8 = 2;

impl TraceContext {
    /// Reads the values of the headers `traceparent` and `tracestate`; nothing if the first is none. A wrong
    /// `tracestate` is left out, as the standard says.
    #[must_use]
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let version = parent.get(..2).filter(|version| is_hex(version) && *version != "ff")?;
        // Later versions may go on behind a dash.
        let rest = parent.get(55..)?;
        let fits = if version == "00" { rest.is_empty() } else { rest.is_empty() || rest.starts_with('-') };
        let dashes = [2, 35, 52].iter().all(|at| parent.as_bytes().get(*at) == Some(&b'-'));
        let (trace, span, flags) = (parent.get(3..35)?, parent.get(36..52)?, parent.get(53..55)?);
        if !fits || !dashes || !is_hex(flags) {
            return None;
        }
        Some(Self {
            trace: trace_of(trace)?,
            span: span_of(span)?,
            flags: u8::from_str_radix(flags, 16).ok()? & (SAMPLED | RANDOM),
            state: state.and_then(state::checked).map(Into::into),
        })
    }

    /// What is under way right now belongs to this: set while a request is answered, a method called, an item or an event
    /// read, or a task done, and in the function of `map_message`. Nothing elsewhere.
    ///
    /// ```
    /// use mape::stream::trace::TraceContext;
    /// assert_eq!(TraceContext::current(), None);
    /// ```
    #[must_use]
    pub fn current() -> Option<Self> {
        current::get()
    }

    /// Does something as a part of the trace, which is [`current`](Self::current) in it.
    ///
    /// ```
    /// use mape::stream::trace::TraceContext;
    /// use mape::element::Message;
    ///
    /// let cause = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None).unwrap();
    /// let message = cause.run(|| Message::new(42));
    /// assert_eq!(message.trace(), cause.trace_id());
    /// ```
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        current::run(self.clone(), f)
    }

    /// As [`run`](Self::run), for a future.
    ///
    /// # Cancel safety
    /// That of the future.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        current::scope(self.clone(), future).await
    }

    /// The trace: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span before: 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }

    /// Whether whoever began the trace wants its spans recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// What others have written beside it, `tracestate`, as it came.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Whether it is of the trace with this id.
    pub(crate) fn is_of(&self, trace: &str) -> bool {
        trace_of(trace) == Some(self.trace)
    }
}

/// A trace id as text.
pub(crate) fn trace_of(text: &str) -> Option<NonZeroU128> {
    let hex = (text.len() == 32 && is_hex(text)).then_some(text)?;
    NonZeroU128::new(u128::from_str_radix(hex, 16).ok()?)
}

fn span_of(text: &str) -> Option<NonZeroU64> {
    let hex = Some(text).filter(|text| is_hex(text))?;
    NonZeroU64::new(u64::from_str_radix(hex, 16).ok()?)
}

/// Lower-case digits only, as the standard wants it.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// As a `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceContext({self})")
    }
}

/// From a `traceparent`, without a state.
impl FromStr for TraceContext {
    type Err = NotTraced;

    fn from_str(text: &str) -> Result<Self, NotTraced> {
        Self::parse(text, None).ok_or(NotTraced)
    }
}

/// A text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no traceparent: it looks like 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
pub struct NotTraced;

/// As a `traceparent`; its state is a field of its own where it is written.
impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_the_standard_allows_is_read_and_written_as_it_was() {
        for text in [GOOD, "00-00000000000000000000000000000001-0000000000000001-00"] {
            assert_eq!(TraceContext::parse(text, None).unwrap().to_string(), text);
        }
        // Flags that nobody knows are not passed on.
        let odd =
            TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fd", None).unwrap();
        assert_eq!(odd.to_string(), GOOD);
    }

    #[test]
    fn what_the_standard_calls_invalid_is_none() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0G-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47361-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01x",
        ] {
            assert_eq!(TraceContext::parse(text, None), None, "{text}");
        }
    }

    #[test]
    fn of_a_later_version_the_part_that_is_known_is_read() {
        for text in [
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings",
        ] {
            assert_eq!(TraceContext::parse(text, None).unwrap().to_string(), GOOD, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,70}") {
            let _ = TraceContext::parse(&text, Some(&text));
        }

        #[test]
        fn what_is_read_is_written_the_same(trace in 1..=u128::MAX, span in 1..=u64::MAX, flags in 0..4_u8) {
            let text = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
            proptest::prop_assert_eq!(TraceContext::parse(&text, None).unwrap().to_string(), text);
        }
    }
}
