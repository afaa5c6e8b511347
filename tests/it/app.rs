//! Apps, levels and loops: names, lookup, moving, topology, checks, shutdown.

use crate::element::{SOON, collect, one_loop, pass, until};
use futures::stream;
use mape::app::{Error, Finding};
use mape::element::{Role, SpawnError, State};
use mape::prelude::*;
use std::time::Duration;

#[tokio::test]
async fn clashes_are_typed_errors_that_name_both_owners() {
    let app = App::new();
    let l = app.level("city").unwrap().create_loop("car").unwrap();
    let error = app.create_loop("car").unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't add loop `car` to the default level: level `city` already has a loop of that uid"
    );
    l.monitor("detect").map(|x: u8| x).spawn().unwrap();
    let error = l.plan("detect").map(|x: u8| x).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::UidTaken { .. }));
    assert_eq!(
        error.to_string(),
        "can't add plan `car.detect`: the loop already has monitor `car.detect` of that uid"
    );
    assert!(matches!(app.create_loop("loops"), Err(Error::Uid(_))), "a reserved name");
    assert!(matches!(l.monitor("a.b").map(|x: u8| x).spawn(), Err(SpawnError::Uid(_))));
}

#[tokio::test]
async fn uids_are_generated_where_none_is_given() {
    let app = App::new();
    let l = app.create_loop("").unwrap();
    assert!(l.uid().starts_with("l_") && l.uid().len() == 10, "{}", l.uid());
    let e = l.monitor("").map(|x: u8| x).spawn().unwrap();
    assert!(e.uid().starts_with("m_") && e.uid().len() == 10, "{e}");
    assert_eq!(e.to_string(), e.uid(), "the display of an element is its uid");
}

#[tokio::test]
async fn a_path_finds_the_element_and_its_types_are_checked() {
    // In PyMAPE, `app["level.loop.element"]` is the loop.
    let app = App::new();
    let l = app.level("city").unwrap().create_loop("car").unwrap();
    let detect = l.monitor("detect").map(|x: u32| x.to_string()).spawn().unwrap();
    for path in ["car.detect", "city.car.detect"] {
        assert_eq!(&app.get(path).unwrap(), detect.any());
        assert!(app.element::<u32, String>(path).is_ok());
    }
    assert!(matches!(app.get("town.car.detect"), Err(Error::NotFound { .. })), "it is on another level");
    assert!(matches!(app.get("car"), Err(Error::BadPath { .. })));
    assert_eq!(
        app.get("car.detct").unwrap_err().to_string(),
        "there is no element `car.detct`; did you mean `car.detect`?"
    );
    assert_eq!(
        app.element::<u32, u32>("car.detect").unwrap_err().to_string(),
        "`car.detect` takes `u32` and emits `alloc::string::String`, not `u32` and `u32`"
    );
    assert_eq!(l.elements().len(), 1);
    assert_eq!(app.loops().iter().map(Loop::uid).collect::<Vec<_>>(), ["car"]);
    assert_eq!(app.levels().iter().map(Level::uid).collect::<Vec<_>>(), ["city"]);
}

#[tokio::test]
async fn elements_and_loops_move_while_items_flow() {
    let app = App::new();
    let (a, b) = (app.create_loop("a").unwrap(), app.create_loop("b").unwrap());
    let source = pass::<u64>(&a, "source");
    let (last, got) = collect::<u64>(&a, "last");
    source.link(&last).unwrap();
    source.push(1).await.unwrap();
    b.adopt(&source).unwrap();
    source.push(2).await.unwrap();
    until("both arrive", || *got.lock() == [1, 2]).await;
    assert_eq!(source.path(), "b.source");
    assert!(app.get("a.source").is_err() && app.get("b.source").is_ok());
    pass::<u64>(&a, "source");
    assert!(matches!(a.adopt(&source), Err(Error::ElementTaken { .. })));
    let top = app.level("top").unwrap();
    top.adopt(&b).unwrap();
    assert!(top.loops().iter().eq([&b]));
    assert!(app.get("top.b.source").is_ok());
    let (other, _) = one_loop();
    assert!(matches!(other.level("x").unwrap().adopt(&b), Err(Error::AcrossApps { .. })));
    assert!(b.remove("source") && !b.remove("source"));
    assert_eq!(source.state(), State::Disposed);
    assert!(app.remove_loop("a") && app.create_loop("a").is_ok());
    assert_eq!(last.state(), State::Disposed);
}

