//! Commands as the server sees them, to be sent again by hand.

use redis::Cmd;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// Hears every command that the server is given (`MONITOR`).
pub(crate) struct Captured(BufReader<TcpStream>);

impl Captured {
    pub(crate) fn new(port: u16) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.write_all(b"MONITOR\r\n").unwrap();
        let mut me = Self(BufReader::new(socket));
        assert_eq!(me.line(), "+OK");
        me
    }

    /// The words of the next command of a client in which one is `word`.
    pub(crate) fn next_with(&mut self, word: &[u8]) -> Vec<Vec<u8>> {
        loop {
            let line = self.line();
            // +1795292903.123456 [0 127.0.0.1:41234] "SET" "key" "value"; `lua` instead of an address for scripts' own.
            let (from, command) = line.split_once("] ").unwrap();
            let words = words(command);
            if !from.ends_with("lua") && words.iter().any(|w| w == word) {
                return words;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

/// Those words as a command, with `new` in the places of `old`.
pub(crate) fn command(words: &[Vec<u8>], old: &[u8], new: &[u8]) -> Cmd {
    let mut cmd = Cmd::new();
    for word in words {
        cmd.arg(if word == old { new } else { word });
    }
    cmd
}

/// Takes words out of their quotes.
fn words(text: &str) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut inside) = (Vec::new(), Vec::new(), false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                if inside {
                    words.push(std::mem::take(&mut word));
                }
                inside = !inside;
            }
            b'\\' => match bytes.next().unwrap() {
                b'n' => word.push(b'\n'),
                b'r' => word.push(b'\r'),
                b't' => word.push(b'\t'),
                b'a' => word.push(7),
                b'b' => word.push(8),
                b'x' => {
                    let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                    let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                    word.push(u8::from_str_radix(&digits, 16).unwrap());
                }
                other => word.push(other),
            },
            other if inside => word.push(other),
            _ => {}
        }
    }
    words
}
