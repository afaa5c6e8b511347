//! One source, many subscribers: the machinery behind [`Share`](super::Share).

use super::metered::Metered;
use futures::Stream;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// The source and a queue for each subscriber.
///
/// There is no task of its own: whoever finds its queue empty polls the source and hands the item to the
/// others. That works without lost wake-ups because
/// - a subscriber leaves its waker before it looks whether somebody else is polling the source,
/// - the source is polled with a waker that wakes all subscribers,
/// - whoever changes what others wait for (an item, the end, room in a queue, leaving) wakes them afterwards.
pub(super) struct Hub<S: Stream> {
    /// Held while the source is polled and its item is handed out; `None` when it has ended.
    source: Mutex<Option<Pin<Box<S>>>>,
    desk: Mutex<Desk<S::Item>>,
    waiting: Arc<Waiting>,
    source_waker: Waker,
}

/// How a subscriber is served when it is slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) capacity: usize,
    pub(super) drop_oldest: bool,
}

impl<S: Stream> Hub<S> {
    pub(super) fn new(source: S, keep: usize) -> Self {
        let waiting = Arc::new(Waiting::default());
        Self {
            source: Mutex::new(Some(Box::pin(source))),
            desk: Mutex::new(Desk {
                seats: Vec::new(),
                kept: VecDeque::new(),
                keep,
                ended: false,
                metered: Metered::new("share"),
            }),
            source_waker: Waker::from(Arc::clone(&waiting)),
            waiting,
        }
    }

    /// A place for a new subscriber, with the kept items in its queue.
    pub(super) fn join(&self, service: Service) -> usize
    where
        S::Item: Clone,
    {
        let mut desk = self.desk.lock();
        let seat = Seat { queue: desk.kept.clone(), service, missed: 0 };
        if let Some((number, free)) = desk.seats.iter_mut().enumerate().find(|(_, seat)| seat.is_none()) {
            *free = Some(seat);
            return number;
        }
        desk.seats.push(Some(seat));
        desk.seats.len() - 1
    }

    pub(super) fn leave(&self, number: usize) {
        let seat = self.desk.lock().seats.get_mut(number).and_then(Option::take);
        drop(seat);
        self.waiting.wake_by_ref();
    }

    pub(super) fn serve(&self, number: usize, service: Service) {
        if let Some(seat) = self.desk.lock().seat(number) {
            seat.service = service;
        }
        self.waiting.wake_by_ref();
    }

    pub(super) fn missed(&self, number: usize) -> u64 {
        self.desk.lock().seat(number).map_or(0, |seat| seat.missed)
    }

    pub(super) fn poll_next(&self, number: usize, cx: &Context<'_>) -> Poll<Option<S::Item>>
    where
        S::Item: Clone,
    {
        if let Poll::Ready(item) = self.take(number) {
            return Poll::Ready(item);
        }
        self.waiting.leave_waker(number, cx.waker());
        let source = self.source.try_lock();
        // Somebody may have delivered since the first look.
        if let Poll::Ready(item) = self.take(number) {
            return Poll::Ready(item);
        }
        let Some(mut guard) = source else { return Poll::Pending };
        let Some(source) = guard.as_mut() else { return Poll::Ready(None) };
        if !self.desk.lock().has_room() {
            return Poll::Pending;
        }
        let Poll::Ready(item) = source.as_mut().poll_next(&mut Context::from_waker(&self.source_waker))
        else {
            self.desk.lock().count();
            return Poll::Pending;
        };
        let ended = if let Some(item) = &item {
            self.desk.lock().hand_out(item, number);
            None
        } else {
            self.desk.lock().ended = true;
            guard.take()
        };
        drop(guard);
        drop(ended);
        self.waiting.wake_by_ref();
        Poll::Ready(item)
    }

    /// The next item of this subscriber's queue, or the end.
    fn take(&self, number: usize) -> Poll<Option<S::Item>> {
        let mut desk = self.desk.lock();
        let ended = desk.ended;
        let Some(seat) = desk.seat(number) else { return Poll::Ready(None) };
        let was_full = seat.is_full();
        let item = seat.queue.pop_front();
        drop(desk);
        if was_full && item.is_some() {
            self.waiting.wake_by_ref();
        }
        if item.is_some() || ended { Poll::Ready(item) } else { Poll::Pending }
    }
}

struct Desk<T> {
    seats: Vec<Option<Seat<T>>>,
    /// The last `keep` items, for those who come later.
    kept: VecDeque<T>,
    keep: usize,
    ended: bool,
    metered: Metered,
}

struct Seat<T> {
    queue: VecDeque<T>,
    service: Service,
    missed: u64,
}

impl<T> Desk<T> {
    fn seat(&mut self, number: usize) -> Option<&mut Seat<T>> {
        self.seats.get_mut(number)?.as_mut()
    }

    /// Tells how much the slowest subscriber is behind.
    fn count(&self) {
        let longest = self.seats.iter().flatten().map(|seat| seat.queue.len()).max();
        self.metered.queued(longest.unwrap_or_default());
    }

    fn has_room(&self) -> bool {
        self.seats.iter().flatten().all(|seat| seat.service.drop_oldest || !seat.is_full())
    }
}

impl<T: Clone> Desk<T> {
    /// Gives the item to all but the one who fetched it.
    fn hand_out(&mut self, item: &T, fetcher: usize) {
        let mut longest = 0;
        for (number, seat) in self.seats.iter_mut().enumerate() {
            if let Some(seat) = seat
                && number != fetcher
            {
                if seat.is_full() && seat.queue.pop_front().is_some() {
                    seat.missed += 1;
                    self.metered.dropped(1);
                }
                seat.queue.push_back(item.clone());
                longest = longest.max(seat.queue.len());
            }
        }
        if longest > 0 {
            self.metered.queued(longest);
        }
        if self.keep > 0 {
            if self.kept.len() == self.keep {
                self.kept.pop_front();
            }
            self.kept.push_back(item.clone());
        }
    }
}

impl<T> Seat<T> {
    fn is_full(&self) -> bool {
        self.queue.len() >= self.service.capacity
    }
}

/// The wakers of the subscribers, by seat.
#[derive(Default)]
struct Waiting(Mutex<Vec<Option<Waker>>>);

impl Waiting {
    fn leave_waker(&self, number: usize, waker: &Waker) {
        let mut wakers = self.0.lock();
        if wakers.len() <= number {
            wakers.resize(number + 1, None);
        }
        if let Some(place) = wakers.get_mut(number) {
            match place {
                Some(old) => old.clone_from(waker),
                None => *place = Some(waker.clone()),
            }
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakers = std::mem::take(&mut *self.0.lock());
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}
