//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::data::WATER_FLOW;

/// Hours per second for a person to watch: the two months pass in 35 seconds.
const WATCHABLE: f64 = 36.0;

/// A loop watches a town's water: it learns the flow to expect, finds spells of loss and surplus, and acts on
/// the valves, the pumps and the crew of a simulated network.
#[derive(Debug, Parser)]
#[command(name = "water_network")]
pub struct Args {
    /// Readings to stream: CSV with a header, then an RFC 3339 time and a flow in l/s per row
    #[arg(long, value_name = "FILE", default_value = WATER_FLOW, hide_default_value = true)]
    pub data: PathBuf,

    /// Simulated hours per second, 0 for as fast as it can [default: 36 on a terminal, else 0]
    #[arg(long, value_name = "HOURS", value_parser = hours_per_second)]
    pub speed: Option<f64>,

    /// Where the console is while it runs [default: 127.0.0.1:6060, or another port if that is taken]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,

    /// Keep the console open when the last reading has come, until Ctrl-C
    #[arg(long)]
    pub stay: bool,

    /// Print nothing but the summary, as one line of JSON
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// Simulated hours per second; none if nobody needs to follow.
    pub fn pace(&self, watched: bool) -> Option<f64> {
        self.speed.or(watched.then_some(WATCHABLE)).filter(|speed| *speed > 0.0)
    }
}

fn hours_per_second(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed == 0.0 || (0.001..=1e6).contains(&speed) => Ok(speed),
        _ => Err("give a number of hours per second from 0.001 to 1000000, or 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(line: &str, watched: bool) -> Option<f64> {
        Args::try_parse_from(line.split_whitespace()).unwrap().pace(watched)
    }

    #[test]
    fn only_a_watcher_or_a_wish_slows_the_readings_down() {
        assert_eq!(pace("water_network", true), Some(WATCHABLE));
        assert_eq!(pace("water_network", false), None);
        assert_eq!(pace("water_network --speed 200", false), Some(200.0));
        assert_eq!(pace("water_network --speed 0", true), None);
    }

    #[test]
    fn a_speed_that_is_none_is_refused() {
        for speed in ["-1", "fast", "NaN", "inf", "1e-9"] {
            let line = ["water_network".to_owned(), format!("--speed={speed}")];
            assert!(Args::try_parse_from(line).is_err(), "{speed}");
        }
    }
}
