//! What pipelines do with jobs.

use super::{count, counted, counting, echoing, for_jobs, ms, somebody};
use crate::live::{data, told, until_end, waiting};
use futures::StreamExt;
use mape::condition::Condition;
use mape::live::{Delivery, Interest, Job, Live, Pipeline, Settings, Viewer, answering};
use mape::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::{Instant, sleep};

/// What two clients that ask at the same time get, in the order in which it is published: `(client, nr)`.
async fn of_two_clients(pipeline: Pipeline) -> Vec<(u64, u64)> {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, pipeline);
    let mut all = live.connect(Viewer::default());
    all.state("all", Interest::all(), None).unwrap();
    let clients = [1, 2].map(|who| {
        let client = live.connect(Viewer::default());
        client.ask("count", count(who, 4)).unwrap();
        client.close_when_done();
        (who, client)
    });
    for (who, client) in clients {
        let told = until_end(client).await;
        let own: Vec<_> = told.iter().filter_map(data).collect();
        assert!(own.iter().all(|part| part["who"] == who) && own.len() == 4, "{own:?}");
        assert!(matches!(told.last(), Some(Delivery::Ended { parts: 4, .. })));
    }
    let number = |part: &Value, key: &str| part[key].as_u64().unwrap();
    waiting(&mut all).iter().map(|part| (number(part, "who"), number(part, "nr"))).collect()
}

#[tokio::test(start_paused = true)]
async fn in_order_all_parts_of_the_first_client_come_before_those_of_the_second() {
    let seen = of_two_clients(Pipeline::new().in_order()).await;
    assert_eq!(seen, [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3), (2, 4)]);
}

#[tokio::test(start_paused = true)]
async fn in_parallel_the_parts_of_both_clients_come_in_turn() {
    let seen = of_two_clients(Pipeline::new().parallel(100)).await;
    assert_eq!(seen, [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3), (1, 4), (2, 4)]);
}

#[tokio::test(start_paused = true)]
async fn each_source_has_an_order_of_its_own() {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, Pipeline::new().group_by("source").in_order());
    let mut all = live.connect(Viewer::default());
    all.state("all", Interest::all(), None).unwrap();
    let (ann, bob) = (live.connect(somebody("ann")), live.connect(somebody("bob")));
    for who in [1, 2] {
        ann.ask("count", count(who, 2)).unwrap();
        bob.ask("count", count(who + 10, 2)).unwrap();
    }
    sleep(ms(100)).await;
    let who = |part: &Value| part["who"].as_u64().unwrap();
    assert_eq!(waiting(&mut all).iter().map(who).collect::<Vec<_>>(), [1, 11, 1, 11, 2, 12, 2, 12]);
}

/// A server whose jobs `work` take 10 ms, with the most that have run at a time.
fn working(app: &App) -> (Live, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let live = Live::new(app);
    let seen = most.clone();
    let work = answering(move |_: Job, parts| {
        let (now, seen) = (now.clone(), seen.clone());
        async move {
            seen.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            sleep(ms(10)).await;
            now.fetch_sub(1, Ordering::Relaxed);
            parts.send("done").await
        }
    });
    let work = app.create_loop("jobs").unwrap().execute("work").each_unordered(1000, work);
    live.job("work", &work.spawn().unwrap()).unwrap();
    (live, most)
}

#[tokio::test(start_paused = true)]
async fn so_many_run_at_a_time_and_none_is_forgotten() {
    let app = App::new();
    let (live, most) = working(&app);
    for_jobs(&live, Pipeline::new().parallel(8));
    let client = live.connect(Viewer::default());
    for n in 0..100 {
        client.ask("work", n).unwrap();
    }
    client.close_when_done();
    let since = Instant::now();
    assert_eq!(until_end(client).await.iter().filter_map(data).count(), 100);
    assert_eq!(most.load(Ordering::Relaxed), 8);
    assert_eq!(since.elapsed(), ms(130));
}

