//! The run as it goes, for a terminal: a few lines that are drawn over and over.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::Instant;

use crate::chart::{gauge, sparkline};
use crate::detect::Kind;
use crate::network::{Outcome, Status};
use crate::paint::Paint;
use crate::summary::Summary;

/// No eye follows more pictures than this.
const BETWEEN_PICTURES: Duration = Duration::from_millis(40);
const WIDTH: usize = 48;
const LAST_PLANS: usize = 6;

/// Draws the state of the run in place.
#[derive(Debug)]
pub struct Screen<W> {
    out: W,
    /// Rows there will be, for the progress.
    rows: usize,
    /// Lines drawn last time, to be drawn over.
    lines: usize,
    drawn: Option<Instant>,
}

impl<W: Write> Screen<W> {
    pub fn new(out: W, rows: usize) -> Self {
        Self { out, rows, lines: 0, drawn: None }
    }

    /// Draws the run unless it was drawn a moment ago.
    pub fn show(&mut self, summary: &Summary) -> io::Result<()> {
        if self.drawn.is_some_and(|drawn| drawn.elapsed() < BETWEEN_PICTURES) {
            return Ok(());
        }
        self.drawn = Some(Instant::now());
        self.draw(summary)
    }

    /// Draws the run as it is now.
    pub fn draw(&mut self, summary: &Summary) -> io::Result<()> {
        let Some(last) = &summary.last else { return Ok(()) };
        let lines = picture(summary, last, self.rows);
        let mut frame = Vec::new();
        // Lines too long for the terminal are cut off; wrapped, they would upset the count of lines.
        write!(frame, "\x1b[?7l")?;
        if self.lines > 0 {
            write!(frame, "\x1b[{}A", self.lines)?;
        }
        for line in &lines {
            write!(frame, "\r\x1b[2K{line}\n")?;
        }
        write!(frame, "\x1b[?7h")?;
        self.lines = lines.len();
        self.out.write_all(&frame)?;
        self.out.flush()
    }
}

fn picture(summary: &Summary, last: &Outcome, rows: usize) -> Vec<String> {
    let paint = Paint { colours: true };
    let observation = last.decision.assessment.observation;
    let done = summary.flows.len() + summary.refused.len();
    let mut lines = vec![
        String::new(),
        format!(
            "{}  {}",
            paint.bold("water network"),
            observation.hour.local().strftime("%a %e %B %Y  %H:%M")
        ),
        format!("{}  {done} of {rows} readings", paint.blue(&gauge(done as f64 / rows.max(1) as f64, WIDTH))),
        String::new(),
        format!("flow     {}", flow(last, paint)),
        format!("         {}", paint.blue(&sparkline(&summary.flows, WIDTH))),
        format!("tank     {}", tank(last.status, paint)),
        format!("network  {}", network(last.status, paint)),
        format!("kept out {} rows, {} hours without one", summary.refused.len(), summary.missing),
        String::new(),
        paint.bold("plans"),
    ];
    let height = lines.len() + LAST_PLANS;
    let recent = summary.plans.iter().rev().take(LAST_PLANS);
    lines.extend(recent.map(|plan| {
        let when = paint.dim(&format!("{} {}", plan.hour.day(), plan.hour.clock()));
        let because = format!("{} of {:.0} l/s", plan.spell.kind, plan.spell.deviation.abs());
        format!("  {when}  {:<24}{}", plan.action.to_string(), paint.dim(&because))
    }));
    lines.resize(height, String::new());
    lines
}

fn flow(last: &Outcome, paint: Paint) -> String {
    let assessment = last.decision.assessment;
    let (flow, forecast) = (assessment.observation.flow, assessment.forecast);
    let numbers = format!("{flow:5.1} l/s, expected {:5.1} ± {:.1}   ", forecast.flow, forecast.spread);
    let verdict = match assessment.judgement.current {
        None => paint.green("normal"),
        Some(spell) => {
            let verdict = format!("{} {} since {}", spell.kind.mark(), spell.kind, spell.from.clock());
            if spell.kind == Kind::Rebound { paint.yellow(&verdict) } else { paint.red(&verdict) }
        }
    };
    numbers + &verdict
}

fn tank(status: Status, paint: Paint) -> String {
    let bar = gauge(status.tank, WIDTH / 2);
    let bar = if status.tank < 0.3 { paint.red(&bar) } else { paint.blue(&bar) };
    let outlook = match status.hours_left {
        hours if hours < 100.0 => format!("lasts {hours:.0} h"),
        _ => String::new(),
    };
    format!("{bar} {:3.0} %  {outlook}", status.tank * 100.0)
}

fn network(status: Status, paint: Paint) -> String {
    if status.is_ordinary() {
        return paint.green("all valves open");
    }
    let mut news = Vec::new();
    if status.crew_out {
        news.push("crew out".to_owned());
    }
    if status.pressure_lowered {
        news.push("pressure lowered".to_owned());
    }
    if !status.closed.is_empty() {
        let closed: Vec<String> = status.closed.iter().map(|sector| sector.to_string()).collect();
        news.push(format!("no water for {}", closed.join(", ")));
    }
    paint.yellow(&news.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sector::Sector;

    #[test]
    fn nothing_is_drawn_before_the_first_hour() {
        let mut screen = Screen::new(Vec::new(), 10);
        screen.show(&Summary::default()).unwrap();
        assert!(screen.out.is_empty());
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_told() {
        let plain = Paint { colours: false };
        assert_eq!(network(Status::default(), plain), "all valves open");
        let mut status = Status { crew_out: true, ..Status::default() };
        status.closed.insert(Sector::Mills);
        status.closed.insert(Sector::Harbour);
        assert_eq!(network(status, plain), "crew out, no water for the mills, the harbour");
    }
}
