//! Systems that watch and adapt themselves.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod backend;
pub mod channel;
pub mod knowledge;
pub mod stream;
