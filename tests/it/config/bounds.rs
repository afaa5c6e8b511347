//! Values that have bounds.

use super::{from, message};

#[test]
fn a_value_that_cannot_be_used_is_refused_in_plain_words() {
    for (name, value, expected) in [
        ("MAPE_TELEMETRY__SAMPLING", "7", "must be a number from 0 to 1, not 7"),
        ("MAPE_TELEMETRY__SAMPLING", "-1", "must be a number from 0 to 1, not -1"),
        ("MAPE_TELEMETRY__INTERVAL", "0s", "must be more than 0s, not 0s"),
        ("MAPE_TELEMETRY__ENDPOINT", "grpc://collector:4317", "it is neither http nor https"),
        ("MAPE_TELEMETRY__ENDPOINT", "http://c?token=hunter2", "a token belongs in `telemetry.headers`"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c?x=hunter2", "a token belongs in `telemetry.headers`"),
        ("MAPE_TELEMETRY__LOG", "wran", "did you mean `warn`?"),
        ("MAPE_TELEMETRY__LOG", "info,mape::=bogus", "names no target"),
        ("MAPE_TELEMETRY__LOG", "info,mape=bogus", "`bogus` is no level"),
        ("MAPE_INFLUXDB__URL", "redis://h", "it is neither http nor https"),
        ("MAPE_INFLUXDB__URL", "http://h:1?token=hunter2", "a token belongs in `influxdb.token`"),
        ("MAPE_INFLUXDB__BATCH__POINTS", "0", "must be 1 or more, not 0"),
        ("MAPE_INFLUXDB__BATCH__BYTES", "0", "must be 1 or more, not 0"),
        ("MAPE_INFLUXDB__BATCH__WAIT", "0s", "must be more than 0s, not 0s"),
        ("MAPE_REST__LIMITS__REQUESTS_PER_SECOND", "0", "must be 1 or more, not 0"),
    ] {
        let text = message(from([(name, value)]));
        assert!(text.starts_with(&format!("{name}: ")) && text.contains(expected), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let fits = [
        ("MAPE_TELEMETRY__SAMPLING", "0"),
        ("MAPE_TELEMETRY__LOG", "info,mape::element=debug"),
        ("MAPE_TELEMETRY__ENDPOINT", "https://collector/otlp"),
        ("MAPE_INFLUXDB__URL", "http://me:hunter2@localhost:8086"),
    ];
    from(fits).build().unwrap();
}
