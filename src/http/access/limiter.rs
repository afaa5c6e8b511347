//! How many requests a client may make.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lets each client make so many requests a second, by its address.
pub(super) struct Limiter {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    asked: AtomicU32,
}

/// After how many requests those who have not asked for long are forgotten.
const SWEEP: u32 = 4096;

impl Limiter {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second);
        Self {
            by_address: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            asked: AtomicU32::new(0),
        }
    }

    /// After how many seconds to ask again, for one who asked too often.
    pub(super) fn refuse(&self, client: IpAddr) -> Option<u64> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.by_address.retain_recent();
        }
        let wait = self.by_address.check_key(&client).err()?.wait_time_from(self.clock.now());
        Some(wait.as_secs() + 1)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limiter")
    }
}