#[tokio::test]
async fn the_topology_shows_everything_and_crosses_as_json() {
    let app = App::new();
    let l = app.level("city").unwrap().create_loop("car").unwrap();
    let detect = l.monitor("detect").map(|x: u64| x).spawn().unwrap();
    let limit = Parameter::new("limit", 3u32);
    let last = l.execute("last").parameter(&limit).act(|_: u64| ()).spawn().unwrap();
    detect.link_with(&last, LinkOptions::new().capacity(7)).unwrap();
    detect.start().unwrap();
    for x in 0..5 {
        detect.push(x).await.unwrap();
    }
    until("all arrive", || last.info().input.received == 5).await;
    let topology = app.topology();
    let text = serde_json::to_string(&topology).unwrap();
    assert_eq!(serde_json::from_str::<mape::app::Topology>(&text).unwrap(), topology);
    let shown = &topology.element("car.detect").unwrap().info;
    assert_eq!((shown.role, shown.state, shown.output.emitted), (Role::Monitor, State::Running, 5));
    let link = &shown.output.links[0];
    assert_eq!((link.to.as_ref().unwrap().to_string(), link.stats.capacity), ("car.last".into(), 7));
    assert_eq!(topology.element("car.last").unwrap().info.parameters["limit"], 3);
    let people = topology.to_string();
    assert!(people.contains("loop car") && people.contains("└▶ car.last"), "{people}");
}

