//! What pipelines do with parts of results.

use super::{count, counting, echoing, for_results, ms};
use crate::live::{data, told, until_end, waiting};
use futures::{FutureExt, SinkExt, StreamExt};
use mape::condition::Condition;
use mape::live::{Delivery, Error, Interest, Live, Pipeline, Pipelines, Settings, Viewer};
use mape::prelude::*;
use serde_json::{Value, json};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn several_parts_become_one_and_the_end_comes_behind_it() {
    let app = App::new();
    let live = counting(&app);
    for_results(&live, Pipeline::new().batch(3, ms(1000)));
    let client = live.connect(Viewer::default());
    client.ask("count", count(1, 4)).unwrap();
    client.close_when_done();
    let told = until_end(client).await;
    let nrs = |part: &Value| -> Vec<u64> {
        part.as_array().unwrap().iter().map(|part| part["nr"].as_u64().unwrap()).collect()
    };
    let seen: Vec<_> = told.iter().filter_map(data).map(|part| nrs(&part)).collect();
    assert_eq!(seen, [vec![1, 2, 3], vec![4]]);
    assert!(matches!(told.last(), Some(Delivery::Ended { .. })) && told.len() == 3, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_comes_at_once_behind_what_was_collected() {
    let app = App::new();
    let live = Live::new(&app);
    for_results(&live, Pipeline::new().batch(10, ms(1000)).debounce(ms(1000)).rate_limit(5, ms(1000)));
    let work = app.create_loop("jobs").unwrap().execute("work").each_unordered(
        4,
        mape::live::answering(|_, parts: mape::live::Parts| async move {
            parts.send(1).await?;
            parts.send(2).await?;
            Err::<(), BoxError>("no such customer".into())
        }),
    );
    live.job("work", &work.spawn().unwrap()).unwrap();
    let client = live.connect(Viewer::default());
    client.ask("work", ()).unwrap();
    client.close_when_done();
    let since = tokio::time::Instant::now();
    let told = until_end(client).await;
    assert_eq!(
        told.iter().filter_map(data).collect::<Vec<_>>(),
        [json!([1, 2]), json!("error: no such customer")]
    );
    assert!(matches!(told.last(), Some(Delivery::Ended { .. })));
    assert_eq!(since.elapsed(), ms(0));
}

#[tokio::test(start_paused = true)]
async fn parts_of_other_jobs_are_never_mixed() {
    let app = App::new();
    let live = counting(&app);
    for_results(&live, Pipeline::new().dedup().batch(100, ms(25)).debounce(ms(25)));
    let clients = [1, 2].map(|who| {
        let client = live.connect(Viewer::default());
        client.ask("count", count(who, 2)).unwrap();
        client.close_when_done();
        (who, client)
    });
    for (who, client) in clients {
        let told = until_end(client).await;
        let seen: Vec<_> = told.iter().filter_map(data).collect();
        assert_eq!(seen, [json!([{"who": who, "nr": 1}, {"who": who, "nr": 2}])]);
    }
}

/// A client that sees all that is published as `x`.
fn follower(live: &Live) -> mape::live::Client {
    let client = live.connect(Viewer::default());
    client.state("x", Interest::named(["x"]), None).unwrap();
    client
}

#[tokio::test(start_paused = true)]
async fn only_the_last_part_comes_when_it_is_quiet() {
    let app = App::new();
    let live = echoing(&app);
    for_results(&live, Pipeline::named(["x"]).group_by("id").debounce(ms(100)));
    let mut client = follower(&live);
    for n in 0..5 {
        live.publish("x", json!({"id": "a", "n": n})).unwrap();
        live.publish("x", json!({"id": "b", "n": n})).unwrap();
        sleep(ms(30)).await;
    }
    assert_eq!(waiting(&mut client).len(), 0);
    sleep(ms(100)).await;
    assert_eq!(waiting(&mut client), [json!({"id": "a", "n": 4}), json!({"id": "b", "n": 4})]);
}

#[tokio::test(start_paused = true)]
async fn parts_that_say_the_same_and_those_that_nobody_is_to_see_are_left_out() {
    let app = App::new();
    let live = echoing(&app);
    for_results(&live, Pipeline::named(["x", "deduped"]).dedup().filter(Condition::parse("n lt 5").unwrap()));
    let mut client = follower(&live);
    for n in [1, 1, 2, 2, 7, 2, 1] {
        live.publish("x", json!({"n": n})).unwrap();
    }
    let seen: Vec<_> = waiting(&mut client).iter().map(|part| part["n"].as_u64().unwrap()).collect();
    assert_eq!(seen, [1, 2, 2, 1]);
    assert_eq!((super::counted("results x,deduped", 0), super::counted("results x,deduped", 2)), (7, 3));
}

#[tokio::test(start_paused = true)]
async fn who_makes_parts_waits_while_their_pipeline_is_full() {
    let app = App::new();
    let mut settings = Settings::default();
    settings.held = 10;
    let live = Live::with(&app, settings, ());
    for_results(&live, Pipeline::named(["x"]).rate_limit(1, ms(100)));
    let mut client = follower(&live);
    let mut results = live.results::<u64>("x");
    let (mut sent, mut most) = (0, 0);
    for n in 0..40 {
        // Each is flushed by itself, as by an element that makes one at a time.
        let wait = results.send(n);
        tokio::pin!(wait);
        while wait.as_mut().now_or_never().is_none() {
            sleep(ms(10)).await;
        }
        sent += 1;
        most = most.max(sent - told(&mut client).len() as u64);
        if n == 20 {
            assert!(matches!(live.publish("x", 0), Err(Error::Full { limit: 10, .. })));
            // Others have nothing to do with it.
            live.publish("y", 0).unwrap();
        }
    }
    assert!(most <= 40);
    let mut seen = 0;
    while seen < 10 {
        client.next().await.unwrap();
        seen += 1;
    }
    assert_eq!(told(&mut client).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_the_pipelines_are_gone_comes_at_once_and_in_order() {
    let app = App::new();
    let live = echoing(&app);
    for_results(&live, Pipeline::named(["x"]).rate_limit(1, ms(1000)));
    let mut client = follower(&live);
    for n in 0..5 {
        live.publish("x", n).unwrap();
    }
    assert_eq!(waiting(&mut client), [0]);
    live.set_pipelines(Pipelines::new()).unwrap();
    live.publish("x", 5).unwrap();
    assert_eq!(waiting(&mut client), [1, 2, 3, 4, 5]);
}
