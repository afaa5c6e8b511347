//! Numbers as pictures made of characters.

use crate::hour::Hour;

/// Dots of a character cell in braille, by column and row.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BLANK: u32 = 0x2800;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A picture of flows over time, `columns` wide and `rows` high.
#[derive(Debug)]
pub struct Chart {
    start: Hour,
    hours: i64,
    columns: usize,
    cells: Vec<Vec<u32>>,
    pub low: f64,
    pub high: f64,
}

impl Chart {
    /// Draws `flows`, which are in order; a hole in them stays a hole. None if there is nothing to draw.
    pub fn new(flows: &[(Hour, f64)], columns: usize, rows: usize) -> Option<Self> {
        let (start, end) = (flows.first()?.0, flows.last()?.0);
        let low = flows.iter().map(|(_, flow)| *flow).fold(f64::INFINITY, f64::min);
        let high = flows.iter().map(|(_, flow)| *flow).fold(f64::NEG_INFINITY, f64::max);
        let hours = end.hours_since(start) + 1;
        let mut chart = Self { start, hours, columns, cells: vec![vec![BLANK; columns]; rows], low, high };
        let mut before = None;
        for &(hour, flow) in flows {
            let x = chart.across(hour, columns * 2);
            let y = scaled((high - flow) / (high - low), rows * 4);
            let from = before.filter(|(last, _)| x <= last + 1).map_or(y, |(_, y)| y);
            for y in from.min(y)..=from.max(y) {
                chart.dot(x, y);
            }
            before = Some((x, y));
        }
        Some(chart)
    }

    /// The picture, line by line from the top.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.cells.iter().map(|row| row.iter().copied().filter_map(char::from_u32).collect())
    }

    /// The column in which an hour lies.
    pub fn column(&self, hour: Hour) -> usize {
        self.across(hour, self.columns)
    }

    /// The first hour of each column.
    pub fn hours(&self) -> impl Iterator<Item = Hour> {
        let width = i64::try_from(self.columns).unwrap_or(1).max(1);
        (0..width).map(move |column| self.start.plus(column * self.hours / width))
    }

    fn across(&self, hour: Hour, width: usize) -> usize {
        scaled(hour.hours_since(self.start) as f64 / self.hours as f64, width)
    }

    fn dot(&mut self, x: usize, y: usize) {
        let cell = self.cells.get_mut(y / 4).and_then(|row| row.get_mut(x / 2));
        let dot = DOTS.get(x % 2).and_then(|column| column.get(y % 4));
        if let (Some(cell), Some(dot)) = (cell, dot) {
            *cell |= dot;
        }
    }
}

/// The last `width` hours as a row of bars; an hour without a flow is a blank.
pub fn sparkline(flows: &[(Hour, f64)], width: usize) -> String {
    let Some((now, _)) = flows.last() else { return String::new() };
    let mut recent = vec![None; width];
    for (hour, flow) in flows.iter().rev().take(width) {
        let back = usize::try_from(now.hours_since(*hour)).unwrap_or(width);
        if let Some(place) = width.checked_sub(back + 1).and_then(|place| recent.get_mut(place)) {
            *place = Some(*flow);
        }
    }
    bars(&recent)
}

/// A bar for each value, from the lowest to the highest of them; a blank for none.
pub fn bars(values: &[Option<f64>]) -> String {
    let low = values.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: f64| BARS.get(scaled((value - low) / (high - low), BARS.len()));
    values.iter().map(|value| value.and_then(bar).copied().unwrap_or(' ')).collect()
}

/// A bar `width` cells long of which a `share` is filled.
pub fn gauge(share: f64, width: usize) -> String {
    let filled = scaled(share, width + 1);
    "█".repeat(filled) + &"░".repeat(width - filled)
}

/// The step of `steps` in which a share lies; below 0 the first, above 1 the last.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a step is what is left when the share is cut off"
)]
fn scaled(share: f64, steps: usize) -> usize {
    ((share * steps as f64) as usize).min(steps.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(flows: &[f64]) -> Vec<(Hour, f64)> {
        let start = Hour::parse("2022-04-01T00:00:00+02:00").unwrap();
        (0..).zip(flows).map(|(hours, flow)| (start.plus(hours), *flow)).collect()
    }

    #[test]
    fn a_chart_shows_a_drop_and_where_it_was() {
        let flows = flows(&[9.0, 9.0, 9.0, 9.0, 1.0, 1.0, 9.0, 9.0]);
        let chart = Chart::new(&flows, 4, 1).unwrap();
        assert_eq!(chart.lines().collect::<Vec<_>>(), ["⠉⠉⣇⡏"]);
        assert_eq!(chart.column(flows[4].0), 2);
    }

    #[test]
    fn a_sparkline_ends_now_and_leaves_holes() {
        let mut flows = flows(&[1.0, 2.0, 3.0, 8.0]);
        flows.remove(1);
        assert_eq!(sparkline(&flows, 6), "  ▁ ▃█");
        assert_eq!(sparkline(&[], 6), "");
    }

    #[test]
    fn a_constant_flow_can_be_drawn() {
        let flows = flows(&[5.0, 5.0]);
        assert_eq!(sparkline(&flows, 2), "▁▁");
        assert!(Chart::new(&flows, 2, 2).is_some());
    }

    #[test]
    fn a_gauge_is_as_full_as_its_share() {
        assert_eq!(gauge(0.5, 4), "██░░");
        assert_eq!(gauge(7.0, 2), "██");
    }
}
