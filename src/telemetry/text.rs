//! Metrics as text.

use super::{Family, FamilyKind, Histogram, Sample, Value};
use crate::stream::meter;
use std::fmt::Write;

/// How metrics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The format of Prometheus, version 0.0.4, which everything reads.
    #[default]
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Buckets of histograms that are written: every second one, up to 17 s.
const EVERY: usize = 2;

pub(super) fn write(families: &[Family], format: Format) -> String {
    let mut text = String::with_capacity(64 * 1024);
    for family in families {
        head(&mut text, family, format);
        for sample in &family.samples {
            match &sample.value {
                Value::Histogram(histogram) => buckets(&mut text, family, sample, histogram),
                Value::Count(_) | Value::Number(_) if family.kind == FamilyKind::Counter => {
                    line(&mut text, family, "_total", sample, None, &sample.value);
                }
                value => line(&mut text, family, "", sample, None, value),
            }
        }
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn head(text: &mut String, family: &Family, format: Format) {
    let kind = match family.kind {
        FamilyKind::Counter => "counter",
        FamilyKind::Gauge => "gauge",
        FamilyKind::Histogram => "histogram",
    };
    // The older format names what is written, the newer one the family.
    let total = format == Format::Prometheus && family.kind == FamilyKind::Counter;
    let (name, suffix) = (&family.name, if total { "_total" } else { "" });
    let _infallible = writeln!(text, "# HELP {name}{suffix} {}", family.help);
    let _infallible = writeln!(text, "# TYPE {name}{suffix} {kind}");
    if format == Format::OpenMetrics && !family.unit.is_empty() {
        let _infallible = writeln!(text, "# UNIT {name} {}", family.unit);
    }
}

fn buckets(text: &mut String, family: &Family, sample: &Sample, histogram: &Histogram) {
    let mut upto = 0;
    for (i, count) in histogram.counts.iter().enumerate() {
        upto += count;
        let bound = meter::Histogram::bound(i);
        if i % EVERY == 0 || bound.is_infinite() {
            line(text, family, "_bucket", sample, Some(bound), &Value::Count(upto));
        }
    }
    line(text, family, "_sum", sample, None, &Value::Number(histogram.sum));
    line(text, family, "_count", sample, None, &Value::Count(upto));
}

fn line(text: &mut String, family: &Family, suffix: &str, sample: &Sample, le: Option<f64>, value: &Value) {
    text.push_str(&family.name);
    text.push_str(suffix);
    let mut open = '{';
    for (name, value) in &sample.labels {
        text.push(open);
        open = ',';
        text.push_str(name);
        text.push_str("=\"");
        escaped(text, value);
        text.push('"');
    }
    if let Some(le) = le {
        text.push(open);
        open = ',';
        text.push_str("le=\"");
        number(text, le);
        text.push('"');
    }
    text.push_str(if open == ',' { "} " } else { " " });
    match value {
        Value::Count(count) => {
            let _infallible = write!(text, "{count}");
        }
        Value::Number(value) => number(text, *value),
        Value::Histogram(_) => {}
    }
    text.push('\n');
}

fn escaped(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
}

fn number(text: &mut String, value: f64) {
    if value == f64::INFINITY {
        text.push_str("+Inf");
    } else if value == f64::NEG_INFINITY {
        text.push_str("-Inf");
    } else if value.is_nan() {
        text.push_str("NaN");
    } else {
        let _infallible = write!(text, "{value}");
    }
}
