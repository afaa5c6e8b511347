//! A number that items tell of.

use super::rolling::{Figure, Rolling};
use super::{Error, Goal, Sample};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

type Read<T> = Arc<dyn Fn(&T) -> Sample + Send + Sync>;

/// A number that items of type `T` tell of: how it is read, its name and its unit. Cheap to clone.
///
/// ```
/// use mape::goal::Signal;
///
/// struct Reading { pressure: f64, flow: Option<f64> }
/// let pressure = Signal::new("pressure", |r: &Reading| r.pressure).unit("m");
/// let flow = Signal::new("flow", |r: &Reading| r.flow).unit("l/s"); // not every reading has one
/// let goal = pressure.above(20.0).and(flow.below(120.0));
/// assert_eq!(goal.to_string(), "pressure >= 20 m and flow <= 120 l/s");
/// ```
pub struct Signal<T> {
    pub(super) name: Arc<str>,
    pub(super) unit: Arc<str>,
    read: Read<T>,
    pub(super) rolling: Option<Rolling>,
}

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            unit: self.unit.clone(),
            read: self.read.clone(),
            rolling: self.rolling.clone(),
        }
    }
}

impl<T> Signal<T> {
    /// A signal: its name in explanations, and how it is read off an item. An item without it (`None`) leaves it as it
    /// is.
    pub fn new<S: Into<Sample>>(
        name: impl Into<Arc<str>>,
        read: impl Fn(&T) -> S + Send + Sync + 'static,
    ) -> Self {
        let read: Read<T> = Arc::new(move |item: &T| read(item).into());
        Self { name: name.into(), unit: Arc::from(""), read, rolling: None }
    }

    /// The unit of its values, for explanations.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<Arc<str>>) -> Self {
        self.unit = unit.into();
        self
    }

    /// The mean of the samples that came in the last `window`; unknown while there are none. Of a mean, or a quantile,
    /// only the last one said counts.
    #[must_use]
    pub fn mean(mut self, window: Duration) -> Self {
        self.rolling = Some(Rolling::new(Figure::Mean, window));
        self
    }

    /// The quantile `q` (0 to 1) of the samples that came in the last `window`, by nearest rank; unknown while there are
    /// none. An item costs `O(n)` for `n` samples in the window, with a small factor.
    #[must_use]
    pub fn quantile(mut self, q: f64, window: Duration) -> Self {
        self.rolling = Some(Rolling::new(Figure::Quantile(q), window));
        self
    }

    /// It is at most `bound`.
    #[doc(alias = "at_most")]
    pub fn below(self, bound: f64) -> Goal<T> {
        Goal::bounded(self, super::bound::Limit::Below(bound))
    }

    /// It is at least `bound`.
    #[doc(alias = "at_least")]
    pub fn above(self, bound: f64) -> Goal<T> {
        Goal::bounded(self, super::bound::Limit::Above(bound))
    }

    /// It is within these bounds; the margin is the distance to the nearer one.
    pub fn between(self, bounds: RangeInclusive<f64>) -> Goal<T> {
        Goal::bounded(self, super::bound::Limit::Between(*bounds.start(), *bounds.end()))
    }

    /// What an item says of it: value and uncertainty.
    pub(super) fn sample(&self, item: &T) -> Result<Option<(f64, f64)>, Error> {
        let sample = (self.read)(item);
        let (Some(value), uncertainty) = (sample.value(), sample.uncertainty()) else { return Ok(None) };
        if !value.is_finite() {
            return Err(Error::NotFinite { signal: self.name.clone(), value });
        }
        if !(uncertainty.is_finite() && uncertainty >= 0.0) {
            return Err(Error::Uncertainty { signal: self.name.clone(), uncertainty });
        }
        Ok(Some((value, uncertainty)))
    }
}

impl<T> fmt::Debug for Signal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("name", &self.name).field("unit", &self.unit).finish_non_exhaustive()
    }
}
