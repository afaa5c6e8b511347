//! The chart of a drive as SVG: speeds, gap, pedals, slopes, one above the other over the same time.

use std::fmt::Write;

use crate::cruise::Deviation;
use crate::report::Record;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 148.0;
/// Room for the title above and the axis of time below.
const TOP: f64 = 64.0;
const BOTTOM: f64 = 44.0;
/// Between two panels.
const BETWEEN: f64 = 34.0;
/// The least distance between two labels of lines.
const LABEL: f64 = 16.0;

const LEAD: &str = "#1f5fa8";
const FOLLOWER: &str = "#c8501e";
const WANTED: &str = "#7a7a7a";

const STYLE: &str = "text{font-family:system-ui,'DejaVu Sans',sans-serif;font-size:12px;fill:#444}\
.title{font-size:17px;font-weight:600;fill:#111}.panel{font-weight:600;fill:#222}\
.grid{stroke:#e4e4e4;stroke-width:1}.zero{stroke:#aaa;stroke-width:1}\
.line{fill:none;stroke-width:2;stroke-linejoin:round}.thin{stroke-width:1.2}.goal{stroke-width:1.3;stroke-dasharray:5 4}";

/// One line of a panel: (seconds, value) after one another.
struct Line {
    label: &'static str,
    colour: &'static str,
    class: &'static str,
    points: Vec<(f64, f64)>,
    /// Filled down to zero.
    filled: bool,
}

impl Line {
    fn new(label: &'static str, colour: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { label, colour, class: "line", points, filled: false }
    }

    fn goal(label: &'static str, colour: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { class: "line goal", ..Self::new(label, colour, points) }
    }

    fn thin(self) -> Self {
        Self { class: "line thin", ..self }
    }

    fn filled(self) -> Self {
        Self { filled: true, ..self }
    }
}

/// One diagram: a scale and its lines.
struct Panel {
    title: &'static str,
    height: f64,
    low: f64,
    high: f64,
    every: f64,
    lines: Vec<Line>,
}

/// The whole chart.
pub fn svg(record: &Record) -> String {
    let of = |ticks: &[Deviation], value: fn(&Deviation) -> f64| {
        ticks.iter().map(|tick| (tick.motion.time_s, value(tick))).collect::<Vec<_>>()
    };
    let Record { lead, follower } = record;
    let slope = |tick: &Deviation| tick.motion.slope() * 100.0;
    let speed = |tick: &Deviation| tick.motion.speed_kmh();
    let speeds = Panel {
        title: "speed, km/h",
        height: 250.0,
        low: 0.0,
        high: 140.0,
        every: 20.0,
        lines: vec![
            Line::goal("lead’s target", LEAD, of(lead, Deviation::target_kmh)),
            Line::goal("follower’s target", FOLLOWER, of(follower, Deviation::target_kmh)),
            Line::new("lead", LEAD, of(lead, speed)),
            Line::new("follower", FOLLOWER, of(follower, speed)),
        ],
    };
    let gap = Panel {
        title: "gap, m",
        height: 130.0,
        low: 0.0,
        high: 80.0,
        every: 20.0,
        lines: vec![
            Line::goal("wanted gap", WANTED, record.gaps().map(|(s, gap)| (s, gap.wanted_m)).collect()),
            Line::new("gap", FOLLOWER, record.gaps().map(|(s, gap)| (s, gap.is_m)).collect()),
        ],
    };
    let pedals = Panel {
        title: "pedals, % of full throttle or brake",
        height: 100.0,
        low: -100.0,
        high: 100.0,
        every: 50.0,
        lines: vec![
            Line::new("lead", LEAD, of(lead, |tick| tick.motion.pedal * 100.0)).thin(),
            Line::new("follower", FOLLOWER, of(follower, |tick| tick.motion.pedal * 100.0)).thin(),
        ],
    };
    let slopes = Panel {
        title: "slope of the road, %",
        height: 90.0,
        low: -6.0,
        high: 6.0,
        every: 3.0,
        lines: vec![
            Line::new("lead", LEAD, of(lead, slope)).filled(),
            Line::new("follower", FOLLOWER, of(follower, slope)),
        ],
    };
    let end = lead.last().map_or(1.0, |tick| tick.motion.time_s.ceil());
    draw(&[speeds, gap, pedals, slopes], end)
}

