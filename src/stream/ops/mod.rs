//! The streams that [`Operators`](super::Operators) returns, one operator a file.

// combining, flattening, sharing, errors, choosing
mod budget;
mod combine_latest;
mod combine_latest_with;
mod distinct_until_changed;
mod distinct_until_changed_by;
mod latest;
mod materialize;
mod pairwise;
mod start_with;
mod switch;
mod switch_latest;
mod switch_map;
mod until_end;
pub use combine_latest::CombineLatest;
pub use combine_latest_with::CombineLatestWith;
pub use distinct_until_changed::DistinctUntilChanged;
pub use distinct_until_changed_by::DistinctUntilChangedBy;
pub use materialize::Materialize;
pub use pairwise::Pairwise;
pub use start_with::StartWith;
pub use switch_latest::SwitchLatest;
pub use switch_map::SwitchMap;
