//! What the command line asks for.

use std::time::Duration;

/// The arguments of a benchmark program: `[--json] [--seconds N] [--idle N] [--only ours|hand] [FILTER]…`.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// A line of JSON a case instead of a table.
    pub json: bool,
    /// How long each case is measured.
    pub seconds: Duration,
    /// How long what is to be idle is left alone.
    pub idle: Duration,
    /// The one side to run, for a profiler; the figures of the other are no numbers then.
    pub only: Option<Side>,
    words: Vec<String>,
}

/// One of those that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What this crate does.
    Ours,
    /// What one would write without it.
    Hand,
}

impl Arguments {
    /// Those of this process. Options that are meant for other programs of the same `cargo bench` are ignored.
    pub fn of_process() -> Self {
        let mut read = Self {
            json: false,
            seconds: Duration::from_secs(3),
            idle: Duration::from_secs(3),
            only: None,
            words: Vec::new(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut seconds = |default| {
                let number = args.next().and_then(|text| text.parse().ok());
                number.map_or(default, Duration::from_secs_f64)
            };
            match arg.as_str() {
                "--json" => read.json = true,
                "--seconds" => read.seconds = seconds(read.seconds),
                "--idle" => read.idle = seconds(read.idle),
                "--only" => {
                    let hand = args.next().as_deref() == Some("hand");
                    read.only = Some(if hand { Side::Hand } else { Side::Ours });
                }
                option if option.starts_with('-') => {}
                word => read.words.push(word.to_owned()),
            }
        }
        read
    }

    /// Whether this case is to be run: all of them, or those whose `BENCH/CASE/` has one of the words in it (so `set/` is
    /// no `set_watched`).
    pub fn select(&self, bench: &str, case: &str) -> bool {
        let name = format!("{bench}/{case}/");
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word))
    }
}
