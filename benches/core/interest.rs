//! What ten thousand clients care for, and the results that come.

use serde_json::{Value, json};

/// What one of many clients cares for.
pub(crate) fn interest(i: u64) -> String {
    match i % 10 {
        0..=3 => anywhere(i),
        4 | 5 => format!("job eq job{} and part.nr gt {}", i % 500, i % 50),
        6 | 7 => format!("customer.id in [{i} {} {}]", i + 20_000, i + 40_000),
        8 => format!("tags contains tag{i} or **.tag eq tag{i}"),
        _ => format!("job eq job{} and not part.done and size gt {}", i % 500, i % 1000),
    }
}

/// Any mention of a person.
pub(crate) fn anywhere(i: u64) -> String {
    format!("** contains user{i}@doe.com")
}

/// A part of a result: some hundred bytes, five levels deep.
pub(crate) fn result(i: u64) -> Value {
    let text = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.";
    json!({
        "job": format!("job{}", i % 500),
        "size": i * 7 % 1000,
        "customer": {"id": i * 13 % 10_000, "name": "Joe Doe", "mails": [format!("user{}@doe.com", i * 17 % 10_000)]},
        "tags": [format!("tag{}", i * 31 % 10_000), "open", "new"],
        "part": {"nr": i % 60, "of": 60, "done": i % 60 == 59, "lines": [
            {"text": text, "sum": 12.5, "from": {"mail": format!("user{}@doe.com", i * 19 % 20_000)}},
            {"text": text, "sum": 1.5, "from": {"mail": "nobody@example.com"}},
        ]},
    })
}
