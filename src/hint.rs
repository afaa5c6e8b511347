//! "Did you mean …?"

/// The known name that a wrong one was most likely meant to be.
///
/// Nearest by [`distance`], at most two slips away and fewer than half of the letters of the shorter name.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|name| (distance(&wrong, &name.to_lowercase()), name))
        .filter(|(slips, name)| *slips <= 2 && slips * 2 < name.len().min(wrong.len()))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// How many slips of the pen lie between two words: a letter missing, added, replaced, or two neighbours swapped.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Three rows of the table of distances between beginnings of the two words.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let mut best =
                (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped && x != y {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_one_letter_missing_added_replaced_or_two_swapped() {
        for (a, b, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("backend", "bakend", 1),
            ("backend", "backends", 1),
            ("backend", "backand", 1),
            ("backend", "bakcend", 1),
            ("url", "lur", 2),
            ("größe", "grosse", 3),
        ] {
            assert_eq!(distance(a, b), slips, "{a} {b}");
            assert_eq!(distance(b, a), slips, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_distant_one_is_not() {
        let known = ["url", "username", "password"];
        assert_eq!(nearest("usrname", known), Some("username"));
        assert_eq!(nearest("URL", known), Some("url"));
        assert_eq!(nearest("ulr", known), Some("url"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("u", known), None);
    }
}
