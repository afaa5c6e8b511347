//! One operator a file.

// time, buffers, windows, groups, folding
mod alarm;
mod buffer_count;
mod debounce;
mod scan_with;

pub use buffer_count::BufferCount;
pub use debounce::Debounce;
pub use scan_with::ScanWith;
