//! Commands on knowledge as Redis knows them.

use super::replies::Shape;
use crate::knowledge::{
    Command, Data, End, Error, HashCommand, Items, Key, KeyCommand, Kind, ListCommand, SetCommand,
    SortedCommand, ValueCommand,
};
use redis::Cmd;
use smallvec::{SmallVec, smallvec};
use std::time::Duration;

/// A command as it is sent: its name, the key, then the arguments.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) name: &'static str,
    pub(super) args: SmallVec<[Data; 3]>,
    /// The kind that its key has to be of, if it exists.
    pub(super) asked: Option<Kind>,
    /// What comes back.
    pub(super) shape: Shape,
    pub(super) writes: bool,
}

type Args = SmallVec<[Data; 3]>;

/// The longest time to live that is sent; what lasts longer than all clocks lasts this long.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 10_000);

impl Wire {
    /// The command under its name on Redis.
    ///
    /// # Errors
    /// [`Error::NotAScore`], which is not left to the server, because it would also come half way through a script.
    pub(super) fn of(key: &Key, command: Command) -> Result<Self, Error> {
        Ok(match command {
            Command::Key(command) => of_key(command),
            Command::Value(command) => of_value(command),
            Command::Hash(command) => of_hash(command),
            Command::Set(command) => of_set(command),
            Command::List(command) => of_list(command),
            Command::Sorted(command) => {
                let nan = match &command {
                    SortedCommand::Add(pairs) => pairs.iter().any(|(_, score)| score.is_nan()),
                    SortedCommand::Increment(_, by) => by.is_nan(),
                    _ => false,
                };
                if nan {
                    return Err(Error::NotAScore { key: key.clone() });
                }
                of_sorted(command)
            }
        })
    }

    /// The command to be sent by itself.
    pub(super) fn cmd(&self, key: &str) -> Cmd {
        let mut cmd = Cmd::with_capacity(self.args.len() + 2, 64);
        cmd.arg(self.name).arg(key);
        for arg in &self.args {
            cmd.arg(arg.as_slice());
        }
        cmd
    }

    /// Whether it can fail although its key is of the right kind.
    pub(super) fn may_fail(&self) -> bool {
        matches!(self.name, "INCRBY" | "HINCRBY" | "LSET" | "ZINCRBY")
    }

    /// What says more about its failure.
    pub(super) fn held(&self, key: &str) -> Option<Cmd> {
        let mut cmd = match self.name {
            "INCRBY" => redis::cmd("GET"),
            "HINCRBY" => redis::cmd("HGET"),
            "LSET" => redis::cmd("LLEN"),
            _ => return None,
        };
        cmd.arg(key);
        if let ("HINCRBY", Some(field)) = (self.name, self.args.first()) {
            cmd.arg(field.as_slice());
        }
        Some(cmd)
    }
}

fn reads(name: &'static str, asked: Option<Kind>, shape: Shape, args: Args) -> Wire {
    Wire { name, args, asked, shape, writes: false }
}

fn writes(name: &'static str, asked: Option<Kind>, shape: Shape, args: Args) -> Wire {
    Wire { name, args, asked, shape, writes: true }
}

fn of_key(command: KeyCommand) -> Wire {
    match command {
        KeyCommand::Delete => writes("DEL", None, Shape::Flag, smallvec![]),
        KeyCommand::Exists => reads("EXISTS", None, Shape::Flag, smallvec![]),
        KeyCommand::Kind => reads("TYPE", None, Shape::Kind, smallvec![]),
        KeyCommand::Expire(after) => {
            writes("PEXPIRE", None, Shape::Flag, smallvec![Data::from(millis(after))])
        }
        KeyCommand::Persist => writes("PERSIST", None, Shape::Flag, smallvec![]),
        KeyCommand::TimeToLive => reads("PTTL", None, Shape::Time, smallvec![]),
        // Known to the scripts only.
        KeyCommand::Version => reads("VERSION", None, Shape::Version, smallvec![]),
    }
}

