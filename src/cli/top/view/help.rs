//! What the keys and signs mean.

use super::paint::{Paint, strong};
use super::text::{left, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

const KEYS: [(&str, &str); 10] = [
    ("↑ ↓  j k", "select"),
    ("Enter  Esc", "look closer, and back"),
    ("Tab  1 – 4", "loops, workflows, queues, goals"),
    ("/", "show only what has this in its name"),
    ("s", "sort by place, rate, queue, trouble, latency"),
    ("p", "the picture stands still, or goes on"),
    ("PgUp PgDn", "ten lines up, down"),
    ("g  G", "the first, the last"),
    ("?", "this"),
    ("q", "quit"),
];

const SIGNS: [(&str, &str); 7] = [
    ("running", "running"),
    ("paused", "paused: items wait"),
    ("restarting", "waits to restart after a failure"),
    ("draining", "works off what waits, then stops"),
    ("completed", "its input has ended"),
    ("failed", "failed for good"),
    ("stopped", "stopped   ○ not started   × disposed of"),
];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, paint: &Paint) {
    let lines = lines(paint);
    let inner = lines.iter().map(Line::width).max().unwrap_or_default();
    let wide = u16::try_from(inner + 4).unwrap_or(u16::MAX).min(area.width);
    let high = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    if wide < 4 || high < 3 {
        return;
    }
    let (x, y) = (area.x + (area.width - wide) / 2, area.y + (area.height - high) / 2);
    for (n, row) in (y..y + high).enumerate() {
        let bar = "─".repeat(usize::from(wide) - 2);
        let text = match n {
            0 => format!("╭{bar}╮"),
            n if n + 1 == usize::from(high) => format!("╰{bar}╯"),
            _ => format!("│{}│", " ".repeat(usize::from(wide) - 2)),
        };
        for column in x..x + wide {
            if let Some(cell) = buffer.cell_mut((column, row)) {
                cell.reset();
            }
        }
        buffer.set_stringn(x, row, text, usize::from(wide), paint.accent());
    }
    for (line, row) in lines.iter().zip(y + 1..y + high - 1) {
        buffer.set_line(x + 2, row, line, wide - 4);
    }
}

fn lines(paint: &Paint) -> Vec<Line<'static>> {
    let keys = KEYS
        .iter()
        .map(|(keys, what)| Line::from(vec![Span::styled(left(keys, 12), strong()), Span::raw(*what)]));
    let signs = SIGNS.iter().map(|(state, what)| {
        let (sign, style) = paint.state(state);
        Line::from(vec![Span::styled(left(sign, 12), style), Span::raw(*what)])
    });
    let numbers = [
        ("M A P E", "monitor, analyze, plan, execute"),
        ("━━━── 60%!", "the fullest queue in; ! holds up its sender"),
        ("12▲", "has grown in the last ten seconds"),
    ];
    let numbers = numbers
        .iter()
        .map(|(sign, what)| Line::from(vec![Span::raw(left(sign, 12.max(width(sign)))), Span::raw(*what)]));
    keys.chain([Line::default()]).chain(signs).chain(numbers).collect()
}
