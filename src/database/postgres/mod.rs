//! `PostgreSQL`, on a task of its own.

mod column;
mod connection;
mod failure;
mod settings;
mod tls;

pub(super) use connection::open;
pub(super) use settings::Settings;
