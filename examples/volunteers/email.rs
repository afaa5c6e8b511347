//! The email queue: mails with PINs.

use std::fmt::Write as _;

use anyhow::{Context, bail, ensure};
use mape::prelude::*;
use mape::queue::{Task, Worker, working};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::shared::Shared;
use crate::stage::told;
use crate::verification::Mail;

/// From whom mails come.
const FROM: &str = "volunteers@example.org";
/// How long a mail server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn start(shared: &Shared) -> anyhow::Result<Worker> {
    let with = shared.clone();
    let send = shared.app.create_loop("email")?.execute("send").each_unordered(
        shared.queues.email.settings().concurrency,
        working(move |task: Task<Mail>| {
            let shared = with.clone();
            async move { send(&shared, &task).await.map_err(told) }
        }),
    );
    Ok(shared.queues.email.work(&send.spawn()?).await?)
}

/// Whether it was sent; it is not once it is verified, or too late.
async fn send(shared: &Shared, task: &Task<Mail>) -> anyhow::Result<bool> {
    let Some(verification) = shared.verification(&task.organiser).get().await? else { return Ok(false) };
    let mut text = String::new();
    write!(text, "From: Volunteers <{FROM}>\r\nTo: <{}>\r\n", verification.email)?;
    write!(text, "Subject: Your PIN\r\nMessage-ID: <{}@volunteers.example.org>\r\n\r\n", task.id())?;
    write!(text, "{} is your PIN. It is good for ten minutes.\r\n", verification.pin.expose())?;
    deliver(&shared.settings.network.mail, &verification.email, &text).await?;
    Ok(true)
}

/// Hands a mail to a server (RFC 5321), without encryption: the double is on this machine.
async fn deliver(server: &str, to: &str, text: &str) -> anyhow::Result<()> {
    let stream = timeout(PATIENCE, TcpStream::connect(server)).await?.context("reaching the mail server")?;
    let mut stream = BufStream::new(stream);
    expect(&mut stream, "2").await?;
    // A line that begins with a dot has two.
    let text = text.replace("\r\n.", "\r\n..");
    for (command, code) in [
        ("EHLO volunteers.example.org".to_owned(), "2"),
        (format!("MAIL FROM:<{FROM}>"), "2"),
        (format!("RCPT TO:<{to}>"), "2"),
        ("DATA".to_owned(), "3"),
        (format!("{text}."), "2"),
    ] {
        stream.write_all(command.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
        stream.flush().await?;
        expect(&mut stream, code).await?;
    }
    // It has the mail; whether it hears the farewell does not matter.
    let _ = stream.write_all(b"QUIT\r\n").await;
    let _ = stream.flush().await;
    Ok(())
}

/// An answer of one or more lines that begins so.
async fn expect(stream: &mut BufStream<TcpStream>, code: &str) -> anyhow::Result<()> {
    loop {
        let mut line = String::new();
        let read =
            timeout(PATIENCE, stream.read_line(&mut line)).await.context("the mail server is silent")??;
        ensure!(read > 0, "the mail server has hung up");
        if line.as_bytes().get(3) == Some(&b'-') {
            continue;
        }
        if !line.starts_with(code) {
            bail!("the mail server says {}", line.trim_end());
        }
        return Ok(());
    }
}
