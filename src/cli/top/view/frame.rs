//! The whole picture: who is looked at, tabs, the list, what has happened, keys.

use super::super::looking::{Looking, Tab};
use super::super::model::{Contact, Model};
use super::element::told_briefly;
use super::number::{count, rate, roughly, seconds};
use super::paint::{Paint, dim, reversed, strong};
use super::text::{cut, width};
use super::{goals, help, loops, queues, runs};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the picture; what is selected is brought to where it can be seen.
pub(in crate::cli::top) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    looking: &mut Looking,
    paint: &Paint,
) {
    if area.is_empty() {
        return;
    }
    // What is little is for the list.
    let (head, foot) = match area.height {
        0..3 => (0, 0),
        3..6 => (1, 0),
        6..9 => (2, 1),
        _ => (2, 2),
    };
    if head > 0 {
        title(buffer, area, model, looking, paint);
    }
    if head > 1 {
        tabs(buffer, Rect { y: area.y + 1, ..area }, model, looking);
    }
    let body = Rect { y: area.y + head, height: area.height - head - foot, ..area };
    match looking.tab {
        Tab::Loops => loops::draw(buffer, body, model, looking, paint),
        Tab::Workflows => runs::draw(buffer, body, model, looking, paint),
        Tab::Queues => queues::draw(buffer, body, model, looking, paint),
        Tab::Goals => goals::draw(buffer, body, model, looking, paint),
    }
    if foot > 0 {
        let line = if looking.is_typing { typed(looking, paint) } else { keys(looking, area.width, paint) };
        buffer.set_line(area.x, area.bottom() - 1, &line, area.width);
    }
    if foot > 1 {
        latest(buffer, Rect { y: area.bottom() - 2, height: 1, ..area }, model, paint);
    }
    if looking.help {
        help::draw(buffer, area, paint);
    }
}

fn right_of(buffer: &mut Buffer, area: Rect, line: &Line<'_>) {
    let cells = u16::try_from(line.width()).unwrap_or(u16::MAX);
    if cells < area.width {
        buffer.set_line(area.right() - cells, area.y, line, cells);
    }
}

fn title(buffer: &mut Buffer, area: Rect, model: &Model, looking: &Looking, paint: &Paint) {
    let contact = match &model.contact {
        _ if looking.is_paused => Span::styled("‖ paused", paint.doubtful()),
        Contact::Here => Span::styled("● live", paint.good()),
        Contact::Away { since, .. } => {
            Span::styled(format!("✗ away for {}", seconds(paint.since(*since))), paint.bad())
        }
    };
    let room = usize::from(area.width).saturating_sub(contact.width() + 11);
    let line = Line::from(vec![
        Span::styled("mape top", paint.accent().patch(strong())),
        Span::raw("  "),
        Span::raw(cut(&model.service, room)),
    ]);
    buffer.set_line(area.x, area.y, &line, area.width);
    right_of(buffer, area, &Line::from(contact));
}

fn tabs(buffer: &mut Buffer, area: Rect, model: &Model, looking: &Looking) {
    let numbered: Vec<String> =
        Tab::ALL.into_iter().map(|tab| format!("{}{}", tab.name(), number(tab, model))).collect();
    let names = Tab::ALL.map(|tab| tab.name().to_owned());
    // With room around them, without, and without numbers.
    let padded: Vec<String> = numbered.iter().map(|text| format!(" {text} ")).collect();
    let fits = |texts: &[String]| {
        texts.iter().map(|text| width(text) + 1).sum::<usize>() <= usize::from(area.width) + 1
    };
    let texts = [padded.as_slice(), &numbered].into_iter().find(|texts| fits(texts)).unwrap_or(&names);
    let mut spans = Vec::new();
    for (tab, text) in Tab::ALL.into_iter().zip(texts) {
        let style = if tab == looking.tab { reversed().patch(strong()) } else { dim() };
        spans.push(Span::styled(text.clone(), style));
        spans.push(Span::raw(" "));
    }
    let line = Line::from(spans);
    let taken = line.width();
    buffer.set_line(area.x, area.y, &line, area.width);
    let total = total(model);
    if looking.tab == Tab::Loops && taken + 2 + width(&total) <= usize::from(area.width) {
        right_of(buffer, area, &Line::styled(total, dim()));
    }
}

