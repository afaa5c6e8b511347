//! The table of elements: which columns there is room for, and what they say.

use super::super::model::Shown;
use super::super::rows::{Row, Sort};
use super::number::{count, rate, seconds};
use super::paint::{Paint, dim, heights, strong};
use super::text::{left, right, width};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Role,
    RoleWord,
    /// The sign of the state alone.
    Sign,
    State,
    Received,
    InRate,
    Emitted,
    OutRate,
    /// How full the queue is, in per cent.
    Fill,
    /// The same with a bar.
    Bar,
    Dropped,
    Errors,
    Restarts,
    Median,
    Slow,
    Minute,
}

/// How many cells the past minute takes.
const MINUTE: usize = 16;
/// How many cells a bar takes.
const BAR: usize = 5;

impl Column {
    /// The cells it takes, with the one before it.
    fn width(self) -> usize {
        match self {
            Self::Role | Self::Sign => 2,
            Self::Fill => 6,
            Self::Median | Self::Slow | Self::InRate | Self::OutRate | Self::Dropped | Self::Errors => 7,
            Self::RoleWord | Self::Received | Self::Emitted => 8,
            Self::Restarts => 9,
            Self::Bar => BAR + 7,
            Self::State => 13,
            Self::Minute => MINUTE + 2,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Role | Self::Sign => "",
            Self::RoleWord => "ROLE",
            Self::State => "STATE",
            Self::Received => "IN",
            Self::InRate => "IN/S",
            Self::Emitted => "OUT",
            Self::OutRate => "OUT/S",
            Self::Fill | Self::Bar => "QUEUE",
            Self::Dropped => "DROPS",
            Self::Errors => "ERRS",
            Self::Restarts => "RESTARTS",
            Self::Median => "P50",
            Self::Slow => "P99",
            Self::Minute => "PAST MINUTE",
        }
    }

    /// Words are to the left, numbers to the right.
    fn is_left(self) -> bool {
        matches!(self, Self::RoleWord | Self::State | Self::Bar | Self::Minute)
    }

    fn is_sorted_by(self, sort: Sort) -> bool {
        match sort {
            Sort::Place => false,
            Sort::Rate => self == Self::InRate,
            Sort::Queue => matches!(self, Self::Fill | Self::Bar),
            Sort::Trouble => self == Self::Errors,
            Sort::Latency => self == Self::Slow,
        }
    }
}

/// The columns that there is room for.
#[derive(Clone, Debug)]
pub(in crate::cli::top) struct Columns {
    /// The cells of the first column, the names.
    names: usize,
    rest: Vec<Column>,
}

/// From left to right.
const ORDER: [Column; 16] = {
    use Column::{
        Bar, Dropped, Emitted, Errors, Fill, InRate, Median, Minute, OutRate, Received, Restarts, Role,
        RoleWord, Sign, Slow, State,
    };
    [
        Role, RoleWord, Sign, State, Received, InRate, Emitted, OutRate, Fill, Bar, Dropped, Errors,
        Restarts, Median, Slow, Minute,
    ]
};

impl Columns {
    /// For so many cells, and names of at most so many letters.
    pub(in crate::cli::top) fn fit(cells: usize, longest: usize) -> Self {
        use Column::{
            Bar, Dropped, Emitted, Errors, Fill, InRate, Median, Minute, OutRate, Received, Restarts, Role,
            RoleWord, Sign, Slow, State,
        };
        let least = longest.clamp(12, 18);
        let mut rest: Vec<Column> = Vec::new();
        let taken = |rest: &[Column]| rest.iter().map(|column| column.width()).sum::<usize>();
        // What comes first is what one needs first; what takes the place of something says it better.
        let steps = [
            (None, Sign),
            (None, InRate),
            (None, Fill),
            (None, Errors),
            (None, OutRate),
            (None, Dropped),
            (Some(Sign), State),
            (None, Slow),
            (Some(Fill), Bar),
            (None, Role),
            (Some(Role), RoleWord),
            (None, Minute),
            (None, Received),
            (None, Emitted),
            (None, Median),
            (None, Restarts),
        ];
        for (instead, column) in steps {
            let mut wider: Vec<Column> =
                rest.iter().copied().filter(|column| Some(*column) != instead).collect();
            wider.push(column);
            if taken(&wider) + least > cells {
                break;
            }
            rest = wider;
        }
        rest.sort_by_key(|column| ORDER.iter().position(|other| other == column));
        let names = cells.saturating_sub(taken(&rest)).min(longest.max(7)).max(cells.min(least));
        Self { names, rest }
    }

