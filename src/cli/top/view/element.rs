//! One element: its ports, links, operators, parameters, the past minute, what went wrong.

use super::super::answers::{Happened, Link, Spread};
use super::super::model::{Model, Shown};
use super::number::{count, rate, roughly, seconds};
use super::paint::{Paint, dim, heights, strong};
use super::text::{cut, left, type_name, width, wrap};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The cells of a heading at the side.
const HEADING: usize = 12;
/// How much of what has happened is shown.
const HAPPENED: usize = 20;

/// Draws it from a line on; which that is, if there were fewer.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    shown: &Shown,
    model: &Model,
    first: usize,
    paint: &Paint,
) -> usize {
    let lines = lines(shown, model, usize::from(area.width), paint);
    let first = first.min(lines.len().saturating_sub(usize::from(area.height)));
    for (line, y) in lines.iter().skip(first).zip(area.top()..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
    first
}

fn lines(shown: &Shown, model: &Model, cells: usize, paint: &Paint) -> Vec<Line<'static>> {
    let is = &shown.is;
    let (sign, style) = paint.state(&is.state);
    let mut lines = vec![
        Line::from(vec![
            Span::styled(is.path.clone(), strong()),
            Span::raw(format!("  {}  ", is.role)),
            Span::styled(format!("{sign} {}", is.state), style),
        ]),
        Line::styled(about(shown), dim()),
        Line::default(),
    ];
    lines.extend(ports(shown, cells));
    if let Some(latency) = is.latency.filter(|latency| latency.count > 0) {
        lines.push(beside("latency", spread(&latency)));
    }
    lines.extend(minute(shown, cells, paint));
    let inward = incoming(model, &is.path).map(|(from, link)| link_line(from, link, true, cells, paint));
    section(&mut lines, "links in", inward);
    let outward = is.output.links.iter().map(|link| {
        let to = link.to.as_deref().unwrap_or("(subscriber)");
        link_line(to, link, false, cells, paint)
    });
    section(&mut lines, "links out", outward);
    let parameters = is.parameters.iter();
    let parameters = parameters.map(|(name, value)| Line::raw(cut(&format!("  {name} = {value}"), cells)));
    section(&mut lines, "parameters", parameters);
    let texts = |all: &[String]| {
        let lines = wrap(&all.join(", "), cells.saturating_sub(2)).into_iter();
        lines.map(|line| Line::raw(format!("  {line}")))
    };
    section(&mut lines, "methods", texts(&is.methods));
    section(&mut lines, "also sends to", texts(&is.destinations));
    section(&mut lines, "what has happened", past(shown, model, cells, paint).into_iter());
    lines
}

/// The rates of the past minute.
fn minute(shown: &Shown, cells: usize, paint: &Paint) -> Vec<Line<'static>> {
    let bars = cells.saturating_sub(HEADING + 12).min(60);
    let line = |name: &str, of: fn((f32, f32)) -> f32| {
        let most = shown.trail.minute().map(of).fold(0.0_f32, f32::max);
        Line::from(vec![
            Span::styled(left(name, HEADING), dim()),
            Span::styled(heights(shown.trail.minute().map(of), bars), paint.accent()),
            Span::styled(format!(" up to {}", rate(f64::from(most))), dim()),
        ])
    };
    let mut lines = vec![line("in/s", |(received, _)| received)];
    if !shown.is.acts_only {
        lines.push(line("out/s", |(_, emitted)| emitted));
    }
    lines
}

/// What has happened to it since somebody looks, the newest first.
fn past(shown: &Shown, model: &Model, cells: usize, paint: &Paint) -> Vec<Line<'static>> {
    let of_it = model.happened.iter().rev().filter(|(_, happened)| happened.path == shown.is.path);
    let mut lines = Vec::new();
    for (at, happened) in of_it.take(HAPPENED) {
        let mut ago = format!("{} ago", roughly(paint.since(*at)));
        let is_error = matches!(happened.kind.as_str(), "error" | "escalated");
        let style = if is_error { paint.bad() } else { dim() };
        for text in wrap(&told(happened), cells.saturating_sub(HEADING + 2)) {
            let ago = std::mem::take(&mut ago);
            let ago = Span::raw(format!("  {}", left(&ago, HEADING)));
            lines.push(Line::from(vec![ago, Span::styled(text, style)]));
        }
    }
    lines
}

/// What is known of it besides, in a sentence.
fn about(shown: &Shown) -> String {
    let is = &shown.is;
    let mut parts = vec![match is.start.as_str() {
        "manual" => "starts when told to".to_owned(),
        "on_subscribe" => "starts with its first link".to_owned(),
        "at_once" => "starts at once".to_owned(),
        other => format!("starts: {other}"),
    }];
    if !shown.level.is_empty() {
        parts.push(format!("on level {}", shown.level));
    }
    parts.push(format!("{} errors", count(is.errors)));
    parts.push(format!("{} restarts", count(is.restarts)));
    parts.join(" · ")
}

