//! Formulas over random signals: at every moment the margin and the state of the naive evaluator.

use super::ms;
use super::reference::Formula::{self, *};
use super::reference::What::{MeanOfY, QuantileOfY, X, Y};
use super::reference::{Item, Point, state};
use fastrand::Rng;

/// Half a second and a bit of two signals that come irregularly, sometimes several at once, sometimes none for long.
fn points(random: &mut Rng) -> Vec<Point> {
    let mut points = Vec::new();
    let mut next = random.u64(0..5);
    let quarter = |random: &mut Rng| f64::from(random.i32(-12..=12)) / 4.0;
    let begin = next;
    for at in begin..begin + 260 {
        if at < next {
            points.push(Point { at, item: None });
            continue;
        }
        for _ in 0..if random.u8(..) < 30 { 3 } else { 1 } {
            let item = Item {
                x: (random.u8(..) < 200).then(|| quarter(random)),
                x_uncertainty: if random.u8(..) < 60 { 0.75 } else { 0.0 },
                y: (random.u8(..) < 160).then(|| quarter(random)),
                on: random.bool(),
            };
            points.push(Point { at, item: Some(item) });
        }
        next = at + if random.u8(..) < 20 { random.u64(30..70) } else { random.u64(1..8) };
    }
    points
}

/// Judges the points, all of them or about one in `every` of those without an item. How often which state was seen.
fn compare(
    formula: &Formula,
    points: &[Point],
    stale: u64,
    every: usize,
    random: &mut Rng,
    what: &str,
) -> [usize; 3] {
    let expected = formula.margins(points, stale);
    let goal = formula.goal().stale_after(ms(stale));
    let mut judge = goal.judge();
    let mut begun = false;
    let mut seen = [0; 3];
    for (point, (low, high)) in points.iter().zip(expected) {
        let margin = match point.item {
            Some(item) => judge.item(ms(point.at), &item).unwrap(),
            None if !begun || random.usize(..every) > 0 => continue,
            None => judge.advance(ms(point.at)),
        };
        begun = true;
        let near = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a - b).abs() < 1e-9;
        assert!(
            near(margin.low, low) && near(margin.high, high) && margin.state() == state((low, high)),
            "{what}: {goal}\nat {} ms: {margin:?}, but by the definition {low} to {high}\n{points:?}",
            point.at
        );
        seen[margin.state() as usize] += 1;
        assert!(!judge.why().is_empty());
    }
    assert_eq!(judge.coarsened(), 0);
    seen
}

fn not(part: Formula) -> Formula {
    Not(Box::new(part))
}
fn and(one: Formula, other: Formula) -> Formula {
    And(Box::new(one), Box::new(other))
}
fn or(one: Formula, other: Formula) -> Formula {
    Or(Box::new(one), Box::new(other))
}
fn implies(one: Formula, other: Formula) -> Formula {
    Implies(Box::new(one), Box::new(other))
}
fn always(span: u64, part: Formula) -> Formula {
    Always(span, Box::new(part))
}
fn eventually(span: u64, part: Formula) -> Formula {
    Eventually(span, Box::new(part))
}
fn ratio(share: f64, span: u64, part: Formula) -> Formula {
    Ratio(share, span, Box::new(part))
}
fn within_after(answer: Formula, limit: u64, trigger: Formula) -> Formula {
    WithinAfter(Box::new(answer), limit, Box::new(trigger))
}

