//! Pipelines replaced while jobs run.

use super::{count, counted, counting, echoing, for_jobs, ms};
use crate::live::{data, until_end, waiting};
use futures::{StreamExt, future};
use mape::live::{Delivery, Error, Interest, Job, Live, Pipeline, Pipelines, Viewer, answering};
use mape::prelude::*;
use serde_json::json;
use std::collections::HashMap;
use tokio::time::{Instant, sleep};

/// Pipelines that leave nothing out.
fn variants() -> Vec<Pipelines> {
    let jobs = [
        Pipeline::new().in_order(),
        Pipeline::new().group_by("who").in_order(),
        Pipeline::new().parallel(3),
        Pipeline::new().batch(4, ms(7)).parallel(2),
        Pipeline::new().rate_limit(5, ms(3)),
        Pipeline::named(["count"]).group_by("source").batch(3, ms(2)).rate_limit(3, ms(1)),
        Pipeline::new(),
    ];
    let results = [
        Pipeline::new().batch(3, ms(5)),
        Pipeline::named(["count"]).rate_limit(7, ms(2)),
        Pipeline::new().group_by("job").batch(2, ms(3)).rate_limit(4, ms(1)),
        Pipeline::new(),
        Pipeline::named(["others"]).batch(5, ms(9)),
    ];
    let mut variants = vec![Pipelines::new()];
    for n in 0..jobs.len() * results.len() {
        let (jobs, results) = (jobs[n % jobs.len()].clone(), results[n % results.len()].clone());
        variants.push(Pipelines::new().for_jobs(jobs).for_results(results));
    }
    variants
}

/// The numbers in a part, which may be a list.
fn numbers(delivery: &Delivery) -> Vec<u64> {
    match data(delivery) {
        Some(serde_json::Value::Array(list)) => {
            list.iter().map(|part| part["nr"].as_u64().unwrap()).collect()
        }
        Some(part) => vec![part["nr"].as_u64().unwrap()],
        None => Vec::new(),
    }
}

