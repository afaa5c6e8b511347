//! What writers tell those who watch, on the channel of each watched key.

use crate::knowledge::{Data, Key, Operation};
use std::time::Duration;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// A transaction begins: the server's own notices about the key are of it until the end.
    Begin,
    End,
    /// Somebody wrote without telling what, because it did not know yet that the key was watched.
    Missed(u64),
    /// Somebody took what it had waited for. The server may have told that, too.
    Taken(Vec<Changed>),
    /// A command changed something.
    Changes {
        /// Whether there was such a key before.
        was: bool,
        changes: Vec<Changed>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Changed {
    pub(super) operation: Operation,
    pub(super) field: Option<Data>,
    pub(super) old: Option<Data>,
    pub(super) new: Option<Data>,
    /// How long the key lives, if that is what changed; `old` is what it holds then.
    pub(super) lives: Option<Duration>,
}

/// That one write was not told.
pub(super) const MISSED_ONE: &str = "m1";

impl Told {
    /// What a message says; `None` if it is of no form that is known.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        match message {
            b"b" => Some(Self::Begin),
            b"e" => Some(Self::End),
            [b'm', count @ ..] => Some(Self::Missed(std::str::from_utf8(count).ok()?.parse().ok()?)),
            [b't', rest @ ..] => Some(Self::Taken(changes(rest)?)),
            [b'c', was @ (b'0' | b'1'), rest @ ..] => {
                Some(Self::Changes { was: *was == b'1', changes: changes(rest)? })
            }
            _ => None,
        }
    }
}

/// The message that something was taken.
pub(super) fn taken(operation: &str, field: Option<&Data>, old: &Data) -> Vec<u8> {
    let mut message = format!("t{operation} ").into_bytes();
    for part in [field, Some(old), None] {
        match part {
            Some(part) => {
                message.extend_from_slice(format!("{}:", part.len()).as_bytes());
                message.extend_from_slice(part);
            }
            None => message.push(b'-'),
        }
    }
    message
}

fn changes(mut rest: &[u8]) -> Option<Vec<Changed>> {
    let mut changes = Vec::new();
    while !rest.is_empty() {
        changes.push(changed(&mut rest)?);
    }
    Some(changes)
}

/// `OPERATION FIELD OLD NEW`, the last three without spaces between them.
fn changed(rest: &mut &[u8]) -> Option<Changed> {
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let operation = std::str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
    *rest = rest.get(space + 1..)?;
    let (field, old, mut new) = (part(rest)?, part(rest)?, part(rest)?);
    let mut lives = None;
    if operation == Operation::Expire {
        let millis: i64 = new.take()?.as_str()?.parse().ok()?;
        lives = Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
    }
    if matches!(
        operation,
        Operation::Zadd | Operation::Zincr | Operation::Zrem | Operation::Zpopmin | Operation::Zpopmax
    ) {
        return Some(Changed { operation, field, old: score(old)?, new: score(new)?, lives });
    }
    Some(Changed { operation, field, old, new, lives })
}

/// `LENGTH:BYTES`, or `-` for nothing.
#[expect(clippy::option_option, reason = "no part, a part that is nothing, or bytes")]
fn part(rest: &mut &[u8]) -> Option<Option<Data>> {
    if let Some(behind) = rest.strip_prefix(b"-") {
        *rest = behind;
        return Some(None);
    }
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let len: usize = std::str::from_utf8(rest.get(..colon)?).ok()?.parse().ok()?;
    let bytes = rest.get(colon + 1..)?;
    *rest = bytes.get(len..)?;
    Some(Some(Data::from(bytes.get(..len)?)))
}

/// A score as changes show it, from the server's text of it.
#[expect(clippy::option_option, reason = "no score, nothing where one may be, or a score")]
fn score(text: Option<Data>) -> Option<Option<Data>> {
    let Some(text) = text else { return Some(None) };
    let score: f64 = text.as_str()?.parse().ok()?;
    Some(Some(score.to_string().into()))
}

/// The channels on which watchers are told.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    /// What stands before the key, where writers tell.
    pub(super) told: String,
    /// What stands before the key, where the server tells of its own, if it is set up to.
    pub(super) events: String,
    /// What the names of keys begin with that are written to tell that somebody watches more.
    pub(super) additions: String,
}

impl Channels {
    /// Channels are one for all databases of a server, so their names tell them apart.
    pub(super) fn of(prefix: &str, db: u32) -> Self {
        Self {
            told: format!("{prefix}mape:watch:{db}:"),
            events: format!("__keyspace@{db}__:{prefix}"),
            additions: format!("{prefix}mape:watchers:{db}:"),
        }
    }

    pub(super) fn of_key(&self, key: &Key) -> String {
        format!("{}{key}", self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_told_and_no_bytes_are_believed() {
        let told = Told::parse(b"c1hset 1:f-3:a \xffdel ---zadd 1:m-19:0.30000000000000004").unwrap();
        let Told::Changes { was: true, changes } = told else { panic!("{told:?}") };
        assert_eq!(changes.len(), 3);
        assert_eq!(changes[0].new, Some(Data::from(b"a \xff".as_slice())));
        assert_eq!(changes[1].operation, Operation::Del);
        assert_eq!(changes[2].new, Some("0.30000000000000004".into()));
        let expire = Told::parse(b"c0expire -1:v3:500").unwrap();
        let Told::Changes { was: false, changes } = expire else { panic!("{expire:?}") };
        assert_eq!((changes[0].lives, &changes[0].new), (Some(Duration::from_millis(500)), &None));
        let Some(Told::Taken(changes)) = Told::parse(&taken("zpopmin", Some(&"m".into()), &"2.5".into()))
        else {
            panic!()
        };
        assert_eq!((&changes[0].field, &changes[0].old), (&Some("m".into()), &Some("2.5".into())));
        assert_eq!(Told::parse(MISSED_ONE.as_bytes()), Some(Told::Missed(1)));
        for bad in ["", "x", "c", "c2", "c1set ", "c1set 5:a--", "c1nonsense ---", "m", "c1expire ---"] {
            assert_eq!(Told::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
