//! The flow language: what texts mean, what is said about wrong ones, and the forms a flow can be given.

mod conformance;
