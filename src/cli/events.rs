//! Server-sent events.

/// Server-sent events as their text comes in.
#[derive(Default)]
pub(super) struct Events {
    text: Vec<u8>,
    /// Up to here no event ends.
    looked: usize,
}

impl Events {
    pub(super) fn push(&mut self, part: &[u8]) {
        self.text.extend_from_slice(part);
    }

    /// The next event that is whole: its kind, which an item has none of, and its data.
    pub(super) fn next(&mut self) -> Option<(String, String)> {
        loop {
            let rest = self.text.get(self.looked..).unwrap_or_default();
            let Some(end) = memchr::memmem::find(rest, b"\n\n") else {
                // Of the two that end it, one may be there.
                self.looked = self.text.len().saturating_sub(1);
                return None;
            };
            let event: Vec<u8> = self.text.drain(..self.looked + end + 2).collect();
            self.looked = 0;
            let event = String::from_utf8_lossy(&event).into_owned();
            let field =
                |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            // Others are signs of life.
            if let Some(data) = field("data:") {
                return Some((field("event:").unwrap_or_default().to_owned(), data.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_their_text_is_cut() {
        let text = b":\n\ndata: 1\n\nevent: missed\ndata: {\"missed\":2}\n\n:\n\ndata: \"three\"\n\n";
        for size in 1..text.len() {
            let (mut events, mut found) = (Events::default(), Vec::new());
            for part in text.chunks(size) {
                events.push(part);
                found.extend(std::iter::from_fn(|| events.next()));
            }
            let found: Vec<_> = found.iter().map(|(kind, data)| (kind.as_str(), data.as_str())).collect();
            assert_eq!(found, [("", "1"), ("missed", "{\"missed\":2}"), ("", "\"three\"")]);
        }
    }
}
