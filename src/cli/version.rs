//! `mape version`

use super::Output;
use anyhow::Result;
use serde_json::json;

pub(super) fn run(output: &mut Output) -> Result<()> {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    output.write(format_args!("{name} {version}"), &json!({"name": name, "version": version}))
}
