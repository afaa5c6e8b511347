//! onnxruntime in Python, with one thread; pip installs it below target/.

use std::path::PathBuf;
use std::process::{Command, Stdio};

const PACKAGES: [&str; 2] = ["onnxruntime==1.32.0", "numpy==2.4.6"];

/// Rows a second for each size of a batch, as far as it can be had.
pub(super) fn rates(name: &str, model: &[u8]) -> Result<Vec<(usize, f64)>, String> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/onnxruntime");
    let python = directory.join("bin/python");
    let run = |command: &mut Command| -> Result<(), String> {
        let done = command.stdout(Stdio::null()).status().map_err(|error| format!("{command:?}: {error}"))?;
        if done.success() { Ok(()) } else { Err(format!("{command:?}: {done}")) }
    };
    if !directory.join("installed").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
        std::fs::write(directory.join("installed"), "").map_err(|error| error.to_string())?;
    }
    let file = directory.join(format!("{name}.onnx"));
    std::fs::write(&file, model).map_err(|error| error.to_string())?;
    let program = include_str!("onnxruntime.py");
    let done = Command::new(&python)
        .arg("-c")
        .arg(program)
        .arg(&file)
        .output()
        .map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    said.lines()
        .map(|line| {
            let (batch, rate) = line.split_once(' ').ok_or("it says something else")?;
            Ok((batch.parse().map_err(|_| "no batch")?, rate.parse().map_err(|_| "no rate")?))
        })
        .collect()
}