#[tokio::test(start_paused = true)]
async fn who_has_gone_gives_up_a_place_and_a_turn() {
    let app = App::new();
    let mut settings = Settings::default();
    settings.jobs = 10;
    let live = Live::with(&app, settings, ());
    let never = answering(|job: Job, _| async move {
        if **job.input() == "end" { Ok(()) } else { std::future::pending::<Result<(), BoxError>>().await }
    });
    let never = app.create_loop("jobs").unwrap().execute("never").each_unordered(100, never);
    live.job("never", &never.spawn().unwrap()).unwrap();
    for_jobs(&live, Pipeline::new().in_order());
    let first = live.connect(Viewer::default());
    first.ask("never", "first").unwrap();
    let second = live.connect(Viewer::default());
    for n in 0..9 {
        second.ask("never", n).unwrap();
    }
    drop(second);
    // All ten places were taken, nine of them by jobs that nobody wants.
    let third = live.connect(Viewer::default());
    third.ask("never", "end").unwrap();
    third.close_when_done();
    drop(first);
    assert!(matches!(until_end(third).await[..], [Delivery::Ended { .. }]));
}

#[tokio::test(start_paused = true)]
async fn jobs_begin_at_a_rate() {
    let app = App::new();
    let live = echoing(&app);
    for_jobs(&live, Pipeline::new().rate_limit(2, ms(1000)));
    let mut client = live.connect(Viewer::default());
    for n in 0..6 {
        client.ask("echo", n).unwrap();
    }
    let mut seen = Vec::new();
    for second in 0..3 {
        sleep(ms(if second == 0 { 5 } else { 1000 })).await;
        seen.push(waiting(&mut client).len());
    }
    assert_eq!(seen, [2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn only_the_last_job_of_a_burst_is_done_and_the_others_are_told() {
    let app = App::new();
    let live = echoing(&app);
    for_jobs(&live, Pipeline::named(["ech?"]).group_by("source").debounce(ms(100)));
    let (ann, bob) = (live.connect(somebody("ann")), live.connect(somebody("bob")));
    for text in ["j", "jo", "joe"] {
        ann.ask("echo", text).unwrap();
        sleep(ms(50)).await;
    }
    bob.ask("echo", "b").unwrap();
    ann.close_when_done();
    bob.close_when_done();
    let told = until_end(ann).await;
    let left = "error: left out: a newer one came before it was quiet for long enough";
    assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), [left, left, "joe"]);
    assert_eq!(told.len(), 6);
    assert_eq!(until_end(bob).await.iter().filter_map(data).collect::<Vec<_>>(), ["b"]);
    assert_eq!(counted("jobs ech?", 2), 2);
}

#[tokio::test(start_paused = true)]
async fn only_jobs_are_done_for_which_a_condition_holds() {
    let app = App::new();
    let live = echoing(&app);
    for_jobs(&live, Pipeline::new().filter(Condition::parse("customer.id gt 10").unwrap()));
    let client = live.connect(Viewer::default());
    client.ask("echo", json!({"customer": {"id": 5}})).unwrap();
    client.ask("echo", json!({"customer": {"id": 50}})).unwrap();
    client.close_when_done();
    let told = until_end(client).await;
    let seen: Vec<_> = told.iter().filter_map(data).collect();
    assert_eq!(seen[0], "error: left out: a pipeline lets only others through");
    assert_eq!(seen[1]["customer"]["id"], 50);
}

#[tokio::test(start_paused = true)]
async fn equal_jobs_under_way_are_one_and_who_comes_later_gets_all_parts() {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, Pipeline::named(["count*"]).dedup());
    let (first, second) = (live.connect(Viewer::default()), live.connect(Viewer::default()));
    let job = first.ask("count", count(1, 5)).unwrap();
    sleep(ms(35)).await;
    assert_eq!(second.ask("count", count(1, 5)).unwrap(), job);
    assert_eq!(second.ask("count", count(1, 5)).unwrap(), job);
    assert_ne!(second.ask("count", count(2, 1)).unwrap(), job);
    for client in [&first, &second] {
        client.close_when_done();
    }
    // Who asked first may go.
    sleep(ms(1)).await;
    drop(first);
    let told = until_end(second).await;
    let parts: Vec<_> = told.iter().filter_map(data).filter(|part| part["who"] == 1).collect();
    assert_eq!(parts.iter().map(|part| part["nr"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let ends = told.iter().filter(|it| matches!(it, Delivery::Ended { job: ended, .. } if *ended == job));
    assert_eq!(ends.count(), 1);
    assert_eq!(counted("jobs count*", 3), 2);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_cancelled_is_not_shared() {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, Pipeline::new().dedup());
    let (first, second) = (live.connect(Viewer::default()), live.connect(Viewer::default()));
    let job = first.ask("count", count(1, 5)).unwrap();
    sleep(ms(15)).await;
    first.cancel(job);
    assert_ne!(second.ask("count", count(1, 5)).unwrap(), job);
    second.close_when_done();
    assert_eq!(until_end(second).await.iter().filter_map(data).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_source_is_shared_within_it_alone() {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, Pipeline::new().group_by("source").dedup());
    let clients = ["ann", "ann", "bob"].map(|name| live.connect(somebody(name)));
    let jobs: Vec<_> = clients.iter().map(|client| client.ask("count", count(1, 2)).unwrap()).collect();
    assert!(jobs[0] == jobs[1] && jobs[1] != jobs[2]);
}

#[tokio::test(start_paused = true)]
async fn an_equal_job_is_answered_from_the_last_for_a_time_unless_that_failed() {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, Pipeline::named(["count", "x"]).cache(ms(1000), 10));
    let ask = async |input: Value| {
        let since = Instant::now();
        let client = live.connect(Viewer::default());
        client.ask("count", input).unwrap();
        client.close_when_done();
        let told = until_end(client).await;
        assert!(matches!(told.last(), Some(Delivery::Ended { .. })));
        (told.len(), since.elapsed())
    };
    assert_eq!(ask(count(1, 3)).await, (4, ms(30)));
    assert_eq!(ask(count(1, 3)).await, (4, ms(0)));
    assert_eq!(ask(count(2, 3)).await, (4, ms(30)));
    sleep(ms(1000)).await;
    assert_eq!(ask(count(1, 3)).await, (4, ms(30)));
    // It panics.
    for _ in 0..2 {
        let client = live.connect(Viewer::default());
        client.ask("count", json!({})).unwrap();
        client.close_when_done();
        assert!(data(&until_end(client).await[0]).unwrap().as_str().unwrap().contains("panicked"));
    }
    assert_eq!(counted("jobs count,x", 4), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_declaration_and_for_other_names_jobs_go_straight_on() {
    let app = App::new();
    let live = counting(&app);
    for_jobs(&live, Pipeline::named(["others"]).in_order());
    let mut client = live.connect(Viewer::default());
    for who in 0..3 {
        client.ask("count", count(who, 1)).unwrap();
    }
    sleep(ms(10)).await;
    client.next().await.unwrap();
    assert_eq!(told(&mut client).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_broken_off_is_not_what_an_equal_one_is_answered_from() {
    let app = App::new();
    let live = Live::new(&app);
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let work = answering(move |job: Job, parts| {
        let calls = seen.clone();
        async move {
            if **job.input() == "fail" {
                return Err(BoxError::from("no"));
            }
            let is_first = calls.fetch_add(1, Ordering::Relaxed) == 0;
            parts.send("half").await?;
            if is_first {
                std::future::pending::<()>().await;
            }
            parts.send("whole").await?;
            Ok(())
        }
    });
    let on_error = mape::element::OnError::Restart(mape::stream::Backoff::constant(ms(1)));
    let work = app.create_loop("jobs").unwrap().execute("work").on_error(on_error).each_unordered(8, work);
    let work = work.spawn().unwrap();
    live.job("work", &work).unwrap();
    for_jobs(&live, Pipeline::new().cache(ms(60_000), 10));
    let first = live.connect(Viewer::default());
    first.ask("work", "x").unwrap();
    first.close_when_done();
    sleep(ms(1)).await;
    let other = live.connect(Viewer::default());
    other.ask("work", "fail").unwrap();
    assert!(data(&until_end(first).await[1]).unwrap().as_str().unwrap().contains("was stopped"));
    for _ in 0..2 {
        sleep(ms(10)).await;
        let again = live.connect(Viewer::default());
        again.ask("work", "x").unwrap();
        again.close_when_done();
        assert_eq!(until_end(again).await.iter().filter_map(data).collect::<Vec<_>>(), ["half", "whole"]);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn who_has_gone_uses_up_no_rate() {
    let app = App::new();
    let live = echoing(&app);
    for_jobs(&live, Pipeline::new().rate_limit(1, ms(1000)));
    let first = live.connect(Viewer::default());
    for n in 0..5 {
        first.ask("echo", n).unwrap();
    }
    sleep(ms(1)).await;
    drop(first);
    let second = live.connect(Viewer::default());
    second.ask("echo", "mine").unwrap();
    second.close_when_done();
    let since = Instant::now();
    assert_eq!(until_end(second).await.iter().filter_map(data).collect::<Vec<_>>(), ["mine"]);
    assert!(since.elapsed() <= ms(1000), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_has_gone_gives_up_a_place_wherever_it_waited() {
    let hour = ms(3_600_000);
    let pipelines = [
        Pipeline::new().batch(100, hour),
        Pipeline::new().debounce(hour),
        Pipeline::new().group_by("name").rate_limit(1, hour),
        Pipeline::new().in_order(),
    ];
    for pipeline in pipelines {
        for is_replaced in [false, true] {
            let app = App::new();
            let mut settings = Settings::default();
            settings.jobs = 3;
            let live = Live::with(&app, settings, ());
            let never = answering(|_: Job, _| std::future::pending::<Result<(), BoxError>>());
            let never = app.create_loop("jobs").unwrap().execute("never").each_unordered(100, never);
            live.job("never", &never.spawn().unwrap()).unwrap();
            for_jobs(&live, pipeline.clone());
            let kept = live.connect(Viewer::default());
            kept.ask("never", 0).unwrap();
            let gone = live.connect(Viewer::default());
            for n in 1..3 {
                gone.ask("never", n).unwrap();
            }
            if is_replaced {
                live.set_pipelines(mape::live::Pipelines::new()).unwrap();
            }
            drop(gone);
            sleep(ms(1)).await;
            for n in 3..5 {
                kept.ask("never", n).unwrap_or_else(|error| panic!("{pipeline:?} {is_replaced}: {error}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_holds_behind_a_rate() {
    let app = App::new();
    let live = echoing(&app);
    for_jobs(&live, Pipeline::new().rate_limit(3, ms(1)).in_order());
    let client = live.connect(Viewer::default());
    for n in 0..3000 {
        client.ask("echo", n).unwrap();
        if n % 5 == 0 {
            tokio::task::yield_now().await;
        }
    }
    client.close_when_done();
    let told = tokio::time::timeout(ms(60_000), until_end(client)).await.unwrap();
    let seen: Vec<_> = told.iter().filter_map(data).map(|n| n.as_u64().unwrap()).collect();
    assert!(seen.is_sorted() && seen.len() == 3000, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn groups_that_somebody_makes_up_are_not_remembered_without_bound() {
    let app = App::new();
    let live = echoing(&app);
    for_jobs(&live, Pipeline::new().group_by("group").rate_limit(1, ms(3_600_000)));
    let mut client = live.connect(Viewer::default());
    let mut heard = 0;
    for group in 0..=10_000 {
        client.ask("echo", json!({"group": group})).unwrap();
        if group % 100 == 0 {
            sleep(ms(1)).await;
            heard += waiting(&mut client).len();
        }
    }
    assert_eq!(heard, 10_001);
    // The oldest of them gave way; the others did not.
    for (group, is_done) in [(10_000, false), (0, true)] {
        client.ask("echo", json!({"group": group})).unwrap();
        sleep(ms(1)).await;
        assert_eq!(waiting(&mut client).len(), usize::from(is_done), "{group}");
    }
}
