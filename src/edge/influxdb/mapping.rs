//! How items become points.

use super::attributes::Attribute;
use super::precision::nanoseconds;
use super::{FieldValue, Pairs, Point, Precision};
use serde::Serialize;
use std::any::type_name;
use std::time::SystemTime;

/// Makes a point of each item.
pub(super) enum Mapping<T> {
    Described(Box<Described<T>>),
    Made(Box<dyn FnMut(T) -> Result<Point, String> + Send>),
}

/// A point of an item's attributes, as far as nobody says otherwise.
pub(super) struct Described<T> {
    read: fn(&T) -> Result<Attribute, String>,
    is_message: bool,
    pub(super) measurement: String,
    pub(super) tags: Option<Adds<T>>,
    pub(super) fields: Option<Adds<T>>,
    pub(super) time: Time<T>,
}

/// Adds tags or fields to a point.
type Adds<T> = Box<dyn FnMut(&T, &mut Point) + Send>;

/// When an item was.
pub(super) enum Time<T> {
    /// As it says itself, else now.
    Own,
    Attribute(String),
    Of(Box<dyn FnMut(&T) -> SystemTime + Send>),
}

/// The attribute that is a field unless others are said to be.
const VALUE: &str = "value";
/// Attributes that say when an item was, unless another is said to.
const TIMES: [&str; 2] = ["time", "timestamp"];
/// Attributes that are other each time, or say where an item was on its way: as tags each would begin a series.
const NO_TAGS: [&str; 9] =
    ["id", "uuid", "trace", "trace_id", "span_id", "traceparent", "hops", "src", "dst"];

impl<T: Serialize> Described<T> {
    pub(super) fn new() -> Self {
        Self {
            read: |item| Attribute::of(item),
            is_message: type_name::<T>().starts_with("mape::element::message::Message<"),
            measurement: short(type_name::<T>()),
            tags: None,
            fields: None,
            time: Time::Own,
        }
    }
}

impl<T> Mapping<T> {
    /// The point of an item, at its time.
    pub(super) fn point(&mut self, item: T, precision: Precision) -> Result<Point, String> {
        let mut point = match self {
            Self::Described(described) => described.point(&item, precision)?,
            Self::Made(make) => make(item)?,
        };
        if point.time.is_none() {
            // A server would give it another time with every attempt.
            point.time = Some(nanoseconds(crate::stream::clock::now()));
        }
        Ok(point)
    }
}

impl<T> Described<T> {
    pub(super) fn tags<P: Pairs<FieldValue>>(&mut self, mut tags: impl FnMut(&T) -> P + Send + 'static) {
        self.tags = Some(Box::new(move |item, point| {
            tags(item).each(&mut |name, value| {
                point.tags.insert(name, value.into_text());
            });
        }));
    }

    pub(super) fn fields<P: Pairs<FieldValue>>(&mut self, mut fields: impl FnMut(&T) -> P + Send + 'static) {
        self.fields = Some(Box::new(move |item, point| {
            fields(item).each(&mut |name, value| {
                point.fields.insert(name, value);
            });
        }));
    }

    fn point(&mut self, item: &T, precision: Precision) -> Result<Point, String> {
        let mut point = Point::new(self.measurement.clone());
        let asks = self.tags.is_none() || self.fields.is_none() || !matches!(self.time, Time::Of(_));
        let mut told = if asks { (self.read)(item)? } else { Attribute::Other };
        point.time = match &mut self.time {
            Time::Of(time) => Some(nanoseconds(time(item))),
            Time::Attribute(name) => {
                let found = told.take(name);
                let found =
                    found.ok_or_else(|| format!("there is no attribute `{name}`, which is the time"))?;
                Some(time(name, &found, Some(precision))?)
            }
            Time::Own => own_time(&mut told, self.is_message)?,
        };
        if self.is_message {
            // What it carries is what counts; the rest is its way here.
            told = told.take(VALUE).unwrap_or(Attribute::Other);
        }
        let value = match told {
            Attribute::Scalar(_) => std::mem::replace(&mut told, Attribute::Other),
            _ => told.take(VALUE).unwrap_or(Attribute::Other),
        };
        match (&mut self.fields, value) {
            (Some(fields), _) => fields(item, &mut point),
            (None, Attribute::Scalar(value)) => drop(point.fields.insert(VALUE.to_owned(), value)),
            (None, _) => {}
        }
        match (&mut self.tags, told) {
            (Some(tags), _) => tags(item, &mut point),
            (None, Attribute::Named(attributes)) => {
                for (name, value) in attributes {
                    if let Attribute::Scalar(value) = value
                        && !NO_TAGS.contains(&&*name)
                        && !TIMES.contains(&&*name)
                    {
                        point.tags.insert(name.into_owned(), value.into_text());
                    }
                }
            }
            (None, _) => {}
        }
        Ok(point)
    }
}

/// The time that an item tells without being asked for it.
fn own_time(told: &mut Attribute, is_message: bool) -> Result<Option<i64>, String> {
    let names: &[&str] = if is_message { &["at"] } else { &TIMES };
    for name in names {
        match told.take(name) {
            None | Some(Attribute::Scalar(FieldValue::Null)) => {}
            Some(found) => return time(name, &found, None).map(Some),
        }
    }
    Ok(None)
}

