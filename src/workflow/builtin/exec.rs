//! `exec:…`

use super::super::{Answer, Invocation, Task, TaskError};
use super::known::{Known, anything, flag, literal, missing, object, one_of, text, texts};
use super::parameters::{Parameters, wrong};
use super::patience::stopped;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Which programs may be run, and how.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// Names, or paths.
    pub(super) allowed: Arc<[String]>,
    /// Where they run.
    pub(super) directory: PathBuf,
    /// The most that is read of what one writes, in bytes.
    pub(super) longest: usize,
    /// How long one may run unless the flow says it.
    pub(super) timeout: Duration,
}

const KNOWN: [Known; 6] = [
    Known::may("command", text),
    Known::may("args", texts),
    Known::may("stdin", anything),
    Known::may("env", object),
    Known::may("output", |value| one_of(&["text", "json"], value)),
    Known::raw("error_on_status", flag),
];
/// Where programs are found that are allowed by name.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long a program may clean up that is told to end.
const GRACE: Duration = Duration::from_millis(500);
/// How many programs run at a time.
const LIMIT: usize = 64;

/// Runs programs: the one that the name of the task names behind `exec:`, or by `exec:run` that of the parameter
/// `command`.
pub(super) fn task(programs: Programs) -> Task {
    let (timeout, allowed) = (programs.timeout, programs.clone());
    let task = Task::new("exec:*", move |invocation: Invocation| {
        let programs = programs.clone();
        async move { programs.run(&invocation).await }
    });
    task.limit(LIMIT)
        .timeout(timeout)
        .with_known(&KNOWN, move |name, parameters| allowed.check(name, parameters))
}

/// What a program has done.
struct Done {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
}

impl Programs {
    async fn run(&self, invocation: &Invocation) -> Result<Answer, TaskError> {
        let parameters = Parameters::of(invocation, &KNOWN)?;
        let name = match invocation.base().strip_prefix("exec:") {
            Some("run") => parameters.needed("command")?,
            Some(name) => name.to_owned(),
            None => return Err(wrong("the name of the task does not begin with exec:")),
        };
        let stdin = match parameters.value("stdin")? {
            None => invocation.input().to_string(),
            Some(Value::String(text)) => text,
            Some(value) => value.to_string(),
        };
        let as_json = match parameters.text("output")?.as_deref() {
            None | Some("text") => false,
            Some("json") => true,
            Some(other) => {
                return Err(wrong(&format!("the parameter `output` is text or json, not `{other}`")));
            }
        };
        let mut command = self.command(self.find(&name)?, invocation, &parameters)?;
        let child = command.spawn().map_err(|error| wrong(&format!("cannot run {name}: {error}")))?;
        let done = self.attend(child, stdin, invocation).await?;
        let Done { status, stdout, stderr } = done;
        if !status.success() && parameters.flag("error_on_status", true)? {
            let said = if stderr.is_empty() { "nothing on its standard error" } else { &stderr };
            return Err(TaskError::new(format!("{name} ended with {status}: {said}")));
        }
        if as_json {
            let output: Value = serde_json::from_slice(&stdout)
                .map_err(|error| wrong(&format!("what {name} has written is no JSON: {error}")))?;
            return Ok(output.into());
        }
        let text = String::from_utf8_lossy(&stdout);
        Ok(json!({"exit_status": status.code(), "stdout": text}).into())
    }

    /// Why a flow cannot run a program, if that shows before it begins.
    fn check(&self, task: &str, parameters: &Value) -> Option<String> {
        let name = match task.strip_prefix("exec:")? {
            "run" => match parameters.get("command").map(literal) {
                None => return Some(missing("command")),
                Some(Ok(Some(Value::String(name)))) => name,
                Some(_) => return None,
            },
            name => name.to_owned(),
        };
        self.find(&name).err().map(|error| format!(": {}", error.reason()))
    }

