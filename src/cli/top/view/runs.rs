//! The tab of workflows: runs, and the steps of one.

use super::super::answers::{ListedRun, Run, Runs, Step};
use super::super::looking::Looking;
use super::super::model::Model;
use super::list;
use super::number::{roughly, seconds};
use super::paint::{Paint, dim, strong};
use super::text::{left, right, wrap};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::collections::BTreeMap;

/// The cells of a state.
const STATE: usize = 14;
/// The cells of a time.
const TIME: usize = 10;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, looking: &mut Looking, paint: &Paint) {
    let selected = looking.selection(model);
    if let (Some(first), Some(id)) = (looking.open, &selected) {
        let lines = match &model.run {
            Some((of, Ok(run))) if of == id => steps(run, usize::from(area.width), paint),
            Some((of, Err(why))) if of == id => vec![Line::raw(why.clone())],
            _ => vec![Line::styled("asking …", dim())],
        };
        return list::draw_open(buffer, area, looking, &lines, first);
    }
    let cells = usize::from(area.width);
    let mut lines = match &model.runs {
        None => vec![Line::styled("asking …", dim())],
        Some(Err(why)) => wrap(why, cells).into_iter().map(Line::raw).collect(),
        Some(Ok(runs)) => vec![Line::styled(summary(runs, model.in_progress), dim())],
    };
    let runs = looking.runs(model);
    let names = Names::fit(cells, &runs);
    if !runs.is_empty() {
        lines.push(names.header());
    }
    let at = runs.iter().position(|run| Some(&run.id) == selected.as_ref());
    let rows = runs.iter().map(|run| names.row(run, paint));
    list::draw(buffer, area, looking, &lines, rows, at);
}

/// How many there are, by state.
fn summary(runs: &Runs, in_progress: Option<usize>) -> String {
    let mut parts: Vec<String> =
        by_state(runs).into_iter().map(|(state, n)| format!("{n} {}", state.to_lowercase())).collect();
    if (runs.runs.len() as u64) < runs.total {
        let rest = format!("of the newest {} of {}", runs.runs.len(), runs.total);
        let open = in_progress.map(|n| format!(", {n} of all in progress")).unwrap_or_default();
        return format!("{} {rest}{open}", parts.join(", "));
    }
    if parts.is_empty() {
        parts.push("no runs yet".to_owned());
    }
    parts.join(", ")
}

/// How many of the runs that are listed are in which state.
pub(in crate::cli::top) fn by_state(runs: &Runs) -> BTreeMap<String, usize> {
    let mut by_state = BTreeMap::new();
    for run in &runs.runs {
        *by_state.entry(run.state.clone().unwrap_or_else(|| "UNKNOWN".to_owned())).or_default() += 1;
    }
    by_state
}

/// The cells of the columns whose texts have no bound.
struct Names {
    flow: usize,
    id: usize,
    has_times: bool,
}

impl Names {
    fn fit(cells: usize, runs: &[&ListedRun]) -> Self {
        let has_times = cells >= 60;
        let rest = cells.saturating_sub(STATE + if has_times { 2 * TIME } else { 0 });
        let longest = runs.iter().filter_map(|run| run.flow.as_deref()).map(super::text::width).max();
        let flow = (longest.unwrap_or_default().max(4) + 2).min(rest / 2);
        Self { flow, id: rest - flow, has_times }
    }

    fn header(&self) -> Line<'static> {
        let mut text = left("STATE", STATE) + &left("FLOW", self.flow) + &left("RUN", self.id);
        if self.has_times {
            text += &(right("BEGAN", TIME) + &right("TOOK", TIME));
        }
        Line::styled(text, dim())
    }

    fn row(&self, run: &ListedRun, paint: &Paint) -> Line<'static> {
        let state = run.state.as_deref().unwrap_or("UNKNOWN");
        let (sign, style) = paint.word(state);
        let flow = run.flow.as_deref().unwrap_or("–");
        let mut spans = vec![
            Span::styled(left(&format!("{sign} {state}"), STATE), style),
            Span::raw(left(flow, self.flow.saturating_sub(1)) + " "),
            Span::styled(left(&run.id, self.id.saturating_sub(1)) + " ", dim()),
        ];
        if self.has_times {
            let ago =
                since(run.began.as_deref(), paint.date).map(|s| roughly(s) + " ago").unwrap_or_default();
            spans.push(Span::raw(
                right(&ago, TIME)
                    + &right(
                        &took(run.began.as_deref(), run.ended.as_deref(), state == "RUNNING", paint),
                        TIME,
                    ),
            ));
        }
        Line::from(spans)
    }
}

/// How many seconds after a time it is.
pub(super) fn since(time: Option<&str>, now: Timestamp) -> Option<f64> {
    let time: Timestamp = time?.parse().ok()?;
    Some(now.duration_since(time).as_secs_f64().max(0.0))
}

/// From a time to a time, or until now for what goes on.
fn took(began: Option<&str>, ended: Option<&str>, goes_on: bool, paint: &Paint) -> String {
    let end = match ended.and_then(|ended| ended.parse().ok()) {
        Some(end) => end,
        None if goes_on => paint.date,
        None => return String::new(),
    };
    since(began, end).map(seconds).unwrap_or_default()
}

fn steps(run: &Run, cells: usize, paint: &Paint) -> Vec<Line<'static>> {
    let (sign, style) = paint.word(&run.state);
    let mut about = vec![format!(
        "took {}",
        took(run.began.as_deref(), run.ended.as_deref(), run.ended.is_none(), paint)
    )];
    if run.paused {
        about.push("paused".to_owned());
    }
    if !run.in_hand && run.ended.is_none() {
        about.push("no engine has it in hand".to_owned());
    }
    let mut lines = vec![
        Line::from(vec![
            Span::styled(run.id.clone(), strong()),
            Span::styled(format!("  {sign} {}", run.state), style),
        ]),
        Line::styled(about.join(" · "), dim()),
        Line::default(),
    ];
    for failure in &run.failures {
        let texts = wrap(&format!("{} failed: {}", failure.step, failure.reason), cells);
        lines.extend(texts.into_iter().map(|text| Line::styled(text, paint.bad())));
    }
    if !run.failures.is_empty() {
        lines.push(Line::default());
    }
    let name = |step: &Step| {
        if step.items.is_empty() { step.name.clone() } else { format!("{} {:?}", step.name, step.items) }
    };
    let longest = run.steps.iter().map(|step| super::text::width(&name(step))).max().unwrap_or_default();
    let names = (longest + 2).min(cells.saturating_sub(STATE + TIME)).max(8);
    for step in &run.steps {
        let (sign, style) = paint.word(&step.phase);
        let goes_on = matches!(step.phase.as_str(), "active" | "iterating" | "backing_off");
        let mut more = step.reason.clone().unwrap_or_default();
        if let Some(untaken) = step.untaken_seconds {
            more = format!("nobody has taken it for {}", seconds(untaken as f64));
        }
        if step.attempt > 1 {
            more = format!("attempt {} {more}", step.attempt);
        }
        lines.push(Line::from(vec![
            Span::styled(left(&format!("{sign} {}", step.phase.replace('_', " ")), STATE), style),
            Span::raw(left(&name(step), names)),
            Span::raw(right(&took(step.started.as_deref(), step.ended.as_deref(), goes_on, paint), TIME)),
            Span::styled(format!("  {more}"), dim()),
        ]));
    }
    lines
}
