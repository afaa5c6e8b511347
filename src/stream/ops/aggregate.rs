//! What many items come to.

use std::fmt::Debug;
use std::ops::Add;

/// What many items come to, in a form that can be put together from parts: sum, count, least, greatest, average, spread.
///
/// [`and`](Self::and) must be associative: `a.and(&b).and(&c)` equals `a.and(&b.and(&c))` (up to rounding); it is called
/// with the earlier items on the left. So one implementation serves all of
/// [`aggregate`](crate::stream::Operators::aggregate), [`running`](crate::stream::Operators::running) and
/// [`moving`](crate::stream::Operators::moving), and no item needs to be taken away again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use futures::{StreamExt, stream};
/// use mape::stream::{Operators, ops::Aggregate};
///
/// /// The least and the greatest.
/// #[derive(Clone)]
/// struct Range(i32, i32);
///
/// impl Aggregate<i32> for Range {
///     type Output = i32;
///     fn of(item: i32) -> Self { Self(item, item) }
///     fn and(&self, later: &Self) -> Self { Self(self.0.min(later.0), self.1.max(later.1)) }
///     fn value(&self) -> i32 { self.1 - self.0 }
/// }
///
/// let spread = stream::iter([4, 9, 5, 5]).moving::<Range>(2);
/// assert_eq!(spread.collect::<Vec<_>>().await, [0, 5, 4, 0]);
/// # }
/// ```
pub trait Aggregate<T>: Clone {
    /// What comes out.
    type Output;

    /// What one item comes to.
    fn of(item: T) -> Self;

    /// What these items and later ones come to together.
    #[must_use]
    fn and(&self, later: &Self) -> Self;

    /// What comes out.
    fn value(&self) -> Self::Output;
}

/// The sum of all items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum<T>(T);

impl<T: Clone + Add<Output = T>> Aggregate<T> for Sum<T> {
    type Output = T;

    fn of(item: T) -> Self {
        Self(item)
    }

    #[inline]
    fn and(&self, later: &Self) -> Self {
        Self(self.0.clone() + later.0.clone())
    }

    fn value(&self) -> T {
        self.0.clone()
    }
}

/// How many items there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(u64);

impl<T> Aggregate<T> for Count {
    type Output = u64;

    fn of(_: T) -> Self {
        Self(1)
    }

    #[inline]
    fn and(&self, later: &Self) -> Self {
        Self(self.0 + later.0)
    }

    fn value(&self) -> u64 {
        self.0
    }
}

/// The least item, the first of equals; an item not equal to itself (NaN) counts only if there is no other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Min<T>(T);

impl<T: Clone + PartialOrd> Aggregate<T> for Min<T> {
    type Output = T;

    fn of(item: T) -> Self {
        Self(item)
    }

    #[inline]
    fn and(&self, later: &Self) -> Self {
        if later.0 < self.0 || is_nan(&self.0) { later.clone() } else { self.clone() }
    }

    fn value(&self) -> T {
        self.0.clone()
    }
}

/// The greatest item, the first of equals; an item not equal to itself (NaN) counts only if there is no other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Max<T>(T);

impl<T: Clone + PartialOrd> Aggregate<T> for Max<T> {
    type Output = T;

    fn of(item: T) -> Self {
        Self(item)
    }

    #[inline]
    fn and(&self, later: &Self) -> Self {
        if later.0 > self.0 || is_nan(&self.0) { later.clone() } else { self.clone() }
    }

    fn value(&self) -> T {
        self.0.clone()
    }
}

fn is_nan<T: PartialOrd>(item: &T) -> bool {
    item.partial_cmp(item).is_none()
}

/// The arithmetic mean of all items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    sum: f64,
    n: u64,
}

impl<T: Number> Aggregate<T> for Average {
    type Output = f64;

    fn of(item: T) -> Self {
        Self { sum: item.to_f64(), n: 1 }
    }

    #[inline]
    fn and(&self, later: &Self) -> Self {
        Self { sum: self.sum + later.sum, n: self.n + later.n }
    }

    fn value(&self) -> f64 {
        self.sum / self.n as f64
    }
}

/// The standard deviation of all items (of the sample, with `n - 1`); 0 for a single item.
///
/// Parts are put together as in Chan and others (1979), which stays exact where the mean is large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    mean: f64,
    squares: f64,
    n: u64,
}

impl<T: Number> Aggregate<T> for Deviation {
    type Output = f64;

    fn of(item: T) -> Self {
        Self { mean: item.to_f64(), squares: 0.0, n: 1 }
    }

    #[inline]
    fn and(&self, later: &Self) -> Self {
        let n = self.n + later.n;
        let share = later.n as f64 / n as f64;
        let apart = later.mean - self.mean;
        Self {
            mean: self.mean + apart * share,
            squares: self.squares + later.squares + apart * apart * share * self.n as f64,
            n,
        }
    }

    fn value(&self) -> f64 {
        if self.n < 2 { 0.0 } else { (self.squares / (self.n - 1) as f64).sqrt() }
    }
}

/// A number of the language, as [`Average`] and [`Deviation`] need it; 64-bit integers are rounded to 53 bits.
pub trait Number: Copy + Debug {
    /// The number as `f64`.
    fn to_f64(self) -> f64;
}

macro_rules! numbers {
    ($($exact:ty)* ; $($rounded:ty)*) => {
        $(impl Number for $exact {
            fn to_f64(self) -> f64 { self.into() }
        })*
        $(impl Number for $rounded {
            fn to_f64(self) -> f64 { self as f64 }
        })*
    };
}
numbers!(u8 i8 u16 i16 u32 i32 f32 f64; u64 i64 usize isize);
