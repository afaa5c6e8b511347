//! Calls of exported methods.

use super::{one_loop, pass, until};
use mape::element::CallError;
use mape::prelude::*;

fn cruise(l: &Loop, target: &Parameter<f64>) -> Element<f64, f64> {
    let (read, write) = (target.clone(), target.clone());
    l.execute("cruise")
        .parameter(target)
        .export("cruise_control", move |speed: f64| write.set(speed).map(|()| speed))
        .export("add", |(a, b): (i64, i64)| Ok::<_, BoxError>(a + b))
        .map(move |actual: f64| read.get() - actual)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn an_exported_method_takes_typed_arguments_and_replies() {
    let (_app, l) = one_loop();
    let target = Parameter::new("target", 80.0).within(0.0..=130.0);
    let car = cruise(&l, &target);
    assert_eq!(car.methods(), ["add", "cruise_control"]);
    assert_eq!(car.call::<f64>("cruise_control", 100.0).await, Ok(100.0));
    assert_eq!(car.call::<i64>("add", (2, 3)).await, Ok(5));
    assert!((target.get() - 100.0).abs() < f64::EPSILON);
    let text = |r: Result<f64, CallError>| r.unwrap_err().to_string();
    assert_eq!(
        text(car.call("stop", ()).await),
        "`l.cruise` exports no method `stop` (it exports add, cruise_control)"
    );
    assert!(text(car.call("cruise_control", "fast").await).contains("its argument doesn't fit"));
    assert!(text(car.call("cruise_control", 500.0).await).contains("must be from 0.0 to 130.0"));
    assert!(matches!(car.call::<String>("add", (1, 2)).await, Err(CallError::Reply { .. })));
}

#[tokio::test]
async fn a_call_on_a_stream_bypasses_the_pipe_and_replies() {
    let (_app, l) = one_loop();
    let target = Parameter::new("target", 80.0);
    let car = cruise(&l, &target);
    let boss = pass::<Call>(&l, "boss");
    boss.link_calls(&car).unwrap();
    let mut out = car.subscribe();
    let (call, reply) = Call::new("cruise_control", 120.0).with_reply::<f64>();
    boss.push(call).await.unwrap();
    assert_eq!(reply.get().await, Ok(120.0));
    car.push(100.0).await.unwrap();
    assert_eq!(out.next().await, Some(20.0));
    assert_eq!(out.stats().offered, 1, "the call itself is no item of the pipe");
}

#[tokio::test]
async fn an_unknown_method_is_an_error_item_and_nothing_else() {
    // PyMAPE calls any attribute: `stop` from the network stops the element.
    let (_app, l) = one_loop();
    let car = cruise(&l, &Parameter::new("target", 80.0));
    let boss = pass::<Call>(&l, "boss");
    boss.link_calls(&car).unwrap();
    let (mut out, mut letters) = (car.subscribe(), car.dead_letters());
    let (call, reply) = Call::new("stop", ()).with_reply::<()>();
    boss.push(call).await.unwrap();
    assert!(matches!(reply.get().await, Err(CallError::UnknownMethod { .. })));
    let error = out.next_signal().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("exports no method `stop`"), "{error}");
    car.push(79.0).await.unwrap();
    assert_eq!(out.next().await, Some(1.0));
    assert_eq!(letters.next().await.unwrap().input::<Call>().unwrap().method(), "stop");
}

#[tokio::test]
async fn a_reply_to_a_call_that_is_lost_says_so() {
    let (_app, l) = one_loop();
    let boss = pass::<Call>(&l, "boss");
    let (call, reply) = Call::new("add", (1, 2)).with_reply::<i64>();
    boss.push(call).await.unwrap();
    until("nobody heard it", || boss.info().output.unheard == 1).await;
    assert_eq!(reply.get().await, Err(CallError::Lost { method: "add".into() }));
}

#[tokio::test]
async fn an_async_method_is_awaited() {
    let (_app, l) = one_loop();
    let e = l
        .execute("e")
        .export_async("later", async |n: u32| {
            tokio::task::yield_now().await;
            Ok::<_, BoxError>(n * 2)
        })
        .act(|_: u64| ())
        .spawn()
        .unwrap();
    assert_eq!(e.call::<u32>("later", 21).await, Ok(42));
}
