//! How much there may be of everything.

use std::time::Duration;

/// How much a live server keeps, and lets its clients ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How many parts wait for a client that reads slowly, and how many words of who comes and goes, at least 1,024 of those.
    /// Default: 1,024.
    pub client_buffer: usize,
    /// How many bytes of parts, as JSON, wait for it. A single part may be longer. Default: 4 MiB.
    pub client_bytes: usize,
    /// What happens to a client for whom more would wait. Default: it loses the oldest.
    pub when_full: WhenFull,
    /// How many jobs may be under way. Default: 10,000.
    pub jobs: usize,
    /// How many of them may be of one client. Default: 1,000.
    pub client_jobs: usize,
    /// How many interests a client may state. Default: 100.
    pub interests: usize,
    /// How many steps a condition may take for one part. Default: 10,000.
    pub steps: u64,
    /// How many parts of each name are kept for clients that come back. Default: 256.
    pub history: usize,
    /// How many bytes of parts are kept for them in all. Default: 64 MiB.
    pub history_bytes: usize,
    /// How many names are known at a time; of those that nobody listens to, the longest silent is forgotten first. If all are
    /// listened to, interests in others are refused, but for patterns.
    /// Default: 10,000.
    pub names: usize,
    /// How many parts are kept in the log that [nodes](super::Live::shared) share. Default: 10,000.
    pub shared_history: u64,
    /// How many bytes of parts a node keeps of which others know [values](super::Extract) alone. Default: 64 MiB.
    pub cache_bytes: usize,
    /// For how long it keeps them. Default: 30 s.
    pub cache_lifetime: Duration,
    /// How many parts a pipeline of results holds; while there are as many, those who make more wait. Default: 16,384.
    pub held: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_buffer: 1024,
            client_bytes: 4 * 1024 * 1024,
            when_full: WhenFull::DropOldest,
            jobs: 10_000,
            client_jobs: 1000,
            interests: 100,
            steps: 10_000,
            history: 256,
            history_bytes: 64 * 1024 * 1024,
            names: 10_000,
            shared_history: 10_000,
            cache_bytes: 64 * 1024 * 1024,
            cache_lifetime: Duration::from_secs(30),
            held: 16_384,
        }
    }
}

/// What happens to a client for whom too much waits. It is told what it missed either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// It loses the oldest parts, and is told how many.
    DropOldest,
    /// It gets what waits, is told why, and is closed; it may come back for the gap.
    Disconnect,
}
