//! A size hint is a promise.

use futures::stream::{self, LocalBoxStream, StreamExt};
use futures::{FutureExt, Stream};
use mape::stream::Operators;
use proptest::prelude::*;

fn anything<'a, S: Stream + 'a>(stream: S) -> LocalBoxStream<'a, ()> {
    stream.map(drop).boxed_local()
}

proptest! {
    #[test]
    fn what_comes_is_within_the_size_hint_at_every_step(
        items in prop::collection::vec(0..4_i32, 0..8),
        other in prop::collection::vec(0..4_i32, 0..4),
        count in 0..4_usize,
    ) {
        let source = || stream::iter(items.clone());
        let other = || other.clone();
        let results = || source().map(|n| if n == 3 { Err(n) } else { Ok(n) });
        let streams = [
            ("start_with", anything(source().start_with(other()))),
            ("end_with", anything(source().end_with(other()))),
            ("default_if_empty", anything(source().default_if_empty(0))),
            ("switch_if_empty", anything(source().switch_if_empty(stream::iter(other())))),
            ("with_latest_from", anything(source().with_latest_from(stream::iter(other())))),
            ("zip_longest", anything(source().zip_longest(stream::iter(other())))),
            ("materialize", anything(source().materialize())),
            ("try_materialize", anything(results().try_materialize())),
            ("dematerialize", anything(source().materialize().dematerialize())),
            ("try_dematerialize", anything(results().try_materialize().try_dematerialize())),
            ("replace_errors", anything(results().replace_errors(|n| n))),
            ("skip_errors", anything(results().skip_errors(|_| {}))),
            ("end_on_error", anything(results().end_on_error())),
            ("on_start", anything(source().on_start(|| {}).on_end(|| {}).finally(|| {}))),
            ("distinct_until_changed", anything(source().distinct_until_changed())),
            ("distinct_until_changed_by", anything(source().distinct_until_changed_by(|n| n / 2))),
            ("distinct", anything(source().distinct(count))),
            ("distinct_by_key", anything(source().distinct_by_key(count, |n| n / 2))),
            ("pairwise", anything(source().pairwise())),
            ("take_last", anything(source().take_last(count))),
            ("skip_last", anything(source().skip_last(count))),
            ("skip_until", anything(source().skip_until(std::future::ready(())))),
            ("take_while_inclusive", anything(source().take_while_inclusive(|n| *n < 3))),
            ("ignore_items", anything(source().ignore_items())),
        ];
        for (name, mut stream) in streams {
            let mut hints = vec![stream.size_hint()];
            while stream.next().now_or_never().unwrap().is_some() {
                hints.push(stream.size_hint());
            }
            let came = hints.len() - 1;
            for (step, (least, most)) in hints.into_iter().enumerate() {
                let left = came - step;
                prop_assert!(least <= left, "{} promised at least {}, {} came", name, least, left);
                prop_assert!(most.is_none_or(|most| left <= most), "{} promised at most {:?}, {} came", name, most, left);
            }
        }
    }
}