fn formulas() -> Vec<Formula> {
    let (x, y) = (Above(X, 0.5), Below(Y, 1.0));
    let (x, y) = (|| x.clone(), || y.clone());
    vec![
        Below(X, 0.25),
        Above(X, -0.5),
        Between(X, -1.0, 1.5),
        Between(X, 1.0, -1.0),
        On,
        Below(Y, 0.0),
        Below(MeanOfY(20), 0.5),
        Above(MeanOfY(1), 0.5),
        Above(QuantileOfY(0.95, 50), 0.0),
        Below(QuantileOfY(0.0, 10), -1.0),
        Between(QuantileOfY(0.5, 30), -1.0, 1.0),
        not(x()),
        and(x(), y()),
        or(x(), y()),
        implies(x(), y()),
        not(and(x(), not(y()))),
        always(10, x()),
        always(0, x()),
        always(1, y()),
        always(100, Above(X, -2.5)),
        always(500, Above(X, -4.0)),
        eventually(10, x()),
        eventually(100, Above(X, 2.5)),
        not(always(25, x())),
        eventually(25, not(x())),
        always(20, eventually(15, x())),
        eventually(40, always(5, y())),
        always(30, and(x(), y())),
        and(always(30, x()), always(30, y())),
        eventually(20, or(always(4, x()), On)),
        always(15, always(10, x())),
        eventually(7, eventually(3, y())),
        always(50, eventually(20, always(3, Above(X, -1.0)))),
        ratio(0.95, 40, x()),
        ratio(0.5, 40, y()),
        ratio(0.3, 5, On),
        ratio(1.0, 100, always(5, Above(X, -2.0))),
        always(20, ratio(0.4, 30, x())),
        not(ratio(0.6, 60, and(x(), On))),
        within_after(x(), 10, y()),
        within_after(On, 3, Above(X, 1.0)),
        within_after(always(4, y()), 25, not(On)),
        within_after(eventually(5, x()), 8, ratio(0.5, 20, y())),
        not(within_after(x(), 10, y())),
        and(within_after(x(), 12, On), always(9, y())),
        or(within_after(x(), 2, On), within_after(y(), 3, not(On))),
        ratio(0.9, 60, within_after(x(), 6, y())),
        Deadline(5),
        and(Deadline(40), x()),
        implies(Deadline(4), y()),
        ratio(0.5, 50, or(Deadline(1), x())),
    ]
}

#[test]
fn fifty_formulas_have_the_margins_of_the_definition() {
    let formulas = formulas();
    assert!(formulas.len() >= 50);
    let mut seen = [0; 3];
    for (number, formula) in formulas.iter().enumerate() {
        for seed in 0..8 {
            let random = &mut Rng::with_seed(seed);
            let (points, stale) = (points(random), [20, 45, 1_000][usize::try_from(seed % 3).unwrap()]);
            let every = [1, 1, 7, usize::MAX][usize::try_from(seed % 4).unwrap()];
            let what = format!("formula {number}, seed {seed}");
            let states = compare(formula, &points, stale, every, random, &what);
            seen = std::array::from_fn(|i| seen[i] + states[i]);
        }
    }
    assert!(seen.iter().all(|count| *count > 5_000), "every state is seen often: {seen:?}");
}

/// A formula of that depth. Margins that are times are not put into windows, where they count as at some moments only.
fn any(random: &mut Rng, depth: u32, may_run: bool) -> Formula {
    let bound = f64::from(random.i32(-6..=6)) / 4.0;
    let span = random.u64(0..60);
    let what = [X, X, Y, MeanOfY(span + 1), QuantileOfY(0.75, span + 1)][random.usize(..5)];
    if depth == 0 {
        return match random.u8(..4) {
            0 => Below(what, bound),
            1 => Above(what, bound),
            2 => Between(what, bound, bound + 1.0),
            _ => On,
        };
    }
    let (one, two) = (any(random, depth - 1, may_run), any(random, depth - 1, may_run));
    let inner = any(random, depth - 1, false);
    match random.u8(..9) {
        0 => not(one),
        1 => and(one, two),
        2 => or(one, two),
        3 => implies(one, two),
        4 => ratio(0.5, span, one),
        5 => eventually(span, inner),
        6 if may_run => within_after(inner, span, any(random, depth - 1, false)),
        7 if may_run => Deadline(span),
        _ => always(span, inner),
    }
}

#[test]
fn random_formulas_have_the_margins_of_the_definition() {
    for seed in 0..400 {
        let random = &mut Rng::with_seed(seed);
        let (depth, points) = (random.u32(1..=3), points(random));
        let formula = any(random, depth, true);
        let (stale, every) = (random.u64(1..120), [1, 5, usize::MAX][random.usize(..3)]);
        compare(&formula, &points, stale, every, random, &format!("seed {seed}"));
    }
}
