//! Knowledge on a real Redis server: the suites of every store, and what is Redis' own.

use crate::knowledge::model::{behaves_as_the_model, command};
use crate::knowledge::{conformance, guarding, watching};
use crate::redis::world::{knowledge, two};
use crate::server::{Cluster, RedisServer, ask};
use futures::future::join_all;
use mape::backend::{Backend, Options};
use mape::knowledge::{
    Cursor, Data, Error, Filter, HashCommand, Items, Key, KeyCommand, Kind, Knowledge, ListCommand, Reply,
    Scope, SortedCommand, Transaction, ValueCommand,
};
use proptest::prelude::*;

async fn redis() -> Knowledge {
    knowledge(&RedisServer::shared_url()).await
}

conformance::suite! { redis_conforms, super::redis().await }
guarding::suite! { redis_guards, super::redis().await }
watching::suite! { redis_tells, super::redis().await }

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redis_behaves_as_the_model(commands in prop::collection::vec((0..3_u8, command()), 0..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { behaves_as_the_model(redis().await, commands).await });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_two_programs() {
    // PyMAPE leaves reading, changing and writing to its users, who lose updates with it.
    let url = RedisServer::shared_url();
    let [one, other] = two(&url).await;
    let writers = [&one, &other].map(|k| {
        let value = k.value::<u64>("n");
        tokio::spawn(async move {
            for _ in 0..500 {
                value.update(|n| n.unwrap_or(0) + 1).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(one.value::<u64>("n").get().await.unwrap(), Some(1000));
    guarding::a_lock_has_one_holder_at_a_time(knowledge(&RedisServer::shared_url()).await).await;
}

#[tokio::test]
async fn what_is_kept_is_what_other_programs_expect() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await.scoped(Scope::Loop("ambulance".into()));
    k.value::<f64>("speed").set(&48.5).await.unwrap();
    k.set::<String>("cars").add("panda").await.unwrap();
    k.hash::<String, u8>("lanes").insert("left", &1).await.unwrap();
    k.queue::<String>("calls").push("112").await.unwrap();
    k.sorted_set::<String>("ranks").add("panda", 0.1).await.unwrap();
    let cli = |words: &[&str]| server.cli(words);
    assert_eq!(cli(&["GET", "k.loop.ambulance.speed"]), "48.5");
    assert_eq!(cli(&["SMEMBERS", "k.loop.ambulance.cars"]), "panda");
    assert_eq!(cli(&["HGET", "k.loop.ambulance.lanes", "left"]), "1");
    assert_eq!(cli(&["LRANGE", "k.loop.ambulance.calls", "0", "-1"]), "112");
    assert_eq!(cli(&["ZSCORE", "k.loop.ambulance.ranks", "panda"]), "0.10000000000000001");
    cli(&["SADD", "k.loop.ambulance.cars", "tipo"]);
    assert!(k.set::<String>("cars").contains("tipo").await.unwrap());
}

#[tokio::test]
async fn what_nobody_watches_is_the_one_command_it_is_named_after() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    let (value, hash) = (k.value::<u8>("v"), k.hash::<String, u8>("h"));
    server.cli(&["CONFIG", "RESETSTAT"]);
    for _ in 0..10 {
        value.set(&1).await.unwrap();
        value.get().await.unwrap();
        value.get_versioned().await.unwrap();
        hash.insert("f", &1).await.unwrap();
    }
    let stats = server.cli(&["INFO", "commandstats"]);
    let calls = |name: &str| {
        let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:")))?;
        line.split_once("calls=")?.1.split_once(',')?.0.parse::<u32>().ok()
    };
    assert_eq!((calls("set"), calls("get"), calls("hset")), (Some(10), Some(20), Some(10)), "{stats}");
    assert_eq!((calls("evalsha"), calls("eval"), calls("publish")), (None, None, None), "{stats}");
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_them_again() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    for _ in 0..2 {
        k.store().commit(Transaction::new().incrby("n", 1)).await.unwrap();
        server.cli(&["SCRIPT", "FLUSH"]);
    }
    assert_eq!(server.cli(&["GET", "n"]), "2");
}

#[tokio::test]
async fn numbers_and_scores_are_exact_in_transactions_and_for_watchers() {
    let k = redis().await;
    let store = k.store();
    let mut changes = store.watch(Filter::all()).await.unwrap();
    let (count, sum) = (i64::MAX - 2, 0.1 + 0.2);
    let committed = store
        .commit(
            Transaction::new()
                .set("n", Data::from(count))
                .incrby("n", 1)
                .run("h", HashCommand::Increment("f".into(), i64::MIN))
                .zadd("z", "m", sum)
                .run("z", SortedCommand::Increment("m".into(), 1e-17))
                .run("z", SortedCommand::Score("m".into()))
                .run("z", SortedCommand::RangeByScore(sum, f64::INFINITY)),
        )
        .await
        .unwrap();
    let exact = sum + 1e-17;
    let expected = [
        Reply::Done,
        Reply::Number(count + 1),
        Reply::Number(i64::MIN),
        Reply::Count(1),
        Reply::Score(exact),
        Reply::Score(exact),
        Reply::Scored(vec![("m".into(), exact)]),
    ];
    assert_eq!(committed.replies, expected);
    let mut new = Vec::new();
    while new.len() < 4 {
        new.push(crate::redis::world::next_change(&mut changes).await.new.unwrap());
    }
    let expected = [count.to_string(), (count + 1).to_string(), i64::MIN.to_string(), sum.to_string()];
    assert_eq!(new, expected.map(Data::from));
}

#[tokio::test]
async fn any_bytes_and_any_names_are_kept_and_told() {
    let k = redis().await;
    let bytes: Vec<u8> = (0..=255).collect();
    let data = Data::from(bytes.as_slice());
    let key = Key::from("ключ *?[]\\:{x} \n");
    let mut changes = k.store().watch(Filter::key(&key)).await.unwrap();
    let step = Transaction::new()
        .expect_field(&key, data.clone(), None)
        .hset(&key, data.clone(), data.clone())
        .run(&key, HashCommand::All);
    let committed = k.store().commit(step).await.unwrap();
    assert_eq!(committed.replies[1], Reply::Pairs(vec![(data.clone(), data.clone())]));
    let again = Transaction::new().expect_field(&key, data.clone(), Some(data.clone())).hset(&key, "f", "v");
    k.store().commit(again).await.unwrap();
    let change = crate::redis::world::next_change(&mut changes).await;
    assert_eq!((&change.key, change.field, change.new), (&key, Some(data.clone()), Some(data)));
}

#[tokio::test]
async fn what_is_large_goes_through_transactions_too() {
    let k = redis().await;
    let members: Vec<Data> = (0..20_001_i64).map(Data::from).collect();
    let pairs = members.iter().map(|member| (member.clone(), member.clone())).collect();
    let large = Data::from(vec![b'x'; 3_000_000]);
    let mut step = Transaction::new()
        .run("s", mape::knowledge::SetCommand::Add(Items::Many(members.clone())))
        .run("l", ListCommand::Push(mape::knowledge::End::Back, Items::Many(members.clone())))
        .run("h", HashCommand::Set(Items::Many(pairs)))
        .run("h", HashCommand::GetMany(members.clone()))
        .set("large", large.clone())
        .run("l", ListCommand::Range(0, -1));
    for n in 0..2000 {
        step = step.incrby(format!("n{n}"), n);
    }
    let committed = k.store().commit(step).await.unwrap();
    let replies = &committed.replies;
    assert_eq!(replies[..3], [Reply::Count(20_001), Reply::Count(20_001), Reply::Count(20_001)]);
    assert_eq!(replies[3], Reply::Options(members.iter().cloned().map(Some).collect()));
    assert_eq!(replies[5], Reply::List(members));
    assert_eq!((replies.len(), &replies[2005]), (2006, &Reply::Number(1999)));
    assert_eq!(k.store().run(&"large".into(), ValueCommand::Get.into()).await.unwrap(), Reply::Data(large));
}

#[tokio::test]
async fn undoing_puts_back_contents_and_time_to_live() {
    let k = redis().await;
    let (hash, text) = (k.hash::<String, u8>("h"), k.value::<String>("t"));
    hash.insert("f", &1).await.unwrap();
    hash.expire(std::time::Duration::from_mins(1)).await.unwrap();
    text.set("text").await.unwrap();
    let mut changes = k.watch(Filter::all()).await.unwrap();
    let failing = Transaction::new()
        .hset(hash.key(), "g", "2")
        .run(hash.key(), KeyCommand::Persist)
        .del(hash.key())
        .set(hash.key(), "now a value")
        .incrby(text.key(), 1)
        .set("untouched", "1");
    let error = k.store().commit(failing).await.unwrap_err();
    assert!(matches!(&error, Error::NotANumber { key, held } if key == text.key() && **held == *b"text"));
    assert_eq!(hash.get("f").await.unwrap(), Some(1));
    assert_eq!(hash.len().await.unwrap(), 1);
    let left = hash.time_to_live().await.unwrap().unwrap();
    assert!(left > std::time::Duration::from_secs(55) && left <= std::time::Duration::from_mins(1));
    assert!(!k.keyspace().exists("untouched").await.unwrap());
    hash.insert("told", &1).await.unwrap();
    let told = crate::redis::world::next_change(&mut changes).await;
    assert_eq!(told.field, Some("told".into()), "what was undone is not told");
}

#[tokio::test]
async fn a_log_under_the_key_is_named_as_the_wrong_kind() {
    let backend = Backend::open(&RedisServer::shared_url()).await.unwrap();
    let k = backend.knowledge(Scope::App);
    let value = k.value::<u8>("v");
    backend.events().log(value.key().as_str()).append(mape::event::Event::new("x")).await.unwrap();
    let wrong = |error| matches!(error, Error::WrongKind { asked: Kind::Value, held: Kind::Log, .. });
    assert!(wrong(value.get().await.unwrap_err()));
    assert!(wrong(k.store().commit(Transaction::new().incrby(value.key(), 1)).await.unwrap_err()));
    assert_eq!(k.keyspace().kind("v").await.unwrap(), Some(Kind::Log));
    // The other way round.
    k.set::<u8>("s").add(&1).await.unwrap();
    let log = backend.events().log("k.app.s");
    let error = log.append(mape::event::Event::new("x")).await.unwrap_err();
    assert!(matches!(error, mape::event::Error::NoLog { .. }), "{error:?}");
    let both = Transaction::new().set(value.key(), "1").append("k.app.s", mape::event::Event::new("x"));
    assert!(matches!(k.store().commit(both).await, Err(Error::Refused { .. })));
    assert_eq!(k.keyspace().kind("v").await.unwrap(), Some(Kind::Log));
}

#[tokio::test]
async fn a_full_server_refuses_and_nothing_is_done() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    k.value::<u8>("there").set(&1).await.unwrap();
    // A transaction of before, so that the script is there.
    k.store().commit(Transaction::new().incrby("n", 1)).await.unwrap();
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = k.value::<u8>("v").set(&1).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Refused { source, .. } if source.to_string().contains("OOM")),
        "{refused:?}"
    );
    assert!(!refused.is_retryable());
    let step = Transaction::new().incrby("n", 1).sadd("s", "m").append("log", mape::event::Event::new("x"));
    let refused = k.store().commit(step).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    assert_eq!(k.value::<u8>("there").get().await.unwrap(), Some(1));
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(server.cli(&["GET", "n"]), "1");
    assert_eq!(server.cli(&["EXISTS", "s", "log"]), "0");
}

#[tokio::test]
async fn what_a_user_may_not_do_is_refused_as_a_whole() {
    let rules = "on >word ~* &* +@all -sadd";
    let server = RedisServer::options().acl("somebody", rules).start();
    let k = knowledge(&server.url_for("somebody", "word")).await;
    let refused = k.set::<u8>("s").add(&1).await.unwrap_err();
    assert!(matches!(&refused, Error::Refused { source, .. } if source.to_string().contains("NOPERM")));
    let step = Transaction::new().set("v", "1").sadd("s", "m");
    let refused = k.store().commit(step).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Refused { key, source } if key == &Key::from("s")
        && source.to_string().contains("NOPERM")),
        "{refused:?}"
    );
    assert_eq!(server.cli(&["EXISTS", "v"]), "0");
}

