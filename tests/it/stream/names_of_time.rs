//! No operator has the name of a method of the other extension traits: with all of them in scope, calls are clear.

use super::schedule::{ms, run};
use futures::stream;
#[expect(unused_imports, reason = "they are in scope to be in the way")]
use futures::{StreamExt as _, TryStreamExt as _};
use mape::stream::{Operators as _, interval, ops::Max};
#[expect(unused_imports, reason = "it is in scope to be in the way")]
use tokio_stream::StreamExt as _;

fn sendable(_: impl Send) {}

/// Calls each operator; all can go to another thread if their source can.
macro_rules! clear {
    ($items:expr; $($name:ident $(::<$kind:ty>)? ($($argument:expr),*)),* $(,)?) => {
        $( sendable($items.$name$(::<$kind>)?($($argument),*)); )*
    };
}

#[test]
fn operators_have_names_of_their_own() {
    run(async {
        clear! { stream::iter([Ok::<u32, ()>(1)]);
            debounce(ms(1)), throttle_leading(ms(1)), throttle_trailing(ms(1)), throttle_both(ms(1)), sample(ms(1)),
            sample_on(interval(ms(1))), delay(ms(1)), delay_start(ms(1)), timeout_each(ms(1)),
            end_after_silence(ms(1)), on_idle(ms(1), || Ok(0)), take_for(ms(1)), skip_for(ms(1)), timestamp(),
            time_interval(), rate_limit(1, ms(1)), buffer_count(1), sliding(2, 1), buffer_time(ms(1)),
            buffer_count_or_time(1, ms(1)), buffer_session(ms(1)), buffer_on(interval(ms(1))), buffer_by(|n| *n),
            window_count(1), window_time(ms(1)), window_count_or_time(1, ms(1)), window_session(ms(1)),
            group_by(|n| *n, None), group_and_pipe(|n| *n, None, |_, group| group), scan_with(0, |_, _| ()),
            reduce_items(|a, _| a),
        }
        clear! { stream::iter([1]);
            aggregate::<Max<_>>(), sum_items(), min_item(), max_item(), average(), running::<Max<_>>(),
            running_sum(), running_min(), running_max(), running_average(), running_deviation(), running_count(),
            moving::<Max<_>>(2), moving_sum(2), moving_min(2), moving_max(2), moving_average(2),
            moving_deviation(2), moving_count(ms(1)),
        }
    });
}
