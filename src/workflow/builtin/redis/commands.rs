//! The commands on data, and where their keys are.

/// A command that a flow may use without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) writes: bool,
    /// Whether its number is a yes or no.
    pub(super) is_flag: bool,
    keys: Keys,
}

/// Which of the arguments are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// The first so many.
    First(usize),
    /// All of them.
    All,
    /// Every other one, from the first.
    Pairs,
    /// So many first, then a number and as many as it says.
    Counted(usize),
    /// All but the first.
    Rest,
    /// The first half of what stands behind the word `STREAMS`.
    Streams,
}

use Keys::{All, Counted, First, Pairs, Rest, Streams};

const fn reads(name: &'static str, keys: Keys) -> Command {
    Command { name, writes: false, is_flag: false, keys }
}

const fn writes(name: &'static str, keys: Keys) -> Command {
    Command { name, writes: true, is_flag: false, keys }
}

const fn flag(command: Command) -> Command {
    Command { is_flag: true, ..command }
}

/// All of them: of keys by themselves, of strings, hashes, lists, sets, sorted sets, and what reads streams. None blocks,
/// and none is about more keys than it names.
const COMMANDS: [Command; 126] = [
    writes("DEL", All),
    reads("EXISTS", All),
    flag(writes("EXPIRE", First(1))),
    flag(writes("EXPIREAT", First(1))),
    flag(writes("PERSIST", First(1))),
    flag(writes("PEXPIRE", First(1))),
    flag(writes("PEXPIREAT", First(1))),
    reads("PTTL", First(1)),
    reads("TTL", First(1)),
    reads("TYPE", First(1)),
    writes("UNLINK", All),
    writes("APPEND", First(1)),
    reads("BITCOUNT", First(1)),
    writes("BITFIELD", First(1)),
    reads("BITFIELD_RO", First(1)),
    writes("BITOP", Rest),
    reads("BITPOS", First(1)),
    writes("DECR", First(1)),
    writes("DECRBY", First(1)),
    reads("GET", First(1)),
    reads("GETBIT", First(1)),
    writes("GETDEL", First(1)),
    writes("GETEX", First(1)),
    reads("GETRANGE", First(1)),
    writes("GETSET", First(1)),
    writes("INCR", First(1)),
    writes("INCRBY", First(1)),
    writes("INCRBYFLOAT", First(1)),
    reads("LCS", First(2)),
    reads("MGET", All),
    writes("MSET", Pairs),
    flag(writes("MSETNX", Pairs)),
    writes("PSETEX", First(1)),
    writes("SET", First(1)),
    writes("SETBIT", First(1)),
    writes("SETEX", First(1)),
    flag(writes("SETNX", First(1))),
    writes("SETRANGE", First(1)),
    reads("STRLEN", First(1)),
    reads("SUBSTR", First(1)),
    writes("HDEL", First(1)),
    flag(reads("HEXISTS", First(1))),
    reads("HGET", First(1)),
    reads("HGETALL", First(1)),
    writes("HINCRBY", First(1)),
    writes("HINCRBYFLOAT", First(1)),
    reads("HKEYS", First(1)),
    reads("HLEN", First(1)),
    reads("HMGET", First(1)),
    writes("HMSET", First(1)),
    reads("HRANDFIELD", First(1)),
    reads("HSCAN", First(1)),
    writes("HSET", First(1)),
    writes("HSETNX", First(1)),
    reads("HSTRLEN", First(1)),
    reads("HVALS", First(1)),
    reads("LINDEX", First(1)),
    writes("LINSERT", First(1)),
    reads("LLEN", First(1)),
    writes("LMOVE", First(2)),
    writes("LMPOP", Counted(0)),
    writes("LPOP", First(1)),
    reads("LPOS", First(1)),
    writes("LPUSH", First(1)),
    writes("LPUSHX", First(1)),
    reads("LRANGE", First(1)),
    writes("LREM", First(1)),
    writes("LSET", First(1)),
    writes("LTRIM", First(1)),
    writes("RPOP", First(1)),
    writes("RPOPLPUSH", First(2)),
    writes("RPUSH", First(1)),
    writes("RPUSHX", First(1)),
    writes("SADD", First(1)),
    reads("SCARD", First(1)),
    reads("SDIFF", All),
    writes("SDIFFSTORE", All),
    reads("SINTER", All),
    reads("SINTERCARD", Counted(0)),
    writes("SINTERSTORE", All),
    reads("SISMEMBER", First(1)),
    reads("SMEMBERS", First(1)),
    reads("SMISMEMBER", First(1)),
    flag(writes("SMOVE", First(2))),
    writes("SPOP", First(1)),
    reads("SRANDMEMBER", First(1)),
    writes("SREM", First(1)),
    reads("SSCAN", First(1)),
    reads("SUNION", All),
    writes("SUNIONSTORE", All),
    writes("ZADD", First(1)),
    reads("ZCARD", First(1)),
    reads("ZCOUNT", First(1)),
    reads("ZDIFF", Counted(0)),
    writes("ZDIFFSTORE", Counted(1)),
    writes("ZINCRBY", First(1)),
    reads("ZINTER", Counted(0)),
    reads("ZINTERCARD", Counted(0)),
    writes("ZINTERSTORE", Counted(1)),
    reads("ZLEXCOUNT", First(1)),
    writes("ZMPOP", Counted(0)),
    reads("ZMSCORE", First(1)),
    writes("ZPOPMAX", First(1)),
    writes("ZPOPMIN", First(1)),
    reads("ZRANDMEMBER", First(1)),
    reads("ZRANGE", First(1)),
    reads("ZRANGEBYLEX", First(1)),
    reads("ZRANGEBYSCORE", First(1)),
    writes("ZRANGESTORE", First(2)),
    reads("ZRANK", First(1)),
    writes("ZREM", First(1)),
    writes("ZREMRANGEBYLEX", First(1)),
    writes("ZREMRANGEBYRANK", First(1)),
    writes("ZREMRANGEBYSCORE", First(1)),
    reads("ZREVRANGE", First(1)),
    reads("ZREVRANGEBYLEX", First(1)),
    reads("ZREVRANGEBYSCORE", First(1)),
    reads("ZREVRANK", First(1)),
    reads("ZSCAN", First(1)),
    reads("ZSCORE", First(1)),
    reads("ZUNION", Counted(0)),
    writes("ZUNIONSTORE", Counted(1)),
    reads("XLEN", First(1)),
    reads("XRANGE", First(1)),
    reads("XREAD", Streams),
    reads("XREVRANGE", First(1)),
];

