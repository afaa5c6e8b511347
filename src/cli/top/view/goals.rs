//! The tab of goals.

use super::super::answers::Goal;
use super::super::looking::Looking;
use super::super::model::Model;
use super::list;
use super::number::{roughly, seconds};
use super::paint::{Paint, dim, strong};
use super::runs::since;
use super::text::{cut, left, right, width, wrap};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use serde_json::Value;

/// The cells of a state, of a margin, and of a time.
const STATE: usize = 12;
const MARGIN: usize = 13;
const SINCE: usize = 7;
/// The least that is of use of what decides.
const WHY: usize = 14;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, looking: &mut Looking, paint: &Paint) {
    let (cells, goals) = (usize::from(area.width), looking.goals(model));
    let columns = Columns::fit(cells, &goals);
    let selected = looking.selection(model);
    if let (Some(first), Some(name)) = (looking.open, &selected)
        && let Some(goal) = goals.iter().find(|goal| goal.name() == name)
    {
        let lines = details(goal, cells, paint);
        return list::draw_open(buffer, area, looking, &lines, first);
    }
    let head = match &model.goals {
        None => vec![Line::styled("asking …", dim())],
        Some(Err(why)) => {
            wrap(&format!("no goals are told there: {why}"), cells).into_iter().map(Line::raw).collect()
        }
        Some(Ok(all)) if all.is_empty() => vec![Line::styled("no goals are watched there", dim())],
        Some(Ok(_)) => vec![columns.header()],
    };
    let at = goals.iter().position(|goal| Some(goal.name()) == selected.as_deref());
    let rows = goals.iter().map(|goal| columns.row(goal, paint));
    list::draw(buffer, area, looking, &head, rows, at);
}

/// The cells of what has no bound.
struct Columns {
    goal: usize,
    /// What decides, where there is room.
    why: usize,
}

impl Columns {
    fn fit(cells: usize, goals: &[&Goal]) -> Self {
        let rest = cells.saturating_sub(STATE + SINCE + MARGIN);
        let longest = goals.iter().map(|goal| width(goal.name())).max().unwrap_or_default().max(4);
        let why = rest.saturating_sub(longest.min(rest / 2) + 2);
        if why < WHY { Self { goal: rest, why: 0 } } else { Self { goal: rest - why - 2, why } }
    }

    fn header(&self) -> Line<'static> {
        let text =
            left("STATE", STATE) + &left("GOAL", self.goal) + &right("FOR", SINCE) + &right("MARGIN", MARGIN);
        let why = if self.why == 0 { "" } else { "  WHY" };
        Line::styled(text + why, dim())
    }

    fn row(&self, goal: &Goal, paint: &Paint) -> Line<'static> {
        let (sign, style) = paint.word(goal.state());
        let margin = margin_of(goal);
        // By the clock of what is judged, which may be that of old data.
        let at = ["at", "heard"].into_iter().find_map(|key| goal.text(key)?.parse().ok());
        let since = since(goal.text("since"), at.unwrap_or(paint.date)).map(roughly).unwrap_or_default();
        let why = if self.why == 0 { "" } else { goal.text("why").unwrap_or_default() };
        Line::from(vec![
            Span::styled(left(&format!("{sign} {}", goal.state()), STATE), style),
            Span::raw(left(goal.name(), self.goal)),
            Span::styled(right(&since, SINCE), dim()),
            Span::styled(right(&margin.unwrap_or_default(), MARGIN), style),
            Span::raw(format!("  {}", cut(why, self.why))),
        ])
    }
}

/// The margin of a goal in words, if it is known.
pub(in crate::cli::top) fn margin_of(goal: &Goal) -> Option<String> {
    goal.margin().map(|n| margin(n, goal.text("unit").unwrap_or_default()))
}

/// With its sign, as what is less than nothing is a violation.
fn margin(margin: f64, unit: &str) -> String {
    let size = margin.abs();
    if unit == "s" && size >= 1.0 {
        return format!("{}{}", if margin < 0.0 { "-" } else { "+" }, seconds(size));
    }
    let number = match size {
        0.0 => "0".to_owned(),
        size if (0.01..100_000.0).contains(&size) => format!("{margin:+.2}"),
        _ => format!("{margin:+.1e}"),
    };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

/// All that is told of it.
fn details(goal: &Goal, cells: usize, paint: &Paint) -> Vec<Line<'static>> {
    let (sign, style) = paint.word(goal.state());
    let mut lines = vec![
        Line::from(vec![
            Span::styled(goal.name().to_owned(), strong()),
            Span::styled(format!("  {sign} {}", goal.state()), style),
        ]),
        Line::default(),
    ];
    for (key, value) in &goal.0 {
        let (key, text) = match (key.as_str(), value) {
            ("goal" | "name" | "state" | "unit", _) => continue,
            ("margin", _) => ("margin", margin_of(goal).unwrap_or_else(|| "not known".to_owned())),
            ("uncertainty", value) => {
                let unit = goal.text("unit").unwrap_or_default();
                let off = value.as_f64().map(|off| margin(off, unit).trim_start_matches('+').to_owned());
                ("uncertainty", off.unwrap_or_else(|| "no bound is known".to_owned()))
            }
            ("here", value) => {
                let is_here = value.as_bool().unwrap_or_default();
                let whose =
                    if is_here { "the program that is asked" } else { "another program on its backend" };
                ("judged by", whose.to_owned())
            }
            (key, Value::String(text)) => (key, text.clone()),
            (key, value) => (key, value.to_string()),
        };
        for (n, line) in wrap(&text, cells.saturating_sub(20)).into_iter().enumerate() {
            let key = if n == 0 { key.replace('_', " ") } else { String::new() };
            lines.push(Line::from(vec![Span::styled(left(&key, 20), dim()), Span::raw(line)]));
        }
    }
    lines
}
