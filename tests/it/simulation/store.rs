//! Knowledge at the end of a way.

use super::link::{Link, What, Wire};
use super::world::World;
use futures::StreamExt;
use mape::channel::Pattern;
use mape::event::Event;
use mape::knowledge::{
    Changes, Command, Committed, Cursor, Error, Filter, Key, LogStep, Notice, Page, Pop, Popped, Reply,
    Store, Transaction, ValueCommand,
};
use mape::stream::Answer;
use mape::workflow::{Place, RunId};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The store as a process sees it.
#[derive(Debug)]
pub(super) struct SlowStore(pub(super) Arc<Link>);

fn away(key: &Key) -> impl Fn(&'static str) -> Error + use<> {
    let key = key.clone();
    move |why| Error::Unavailable { key: key.clone(), source: Box::new(io::Error::other(why)) }
}

/// In an order that is the same each time.
fn ordered(command: &Command, mut reply: Reply) -> Reply {
    match &mut reply {
        Reply::List(list) if matches!(command, Command::Set(_) | Command::Hash(_)) => {
            list.sort_by(|a, b| a[..].cmp(&b[..]));
        }
        Reply::Pairs(pairs) => pairs.sort_by(|(a, _), (b, _)| a[..].cmp(&b[..])),
        _ => {}
    }
    reply
}

impl SlowStore {
    fn what<D: fmt::Debug>(&self, name: &'static str, key: &Key, all: &D) -> What {
        let told = if self.0.world.tells() { format!("{all:?}") } else { String::new() };
        What { name, on: key.as_str().into(), told }
    }
}

impl Store for SlowStore {
    fn run(&self, key: &Key, command: Command) -> Answer<Result<Reply, Error>> {
        let (link, key, what) = (self.0.clone(), key.clone(), self.what("run", key, &command));
        Answer::pending(async move {
            let store = link.world.store.clone();
            let perform = || store.run(&key, command.clone());
            Ok(ordered(&command, link.call(what, perform, away(&key)).await?))
        })
    }

    fn pop(&self, key: &Key, from: Pop) -> Answer<Result<Popped, Error>> {
        let (link, key, what) = (self.0.clone(), key.clone(), self.what("pop", key, &from));
        Answer::pending(async move {
            let store = link.world.store.clone();
            link.call(what, || store.pop(&key, from), away(&key)).await
        })
    }

    fn commit(&self, transaction: Transaction) -> Answer<Result<Committed, Error>> {
        let commands: Vec<Command> = transaction.steps().iter().map(|(_, command)| command.clone()).collect();
        let first = transaction.steps().first().map_or_else(|| Key::from(""), |(key, _)| key.clone());
        let (link, what) = (self.0.clone(), self.what("commit", &first, &transaction));
        Answer::pending(async move {
            let (store, caller) = (link.world.store.clone(), link.clone());
            let perform = move || {
                if is_sign_of_life(&transaction) {
                    caller.lives();
                }
                let starts = starts(&transaction);
                // The backend in memory answers at once.
                let committed = store.commit(transaction).now();
                if let Ok(Ok(_)) = &committed {
                    for (run, at) in starts {
                        caller.world.ledger.begin(&caller, caller.world.at(), &run, at, true);
                    }
                }
                committed.map_or_else(|answer| answer, Answer::ready)
            };
            let mut committed = link.call(what, perform, away(&first)).await?;
            for (command, reply) in commands.iter().zip(&mut committed.replies) {
                let given = std::mem::replace(reply, Reply::Nil);
                *reply = ordered(command, given);
            }
            Ok(committed)
        })
    }

    /// All at once, in order.
    fn scan(&self, pattern: &Pattern, _: Cursor) -> Answer<Result<Page, Error>> {
        let (link, pattern) = (self.0.clone(), pattern.clone());
        let what = self.what("scan", &Key::from(pattern.as_str()), &());
        Answer::pending(async move {
            let keys = all_keys(&link.world, &pattern).await?;
            let perform = || Answer::ready(Ok(Page { keys, next: None }));
            link.call(what, perform, away(&Key::from(""))).await
        })
    }

    fn watch(&self, filter: Filter) -> Answer<Result<Changes, Error>> {
        let (link, what) = (self.0.clone(), self.what("watch", &Key::from(""), &filter));
        Answer::pending(async move {
            let store = link.world.store.clone();
            let perform = || store.watch(filter.clone());
            let changes = link.clone().call(what, perform, away(&Key::from(""))).await?;
            Ok(relayed(link, filter, changes))
        })
    }
}

/// The keys that match, in order.
pub(super) async fn all_keys(world: &World, pattern: &Pattern) -> Result<Vec<Key>, Error> {
    let (mut keys, mut next) = (Vec::new(), Some(Cursor::default()));
    while let Some(from) = next {
        let page = world.store.scan(pattern, from).await?;
        keys.extend(page.keys);
        next = page.next;
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// What a transaction tells those who work elsewhere to do.
fn starts(transaction: &Transaction) -> Vec<(RunId, (Place, u32))> {
    let events = transaction.log_steps().iter().filter_map(|step| match step {
        LogStep::Append(_, event) if event.is("start-task") => Some(event),
        _ => None,
    });
    let number = |event: &Event, name: &str| event.get(name).and_then(|n| u32::try_from(n.as_u64()?).ok());
    let starts = events.map(|event| {
        let run = event.get("workflow").and_then(|run| Some(RunId::from(run.as_str()?))).unwrap();
        let place = Place { node: number(event, "index").unwrap(), part: number(event, "part").unwrap_or(0) };
        (run, (place, number(event, "attempt").unwrap_or(1)))
    });
    starts.collect()
}

/// Something that is kept for as long as a lease.
fn is_sign_of_life(transaction: &Transaction) -> bool {
    let mut steps = transaction.steps().iter();
    steps.any(|(key, command)| {
        key.as_str().contains("engine")
            && matches!(command, Command::Value(ValueCommand::Set { expiry: Some(_), .. }))
    })
}

/// Changes on their way: late, and lost while the way is cut, which is told.
fn relayed(link: Arc<Link>, filter: Filter, mut changes: Changes) -> Changes {
    let (alive, mut gone) = oneshot::channel::<()>();
    let (sender, relayed) = Changes::bounded(filter, move || drop(alive));
    let relay = async move {
        let mut wire = Wire::Up;
        loop {
            tokio::select! {
                biased;
                _ = &mut gone => return,
                now = link.until(|now| now != wire) => {
                    wire = now;
                    match now {
                        Wire::Dead => return,
                        Wire::Up => sender.interrupted(),
                        Wire::Hangs | Wire::Fails => {}
                    }
                }
                notice = changes.next() => {
                    let Some(notice) = notice else { return };
                    let delay = link.world.delay();
                    tokio::time::sleep(delay).await;
                    if link.wire() == Wire::Up {
                        match notice {
                            Notice::Change(change) => sender.send(&change),
                            Notice::Missed(n) => sender.missed(n),
                            Notice::Interrupted => sender.interrupted(),
                        }
                    }
                }
            }
        }
    };
    // It ends with the process, or with whoever watches.
    drop(tokio::spawn(relay));
    relayed
}
