//! Events of servers, as the WHATWG has them ("Server-sent events"), out of pieces as they come.

use std::time::Duration;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// `message` unless it says otherwise.
    pub(super) name: String,
    /// What to say to go on behind it; the last that was said.
    pub(super) id: String,
    pub(super) data: String,
}

/// What is in a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Event(Event),
    /// An event is longer than allowed; it is left out.
    TooLong,
    /// How long to wait before connecting again.
    Retry(Duration),
}

/// Puts events together, and holds no more than the longest that is allowed.
#[derive(Debug)]
pub(super) struct Events {
    longest: usize,
    line: Vec<u8>,
    /// No line has ended yet, and a mark of the order of bytes may come.
    is_beginning: bool,
    /// The last byte was `\r`, which may have been half of an end.
    half: bool,
    name: String,
    data: Option<String>,
    /// What the next event is dispatched with.
    next_id: String,
    /// What was dispatched last, and is asked for after a reconnection.
    id: String,
    /// The rest of an event that is left out comes still.
    skipping: bool,
}

impl Events {
    /// The id is the last of the connection before.
    pub(super) fn new(longest: usize, id: String) -> Self {
        Self {
            longest,
            line: Vec::new(),
            is_beginning: true,
            half: false,
            name: String::new(),
            data: None,
            next_id: id.clone(),
            id,
            skipping: false,
        }
    }

    /// Tells what is found in the next piece.
    pub(super) fn split(&mut self, piece: &[u8], mut tell: impl FnMut(Told)) {
        let mut rest = piece;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.half) && first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let Some(length) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.extend(rest, &mut tell);
                return;
            };
            let (line, after) = rest.split_at(length);
            self.extend(line, &mut tell);
            self.half = after.first() == Some(&b'\r');
            rest = after.get(1..).unwrap_or_default();
            self.end_line(&mut tell);
        }
    }

    fn extend(&mut self, bytes: &[u8], tell: &mut impl FnMut(Told)) {
        let data = self.data.as_ref().map_or(0, String::len);
        let is_room = self.line.len() + data + bytes.len() <= self.longest;
        if is_room {
            self.line.extend_from_slice(bytes);
            return;
        }
        // That a line is not empty is all that matters of it now.
        self.line = vec![b':'];
        (self.data, self.name) = (None, String::new());
        if !std::mem::replace(&mut self.skipping, true) {
            tell(Told::TooLong);
        }
    }

    fn end_line(&mut self, tell: &mut impl FnMut(Told)) {
        let line = std::mem::take(&mut self.line);
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(line) if self.is_beginning => line,
            _ => &line,
        };
        self.is_beginning = false;
        if line.is_empty() {
            return self.dispatch(tell);
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" if !self.skipping => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => value.clone_into(&mut self.next_id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                if let Ok(millis) = value.parse() {
                    tell(Told::Retry(Duration::from_millis(millis)));
                }
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, tell: &mut impl FnMut(Told)) {
        // Not before: of an event that is cut off, nothing was told.
        self.next_id.clone_into(&mut self.id);
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if !std::mem::take(&mut self.skipping)
            && let Some(data) = data
        {
            let name = if name.is_empty() { "message".to_owned() } else { name };
            tell(Told::Event(Event { name, id: self.id.clone(), data }));
        }
    }

    /// The id of the last event that was whole, also of one without data.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], size: usize, longest: usize) -> Vec<Told> {
        let (mut events, mut all) = (Events::new(longest, String::new()), Vec::new());
        for piece in text.chunks(size) {
            events.split(piece, |told| all.push(told));
        }
        all
    }

    fn event(name: &str, id: &str, data: &str) -> Told {
        Told::Event(Event { name: name.to_owned(), id: id.to_owned(), data: data.to_owned() })
    }

    #[test]
    fn events_are_as_the_specification_has_them_in_pieces_of_any_size() {
        let text = "\u{feff}data: YHOO\ndata: +2\ndata: 10\n\n\
            : test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n\
            data\n\ndata\ndata\n\ndata:no end\r\rdata:x\r\n\r\n\
            event: add\ndata: 73\nid: a\nid: b\0c\n\nevent: nothing\n\nretry: 1500\nretry: 1.5\nretry:\n\
            unknown: 1\ndata: \u{fc}\n\ndata: never ends";
        let expected = [
            event("message", "", "YHOO\n+2\n10"),
            event("message", "1", "first event"),
            event("message", "", "second event"),
            event("message", "", " third event"),
            event("message", "", ""),
            event("message", "", "\n"),
            event("message", "", "no end"),
            event("message", "", "x"),
            event("add", "a", "73"),
            Told::Retry(Duration::from_millis(1500)),
            event("message", "a", "\u{fc}"),
        ];
        for size in 1..=text.len() {
            assert_eq!(all(text.as_bytes(), size, 100), expected, "{size}");
        }
    }

    #[test]
    fn an_id_counts_when_its_event_is_whole() {
        let mut events = Events::new(100, "0".to_owned());
        for (piece, id) in [
            ("id: 1\ndata: 1\n\n", "1"),
            ("id: 2\n", "1"),
            ("data: 2\n", "1"),
            ("\n", "2"),
            ("id: 3\n\n", "3"),
            ("data: 4\nid: 4", "3"),
            ("\r\n\r\n", "4"),
            ("id\ndata: x\n", "4"),
        ] {
            events.split(piece.as_bytes(), |_| {});
            assert_eq!(events.id(), id, "{piece:?}");
        }
    }

    #[test]
    fn an_event_that_is_too_long_costs_no_other() {
        let text = format!("data: 1\n\ndata: {}\ndata: 2\nid: 7\n\ndata: 3\n\n", "x".repeat(50));
        for size in 1..=text.len() {
            let expected = [event("message", "", "1"), Told::TooLong, event("message", "7", "3")];
            assert_eq!(all(text.as_bytes(), size, 20), expected, "{size}");
        }
        let lines = "data: 12345\n".repeat(5) + "\ndata: 3\n\n";
        assert_eq!(all(lines.as_bytes(), 7, 20), [Told::TooLong, event("message", "", "3")]);
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let mut bytes = Vec::new();
        for round in 0..2000_u32 {
            let letters = b"data: id\r\n\n\0\xff:\xef\xbb\xbf retry1event";
            bytes.push(letters[fastrand::usize(..letters.len())]);
            if round % 100 == 0 {
                all(&bytes, 1 + round as usize % 13, 30);
            }
        }
    }
}
