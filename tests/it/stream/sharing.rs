//! Shared streams, their subscribers, and what a drop does.

use super::drive::*;
use futures::{Stream, StreamExt, stream};
use mape::stream::Operators;
use mape::stream::ops::Share;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Act {
    Give(i32),
    End,
    Subscribe {
        drop_oldest: bool,
    },
    /// A subscriber (modulo those there) asks for one item.
    Read(usize),
    Leave(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        8 => (0..100).prop_map(Act::Give),
        12 => (0..8_usize).prop_map(Act::Read),
        2 => any::<bool>().prop_map(|drop_oldest| Act::Subscribe { drop_oldest }),
        1 => (0..8_usize).prop_map(Act::Leave),
        1 => Just(Act::End),
    ];
    prop::collection::vec(act, 0..60)
}

/// A naive picture of a shared source.
struct Model {
    capacity: usize,
    keep: usize,
    source: VecDeque<i32>,
    source_ends: bool,
    end_was_seen: bool,
    kept: VecDeque<i32>,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    queue: VecDeque<i32>,
    drop_oldest: bool,
    missed: u64,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Item(i32),
    End,
    NotYet,
}

impl Model {
    fn read(&mut self, who: usize) -> Answer {
        if let Some(item) = self.subscribers[who].queue.pop_front() {
            return Answer::Item(item);
        }
        if self.end_was_seen {
            return Answer::End;
        }
        let capacity = self.capacity;
        if self.subscribers.iter().any(|s| !s.drop_oldest && s.queue.len() >= capacity) {
            return Answer::NotYet;
        }
        let Some(item) = self.source.pop_front() else {
            self.end_was_seen = self.source_ends;
            return if self.source_ends { Answer::End } else { Answer::NotYet };
        };
        for (number, subscriber) in self.subscribers.iter_mut().enumerate() {
            if number == who {
                continue;
            }
            if subscriber.queue.len() >= capacity {
                subscriber.queue.pop_front();
                subscriber.missed += 1;
            }
            subscriber.queue.push_back(item);
        }
        self.kept.push_back(item);
        self.kept.drain(..self.kept.len().saturating_sub(self.keep));
        Answer::Item(item)
    }
}

fn plays(acts: &[Act], capacity: usize, keep: usize) {
    let (hand, source) = source();
    let shared = source.replay(keep).capacity(capacity);
    let mut model = Model {
        capacity,
        keep,
        source: VecDeque::new(),
        source_ends: false,
        end_was_seen: false,
        kept: VecDeque::new(),
        subscribers: vec![],
    };
    let mut consumers: Vec<Consumer<Share<Source<i32>>>> = vec![];
    for act in acts {
        match *act {
            Act::Give(item) if !model.source_ends => {
                hand.give(item);
                model.source.push_back(item);
            }
            Act::End if !model.source_ends => {
                hand.end();
                model.source_ends = true;
            }
            Act::Subscribe { drop_oldest } => {
                let handle = if drop_oldest { shared.clone().drop_oldest() } else { shared.clone() };
                consumers.push(Consumer::new(handle.subscribe()));
                let queue = model.kept.clone();
                model.subscribers.push(Subscriber { queue, drop_oldest, missed: 0 });
            }
            Act::Read(who) if !consumers.is_empty() => {
                let who = who % consumers.len();
                let consumer = &mut consumers[who];
                let got = match consumer.take_one() {
                    Some(item) => Answer::Item(item),
                    None if consumer.ended => Answer::End,
                    None => Answer::NotYet,
                };
                assert_eq!(got, model.read(who), "{who} after {act:?} of {acts:?}");
                assert_eq!(consumer.get().missed(), model.subscribers[who].missed, "of {acts:?}");
            }
            Act::Leave(who) if !consumers.is_empty() => {
                let who = who % consumers.len();
                consumers.remove(who);
                model.subscribers.remove(who);
            }
            Act::Give(_) | Act::End | Act::Read(_) | Act::Leave(_) => {}
        }
        assert_eq!(hand.is_dropped(), model.end_was_seen, "after {act:?} of {acts:?}");
    }
    drop(consumers);
    drop(shared);
    assert!(hand.is_dropped());
}

