//! Runs that begin by the clock.

use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::{
    Cron, Engine, Error, Missed, RunId, Schedule, Schedules, Status, Task, Tasks, Time, Workflows,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

fn cron(text: &str) -> Cron {
    text.parse().unwrap()
}

/// The moment of a text such as `2026-03-29T00:00:00Z`.
fn at(text: &str) -> Time {
    let micros = text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
    Time::from_micros(u64::try_from(micros).unwrap())
}

fn next(cron: &Cron, from: &str, count: usize) -> Vec<String> {
    let times = std::iter::successors(cron.next(at(from)), |at| cron.next(*at));
    times.take(count).map(|at| cron.shown(at)).collect()
}

#[test]
fn times_are_those_of_cron() {
    for (text, from, expected) in [
        ("*/20 * * * *", "2026-11-25T10:19:59Z", ["2026-11-25T10:20:00+00:00", "2026-11-25T10:40:00+00:00"]),
        (
            "30 2 * * MON-FRI",
            "2026-11-27T02:30:00Z",
            ["2026-11-30T02:30:00+00:00", "2026-12-01T02:30:00+00:00"],
        ),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00"]),
        (
            "*/30 * * * * *",
            "2026-11-25T10:19:59Z",
            ["2026-11-25T10:20:00+00:00", "2026-11-25T10:20:30+00:00"],
        ),
        ("0 0 13 * FRI", "2026-11-12T00:00:00Z", ["2026-11-13T00:00:00+00:00", "2026-11-20T00:00:00+00:00"]),
        ("@daily", "2026-12-31T05:00:00Z", ["2027-01-01T00:00:00+00:00", "2027-01-02T00:00:00+00:00"]),
        ("0 12 L * *", "2026-02-01T00:00:00Z", ["2026-02-28T12:00:00+00:00", "2026-03-31T12:00:00+00:00"]),
    ] {
        assert_eq!(next(&cron(text), from, 2), expected, "{text}");
    }
}

#[test]
fn a_zone_has_its_own_hours_also_when_the_clocks_are_changed() {
    let berlin = cron("30 2 * * *").in_zone("Europe/Berlin").unwrap();
    // There is no half past two on the 29th of March, and there are two on the 25th of October.
    assert_eq!(
        next(&berlin, "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
    assert_eq!(
        next(&berlin, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    );
    let error = cron("@daily").in_zone("Mars/Olympus").unwrap_err().to_string();
    assert!(error.contains("`Mars/Olympus` is no time zone of this machine"), "{error}");
}

#[test]
fn what_is_wrong_with_a_text_is_said_with_its_place() {
    for (text, said) in [
        ("61 * * * *", "`61` at column 1 is no minute: write 0 to 59"),
        ("0  24 * * *", "`24` at column 4 is no hour: write 0 to 23"),
        ("0 0 0 * *", "`0` at column 5 is no day of the month: write 1 to 31"),
        ("0 0 1 JANUARY *", "`JANUARY` at column 7 is no month: write 1 to 12, JAN to DEC"),
        ("0 0 * * MONDAY-FRI", "at column 9 is no day of the week"),
        ("x 0 0 * * *", "`x` at column 1 is no second"),
        ("* * * *", "it has 4 fields: write five, minute hour day month weekday"),
        ("", "it has 0 fields"),
        ("@never", "`@never` is none of @hourly, @daily"),
        ("0 0 30 2 *", "`0 0 30 2 *` never comes"),
        ("*/0 * * * *", "`*/0` at column 1 is no minute"),
    ] {
        let error = text.parse::<Cron>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "[-*/0-9,A-Z#@ W?é]{0,24}") {
        if let Ok(cron) = text.parse::<Cron>() {
            let (mut before, mut count) = (Time::from_micros(0), 0);
            while let Some(next) = cron.next(before).filter(|_| count < 5) {
                prop_assert!(next > before);
                (before, count) = (next, count + 1);
            }
        }
    }
}

/// An engine on a backend whose task `work` takes this long.
async fn engine(backend: &Backend, work: Duration) -> Engine {
    let work = Task::new("work", move |_| async move {
        sleep(work).await;
        Ok(json!({}))
    });
    Engine::start(&App::with_backend(backend.clone()), Tasks::new().with(work).with(Task::echo("echo")))
        .await
        .unwrap()
}

/// Serves for a length of time.
async fn serve(schedules: &Schedules, length: Duration) {
    tokio::select! {
        () = schedules.serve() => unreachable!(),
        () = sleep(length) => {}
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Waits until a whole hour.
async fn whole_hour() {
    let micros = 3_600_000_000;
    let into = Time::now().micros() % micros;
    sleep(Duration::from_micros(micros - into)).await;
}

async fn runs(backend: &Backend) -> Vec<RunId> {
    let listed = Workflows::new(backend).list(0, 10_000).await.unwrap();
    let mut ids: Vec<RunId> = listed.into_iter().map(|(id, _)| id).collect();
    ids.sort();
    ids
}

#[tokio::test(start_paused = true)]
async fn each_time_makes_one_run_whose_id_says_so() {
    let backend = Backend::memory();
    let engine = engine(&backend, MINUTE / 4).await;
    let schedules = Schedules::new(&backend);
    whole_hour().await;
    let schedule = Schedule::new("report", cron("*/10 * * * *"), "work → echo").input(json!({"x": 1}));
    schedules.add(schedule).await.unwrap();
    // Two serve, and a third begins in between.
    let other = schedules.clone();
    tokio::join!(serve(&schedules, HOUR + MINUTE), serve(&other, HOUR + MINUTE), async {
        sleep(MINUTE * 15).await;
        serve(&other, MINUTE * 30).await;
    });
    let made = runs(&backend).await;
    assert_eq!(made.len(), 6, "{made:?}");
    let stamp = made[0].short();
    assert!(stamp.starts_with("report-2") && stamp.ends_with("1000Z"), "{stamp}");
    for id in &made {
        let run = engine.workflows().inspect(id).await.unwrap();
        assert_eq!((run.status, run.output.as_deref()), (Status::Finished, Some(&json!({}))));
    }
    let schedule = schedules.get("report").await.unwrap();
    assert_eq!(schedule.last(), made.last());
    let left = schedule.next().unwrap().since(Time::now());
    assert!(left <= MINUTE * 9 && left + Duration::from_millis(5) > MINUTE * 9, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn times_that_were_missed_are_left_out_made_up_for_once_or_each() {
    let backend = Backend::memory();
    let _engine = engine(&backend, MINUTE).await;
    let schedules = Schedules::new(&backend);
    whole_hour().await;
    for (name, missed) in [("skip", Missed::Skip), ("once", Missed::RunOnce), ("all", Missed::RunAll)] {
        schedules.add(Schedule::new(name, cron("*/10 * * * *"), "echo").missed(missed)).await.unwrap();
    }
    schedules.add(Schedule::new("often", cron("* * * * * *"), "echo").missed(Missed::RunAll)).await.unwrap();
    // Nobody serves for more than an hour.
    sleep(HOUR + MINUTE * 5).await;
    serve(&schedules, MINUTE).await;
    let made = runs(&backend).await;
    let of = |name: &str| made.iter().filter(|id| id.short().starts_with(name)).count();
    assert_eq!((of("skip"), of("once"), of("all")), (0, 1, 6));
    // A hundred, that which is now, and those since.
    assert!((Schedule::MOST..=Schedule::MOST + 62).contains(&of("often")), "{}", of("often"));
    schedules.remove("often").await.unwrap();
    serve(&schedules, MINUTE * 10).await;
    let made = runs(&backend).await;
    let of = |name: &str| made.iter().filter(|id| id.short().starts_with(name)).count();
    assert_eq!((of("skip"), of("once"), of("all")), (1, 2, 7));
    // A moment late is not missed.
    sleep(MINUTE * 4 + Schedule::LATE / 2).await;
    serve(&schedules, Schedule::LATE / 4).await;
    let made = runs(&backend).await;
    assert_eq!(made.iter().filter(|id| id.short().starts_with("skip")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_runs_with_one_key_one_is_under_way_at_a_time() {
    for (missed, expected) in [(Missed::Skip, 3), (Missed::RunOnce, 3), (Missed::RunAll, 3)] {
        let backend = Backend::memory();
        // It takes longer than the time between two.
        let engine = engine(&backend, MINUTE * 25).await;
        let schedules = Schedules::new(&backend);
        whole_hour().await;
        for name in ["a", "b"] {
            let schedule = Schedule::new(name, cron("*/10 * * * *"), "work").missed(missed).key("one");
            schedules.add(schedule).await.unwrap();
        }
        let watched = async {
            for _ in 0..80 {
                sleep(MINUTE).await;
                let listed = engine.workflows().list(0, 100).await.unwrap();
                let open = listed.iter().filter(|(_, status)| !status.is_over()).count();
                assert!(open <= 1, "{missed:?}: {listed:?}");
            }
        };
        tokio::join!(serve(&schedules, MINUTE * 80), serve(&schedules, MINUTE * 80), watched);
        let made = runs(&backend).await.len();
        assert!(made >= expected, "{missed:?}: {made}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_schedule_makes_no_runs_and_misses_nothing() {
    let backend = Backend::memory();
    let _engine = engine(&backend, MINUTE).await;
    let schedules = Schedules::new(&backend);
    whole_hour().await;
    let schedule = Schedule::new("s", cron("*/10 * * * *"), "echo").missed(Missed::RunAll);
    schedules.add(schedule).await.unwrap();
    schedules.pause("s").await.unwrap();
    assert_eq!(schedules.get("s").await.unwrap().next(), None);
    serve(&schedules, HOUR).await;
    assert_eq!(runs(&backend).await.len(), 0);
    // Who serves hears of it.
    tokio::join!(serve(&schedules, MINUTE * 11), async { schedules.resume("s").await.unwrap() });
    assert_eq!(runs(&backend).await.len(), 1);
    schedules.resume("s").await.unwrap();
    schedules.remove("s").await.unwrap();
    assert_eq!(schedules.list().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_schedule_is_refused() {
    let schedules = Schedules::new(&Backend::memory());
    let schedule = |name: &str, flow: &str| Schedule::new(name, cron("@daily"), flow);
    for (schedule, said) in [
        (schedule("a b", "echo"), "needs a name of letters"),
        (schedule("", "echo"), "needs a name of letters"),
        (schedule("a", "echo → → echo"), "flow"),
        (schedule("a", "echo").input(json!(5)), "neither an object nor a list"),
        (schedule("a", "echo (- timeout: soon -)"), "timeout"),
    ] {
        let error = schedules.add(schedule).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    schedules.add(schedule("a", "echo")).await.unwrap();
    assert!(matches!(schedules.add(schedule("a", "echo")).await, Err(Error::ScheduleExists { .. })));
    for error in [schedules.remove("b").await, schedules.pause("b").await, schedules.resume("b").await] {
        assert!(matches!(error, Err(Error::NoSchedule { .. })));
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn each_time_makes_one_run_whoever_serves_on_a_server() {
    use crate::server::RedisServer;
    let url = RedisServer::shared_url();
    let mut serving = tokio::task::JoinSet::new();
    let mut engines = Vec::new();
    for _ in 0..3 {
        let backend = Backend::open(&url).await.unwrap();
        engines.push(engine(&backend, Duration::ZERO).await);
        let schedules = Schedules::new(&backend);
        serving.spawn(async move { schedules.serve().await });
    }
    let backend = Backend::open(&url).await.unwrap();
    let schedules = Schedules::new(&backend);
    schedules.add(Schedule::new("tick", cron("* * * * * *"), "work → echo").key("k")).await.unwrap();
    let begun = Time::now();
    eventually("there are four runs", async || runs(&backend).await.len() >= 4).await;
    schedules.remove("tick").await.unwrap();
    serving.shutdown().await;
    let (made, seconds) = (runs(&backend).await, Time::now().since(begun).as_secs() + 1);
    let seconds = usize::try_from(seconds).unwrap();
    // One for each second: a second one would have been refused, and its id would be the same.
    assert!(made.len() <= seconds, "{made:?} in {seconds} s");
    let log = backend.events().log("workflows:run");
    let entries = log.range(mape::event::EventId::MIN, mape::event::EventId::MAX, 1000).await.unwrap();
    let begun = entries.iter().filter(|entry| entry.event.as_ref().unwrap().is("start-workflow"));
    assert_eq!(begun.count(), made.len());
    for id in made {
        eventually("it is over", async || schedules_over(&backend, &id).await).await;
    }
}

#[cfg(feature = "redis")]
async fn schedules_over(backend: &Backend, id: &RunId) -> bool {
    Workflows::new(backend).status(id).await.unwrap() == Status::Finished
}

/// The program, whose processes are killed.
#[cfg(all(feature = "cli", feature = "redis", unix))]
#[test]
fn two_processes_that_serve_make_one_run_for_each_time_also_when_one_is_killed() {
    use super::program::{Process, Program};
    use crate::server::{RedisServer, until};
    use std::process::Stdio;
    let server = RedisServer::start();
    let url = server.url();
    let program = Program::new("schedule", "echo");
    let serve = || {
        let child = program
            .command(&["serve", "--backend", &url])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Process(child.unwrap())
    };
    let (mut one, _other) = (serve(), serve());
    let run = |arguments: &[&str]| program.json(&[arguments, &["--backend", &url]].concat());
    let added = run(&["schedule", "add", "tick", "* * * * * *", "a.flow", "--input", r#"{"x": 1}"#]);
    assert_eq!((&added["name"], &added["tz"]), (&json!("tick"), &json!("UTC")));
    let ids =
        || server.cli(&["LRANGE", "workflows:all", "0", "-1"]).lines().map(str::to_owned).collect::<Vec<_>>();
    until("there are some", || ids().len() >= 2);
    one.signal("-KILL");
    let before = ids().len();
    until("there are more", || ids().len() >= before + 2);
    assert_eq!(run(&["schedule", "pause", "tick"])["next"], Value::Null);
    let (mut made, count) = (ids(), ids().len());
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), count);
    let (code, out, _) = program.run(&["schedule", "next", "tick", "-n", "3", "--backend", &url]);
    assert_eq!((code, out.lines().count()), (0, 3));
    let last = run(&["schedule", "list"])["last"].as_str().unwrap().to_owned();
    assert!(made.contains(&format!("workflow:{last}")), "{last} {made:?}");
    until("all are finished", || {
        made.iter().all(|id| server.cli(&["GET", &format!("{id}:state")]) == "FINISHED")
    });
    run(&["schedule", "resume", "tick"]);
    assert_eq!(run(&["schedule", "remove", "tick"])["removed"], json!(true));
    let (code, _, err) = program.run(&["schedule", "add", "x", "0 25 * * *", "a.flow", "--backend", &url]);
    assert_eq!(code, 2);
    assert!(err.contains("the times: `25` at column 3 is no hour"), "{err}");
    let (code, _, err) = program.run(&["schedule", "remove", "tick", "--backend", &url]);
    assert_eq!(code, 1);
    assert!(err.contains("there is no schedule `tick`"), "{err}");
}
