//! Where sentences end, as Punkt says for English.

mod context;
mod english;
mod split;

pub use split::sentences;
