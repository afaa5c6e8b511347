//! As much of protobuf as is needed here: fields with their numbers, one behind the other.

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How the value of a field is written.
const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

impl Message {
    /// A message with what `fill` writes.
    pub(super) fn of(fill: impl FnOnce(&mut Self)) -> Self {
        let mut message = Self::default();
        fill(&mut message);
        message
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An `int64`, `uint32`, `bool` or `enum`.
    pub(super) fn number(&mut self, field: u32, value: u64) {
        self.tag(field, VARINT);
        self.varint(value);
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        self.tag(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub(super) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A text; an empty one is not written.
    pub(super) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A message inside of this one, with what `fill` writes.
    pub(super) fn message(&mut self, field: u32, fill: impl FnOnce(&mut Self)) {
        let inner = Self::of(fill);
        self.bytes(field, &inner.0);
    }

    /// `fixed64`s or `double`s, packed.
    pub(super) fn packed(&mut self, field: u32, values: impl IntoIterator<Item = u64>) {
        let bytes: Vec<u8> = values.into_iter().flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes);
    }

    fn tag(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A field that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// Of eight or four bytes.
    Fixed,
}

/// The fields of a message, until one is broken.
pub(super) fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, Read<'_>)> {
    std::iter::from_fn(move || {
        let tag = read_varint(&mut bytes)?;
        let mut take = |count: usize| {
            let (taken, rest) = bytes.split_at_checked(count)?;
            bytes = rest;
            Some(taken)
        };
        let value = match u32::try_from(tag & 7).ok()? {
            FIXED64 => take(8).map(|_| Read::Fixed)?,
            FIXED32 => take(4).map(|_| Read::Fixed)?,
            VARINT => Read::Number(read_varint(&mut bytes)?),
            BYTES => {
                let count = usize::try_from(read_varint(&mut bytes)?).ok()?;
                let (taken, rest) = bytes.split_at_checked(count)?;
                bytes = rest;
                Read::Bytes(taken)
            }
            _ => return None,
        };
        Some((tag >> 3, value))
    })
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_protobuf_says() {
        // The examples of its documentation.
        assert_eq!(Message::of(|m| m.number(1, 150)).into_bytes(), [0x08, 0x96, 0x01]);
        let text = Message::of(|m| m.text(2, "testing")).into_bytes();
        assert_eq!(text, [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
        assert_eq!(Message::of(|m| m.message(3, |m| m.number(1, 150))).into_bytes(), [0x1a, 3, 8, 0x96, 1]);
        assert!(Message::of(|m| m.text(2, "")).into_bytes().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn numbers_and_texts_come_back(number: u64, field in 1..1000_u32, text in "\\PC{1,20}") {
            let written = Message::of(|m| {
                m.number(field, number);
                m.fixed64(1, 7);
                m.fixed32(2, 7);
                m.text(field, &text);
            });
            let bytes = written.into_bytes();
            let read: Vec<_> = fields(&bytes).collect();
            let field = u64::from(field);
            let expected = [
                (field, Read::Number(number)), (1, Read::Fixed), (2, Read::Fixed), (field, Read::Bytes(text.as_bytes())),
            ];
            proptest::prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>) {
            let _ = fields(&bytes).count();
        }
    }
}