    /// The cells that the table takes.
    pub(in crate::cli::top) fn width(&self) -> usize {
        self.names + self.rest.iter().map(|column| column.width()).sum::<usize>()
    }

    /// The names of the columns.
    pub(in crate::cli::top) fn header(&self, sort: Sort) -> Line<'static> {
        let mut spans = vec![Span::styled(left("ELEMENT", self.names), dim())];
        for column in &self.rest {
            let is_sorted = column.is_sorted_by(sort);
            let name = if is_sorted { format!("{}▼", column.name()) } else { column.name().to_owned() };
            let style = if is_sorted { strong() } else { dim() };
            spans.push(Span::styled(aligned(*column, &name), style));
        }
        Line::from(spans)
    }

    pub(in crate::cli::top) fn row(&self, row: &Row<'_>, sort: Sort, paint: &Paint) -> Line<'static> {
        match row {
            Row::Loop { level, uid, elements } => of_loop(level, uid, elements, paint),
            Row::Element(shown) => self.element(shown, sort == Sort::Place, paint),
        }
    }

    fn element(&self, shown: &Shown, is_below: bool, paint: &Paint) -> Line<'static> {
        let path = &shown.is.path;
        let uid = path.strip_prefix(&shown.in_loop).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
        let name = if is_below { format!("  {uid}") } else { path.clone() };
        let mut spans = vec![Span::raw(left(&name, self.names))];
        for column in &self.rest {
            spans.extend(cell(*column, shown, paint));
        }
        Line::from(spans)
    }
}

fn of_loop(level: &str, uid: &str, elements: &[&Shown], paint: &Paint) -> Line<'static> {
    let name = if level.is_empty() { uid.to_owned() } else { format!("{uid} on {level}") };
    let mut spans = vec![Span::styled(name, strong())];
    let failed = elements.iter().filter(|shown| shown.is.state == "failed").count();
    if failed > 0 {
        spans.push(Span::styled(format!("  ✗ {failed} failed"), paint.bad()));
    }
    Line::from(spans)
}

/// The longest name that a list of rows needs room for.
pub(in crate::cli::top) fn longest(rows: &[Row<'_>], sort: Sort) -> usize {
    let name = |row: &Row<'_>| match row {
        // A loop's name may go on over the other columns.
        Row::Loop { .. } => 0,
        Row::Element(shown) if sort == Sort::Place => {
            width(&shown.is.path) + 1 - (width(&shown.in_loop)).min(width(&shown.is.path))
        }
        Row::Element(shown) => width(&shown.is.path),
    };
    rows.iter().map(name).max().unwrap_or_default()
}

fn aligned(column: Column, text: &str) -> String {
    let cells = column.width();
    if column.is_left() {
        let gap = if column == Column::Minute { 2 } else { 1 };
        " ".repeat(gap) + &left(text, cells - gap)
    } else {
        right(text, cells)
    }
}

