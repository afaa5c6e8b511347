//! Jobs: their parts, their ends, their errors, and their cancelling.

use super::{data, told, until_end, waiting};
use futures::StreamExt;
use mape::element::OnError;
use mape::live::{
    Delivered, Delivery, Error, Interest, Job, Live, Part, Pipeline, Pipelines, Security, Settings, Viewer,
    answering,
};
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

#[tokio::test(start_paused = true)]
async fn a_job_that_only_an_interest_keeps_going_ends_with_it() {
    let app = App::new();
    let live = counting(&app, 10);
    let plain = Interest::named(["count"]);
    let pattern = Interest::named(["co*", "other"]).lasting(Duration::from_millis(50));
    for (interest, how) in [(&plain, "withdrawn"), (&plain, "left"), (&plain, "replaced"), (&pattern, "over")]
    {
        let mut follower = live.connect(Viewer::default());
        follower.state("counts", interest.clone(), None).unwrap();
        let other = live.connect(Viewer::default());
        other.join("count", (), false, None).unwrap();
        let client = live.connect(Viewer::default());
        client.ask("count", 1_000_000).unwrap();
        drop(client);
        sleep(Duration::from_millis(25)).await;
        assert_eq!(waiting(&mut follower), [0, 1], "it goes on for who follows");
        assert!(other.leave("count"));
        sleep(Duration::from_millis(1)).await;
        assert_eq!(live.counts().jobs, 1, "{how}");
        match how {
            "withdrawn" => assert!(follower.withdraw("counts")),
            "replaced" => drop(follower.state("counts", Interest::named(["other"]), None).unwrap()),
            "left" => drop(follower),
            _ => sleep(Duration::from_millis(50)).await,
        }
        sleep(Duration::from_millis(5)).await;
        assert_eq!(live.counts().jobs, 0, "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_interested_in_anything_keeps_no_job_going() {
    let app = App::new();
    let live = counting(&app, 10);
    let follower = live.connect(Viewer::default());
    follower.state("all", Interest::all(), None).unwrap();
    follower.state("any", Interest::named(["*", "**"]), None).unwrap();
    let client = live.connect(Viewer::default());
    client.ask("count", 1_000_000).unwrap();
    sleep(Duration::from_millis(25)).await;
    drop(client);
    sleep(Duration::from_millis(5)).await;
    assert_eq!(live.counts().jobs, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_while_it_asks_leaves_no_job_behind() {
    let app = App::new();
    let live = counting(&app, 10_000);
    live.set_pipelines(Pipelines::new().for_jobs(Pipeline::new().dedup())).unwrap();
    for shared in [false, true] {
        for n in 0..2000_u64 {
            let client = live.connect(Viewer::default());
            let handle = client.handle();
            let input = if shared { 1_000_000 } else { 1_000_000 + n };
            let asking = std::thread::spawn(move || handle.ask("count", input).is_ok());
            if n % 2 == 0 {
                std::thread::yield_now();
            }
            drop(client);
            asking.join().unwrap();
        }
        crate::suite::eventually("all are cancelled", || async { live.counts().jobs == 0 }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_to_share_a_job_gets_each_part_once_and_sees_what_went_wrong() {
    struct Nothing;
    impl Security for Nothing {
        fn may_see(&self, _: &Viewer, part: &Delivered) -> bool {
            part.error().is_none()
        }
    }
    let app = App::new();
    let live = Live::with(&app, Settings::default(), Nothing);
    let work = answering(|_: Job, parts| async move {
        parts.send(1).await?;
        parts.send_error("half of it is missing").await?;
        sleep(Duration::from_millis(50)).await;
        parts.send(2).await?;
        Ok::<_, BoxError>(())
    });
    let work = app.create_loop("jobs").unwrap().execute("work").each_unordered(9, work);
    live.job("work", &work.spawn().unwrap()).unwrap();
    live.set_pipelines(Pipelines::new().for_jobs(Pipeline::new().dedup())).unwrap();
    let first = live.connect(Viewer::default());
    first.ask("work", ()).unwrap();
    let mut second = live.connect(Viewer::default());
    second.state("work", Interest::named(["work"]), None).unwrap();
    let third = live.connect(Viewer::default());
    sleep(Duration::from_millis(10)).await;
    assert_eq!(waiting(&mut second), [1], "what went wrong is not for all");
    assert_eq!(second.ask("work", ()).unwrap(), third.ask("work", ()).unwrap());
    assert_eq!(live.counts().jobs, 1);
    third.close_when_done();
    let all = ["1", "\"error: half of it is missing\"", "2"];
    let texts = |told: &[Delivery]| told.iter().filter_map(data).map(|d| d.to_string()).collect::<Vec<_>>();
    assert_eq!(texts(&until_end(third).await), all);
    assert_eq!(texts(&told(&mut second)), all[1..]);
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

#[tokio::test(start_paused = true)]
async fn one_client_does_not_take_the_jobs_of_all() {
    let mut settings = Settings::default();
    settings.client_jobs = 2;
    let app = App::new();
    let live = Live::with(&app, settings, ());
    let never = app.create_loop("never").unwrap().execute("never").each_unordered(
        4,
        answering(|_: Job, _| async { std::future::pending::<Result<(), BoxError>>().await }),
    );
    live.job("never", &never.spawn().unwrap()).unwrap();
    let [greedy, other] = [(); 2].map(|()| live.connect(Viewer::default()));
    let job = greedy.ask("never", 1).unwrap();
    greedy.ask("never", 2).unwrap();
    assert!(matches!(greedy.ask("never", 3), Err(Error::Jobs { limit: 2 })));
    other.ask("never", 3).unwrap();
    greedy.cancel(job);
    greedy.ask("never", 3).unwrap();
}
