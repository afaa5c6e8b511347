//! Programs as processes of their own, with what they print.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A program that runs; it ends with this.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let pipes: [Box<dyn std::io::Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for pipe in pipes {
            let said = said.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    said.lock().unwrap().push(line);
                }
            });
        }
        Self { child, said }
    }

    /// All it has said so far, on both outputs.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// The first line with this text.
    pub(crate) async fn says(&self, text: &str) -> String {
        let found = || self.said().into_iter().find(|line| line.contains(text));
        crate::suite::eventually(&format!("it says `{text}`: {:?}", self.said()), async || found().is_some())
            .await;
        found().unwrap()
    }

    /// Waits for its end; whether that was a good one.
    pub(crate) async fn ends(&mut self) -> bool {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not end: {:#?}", self.said());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Asks it to end, as a service manager does.
    pub(crate) async fn terminate(&mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.ends().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program of this crate, without the settings of whoever runs the tests.
pub(crate) fn mape(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    clean(&mut command);
    command
}

/// Takes the settings of whoever runs the tests away.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["MAPE_", "REDIS_", "OTEL_", "LOG_LEVEL", "NO_COLOR"].iter().any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
}
