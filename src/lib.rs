//! Systems that watch and adapt themselves.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod app;
pub mod backend;
pub mod channel;
#[cfg(feature = "config")]
pub mod config;
pub mod element;
pub mod knowledge;
pub mod prelude;
pub mod stream;
