//! Free ports.

use std::array::from_fn;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below the ports that systems hand out by themselves. The port of a killed server stays free until it is restarted,
/// and a client that tries to reconnect to it cannot be given that very port and so connect to itself.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;
/// What servers write when another one was faster.
const IN_USE: &str = "ddress already in use";

/// A port of 127.0.0.1 on which nobody listens, and which nobody else in this process was given.
pub(crate) fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicU64> = OnceLock::new();
    // Test processes that run side by side begin at different places.
    let next = NEXT.get_or_init(|| AtomicU64::new(RandomState::new().hash_one(0) >> 1));
    let mut tried = (0..COUNT).map(|_| {
        let offset = next.fetch_add(1, Ordering::Relaxed) % u64::from(COUNT);
        FIRST + u16::try_from(offset).unwrap()
    });
    tried.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("no port is free")
}

/// Starts something on free ports, and again on others when one of them was taken in between. The error of `start` is
/// what the server wrote.
pub(crate) fn on_free_ports<const N: usize, T>(start: impl Fn([u16; N]) -> Result<T, String>) -> T {
    for _ in 0..20 {
        match start(from_fn(|_| free_port())) {
            Ok(started) => return started,
            Err(log) => assert!(is_in_use(&log), "a server ended at its start:\n{log}"),
        }
    }
    panic!("20 times in a row somebody else took the port first");
}

/// Whether a server ended because its port was taken, by what it wrote.
pub(crate) fn is_in_use(log: &str) -> bool {
    log.contains(IN_USE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_port_that_was_taken_in_between_is_given_up_for_another() {
        let taken = Mutex::new(Vec::new());
        let [first, second] = on_free_ports(|ports: [u16; 2]| {
            taken.lock().unwrap().extend(ports);
            if taken.lock().unwrap().len() < 4 { Err(format!("bind: {IN_USE}")) } else { Ok(ports) }
        });
        assert_eq!(taken.lock().unwrap()[2..], [first, second]);
        assert!(taken.lock().unwrap().iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()));
    }
}