#[tokio::test(start_paused = true)]
async fn the_topology_tells_rates() {
    let (app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let _first = app.topology();
    for x in 0..50 {
        e.push(x).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = app.topology();
    let status = status.element("l.e").unwrap();
    assert!((status.received_per_second - 25.0).abs() < 0.1, "{}", status.received_per_second);
    assert!((status.emitted_per_second - 25.0).abs() < 0.1);
}

#[tokio::test]
async fn a_right_wiring_has_no_findings() {
    let (app, l) = one_loop();
    let m = l.monitor("m").map(|x: u64| x).spawn().unwrap();
    let a = l.analyze("a").map(|x: u64| x).spawn().unwrap();
    let p = l.plan("p").destinations(["l.e"]).map(|x: u64| x).spawn().unwrap();
    let e = l.execute("e").map(|x: u64| x).spawn().unwrap();
    m.link(&a).unwrap();
    a.link(&p).unwrap();
    p.link(&e).unwrap();
    e.link_with(&m, LinkOptions::latest()).unwrap();
    assert_eq!(app.check(), []);
}

#[tokio::test]
async fn every_wrong_wiring_is_named_with_how_to_mend_it() {
    let (app, l) = one_loop();
    let lonely = l.analyze("lonely").map(|x: u64| x).spawn().unwrap();
    let island = l.analyze("island").destinations(["l.lonly"]).map(|x: u64| x).spawn().unwrap();
    let shore = l.plan("shore").act(|_: u64| ()).spawn().unwrap();
    island.link(&shore).unwrap();
    lonely.link(&island).unwrap();
    let (r, s) = (pass::<u64>(&l, "r"), pass::<u64>(&l, "s"));
    r.link(&s).unwrap();
    let back = s.link_with(&r, LinkOptions::latest()).unwrap();
    back.set_overflow(mape::element::Overflow::Wait);
    let findings = app.check();
    let path = |e: &mape::element::AnyElement| e.path();
    assert_eq!(
        findings,
        [
            Finding::DanglingInput { element: path(&lonely), role: Role::Analyze },
            Finding::Unreachable { element: path(&island) },
            Finding::MissingDestination {
                element: path(&island),
                destination: "l.lonly".into(),
                near: "l.lonely".into()
            },
            Finding::Unreachable { element: path(&shore) },
            Finding::FeedbackWithoutLoss { ring: vec![path(&r), path(&s)] },
        ]
    );
    assert!(findings[2].to_string().ends_with("did you mean `l.lonely`?"));
    assert!(findings[4].to_string().contains("LinkOptions::latest()"));
    let unheard = l.monitor("unheard").map(|x: u64| x).spawn().unwrap();
    assert!(app.check().contains(&Finding::DanglingOutput { element: path(&unheard) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_works_off_every_queue() {
    for _ in 0..20 {
        let (app, l) = one_loop();
        let twice = l
            .monitor("twice")
            .each(|x: u64, out| {
                out.emit(x);
                out.emit(x);
            })
            .spawn()
            .unwrap();
        let slow = l
            .analyze("slow")
            .each_async(async |x: u64, out: Emitter<u64>| {
                tokio::task::yield_now().await;
                out.emit(x).await;
            })
            .spawn()
            .unwrap();
        let (last, got) = collect::<u64>(&l, "last");
        twice.link(&slow).unwrap();
        slow.link(&last).unwrap();
        twice.start().unwrap();
        for x in 0..5_000 {
            twice.push(x).await.unwrap();
        }
        let done = app.shutdown(SOON).await;
        assert!(done.is_clean(), "{done:?}");
        assert_eq!(got.lock().len(), 10_000);
        assert!(twice.push(1).await.is_err());
        assert!(matches!(app.create_loop("late"), Err(Error::ShutDown)));
        assert!(matches!(app.get("l.twice"), Err(Error::ShutDown)));
    }
}

#[tokio::test]
async fn shutdown_opens_rings_ends_endless_feeds_and_held_sinks() {
    let (app, l) = one_loop();
    let a = pass::<u64>(&l, "a");
    let b = pass::<u64>(&l, "b");
    a.link(&b).unwrap();
    b.link_with(&a, LinkOptions::latest()).unwrap();
    a.feed(stream::pending());
    let _held = a.sink();
    let idle = l.plan("never_started").map(|x: u64| x).spawn().unwrap();
    let (behind, _) = collect::<u64>(&l, "behind");
    let _link = idle.link_with(&behind, LinkOptions::new());
    a.push(1).await.unwrap();
    let start = std::time::Instant::now();
    let done = app.shutdown(SOON).await;
    assert!(done.is_clean(), "{done:?}");
    assert!(start.elapsed() < SOON / 2);
}

#[tokio::test(start_paused = true)]
async fn shutdown_flushes_the_sink_of_an_element_that_has_completed_before() {
    let (app, l) = one_loop();
    let (all, mut told) = (pass::<u64>(&l, "all"), Vec::new());
    let (tell, mut tells) = tokio::sync::mpsc::channel(16);
    let slow = futures::sink::unfold(tell, async |tell, x| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        tell.send(x).await.map(|()| tell)
    });
    all.link_sink(slow, LinkOptions::new()).unwrap();
    all.feed(stream::iter(0..3));
    until("it has completed", || all.state() == State::Completed).await;
    let done = app.shutdown(Duration::from_secs(10)).await;
    assert!(done.is_clean(), "{done:?}");
    while let Some(x) = tells.recv().await {
        told.push(x);
    }
    assert_eq!(told, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_names_what_did_not_finish() {
    let (app, l) = one_loop();
    let stuck =
        l.execute("stuck").act_async(async |_: u64| std::future::pending::<()>().await).spawn().unwrap();
    let paused = pass::<u64>(&l, "paused");
    assert!(paused.pause());
    for x in 0..3 {
        stuck.push(x).await.unwrap();
        paused.push(x).await.unwrap();
    }
    tokio::task::yield_now().await;
    let done = app.shutdown(Duration::from_secs(3)).await;
    let mut named: Vec<_> = done.unfinished.iter().map(|u| (u.path.to_string(), u.state)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(named, [("l.paused".into(), State::Paused), ("l.stuck".into(), State::Running)]);
    assert!(done.unfinished.iter().any(|u| u.to_string().contains("did not finish within 3s")));
    assert_eq!(stuck.state(), State::Disposed);
}

#[tokio::test(start_paused = true)]
async fn shutdown_names_the_sink_that_does_not_take_what_it_is_handed() {
    let (app, l) = one_loop();
    let all = pass::<u64>(&l, "all");
    let stuck =
        futures::sink::unfold((), async |(), _: u64| std::future::pending::<Result<(), BoxError>>().await);
    all.link_sink(stuck, LinkOptions::new()).unwrap();
    all.feed(stream::iter(0..3));
    until("it has completed", || all.state() == State::Completed).await;
    let done = app.shutdown(Duration::from_secs(3)).await;
    let told: Vec<_> = done.unfinished.iter().map(ToString::to_string).collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(
        told.starts_with("`l.all` did not hand all its items to Unfold within 3s; items waiting: "),
        "{told}"
    );
}

#[tokio::test]
async fn run_until_ends_with_what_it_waits_for() {
    let (app, l) = one_loop();
    let (all, got) = collect::<u64>(&l, "all");
    all.feed(stream::iter(0..100));
    let done = all.clone();
    let done = app
        .run_until(
            async move {
                done.wait_for_state(|s| s == State::Completed).await;
            },
            SOON,
        )
        .await;
    assert!(done.is_clean());
    assert_eq!(got.lock().len(), 100);
}

#[tokio::test]
async fn a_loop_can_manage_another_loop() {
    let app = App::new();
    let worker = app.level("below").unwrap().create_loop("worker").unwrap();
    let gain = Parameter::new("gain", 1.0f64).within(0.0..=10.0);
    let read = gain.clone();
    let source = worker.monitor("source").map(|x: f64| x).spawn().unwrap();
    let act = worker.plan("act").parameter(&gain).map(move |x: f64| x * read.get()).spawn().unwrap();
    let spare = worker.plan("spare").map(|x: f64| -x).spawn().unwrap();
    source.link(&act).unwrap();
    let mut out = act.subscribe();
    let mut spare_out = spare.subscribe();
    source.start().unwrap();

    let boss = app.level("above").unwrap().create_loop("boss").unwrap();
    let managed = app.clone();
    let adapt = boss
        .execute("adapt")
        .each(move |gain: f64, out| -> Result<(), BoxError> {
            let seen = managed.topology().element("worker.act").map_or(0, |e| e.info.output.emitted);
            managed.get("worker.act")?.set_parameter("gain", gain)?;
            let source = managed.element::<f64, f64>("below.worker.source")?;
            source.link(&managed.element::<f64, f64>("worker.spare")?)?;
            out.emit(seen);
            Ok(())
        })
        .spawn()
        .unwrap();
    let mut seen = adapt.subscribe();
    source.push(2.0).await.unwrap();
    assert_eq!(out.next().await, Some(2.0));
    adapt.push(3.0).await.unwrap();
    assert_eq!(seen.next().await, Some(1));
    source.push(2.0).await.unwrap();
    assert_eq!((out.next().await, spare_out.next().await), (Some(6.0), Some(-2.0)));
}

#[tokio::test]
async fn knowledge_is_shared_by_scope() {
    let app = App::new();
    let (a, b) = (app.create_loop("a").unwrap(), app.level("city").unwrap().create_loop("b").unwrap());
    app.knowledge().set::<String>("cars").add("panda").await.unwrap();
    assert!(a.app().knowledge().set::<String>("cars").contains("panda").await.unwrap());
    a.knowledge().set::<String>("cars").add("fiat").await.unwrap();
    assert!(!b.knowledge().set::<String>("cars").contains("fiat").await.unwrap());
    b.level().knowledge().set::<String>("cars").add("ritmo").await.unwrap();
    let cars = app.level("city").unwrap().knowledge().set::<String>("cars");
    assert_eq!(cars.members::<Vec<_>>().await.unwrap(), ["ritmo"]);
}

#[tokio::test]
async fn dropping_the_app_disposes_of_its_elements() {
    let (app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let mut out = e.subscribe();
    drop(app);
    assert_eq!(e.state(), State::Running, "a loop keeps its app");
    drop(l);
    assert_eq!(e.state(), State::Disposed);
    assert_eq!(out.next().await, None);
}

/// The name of the next test; it runs itself again in a process of its own.
const CTRL_C: &str = "app::ctrl_c_works_off_the_queues_and_names_what_does_not_finish";

#[test]
#[cfg(unix)]
fn ctrl_c_works_off_the_queues_and_names_what_does_not_finish() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    if std::env::var_os("CTRL_C_COMES").is_some() {
        return until_ctrl_c();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CTRL_C, "--nocapture"])
        .env("CTRL_C_COMES", "yes")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "it never got ready");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
    assert!(rest.contains("worked off 100; unfinished: l.stuck"), "{rest}");
}

#[cfg(unix)]
#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
#[tokio::main(flavor = "current_thread")]
async fn until_ctrl_c() {
    let (app, l) = one_loop();
    let slow = l
        .execute("slow")
        .each_async(async |x: u64, out: Emitter<u64>| {
            tokio::task::yield_now().await;
            out.emit(x).await;
        })
        .spawn()
        .unwrap();
    let (last, got) = collect::<u64>(&l, "last");
    slow.link(&last).unwrap();
    let stuck =
        l.execute("stuck").act_async(async |_: u64| std::future::pending::<()>().await).spawn().unwrap();
    stuck.push(0).await.unwrap();
    let ready = async {
        // By now the signal is listened to.
        tokio::task::yield_now().await;
        for x in 0..100 {
            slow.push(x).await.unwrap();
        }
        println!("ready");
        std::future::pending::<()>().await;
    };
    let done = app.run_until(ready, Duration::from_millis(500)).await;
    let unfinished: Vec<_> = done.unfinished.iter().map(|u| u.path.to_string()).collect();
    println!("worked off {}; unfinished: {}", got.lock().len(), unfinished.join(", "));
}
