//! How items become points.

use super::attributes::{Attribute, Attributes, Named};
use super::line::{Line, Scalar};
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
    read: fn(&T, &mut Attributes) -> Result<(), String>,
    attributes: Attributes,
    /// Which attributes are tags, in the order of their names.
    order: Vec<usize>,
    /// What the field is.
    value: Attribute,
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
            read: |item, attributes| attributes.read(item),
            attributes: Attributes::default(),
            order: Vec::new(),
            value: Attribute::Other,
            is_message: type_name::<T>().starts_with("mape::element::message::Message<"),
            measurement: short(type_name::<T>()),
            tags: None,
            fields: None,
            time: Time::Own,
        }
    }
}

/// Why there is no line of an item, and the point if there is one.
pub(super) struct Unwritten {
    pub(super) reason: String,
    pub(super) point: Option<Point>,
}

impl<T> Mapping<T> {
    /// Writes the line of an item in place of what was there, and says whether it is ambiguous; nothing if it has no field.
    pub(super) fn write(
        &mut self,
        item: T,
        precision: Precision,
        line: &mut Vec<u8>,
    ) -> Result<Option<bool>, Unwritten> {
        let pointless = |reason| Unwritten { reason, point: None };
        let mut point = match self {
            Self::Described(described) => {
                let time = described.choose(&item, precision).map_err(pointless)?;
                if described.tags.is_none() && described.fields.is_none() {
                    let written = described.line(time, precision, line);
                    let point = |reason| Unwritten { reason, point: Some(described.point(&item, time)) };
                    return written.map_err(point);
                }
                described.point(&item, time)
            }
            Self::Made(make) => make(item).map_err(pointless)?,
        };
        if point.time.is_none() {
            // A server would give it another time with every attempt.
            point.time = Some(now());
        }
        let written = point.encode(precision, line);
        written.map_err(|reason| Unwritten { reason, point: Some(point) })
    }
}

fn now() -> i64 {
    nanoseconds(crate::stream::clock::now())
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

    /// Reads an item and chooses what is written of it; its time.
    fn choose(&mut self, item: &T, precision: Precision) -> Result<i64, String> {
        let asks = self.tags.is_none() || self.fields.is_none() || !matches!(self.time, Time::Of(_));
        self.attributes.clear();
        if asks {
            (self.read)(item, &mut self.attributes)?;
        }
        let told = &self.attributes;
        let mut is_time = None;
        let time = match &mut self.time {
            Time::Of(time) => nanoseconds(time(item)),
            Time::Attribute(name) => {
                let found = told.find(0, name);
                let (place, found) =
                    found.ok_or_else(|| format!("there is no attribute `{name}`, which is the time"))?;
                is_time = Some(place);
                time(name, told, found, Some(precision))?
            }
            Time::Own => own_time(told, self.is_message)?.unwrap_or_else(now),
        };
        let value = |depth| told.find(depth, VALUE).filter(|(place, _)| is_time != Some(*place));
        // What a message carries is what counts; the rest is its way here.
        let (whole, depth) = if self.is_message {
            (value(0).map_or(Attribute::Other, |(_, value)| value), 1)
        } else {
            (told.whole, 0)
        };
        self.value = if whole == Attribute::Named {
            value(depth).map_or(Attribute::Other, |(_, value)| value)
        } else {
            whole
        };
        self.order.clear();
        if whole == Attribute::Named && self.tags.is_none() {
            let is_tag = |place: usize, named: &Named| {
                let name = told.name(named);
                let is_no_tag = name == VALUE || NO_TAGS.contains(&name) || TIMES.contains(&name);
                is_time != Some(place) && !is_no_tag && told.scalar(named.value).is_some()
            };
            let tags = told.at(depth).filter(|(place, named)| is_tag(*place, named));
            self.order.extend(tags.map(|(place, _)| place));
            let name = |place: usize| told.get(place).map(|named| told.name(named));
            self.order.sort_by(|a, b| name(*a).cmp(&name(*b)));
            // Of those with one name the last counts.
            self.order.reverse();
            self.order.dedup_by(|a, b| name(*a) == name(*b));
            self.order.reverse();
        }
        Ok(time)
    }

    /// The tags that were chosen.
    fn chosen(&self) -> impl Iterator<Item = (&str, Scalar<'_>)> {
        let told = &self.attributes;
        let named = self.order.iter().filter_map(|place| told.get(*place));
        named.filter_map(|named| Some((told.name(named), told.scalar(named.value)?)))
    }

    /// Writes what was chosen.
    fn line(&self, time: i64, precision: Precision, line: &mut Vec<u8>) -> Result<Option<bool>, String> {
        let value = self.attributes.scalar(self.value).filter(|value| *value != Scalar::Null);
        let Some(value) = value else { return Ok(None) };
        let mut line = Line::new(line, &self.measurement)?;
        for (name, value) in self.chosen() {
            line.tag(name, value)?;
        }
        line.field(VALUE, value)?;
        line.time(time, precision)?;
        Ok(Some(line.ambiguous))
    }

    /// What was chosen, with what else is asked for, as a point.
    fn point(&mut self, item: &T, time: i64) -> Point {
        let mut point = Point::new(self.measurement.clone()).at_nanoseconds(time);
        match (&mut self.fields, self.attributes.scalar(self.value)) {
            (Some(fields), _) => fields(item, &mut point),
            (None, Some(value)) => drop(point.fields.insert(VALUE.to_owned(), value.into())),
            (None, None) => {}
        }
        match self.tags.take() {
            Some(mut tags) => {
                tags(item, &mut point);
                self.tags = Some(tags);
            }
            None => {
                for (name, value) in self.chosen() {
                    point.tags.insert(name.to_owned(), FieldValue::from(value).into_text());
                }
            }
        }
        point
    }
}

