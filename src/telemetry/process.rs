//! What the process takes, as far as the system tells.

use super::snapshot::{Collected, Known};
use super::{FamilyKind, Sample, Value};
use FamilyKind::{Counter, Gauge};
use std::fs;

const CPU: Known =
    Known(Counter, "process_cpu_seconds", "seconds", "Time of all processors that it has used.");
const RESIDENT: Known = Known(Gauge, "process_resident_memory_bytes", "bytes", "Memory that it has in use.");
const THREADS: Known = Known(Gauge, "process_threads", "", "Its threads.");
const FILES: Known = Known(Gauge, "process_open_fds", "", "Files and connections that it has open.");
const START: Known =
    Known(Gauge, "process_start_time_seconds", "seconds", "When it began, in seconds since 1970.");

pub(super) const KNOWN: &[Known] = &[CPU, RESIDENT, THREADS, FILES, START];

/// As `proc(5)` says; on other systems there is none of it.
pub(super) fn collect(into: &mut Collected) {
    let mut add = |known: &Known, value: Option<f64>| {
        if let Some(value) = value {
            into.known(known).samples.push(Sample { labels: Vec::new(), value: Value::Number(value) });
        }
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in brackets and may hold anything, brackets too.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<f64>().ok());
    add(&CPU, field(14).zip(field(15)).map(|(user, system)| (user + system) / TICKS));
    add(&THREADS, field(20));
    add(&RESIDENT, status("VmRSS:").map(|kilobytes| kilobytes * 1024.0));
    add(&FILES, fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64 - 1.0));
    let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    add(&START, boot.zip(field(22)).map(|(boot, after)| boot + after / TICKS));
}

/// The unit of times in `/proc`, which Linux has kept at a hundredth of a second for programs.
const TICKS: f64 = 100.0;

fn status(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
