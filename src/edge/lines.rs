//! Lines, out of pieces as they come.

use memchr::memchr;

/// Puts lines together that come in pieces, and holds no more than the longest that is allowed.
#[derive(Debug)]
pub(super) struct Lines {
    longest: usize,
    begun: Vec<u8>,
    /// The rest of a line that is left out comes still.
    skipping: bool,
}

/// What is in a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A line without its end, which is `\n` or `\r\n`.
    Line(&'a [u8]),
    /// A line is longer than allowed; it is left out.
    TooLong,
    /// The end of a line that is left out.
    Skipped,
}

impl Lines {
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, begun: Vec::new(), skipping: false }
    }

    /// The longest line that is not left out, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Forgets what has begun.
    pub(super) fn clear(&mut self) {
        (self.begun, self.skipping) = (Vec::new(), false);
    }

    /// What comes is the rest of a line that is left out.
    pub(super) fn skip(&mut self) {
        (self.begun, self.skipping) = (Vec::new(), true);
    }

    /// Tells what is found in the next piece, each with the number of bytes of the piece up to its end.
    pub(super) fn split(&mut self, piece: &[u8], mut tell: impl FnMut(Found<'_>, usize)) {
        let mut rest = piece;
        while let Some(length) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(length);
            rest = after.get(1..).unwrap_or_default();
            let end = piece.len() - rest.len();
            if std::mem::take(&mut self.skipping) {
                tell(Found::Skipped, end);
            } else if self.begun.len() + line.len() > self.longest {
                self.begun = Vec::new();
                tell(Found::TooLong, end);
                tell(Found::Skipped, end);
            } else if self.begun.is_empty() {
                tell(Found::Line(trimmed(line)), end);
            } else {
                self.begun.extend_from_slice(line);
                tell(Found::Line(trimmed(&self.begun)), end);
                self.begun.clear();
            }
        }
        if self.skipping {
            return;
        }
        if self.begun.len() + rest.len() > self.longest {
            self.skip();
            return tell(Found::TooLong, piece.len());
        }
        self.begun.extend_from_slice(rest);
    }

    /// The last line, if it has no end.
    pub(super) fn finish(&mut self) -> Option<Vec<u8>> {
        self.skipping = false;
        Some(std::mem::take(&mut self.begun)).filter(|line| !line.is_empty())
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &mut Lines, piece: &str) -> Vec<String> {
        let mut all = Vec::new();
        lines.split(piece.as_bytes(), |found, end| {
            all.push(match found {
                Found::Line(line) => format!("{}@{end}", String::from_utf8_lossy(line)),
                Found::TooLong => "too long".to_owned(),
                Found::Skipped => format!("skipped@{end}"),
            });
        });
        all
    }

    #[test]
    fn a_line_is_held_back_until_its_end_is_there() {
        let mut lines = Lines::new(9);
        assert_eq!(told(&mut lines, "one\ntw"), ["one@4"]);
        assert_eq!(told(&mut lines, "o\r"), Vec::<String>::new());
        assert_eq!(told(&mut lines, "\n\nthree"), ["two@1", "@2"]);
        assert_eq!(lines.finish(), Some(b"three".to_vec()));
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_at_once_and_costs_no_other() {
        let mut lines = Lines::new(4);
        assert_eq!(told(&mut lines, "12345\nfour\n123"), ["too long", "skipped@6", "four@11"]);
        assert_eq!(told(&mut lines, "45"), ["too long"]);
        assert_eq!(told(&mut lines, "6789".repeat(9).as_str()), Vec::<String>::new());
        assert!(lines.begun.capacity() == 0);
        assert_eq!(told(&mut lines, "0\nok\n"), ["skipped@2", "ok@5"]);
    }

    #[test]
    fn pieces_of_any_size_have_the_same_lines() {
        let text = "a\n\nbb\r\nccccccc\ndd\r\r\n";
        let of = |size: usize| {
            let (mut lines, mut all) = (Lines::new(5), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                lines.split(piece, |found, _| match found {
                    Found::Line(line) => all.push(String::from_utf8_lossy(line).into_owned()),
                    Found::TooLong => all.push("too long".to_owned()),
                    Found::Skipped => {}
                });
            }
            all
        };
        for size in 1..=text.len() {
            assert_eq!(of(size), ["a", "", "bb", "too long", "dd\r"], "{size}");
        }
    }
}