fn of_value(command: ValueCommand) -> Wire {
    let asked = Some(Kind::Value);
    match command {
        ValueCommand::Get => reads("GET", asked, Shape::Data, smallvec![]),
        ValueCommand::GetVersioned => reads("GET", asked, Shape::Versioned, smallvec![]),
        ValueCommand::Set { value, expiry: None } => writes("SET", None, Shape::Done, smallvec![value]),
        ValueCommand::Set { value, expiry: Some(expiry) } => {
            // Redis refuses 0.
            let lives = Data::from(millis(expiry).max(1));
            writes("SET", None, Shape::Done, smallvec![value, Data::from("PX"), lives])
        }
        ValueCommand::Take => writes("GETDEL", asked, Shape::Data, smallvec![]),
        ValueCommand::Increment(by) => writes("INCRBY", asked, Shape::Number, smallvec![Data::from(by)]),
    }
}

fn of_hash(command: HashCommand) -> Wire {
    let asked = Some(Kind::Hash);
    match command {
        HashCommand::Get(field) => reads("HGET", asked, Shape::Data, smallvec![field]),
        HashCommand::GetMany(fields) if fields.is_empty() => {
            reads("HLEN", asked, Shape::NoOptions, smallvec![])
        }
        HashCommand::GetMany(fields) => reads("HMGET", asked, Shape::Options, fields.into()),
        HashCommand::Set(pairs) if pairs.is_empty() => reads("HLEN", asked, Shape::NoCount, smallvec![]),
        HashCommand::Set(pairs) => {
            let args = pairs.into_iter().flat_map(|(field, value)| [field, value]).collect();
            writes("HSET", asked, Shape::Count, args)
        }
        HashCommand::Remove(fields) => listed("HDEL", "HLEN", Kind::Hash, fields),
        HashCommand::Has(field) => reads("HEXISTS", asked, Shape::Flag, smallvec![field]),
        HashCommand::Len => reads("HLEN", asked, Shape::Count, smallvec![]),
        HashCommand::Keys => reads("HKEYS", asked, Shape::List, smallvec![]),
        HashCommand::All => reads("HGETALL", asked, Shape::Pairs, smallvec![]),
        HashCommand::Increment(field, by) => {
            writes("HINCRBY", asked, Shape::Number, smallvec![field, Data::from(by)])
        }
    }
}

fn of_set(command: SetCommand) -> Wire {
    let asked = Some(Kind::Set);
    match command {
        SetCommand::Add(members) => listed("SADD", "SCARD", Kind::Set, members),
        SetCommand::Remove(members) => listed("SREM", "SCARD", Kind::Set, members),
        SetCommand::Has(member) => reads("SISMEMBER", asked, Shape::Flag, smallvec![member]),
        SetCommand::Len => reads("SCARD", asked, Shape::Count, smallvec![]),
        SetCommand::Members => reads("SMEMBERS", asked, Shape::List, smallvec![]),
        SetCommand::Pop => writes("SPOP", asked, Shape::Data, smallvec![]),
    }
}

/// Adds or removes what is listed; with nothing listed, Redis would complain of that and not of the kind.
fn listed(name: &'static str, len: &'static str, kind: Kind, items: Items<Data>) -> Wire {
    if items.is_empty() {
        return reads(len, Some(kind), Shape::NoCount, smallvec![]);
    }
    writes(name, Some(kind), Shape::Count, items.into_iter().collect())
}

fn of_list(command: ListCommand) -> Wire {
    let asked = Some(Kind::List);
    let pair = |a: i64, b: i64| smallvec![Data::from(a), Data::from(b)];
    match command {
        ListCommand::Push(_, items) if items.is_empty() => reads("LLEN", asked, Shape::Count, smallvec![]),
        ListCommand::Push(end, items) => {
            let name = match end {
                End::Front => "LPUSH",
                End::Back => "RPUSH",
            };
            writes(name, asked, Shape::LastCount, items.into_iter().collect())
        }
        ListCommand::Pop(End::Front) => writes("LPOP", asked, Shape::Data, smallvec![]),
        ListCommand::Pop(End::Back) => writes("RPOP", asked, Shape::Data, smallvec![]),
        ListCommand::Len => reads("LLEN", asked, Shape::Count, smallvec![]),
        ListCommand::Get(index) => reads("LINDEX", asked, Shape::Data, smallvec![Data::from(index)]),
        ListCommand::Set(index, item) => {
            writes("LSET", asked, Shape::Done, smallvec![Data::from(index), item])
        }
        ListCommand::Range(first, last) => reads("LRANGE", asked, Shape::List, pair(first, last)),
        ListCommand::Trim(first, last) => writes("LTRIM", asked, Shape::Done, pair(first, last)),
        ListCommand::Remove(item) => writes("LREM", asked, Shape::Count, smallvec![Data::from(0), item]),
    }
}

