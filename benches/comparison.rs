//! Ours and what one would write by hand, in turns, and the lines that say how they compare.
#![allow(clippy::print_stdout, reason = "its figures are its output")]

use crate::{Arguments, Run, Side};
use std::time::Instant;

/// One case.
#[derive(Clone, Debug)]
pub struct Figure<'a> {
    /// Its name.
    pub case: &'a str,
    /// Ours.
    pub value: f64,
    /// Of what.
    pub unit: &'a str,
    /// The same, by hand.
    pub baseline: f64,
    /// Ours to that by hand.
    pub ratio: f64,
    /// The same by the processor's time of this thread, where that says something.
    pub cpu_ratio: Option<f64>,
    /// What is to be reached.
    pub aim: &'a str,
}

/// The cases of one program, written as they are measured.
#[derive(Debug)]
pub struct Comparison {
    bench: &'static str,
    arguments: Arguments,
    begun: bool,
}

/// Fewer pairs of runs make no median.
const PAIRS: usize = 3;

impl Comparison {
    /// The cases of `bench`.
    pub fn new(bench: &'static str) -> Self {
        Self { bench, arguments: Arguments::of_process(), begun: false }
    }

    /// What was asked for.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Whether one of these cases is to be run.
    pub fn selects(&self, cases: &[&str]) -> bool {
        cases.iter().any(|case| self.arguments.select(self.bench, case))
    }

    /// Runs ours and that by hand in turns, as long as a case may take, and writes the medians of their rates. The ratios
    /// are medians of those of each pair, so that a machine that is slow for a while is slow for both.
    pub async fn rates(
        &mut self,
        case: &str,
        aim: &str,
        mut ours: impl AsyncFnMut() -> Run,
        mut hand: impl AsyncFnMut() -> Run,
    ) {
        let only = self.arguments.only;
        let mut pair = async || {
            let ours = if only == Some(Side::Hand) { Run::NONE } else { ours().await };
            (ours, if only == Some(Side::Ours) { Run::NONE } else { hand().await })
        };
        // Connections, caches and allocators get warm.
        let _ = pair().await;
        let (begin, mut pairs) = (Instant::now(), Vec::new());
        while pairs.len() < PAIRS || begin.elapsed() < self.arguments.seconds {
            pairs.push(pair().await);
        }
        let of_pairs = |f: &dyn Fn(&Run, &Run) -> f64| median(pairs.iter().map(|(a, b)| f(a, b)).collect());
        let work = |run: &Run| run.cpu.as_secs_f64() / run.count as f64;
        self.write(&Figure {
            case,
            value: of_pairs(&|ours, _| ours.per_second()).round(),
            unit: "per_second",
            baseline: of_pairs(&|_, hand| hand.per_second()).round(),
            ratio: of_pairs(&|ours, hand| ours.per_second() / hand.per_second()),
            cpu_ratio: Some(of_pairs(&|ours, hand| work(hand) / work(ours)))
                .filter(|ratio| ratio.is_finite()),
            aim,
        });
    }

    /// Writes a case.
    pub fn write(&mut self, figure: &Figure<'_>) {
        let Figure { case, value, unit, baseline, ratio, cpu_ratio, aim } = figure;
        if self.arguments.json {
            // What is no number is none in JSON either.
            let number = |n: f64, digits| {
                if n.is_finite() { format!("{n:.digits$}") } else { "null".to_owned() }
            };
            let (bench, digits) = (self.bench, digits(*value, *baseline));
            let (value, baseline) = (number(*value, digits), number(*baseline, digits));
            let (ratio, cpu) = (number(*ratio, 3), number(cpu_ratio.unwrap_or(f64::NAN), 3));
            println!(
                r#"{{"bench":"{bench}","case":"{case}","value":{value},"unit":"{unit}","baseline":{baseline},"ratio":{ratio},"cpu_ratio":{cpu}}}"#
            );
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            println!(
                "{:<24}{:>12}{:>12} {:<11}{:>7}{:>8}  aim",
                self.bench, "ours", "by hand", "unit", "ratio", "by cpu"
            );
        }
        let cpu = cpu_ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let digits = digits(*value, *baseline);
        println!("{case:<24}{value:>12.digits$}{baseline:>12.digits$} {unit:<11}{ratio:>7.2}{cpu:>8}  {aim}");
    }
}

/// Digits behind the point: small numbers have some.
fn digits(value: f64, baseline: f64) -> usize {
    let value = if value.is_finite() { value } else { baseline };
    if value.abs() < 100.0 { 3 } else { 0 }
}

/// The one in the middle; not a number if there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
