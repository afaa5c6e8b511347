//! Messages, routing by destination, and group-and-pipe.

use super::{SOON, collect, one_loop, pass, until};
use mape::element::ElementPath;
use mape::prelude::*;

#[tokio::test]
async fn branches_of_a_fan_out_count_their_own_hops() {
    // PyMAPE counts the hops of parallel branches on one shared object.
    let (_app, l) = one_loop();
    let source = pass::<Message<u64>>(&l, "source");
    let hop = |uid: &str| l.analyze(uid).map_message(|x: &u64| x * 2).spawn().unwrap();
    let (left, right) = (hop("left"), hop("right"));
    source.link(&left).unwrap();
    source.link(&right).unwrap();
    let (mut a, mut b) = (left.subscribe(), right.subscribe());
    source.push(Message::new(1).from(&source.path())).await.unwrap();
    let (a, b) = (a.next().await.unwrap(), b.next().await.unwrap());
    assert_eq!((a.hops().len(), b.hops().len()), (1, 1));
    assert_eq!((a.hops()[0].element.element(), b.hops()[0].element.element()), ("left", "right"));
    assert_eq!((a.id(), a.trace(), *a.value()), (b.id(), b.trace(), 2));
}

#[test]
fn a_message_crosses_as_json_unchanged() {
    let path = ElementPath::new("car", "detect");
    let cause = Message::new("cause");
    let message = Message::new(1.5).from(&path).to("ambulance.policy").caused_by(&cause).hop(&path);
    let text = serde_json::to_string(&message).unwrap();
    let back: Message<f64> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, message);
    assert_eq!((back.src(), back.dst(), back.trace()), (Some(&path), Some("ambulance.policy"), cause.id()));
    assert!(text.contains("\"car.detect\""), "{text}");
}

#[tokio::test]
async fn a_router_delivers_by_destination_and_unknown_ones_are_dead_letters() {
    let (app, l) = one_loop();
    let (one, got_one) = collect::<Message<u64>>(&l, "one");
    let other = app.level("city").unwrap().create_loop("other").unwrap();
    let (_two, got_two) = collect::<Message<u64>>(&other, "two");
    let (_text, _) = collect::<String>(&other, "text");
    let router = l.router::<u64>("router").unwrap();
    let mut letters = router.dead_letters();
    let mut passed = router.subscribe();
    for (value, dst) in
        [(1, "l.one"), (2, "city.other.two"), (3, "l.onne"), (4, "other.text"), (5, "other.two")]
    {
        router.push(Message::new(value).to(dst)).await.unwrap();
    }
    router.push(Message::new(6)).await.unwrap();
    until("the rest is delivered", || got_two.lock().len() == 2).await;
    let values =
        |m: &parking_lot::Mutex<Vec<Message<u64>>>| m.lock().iter().map(|m| *m.value()).collect::<Vec<_>>();
    assert_eq!((values(&got_one), values(&got_two)), (vec![1], vec![2, 5]));
    let mut reasons = Vec::new();
    for _ in 0..3 {
        let letter = tokio::time::timeout(SOON, letters.next()).await.unwrap().unwrap();
        reasons.push((*letter.input::<Message<u64>>().unwrap().value(), letter.error.kind.to_string()));
    }
    assert_eq!(reasons[0], (3, "failed: there is no element `l.onne`; did you mean `l.one`?".into()));
    assert!(reasons[1].1.contains("`other.text` takes `alloc::string::String`"), "{}", reasons[1].1);
    assert_eq!(
        reasons[2],
        (6, "failed: it names no destination: give a message one by `Message::to`".into())
    );
    // What was delivered is passed on too, as PyMAPE's gateway does.
    let passed: Vec<_> = std::iter::from_fn(|| passed.try_next()).map(|m| m.into_value()).collect();
    assert_eq!(passed, [1, 2, 5]);
    drop(one);
}

#[tokio::test]
async fn a_gateway_sends_any_item_to_one_or_many() {
    let (_app, l) = one_loop();
    let (_even, evens) = collect::<u64>(&l, "even");
    let (_small, smalls) = collect::<u64>(&l, "small");
    let gateway = l
        .gateway("gateway", |x: &u64| {
            let even = x.is_multiple_of(2).then_some("l.even");
            let small = (*x < 5).then_some("l.small");
            even.into_iter().chain(small).collect::<Vec<_>>()
        })
        .unwrap();
    let mut letters = gateway.dead_letters();
    for x in [2, 3, 8, 9, 4] {
        gateway.push(x).await.unwrap();
    }
    until("the rest is delivered", || evens.lock().len() == 3).await;
    assert_eq!((evens.lock().clone(), smalls.lock().clone()), (vec![2, 8, 4], vec![2, 3, 4]));
    assert_eq!(letters.next().await.unwrap().input::<u64>(), Some(9), "for nobody");
}
