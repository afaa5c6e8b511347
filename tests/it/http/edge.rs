//! Items to and from other services: real ones of ours, and stand-ins that behave as others do.

mod file_tail;
pub(crate) mod peer;
mod poll_source;
mod post_sink;
mod post_source;
mod programs;
mod stream_source;
mod web_socket_source;