#[tokio::test]
async fn who_may_not_hear_what_is_watched_is_told_so_at_the_start() {
    let server = RedisServer::options().acl("deaf", "on >word ~* resetchannels +@all").start();
    let error = Backend::open(&server.url_for("deaf", "word")).await.unwrap_err().to_string();
    assert!(error.contains("mape:*") && error.contains("not suitable"), "{error}");
}

#[tokio::test]
async fn prefixes_keep_deployments_apart_and_our_own_keys_do_not_show() {
    let server = RedisServer::start();
    let with = async |prefix: &str| {
        let mut options = Options::default();
        options.prefix = Some(prefix.to_owned());
        Backend::open_with(&server.url(), options).await.unwrap().knowledge(Scope::App)
    };
    let (none, one, other) = (with("").await, with("one[*]:").await, with("two:").await);
    let mut changes = one.store().watch(Filter::all()).await.unwrap();
    other.value::<u8>("v").set(&2).await.unwrap();
    none.value::<u8>("v").set(&3).await.unwrap();
    one.value::<u8>("v").set(&1).await.unwrap();
    let change = crate::redis::world::next_change(&mut changes).await;
    assert_eq!((change.key.as_str(), change.new), ("k.app.v", Some("1".into())));
    assert_eq!(server.cli(&["GET", "one[*]:k.app.v"]), "1");
    let names = async |k: &Knowledge| {
        let mut page = k.store().scan(&"*".into(), Cursor::default()).await.unwrap();
        assert_eq!(page.next, None);
        page.keys.sort();
        page.keys.iter().map(Key::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&one).await, ["k.app.v"]);
    assert_eq!(names(&none).await, ["k.app.v", "one[*]:k.app.v", "one[*]:mape:watchers", "two:k.app.v"]);
}

