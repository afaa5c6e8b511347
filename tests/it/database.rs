//! Bulk writing: what every database and every backend does with it, and what is special to each.

mod bulk;
mod crash;
mod opening;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod tables;
mod world;

pub(crate) use world::World;

bulk::suite! { memory_to_sqlite, crate::database::World::memory() }
bulk::suite! { file_to_sqlite, crate::database::World::file().await }
#[cfg(feature = "redis")]
bulk::suite! { redis_to_sqlite, crate::database::World::redis().await }
tables::suite! { sqlite_tables, crate::database::World::memory() }
#[cfg(feature = "postgres")]
bulk::suite! { memory_to_postgres, crate::database::World::postgres() }
#[cfg(all(feature = "postgres", feature = "redis"))]
bulk::suite! { redis_to_postgres, crate::database::World::redis_and_postgres().await }
#[cfg(feature = "postgres")]
tables::suite! { postgres_tables, crate::database::World::postgres() }
