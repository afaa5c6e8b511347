//! Texts in a number of cells.

use ratatui::text::Span;

/// How many cells a text takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// The name of a type without the paths to it: `Vec<f64>` of `alloc::vec::Vec<f64>`.
pub(super) fn type_name(full: &str) -> String {
    let mut short = String::new();
    for part in full.split_inclusive(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':'))
    {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

/// As much of a text as so many cells hold; `…` says that there was more.
pub(super) fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let (mut cut, mut taken) = (String::new(), 0);
    let mut letter = [0; 4];
    for next in text.chars() {
        taken += width(next.encode_utf8(&mut letter));
        if taken + 1 > cells {
            break;
        }
        cut.push(next);
    }
    if cells > 0 {
        cut.push('…');
    }
    cut
}

/// To the left of so many cells.
pub(super) fn left(text: &str, cells: usize) -> String {
    let text = cut(text, cells);
    let rest = cells.saturating_sub(width(&text));
    text + &" ".repeat(rest)
}

/// To the right of so many cells.
pub(super) fn right(text: &str, cells: usize) -> String {
    let text = cut(text, cells);
    " ".repeat(cells.saturating_sub(width(&text))) + &text
}

/// Lines of at most so many cells, broken between words where that can be.
pub(super) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > cells {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if width(&line) >= cells.max(1) {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_without_its_paths() {
        let full = "core::result::Result<alloc::vec::Vec<f64>, (my::Error, &str)>";
        assert_eq!(type_name(full), "Result<Vec<f64>, (Error, &str)>");
    }

    #[test]
    fn a_text_takes_the_cells_it_is_given() {
        assert_eq!(
            (cut("sensor", 6).as_str(), cut("sensor", 5).as_str(), cut("sensor", 0).as_str()),
            ("sensor", "sens…", "")
        );
        assert_eq!((left("ab", 4).as_str(), right("ab", 4).as_str()), ("ab  ", "  ab"));
        assert_eq!(width(&cut("水水水", 4)), 3);
        assert_eq!(wrap("no pump answers at all", 10), ["no pump", "answers at", "all"]);
        assert_eq!(wrap("unbreakable", 4), ["unbr", "eaka", "ble"]);
        assert!(wrap("", 4).is_empty() && wrap("ab", 0).len() == 2);
    }
}