fn of_sorted(command: SortedCommand) -> Wire {
    let asked = Some(Kind::SortedSet);
    let with_scores = || Data::from("WITHSCORES");
    match command {
        SortedCommand::Add(pairs) if pairs.is_empty() => reads("ZCARD", asked, Shape::NoCount, smallvec![]),
        SortedCommand::Add(pairs) => {
            let args = pairs.into_iter().flat_map(|(member, score)| [text(score), member]).collect();
            writes("ZADD", asked, Shape::Count, args)
        }
        SortedCommand::Remove(members) => listed("ZREM", "ZCARD", Kind::SortedSet, members),
        SortedCommand::Score(member) => reads("ZSCORE", asked, Shape::Score, smallvec![member]),
        SortedCommand::Increment(member, by) => {
            writes("ZINCRBY", asked, Shape::Score, smallvec![text(by), member])
        }
        SortedCommand::Rank(member) => reads("ZRANK", asked, Shape::Rank, smallvec![member]),
        SortedCommand::Len => reads("ZCARD", asked, Shape::Count, smallvec![]),
        SortedCommand::Range(first, last) => {
            let args = smallvec![Data::from(first), Data::from(last), with_scores()];
            reads("ZRANGE", asked, Shape::Scored, args)
        }
        // No score is in a range that begins or ends with NaN.
        SortedCommand::RangeByScore(min, max) if min.is_nan() || max.is_nan() => {
            reads("ZCARD", asked, Shape::NoScored, smallvec![])
        }
        SortedCommand::RangeByScore(min, max) => {
            reads("ZRANGEBYSCORE", asked, Shape::Scored, smallvec![text(min), text(max), with_scores()])
        }
        SortedCommand::PopMin => writes("ZPOPMIN", asked, Shape::Scored, smallvec![]),
        SortedCommand::PopMax => writes("ZPOPMAX", asked, Shape::Scored, smallvec![]),
    }
}

/// In whole milliseconds, so that nothing ends too early.
pub(super) fn millis(time: Duration) -> i64 {
    let millis = time.min(LONGEST).as_nanos().div_ceil(1_000_000);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// A score as it is sent: the shortest text that means exactly this number. -0 is 0.
fn text(score: f64) -> Data {
    format!("{:?}", score + 0.0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(command: impl Into<Command>) -> String {
        let wire = Wire::of(&"k".into(), command.into()).unwrap();
        let args = wire.args.iter().map(|arg| arg.as_str().unwrap().to_owned());
        [wire.name.to_owned(), "k".to_owned()].into_iter().chain(args).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn times_are_rounded_up_to_milliseconds_and_end_before_all_clocks() {
        assert_eq!(sent(KeyCommand::Expire(Duration::from_nanos(1))), "PEXPIRE k 1");
        assert_eq!(sent(KeyCommand::Expire(Duration::ZERO)), "PEXPIRE k 0");
        assert_eq!(sent(KeyCommand::Expire(Duration::MAX)), "PEXPIRE k 315360000000000");
        let at_once = ValueCommand::Set { value: "v".into(), expiry: Some(Duration::ZERO) };
        assert_eq!(sent(at_once), "SET k v PX 1");
    }

    #[test]
    fn scores_are_sent_exactly() {
        let add = |score| sent(SortedCommand::Add(("m".into(), score).into()));
        assert_eq!(add(0.1 + 0.2), "ZADD k 0.30000000000000004 m");
        assert_eq!(add(-0.0), "ZADD k 0.0 m");
        assert_eq!(add(f64::NEG_INFINITY), "ZADD k -inf m");
        assert_eq!(add(f64::MAX), "ZADD k 1.7976931348623157e308 m");
        let nan = Wire::of(&"k".into(), SortedCommand::Add(("m".into(), f64::NAN).into()).into());
        assert!(matches!(nan, Err(Error::NotAScore { .. })), "{nan:?}");
    }

    #[test]
    fn nothing_listed_asks_for_the_kind_only() {
        assert_eq!(sent(HashCommand::GetMany(vec![])), "HLEN k");
        assert_eq!(sent(SetCommand::Add(Items::Many(vec![]))), "SCARD k");
        assert_eq!(sent(ListCommand::Push(End::Back, Items::Many(vec![]))), "LLEN k");
    }
}
