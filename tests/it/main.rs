//! All integration tests in one binary: linking is what costs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
mod channel;
mod knowledge;
mod suite;
