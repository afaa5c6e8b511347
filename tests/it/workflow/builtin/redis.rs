//! `redis:…`, on a real server.

use super::{begun, engine_on, engine_with, failure, output};
use crate::server::RedisServer;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, RunId, Workflows};
use serde_json::{Value, json};

async fn redis() -> (Engine, Backend) {
    let backend = Backend::open(&RedisServer::shared_url()).await.unwrap();
    (engine_on(&backend).await, backend)
}

/// A task with these parameters.
fn task(command: &str, parameters: &Value) -> String {
    format!("redis:{command} ({parameters})")
}

async fn given(engine: &Engine, command: &str, parameters: Value, input: Value) -> Value {
    output(engine, &task(command, &parameters), input).await
}

#[tokio::test]
async fn what_the_original_gave_is_given() {
    let (engine, _) = redis().await;
    let flow = "redis:set(- args: ['A','12345'] -)";
    assert_eq!(output(&engine, flow, Value::Null).await, json!({}));
    let flow = format!("{flow} → redis:get(- args: ['A'] -)");
    assert_eq!(output(&engine, &flow, Value::Null).await, json!({"A": "12345"}));
    for _ in 0..3 {
        engine.workflows().event("e", &json!({})).await.unwrap();
    }
    let flow = format!("{flow} → redis:xlen(- {{args: ['workflows:run'], key: length}} -)");
    let given = output(&engine, &flow, Value::Null).await;
    assert_eq!(given["A"], "12345");
    assert!(given["length"].as_u64().unwrap() >= 3, "{given}");
}