fn cell(column: Column, shown: &Shown, paint: &Paint) -> Vec<Span<'static>> {
    let (is, trail) = (&shown.is, &shown.trail);
    let plain = |text: &str| vec![Span::raw(aligned(column, text))];
    // Nothing is no news.
    let quiet = |text: String| {
        let style = if text == "0" { dim() } else { Style::new() };
        vec![Span::styled(aligned(column, &text), style)]
    };
    match column {
        Column::Role => plain(&is.role.chars().next().unwrap_or(' ').to_uppercase().to_string()),
        Column::RoleWord => plain(&is.role),
        Column::Sign | Column::State => {
            let (sign, style) = paint.state(&is.state);
            let text =
                if column == Column::Sign { sign.to_owned() } else { format!("{sign} {}", word(&is.state)) };
            vec![Span::styled(aligned(column, &text), style)]
        }
        Column::Received => quiet(count(is.input.received)),
        Column::Emitted => quiet(emitted(shown, count(is.output.emitted))),
        Column::InRate => quiet(rate(trail.received_per_second())),
        Column::OutRate => quiet(emitted(shown, rate(trail.emitted_per_second()))),
        Column::Fill | Column::Bar => queue(column, shown, paint),
        Column::Dropped => worse(column, shown.dropped(), paint.is_fresh(shown.lost), paint),
        Column::Errors => worse(column, is.errors, paint.is_fresh(shown.failed), paint),
        Column::Restarts => quiet(count(is.restarts)),
        Column::Median => {
            plain(&is.latency.and_then(|spread| spread.median()).map(seconds).unwrap_or_default())
        }
        Column::Slow => plain(&is.latency.and_then(|spread| spread.slow()).map(seconds).unwrap_or_default()),
        Column::Minute => {
            let rates = trail.minute().map(|(received, emitted)| received.max(emitted));
            vec![Span::styled(format!("  {}", heights(rates, MINUTE)), paint.accent())]
        }
    }
}

/// What only acts emits nothing, which is not the same as none.
fn emitted(shown: &Shown, text: String) -> String {
    if shown.is.acts_only { String::new() } else { text }
}

/// A number that had better be nothing: `▲` says that it is growing.
fn worse(column: Column, number: u64, is_growing: bool, paint: &Paint) -> Vec<Span<'static>> {
    let (text, style) = match (number, is_growing) {
        (0, _) => ("0".to_owned(), dim()),
        (number, true) => (format!("{}▲", count(number)), paint.bad()),
        (number, false) => (count(number), paint.doubtful()),
    };
    vec![Span::styled(aligned(column, &text), style)]
}

fn queue(column: Column, shown: &Shown, paint: &Paint) -> Vec<Span<'static>> {
    let cells = column.width();
    let Some(queue) = shown.queue.filter(|queue| queue.capacity > 0) else {
        // What waits in no link has no bound that is known.
        let waiting = shown.is.input.queued;
        let text = if waiting == 0 { String::new() } else { format!("{} ", count(waiting)) };
        return vec![Span::raw(right(&text, cells))];
    };
    let fill = queue.fill();
    let style = if queue.queued == 0 { dim() } else { paint.fill(fill) };
    // Who waits for room is held up, however full the queue is by now.
    let (mark, style) = if queue.blocked_seconds.is_some() { ("!", paint.bad()) } else { (" ", style) };
    let per_cent = format!("{:.0}%{mark}", fill * 100.0);
    if column == Column::Fill {
        return vec![Span::styled(right(&per_cent, cells), style)];
    }
    let [heavy, light] = paint.bar(fill, BAR);
    vec![Span::raw(" "), heavy, light, Span::styled(right(&per_cent, cells - 1 - BAR), style)]
}

/// A state as a word that has room.
fn word(state: &str) -> String {
    if state.is_empty() { "?".to_owned() } else { state.replace('_', " ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_never_wider_than_it_may_be_and_uses_what_there_is() {
        for longest in [0, 5, 12, 30, 200] {
            for cells in 0..300 {
                let columns = Columns::fit(cells, longest);
                assert!(columns.width() <= cells, "{cells} cells, names of {longest}: {columns:?}");
            }
        }
        let columns = |cells| Columns::fit(cells, 18).rest.len();
        assert_eq!([columns(10), columns(20), columns(40), columns(80), columns(160)], [0, 1, 4, 8, 13]);
    }
}
