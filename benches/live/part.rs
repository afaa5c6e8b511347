//! What is sent: a number, the time, and a small value.

use memchr::memmem;
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// About 90 bytes as JSON. Its names are none that a server puts around it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Part {
    /// Its number, counted for each receiver without a gap.
    bench_tick: u64,
    /// When it was made, by the clock that all processes of a machine share.
    bench_ns: u64,
    sensor: &'static str,
    celsius: f64,
}

impl Part {
    pub(super) fn number(tick: u64) -> Self {
        let celsius = 20.0 + (tick % 100) as f64 / 8.0;
        Self { bench_tick: tick, bench_ns: now(), sensor: "boiler-17", celsius }
    }
}

/// Of a line that has a part in it: its number, and how old it is in microseconds.
pub(super) fn read(line: &[u8]) -> Option<(u64, u32)> {
    let tick = number_behind(line, b"\"bench_tick\":")?;
    let age = now().saturating_sub(number_behind(line, b"\"bench_ns\":")?) / 1000;
    Some((tick, u32::try_from(age).unwrap_or(u32::MAX)))
}

fn number_behind(line: &[u8], name: &[u8]) -> Option<u64> {
    let digits = line.get(memmem::find(line, name)? + name.len()..)?;
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}
