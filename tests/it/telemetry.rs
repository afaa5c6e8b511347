//! What a process can be seen doing.

mod measured;
mod meter;
#[cfg(all(feature = "http", feature = "cli"))]
mod scrape;
