//! The routes for task queues.

#[cfg(feature = "config")]
mod configured;
