//! Where a JSON value ends, before anybody knows whether it is one.

/// The length of the object or array that a text begins with, found by its brackets; text in quotes is skipped.
///
/// Where that fails, the place where it does: no JSON can have what stands there.
pub(super) fn of_json(text: &str) -> Result<usize, usize> {
    // Closing brackets that are due, innermost last.
    let mut due: Vec<u8> = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' => due.push(b'}'),
            b'[' => due.push(b']'),
            b'}' | b']' => {
                if due.pop() != Some(byte) {
                    return Err(at);
                }
                if due.is_empty() {
                    return Ok(at + 1);
                }
            }
            b'"' => end_of_string(&mut bytes).ok_or(at)?,
            b':' | b',' | b'+' | b'-' | b'.' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return Err(at),
        }
    }
    Err(text.len())
}

/// Goes behind the quote that ends a string; strings end with their line.
fn end_of_string(bytes: &mut impl Iterator<Item = (usize, u8)>) -> Option<()> {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(()),
            b'\\' => drop(bytes.next()),
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::of_json;

    #[test]
    fn a_value_ends_at_its_own_bracket() {
        for (text, length) in [
            ("{}x", 2),
            (r#"{"a":{"b":1}})"#, 13),
            (r#"{"a": "}) \" }"}>"#, 16),
            ("[[1],[2]])", 9),
            ("[{\n\"a\": tru}]", 13),
        ] {
            assert_eq!(of_json(text), Ok(length), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_fails_where_it_is_none() {
        for (text, at) in [("{'a': 1}", 1), ("{\"a\": 1)", 7), ("{\"a\n\"}", 1), ("[1}", 2), ("{", 1)] {
            assert_eq!(of_json(text), Err(at), "{text}");
        }
    }
}
