//! Once ended, an operator that holds something back stays ended and leaves its source alone.

use super::schedule::{Schedule, ms, run};
use futures::{Stream, StreamExt};
use mape::stream::{Operators, interval};
use std::pin::pin;

async fn stays_ended<S: Stream>(name: &str, make: impl FnOnce(&Schedule) -> S) {
    let schedule = Schedule { items: vec![(0, 1), (1, 2), (1, 3)], end: 4, hiccups: 0 };
    let mut stream = pin!(make(&schedule));
    while stream.next().await.is_some() {}
    for _ in 0..3 {
        assert!(stream.next().await.is_none(), "{name} goes on after its end");
    }
}

macro_rules! stay_ended {
    ($($name:ident($($argument:expr),*)),* $(,)?) => {
        run(async { $(
            stays_ended(stringify!($name), |schedule| schedule.stream().$name($($argument),*)).await;
        )* })
    };
}

#[test]
fn operators_stay_ended_and_do_not_poll_an_ended_source() {
    stay_ended! {
        debounce(ms(2)),
        throttle_trailing(ms(2)),
        throttle_both(ms(2)),
        sample(ms(2)),
        sample_on(interval(ms(2))),
        delay(ms(2)),
        timeout_each(ms(2)),
        end_after_silence(ms(2)),
        on_idle(ms(2), || 0),
        take_for(ms(2)),
        take_for(ms(20)),
        buffer_count(2),
        buffer_time(ms(2)),
        buffer_count_or_time(2, ms(2)),
        buffer_session(ms(2)),
        buffer_on(interval(ms(2))),
        buffer_by(|n| *n),
        window_count(2),
        window_time(ms(2)),
        group_by(|n| *n, ms(2)),
        group_and_pipe(|n| *n, ms(2), |_, group| group),
    }
}
