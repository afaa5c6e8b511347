//! One seed from its beginning to its end.

use super::client::{follow, heard, nonsense};
use super::plan::{CLIENT, Plan};
use super::processes::Processes;
use super::store::all_keys;
use super::world::{Call, World};
use futures::future::try_join_all;
use mape::knowledge::{Key, ListCommand, ValueCommand};
use mape::workflow::Workflows;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, sleep_until, timeout_at};

/// What came of a seed.
pub(super) struct Done {
    pub(super) result: Result<(), String>,
    pub(super) trace: Vec<Call>,
    /// How many steps were begun, and how many of them again.
    pub(super) starts: (usize, usize),
}

/// In how much virtual time after the last fault all has to be over.
const BOUND: Duration = Duration::from_mins(1);

/// Does what a seed says; tells everything if it `tells`.
pub(super) fn run(seed: u64, tells: bool) -> Done {
    fastrand::seed(seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let plan = Plan::of(seed);
        let world = World::new(seed, plan.is_open, tells);
        let result = simulate(&world, plan).await;
        let result = result.and_then(|()| world.ledger.wrong().map_or(Ok(()), Err));
        let done = Done { result, trace: world.take_trace(), starts: world.ledger.counts() };
        world.ledger.close();
        done
    })
}

async fn simulate(world: &Arc<World>, plan: Plan) -> Result<(), String> {
    for script in &plan.scripts {
        world.note(&"plan".into(), "flow", format!("{}: {} {:?}", script.id, script.flow, script.trouble));
        world.ledger.open(&script.id, &script.graph, script.trouble.clone());
    }
    let mut processes = Processes::start(world, plan.twice);
    let runs = Workflows::new(&processes.link(CLIENT).backend());
    let noise = tokio::spawn(nonsense(world.clone(), plan.nonsense));
    let faults = async {
        for (at, fault) in &plan.faults {
            sleep_until(world.began() + *at).await;
            processes.suffer(*fault);
        }
        Ok(())
    };
    let followed = try_join_all(plan.scripts.iter().map(|script| follow(world, &runs, script)));
    let bound = world.began() + plan.calm() + BOUND;
    let ended = timeout_at(bound, futures::future::try_join(faults, followed)).await;
    ended.map_err(|_| "runs are not over a minute after the last fault".to_owned())??;
    noise.await.unwrap();
    heard(world).await?;
    outputs(world, &runs, &plan).await?;
    processes.end_workers();
    for script in &plan.scripts {
        runs.delete(&script.id).await.map_err(|error| error.to_string())?;
    }
    // What comes later than that finds nothing.
    sleep(Duration::from_secs(1)).await;
    processes.close_all().await;
    sleep(Duration::from_secs(4)).await;
    let left = all_keys(world, &"*".into()).await.unwrap();
    let left: Vec<_> = left.iter().map(|key| key.as_str()).filter(|key| !STAYS.contains(key)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("keys are left: {left:?}")) }
}

/// Keys that belong to no run.
const STAYS: [&str; 1] = ["mape:changed"];

/// Every step has given what it should, also in the form that programs of other kinds read.
async fn outputs(world: &World, runs: &Workflows, plan: &Plan) -> Result<(), String> {
    for script in &plan.scripts {
        let Some((outputs, _)) = script.expected() else { continue };
        let run = runs.inspect(&script.id).await.map_err(|error| error.to_string())?;
        for step in run.steps.iter().filter(|step| step.part == 0) {
            let expected = outputs.get(&(step.index as usize));
            if step.output.as_deref() != expected {
                return Err(format!(
                    "{} #{} gave {:?}, not {expected:?}",
                    script.id, step.index, step.output
                ));
            }
        }
        if !world.is_open {
            continue;
        }
        let (id, count) = (script.id.full(), script.graph.nodes().len());
        for (index, expected) in &outputs {
            let there = get(world, &format!("{id}:output:{index}")).await;
            if script.graph.node(*index).is_some_and(|node| node.task().is_some())
                && there.as_ref() != Some(expected)
            {
                return Err(format!("{id}:output:{index} is {there:?}, not {expected:?}"));
            }
        }
        for list in ["S", "A"] {
            let sum = sum(world, &format!("{id}:{list}"), count).await;
            if sum.iter().any(|n| *n != 0) {
                return Err(format!("{id}:{list} adds up to {sum:?}"));
            }
        }
    }
    Ok(())
}

async fn get(world: &World, key: &str) -> Option<Value> {
    let key = Key::from(key);
    let reply = world.store.run(&key, ValueCommand::Get.into()).await.unwrap().non_nil()?;
    serde_json::from_slice(&reply.data(&key).unwrap()).ok()
}

/// What the entries of a list of changes add up to, as any program can read them.
async fn sum(world: &World, key: &str, count: usize) -> Vec<i64> {
    let key = Key::from(key);
    let reply = world.store.run(&key, ListCommand::Range(0, -1).into()).await.unwrap();
    let mut sum = vec![0; count];
    for line in reply.list(&key).unwrap() {
        let numbers = line.as_str().unwrap().split_ascii_whitespace().skip(1);
        numbers.zip(&mut sum).for_each(|(n, sum)| *sum += n.parse::<i64>().unwrap());
    }
    sum
}