#[tokio::test]
async fn replies_are_added_to_the_input_as_what_they_are() {
    let (engine, _) = redis().await;
    let with = |more: Value| {
        let mut all = json!({"x": 1});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    for (command, parameters, expected) in [
        ("rpush", json!({"args": ["l", "a", "b", 3]}), json!({"l": 3})),
        ("lrange", json!({"args": ["l", 0, -1]}), json!({"l": ["a", "b", "3"]})),
        ("lrange", json!({"args": ["l", 2, -1], "type": "int"}), json!({"l": [3]})),
        ("incr", json!({"args": ["n"]}), json!({"n": 1})),
        ("get", json!({"args": ["n"]}), json!({"n": "1"})),
        ("get", json!({"args": "n", "type": "int", "key": "number"}), json!({"number": 1})),
        ("hset", json!({"args": ["h", "f", "v"], "key": "new"}), json!({"new": 1})),
        ("HGETALL", json!({"args": ["h"]}), json!({"h": {"f": "v"}})),
        ("zadd", json!({"args": ["z", 1.5, "m"], "key": "new"}), json!({"new": 1})),
        ("zscore", json!({"args": ["z", "m"]}), json!({"z": 1.5})),
        ("mget", json!({"args": ["n", "nothing"], "key": "both"}), json!({"both": ["1", null]})),
        ("type", json!({"args": ["z"]}), json!({"z": "zset"})),
        // Nothing, yes and no leave the input as it is.
        ("get", json!({"args": ["nothing"]}), json!({})),
        ("set", json!({"args": ["n", 5]}), json!({})),
        ("setnx", json!({"args": ["n", 6]}), json!({})),
        ("hexists", json!({"args": ["h", "f"]}), json!({})),
        ("hexists", json!({"args": ["h", "f"], "type": "int"}), json!({"h": 1})),
    ] {
        let given = given(&engine, command, parameters.clone(), json!({"x": 1})).await;
        assert_eq!(given, with(expected), "{command} {parameters}");
    }
    // Numbers that a script of the server could not hold are exact.
    let big = (1_i64 << 53) + 1;
    given(&engine, "set", json!({"args": ["big", big - 1]}), json!({})).await;
    assert_eq!(given(&engine, "incr", json!({"args": ["big"]}), json!({})).await, json!({"big": big}));
    given(&engine, "hset", json!({"args": ["h", "big", big]}), json!({})).await;
    let parameters = json!({"args": ["h", "big", -1], "key": "b"});
    assert_eq!(given(&engine, "hincrby", parameters, json!({})).await, json!({"b": big - 1}));
}

#[tokio::test]
async fn arguments_are_templates_of_data_alone_unless_they_are_to_be_as_written() {
    let (engine, backend) = redis().await;
    let input = json!({"id": 7, "evil": "{input.__class__}", "list": [{"a": "deep"}]});
    let parameters = json!({"args": ["order:{input[id]}", "{input[evil]} {input[list][0][a]}"], "key": "k"});
    given(&engine, "set", parameters, input.clone()).await;
    let kept = given(&engine, "get", json!({"args": ["order:{input.id}"], "key": "k"}), input.clone()).await;
    // What is filled in is no template again.
    assert_eq!(kept["k"], "{input.__class__} deep");
    for reach in ["{input.__class__}", "{input[id].__init__.__globals__}", "{parameters.__class__}"] {
        let error = failure(&engine, &task("set", &json!({"args": ["k", reach]})), input.clone()).await;
        assert!(error.contains("`args`: "), "{error}");
    }
    let error = failure(&engine, &task("set", &json!({"args": ["k", "{other}"]})), input.clone()).await;
    assert!(error.contains("there is no `other` to put in"), "{error}");
    let parameters = json!({"args": ["raw", "{other} {input[id]}"], "format": false});
    given(&engine, "set", parameters, input.clone()).await;
    let kept = given(&engine, "get", json!({"args": ["raw"]}), input).await;
    assert_eq!(kept["raw"], "{other} {input[id]}");
    drop(backend);
}

#[tokio::test]
async fn commands_that_are_not_for_flows_are_refused_before_they_begin_and_it_is_said_how_to_allow_them() {
    let (engine, backend) = redis().await;
    for (command, said) in [
        ("flushall", "MAPE_WORKFLOW__REDIS__ALLOW='[flushall]'"),
        ("eval", "`workflow: {redis: {allow: [eval]}}`"),
        ("config", "none of the commands that a flow may use without a word"),
        ("keys", "to allow it"),
        ("scan", "to allow it"),
        ("xadd", "to allow it"),
        ("gett", "did you mean `redis:get`?"),
        ("blpop", "it holds up the connection"),
        ("subscribe", "it changes the connection"),
        ("client", "it changes the connection"),
    ] {
        let error = failure(&engine, &task(command, &json!({"args": ["a"]})), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
    let block = task("xread", &json!({"args": ["BLOCK", 0, "STREAMS", "s", "$"]}));
    let error = failure(&engine, &block, Value::Null).await;
    assert!(error.contains("BLOCK would hold up the connection"), "{error}");
    // Who submits a flow to others hears it from the run.
    let id = engine.workflows().submit(None, "redis:flushall", Value::Null).await.unwrap();
    crate::suite::eventually("it has failed", async || {
        engine
            .workflows()
            .inspect(&id)
            .await
            .unwrap()
            .failures
            .iter()
            .any(|f| f.to_string().contains("FLUSHALL"))
    })
    .await;
    drop(backend);
}

#[tokio::test]
async fn commands_that_are_named_are_for_flows_but_not_those_that_nobody_knows() {
    let backend = Backend::open(&RedisServer::shared_url()).await.unwrap();
    let builtin = Builtin::new(&backend).allow_commands(["XADD", "eval", "dbsize", "frobnicate", "rename"]);
    let engine = engine_with(&backend, builtin).await;
    let added = given(&engine, "xadd", json!({"args": ["s", "*", "f", "v"], "key": "id"}), json!({})).await;
    assert!(added["id"].as_str().unwrap().contains('-'), "{added}");
    let parameters = json!({"args": ["return {{1, ARGV[1]}}", 0, "a"], "key": "e"});
    assert_eq!(given(&engine, "eval", parameters, json!({})).await, json!({"e": [1, "a"]}));
    let size = given(&engine, "dbsize", json!({}), json!({})).await;
    assert!(size["dbsize"].as_u64().unwrap() > 0, "{size}");
    let error = failure(&engine, "redis:frobnicate", Value::Null).await;
    assert!(error.contains("the server knows no command FROBNICATE"), "{error}");
    let error =
        failure(&engine, &task("rename", &json!({"args": ["s", "workflows:run"]})), Value::Null).await;
    assert!(error.contains("RENAME: it may not write to `workflows:run`"), "{error}");
    let engine = engine_with(&backend, Builtin::new(&backend).allow_commands(["*"])).await;
    given(&engine, "rename", json!({"args": ["s", "t"]}), json!({})).await;
    let error = failure(&engine, "redis:blpop", Value::Null).await;
    assert!(error.contains("holds up the connection"), "{error}");
}

#[tokio::test]
async fn keys_of_the_engine_may_be_read_but_not_written_unless_that_is_allowed() {
    let (engine, backend) = redis().await;
    for (command, args) in [
        ("set", json!(["workflow:x:state", "FINISHED"])),
        ("del", json!(["mine", "workflows:all"])),
        ("mset", json!(["a", 1, "mape:schedules", 2])),
        ("zunionstore", json!(["mape:x", 1, "a"])),
        ("smove", json!(["a", "{input[to]}", "m"])),
    ] {
        let input = json!({"to": "workflow:latch:x"});
        let error = failure(&engine, &task(command, &json!({"args": args})), input).await;
        assert!(
            error.contains("is the engine's own") && error.contains("workflow.redis.engine_keys"),
            "{error}"
        );
    }
    let all =
        given(&engine, "lrange", json!({"args": ["workflows:all", 0, -1], "key": "all"}), json!({})).await;
    assert!(all["all"].as_array().unwrap().len() > 1);
    let engine = engine_with(&backend, Builtin::new(&backend).allow_engine_keys()).await;
    given(&engine, "set", json!({"args": ["workflow:mine", 1]}), json!({})).await;
}

#[tokio::test]
async fn what_the_server_refuses_fails_the_task_in_its_words_and_for_good() {
    let (engine, _) = redis().await;
    given(&engine, "rpush", json!({"args": ["l", "a"]}), json!({})).await;
    for (command, args, said) in [
        ("incr", json!(["l"]), "WRONGTYPE"),
        ("get", json!(["l"]), "WRONGTYPE"),
        ("set", json!([]), "number of args"),
        ("lset", json!(["l", 5, "x"]), "out of range"),
    ] {
        // A second attempt would take longer than the test waits.
        let parameters = json!({"args": args, "retry": {"attempts": 2, "wait": "1h"}});
        let error = failure(&engine, &task(command, &parameters), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
    let parameters = json!({"args": ["l", 0, -1], "type": "int"});
    let error = failure(&engine, &task("lrange", &parameters), Value::Null).await;
    assert!(error.contains("the answer is to be an int, and is \"a\""), "{error}");
    for (parameters, said) in [
        (json!({"args": [{"a": 1}]}), "`args` is a list of texts"),
        (json!({"arg": ["a"]}), "did you mean `args`?"),
        (json!({"args": ["a"], "type": "float"}), "`type` is string or int"),
        (json!({"args": ["a"], "format": "no"}), "`format` is true or false"),
    ] {
        let error = failure(&engine, &task("get", &parameters), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn without_a_server_it_is_said_what_is_needed() {
    let engine = engine_on(&Backend::memory()).await;
    let error = failure(&engine, "redis:get (- args: [a] -)", Value::Null).await;
    assert!(error.contains("no server behind memory:") && error.contains("redis://HOST:PORT"), "{error}");
}

#[tokio::test]
async fn keys_have_the_prefix_of_the_deployment_and_who_watches_them_is_told() {
    use futures::StreamExt;
    use mape::backend::Options;
    use mape::knowledge::Filter;
    let url = RedisServer::shared_url();
    let mut options = Options::default();
    options.prefix = Some("deployment:".to_owned());
    let backend = Backend::open_with(&url, options).await.unwrap();
    let engine = engine_on(&backend).await;
    let mut changes = backend.store().watch(Filter::key("a")).await.unwrap();
    given(&engine, "mset", json!({"args": ["a", "1", "b", "2"]}), json!({})).await;
    assert!(changes.next().await.is_some());
    let database: i64 = url.rsplit('/').next().unwrap().parse().unwrap();
    let cli = |key: &str| RedisServer::shared().cli(&["-n", &database.to_string(), "GET", key]);
    assert_eq!((cli("deployment:a"), cli("deployment:b"), cli("a")), ("1".into(), "2".into(), String::new()));
    let engine = engine_with(&backend, Builtin::new(&backend).allow_commands(["xadd"])).await;
    let flow = task("xadd", &json!({"args": ["deployment:workflows:run", "*", "a", "b"]}));
    let error = failure(&engine, &flow, Value::Null).await;
    assert!(error.contains("the engine's own"), "{error}");
}

#[tokio::test]
async fn what_is_kept_of_a_runs_commands_goes_with_the_run() {
    let (engine, backend) = redis().await;
    let run = engine.run("redis:incr (- args: [n] -)", Value::Null).await.unwrap();
    run.output().await.unwrap().unwrap();
    let key = mape::knowledge::Key::from(format!("mape:redis:{}", run.id().short()).as_str());
    let exists = async || {
        let exists = mape::knowledge::KeyCommand::Exists;
        backend.store().run(&key, exists.into()).await.unwrap().flag(&key).unwrap()
    };
    assert!(exists().await);
    engine.workflows().delete(run.id()).await.unwrap();
    assert!(!exists().await);
}

#[tokio::test]
async fn a_step_that_is_restarted_does_its_command_again() {
    let (engine, _) = redis().await;
    let flow = "redis:incr (- args: [n] -) → redis:incr (- args: [m] -) → human:approve (- question: ok -)";
    let run = engine.run(flow, json!({})).await.unwrap();
    begun(engine.workflows(), &run, 3).await;
    engine.workflows().terminate(run.id()).await.unwrap();
    run.wait().await.unwrap();
    engine.workflows().restart(run.id(), Some(2)).await.unwrap();
    begun(engine.workflows(), &run, 3).await;
    let steps = engine.workflows().inspect(run.id()).await.unwrap().steps;
    assert_eq!(steps[2].output.as_deref(), Some(&json!({"n": 1, "m": 2})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_outlast_an_outage_and_are_carried_out_once() {
    const STEPS: usize = 300;
    let mut server = RedisServer::options().aof().start();
    let backend = Backend::open(&server.url()).await.unwrap();
    let engine = engine_on(&backend).await;
    let chain = vec!["redis:incr (- args: [n] -)"; STEPS / 10].join(" → ");
    let flow = format!("{{ {} }} → :end", vec![chain; 10].join("\n"));
    let run = engine.run(&flow, json!({})).await.unwrap();
    let number = |server: &RedisServer| server.cli(&["GET", "n"]).parse::<usize>().unwrap_or(0);
    for part in 1..3 {
        crate::suite::eventually("some are done", async || number(&server) >= STEPS / 8 * part).await;
        server.kill_9();
        if part == 1 {
            // Longer than a command waits for a connection.
            tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
        }
        server.restart();
    }
    let output = run.output().await.unwrap();
    assert!(output.is_ok(), "{output:?}");
    assert_eq!(number(&server), STEPS);
}

/// The repetition of a command after a crash, in processes of its own.
#[cfg(all(feature = "cli", unix))]
#[test]
fn a_command_that_was_carried_out_before_a_crash_is_not_carried_out_again() {
    use super::super::program::{Process, Program};
    use crate::server::until;
    use std::process::Stdio;
    const STEPS: usize = 40 * 20;
    let server = RedisServer::start();
    let url = server.url();
    // Many at a time, so that whenever it is killed some are under way.
    let chain = vec!["redis:incr (- args: [n] -)"; 20].join(" → ");
    let program = Program::new("redis-once", &format!("{{ {} }} → :end", vec![chain; 40].join("\n")));
    let number = || server.cli(&["GET", "n"]).parse::<usize>().unwrap_or(0);
    let mut repeated = 0;
    program.json(&["run", "a.flow", "--id", "r", "--backend", &url]);
    for round in 0..3 {
        let arguments = ["serve", "--backend", &url];
        let child = program.command(&arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut process = Process(child.unwrap());
        let least = number() + STEPS / 8;
        until("some are done", || number() >= least);
        process.signal("-KILL");
        let run = program.json(&["inspect", "r", "--all", "--backend", &url]);
        let ended = run["steps"].as_array().unwrap().iter().filter(|step| step["phase"] == "done");
        // The start of the subflow is a step, too.
        repeated += number().saturating_sub(ended.count());
        for engine in server.cli(&["--scan", "--pattern", "workflows:engine:*"]).lines() {
            // So that nobody has to wait until it is thought dead.
            server.cli(&["DEL", engine]);
        }
        assert!(number() < STEPS, "round {round} came too late");
    }
    assert!(repeated > 0, "no step had to be done again");
    let line = program.json(&["run", "--id", "r", "--backend", &url]);
    assert_eq!(line["state"], "FINISHED");
    assert_eq!(number(), STEPS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let steps = runtime.block_on(async {
        let backend = Backend::open(&url).await.unwrap();
        Workflows::new(&backend).inspect(&RunId::from("r")).await.unwrap().steps
    });
    assert!(steps.iter().any(|step| step.attempt > 1));
}
