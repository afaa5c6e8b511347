//! Real servers for tests, each on free ports of the loopback interface and in a directory of its own.
//!
//! | what | when |
//! |---|---|
//! | [`RedisServer`] | one redis-server: started with options, killed, paused, restarted; a few milliseconds each |
//! | [`RedisServer::shared_url`] | a database of a server that all tests of the binary share |
//! | [`Proxy`] | the network between a program and a server: cut, hold, refuse, delay |
//! | [`Sentinels`] | a master, a replica and three sentinels that fail over |
//! | [`Cluster`] | three masters, and slots that move between them |
//! | [`InfluxDb`] | influxd, InfluxDB 1.6: started with and without users, asked, killed, restarted |
//! | [`VictoriaMetrics`] | victoria-metrics: started, and asked what it has |
//! | [`PostgresServer`] | `PostgreSQL`: started, killed, restarted, and databases of it |
//! | [`Tab`] | a page in the Chromium that all tests of the binary share |
//!
//! All of it blocks and knows no runtime, so that it can be used under a paused clock as well; a test that has to go
//! on meanwhile polls [`Sentinels::has_failed_over`] and the like with `suite::eventually`. Every process ends with the
//! value that started it, and at the latest with the test process, however that ends.
#![allow(dead_code, reason = "not every build of the tests needs every fault")]

#[cfg(feature = "http")]
mod browser;
mod cluster;
mod command;
mod directory;
mod exchange;
mod influxdb;
#[cfg(feature = "postgres")]
mod postgres;
mod process;
mod proxy;
mod redis_server;
mod sentinels;
mod tcp;
mod tls;
mod victoria_metrics;
mod wait;

#[allow(unused_imports, reason = "not every build of the tests needs every server")]
pub(crate) use {
    cluster::Cluster, command::ask, directory::Directory, exchange::Exchange, influxdb::InfluxDb,
    proxy::Proxy, redis_server::RedisServer, sentinels::Sentinels, tcp::free_port, tls::make_certificates,
    victoria_metrics::VictoriaMetrics, wait::until,
};

#[cfg(feature = "http")]
pub(crate) use browser::Tab;
#[cfg(feature = "postgres")]
pub(crate) use postgres::{PostgresServer, psql};