    /// The program that is allowed under a name.
    fn find(&self, name: &str) -> Result<&str, TaskError> {
        let is = |allowed: &&String| {
            allowed.as_str() == name
                || Path::new(allowed.as_str()).file_name().is_some_and(|file| file == name)
        };
        self.allowed.iter().find(is).map(String::as_str).ok_or_else(|| {
            let known = if self.allowed.is_empty() { "none".to_owned() } else { self.allowed.join(", ") };
            let all: Vec<&str> = self.allowed.iter().map(String::as_str).chain([name]).collect();
            let all = all.join(", ");
            wrong(&format!(
                "{name} may not be run: workflow.exec.allow has {known}; to allow it, set \
                 MAPE_WORKFLOW__EXEC__ALLOW='[{all}]', or `workflow: {{exec: {{allow: [{all}]}}}}` in config.yaml"
            ))
        })
    }

    fn command(
        &self,
        program: &str,
        invocation: &Invocation,
        parameters: &Parameters<'_>,
    ) -> Result<Command, TaskError> {
        let mut command = Command::new(program);
        command.args(parameters.texts("args")?).current_dir(&self.directory).env_clear().env("PATH", PATH);
        match parameters.value("env")? {
            None => {}
            Some(Value::Object(variables)) => {
                for (name, value) in variables {
                    let is_good = !name.is_empty() && !name.contains(['=', '\0']);
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    if !is_good || text.contains('\0') {
                        return Err(wrong(&format!("{name:?} cannot be set in an environment")));
                    }
                    command.env(name, text);
                }
            }
            Some(other) => {
                return Err(wrong(&format!("the parameter `env` is an object of texts, not {other}")));
            }
        }
        command
            .env("MAPE_WORKFLOW", invocation.workflow().full())
            .env("MAPE_KEY", invocation.key())
            .env("MAPE_ATTEMPT", invocation.attempt().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // What it starts is in its group, and ends with it.
        #[cfg(unix)]
        command.process_group(0);
        Ok(command)
    }

    /// Waits for a program to end, and sees to it that it does.
    async fn attend(
        &self,
        mut child: Child,
        stdin: String,
        invocation: &Invocation,
    ) -> Result<Done, TaskError> {
        let group = Group::of(&child);
        let (input, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let work = async {
            let write = async {
                if let Some(mut input) = input {
                    // A program that does not read it ends without it.
                    let _ = input.write_all(stdin.as_bytes()).await;
                }
            };
            let read = async {
                let mut read = Vec::new();
                let longest = u64::try_from(self.longest).unwrap_or(u64::MAX);
                if let Some(stdout) = stdout {
                    stdout.take(longest.saturating_add(1)).read_to_end(&mut read).await?;
                }
                if read.len() > self.longest {
                    let reason = format!("it has written more than {} bytes, and was ended", self.longest);
                    return Err(TaskError::for_good(reason));
                }
                Ok(read)
            };
            let ((), stdout, stderr) = tokio::join!(write, read, end_of(stderr));
            Ok::<_, TaskError>((stdout?, stderr))
        };
        let read = tokio::select! {
            biased;
            () = invocation.cancelled() => {
                group.end();
                // It may clean up; what is left then is killed.
                let _ = tokio::time::timeout(GRACE, child.wait()).await;
                return Err(stopped());
            }
            read = work => read,
        };
        let (stdout, stderr) = read?;
        let status = child.wait().await?;
        Ok(Done { status, stdout, stderr })
    }
}

/// The end of what a program writes on its standard error; all of it is read.
async fn end_of(stderr: Option<tokio::process::ChildStderr>) -> String {
    const LONGEST: usize = 2048;
    let (Some(mut stderr), mut end, mut part) = (stderr, Vec::new(), [0; 1024]) else { return String::new() };
    while let Ok(length) = stderr.read(&mut part).await {
        if length == 0 {
            break;
        }
        end.extend_from_slice(part.get(..length).unwrap_or_default());
        if end.len() > 2 * LONGEST {
            end.drain(..end.len() - LONGEST);
        }
    }
    let from = end.len().saturating_sub(LONGEST);
    String::from_utf8_lossy(end.get(from..).unwrap_or_default()).trim().to_owned()
}

/// A program and all that it has started; it is killed when this is dropped.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// Asks it to end.
    fn end(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader {
            // Those who have ended cannot be told, and need not be.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self {}
    }

    fn end(&self) {}
}
