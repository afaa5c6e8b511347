//! Jobs that other nodes do.

use super::{data, next, next_data, node, node_with, told};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::live::{Delivery, Error, Interest, Live, Security, Settings, Viewer};
use mape::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

super::claims! { live::nodes::jobs:
    a_job_that_only_another_node_does_is_done_there,
    what_is_wrong_with_a_job_elsewhere_is_told,
    a_client_that_goes_cancels_its_job_at_the_other_node,
    a_job_whose_node_is_gone_ends_with_an_error,
    a_job_of_which_parts_are_lost_ends_with_an_error,
    a_job_for_a_node_that_is_gone_is_cancelled,
    those_who_asked_get_parts_at_once_and_once,
}

pub(crate) async fn a_job_that_only_another_node_does_is_done_there(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    c.does("count", |job, parts| async move {
        for n in 0..job.input_as::<u64>()? {
            parts.send(json!({"n": n, "for": job.asked_by().name})).await?;
        }
        Ok(())
    });
    a.sees("count").await;
    let joe = a.live.connect(Viewer::named("joe"));
    let mut other = a.client();
    other.state("all", Interest::named(["count"]), None).unwrap();
    let job = joe.ask("count", 100).unwrap();
    joe.close_when_done();
    let told: Vec<_> = joe.collect().await;
    let seen: Vec<_> = told.iter().filter_map(data).collect();
    assert_eq!(seen, (0..100).map(|n| json!({"n": n, "for": "joe"})).collect::<Vec<Value>>());
    assert!(matches!(&told[0], Delivery::Part(part) if part.job() == Some(job) && part.nr() == 0));
    assert!(
        matches!(&told[100], Delivery::Ended { job: ended, parts: 100, .. } if *ended == job),
        "{:?}",
        told[100]
    );
    assert_eq!(next_data(&mut other, 100).await, seen);
}

pub(crate) async fn what_is_wrong_with_a_job_elsewhere_is_told(backend: Backend) {
    struct NotJoe;
    impl Security for NotJoe {
        fn may_ask(&self, viewer: &Viewer, _: &str, _: &Value) -> bool {
            viewer.name.as_deref() != Some("joe")
        }
    }
    let a = node(&backend).await;
    let app = App::with_backend(backend.clone());
    let mut settings = Settings::default();
    settings.jobs = 1;
    let live = Live::shared(&app, settings, NotJoe);
    let c = super::Node { live, app };
    c.does("fail", |job, parts| async move {
        parts.send("begun").await?;
        if job.input().is_null() {
            std::future::pending::<()>().await;
        }
        Err("out of paper".into())
    });
    a.sees("fail").await;
    let mut joe = a.live.connect(Viewer::named("joe"));
    joe.ask("fail", 1).unwrap();
    let told = next(&mut joe, 2).await;
    assert_eq!(data(&told[0]).unwrap(), "error: joe may not have a job called `fail` done so");
    assert!(matches!(told[1], Delivery::Ended { parts: 1, .. }), "{told:?}");
    let mut jane = a.client();
    jane.ask("fail", 1).unwrap();
    let told = next(&mut jane, 3).await;
    assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), ["begun", "error: out of paper"]);
    assert!(matches!(told[2], Delivery::Ended { parts: 2, .. }), "{told:?}");
    let mut long = a.client();
    long.ask("fail", ()).unwrap();
    assert_eq!(next_data(&mut long, 1).await, ["begun"]);
    jane.ask("fail", 1).unwrap();
    let busy = "error: 1 jobs are under way, and no more may be: ask again when some have ended";
    assert_eq!(next_data(&mut jane, 1).await, [busy]);
    let Err(Error::UnknownKind { hint, known, .. }) = jane.ask("fall", ()) else {
        panic!("nobody does that")
    };
    assert_eq!((&*hint, known), (" (did you mean `fail`?)", vec!["fail".to_owned()]));
}

