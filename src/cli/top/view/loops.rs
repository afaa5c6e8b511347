//! The tab of loops: the list of elements, and where there is room the selected one beside or below it.

use super::super::looking::Looking;
use super::super::model::Model;
use super::super::rows::{Row, rows};
use super::columns::{Columns, longest};
use super::element;
use super::paint::{Paint, dim, reversed};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From so many cells on there is room for both.
const WIDE: u16 = 130;
/// The least that the list has then.
const LIST: u16 = 80;
/// With so many lines left there is room below.
const TALL: usize = 6;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, looking: &mut Looking, paint: &Paint) {
    let selected = looking.selection(model);
    let shown = selected.as_deref().and_then(|path| model.element(path));
    if let (Some(first), Some(shown)) = (looking.open, shown) {
        looking.open = Some(element::draw(buffer, area, shown, model, first, paint));
        return;
    }
    let lines = rows(model, &looking.filter, looking.sort).len() + 1;
    let left = usize::from(area.height).saturating_sub(lines + 1);
    let (list, other) = if shown.is_none() {
        (area, None)
    } else if area.width >= WIDE {
        let width = (area.width - area.width / 3).max(LIST);
        for y in area.top()..area.bottom() {
            buffer.set_stringn(area.x + width, y, "│", 1, dim());
        }
        (Rect { width, ..area }, Some(Rect { x: area.x + width + 2, width: area.width - width - 2, ..area }))
    } else if left >= TALL {
        let height = u16::try_from(lines).unwrap_or(area.height);
        let rule = "─".repeat(usize::from(area.width));
        buffer.set_stringn(area.x, area.y + height, rule, usize::from(area.width), dim());
        let below = Rect { y: area.y + height + 1, height: area.height - height - 1, ..area };
        (Rect { height, ..area }, Some(below))
    } else {
        (area, None)
    };
    draw_list(buffer, list, model, looking, selected.as_deref(), paint);
    if let (Some(other), Some(shown)) = (other, shown) {
        element::draw(buffer, other, shown, model, 0, paint);
    }
}

fn draw_list(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    looking: &mut Looking,
    selected: Option<&str>,
    paint: &Paint,
) {
    let rows = rows(model, &looking.filter, looking.sort);
    if rows.is_empty() {
        let text =
            if model.elements.is_empty() { "no loops run there" } else { "no element has this in its path" };
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), dim());
        return;
    }
    let columns = Columns::fit(usize::from(area.width), longest(&rows, looking.sort));
    buffer.set_line(area.x, area.y, &columns.header(looking.sort), area.width);
    let is_selected =
        |row: &Row<'_>| matches!(row, Row::Element(shown) if Some(shown.is.path.as_str()) == selected);
    let height = usize::from(area.height).saturating_sub(1);
    let first = looking.scroll(rows.iter().position(is_selected), height);
    for (row, y) in rows.iter().skip(first).zip(area.y + 1..area.bottom()) {
        buffer.set_line(area.x, y, &columns.row(row, looking.sort, paint), area.width);
        if is_selected(row) {
            let width = u16::try_from(columns.width()).unwrap_or(area.width).min(area.width);
            buffer.set_style(Rect { y, height: 1, width, ..area }, reversed());
        }
    }
}
