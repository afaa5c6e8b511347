//! The summary for people.

use std::fmt::Write;
use std::time::Duration;

use crate::chart::Chart;
use crate::detect::{Kind, Spell};
use crate::hour::Hour;
use crate::paint::Paint;
use crate::plan::Plan;
use crate::summary::Summary;

const COLUMNS: usize = 70;
const ROWS: usize = 7;
/// Refused rows that are shown; the others are only counted.
const SHOWN: usize = 10;

/// The whole run on one page.
pub fn page(summary: &Summary, elapsed: Duration, paint: Paint) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    _ = write(&mut page, summary, elapsed, paint);
    page
}

fn write(page: &mut String, summary: &Summary, elapsed: Duration, paint: Paint) -> std::fmt::Result {
    writeln!(page)?;
    counts(page, summary, elapsed, paint)?;
    if let Some(chart) = Chart::new(&summary.flows, COLUMNS, ROWS) {
        writeln!(page)?;
        picture(page, &chart, &summary.spells, paint)?;
    }
    writeln!(page, "\n{}", paint.bold("Spells"))?;
    for spell in &summary.spells {
        writeln!(page, "  {}", told(spell, paint))?;
    }
    if !summary.rebounds.is_empty() {
        let days: Vec<String> = summary.rebounds.iter().map(|spell| day(spell.from)).collect();
        writeln!(
            page,
            "{}",
            paint.dim(&format!("  the network swung back after a spell on {}", days.join(", ")))
        )?;
    }
    writeln!(page, "\n{}", paint.bold("Plans"))?;
    for of_spell in summary.plans.chunk_by(|one, next| one.spell.from == next.spell.from) {
        writeln!(page, "  {}", answer(of_spell, paint))?;
    }
    tank(page, summary, paint)
}

fn counts(page: &mut String, summary: &Summary, elapsed: Duration, paint: Paint) -> std::fmt::Result {
    let Summary { sent, missing, refused, .. } = summary;
    writeln!(
        page,
        "{} in {:.2} s: {missing} hours had no row, {} refused, {} lost",
        paint.bold(&format!("{sent} readings")),
        elapsed.as_secs_f64(),
        refused.len(),
        summary.lost(),
    )?;
    for why in refused.iter().take(SHOWN) {
        writeln!(page, "  {}", paint.yellow(&why.to_string()))?;
    }
    if refused.len() > SHOWN {
        writeln!(page, "  and {} more", refused.len() - SHOWN)?;
    }
    Ok(())
}

/// The flows, a mark under each spell, and the first day of each week.
fn picture(page: &mut String, chart: &Chart, spells: &[Spell], paint: Paint) -> std::fmt::Result {
    for (row, line) in chart.lines().enumerate() {
        let scale = match row {
            0 => format!("{:.0} l/s", chart.high),
            _ if row == ROWS - 1 => format!("{:.0} l/s", chart.low),
            _ => String::new(),
        };
        writeln!(page, "{} {}", paint.dim(&format!("{scale:>8}")), paint.blue(&line))?;
    }
    let mut marks = vec![' '; COLUMNS];
    for spell in spells {
        if let Some(mark) = marks.get_mut(chart.column(spell.from)) {
            *mark = arrow(spell.kind);
        }
    }
    let marks: String = marks.into_iter().collect();
    writeln!(page, "{:>8} {}", "", paint.red(marks.trim_end()))?;

    let mut days = String::new();
    let mut week = None;
    for (column, hour) in chart.hours().enumerate() {
        let date = hour.local().date();
        if week != Some(date.iso_week_date().week()) && days.chars().count() < column {
            week = Some(date.iso_week_date().week());
            write!(days, "{}{}", " ".repeat(column - days.chars().count()), day(hour))?;
        }
    }
    writeln!(page, "{:>8} {}", "", paint.dim(&days))
}

fn told(spell: &Spell, paint: Paint) -> String {
    let side = if spell.deviation < 0.0 { "below" } else { "above" };
    format!(
        "{} {} to {}  {:>3} h  {}",
        paint.red(&format!("{} {:<5}", arrow(spell.kind), name(spell.kind))),
        spell.from,
        spell.to,
        spell.hours(),
        paint.dim(&format!("{:.1} l/s, {:.1} {side}", spell.extreme, spell.deviation.abs())),
    )
}

/// What was planned about one spell.
fn answer(plans: &[Plan], paint: Paint) -> String {
    let Some(first) = plans.first() else { return String::new() };
    let actions: Vec<String> =
        plans.iter().map(|plan| format!("{} {}", paint.dim(&clock(plan.hour)), plan.action)).collect();
    format!("{}  {}", paint.dim(&day(first.spell.from)), actions.join(paint.dim(" · ").as_str()))
}

fn tank(page: &mut String, summary: &Summary, paint: Paint) -> std::fmt::Result {
    let Some(last) = &summary.last else { return Ok(()) };
    let failed = summary.plans.len() - summary.executed;
    let executed = format!("{} of {} plans were carried out", summary.executed, summary.plans.len());
    writeln!(page, "  {}", if failed == 0 { paint.green(&executed) } else { paint.yellow(&executed) })?;
    let (dry, unmanaged) = (last.status.dry_hours, last.status.dry_hours_unmanaged);
    let kept = if dry == 0 { "never ran dry".to_owned() } else { format!("was dry for {dry} hours") };
    writeln!(
        page,
        "  {}",
        paint.green(&format!(
            "the tank {kept}; without the plans, it would have been dry for {unmanaged} hours"
        ))
    )
}

/// The sign of a kind of spell.
pub fn arrow(kind: Kind) -> char {
    match kind {
        Kind::Loss => '▼',
        Kind::Surge => '▲',
        Kind::Rebound => '~',
    }
}

/// The word for a kind of spell.
pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Loss => "loss",
        Kind::Surge => "surge",
        Kind::Rebound => "rebound",
    }
}

/// Day and month, as `24 Mar`.
pub fn day(hour: Hour) -> String {
    hour.local().strftime("%e %b").to_string()
}

/// Time of the day, as `08:00`.
pub fn clock(hour: Hour) -> String {
    hour.local().strftime("%H:%M").to_string()
}
