//! Systems that watch and adapt themselves.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod app;
pub mod element;
pub mod prelude;
pub mod stream;
