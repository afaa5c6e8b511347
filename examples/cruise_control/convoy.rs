//! The upper loop: tells the loops of both cars which speed to keep.
//!
//! ```text
//!     lead.throttle ─────┐            ┌──▶ schedule ── cruise_control ──▶ lead.error
//!                        ├──▶ watch ──┤
//!     follower.throttle ─┘            └──▶ gap ──▶ follow ── cruise_control ──▶ follower.error
//! ```
//!
//! It looks twice a second, a fifth as often as the loops below it. Its effectors are not pedals but those loops: it
//! sets their goals and leaves the means to them.

use std::time::Duration;

use mape::app::Level;
use mape::prelude::*;

use crate::car::{KMH, LENGTH_M, Motion};
use crate::cruise::{Cruise, SPEEDS_KMH};

/// How often it looks at the cars.
const LOOK: Duration = Duration::from_millis(500);
/// The lead car's speeds: from which second on, and how many km/h.
const SCHEDULE: [(f64, f64); 4] = [(0.0, 50.0), (25.0, 90.0), (80.0, 110.0), (125.0, 60.0)];
/// The gap that the follower keeps: so many seconds of its way, and so many metres when it stands.
const GAP_S: f64 = 1.6;
const GAP_STANDING_M: f64 = 5.0;
/// How much faster the follower goes for every metre that the gap is too wide, in metres per second.
const CLOSE_UP_PER_S: f64 = 0.25;

/// Both cars at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct View {
    lead: Motion,
    follower: Motion,
}

/// Which car a motion is of.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Lead(Motion),
    Follower(Motion),
}

/// The room between the cars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// Metres from bumper to bumper.
    pub is_m: f64,
    /// Metres that there should be at the follower's speed.
    pub wanted_m: f64,
    /// The lead car's speed.
    pub lead_mps: f64,
}

impl Gap {
    /// The gap between two cars.
    pub fn between(lead: &Motion, follower: &Motion) -> Self {
        Self {
            is_m: lead.position_m - follower.position_m - LENGTH_M,
            wanted_m: GAP_STANDING_M + GAP_S * follower.speed_mps,
            lead_mps: lead.speed_mps,
        }
    }

    /// The speed that brings the follower to the gap it should keep.
    fn follower_kmh(&self) -> f64 {
        let kmh = (self.lead_mps + CLOSE_UP_PER_S * (self.is_m - self.wanted_m)) * KMH;
        kmh.clamp(*SPEEDS_KMH.start(), *SPEEDS_KMH.end())
    }
}

/// The speed that the lead car should have by now.
fn scheduled_kmh(time_s: f64) -> f64 {
    SCHEDULE.iter().rfind(|(from_s, _)| *from_s <= time_s).map_or(0.0, |(_, kmh)| *kmh)
}

/// Makes the loop above two others and starts it.
pub fn supervise(level: &Level, lead: &Cruise, follower: &Cruise) -> anyhow::Result<()> {
    let convoy = level.create_loop("convoy")?;

    let mut view = View::default();
    let watch = convoy
        .monitor("watch")
        .map(move |seen: Seen| {
            match seen {
                Seen::Lead(motion) => view.lead = motion,
                Seen::Follower(motion) => view.follower = motion,
            }
            view
        })
        .ops_out(|views| views.sample(LOOK))
        .spawn()?;

    // Only a new speed is worth a call.
    let schedule = convoy
        .plan("schedule")
        .ops_in(|views| views.map(|view: View| scheduled_kmh(view.lead.time_s)).distinct_until_changed())
        .map(|kmh: f64| Call::new("cruise_control", kmh))
        .spawn()?;

    let gap = convoy.analyze("gap").map(|view: View| Gap::between(&view.lead, &view.follower)).spawn()?;
    let follow =
        convoy.plan("follow").map(|gap: Gap| Call::new("cruise_control", gap.follower_kmh())).spawn()?;

    // Who supervises must never hold up those it supervises: it looks at the newest and may miss some. So the rings
    // through both levels have a link that drops, and can't stand still.
    lead.throttle.link_ops(&watch, LinkOptions::latest(), |motions| motions.map(Seen::Lead))?;
    follower.throttle.link_ops(&watch, LinkOptions::latest(), |motions| motions.map(Seen::Follower))?;
    watch.link(&schedule)?;
    watch.link(&gap)?;
    gap.link(&follow)?;
    schedule.link_calls(&lead.error)?;
    follow.link_calls(&follower.error)?;
    watch.start()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_holds_until_its_next_entry() {
        let holds = |at_s, kmh: f64| (scheduled_kmh(at_s) - kmh).abs() < 1e-9;
        assert!(holds(0.0, 50.0) && holds(24.9, 50.0) && holds(25.0, 90.0) && holds(500.0, 60.0));
    }

    #[test]
    fn a_follower_too_far_behind_goes_faster_than_the_lead_and_one_too_close_slower() {
        let gap = |is_m| Gap { is_m, wanted_m: 40.0, lead_mps: 20.0 }.follower_kmh();
        assert!(gap(60.0) > 72.0 && gap(30.0) < 72.0);
        assert!((gap(1e6) - 140.0).abs() < 1e-9 && gap(-1e6).abs() < 1e-9);
    }
}
