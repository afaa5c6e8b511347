//! `mape config explain`

use super::{Global, Output};
use anyhow::Result;

pub(super) fn run(global: &Global, output: &mut Output) -> Result<()> {
    let explanation = global.load()?.explain();
    output.write(&explanation, &explanation)
}
