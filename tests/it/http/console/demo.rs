//! An app to look at: two cars, a convoy above them, an ambulance, and runs in all states.

use mape::app::App;
use mape::element::{LinkOptions, Parameter};
use mape::http::Service;
use mape::prelude::*;
use mape::workflow::{Builtin, Engine, Invocation, RunId, Task, TaskError, Tasks};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const ORDER: &str = "\
@flow order '''From an order to its answer.'''
@task price (- {retry: {attempts: 3, wait: 50ms}} -) '''Asks the shop.'''

check → { price  stock } → ? `$[?(@.total > 20)]` discount → > answer
";

pub(super) struct Demo {
    pub(super) app: App,
    pub(super) engine: Engine,
}

impl Demo {
    /// Loops at work, and an engine.
    pub(super) async fn start() -> Self {
        let app = App::new();
        let engine = Engine::start(&app, tasks(&app)).await.unwrap();
        let fleet = app.level("fleet").unwrap();
        let convoy = fleet.create_loop("convoy").unwrap();
        let watch = convoy.monitor("watch").map(|speed: f64| speed).spawn().unwrap();
        let gap = convoy.analyze("gap").map(|speed: f64| 50.0 - speed / 10.0).spawn().unwrap();
        let pace = convoy.plan("pace").map(|gap: f64| gap * 1.5).spawn().unwrap();
        watch.link(&gap).unwrap();
        gap.link(&pace).unwrap();
        watch.start().unwrap();
        for name in ["panda", "delta"] {
            let throttle = car(&app, name);
            throttle.link(&watch).unwrap();
        }
        ambulance(&app);
        let knowledge = app.knowledge();
        knowledge.value::<f64>("speed_limit").set(&50.0).await.unwrap();
        knowledge.value::<Value>("weather").set(&json!({"rain": true, "wind": 4.2})).await.unwrap();
        knowledge.set::<String>("cars").add("panda").await.unwrap();
        Self { app, engine }
    }

    pub(super) fn service(&self) -> Service {
        Service::new(&self.app).engine(&self.engine)
    }

    /// A run that has come to its end, one that has failed, one that asks a person, and one that goes on.
    pub(super) async fn runs(&self) -> [RunId; 4] {
        let run = async |id: &str, flow: &str, input: Value| {
            self.engine.run_as(RunId::from(id), flow, input).await.unwrap().id().clone()
        };
        let finished = run("order-3f1c", ORDER, json!({"total": 27})).await;
        let failed = run("order-77ab", ORDER, json!({"total": -1})).await;
        let pay =
            "check → human:approve (- {question: 'Pay 270 euro to Ada?', who: [ada, eve]} -) → pay → answer";
        let asking = run("payment-c0de", pay, json!({"total": 270})).await;
        let going =
            run("night-2026-11-25", "check → { slow  stock } → answer → store", json!({"total": 3})).await;
        self.until(&finished, "FINISHED").await;
        self.until(&failed, "FAILED").await;
        [finished, failed, asking, going]
    }

    async fn until(&self, id: &RunId, word: &str) {
        crate::suite::eventually("the run has ended", async || {
            self.engine.workflows().status(id).await.unwrap().word() == word
        })
        .await;
    }
}

fn tasks(app: &App) -> Tasks {
    let check = Task::sync("check", |invocation: &Invocation| {
        let order = invocation.input().clone();
        match order["total"].as_i64() {
            Some(..0) => Err(TaskError::for_good("an order of less than nothing: -1")),
            _ => Ok(order),
        }
    });
    let slow = Task::new("slow", |invocation: Invocation| async move {
        invocation.cancelled().await;
        Err::<Value, _>(TaskError::new("cancelled"))
    });
    let echoes = ["price", "stock", "discount", "answer", "pay", "store"].map(Task::echo);
    Tasks::new().with_all(Builtin::new(app.backend()).tasks()).with(check).with(slow).with_all(echoes)
}

fn car(app: &App, name: &str) -> Element<f64, f64> {
    let car = app.create_loop(&format!("car_{name}")).unwrap();
    let speed = car
        .monitor("speed")
        .ops_in(|readings| readings.sample(Duration::from_millis(100)))
        .map(|speed: f64| speed)
        .spawn()
        .unwrap();
    let target = Parameter::new("target_kmh", 50.0).within(0.0..=140.0);
    let told = target.clone();
    let error = car
        .analyze("error")
        .parameter(&target)
        .export("cruise_control", move |kmh: f64| told.set(kmh))
        .map(move |speed: f64| speed - target.get())
        .spawn()
        .unwrap();
    let pid = car.plan("pid").map(|error: f64| -error / 10.0).spawn().unwrap();
    let throttle = car.execute("throttle").map(|pedal: f64| (50.0 + pedal).min(90.0)).spawn().unwrap();
    speed.link(&error).unwrap();
    error.link(&pid).unwrap();
    pid.link(&throttle).unwrap();
    throttle.link_with(&speed, LinkOptions::latest()).unwrap();
    let readings = futures::stream::iter(0_u32..).then(async |at| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        f64::from(at % 90)
    });
    speed.feed(readings);
    speed.start().unwrap();
    for element in [&speed, &error, &throttle] {
        element.expose();
    }
    throttle
}

fn ambulance(app: &App) {
    let ambulance = app.create_loop("ambulance").unwrap();
    let detect = ambulance
        .monitor("detect")
        .try_map(
            |pulse: u32| {
                if pulse % 7 == 6 { Err(format!("no pulse in reading {pulse}")) } else { Ok(pulse > 2) }
            },
        )
        .spawn()
        .unwrap();
    let policy = ambulance.plan("policy").map(|emergency: bool| emergency).spawn().unwrap();
    let siren = ambulance.execute("siren").act(|_: bool| {}).spawn().unwrap();
    detect.link(&policy).unwrap();
    policy.link(&siren).unwrap();
    let readings = futures::stream::iter(0_u32..).then(async |at| {
        tokio::time::sleep(Duration::from_millis(400)).await;
        at
    });
    detect.feed(readings);
    detect.start().unwrap();
    detect.expose();
    siren.expose();
}
