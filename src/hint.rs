//! "Did you mean …?"

/// The levels of a log.
#[cfg(any(feature = "config", feature = "logs"))]
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Whether a text says what to log, as far as its words go; why not. Its directives have the form `level`,
/// `target=level` or `target::path`, and may name spans in brackets, which are not looked into.
#[cfg(any(feature = "config", feature = "logs"))]
pub(crate) fn log_filter(text: &str) -> Result<(), String> {
    if text.contains(['[', '{']) {
        return Ok(());
    }
    for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (target, level) = match directive.rsplit_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            // All of a target, if it is a path; a word may as well be a level with a slip.
            None if directive.contains("::") => (Some(directive), "trace"),
            None => (None, directive),
        };
        if target.is_some_and(|target| target.is_empty() || target.ends_with(':') || target.contains(' ')) {
            return Err(format!("`{directive}` names no target: write it like my_program=debug"));
        }
        if !LEVELS.contains(&level.to_lowercase().as_str())
            && !matches!(level, "0" | "1" | "2" | "3" | "4" | "5")
        {
            let near = nearest(level, LEVELS).map(|near| format!("did you mean `{near}`? "));
            let near = near.unwrap_or_default();
            let whole = if target.is_none() {
                format!("; for all of a target write {level}=trace")
            } else {
                String::new()
            };
            return Err(format!("`{level}` is no level: {near}There are {}{whole}", LEVELS.join(", ")));
        }
    }
    Ok(())
}

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

    #[cfg(any(feature = "config", feature = "logs"))]
    #[test]
    fn a_lone_word_of_a_log_filter_is_a_level() {
        for right in [
            "info",
            "WARN",
            "off",
            "",
            "3",
            "info,mape::element=debug",
            "mape::http",
            "warn, x=off",
            "[a{b=1}]=x",
        ] {
            assert_eq!(log_filter(right), Ok(()), "{right}");
        }
        for (wrong, says) in [
            ("wran", "did you mean `warn`?"),
            ("info,mape=bogus", "`bogus` is no level"),
            ("info,mape::=debug", "names no target"),
            ("my_program", "my_program=trace"),
            ("=info", "names no target"),
        ] {
            let why = log_filter(wrong).unwrap_err();
            assert!(why.contains(says), "{wrong}: {why}");
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
