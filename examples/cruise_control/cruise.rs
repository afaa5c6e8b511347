//! The lower loops: each holds the speed of one car.
//!
//! ```text
//!                        cruise_control(km/h)
//!                              ▼
//!     speed ───────────────▶ error ──▶ pid ──▶ throttle
//!     10 times a second                           │
//!       ▲                                         │
//!       └───────── latest motion only ────────────┘
//! ```

use std::time::Duration;

use mape::app::Level;
use mape::prelude::*;

use crate::car::{Car, KMH, Motion};
use crate::pid::{Gains, Pid};

/// How often a loop looks at its car.
pub const TICK: Duration = Duration::from_millis(100);
/// The speeds that a car may be told to keep.
pub const SPEEDS_KMH: std::ops::RangeInclusive<f64> = 0.0..=140.0;

/// How the car moves, and how fast it should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    pub motion: Motion,
    pub target_mps: f64,
}

impl Deviation {
    /// The speed to keep as drivers know it.
    pub fn target_kmh(&self) -> f64 {
        self.target_mps * KMH
    }

    /// By how much the car is too fast.
    pub fn excess_kmh(&self) -> f64 {
        self.motion.speed_kmh() - self.target_kmh()
    }
}

/// A loop that keeps one car at the speed it is told.
#[derive(Debug)]
pub struct Cruise {
    parked: Motion,
    speed: Element<Motion, Motion>,
    pub error: Element<Motion, Deviation>,
    pub throttle: Element<f64, Motion>,
}

impl Cruise {
    /// Makes the loop around a car. Nothing moves before [`start`](Self::start).
    pub fn new(level: &Level, uid: &str, mut car: Car) -> anyhow::Result<Self> {
        let cruise = level.create_loop(uid)?;
        let parked = car.motion();

        let speed = cruise
            .monitor("speed")
            .ops_in(|sensor| sensor.sample(TICK))
            .map(|motion: Motion| motion)
            .spawn()?;

        // The target is the element's own; others ask for a change by the method, which refuses what is out of bounds.
        let target = Parameter::new("target_kmh", 0.0).within(SPEEDS_KMH);
        let told = target.clone();
        let error = cruise
            .analyze("error")
            .parameter(&target)
            .export("cruise_control", move |kmh: f64| told.set(kmh))
            .map(move |motion: Motion| Deviation { motion, target_mps: target.get() / KMH })
            .spawn()?;

        let gains = Gains::default();
        let pid = cruise
            .plan("pid")
            .parameter(&gains.proportional)
            .parameter(&gains.integral)
            .parameter(&gains.derivative)
            .handler(Pid::new(gains, TICK))
            .spawn()?;

        let throttle = cruise.execute("throttle").map(move |pedal: f64| car.drive(pedal, TICK)).spawn()?;

        speed.link(&error)?;
        error.link(&pid)?;
        pid.link(&throttle)?;
        // The way back closes a ring. A sensor shows the latest and keeps no history, so this link drops what is older;
        // it can never fill up and hold the ring still.
        throttle.link_with(&speed, LinkOptions::latest())?;
        Ok(Self { parked, speed, error, throttle })
    }

    /// Lets the sensor see the parked car, which sets the ring going.
    pub async fn start(&self) -> anyhow::Result<()> {
        self.speed.start()?;
        self.speed.push(self.parked).await?;
        Ok(())
    }
}
