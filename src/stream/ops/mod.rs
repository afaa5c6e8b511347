//! One operator a file.

// time, buffers, windows, groups, folding
mod alarm;
mod buffer_count;
mod debounce;
mod delay;
mod delay_start;
mod end_after_silence;
mod interval;
mod on_idle;
mod rate_limit;
mod sample;
mod sample_on;
mod scan_with;
mod skip_for;
mod take_for;
mod throttle_both;
mod throttle_leading;
mod throttle_trailing;
mod time_interval;
mod timeout_each;
mod timestamp;

pub use buffer_count::BufferCount;
pub use debounce::Debounce;
pub use delay::Delay;
pub use delay_start::DelayStart;
pub use end_after_silence::EndAfterSilence;
pub use interval::{Interval, interval};
pub use on_idle::OnIdle;
pub use rate_limit::RateLimit;
pub use sample::Sample;
pub use sample_on::SampleOn;
pub use scan_with::ScanWith;
pub use skip_for::SkipFor;
pub use take_for::TakeFor;
pub use throttle_both::ThrottleBoth;
pub use throttle_leading::ThrottleLeading;
pub use throttle_trailing::ThrottleTrailing;
pub use time_interval::TimeInterval;
pub use timeout_each::{Elapsed, TimeoutEach};
pub use timestamp::Timestamp;
