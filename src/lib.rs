//! Systems that watch and adapt themselves.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod app;
#[cfg(feature = "config")]
pub mod config;
pub mod element;
pub mod prelude;
pub mod stream;
