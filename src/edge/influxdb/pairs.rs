//! One pair or many.

/// What gives names with values: a pair, an array or list of them, or perhaps one.
///
/// ```
/// use mape::edge::influxdb::{FieldValue, Pairs};
///
/// fn count(pairs: impl Pairs<FieldValue>) -> usize {
///     let mut count = 0;
///     pairs.each(&mut |_, _| count += 1);
///     count
/// }
/// assert_eq!(count(("flow", 42.5)), 1);
/// assert_eq!(count([("flow", 42.5), ("level", 3.0)]), 2);
/// assert_eq!(count(vec![("flow", FieldValue::from(42.5)), ("ok", true.into())]), 2);
/// ```
pub trait Pairs<V> {
    /// Hands each of them over, in order.
    fn each(self, take: &mut dyn FnMut(String, V));
}

impl<V, N: Into<String>, X: Into<V>> Pairs<V> for (N, X) {
    fn each(self, take: &mut dyn FnMut(String, V)) {
        take(self.0.into(), self.1.into());
    }
}

impl<V, P: Pairs<V>, const N: usize> Pairs<V> for [P; N] {
    fn each(self, take: &mut dyn FnMut(String, V)) {
        for pair in self {
            pair.each(take);
        }
    }
}

impl<V, P: Pairs<V>> Pairs<V> for Vec<P> {
    fn each(self, take: &mut dyn FnMut(String, V)) {
        for pair in self {
            pair.each(take);
        }
    }
}

impl<V, P: Pairs<V>> Pairs<V> for Option<P> {
    fn each(self, take: &mut dyn FnMut(String, V)) {
        if let Some(pair) = self {
            pair.each(take);
        }
    }
}
