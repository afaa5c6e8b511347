//! A mail server that keeps what it is sent (RFC 5321, as far as one needs it).

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::network::records::Records;

/// The longest line, and the longest mail.
const LONGEST: (u64, usize) = (4_096, 64 * 1024);
/// How long a client may take for a line.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn serve(listener: TcpListener, records: Arc<Records>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let records = records.clone();
        connections.spawn(async move {
            if let Err(error) = converse(BufStream::new(stream), &records).await {
                tracing::debug!("a client of the mail server has gone: {error:#}");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: BufStream<TcpStream>, records: &Records) -> anyhow::Result<()> {
    say(&mut stream, "220 mail of the network's double").await?;
    let mut recipient = String::new();
    loop {
        let line = line(&mut stream).await?;
        let command = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        match command.as_str() {
            "QUIT" => return say(&mut stream, "221 bye").await,
            "RCPT" => {
                let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                address.context("no address")?.0.clone_into(&mut recipient);
                say(&mut stream, "250 ok").await?;
            }
            "DATA" if !recipient.is_empty() => {
                say(&mut stream, "354 go on").await?;
                let text = text(&mut stream).await?;
                let id = text
                    .lines()
                    .find_map(|line| line.strip_prefix("Message-ID: "))
                    .unwrap_or(&text)
                    .to_owned();
                records.mail(&id, &recipient, &text)?;
                say(&mut stream, "250 kept").await?;
            }
            "EHLO" | "HELO" | "MAIL" | "RSET" | "NOOP" => say(&mut stream, "250 ok").await?,
            _ => say(&mut stream, "503 not now").await?,
        }
    }
}

/// A mail, up to a line that is a dot.
async fn text(stream: &mut BufStream<TcpStream>) -> anyhow::Result<String> {
    let mut text = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
        ensure!(text.len() < LONGEST.1, "the mail is too long");
    }
}

async fn line(stream: &mut BufStream<TcpStream>) -> anyhow::Result<String> {
    let mut line = Vec::new();
    let mut stream = stream.take(LONGEST.0);
    let read = timeout(PATIENCE, stream.read_until(b'\n', &mut line)).await;
    ensure!(read?? > 0 && line.ends_with(b"\n"), "the line has no end");
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

async fn say(stream: &mut BufStream<TcpStream>, line: &str) -> anyhow::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    Ok(stream.flush().await?)
}
