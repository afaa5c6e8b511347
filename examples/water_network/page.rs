//! The summary for people.

use std::time::Duration;

use mape::goal::State;

use crate::chart::{Chart, bars};
use crate::detect::Spell;
use crate::expect::Expectation;
use crate::goals;
use crate::network::Status;
use crate::paint::Paint;
use crate::plan::Plan;
use crate::summary::Summary;

const COLUMNS: usize = 70;
const ROWS: usize = 7;
/// Room for the scale, left of the picture.
const MARGIN: usize = 8;

/// The whole run on one page.
pub fn page(summary: &Summary, elapsed: Duration, paint: Paint) -> String {
    let sections = [
        rows(summary, elapsed, paint),
        Chart::new(&summary.flows, COLUMNS, ROWS)
            .map(|chart| picture(&chart, &summary.spells, paint))
            .unwrap_or_default(),
        spells(summary, paint),
        plans(summary, paint),
        goals(summary, paint),
        summary.learnt.as_ref().map(|learnt| habits(learnt, paint)).unwrap_or_default(),
    ];
    let mut page = String::new();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        page.push('\n');
        page.push_str(&section.join("\n"));
        page.push('\n');
    }
    page
}

/// How many rows there were, and every one that was kept out.
fn rows(summary: &Summary, elapsed: Duration, paint: Paint) -> Vec<String> {
    let counts = format!(
        "{} in {:.2} s; {} hours had no row, {} rows were refused, {} lost",
        paint.bold(&format!("{} readings", summary.sent)),
        elapsed.as_secs_f64(),
        summary.missing,
        summary.refused.len(),
        summary.lost(),
    );
    let refused = summary.refused.iter().map(|why| format!("  {}", paint.yellow(why)));
    [counts].into_iter().chain(refused).collect()
}

/// The flows, a mark under each spell, and the weeks.
fn picture(chart: &Chart, spells: &[Spell], paint: Paint) -> Vec<String> {
    let mut lines: Vec<String> = chart
        .lines()
        .zip(scale(chart))
        .map(|(line, label)| format!("{} {}", paint.dim(&label), paint.blue(&line)))
        .collect();
    lines.push(format!("{:MARGIN$} {}", "", paint.red(&marks(chart, spells))));
    lines.push(format!("{:MARGIN$} {}", "", paint.dim(&weeks(chart))));
    lines
}

/// The highest flow beside the first line and the lowest beside the last.
fn scale(chart: &Chart) -> impl Iterator<Item = String> {
    (0..ROWS).map(|row| {
        let label = match row {
            0 => format!("{:.0} l/s", chart.high),
            _ if row + 1 == ROWS => format!("{:.0} l/s", chart.low),
            _ => String::new(),
        };
        format!("{label:>MARGIN$}")
    })
}

fn marks(chart: &Chart, spells: &[Spell]) -> String {
    let mut marks = vec![' '; COLUMNS];
    for spell in spells {
        if let Some(mark) = marks.get_mut(chart.column(spell.from)) {
            *mark = spell.kind.mark();
        }
    }
    marks.into_iter().collect::<String>().trim_end().to_owned()
}

/// The first day of each week, where it begins and there is room.
fn weeks(chart: &Chart) -> String {
    let mut line = String::new();
    let mut before = None;
    for (column, hour) in chart.hours().enumerate() {
        let week = hour.local().date().iso_week_date().week();
        if before.is_some_and(|before| before != week) && line.chars().count() < column {
            line = format!("{line:column$}{}", hour.day());
        }
        before = Some(week);
    }
    line
}

fn spells(summary: &Summary, paint: Paint) -> Vec<String> {
    if summary.spells.is_empty() {
        return vec![paint.green("No spell of abnormal flow was found.")];
    }
    let mut lines = vec![paint.bold("Spells")];
    lines.extend(summary.spells.iter().map(|spell| spell_line(spell, paint)));
    lines.extend(summary.rebounds.iter().map(|spell| {
        let swing = format!("  {} the network swung back on {}", spell.kind.mark(), spell.from.day());
        paint.dim(&swing)
    }));
    lines
}