proptest! {
    #[test]
    fn share_and_replay_follow_the_model(acts in acts(), capacity in 1..4_usize, keep in 0..3_usize) {
        plays(&acts, capacity, keep);
    }
}

#[test]
fn a_handle_subscribes_when_it_is_first_polled() {
    let (hand, source) = source();
    let shared = source.share();
    let mut early = Consumer::new(shared.clone());
    hand.give(1);
    assert_eq!(early.take(), [1]);
    let mut late = Consumer::new(shared);
    assert!(late.take().is_empty());
    hand.give(2);
    assert_eq!((early.take(), late.take()), (vec![2], vec![2]));
}

#[test]
fn replay_gives_the_last_items_even_after_the_end() {
    let (hand, source) = source();
    let shared = source.replay(2);
    let mut early = Consumer::new(shared.clone());
    for n in 1..=3 {
        hand.give(n);
    }
    hand.end();
    assert_eq!(early.take(), [1, 2, 3]);
    assert!(hand.is_dropped());
    let mut late = Consumer::new(shared);
    assert_eq!(late.take(), [2, 3]);
    assert!(late.ended);
}

#[test]
fn a_slow_subscriber_that_is_dropped_lets_the_others_go_on() {
    let (hand, source) = source();
    let shared = source.share().capacity(2);
    let slow = shared.subscribe();
    let mut quick = Consumer::new(shared.subscribe());
    for n in 1..=4 {
        hand.give(n);
    }
    assert_eq!(quick.take(), [1, 2]);
    assert_eq!(hand.left(), 2);
    drop(slow);
    assert_eq!(quick.take(), [3, 4]);
}

#[test]
fn the_source_is_dropped_with_the_last_handle() {
    let (hand, source) = source::<i32>();
    let shared = source.share();
    let mut consumer = Consumer::new(shared.clone());
    consumer.take();
    drop(shared);
    assert!(!hand.is_dropped());
    drop(consumer);
    assert!(hand.is_dropped());
}

#[test]
fn a_source_that_reads_its_own_handle_waits_instead_of_blocking() {
    let (hand, inner) = source();
    let slot: std::rc::Rc<std::cell::RefCell<Option<Consumer<_>>>> = std::rc::Rc::default();
    let own = slot.clone();
    let shared = inner
        .inspect(move |_: &i32| {
            if let Some(consumer) = &mut *own.borrow_mut() {
                consumer.take();
            }
        })
        .boxed_local()
        .share();
    *slot.borrow_mut() = Some(Consumer::new(shared.subscribe()));
    let mut consumer = Consumer::new(shared);
    hand.give(1);
    assert_eq!(consumer.take(), [1]);
    slot.take();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn subscribers_on_several_threads_get_every_item_in_order() {
    const ITEMS: u32 = 20_000;
    let (send, receive) = tokio::sync::mpsc::channel(16);
    let shared = tokio_stream::wrappers::ReceiverStream::new(receive).share().capacity(8);
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let mut subscriber = shared.subscribe();
            tokio::spawn(async move {
                let mut next = 0;
                while let Some(item) = subscriber.next().await {
                    assert_eq!(item, next);
                    next += 1;
                    if item % 97 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                next
            })
        })
        .collect();
    drop(shared);
    let feed = async {
        for item in 0..ITEMS {
            send.send(item).await.unwrap();
        }
        drop(send);
        futures::future::join_all(readers).await
    };
    let counts =
        tokio::time::timeout(Duration::from_mins(1), feed).await.expect("a subscriber was not woken");
    assert!(counts.into_iter().all(|count| count.unwrap() == ITEMS));
}

#[test]
fn a_handle_of_a_source_that_can_be_sent_can_be_sent() {
    fn can_be_sent(_: impl Stream + Send + Sync + Unpin + 'static) {}
    can_be_sent(stream::iter([1]).share());
}