/// The time that an item tells without being asked for it.
fn own_time(told: &Attributes, is_message: bool) -> Result<Option<i64>, String> {
    let names: &[&str] = if is_message { &["at"] } else { &TIMES };
    for name in names {
        match told.find(0, name) {
            None | Some((_, Attribute::Null)) => {}
            Some((_, found)) => return time(name, told, found, None).map(Some),
        }
    }
    Ok(None)
}

/// The time that an attribute is: std's, or as RFC 3339 has it, or a number in a unit that is known.
fn time(name: &str, told: &Attributes, found: Attribute, unit: Option<Precision>) -> Result<i64, String> {
    let wrong = |reason: &str| format!("the attribute `{name}` is no time: {reason}");
    match (found, unit) {
        (Attribute::Time(time), _) => Ok(time),
        (Attribute::Text(text), _) => {
            let stamp: jiff::Timestamp =
                told.text(text).parse().map_err(|error| wrong(&format!("{error}")))?;
            i64::try_from(stamp.as_nanosecond()).map_err(|_| wrong("no server can keep it"))
        }
        (Attribute::Integer(count), Some(unit)) => {
            count.checked_mul(unit.nanoseconds()).ok_or_else(|| wrong("no server can keep it"))
        }
        (Attribute::Float(count), Some(unit)) if count.is_finite() =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float to the nearest nanosecond it can mean"
            )]
            Ok((count * unit.nanoseconds() as f64).round() as i64)
        }
        (Attribute::Integer(_) | Attribute::Float(_), None) => Err(wrong(
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
        written(Described::new(), item, Precision::Nanoseconds)
    }

    fn written<T>(described: Described<T>, item: T, precision: Precision) -> Result<String, String> {
        let (mut mapping, mut line) = (Mapping::Described(Box::new(described)), Vec::new());
        let written = mapping.write(item, precision, &mut line).map_err(|unwritten| unwritten.reason)?;
        Ok(if written.is_some() { String::from_utf8(line).unwrap() } else { String::new() })
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
        let line = written(described, stamped(), Precision::Milliseconds);
        assert_eq!(line.unwrap(), "Stamped value=1i 1");
    }

    #[test]
    fn with_own_tags_or_fields_the_rest_is_as_without() {
        let mut described = Described::new();
        described.fields(|reading: &Reading| ("v", reading.value));
        let wanted = r"Reading,alarm=true,kind=Flow,sector=old\ town,sensor=7 v=42.5 12345";
        assert_eq!(written(described, reading(), Precision::Nanoseconds).unwrap(), wanted);
        let mut described = Described::new();
        described.tags(|reading: &Reading| ("s", reading.sector));
        let wanted = r"Reading,s=old\ town value=42.5 12345";
        assert_eq!(written(described, reading(), Precision::Nanoseconds).unwrap(), wanted);
    }

    #[test]
    fn of_attributes_with_one_name_the_last_counts() {
        #[derive(Serialize)]
        struct Twice {
            value: u8,
            a: u8,
            #[serde(flatten)]
            more: BTreeMap<&'static str, u8>,
        }
        let twice = Twice { value: 1, a: 2, more: BTreeMap::from([("a", 3), ("b", 4)]) };
        assert_eq!(head(twice), "Twice,a=3,b=4 value=1i");
    }
}