impl Command {
    /// The command of this name, in whatever case.
    pub(super) fn named(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|command| command.name.eq_ignore_ascii_case(name)).copied()
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        COMMANDS.iter().map(|command| command.name)
    }

    /// Which of these arguments are keys.
    pub(super) fn key_places(&self, args: &[String]) -> Vec<usize> {
        let most = args.len();
        match self.keys {
            First(count) => (0..most.min(count)).collect(),
            All => (0..most).collect(),
            Pairs => (0..most).step_by(2).collect(),
            Rest => (1..most).collect(),
            Counted(before) => {
                let count = args.get(before).and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
                let from = before + 1;
                (0..before.min(most)).chain(from..most.min(from.saturating_add(count))).collect()
            }
            Streams => {
                let word = args.iter().position(|arg| arg.eq_ignore_ascii_case("STREAMS"));
                let from = word.map_or(most, |word| word + 1);
                (from..from + (most - from) / 2).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(name: &str, args: &[&str]) -> Vec<usize> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Command::named(name).unwrap().key_places(&args)
    }

    #[test]
    fn keys_are_found_where_each_command_has_them() {
        assert_eq!(keys("get", &["a"]), [0]);
        assert_eq!(keys("MSET", &["a", "1", "b", "2"]), [0, 2]);
        assert_eq!(keys("bitop", &["AND", "to", "a", "b"]), [1, 2, 3]);
        assert_eq!(keys("ZUNIONSTORE", &["to", "2", "a", "b", "WEIGHTS", "1", "2"]), [0, 2, 3]);
        assert_eq!(keys("LMPOP", &["2", "a", "b", "LEFT"]), [1, 2]);
        assert_eq!(keys("LMPOP", &["99999999999999999999", "a"]), [0; 0]);
        assert_eq!(keys("ZUNION", &["18446744073709551615", "a"]), [1]);
        assert_eq!(keys("XREAD", &["COUNT", "2", "streams", "a", "b", "0", "0"]), [3, 4]);
        assert_eq!(keys("XREAD", &[]), [0; 0]);
        assert_eq!(keys("SMOVE", &["a"]), [0]);
    }

    #[test]
    fn no_command_is_there_twice() {
        let names: std::collections::HashSet<_> = Command::names().collect();
        assert_eq!(names.len(), COMMANDS.len());
    }
}
