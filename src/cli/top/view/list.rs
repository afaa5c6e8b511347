//! What tabs with a list have in common: the list with the line that is selected, and what is looked at closely.

use super::super::looking::Looking;
use super::paint::reversed;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws a list below its heads, scrolled so that the row at `selected` is seen.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    looking: &mut Looking,
    heads: &[Line<'_>],
    rows: impl Iterator<Item = Line<'static>>,
    selected: Option<usize>,
) {
    for (line, y) in heads.iter().zip(area.top()..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
    let first = looking.scroll(selected, usize::from(area.height).saturating_sub(heads.len()));
    let start = area.y.saturating_add(u16::try_from(heads.len()).unwrap_or(u16::MAX));
    for ((n, row), y) in rows.enumerate().skip(first).zip(start..area.bottom()) {
        buffer.set_line(area.x, y, &row, area.width);
        if Some(n) == selected {
            buffer.set_style(Rect { y, height: 1, ..area }, reversed());
        }
    }
}

/// Draws what is looked at closely, from its line `first` on if there are so many.
pub(super) fn draw_open(
    buffer: &mut Buffer,
    area: Rect,
    looking: &mut Looking,
    lines: &[Line<'_>],
    first: usize,
) {
    let first = first.min(lines.len().saturating_sub(usize::from(area.height)));
    for (line, y) in lines.iter().skip(first).zip(area.top()..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
    looking.open = Some(first);
}