/// How many there are; of those that go wrong, how many.
fn number(tab: Tab, model: &Model) -> String {
    match tab {
        Tab::Loops => format!(" {}", model.loops().count()),
        Tab::Workflows => match (model.in_progress, &model.runs) {
            (Some(open), _) if open > 0 => format!(" {open}●"),
            (_, Some(Ok(runs))) => format!(" {}", count(runs.total)),
            _ => String::new(),
        },
        Tab::Queues => match &model.queues {
            Some(Ok(queues)) => {
                let left_alone = queues.iter().filter(|queue| queue.is_left_alone()).count();
                if left_alone > 0 { format!(" {left_alone}✗") } else { format!(" {}", queues.len()) }
            }
            _ => String::new(),
        },
        Tab::Goals => match &model.goals {
            Some(Ok(goals)) => {
                let violated = goals.iter().filter(|goal| goal.state() == "violated").count();
                if violated > 0 { format!(" {violated}✗") } else { format!(" {}", goals.len()) }
            }
            _ => String::new(),
        },
    }
}

/// All elements together.
fn total(model: &Model) -> String {
    let sum = |of: fn(&super::super::model::Shown) -> f64| model.elements.iter().map(of).sum::<f64>();
    format!(
        "{} elements  {}/s in  {}/s out",
        model.elements.len(),
        rate(sum(|shown| shown.trail.received_per_second())),
        rate(sum(|shown| shown.trail.emitted_per_second())),
    )
}

/// What is typed.
fn typed(looking: &Looking, paint: &Paint) -> Line<'static> {
    Line::from(vec![
        Span::styled("/", paint.accent()),
        Span::raw(looking.filter.clone()),
        Span::styled(" ", reversed()),
        Span::styled("  Enter keeps it, Esc shows all", dim()),
    ])
}

fn keys(looking: &Looking, cells: u16, paint: &Paint) -> Line<'static> {
    let all: &[(&str, &str)] = if looking.open.is_some() {
        &[("q", "quit"), ("Esc", "back"), ("↑↓", "scroll"), ("p", "pause"), ("?", "help")]
    } else {
        &[
            ("q", "quit"),
            ("?", "help"),
            ("↑↓", "select"),
            ("Enter", "closer"),
            ("Tab", "next"),
            ("/", "filter"),
            ("s", "sort"),
            ("p", "pause"),
        ]
    };
    let mut spans = Vec::new();
    if !looking.filter.is_empty() {
        spans.push(Span::styled(format!("/{}  ", looking.filter), paint.accent()));
    }
    let mut taken: usize = spans.iter().map(Span::width).sum();
    for (key, what) in all {
        let more = width(key) + width(what) + 3;
        if taken + more > usize::from(cells) + 2 {
            break;
        }
        taken += more;
        spans.push(Span::styled((*key).to_owned(), strong()));
        spans.push(Span::styled(format!(" {what}  "), dim()));
    }
    let state = format!("sorted by {}, every {} s", looking.sort.name(), paint.every.as_secs_f64());
    if looking.tab == Tab::Loops && looking.open.is_none() && taken + width(&state) <= usize::from(cells) {
        spans.push(Span::raw(" ".repeat(usize::from(cells) - taken - width(&state))));
        spans.push(Span::styled(state, dim()));
    }
    Line::from(spans)
}

/// Why the service is away, or what has happened last.
fn latest(buffer: &mut Buffer, area: Rect, model: &Model, paint: &Paint) {
    let cells = usize::from(area.width);
    if let Contact::Away { why, .. } = &model.contact {
        let text = format!("trying again: {why}");
        buffer.set_stringn(area.x, area.y, cut(&text, cells), cells, paint.bad());
        return;
    }
    let Some((at, happened)) = model.happened.back() else { return };
    let is_error = matches!(happened.kind.as_str(), "error" | "escalated");
    let ago = format!("{} ago ", roughly(paint.since(*at)));
    let sign = if is_error { "✗ " } else { "· " };
    let room = cells.saturating_sub(width(&ago) + 2);
    let line = Line::from(vec![
        Span::styled(sign, if is_error { paint.bad() } else { dim() }),
        Span::styled(ago, dim()),
        Span::raw(told_briefly(happened, room)),
    ]);
    buffer.set_line(area.x, area.y, &line, area.width);
}
