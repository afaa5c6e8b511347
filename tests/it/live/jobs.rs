//! Jobs: their parts, their ends, their errors, and their cancelling.

use super::{data, told, until_end, waiting};
use futures::StreamExt;
use mape::element::OnError;
use mape::live::{Delivery, Error, Interest, Job, Live, Part, Settings, Viewer, answering};
use mape::prelude::*;
use mape::stream::Backoff;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// A server whose jobs `count` take as many parts as the input says, 10 ms apart, `parallel` at a time.
fn counting(app: &App, parallel: usize) -> Live {
    let live = Live::new(app);
    let count = app.create_loop("jobs").unwrap().execute("count").each_unordered(
        parallel,
        answering(|job: Job, parts| async move {
            for n in 0..job.input_as::<u64>()? {
                sleep(Duration::from_millis(10)).await;
                parts.send(n).await?;
            }
            Ok::<_, BoxError>(())
        }),
    );
    live.job("count", &count.spawn().unwrap()).unwrap();
    live
}

fn ended(told: &[Delivery]) -> Vec<u64> {
    let parts = |delivery: &Delivery| match delivery {
        Delivery::Ended { parts, .. } => Some(*parts),
        _ => None,
    };
    told.iter().filter_map(parts).collect()
}

#[tokio::test(start_paused = true)]
async fn parts_come_in_order_and_the_end_behind_the_last() {
    let app = App::new();
    let live = counting(&app, 8);
    let client = live.connect(Viewer::default());
    client.ask("count", 3).unwrap();
    client.close_when_done();
    let told = until_end(client).await;
    assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(matches!(told.last(), Some(Delivery::Ended { parts: 3, .. })), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_part_arrives_the_moment_it_exists() {
    let app = App::new();
    let live = counting(&app, 8);
    let mut client = live.connect(Viewer::default());
    let since = tokio::time::Instant::now();
    client.ask("count", 3).unwrap();
    for n in 1..=3 {
        client.next().await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_millis(10 * n));
    }
}

#[tokio::test(start_paused = true)]
async fn several_jobs_of_one_client_come_on_one_stream() {
    let app = App::new();
    let live = counting(&app, 8);
    let client = live.connect(Viewer::default());
    for n in [1, 0, 4] {
        client.ask("count", n).unwrap();
    }
    client.close_when_done();
    let told = until_end(client).await;
    assert_eq!(told.iter().filter_map(data).count(), 5);
    assert_eq!(ended(&told), [0, 1, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_error_and_a_panic_reach_the_client_as_a_part_and_others_go_on() {
    let app = App::new();
    let live = Live::new(&app);
    let work = app.create_loop("jobs").unwrap().execute("work").each_unordered(
        4,
        answering(|job: Job, parts| async move {
            parts.send("begun").await?;
            match job.input().as_str() {
                Some("fail") => Err("no such customer".into()),
                Some("panic") => panic!("out of cheese"),
                _ => Ok::<_, BoxError>(()),
            }
        }),
    );
    live.job("work", &work.spawn().unwrap()).unwrap();
    for (input, wanted) in [
        ("fail", vec!["begun", "error: no such customer"]),
        ("panic", vec!["begun", "error: panicked: out of cheese"]),
        ("go", vec!["begun"]),
    ] {
        let client = live.connect(Viewer::default());
        client.ask("work", input).unwrap();
        client.close_when_done();
        let told = until_end(client).await;
        assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), wanted);
        assert_eq!(ended(&told), [wanted.len() as u64]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_plain_element_fails_on_is_told_too() {
    let app = App::new();
    let live = Live::new(&app);
    let plain =
        app.create_loop("jobs").unwrap().execute("plain").try_map(|job: Job| match job.input_as::<u8>() {
            Ok(n) => Ok(job.part(n)),
            Err(error) => Err(error),
        });
    live.job("plain", &plain.spawn().unwrap()).unwrap();
    let client = live.connect(Viewer::default());
    client.ask("plain", "many").unwrap();
    client.ask("plain", 7).unwrap();
    client.close_when_done();
    let mut seen: Vec<_> = until_end(client).await.iter().filter_map(data).map(|d| d.to_string()).collect();
    seen.sort();
    assert!(seen[0].starts_with("\"error: ") && seen[0].contains("many"), "{seen:?}");
    assert_eq!(seen[1], "7");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_client_that_has_gone_wanted_is_cancelled() {
    let app = App::new();
    let live = counting(&app, 1);
    let mut client = live.connect(Viewer::default());
    client.ask("count", 1_000_000).unwrap();
    client.next().await.unwrap();
    drop(client);
    // Its place is free at once.
    let next = live.connect(Viewer::default());
    next.ask("count", 1).unwrap();
    next.close_when_done();
    let since = tokio::time::Instant::now();
    assert_eq!(until_end(next).await.len(), 2);
    assert!(since.elapsed() <= Duration::from_millis(20), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_others_follow_by_name_goes_on_without_its_client() {
    let app = App::new();
    let live = counting(&app, 4);
    let mut follower = live.connect(Viewer::default());
    follower.state("counts", Interest::named(["count"]), None).unwrap();
    let client = live.connect(Viewer::default());
    client.ask("count", 5).unwrap();
    sleep(Duration::from_millis(15)).await;
    drop(client);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(waiting(&mut follower), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_taken_back() {
    let app = App::new();
    let live = counting(&app, 1);
    let mut client = live.connect(Viewer::default());
    let job = client.ask("count", 1_000_000).unwrap();
    sleep(Duration::from_millis(25)).await;
    assert!(client.cancel(job) && !client.cancel(job));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(waiting(&mut client), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn unknown_kinds_and_too_many_jobs_are_refused_with_what_to_do() {
    let app = App::new();
    let live = counting(&app, 1);
    let client = live.connect(Viewer::default());
    let error = client.ask("cuont", 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are no jobs called `cuont` (did you mean `count`?); there are count"
    );
    let mut settings = Settings::default();
    settings.jobs = 2;
    let small = Live::with(&app, settings, ());
    let never = app.create_loop("never").unwrap().execute("never").each_unordered(
        4,
        answering(|_: Job, _| async { std::future::pending::<Result<(), BoxError>>().await }),
    );
    small.job("never", &never.spawn().unwrap()).unwrap();
    let client = small.connect(Viewer::default());
    client.ask("never", ()).unwrap();
    let job = client.ask("never", json!({})).unwrap();
    assert!(matches!(client.ask("never", 1), Err(Error::Busy { limit: 2 })));
    client.cancel(job);
    sleep(Duration::from_millis(1)).await;
    client.ask("never", 1).unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_element_does_jobs_of_several_names_and_hands_each_part_out_once() {
    let app = App::new();
    let live = Live::new(&app);
    let name = app.create_loop("jobs").unwrap().execute("name").map(|job: Job| job.part(&**job.name()));
    let name = name.spawn().unwrap();
    live.job("a", &name).unwrap();
    live.job("b", &name).unwrap();
    assert!(matches!(live.job("a", &name), Err(Error::KindTaken { .. })));
    let mut client = live.connect(Viewer::default());
    client.ask("a", ()).unwrap();
    client.ask("b", ()).unwrap();
    sleep(Duration::from_millis(1)).await;
    let told = told(&mut client);
    assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(ended(&told), [1, 1]);
}

/// A server whose jobs `work` send a part and wait for ever, unless they are to fail or to end; with what does them.
fn waiting_jobs(app: &App, on_error: OnError, is_one_at_a_time: bool) -> (Live, Element<Job, Part>) {
    let live = Live::new(app);
    let work = answering(|job: Job, parts| async move {
        match job.input().as_str() {
            Some("fail") => return Err(BoxError::from("no such customer")),
            Some("end") => return Ok(()),
            _ => {}
        }
        for n in 0..3 {
            parts.send(n).await?;
        }
        std::future::pending::<()>().await;
        Ok(())
    });
    let element = app.create_loop("jobs").unwrap().execute("work").on_error(on_error);
    let element = if is_one_at_a_time {
        element.each_async(work).spawn()
    } else {
        element.each_unordered(8, work).spawn()
    };
    let element = element.unwrap();
    live.job("work", &element).unwrap();
    (live, element)
}

const STOPPED: &str = "error: the element that did it was stopped";

#[tokio::test(start_paused = true)]
async fn a_job_that_another_s_failure_broke_off_says_so_behind_its_parts() {
    let backoff = Backoff::constant(Duration::from_millis(10)).jitter(0.0);
    for on_error in [OnError::Restart(backoff), OnError::Stop] {
        let app = App::new();
        let (live, _element) = waiting_jobs(&app, on_error, false);
        let client = live.connect(Viewer::default());
        client.ask("work", "wait").unwrap();
        client.close_when_done();
        sleep(Duration::from_millis(1)).await;
        let other = live.connect(Viewer::default());
        other.ask("work", "fail").unwrap();
        other.close_when_done();
        let told = until_end(client).await;
        assert_eq!(
            told.iter().filter_map(data).collect::<Vec<_>>(),
            [json!(0), json!(1), json!(2), json!(STOPPED)]
        );
        assert_eq!(ended(&told), [4]);
        // What failed keeps its reason.
        let told = until_end(other).await;
        assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), ["error: no such customer"]);
        assert!(matches!(told.last(), Some(Delivery::Ended { .. })), "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_of_an_element_that_is_disposed_of_end_and_say_why() {
    for is_one_at_a_time in [true, false] {
        let app = App::new();
        let (live, element) = waiting_jobs(&app, OnError::Resume, is_one_at_a_time);
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let client = live.connect(Viewer::default());
                client.ask("work", "wait").unwrap();
                client.close_when_done();
                client
            })
            .collect();
        sleep(Duration::from_millis(1)).await;
        element.dispose();
        for client in clients {
            let told = tokio::time::timeout(Duration::from_secs(5), until_end(client)).await.unwrap();
            assert_eq!(told.iter().filter_map(data).next_back(), Some(json!(STOPPED)), "{told:?}");
            assert!(matches!(told.last(), Some(Delivery::Ended { .. })), "{told:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_taken_back_while_its_element_stops_says_nothing() {
    let app = App::new();
    let (live, element) = waiting_jobs(&app, OnError::Resume, false);
    let mut client = live.connect(Viewer::default());
    let job = client.ask("work", "wait").unwrap();
    sleep(Duration::from_millis(1)).await;
    client.cancel(job);
    element.dispose();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(waiting(&mut client), [0, 1, 2]);
}