async fn nothing_is_lost_or_doubled(swaps: usize, between: std::time::Duration) {
    let app = App::new();
    let live = Live::new(&app);
    let count = app.create_loop("jobs").unwrap().execute("count").each_unordered(
        1000,
        answering(|job: Job, parts| async move {
            for nr in 1..=job.input()["parts"].as_u64().unwrap() {
                sleep(ms(1)).await;
                parts.send(json!({"nr": nr})).await?;
            }
            Ok::<_, BoxError>(())
        }),
    );
    live.job("count", &count.spawn().unwrap()).unwrap();
    let mut published = live.connect(Viewer::default());
    published.state("x", Interest::named(["others"]), None).unwrap();
    let swapping = async {
        let variants = variants();
        for n in 0..swaps {
            if n % 10 == 9 {
                live.roll_back().unwrap();
            } else {
                live.set_pipelines(variants[fastrand::usize(..variants.len())].clone()).unwrap();
            }
            live.publish("others", json!({"nr": n})).unwrap();
            sleep(between).await;
        }
        live.set_pipelines(Pipelines::new()).unwrap();
    };
    let asking = async {
        let mut clients = Vec::new();
        for who in 0..60 {
            let client = live.connect(Viewer::named(format!("c{}", who % 7)));
            for parts in [3, 0, 5] {
                client.ask("count", json!({"who": who, "parts": parts})).unwrap();
            }
            client.close_when_done();
            clients.push(client.collect::<Vec<_>>());
            sleep(between * u32::try_from(swaps).unwrap() / 60).await;
        }
        future::join_all(clients).await
    };
    let ((), clients) = tokio::join!(swapping, asking);
    for told in clients {
        let mut jobs: HashMap<_, Vec<u64>> = HashMap::new();
        let mut ends = Vec::new();
        for delivery in &told {
            match delivery {
                Delivery::Part(part) => {
                    assert!(!ends.contains(&part.job().unwrap()), "a part behind the end");
                    jobs.entry(part.job().unwrap()).or_default().extend(numbers(delivery));
                }
                Delivery::Ended { job, .. } => ends.push(*job),
                other => panic!("{other:?}"),
            }
        }
        let mut seen: Vec<_> = jobs.into_values().collect();
        seen.sort();
        assert_eq!(seen, [vec![1, 2, 3], vec![1, 2, 3, 4, 5]]);
        ends.sort();
        ends.dedup();
        assert_eq!(ends.len(), 3);
    }
    let seen: Vec<_> = crate::live::told(&mut published).iter().flat_map(numbers).collect();
    assert_eq!(seen, (0..swaps as u64).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_swaps_under_load_lose_and_double_nothing() {
    nothing_is_lost_or_doubled(1000, ms(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_swaps_on_several_threads_lose_and_double_nothing() {
    nothing_is_lost_or_doubled(1000, ms(2)).await;
}

#[tokio::test(start_paused = true)]
async fn jobs_that_run_go_on_and_an_order_holds_across_a_swap() {
    let app = App::new();
    let live = counting(&app);
    let pipeline = Pipeline::named(["count"]);
    for_jobs(&live, pipeline.clone().in_order());
    let mut all = live.connect(Viewer::default());
    all.state("all", Interest::all(), None).unwrap();
    let client = live.connect(Viewer::default());
    for who in [1, 2] {
        client.ask("count", count(who, 2)).unwrap();
    }
    sleep(ms(15)).await;
    // Another way to the same gate.
    for_jobs(&live, pipeline.clone().rate_limit(10, ms(1)).in_order());
    client.ask("count", count(3, 2)).unwrap();
    sleep(ms(100)).await;
    let who = |part: &serde_json::Value| part["who"].as_u64().unwrap();
    assert_eq!(waiting(&mut all).iter().map(who).collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3]);

    // Three at a time from now on: those that wait go at once.
    for who in [4, 5, 6] {
        client.ask("count", count(who, 1)).unwrap();
    }
    let since = Instant::now();
    for_jobs(&live, pipeline.parallel(3));
    sleep(ms(10)).await;
    tokio::task::yield_now().await;
    sleep(ms(1)).await;
    assert_eq!(waiting(&mut all).len(), 3, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn jobs_that_wait_are_done_when_their_pipeline_is_no_more() {
    let app = App::new();
    let live = counting(&app);
    for pipeline in [Pipeline::new().in_order(), Pipeline::new().rate_limit(1, ms(50))] {
        for_jobs(&live, pipeline);
        let clients = [1, 2, 3].map(|who| {
            let client = live.connect(Viewer::default());
            client.ask("count", count(who, 1)).unwrap();
            client.close_when_done();
            client
        });
        live.set_pipelines(Pipelines::new()).unwrap();
        for client in clients {
            assert_eq!(until_end(client).await.len(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_changes_nothing_and_the_one_before_goes_on_counting() {
    let app = App::new();
    let live = echoing(&app);
    let good = Pipelines::new().for_jobs(Pipeline::named(["e*o"]).in_order());
    live.set_pipelines(good.clone()).unwrap();
    let client = live.connect(Viewer::default());
    client.ask("echo", 1).unwrap();
    let bad = Pipelines::new().for_jobs(Pipeline::new()).for_results(Pipeline::new().in_order());
    let error = live.set_pipelines(bad).unwrap_err();
    assert!(matches!(&error, Error::Pipelines(invalid) if invalid.path == "results[0].stages[0]"), "{error}");
    assert_eq!(*live.pipelines(), good);
    client.ask("echo", 2).unwrap();
    sleep(ms(1)).await;
    assert_eq!((counted("jobs e*o", 0), counted("jobs e*o", 1)), (2, 2));
    client.close_when_done();
    assert_eq!(until_end(client).await.iter().filter_map(data).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn one_call_goes_back_and_another_forth() {
    let app = App::new();
    let live = echoing(&app);
    assert!(matches!(live.roll_back(), Err(Error::NothingBefore)));
    let one = Pipelines::new().for_jobs(Pipeline::new().parallel(1));
    let two = Pipelines::new().for_jobs(Pipeline::new().parallel(2));
    live.set_pipelines(one.clone()).unwrap();
    live.set_pipelines(two.clone()).unwrap();
    assert_eq!(*live.roll_back().unwrap(), one);
    assert_eq!(*live.pipelines(), one);
    assert_eq!(*live.roll_back().unwrap(), two);
}

#[tokio::test(start_paused = true)]
async fn each_of_several_limits_knows_across_a_swap_what_it_knew() {
    let app = App::new();
    let live = echoing(&app);
    let hour = ms(3_600_000);
    let pipeline = |most| Pipeline::new().rate_limit(most, hour).rate_limit(1, hour);
    for_jobs(&live, pipeline(100));
    let mut client = live.connect(Viewer::default());
    client.ask("echo", 1).unwrap();
    sleep(ms(1)).await;
    assert_eq!(waiting(&mut client), [1]);
    for_jobs(&live, pipeline(50));
    client.ask("echo", 2).unwrap();
    sleep(ms(1)).await;
    assert!(waiting(&mut client).is_empty());
    sleep(hour).await;
    assert_eq!(waiting(&mut client), [2]);
}
