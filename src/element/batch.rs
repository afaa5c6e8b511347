//! A batch of items on its way through an element: filled at once, used up one by one.

use std::collections::VecDeque;
use std::vec::IntoIter;

/// Items taken from a queue, to be used up in order.
///
/// Taking one moves a single pointer, where a ring buffer has to keep its head and its length: that is a good part of
/// what an item costs in an element. The buffer goes back and forth between the batch and the queue.
pub(crate) struct Batch<T> {
    items: IntoIter<T>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { items: Vec::new().into_iter() }
    }
}

impl<T> Batch<T> {
    /// The next item.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<T> {
        self.items.next()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// What is left.
    pub(crate) fn as_slice(&self) -> &[T] {
        self.items.as_slice()
    }

    /// What is left, by value.
    pub(crate) fn into_left(self) -> VecDeque<T> {
        self.items.collect()
    }

    /// Lets `fill` put items behind those that are left, as a rule none.
    pub(crate) fn fill<R>(&mut self, fill: impl FnOnce(&mut VecDeque<T>) -> R) -> R {
        // Collecting in place keeps the buffer; `Vec::from_iter` of the bare iterator would not.
        #[expect(clippy::map_identity, reason = "without an adapter the buffer is dropped")]
        let left: Vec<T> = std::mem::take(&mut self.items).map(std::convert::identity).collect();
        let mut items = VecDeque::from(left);
        let filled = fill(&mut items);
        self.items = Vec::from(items).into_iter();
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_comes_out_in_order_behind_what_was_left() {
        let mut batch = Batch::default();
        batch.fill(|items| items.extend([1, 2, 3]));
        assert_eq!(batch.next(), Some(1));
        batch.fill(|items| items.extend([4]));
        assert_eq!((batch.len(), batch.as_slice()), (3, &[2, 3, 4][..]));
        assert_eq!(std::iter::from_fn(|| batch.next()).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn the_buffer_of_a_batch_that_is_used_up_is_used_again() {
        let mut batch = Batch::default();
        batch.fill(|items| items.extend(0..100));
        while batch.next().is_some() {}
        batch.fill(|items| assert!(items.is_empty() && items.capacity() >= 100));
    }
}
