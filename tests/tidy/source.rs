//! The files of the repository, and Rust code without its comments and literals.

use std::fs;
use std::path::{Component, Path, PathBuf};

pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Of a Rust file, the text with comments and the inside of literals blanked; lines stay where they are.
    pub(super) code: String,
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn files_below(folder: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["target", ".git", "out"].contains(&name.as_str()) {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    files.into_iter()
}

/// The text files below a folder that end so.
fn read_below(folder: &str, ends: &[&str]) -> Vec<File> {
    files_below(folder)
        .filter(|path| path.extension().is_some_and(|end| ends.iter().any(|wanted| end == *wanted)))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code =
                if path.extension().is_some_and(|end| end == "rs") { blanked(&text) } else { String::new() };
            let relative = path.strip_prefix(root()).unwrap();
            let parts = relative.components().map(|part| match part {
                Component::Normal(part) => part.to_string_lossy().into_owned(),
                other => unreachable!("{other:?} in a path of the repository"),
            });
            File { path: parts.collect::<Vec<_>>().join("/"), text, code }
        })
        .collect()
}

pub(super) fn sources(folder: &str) -> Vec<File> {
    let files = read_below(folder, &["rs"]);
    assert!(!files.is_empty(), "no source files below {folder}");
    files
}

pub(super) fn all_rust() -> Vec<File> {
    ["src", "tests", "benches", "examples"].iter().flat_map(|folder| read_below(folder, &["rs"])).collect()
}

pub(super) fn texts() -> Vec<File> {
    read_below("", &["rs", "md", "toml", "yaml", "yml", "sh", "html", "css", "js", "flow"])
}

pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Rust code with comments and the inside of literals replaced by blanks.
pub(super) fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let Some(end) = literal_or_comment(&chars, at) else {
            code.push(chars[at]);
            at += 1;
            continue;
        };
        let end = end.min(chars.len());
        code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    code
}

/// Where the comment, text or character that begins here ends; none if none begins here.
fn literal_or_comment(chars: &[char], at: usize) -> Option<usize> {
    let get = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let find = |from: usize, wanted: &dyn Fn(usize) -> bool| (from..chars.len()).find(|index| wanted(*index));
    match (get(at), get(at + 1)) {
        ('/', '/') => Some(find(at, &|index| get(index) == '\n').unwrap_or(chars.len())),
        ('/', '*') => Some(end_of_block_comment(chars, at)),
        ('"', _) => {
            let mut index = at + 1;
            while index < chars.len() && get(index) != '"' {
                index += if get(index) == '\\' { 2 } else { 1 };
            }
            Some(index + 1)
        }
        ('r', '"' | '#')
            if at == 0 || !(get(at - 1).is_alphanumeric() || get(at - 1) == '_') || get(at - 1) == 'b' =>
        {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            let open = at + 1 + hashes;
            // `r#name` is an identifier.
            (get(open) == '"').then(|| {
                let closes =
                    |index: usize| get(index) == '"' && (1..=hashes).all(|hash| get(index + hash) == '#');
                find(open + 1, &closes).map_or(chars.len(), |index| index + 1 + hashes)
            })
        }
        ('\'', '\\') => find(at + 3, &|index| get(index) == '\'').map(|index| index + 1),
        // Anything else behind a quote is a lifetime.
        ('\'', _) if get(at + 2) == '\'' => Some(at + 3),
        _ => None,
    }
}

/// Block comments nest.
fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let (mut open, mut at) = (0, start);
    while at < chars.len() {
        match chars.get(at..at + 2) {
            Some(['/', '*']) => open += 1,
            Some(['*', '/']) => open -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if open == 0 {
            break;
        }
    }
    at
}

/// Line, name and number of lines of every function with a body.
pub(super) fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let joined = code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if joined || name.is_empty() {
            continue;
        }
        let (mut brackets, mut braces, mut lines) = (0, 0, 1);
        for c in code[at..].chars() {
            match c {
                '\n' => lines += 1,
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                // The end of a declaration without a body.
                ';' if braces == 0 && brackets == 0 => break,
                '{' => braces += 1,
                '}' => {
                    braces -= 1;
                    if braces == 0 {
                        let line = code[..at].matches('\n').count() + 1;
                        found.push((line, name.clone(), lines));
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn functions_are_measured_from_their_name_to_their_last_brace() {
    let code = "trait T {\n fn a(&self);\n fn b() -> [u8; 2] {\n {}\n }\n}\nfn c()\nwhere\n T: Fn(),\n{\n}\n";
    let expected = [(3, "b".to_owned(), 3), (7, "c".to_owned(), 5)];
    assert_eq!(functions(code), expected);
}