pub(crate) async fn a_client_that_goes_cancels_its_job_at_the_other_node(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let cancelled = Arc::new(AtomicU64::new(0));
    let counter = cancelled.clone();
    c.does("wait", move |job, parts| {
        let counter = counter.clone();
        tokio::spawn({
            let job = job.clone();
            async move {
                job.cancelled().await;
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        async move {
            parts.send("begun").await?;
            std::future::pending().await
        }
    });
    a.sees("wait").await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    drop(client);
    eventually("it is cancelled", || async { cancelled.load(Ordering::Relaxed) == 1 }).await;
    let mut client = a.client();
    let job = client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    assert!(client.cancel(job));
    eventually("it is cancelled", || async { cancelled.load(Ordering::Relaxed) == 2 }).await;
}

pub(crate) async fn a_job_of_which_parts_are_lost_ends_with_an_error(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let id = c.live.nodes()[0].id.clone();
    let cancelled = Arc::new(AtomicU64::new(0));
    let counter = cancelled.clone();
    c.does("wait", move |job, parts| {
        let counter = counter.clone();
        async move {
            tokio::spawn({
                let job = job.clone();
                async move {
                    job.cancelled().await;
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
            parts.send("begun").await?;
            std::future::pending().await
        }
    });
    a.sees("wait").await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    // As if entries of that node were lost by the server.
    let later =
        mape::event::Event::new("end").with("node", &*id).with("n", 100).with("job", "0000000000000000");
    a.app.logs().log("mape:live").append(later).await.unwrap();
    let told = next(&mut client, 2).await;
    assert_eq!(data(&told[0]).unwrap(), "error: parts of it were lost on their way from another process");
    assert!(matches!(told[1], Delivery::Ended { .. }), "{told:?}");
    eventually("it is cancelled", || async { cancelled.load(Ordering::Relaxed) == 1 }).await;
}

pub(crate) async fn a_job_whose_node_is_gone_ends_with_an_error(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    c.does("wait", |_, parts| async move {
        parts.send("begun").await?;
        std::future::pending().await
    });
    a.sees("wait").await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    let began = tokio::time::Instant::now();
    // As if its process died.
    drop(c);
    let told = next(&mut client, 2).await;
    assert_eq!(data(&told[0]).unwrap(), "error: the process that did it is gone");
    assert!(matches!(told[1], Delivery::Ended { parts: 2, .. }), "{told:?}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert!(matches!(client.ask("wait", ()), Err(Error::UnknownKind { .. })));
}

pub(crate) async fn a_job_for_a_node_that_is_gone_is_cancelled(backend: Backend) {
    let [a, c] = [node(&backend).await, node(&backend).await];
    let gone = Arc::new(AtomicU64::new(0));
    let counter = gone.clone();
    c.does("wait", move |job, parts| {
        let counter = counter.clone();
        async move {
            parts.send("begun").await?;
            tokio::spawn(async move {
                job.cancelled().await;
                counter.fetch_add(1, Ordering::Relaxed);
            });
            std::future::pending().await
        }
    });
    a.sees("wait").await;
    let mut client = a.client();
    client.ask("wait", ()).unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["begun"]);
    // As if its process died: what it would still say nobody hears.
    drop(client);
    drop(a);
    eventually("it is cancelled", || async { gone.load(Ordering::Relaxed) == 1 }).await;
}

pub(crate) async fn those_who_asked_get_parts_at_once_and_once(backend: Backend) {
    let a = node_with(&backend, Settings::default()).await;
    a.does("count", |job, parts| async move {
        for n in 0..job.input_as::<u64>()? {
            parts.send(n).await?;
        }
        Ok(())
    });
    let mut client = a.client();
    client.state("all", Interest::all(), None).unwrap();
    let mut other = a.client();
    other.state("all", Interest::all(), None).unwrap();
    client.ask("count", 5).unwrap();
    let of_client = next(&mut client, 6).await;
    assert_eq!(of_client.iter().filter_map(data).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(matches!(of_client[5], Delivery::Ended { parts: 5, .. }), "{of_client:?}");
    assert_eq!(next_data(&mut other, 5).await, [0, 1, 2, 3, 4]);
    a.live.publish("n", "then").unwrap();
    assert_eq!(next_data(&mut client, 1).await, ["then"], "none of them comes again by the log");
    assert!(told(&mut other).len() <= 1);
}