#[tokio::test]
async fn a_cluster_keeps_what_belongs_together_on_one_node() {
    let cluster = Cluster::shared();
    let world = async |prefix: &str| {
        let mut options = Options::default();
        options.prefix = Some(format!("{{{prefix}}}"));
        Backend::open_with(&cluster.url(), options).await.unwrap().knowledge(Scope::App)
    };
    conformance::a_transaction_that_fails_half_way_does_nothing(world("store-a").await).await;
    conformance::every_condition_holds_and_fails_as_it_should(world("store-b").await).await;
    watching::every_operation_is_told_with_its_name_and_values(world("store-c").await).await;
    guarding::a_lock_has_one_holder_at_a_time(world("store-d").await).await;
    conformance::the_keyspace_finds_and_clears_by_glob(world("store-e").await).await;
}

#[tokio::test]
async fn a_sorted_set_that_another_program_filled_is_read_exactly() {
    let server = RedisServer::start();
    let k = knowledge(&server.url()).await;
    let key = k.sorted_set::<String>("z").key().to_string();
    ask::<i64>(
        server.port(),
        &["ZADD", &key, "1.7976931348623157e308", "max", "5e-324", "min", "-inf", "low"],
    )
    .unwrap();
    let all = k.sorted_set::<String>("z").range(0, -1).await.unwrap();
    let expected = [("low", f64::NEG_INFINITY), ("min", 5e-324), ("max", f64::MAX)];
    assert_eq!(all, expected.map(|(name, score)| (name.to_owned(), score)));
}
