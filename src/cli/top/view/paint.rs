//! Colours, signs, bars. A colour never says anything alone: there is a sign or a word beside it.

use jiff::Timestamp;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How and when a picture is drawn.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli::top) struct Paint {
    pub(in crate::cli::top) has_colours: bool,
    /// How often it changes.
    pub(in crate::cli::top) every: Duration,
    pub(in crate::cli::top) now: Instant,
    /// The same by the calendar.
    pub(in crate::cli::top) date: Timestamp,
}

/// For how long it shows that something has become worse.
const FRESH: Duration = Duration::from_secs(10);
/// From here on a queue is filling; from there it is almost full.
const FILLING: f64 = 0.5;
const FULL: f64 = 0.8;

impl Paint {
    pub(in crate::cli::top) fn now(has_colours: bool, every: Duration) -> Self {
        let date = Timestamp::try_from(SystemTime::now()).unwrap_or_default();
        Self { has_colours, every, now: Instant::now(), date }
    }

    fn coloured(&self, colour: Color) -> Style {
        if self.has_colours { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn good(&self) -> Style {
        self.coloured(Color::Green)
    }

    pub(super) fn doubtful(&self) -> Style {
        self.coloured(Color::Yellow)
    }

    pub(super) fn bad(&self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn accent(&self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// Whether something has happened just now.
    pub(super) fn is_fresh(&self, at: Option<Instant>) -> bool {
        at.is_some_and(|at| self.now.saturating_duration_since(at) < FRESH)
    }

    /// How long ago that was, in seconds.
    pub(super) fn since(&self, at: Instant) -> f64 {
        self.now.saturating_duration_since(at).as_secs_f64()
    }

    /// The sign and the style of a state of an element.
    pub(super) fn state(&self, state: &str) -> (&'static str, Style) {
        match state {
            "running" => ("●", self.good()),
            "paused" => ("◐", self.doubtful()),
            "restarting" => ("↻", self.doubtful()),
            "draining" => ("◒", self.doubtful()),
            "failed" => ("✗", self.bad()),
            "completed" => ("✓", self.good()),
            "stopped" => ("■", dim()),
            "disposed" => ("×", dim()),
            _ => ("○", dim()),
        }
    }

    /// The same of a run, a step or a goal.
    pub(super) fn word(&self, word: &str) -> (&'static str, Style) {
        match word.to_ascii_lowercase().as_str() {
            "running" | "active" | "iterating" => ("●", self.accent()),
            "finished" | "done" | "met" => ("✓", self.good()),
            "failed" | "violated" => ("✗", self.bad()),
            "terminating" | "backing_off" => ("◒", self.doubtful()),
            "terminated" | "cancelled" => ("■", self.doubtful()),
            "skipped" => ("↷", dim()),
            "unknown" => ("?", self.doubtful()),
            _ => ("○", dim()),
        }
    }

    /// The style of a fill from 0 to 1.
    pub(super) fn fill(&self, fill: f64) -> Style {
        match fill {
            fill if fill >= FULL => self.bad(),
            fill if fill >= FILLING => self.doubtful(),
            _ => self.good(),
        }
    }

    /// A bar of so many cells, heavy as far as it is full.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fill is from 0 to 1")]
    pub(super) fn bar(&self, fill: f64, cells: usize) -> [Span<'static>; 2] {
        let fill = fill.clamp(0.0, 1.0);
        let least = usize::from(fill > 0.0);
        let heavy = ((fill * cells as f64).round() as usize).max(least).min(cells);
        [Span::styled("━".repeat(heavy), self.fill(fill)), Span::styled("─".repeat(cells - heavy), dim())]
    }
}

pub(super) fn strong() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

pub(super) fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// Of one colour: in several, what is selected could hardly be read.
pub(super) fn reversed() -> Style {
    Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED)
}

/// Bars of heights, the newest to the right. The highest leave a gap to the line above.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a height is from 0 to 6")]
pub(super) fn heights(
    values: impl DoubleEndedIterator<Item = f32> + ExactSizeIterator,
    cells: usize,
) -> String {
    const BARS: [&str; 7] = [" ", "▁", "▂", "▃", "▄", "▅", "▆"];
    let skipped = values.len().saturating_sub(cells);
    let values: Vec<f32> = values.skip(skipped).collect();
    let most = values.iter().copied().fold(0.0_f32, f32::max);
    let height =
        |value: &f32| if most > 0.0 { (value / most * 6.0).ceil().clamp(0.0, 6.0) as usize } else { 0 };
    let bars = values.iter().map(|value| BARS.get(height(value)).copied().unwrap_or(" "));
    " ".repeat(cells - values.len()) + &bars.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_they_are_told_and_show_that_something_is_there() {
        let paint = Paint::now(true, Duration::from_secs(1));
        let text = |fill, cells| paint.bar(fill, cells).map(|span| span.content.into_owned()).concat();
        assert_eq!(
            [text(0.0, 4), text(0.01, 4), text(0.5, 4), text(1.0, 4), text(9.0, 4)],
            ["────", "━───", "━━──", "━━━━", "━━━━"]
        );
        assert_eq!(text(f64::NAN, 2), "──");
        assert_eq!(heights([0.0, 0.1, 4.0, 8.0].into_iter(), 3), "▁▃▆");
        assert_eq!(heights([0.0, 0.0].into_iter(), 3), "   ");
    }

    #[test]
    fn without_colours_only_weight_is_left() {
        let plain = Paint::now(false, Duration::from_secs(1));
        for style in [plain.good(), plain.bad(), plain.doubtful(), plain.accent(), plain.fill(1.0)] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
