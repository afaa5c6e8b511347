//! What others write beside a trace.

/// The most members of a list.
const MEMBERS: usize = 32;

/// A `tracestate` as it is, or nothing if it is none by the rules of the standard.
pub(super) fn checked(text: &str) -> Option<&str> {
    let text = text.trim_matches([' ', '\t']);
    let members = || text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|m| !m.is_empty());
    let is_right = members().count() <= MEMBERS
        && members()
            .all(|member| member.split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value)))
        && members()
            .enumerate()
            .all(|(at, member)| members().skip(at + 1).all(|other| key_of(other) != key_of(member)));
    (is_right && members().next().is_some()).then_some(text)
}

fn key_of(member: &str) -> &str {
    member.split('=').next().unwrap_or_default()
}

fn is_key(key: &str) -> bool {
    let fits = |text: &str, longest: usize, begins: fn(&u8) -> bool| {
        let rest = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
        text.len() <= longest
            && text.as_bytes().first().is_some_and(begins)
            && text.as_bytes().iter().all(rest)
    };
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match key.split_once('@') {
        Some((tenant, system)) => fits(tenant, 241, begins) && fits(system, 14, u8::is_ascii_lowercase),
        None => fits(key, 256, begins),
    }
}

fn is_value(value: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(fits) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_allows_is_kept_as_it_is() {
        for text in ["foo=1", "foo=1,bar=2", "foo=1 ,\tbar=2", "foo@bar=1,1a-_*/=x y", "foo=1,,bar=2"] {
            assert_eq!(checked(text), Some(text));
        }
        let (most, more) =
            ([32, 33]).map(|n| (0..n).map(|k| format!("k{k}=1")).collect::<Vec<_>>().join(",")).into();
        assert_eq!((checked(&most), checked(&more)), (Some(most.as_str()), None));
        let (longest, longer) = (format!("a=1,{}=1", "z".repeat(256)), format!("{}=1", "z".repeat(257)));
        assert_eq!((checked(&longest), checked(&longer)), (Some(longest.as_str()), None));
    }

    #[test]
    fn what_is_none_is_left_out() {
        for text in [
            "",
            " ",
            ",",
            "foo",
            "foo=",
            "=1",
            "FOO=1",
            "foo =1",
            "foo.bar=1",
            "foo@=1,bar=2",
            "@foo=1",
            "foo@@bar=1",
            "foo=1,foo=1",
            "foo=bar=baz",
            "foo=é",
            "foo@1bar=1",
        ] {
            assert_eq!(checked(text), None, "{text}");
        }
    }
}