fn beside(heading: &str, text: impl Into<String>) -> Line<'static> {
    Line::from(vec![Span::styled(left(heading, HEADING), dim()), Span::raw(text.into())])
}

fn ports(shown: &Shown, cells: usize) -> Vec<Line<'static>> {
    let (is, trail) = (&shown.is, &shown.trail);
    let more = |what: &str, n: u64| if n == 0 { String::new() } else { format!(" · {} {what}", count(n)) };
    let received = format!(
        "{} received, {}/s{}{}{}",
        count(is.input.received),
        rate(trail.received_per_second()),
        more("waiting", is.input.queued),
        more("dropped", is.input.dropped),
        more("skipped", is.input.skipped),
    );
    let emitted = format!(
        "{} emitted, {}/s{}",
        count(is.output.emitted),
        rate(trail.emitted_per_second()),
        more("unheard", is.output.unheard),
    );
    let room = cells.saturating_sub(HEADING);
    let mut lines = Vec::new();
    let mut port = |name: &str, item: &str, text: String, operators: &[String]| {
        lines.push(beside(name, cut(&text, room)));
        if !item.is_empty() {
            lines.push(beside("", cut(&format!("items: {}", type_name(item)), room)));
        }
        if !operators.is_empty() {
            for text in wrap(&format!("through {}", operators.join(" → ")), room) {
                lines.push(beside("", text));
            }
        }
    };
    port("in", &is.input.item, received, &is.input.operators);
    if !is.acts_only {
        port("out", &is.output.item, emitted, &is.output.operators);
    }
    lines
}

fn spread(spread: &Spread) -> String {
    let text = |n: Option<f64>| n.map_or_else(|| "–".to_owned(), seconds);
    format!("half within {}, 99 % within {}", text(spread.median()), text(spread.slow()))
}

/// The links that lead to an element, with where they come from.
fn incoming<'a>(model: &'a Model, path: &'a str) -> impl Iterator<Item = (&'a str, &'a Link)> {
    model.elements.iter().flat_map(move |from| {
        let to_it = from.is.output.links.iter().filter(move |link| link.to.as_deref() == Some(path));
        to_it.map(|link| (from.is.path.as_str(), link))
    })
}

/// A line of a link.
fn link_line(other: &str, link: &Link, is_incoming: bool, cells: usize, paint: &Paint) -> Line<'static> {
    const BAR: usize = 6;
    let stats = &link.stats;
    let fill = if stats.capacity == 0 { 0.0 } else { stats.queued as f64 / stats.capacity as f64 };
    let [heavy, light] = paint.bar(fill, BAR);
    let arrow = if is_incoming { "←" } else { "→" };
    let names = cells.saturating_sub(BAR + 30).clamp(10, 24);
    let mut spans = vec![Span::raw(format!("  {arrow} {} ", left(other, names))), heavy, light];
    spans.push(Span::raw(format!(" {}/{}", count(stats.queued), count(stats.capacity))));
    if let Some(blocked) = stats.blocked_seconds {
        spans.push(Span::styled(format!(" ! holds it up {}", seconds(blocked)), paint.bad()));
    }
    if stats.dropped > 0 {
        spans.push(Span::styled(format!(" · {} dropped", count(stats.dropped)), paint.doubtful()));
    }
    let mut more = Vec::new();
    if let Some(wait) = link.wait.and_then(|wait| wait.slow()) {
        more.push(format!(" · p99 {}", seconds(wait)));
    }
    if stats.overflow.starts_with("drop") {
        more.push(format!(" · {}", stats.overflow.replace('_', " ")));
    }
    if link.feedback {
        more.push(" · feedback".to_owned());
    }
    spans.push(Span::raw(more.concat()));
    Line::from(spans)
}

/// Lines below a heading, if there are any.
fn section(lines: &mut Vec<Line<'static>>, heading: &str, of: impl Iterator<Item = Line<'static>>) {
    let mut of = of.peekable();
    if of.peek().is_some() {
        lines.push(Line::default());
        lines.push(Line::styled(heading.to_owned(), dim()));
        lines.extend(of);
    }
}

/// What has happened, in words.
pub(super) fn told(happened: &Happened) -> String {
    let Happened { kind, state, error, name, value, .. } = happened;
    match kind.as_str() {
        "state" => format!("is now {}", state.as_deref().unwrap_or("?")),
        "error" => format!("failed: {}", error.as_deref().unwrap_or("?")),
        "escalated" => format!("gave up: {}", error.as_deref().unwrap_or("?")),
        "parameter" => {
            let value = value.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} = {value}", name.as_deref().unwrap_or("?"))
        }
        other => other.to_owned(),
    }
}

/// As much of what has happened as a line has room for.
pub(super) fn told_briefly(happened: &Happened, cells: usize) -> String {
    let text = format!("{} {}", happened.path, told(happened));
    if width(&text) <= cells { text } else { cut(&text, cells) }
}
