//! The flow language: what texts mean, what is said about wrong ones, and the forms a flow can be given.

mod bounds;
mod conformance;
mod diagnostics;
mod diagram;
#[cfg(all(feature = "cli", feature = "file"))]
mod examples;
mod format;
mod generate;
mod graph;
mod guards;
#[cfg(feature = "cli")]
mod program;
mod specification;
