//! Which elements are listed, and in which order.

use super::model::{Model, Shown};
use std::cmp::Ordering;

/// An order of elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// As the service has them, below their loops.
    #[default]
    Place,
    Rate,
    Queue,
    Trouble,
    Latency,
}

/// A line of the list.
#[derive(Clone, Debug)]
pub(super) enum Row<'a> {
    /// A loop, with those of its elements that are listed.
    Loop {
        level: &'a str,
        uid: &'a str,
        elements: Vec<&'a Shown>,
    },
    Element(&'a Shown),
}

impl Sort {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Place => Self::Rate,
            Self::Rate => Self::Queue,
            Self::Queue => Self::Trouble,
            Self::Trouble => Self::Latency,
            Self::Latency => Self::Place,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Rate => "rate",
            Self::Queue => "queue",
            Self::Trouble => "errors and drops",
            Self::Latency => "latency",
        }
    }

    /// The greatest first.
    fn compare(self, a: &Shown, b: &Shown) -> Ordering {
        let key = |shown: &Shown| match self {
            Self::Place => 0.0,
            Self::Rate => shown.trail.received_per_second().max(shown.trail.emitted_per_second()),
            Self::Queue => {
                shown.queue.map_or(0.0, |queue| queue.fill()) + shown.is.input.queued as f64 * 1e-12
            }
            Self::Trouble => (shown.is.errors + shown.dropped()) as f64,
            Self::Latency => shown.is.latency.and_then(|spread| spread.slow()).unwrap_or_default(),
        };
        key(b).total_cmp(&key(a))
    }
}

/// The elements whose paths have the text in them, capital letters or not: below their loops, or in an order of their
/// own without these.
pub(super) fn rows<'a>(model: &'a Model, filter: &str, sort: Sort) -> Vec<Row<'a>> {
    let filter = filter.to_lowercase();
    let is_listed = |shown: &&Shown| filter.is_empty() || shown.is.path.to_lowercase().contains(&filter);
    if sort != Sort::Place {
        let mut listed: Vec<&Shown> = model.elements.iter().filter(is_listed).collect();
        listed.sort_by(|a, b| sort.compare(a, b));
        return listed.into_iter().map(Row::Element).collect();
    }
    let mut rows = Vec::new();
    for (uid, of) in model.loops() {
        let elements: Vec<&Shown> = of.iter().filter(is_listed).collect();
        let Some(first) = elements.first() else { continue };
        rows.push(Row::Loop { level: &first.level, uid, elements: elements.clone() });
        rows.extend(elements.into_iter().map(Row::Element));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{element, topology};
    use super::*;
    use serde_json::json;
    use tokio::time::Instant;

    fn names(model: &Model, filter: &str, sort: Sort) -> Vec<String> {
        let name = |row: &Row<'_>| match row {
            Row::Loop { uid, .. } => format!("[{uid}]"),
            Row::Element(shown) => shown.is.path.clone(),
        };
        rows(model, filter, sort).iter().map(name).collect()
    }

    #[test]
    fn rows_are_below_their_loops_or_in_an_order_of_their_own() {
        let mut model = Model::new("here");
        let car = vec![element("car.a", json!({})), element("car.b", json!({"errors": 3}))];
        let town = vec![element("town.a", json!({"errors": 9, "latency": {"count": 1, "p99_seconds": 2.0}}))];
        model.hear(topology(&[("car", car), ("town", town)]), Instant::now());
        assert_eq!(names(&model, "", Sort::Place), ["[car]", "car.a", "car.b", "[town]", "town.a"]);
        assert_eq!(names(&model, "", Sort::Trouble), ["town.a", "car.b", "car.a"]);
        assert_eq!(names(&model, "", Sort::Latency)[0], "town.a");
        assert_eq!(names(&model, "TOWN", Sort::Place), ["[town]", "town.a"]);
        assert!(names(&model, "nothing", Sort::Rate).is_empty());
    }

    #[test]
    fn orders_follow_one_another_and_come_round() {
        let orders: Vec<_> =
            std::iter::successors(Some(Sort::Place), |sort| Some(sort.next())).take(6).collect();
        assert_eq!((orders[5], orders[4]), (Sort::Place, Sort::Latency));
    }
}
