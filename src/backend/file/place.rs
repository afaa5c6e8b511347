//! Which directory a URL names.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The directory behind `file:`: a path as it is, or `//` and an absolute one in which `%` stands for bytes.
///
/// # Errors
/// What is wrong with it and what to write.
pub(in crate::backend) fn dir(rest: &str) -> Result<PathBuf, &'static str> {
    let path = match rest.strip_prefix("//") {
        None => rest.into(),
        Some(url) => {
            let path = url.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(url);
            if !path.starts_with('/') {
                return Err("a directory of another host cannot be used; write `file:DIR` or `file:///DIR`");
            }
            decode(path)
                .ok_or("a `%` needs two hexadecimal digits behind it; write `%25` for the sign itself")?
        }
    };
    if path.is_empty() {
        return Err("it names no directory; write `file:DIR`, such as `file:./data`");
    }
    if path.as_encoded_bytes().contains(&0) {
        return Err("a path has no zero bytes in it; write `file:DIR`, such as `file:./data`");
    }
    Ok(path.into())
}

fn decode(path: &str) -> Option<OsString> {
    let mut pieces = path.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, after) = piece.split_at_checked(2)?;
        // `from_str_radix` would take a sign.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(after.as_bytes());
    }
    Some(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is_and_a_url_is_decoded() {
        for (rest, expected) in [
            ("data", "data"),
            ("./a%20b", "./a%20b"),
            ("/abs", "/abs"),
            ("///abs", "/abs"),
            ("///a%20b%C3%BC", "/a bü"),
            ("//localhost/abs", "/abs"),
        ] {
            assert_eq!(dir(rest), Ok(expected.into()), "{rest}");
        }
        for (rest, expected) in [
            ("", "names no directory"),
            ("//host/abs", "another host"),
            ("//", "another host"),
            ("///a%2", "two hexadecimal digits"),
            ("///a%+1", "two hexadecimal digits"),
            ("///a%00", "zero bytes"),
        ] {
            assert!(dir(rest).unwrap_err().contains(expected), "{rest}");
        }
    }
}
