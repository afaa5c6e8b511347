//! What benchmarks share: servers they start, and how ours is measured beside what one would write by hand.

mod arguments;
mod comparison;
mod reading;
mod run;
mod server;

pub use arguments::{Arguments, Side};
pub use comparison::{Comparison, Figure, median};
pub use reading::Reading;
pub use run::Run;
#[cfg(feature = "postgres")]
pub use server::PostgresServer;
pub use server::{RedisServer, VictoriaMetrics};
