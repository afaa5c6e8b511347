//! The section `live`.

use super::bound::{self, some_time};
use super::time;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// The live server, which pushes the parts of results to whoever is interested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Live {
    /// How many parts wait for a client that reads slowly. Default: 1024.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub client_buffer: usize,
    /// How many bytes of parts, as JSON, wait for it; a single part may be longer. Default: 4 MiB.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub client_bytes: usize,
    /// What happens when they are that many. Default: `drop_oldest`.
    pub when_full: WhenFull,
    /// How often a quiet connection is given a sign of life. Default: 15 s.
    #[serde(with = "some_time")]
    pub heartbeat: Duration,
    /// How many jobs may be under way. Default: 10,000.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub jobs: usize,
    /// How many of them may be of one client. Default: 1,000.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub client_jobs: usize,
    /// How many interests a client may state, groups included. Default: 100.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub interests: usize,
    /// How many steps a condition may take for one part. Default: 10,000.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub steps: usize,
    /// How many parts of each name are kept for clients that come back. Default: 256.
    pub history: usize,
    /// How many bytes of parts are kept for them in all. Default: 64 MiB.
    pub history_bytes: usize,
    /// How many names are known at a time. Default: 10,000.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub names: usize,
    /// How many parts are kept in the log that several processes share. Default: 10,000.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub shared_history: usize,
    /// How many bytes of parts a process keeps of which others know values alone. Default: 64 MiB.
    pub cache_bytes: usize,
    /// For how long it keeps them. Default: 30 s.
    #[serde(with = "time")]
    pub cache_lifetime: Duration,
    /// How many parts a pipeline of results holds. Default: 16,384.
    #[serde(deserialize_with = "bound::one_or_more")]
    pub held: usize,
    /// Patterns of channels whose items are published under the names of the channels. Default: none.
    pub channels: Vec<String>,
    /// Who may see and do what, as `mape::live::Rules` are written. Default: no rules.
    pub rules: Vec<serde_json::Value>,
    /// What happens to jobs and to parts of results, as `mape::live::Pipelines` are written. Default: nothing.
    pub pipelines: Option<serde_json::Value>,
    /// A file that says so in its place, and is followed. Default: none.
    pub pipelines_file: Option<PathBuf>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            client_buffer: 1024,
            client_bytes: 4 * 1024 * 1024,
            when_full: WhenFull::DropOldest,
            heartbeat: Duration::from_secs(15),
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
            channels: Vec::new(),
            rules: Vec::new(),
            pipelines: None,
            pipelines_file: None,
        }
    }
}

/// What happens to a client whose buffer is full. It is told what it missed either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhenFull {
    /// It loses the oldest part (`drop_oldest`).
    DropOldest,
    /// It is disconnected and may come back for the gap (`disconnect`).
    Disconnect,
}