/// The time that an attribute is: std's, or as RFC 3339 has it, or a number in a unit that is known.
fn time(name: &str, found: &Attribute, unit: Option<Precision>) -> Result<i64, String> {
    let wrong = |reason: &str| format!("the attribute `{name}` is no time: {reason}");
    match (found, unit) {
        (Attribute::Time(time), _) => Ok(*time),
        (Attribute::Scalar(FieldValue::Text(text)), _) => {
            let stamp: jiff::Timestamp = text.parse().map_err(|error| wrong(&format!("{error}")))?;
            i64::try_from(stamp.as_nanosecond()).map_err(|_| wrong("no server can keep it"))
        }
        (Attribute::Scalar(FieldValue::Integer(count)), Some(unit)) => {
            count.checked_mul(unit.nanoseconds()).ok_or_else(|| wrong("no server can keep it"))
        }
        (Attribute::Scalar(FieldValue::Float(count)), Some(unit)) if count.is_finite() =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float to the nearest nanosecond it can mean"
            )]
            Ok((count * unit.nanoseconds() as f64).round() as i64)
        }
        (Attribute::Scalar(FieldValue::Integer(_) | FieldValue::Float(_)), None) => Err(wrong(
            "a number doesn't say its unit; say it by `time_attribute` and `precision`, or give `time`",
        )),
        _ => Err(wrong("it is neither a number, nor a text in RFC 3339, nor a SystemTime")),
    }
}

/// The name of a type without its path and what it is made of: `Reading` of `app::Reading<f64>`.
fn short(name: &'static str) -> String {
    let name = name.trim_start_matches('&');
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{ElementPath, Message};
    use serde::Serialize;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn line<T: Serialize>(item: T) -> Result<String, String> {
        let mut mapping = Mapping::Described(Box::new(Described::new()));
        let point = mapping.point(item, Precision::Nanoseconds)?;
        Ok(point.line(Precision::Nanoseconds)?.unwrap_or_default())
    }

    /// Without its time.
    fn head<T: Serialize>(item: T) -> String {
        let line = line(item).unwrap();
        line.rsplit_once(' ').unwrap().0.to_owned()
    }

    #[derive(Serialize)]
    struct Reading {
        value: f64,
        sector: &'static str,
        sensor: u32,
        alarm: bool,
        kind: Option<Kind>,
        id: u64,
        hops: Vec<String>,
        note: Option<&'static str>,
        timestamp: SystemTime,
    }

    #[derive(Serialize)]
    enum Kind {
        Flow,
    }

    fn reading() -> Reading {
        Reading {
            value: 42.5,
            sector: "old town",
            sensor: 7,
            alarm: true,
            kind: Some(Kind::Flow),
            id: 99,
            hops: vec!["a".to_owned()],
            note: None,
            timestamp: SystemTime::UNIX_EPOCH + Duration::from_nanos(12_345),
        }
    }

    #[test]
    fn a_struct_is_its_scalars_as_tags_its_value_and_its_time() {
        let wanted = r"Reading,alarm=true,kind=Flow,sector=old\ town,sensor=7 value=42.5 12345";
        assert_eq!(line(reading()).unwrap(), wanted);
    }

    #[test]
    fn a_plain_value_is_the_field_of_a_measurement_with_the_name_of_its_type() {
        assert_eq!(head(42.5_f64), "f64 value=42.5");
        assert_eq!(head("hi"), r#"str value="hi""#);
        assert_eq!(head(String::from("hi")), r#"String value="hi""#);
        assert_eq!(head(Some(true)), "Option value=true");
        assert_eq!(head(BTreeMap::from([("value", 1)])), "BTreeMap value=1i");
    }

    #[test]
    fn a_message_is_what_it_carries_at_its_own_time_and_nothing_of_its_way() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_500_000_000_000_000_001);
        let detect = ElementPath::new("car", "detect");
        let message = Message::new(180).at(at).from(&detect).to("a.b").hop(&detect);
        assert_eq!(line(message).unwrap(), "Message value=180i 1500000000000000001");
        let message = Message::new(reading()).at(at);
        let wanted = r"Message,alarm=true,kind=Flow,sector=old\ town,sensor=7 value=42.5 1500000000000000001";
        assert_eq!(line(message).unwrap(), wanted);
    }

    #[test]
    fn a_number_is_a_time_only_with_a_unit() {
        #[derive(Serialize)]
        struct Stamped {
            value: u8,
            time: f64,
        }
        let stamped = || Stamped { value: 1, time: 1.5 };
        assert!(line(stamped()).unwrap_err().contains("unit"));
        let mut described = Described::new();
        described.time = Time::Attribute("time".to_owned());
        let mut mapping = Mapping::Described(Box::new(described));
        let point = mapping.point(stamped(), Precision::Milliseconds).unwrap();
        assert_eq!(point.time, Some(1_500_000));
    }
}
