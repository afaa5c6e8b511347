//! Counters, gauges and latencies of whatever works in this process, to be read by whoever observes it.
//!
//! A [`Meter`] belongs to one thing that works: a sink, a queue inside an operator, a kind of task. It is made with a
//! [`Kind`], which names what is counted, and enters itself in a list of the process; when the last owner drops it, it is
//! gone from there. [`all`] gives what is in the list. Counting is one relaxed atomic addition, and takes no lock.
//!
//! The list is one for the process, because its readers ask for the process: two apps in one process show both their
//! meters. Names tell them apart.
//!
//! ```
//! use mape::stream::meter::{self, Kind, Meter};
//! use std::time::Duration;
//!
//! static PRINTER: Kind = Kind {
//!     name: "printer",
//!     label: "printer",
//!     counters: &[("pages", "Pages printed."), ("jams", "Pages that got stuck.")],
//!     gauges: &[("waiting", "Pages that wait.")],
//!     latency: Some(("page", "Time that one page takes.")),
//! };
//!
//! let meter = Meter::new(&PRINTER, "second floor");
//! meter.add(0, 3);
//! meter.set(0, 12.0);
//! meter.record(Duration::from_millis(800));
//! assert_eq!((meter.counter(0), meter.gauge(0)), (3, 12.0));
//! assert!(meter::all().iter().any(|m| m.name() == "second floor"));
//! ```

mod histogram;
mod list;
mod one;
mod timing;

pub use histogram::{BUCKETS, Histogram, Latency};
pub(crate) use list::of_element;
pub use list::{all, within};
pub use one::{Kind, Meter};
pub(crate) use timing::now;
pub use timing::set_timing;
