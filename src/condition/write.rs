//! Writing the text form.

use super::json;
use super::lexer::{JOINS, PREFIXES};
use super::literal;
use super::operator::Operator;
use super::tree::{Atom, Chain, Join, Node, Subject};

/// The text form, or the JSON form as text where that has no words for something: constants, objects, and keys without
/// a name within others.
pub(super) fn written(node: &Node) -> String {
    text(node).unwrap_or_else(|| json::written(node).to_string())
}

fn text(node: &Node) -> Option<String> {
    Some(match node {
        Node::Constant(_) => return None,
        Node::Atom(atom) => atom_text(atom)?,
        Node::Not(node) => format!("not [{}]", text(node)?),
        Node::Chain(chain) => {
            let Chain { first, rest } = &**chain;
            let mut written = operand(first)?;
            for (join, node) in rest {
                written.push(' ');
                written.push_str(match join {
                    Join::AndNot => "and not",
                    Join::OrNot => "or not",
                    other => other.word(),
                });
                written.push(' ');
                let operand = operand(node)?;
                // Behind `and` and `or` it would become a part of them.
                if join.negated().is_some() && operand.starts_with("not ") {
                    written = format!("{written}[{operand}]");
                } else {
                    written.push_str(&operand);
                }
            }
            written
        }
    })
}

fn operand(node: &Node) -> Option<String> {
    match node {
        Node::Chain(_) => Some(format!("[{}]", text(node)?)),
        other => text(other),
    }
}

fn atom_text(atom: &Atom) -> Option<String> {
    let key = match &atom.subject {
        Subject::Named(name, _) => format!(":{}", escaped(name)),
        Subject::Path(path) => {
            let written = path.written()?;
            let reserved = JOINS.contains(&&*written) || PREFIXES.contains(&&*written);
            if written.is_empty() || reserved { format!("\"{written}\"") } else { written }
        }
    };
    let plain = !atom.reversed && atom.operator == Operator::Truthy;
    if plain {
        return Some(if atom.negated { format!("not {key}") } else { key });
    }
    let not = if atom.negated { "not " } else { "" };
    let rev = if atom.reversed { "rev " } else { "" };
    let name = atom.operator.name();
    Some(if atom.operator.takes_a_value() {
        format!("{key} {not}{rev}{name} {}", literal::written(&atom.literal)?)
    } else {
        format!("{key} {not}{rev}{name} 0")
    })
}

fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_whitespace() || matches!(char, '[' | ']' | '\\' | '"' | '\'' | ',') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}