fn spell_line(spell: &Spell, paint: Paint) -> String {
    let side = if spell.deviation < 0.0 { "below" } else { "above" };
    let extreme = format!("{:.1} l/s, {:.1} {side} the expected", spell.extreme, spell.deviation.abs());
    format!(
        "  {} {} to {} {:>3} h  {}",
        paint.red(&format!("{} {:<5}", spell.kind.mark(), spell.kind.to_string())),
        spell.from,
        spell.to,
        spell.hours(),
        paint.dim(&extreme),
    )
}

fn plans(summary: &Summary, paint: Paint) -> Vec<String> {
    let Some(last) = &summary.last else { return Vec::new() };
    let mut lines = vec![paint.bold("Plans")];
    let by_spell = summary.plans.chunk_by(|one, next| one.spell.from == next.spell.from);
    lines.extend(by_spell.map(|plans| answer(plans, paint)));

    let done = format!("  {} of {} plans were carried out", summary.executed, summary.plans.len());
    let all = summary.executed == summary.plans.len();
    lines.push(if all { paint.green(&done) } else { paint.yellow(&done) });
    let Status { dry_hours, dry_hours_unmanaged, .. } = last.status;
    lines.push(match dry_hours {
        0 => paint.green("  the tank never ran dry"),
        hours => paint.yellow(&format!("  the tank was dry for {hours} hours")),
    });
    if dry_hours_unmanaged > dry_hours {
        lines.push(format!("  without the plans, it would have been dry for {dry_hours_unmanaged} hours"));
    }
    lines
}

/// What was planned about one spell.
fn answer(plans: &[Plan], paint: Paint) -> String {
    let day = plans.first().map(|plan| plan.spell.from.day()).unwrap_or_default();
    let actions: Vec<String> =
        plans.iter().map(|plan| format!("{} {}", paint.dim(&plan.hour.clock()), plan.action)).collect();
    format!("  {}  {}", paint.dim(&day), actions.join(", "))
}

/// What was wanted, and whether it was so.
fn goals(summary: &Summary, paint: Paint) -> Vec<String> {
    if summary.goals.is_empty() {
        return Vec::new();
    }
    let line = |goal: &goals::Result| {
        let state = format!("{:<8}", goal.state);
        let state = match (goal.state, goal.violations) {
            (State::Met, 0) => paint.green(&state),
            (State::Violated, _) => paint.red(&state),
            _ => paint.yellow(&state),
        };
        let times = match goal.violations {
            0 => String::new(),
            1 => "violated once: ".to_owned(),
            times => format!("violated {times} times, last: "),
        };
        format!(
            "  {:<10} {state} {:>9}  {}",
            goal.goal,
            goal.words,
            paint.dim(&format!("{times}{}", goal.why))
        )
    };
    [paint.bold("Goals")].into_iter().chain(summary.goals.iter().map(line)).collect()
}

/// The day as the loop has come to know it.
fn habits(learnt: &Expectation, paint: Paint) -> Vec<String> {
    let day = learnt.day();
    let [low, high] = [f64::min, f64::max].map(|more| day.iter().map(|hour| hour.flow).reduce(more));
    let range = format!("{:.1} to {:.1} l/s", low.unwrap_or_default(), high.unwrap_or_default());
    let bars = bars(&day.map(|hour| Some(hour.flow)));
    vec![paint.bold("Learnt"), format!("  {}  {range} from midnight to midnight", paint.blue(&bars))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_rows_says_so_and_nothing_else() {
        let page = page(&Summary::default(), Duration::ZERO, Paint { colours: false });
        assert_eq!(
            page,
            "\n0 readings in 0.00 s; 0 hours had no row, 0 rows were refused, 0 lost\n\
             \nNo spell of abnormal flow was found.\n"
        );
    }
}
