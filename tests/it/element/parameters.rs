//! Parameters: read and changed while the element runs.

use super::one_loop;
use mape::element::{Event, ParameterError};
use mape::prelude::*;
use serde_json::json;

#[tokio::test]
async fn a_parameter_changed_from_outside_counts_for_the_next_item() {
    let (app, l) = one_loop();
    let mut events = app.events();
    let speed = Parameter::new("emergency_speed", 180u32).within(50..=250);
    let now = speed.clone();
    let policy = l
        .plan("policy")
        .parameter(&speed)
        .map(move |emergency: bool| if emergency { now.get() } else { 80 })
        .spawn()
        .unwrap();
    let mut out = policy.subscribe();
    policy.push(true).await.unwrap();
    assert_eq!(out.next().await, Some(180));
    app.get("l.policy").unwrap().set_parameter("emergency_speed", 200).unwrap();
    policy.push(true).await.unwrap();
    assert_eq!(out.next().await, Some(200));
    assert_eq!(policy.get_parameter::<u32>("emergency_speed"), Ok(200));
    assert_eq!(policy.parameters(), [("emergency_speed".to_owned(), json!(200))]);
    let changed = std::iter::from_fn(|| events.try_next()).find_map(|e| match e {
        Event::Parameter { path, name, value } => Some((path.to_string(), name.to_string(), value)),
        _ => None,
    });
    assert_eq!(changed, Some(("l.policy".into(), "emergency_speed".into(), json!(200))));
}

#[tokio::test]
async fn bad_values_and_names_are_refused_and_the_old_value_stays() {
    let (_app, l) = one_loop();
    let speed = Parameter::new("speed", 180u32).within(50..=250);
    let policy = l.plan("policy").parameter(&speed).map(|x: u8| x).spawn().unwrap();
    assert!(matches!(policy.set_parameter("speed", 20), Err(ParameterError::OutOfBounds { .. })));
    assert!(matches!(policy.set_parameter("speed", "fast"), Err(ParameterError::Type { .. })));
    assert_eq!(
        policy.set_parameter("sped", 100).unwrap_err().to_string(),
        "`l.policy` has no parameter `sped` (it has speed)"
    );
    assert_eq!(speed.get(), 180);
}

#[tokio::test]
async fn changes_are_a_stream_and_updates_lose_nothing() {
    let n = Parameter::new("n", 0u64);
    let mut changes = n.changes();
    assert_eq!(changes.next().await, Some(0));
    let adding = (0..4).map(|_| {
        let n = n.clone();
        tokio::task::spawn_blocking(move || (0..1000).for_each(|_| n.update(|x| x + 1).unwrap()))
    });
    futures::future::join_all(adding).await;
    assert_eq!((n.get(), changes.next().await), (4000, Some(4000)));
}

#[tokio::test]
async fn an_element_with_parameters_that_are_wrong_from_the_start_is_refused() {
    let (_app, l) = one_loop();
    let bad = Parameter::new("bad", 50.0).within(0.0..=10.0);
    let error = l.plan("p").parameter(&bad).map(|x: u8| x).spawn().unwrap_err();
    assert!(error.to_string().contains("`bad` can't be 50.0: it must be from 0.0 to 10.0"), "{error}");
    let (one, two) = (Parameter::new("limit", 1), Parameter::new("limit", 2));
    let error = l.plan("p").parameter(&one).parameter(&two).map(|x: u8| x).spawn().unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't add `l.p`: it has two parameters called `limit`: give one of them another name"
    );
    assert_eq!(format!("{error:?}"), error.to_string(), "what `main` prints is the text");
    let fine = l.plan("p").parameter(&one).map(|x: u8| x).spawn().unwrap();
    let error = fine.get_parameter::<String>("limit").unwrap_err();
    assert!(
        error.to_string().starts_with("`limit` is 1, which can't be read as `alloc::string::String`"),
        "{error}"
    );
}
