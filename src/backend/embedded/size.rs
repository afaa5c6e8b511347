//! What is too large to be kept.

use super::durable::Trouble;
use crate::event::{self, Event, LogName};
use crate::knowledge::{
    Command, Data, Error, HashCommand, Key, ListCommand, LogStep, SetCommand, SortedCommand, Transaction,
    ValueCommand,
};

/// The longest key, field, value or event that a file takes, in bytes; a row of three has to stay below 10^9.
///
/// It is asked for before anything is done: what cannot be written would hold up everything behind it.
const LONGEST: usize = 256 << 20;

pub(super) fn check(key: &Key, command: &Command) -> Result<(), Error> {
    check_length(key.len().max(longest(command))).map_err(|trouble| trouble.with_key(key))
}

pub(super) fn check_all(transaction: &Transaction) -> Result<(), Error> {
    for (key, command) in transaction.steps() {
        check(key, command)?;
    }
    for step in transaction.log_steps() {
        if let LogStep::Append(log, event) = step {
            let checked = check_length(json_length(event));
            checked.map_err(|trouble| trouble.with_key(&log.as_str().into()))?;
        }
    }
    Ok(())
}

pub(super) fn check_events<'a>(
    log: &LogName,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), event::Error> {
    let longest = events.into_iter().map(json_length).max().unwrap_or(0);
    check_length(longest).map_err(|trouble| trouble.with_log(log))
}

fn check_length(length: usize) -> Result<(), Trouble> {
    if length <= LONGEST {
        return Ok(());
    }
    let why = format!("{length} bytes in one piece are too much to be kept; {LONGEST} are the most");
    Err(Trouble::Refused(why.into()))
}

/// About the length of an event as JSON.
pub(super) fn json_length(event: &Event) -> usize {
    event.fields().map(|(name, json)| name.len() + json.len() + 4).sum()
}

/// The longest piece of data that the command puts in.
fn longest(command: &Command) -> usize {
    fn of<'a>(pieces: impl Iterator<Item = &'a Data>) -> usize {
        pieces.map(|data| data.len()).max().unwrap_or(0)
    }
    match command {
        Command::Value(ValueCommand::Set { value, .. }) => value.len(),
        Command::Hash(HashCommand::Set(pairs)) => of(pairs.iter().flat_map(|(field, value)| [field, value])),
        Command::Hash(HashCommand::Increment(field, _)) => field.len(),
        Command::Set(SetCommand::Add(members)) => of(members.iter()),
        Command::List(ListCommand::Push(_, items)) => of(items.iter()),
        Command::List(ListCommand::Set(_, item)) => item.len(),
        Command::Sorted(SortedCommand::Add(pairs)) => of(pairs.iter().map(|(member, _)| member)),
        Command::Sorted(SortedCommand::Increment(member, _)) => member.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_row_cannot_hold_is_refused() {
        let set = |length: usize| ValueCommand::Set { value: vec![b'x'; length].into(), expiry: None }.into();
        let key = Key::from("k");
        assert!(check(&key, &set(LONGEST)).is_ok());
        let Err(Error::Refused { source: why, .. }) = check(&key, &set(LONGEST + 1)) else { panic!() };
        let why = why.to_string();
        assert!(why.contains("268435457 bytes in one piece are too much to be kept"), "{why}");
    }
}
