//! What a signal has at one moment.

/// A value with its uncertainty, or none: what an item says of a signal.
///
/// Functions that read signals may return anything that becomes one: `f64`, `Option<f64>`, other numbers, or this.
///
/// ```
/// use mape::goal::Sample;
///
/// let pressure = Sample::new(19.8).plus_minus(0.5);
/// assert_eq!((pressure.value(), pressure.uncertainty()), (Some(19.8), 0.5));
/// assert_eq!(Sample::from(None::<f64>), Sample::NONE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    value: Option<f64>,
    uncertainty: f64,
}

impl Sample {
    /// The item says nothing of the signal.
    pub const NONE: Self = Self { value: None, uncertainty: 0.0 };

    /// A certain value.
    #[must_use]
    pub fn new(value: f64) -> Self {
        Self { value: Some(value), uncertainty: 0.0 }
    }

    /// The same value, which may be off by so much to either side, in the unit of the signal.
    #[must_use]
    pub fn plus_minus(mut self, uncertainty: f64) -> Self {
        self.uncertainty = uncertainty;
        self
    }

    /// The value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// By how much it may be off.
    #[must_use]
    pub fn uncertainty(&self) -> f64 {
        self.uncertainty
    }
}

macro_rules! from_numbers {
    ($($number:ty),*) => { $(
        impl From<$number> for Sample {
            fn from(value: $number) -> Self {
                Self::new(value.into())
            }
        }
    )* };
}
from_numbers!(f64, f32, i32, u32, i16, u16, i8, u8);

impl<V: Into<Self>> From<Option<V>> for Sample {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::NONE, Into::into)
    }
}
