//! The section `live`.

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
    pub client_buffer: usize,
    /// What happens when they are that many. Default: `drop_oldest`.
    pub when_full: WhenFull,
    /// How often a quiet connection is given a sign of life. Default: 15 s.
    #[serde(with = "time")]
    pub heartbeat: Duration,
    /// What happens to jobs and to parts of results, as `mape::live::Pipelines` are written. Default: nothing.
    pub pipelines: Option<serde_json::Value>,
    /// A file that says so in its place, and is followed. Default: none.
    pub pipelines_file: Option<PathBuf>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            client_buffer: 1024,
            when_full: WhenFull::DropOldest,
            heartbeat: Duration::from_secs(15),
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
