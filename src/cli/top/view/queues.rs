//! The tab of task queues.

use super::super::answers::TaskQueue;
use super::super::looking::Looking;
use super::super::model::Model;
use super::list;
use super::number::{count, seconds};
use super::paint::{Paint, dim, strong};
use super::text::{left, right, wrap};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use serde_json::Value;

/// The cells of a state, of a number, and the least of a name.
const STATE: usize = 13;
const NUMBER: usize = 9;
const NAME: usize = 8;
/// The cells of a key among the details.
const KEY: usize = 20;

/// What is counted, what matters most first.
const COUNTED: [&str; 5] = ["WAITING", "RUNNING", "DEAD", "DELAYED", "WORKERS"];

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, looking: &mut Looking, paint: &Paint) {
    let (cells, queues) = (usize::from(area.width), looking.queues(model));
    let selected = looking.selection(model);
    if let (Some(first), Some(name)) = (looking.open, &selected)
        && let Some(queue) = queues.iter().find(|queue| queue.name == *name)
    {
        let lines = details(queue, cells, paint);
        return list::draw_open(buffer, area, looking, &lines, first);
    }
    let columns = Columns::fit(cells);
    let head = match &model.queues {
        None => vec![Line::styled("asking …", dim())],
        Some(Err(why)) => {
            wrap(&format!("no task queues are told there: {why}"), cells).into_iter().map(Line::raw).collect()
        }
        Some(Ok(all)) if all.is_empty() => vec![Line::styled("there are no task queues", dim())],
        Some(Ok(_)) => vec![columns.header()],
    };
    let at = queues.iter().position(|queue| Some(&queue.name) == selected.as_ref());
    let rows = queues.iter().map(|queue| {
        let has_grown = paint.is_fresh(model.died(&queue.name));
        columns.row(queue, has_grown, paint)
    });
    list::draw(buffer, area, looking, &head, rows, at);
}

/// The cells of a name, and how much of what is counted is shown.
struct Columns {
    name: usize,
    counted: usize,
}

impl Columns {
    fn fit(cells: usize) -> Self {
        let rest = cells.saturating_sub(STATE);
        let counted = (rest.saturating_sub(NAME) / NUMBER).min(COUNTED.len());
        Self { name: rest - counted * NUMBER, counted }
    }

    fn header(&self) -> Line<'static> {
        let counted = COUNTED.iter().take(self.counted).map(|name| right(name, NUMBER)).collect::<String>();
        Line::styled(left("STATE", STATE) + &left("QUEUE", self.name) + &counted, dim())
    }

    fn row(&self, queue: &TaskQueue, has_grown: bool, paint: &Paint) -> Line<'static> {
        let (sign, style) = state(queue, paint);
        let jobs = &queue.stats;
        let (dead, dead_style) = match jobs.dead {
            0 => (count(0), dim()),
            n if has_grown => (format!("{}▲", count(n)), paint.bad()),
            n => (count(n), paint.doubtful()),
        };
        let number = |n: u64| (count(n), if n == 0 { dim() } else { Style::default() });
        let counted = [
            number(queue.waiting()),
            number(jobs.running),
            (dead, dead_style),
            number(jobs.delayed),
            number(jobs.workers),
        ];
        let mut spans = vec![
            Span::styled(left(&format!("{sign} {}", queue.state()), STATE), style),
            Span::raw(left(&queue.name, self.name)),
        ];
        let counted = counted.into_iter().take(self.counted);
        spans.extend(counted.map(|(text, style)| Span::styled(right(&text, NUMBER), style)));
        Line::from(spans)
    }
}

fn state(queue: &TaskQueue, paint: &Paint) -> (&'static str, Style) {
    match queue.state() {
        "paused" => ("◐", paint.doubtful()),
        "no worker" if queue.is_left_alone() => ("✗", paint.bad()),
        "no worker" => ("■", dim()),
        "at work" => ("●", paint.accent()),
        _ => ("●", paint.good()),
    }
}

/// All that is told of it.
fn details(queue: &TaskQueue, cells: usize, paint: &Paint) -> Vec<Line<'static>> {
    let (sign, style) = state(queue, paint);
    let jobs = &queue.stats;
    let mut told: Vec<(String, String)> = Vec::new();
    let waiting = count(queue.waiting());
    let mut levels: Vec<String> =
        (0..).zip(&jobs.waiting).map(|(level, n): (u8, _)| format!("{level}: {}", count(*n))).collect();
    levels.reverse();
    let by_level =
        if levels.len() > 1 { format!("  (by priority {})", levels.join(", ")) } else { String::new() };
    told.push(("waiting".to_owned(), waiting + &by_level));
    for (key, n) in [
        ("running", jobs.running),
        ("delayed", jobs.delayed),
        ("dead", jobs.dead),
        ("outcomes kept", jobs.outcomes),
        ("workers", jobs.workers),
    ] {
        told.push((key.to_owned(), count(n)));
    }
    told.push((String::new(), String::new()));
    told.extend(queue.settings.iter().map(|(key, value)| (key.replace('_', " "), setting(key, value))));
    let mut lines = vec![
        Line::from(vec![
            Span::styled(queue.name.clone(), strong()),
            Span::styled(format!("  {sign} {}", queue.state()), style),
        ]),
        Line::default(),
    ];
    for (key, text) in told {
        for (n, line) in wrap(&text, cells.saturating_sub(KEY)).into_iter().enumerate() {
            let key = if n == 0 { key.as_str() } else { "" };
            lines.push(Line::from(vec![Span::styled(left(key, KEY), dim()), Span::raw(line)]));
        }
    }
    lines
}

/// A setting in words; times are told as milliseconds.
fn setting(key: &str, value: &Value) -> String {
    let time = |value: &Value| value.as_f64().map(|millis| seconds(millis / 1000.0));
    match (key, value) {
        ("rate", Value::Object(rate)) => {
            let jobs = rate.get("jobs").map(Value::to_string).unwrap_or_default();
            let per = rate.get("per").and_then(time).unwrap_or_default();
            format!("{jobs} jobs in {per}")
        }
        ("rate" | "timeout", Value::Null) => "any".to_owned(),
        ("retry_after" | "retry_at_most" | "timeout" | "unique_for" | "lease", value) => {
            time(value).unwrap_or_else(|| value.to_string())
        }
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}
