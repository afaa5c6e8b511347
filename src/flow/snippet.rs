//! A diagnostic as it is shown to people: with its line, and a marker below.

use super::diagnostic::Diagnostic;
use std::fmt::Write;

/// Characters of a line that are shown before and behind the marked place.
const AROUND: usize = 70;

/// The lines of a text.
pub(super) struct Snippets<'a> {
    name: &'a str,
    text: &'a str,
}

impl<'a> Snippets<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text }
    }

    /// ```text
    /// error[unknown-label]: `:mett` is the output of nothing
    ///   --> some.flow:3:1
    ///    |
    ///  3 | :mett → D
    ///    | ^^^^^
    ///    = help: did you mean the label `:meet`?
    /// ```
    pub(super) fn show(&self, diagnostic: &Diagnostic) -> String {
        let Diagnostic { severity, code, message, line, column, help, .. } = diagnostic;
        let number = line.to_string();
        let blank = " ".repeat(number.len());
        let mut shown = format!("{severity}[{code}]: {message}\n {blank}--> {}:{line}:{column}\n", self.name);
        let (source, marker) = self.marked(diagnostic);
        if source.trim().is_empty() {
            // The end of the text is shown with the last line that has something in it.
            if let Some((before, last)) = self.last_line_before(diagnostic) {
                let pad = " ".repeat(number.len().saturating_sub(before.len()));
                // Writing to a text cannot fail.
                let _ = write!(shown, " {blank} |\n {pad}{before} | {last}\n");
            }
        } else {
            let _ = writeln!(shown, " {blank} |");
        }
        let line = format!(" {number} | {source}");
        let _ = write!(shown, "{}\n {blank} | {marker}\n", line.trim_end());
        if let Some(help) = help {
            let _ = writeln!(shown, " {blank} = help: {help}");
        }
        shown.push('\n');
        shown
    }

    /// The line with the place, and what marks it. Of a long line, the part around the place.
    fn marked(&self, diagnostic: &Diagnostic) -> (String, String) {
        let range = diagnostic.range();
        let point = diagnostic.point.map(|point| point as usize);
        let (before, behind) = self.text.split_at_checked(range.start).unwrap_or((self.text, ""));
        let mut back = before.char_indices().rev().take_while(|(_, char)| *char != '\n');
        let start = back.by_ref().take(AROUND).last().map_or(before.len(), |(at, _)| at);
        let cut = back.next().is_some();
        let mut source = String::from(if cut { "…" } else { "" });
        let mut marker = String::from(if cut { " " } else { "" });
        let window = before.get(start..).unwrap_or_default().chars().chain(behind.chars());
        let mut at = start;
        let mut found = false;
        for (index, char) in window.take_while(|char| *char != '\n').enumerate() {
            if at > range.start && index > 2 * AROUND {
                source.push('…');
                break;
            }
            let mark = match at {
                _ if !range.contains(&at) => ' ',
                _ if point.is_none_or(|point| point == at) => '^',
                _ => '-',
            };
            found |= mark == '^';
            at += char.len_utf8();
            let shown = if char.is_control() && char != '\t' { ' ' } else { char };
            source.push(shown);
            // A tab stays one, so that the marker stands where the terminal puts the character.
            match (mark, shown) {
                (' ', '\t') => marker.push('\t'),
                _ => marker.extend(std::iter::repeat_n(mark, width(shown))),
            }
        }
        if !found {
            // The place is the end of the line, or lies behind what is shown.
            marker.push('^');
        }
        (source.trim_end().to_owned(), marker.trim_end().to_owned())
    }

    /// The last line before a place that is not blank, with its number.
    fn last_line_before(&self, diagnostic: &Diagnostic) -> Option<(String, String)> {
        let before = self.text.get(..diagnostic.range().start)?.trim_end();
        let line = before.rsplit('\n').next().filter(|line| !line.is_empty())?;
        let number = 1 + before.matches('\n').count();
        Some((number.to_string(), line.chars().take(2 * AROUND).collect()))
    }
}

/// How many columns of a terminal a character takes.
fn width(char: char) -> usize {
    match char {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}