fn draw(panels: &[Panel], end_s: f64) -> String {
    let heights: f64 = panels.iter().map(|panel| panel.height + BETWEEN).sum();
    let height = TOP + heights - BETWEEN + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"26\">Two cars, two cruise controls, and a loop above them</text>\n"
    );
    let mut top = TOP;
    for panel in panels {
        panel.draw(&mut svg, top, end_s);
        top += panel.height + BETWEEN;
    }
    let bottom = top - BETWEEN;
    for seconds in steps(0.0, end_s, 20.0) {
        put(&mut svg, "", x(seconds, end_s), bottom + 18.0, "middle", &format!("{seconds:.0}"));
    }
    put(&mut svg, "", x(end_s / 2.0, end_s), bottom + 36.0, "middle", "seconds");
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn y(&self, top: f64, value: f64) -> f64 {
        let part = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        top + self.height * (1.0 - part)
    }

    fn draw(&self, svg: &mut String, top: f64, end_s: f64) {
        put(svg, "panel", LEFT, top - 9.0, "start", self.title);
        for value in steps(self.low, self.high, self.every) {
            let (y, class) = (self.y(top, value), if value.abs() < 1e-9 { "zero" } else { "grid" });
            rule(svg, class, (LEFT, y), (WIDTH - RIGHT, y));
            put(svg, "", LEFT - 8.0, y + 4.0, "end", &format!("{value:.0}"));
        }
        for seconds in steps(0.0, end_s, 20.0) {
            rule(svg, "grid", (x(seconds, end_s), top), (x(seconds, end_s), top + self.height));
        }
        for line in &self.lines {
            self.draw_line(svg, line, top, end_s);
        }
        self.label(svg, top);
    }

    fn draw_line(&self, svg: &mut String, line: &Line, top: f64, end_s: f64) {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|(seconds, value)| format!("{:.1},{:.1}", x(*seconds, end_s), self.y(top, *value)))
            .collect();
        let (points, colour) = (points.join(" "), line.colour);
        if line.filled {
            let (from, to, zero) = (x(0.0, end_s), x(end_s, end_s), self.y(top, 0.0));
            let _ = writeln!(
                svg,
                "<polygon points=\"{from:.1},{zero:.1} {points} {to:.1},{zero:.1}\" fill=\"{colour}\" opacity=\".15\"/>"
            );
        }
        let _ = writeln!(svg, "<polyline class=\"{}\" stroke=\"{colour}\" points=\"{points}\"/>", line.class);
    }

    /// Names the lines at their right ends, moved apart where they would lie on one another.
    fn label(&self, svg: &mut String, top: f64) {
        let end = |line: &Line| line.points.last().map_or(top, |(_, value)| self.y(top, *value));
        let mut labels: Vec<_> = self.lines.iter().map(|line| (end(line), line)).collect();
        labels.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let middle = labels.iter().map(|(y, _)| y).sum::<f64>() / labels.len() as f64;
        let crowded = labels.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if b - a < LABEL));
        let first = middle - LABEL * (labels.len() as f64 - 1.0) / 2.0;
        for (i, (end, line)) in labels.into_iter().enumerate() {
            let y = if crowded { first + LABEL * i as f64 } else { end };
            let from = WIDTH - RIGHT + 8.0;
            let _ = writeln!(
                svg,
                "<line class=\"{}\" stroke=\"{}\" x1=\"{from}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\"/>",
                line.class,
                line.colour,
                from + 18.0
            );
            put(svg, "", from + 24.0, y + 4.0, "start", line.label);
        }
    }
}

/// Where a moment lies from the left.
fn x(seconds: f64, end_s: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * seconds / end_s
}

/// From `low` to `high` in equal steps.
fn steps(low: f64, high: f64, every: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |i| low + f64::from(i) * every).take_while(move |value| *value <= high + 1e-9)
}

fn put(svg: &mut String, class: &str, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn rule(svg: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}
