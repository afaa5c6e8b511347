//! One look: a table, or a document for programs.

use super::super::Output;
use super::super::service::Service;
use super::answers::{Runs, Spread, TaskQueue, Topology};
use super::model::{Model, News, Shown};
use super::rows::{Sort, rows};
use super::view::{Columns, Paint, by_state, longest, margin_of};
use super::{command, feed};
use anyhow::Result;
use mape::workflow::Time;
use serde_json::{Value, json};
use std::io::{IsTerminal, stdout};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What fits where nobody says how wide it is.
const WIDTH: u16 = 80;

pub(super) async fn run(
    service: &Service,
    first: Topology,
    measured: Duration,
    output: &mut Output,
) -> Result<()> {
    let mut model = Model::new(&service.shown());
    let began = Instant::now();
    model.hear(News::Topology(first), began);
    // A rate is what happens between two looks.
    sleep(measured).await;
    let second = command::topology(service, service.json("/topology").await?)?;
    let now = Instant::now();
    model.hear(News::Topology(second), now);
    model.hear(News::Runs(feed::runs(service).await), now);
    model.in_progress = feed::in_progress(service).await;
    model.hear(News::Queues(feed::queues(service).await), now);
    model.hear(News::Goals(feed::goals(service).await), now);
    let width = match crossterm::terminal::size() {
        Ok((width, _)) if stdout().is_terminal() && width > 0 => width,
        _ => WIDTH,
    };
    output.write(text(&model, usize::from(width)), &document(&model, now.duration_since(began)))
}

/// The table, without colours.
fn text(model: &Model, width: usize) -> String {
    let paint = Paint::now(false, Duration::ZERO);
    let mut lines = Vec::new();
    let rows = rows(model, "", Sort::Place);
    if rows.is_empty() {
        lines.push("there are no loops".to_owned());
    } else {
        let columns = Columns::fit(width, longest(&rows, Sort::Place));
        lines.push(columns.header(Sort::Place).to_string());
        lines.extend(rows.iter().map(|row| columns.row(row, Sort::Place, &paint).to_string()));
    }
    if let Some(Ok(runs)) = &model.runs
        && runs.total > 0
    {
        lines.push(String::new());
        let by_state: Vec<String> =
            by_state(runs).iter().map(|(state, n)| format!("{n} {}", state.to_lowercase())).collect();
        let of = match runs.runs.len() as u64 {
            listed if listed < runs.total => format!(" of the newest {listed} of {}", runs.total),
            _ => String::new(),
        };
        lines.push(format!("runs: {}{of}", by_state.join(", ")));
    }
    if let Some(Ok(queues)) = &model.queues
        && !queues.is_empty()
    {
        lines.push(String::new());
        lines.extend(queues.iter().map(|queue| format!("queue {}: {}", queue.name, in_words(queue))));
    }
    if let Some(Ok(goals)) = &model.goals
        && !goals.is_empty()
    {
        lines.push(String::new());
        for goal in goals {
            let margin = margin_of(goal).map(|margin| format!(", margin {margin}")).unwrap_or_default();
            lines.push(format!("goal {}: {}{margin}", goal.name(), goal.state()));
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// What a task queue does, and what there is in it.
fn in_words(queue: &TaskQueue) -> String {
    let jobs = &queue.stats;
    let counted = [
        (queue.waiting(), "waiting"),
        (jobs.running, "running"),
        (jobs.delayed, "delayed"),
        (jobs.dead, "dead"),
    ];
    let counted = counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    std::iter::once(queue.state().to_owned()).chain(counted).collect::<Vec<_>>().join(", ")
}

/// What programs read; its names stay.
fn document(model: &Model, measured: Duration) -> Value {
    let sum = |of: fn(&Shown) -> u64| model.elements.iter().map(of).sum::<u64>();
    let rates = |of: fn(&Shown) -> f64| model.elements.iter().map(of).sum::<f64>();
    json!({
        "service": model.service,
        "time": Time::now().to_string(),
        "measured_seconds": measured.as_secs_f64(),
        "totals": {
            "loops": model.loops().count(),
            "elements": model.elements.len(),
            "received_per_second": rates(|shown| shown.trail.received_per_second()),
            "emitted_per_second": rates(|shown| shown.trail.emitted_per_second()),
            "queued": sum(|shown| shown.is.input.queued),
            "dropped": sum(Shown::dropped),
            "errors": sum(|shown| shown.is.errors),
        },
        "elements": model.elements.iter().map(element).collect::<Vec<_>>(),
        "runs": model.runs.as_ref().and_then(|runs| runs.as_ref().ok()).map(|all| runs(all, model.in_progress)),
        "queues": model.queues.as_ref().and_then(|queues| queues.as_ref().ok()),
        "goals": model.goals.as_ref().and_then(|goals| goals.as_ref().ok()),
    })
}

fn element(shown: &Shown) -> Value {
    let is = &shown.is;
    let links = is.output.links.iter().map(|link| {
        json!({
            "id": link.id,
            "to": link.to,
            "queued": link.stats.queued,
            "capacity": link.stats.capacity,
            "dropped": link.stats.dropped,
            "blocked_seconds": link.stats.blocked_seconds,
            "wait": spread(link.wait),
        })
    });
    json!({
        "path": is.path,
        "level": shown.level,
        "loop": shown.in_loop,
        "role": is.role,
        "state": is.state,
        "received": is.input.received,
        "emitted": is.output.emitted,
        "skipped": is.input.skipped,
        "dropped": shown.dropped(),
        "unheard": is.output.unheard,
        "errors": is.errors,
        "restarts": is.restarts,
        "received_per_second": shown.trail.received_per_second(),
        "emitted_per_second": shown.trail.emitted_per_second(),
        "queued": is.input.queued,
        "fill": shown.queue.map(|queue| queue.fill()),
        "latency": spread(is.latency),
        "links": links.collect::<Vec<_>>(),
    })
}

fn spread(spread: Option<Spread>) -> Value {
    json!(spread.filter(|spread| spread.count > 0))
}

fn runs(runs: &Runs, in_progress: Option<usize>) -> Value {
    json!({"total": runs.total, "in_progress": in_progress, "by_state": by_state(runs), "newest": runs.runs})
}
