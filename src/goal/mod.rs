//! Goals: what is wanted of a system, as conditions over the signals it sends, judged as they come.
//!
//! ```text
//! items ─▶ Signal (a number, a unit, an uncertainty) ─▶ bound ─▶ always, ratio, within … ─▶ Verdict (state, margin, why)
//! ```
//!
//! # The contract
//! - **Signals hold.** Between two samples a signal has the value of the older one, until it is
//!   [stale](Goal::stale_after); before the first, and when stale, it is unknown.
//! - **Margins are intervals.** The margin of a goal says by how much it is met, or if negative by how much it is
//!   violated, in the unit of its signal. It is the quantitative semantics of signal temporal logic: *and* is the minimum,
//!   *or* the maximum, *not* the sign. What isn't known for certain makes it an interval: an uncertain sample, the time
//!   before the first one, data that is old. The goal is [met](State::Met) when the whole interval is at least 0,
//!   [violated](State::Violated) when all of it is below, [unknown](State::Unknown) otherwise. So an unknown part never
//!   hides what the known part decides, and no verdict is given without evidence.
//! - **Time is past.** A verdict at time *t* is about what came until *t*. A window of length *w* is what was in
//!   *(t − w, t]*; what happened exactly *w* ago has left it. What is to come in time (`within … after`, `deadline`)
//!   counts as met until its time is over.
//! - **Verdicts follow time, not only items**: when a value leaves a window, a deadline passes or data gets old, the
//!   verdict changes at that moment, whether an item comes or not.
//! - **Memory** is bounded: 65,536 entries a window. Beyond, the margin of an `always` or `eventually` gets wider, never
//!   wrong, and a ratio, mean or quantile is that of the newest 65,536 items; [it is counted](Judge::coarsened).
//!   An item costs `O(1)` on average, but for [quantiles](Signal::quantile).
//! - **What goes wrong in one item** stays there: one whose time is before that of another, before 1970, or more than a
//!   day ahead of the clock is left out, and is no sign of life.
//! - **What is no number** is an error beside the verdicts. The sample is left out, the next one counts.
//!
//! Source: Donzé and Maler, "Robust Satisfaction of Temporal Logic over Real-Valued Signals" (FORMATS 2010), over
//! piecewise constant signals and the past; the interval is that of Deshmukh et al., "Robust Online Monitoring of Signal
//! Temporal Logic" (FMSD 2017); the extremes of a window as in Lemire, "Streaming Maximum-Minimum Filter" (2006). There
//! a window that reaches back before the first sample is cut off; here that part is unknown.

mod bound;
mod deadline;
mod duration;
mod error;
mod extreme;
mod formula;
#[allow(clippy::module_inception, reason = "one main type a file; this one's is Goal")]
mod goal;
mod judge;
mod margin;
mod node;
mod ratio;
mod response;
pub(crate) mod rfc3339;
mod rolling;
mod sample;
mod signal;
mod verdict;
mod watch;
mod window;

pub use error::Error;
pub use goal::{Goal, Within};
pub use judge::Judge;
pub use margin::{Margin, State};
pub use sample::Sample;
pub use signal::Signal;
pub use verdict::Verdict;
pub use watch::Watch;

/// Entries that a window holds at most.
pub(crate) const LARGEST: usize = 65_536;
