//! Empty: this package only carries the benchmarks.
