//! What is done about a command that cannot be carried out at the moment.

use super::address::Address;
use super::client::{Client, PATIENCE};
use super::failure::{Failure, Refusal};
use super::link::Link;
use super::verdict::Verdict;
use redis::{Cmd, Pipeline, ServerError, Value};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Until when to try, and how often it was tried.
struct Patience {
    deadline: Instant,
    attempts: u32,
}

impl Patience {
    fn new() -> Self {
        Self { deadline: Instant::now() + PATIENCE, attempts: 0 }
    }

    /// Waits a little; whether there is still time to try again.
    async fn pause(&mut self) -> bool {
        let wait = Duration::from_millis(10) * 2_u32.pow(self.attempts.min(5));
        let until = Instant::now() + wait.mul_f64(0.75 + fastrand::f64() / 2.0);
        self.attempts += 1;
        if until >= self.deadline {
            return false;
        }
        sleep_until(until).await;
        true
    }
}

impl Client {
    /// A command for which there is no connection, or which was answered on one with an error that may pass.
    pub(super) async fn query_patiently(
        &self,
        cmd: &Cmd,
        mut answered: Option<(u64, ServerError)>,
    ) -> Result<Value, Failure> {
        let mut patience = Patience::new();
        loop {
            if let Some((epoch, error)) = answered.take() {
                let error = match self.react(epoch, &error, cmd).await? {
                    None => error,
                    Some(Value::ServerError(error)) => error,
                    Some(value) => return Ok(value),
                };
                if matches!(Verdict::on(&error), Verdict::Final) {
                    return Err(Failure::Server(Refusal(error)));
                }
                if !patience.pause().await {
                    return Err(Failure::answered(error));
                }
            }
            let link = self.shared().wait(patience.deadline).await?;
            let (mut connection, epoch) = (link.connection(), link.epoch);
            drop(link);
            match connection.send_packed_command(cmd).await {
                Ok(Value::ServerError(error)) => answered = Some((epoch, error)),
                Ok(value) => return Ok(value),
                Err(error) => return Err(self.broken(epoch, &error)),
            }
        }
    }

    /// As [`query_patiently`](Self::query_patiently) for several; what was done is not sent again.
    pub(super) async fn pipeline_patiently(
        &self,
        pipe: &Pipeline,
        mut answered: Option<(u64, Vec<Value>)>,
    ) -> Result<Vec<Value>, Failure> {
        let mut patience = Patience::new();
        let mut done = Vec::with_capacity(pipe.len());
        loop {
            if let Some((epoch, mut values)) = answered.take() {
                let mut last = None;
                for (cmd, value) in pipe.cmd_iter().skip(done.len()).zip(&mut values) {
                    let Value::ServerError(error) = value else { continue };
                    if let Some(instead) = self.react(epoch, error, cmd).await? {
                        *value = instead;
                    }
                }
                let undone = values.iter().rev().take_while(|value| Verdict::is_again(value)).count();
                let rest = values.split_off(values.len() - undone);
                if let Some(Value::ServerError(error)) = rest.first() {
                    last = Some(error.clone());
                }
                done.extend(values);
                let Some(last) = last else { return Ok(done) };
                if !patience.pause().await {
                    if done.is_empty() {
                        return Err(Failure::answered(last));
                    }
                    done.extend(rest);
                    return Ok(done);
                }
            }
            let mut rest = Pipeline::with_capacity(pipe.len() - done.len());
            for cmd in pipe.cmd_iter().skip(done.len()) {
                rest.add_command(cmd.clone());
            }
            let link = self.shared().wait(patience.deadline).await?;
            let (mut connection, epoch) = (link.connection(), link.epoch);
            drop(link);
            match connection.send_packed_commands(&rest, 0, rest.len()).await {
                Ok(values) => answered = Some((epoch, values)),
                Err(error) => return Err(self.broken(epoch, &error)),
            }
        }
    }

    /// Does about an error what can be done at once: leaves a server that is the wrong one, asks another for this once.
    async fn react(&self, epoch: u64, error: &ServerError, cmd: &Cmd) -> Result<Option<Value>, Failure> {
        match Verdict::on(error) {
            Verdict::Final | Verdict::Later => Ok(None),
            Verdict::Elsewhere => {
                self.shared().retire(epoch, Refusal(error.clone()).to_string());
                Ok(None)
            }
            Verdict::Ask(target) => self.ask(&target, cmd).await,
        }
    }

    /// Sends a command to the node that is taking over its slot; `None` if that node cannot be reached.
    async fn ask(&self, target: &str, cmd: &Cmd) -> Result<Option<Value>, Failure> {
        let Some(asked) = self.shared().with(|link| link.address.clone()) else { return Ok(None) };
        let Some(target) = Address::of_node(target, &asked) else { return Ok(None) };
        let Ok((link, _ended)) = Link::open(self.settings(), &target, 0, None).await else { return Ok(None) };
        let mut pipe = Pipeline::with_capacity(2);
        pipe.cmd("ASKING").add_command(cmd.clone());
        match link.connection().send_packed_commands(&pipe, 0, 2).await {
            Ok(mut values) => Ok(values.pop()),
            Err(error) => Err(Failure::Unavailable(error.to_string().into())),
        }
    }
}
