//! What this machine says of itself, in `/proc`.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

/// What can be read, by name.
pub const READINGS: [&str; 8] =
    ["load", "tasks", "memory", "own_memory", "files", "sockets", "switches", "uptime"];

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub id: String,
    pub value: f64,
    pub unit: String,
    /// What it would be at most, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<f64>,
    /// The file that says so.
    pub from: String,
}

/// Reads one of [`READINGS`].
pub fn reading(id: &str) -> io::Result<Reading> {
    let file = match id {
        "load" | "tasks" => "/proc/loadavg",
        "memory" => "/proc/meminfo",
        "own_memory" => "/proc/self/status",
        "files" => "/proc/sys/fs/file-nr",
        "sockets" => "/proc/net/sockstat",
        "switches" => "/proc/stat",
        "uptime" => "/proc/uptime",
        _ => {
            let known = READINGS.join(", ");
            return Err(io::Error::other(format!("there is no reading `{id}`; there are {known}")));
        }
    };
    let text = text(file)?;
    let (value, of, unit) = number(id, &text).ok_or_else(|| strange(file))?;
    Ok(Reading { id: id.to_owned(), value, unit: unit.to_owned(), of, from: file.to_owned() })
}

/// A number in the text of its file, what it would be at most, and its unit.
fn number(id: &str, text: &str) -> Option<(f64, Option<f64>, &'static str)> {
    let word = |n: usize| text.split_whitespace().nth(n);
    Some(match id {
        "load" => (word(0)?.parse().ok()?, None, "on average of a minute"),
        "tasks" => (word(3)?.split_once('/')?.1.parse().ok()?, None, "threads"),
        "memory" => {
            let all = behind(text, "MemTotal:")?;
            ((all - behind(text, "MemAvailable:")?) / 1024.0, Some(all / 1024.0), "MiB in use")
        }
        "own_memory" => (behind(text, "VmRSS:")? / 1024.0, None, "MiB of this program"),
        "files" => (word(0)?.parse().ok()?, None, "open files"),
        "sockets" => (behind(text, "sockets: used")?, None, "sockets"),
        "switches" => (behind(text, "ctxt")? / 1e6, None, "million context switches"),
        "uptime" => (word(0)?.parse::<f64>().ok()? / 3600.0, None, "hours up"),
        _ => return None,
    })
}

/// The number behind a word at the beginning of a line.
fn behind(text: &str, word: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// What all network interfaces have received and sent, in bytes.
pub fn traffic() -> io::Result<(u64, u64)> {
    let file = "/proc/net/dev";
    summed(&text(file)?).ok_or_else(|| strange(file))
}

fn summed(text: &str) -> Option<(u64, u64)> {
    let mut sums = (0, 0);
    for line in text.lines().filter_map(|line| line.split_once(':')).map(|(_, numbers)| numbers) {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        sums.0 += numbers.next()?.ok()?;
        sums.1 += numbers.nth(7)?.ok()?;
    }
    Some(sums)
}

/// How much the processors have done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    busy: u64,
    all: u64,
}

impl Work {
    pub fn so_far() -> io::Result<Self> {
        let file = "/proc/stat";
        Self::read(&text(file)?).ok_or_else(|| strange(file))
    }

    fn read(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).take(8).collect();
        // The fourth is idle, the fifth waits for a disk.
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        let all = ticks.iter().sum();
        (ticks.len() > 4).then_some(Self { busy: all - idle, all })
    }

    /// How much of the time since then they were busy, in percent; nothing if no tick has passed.
    pub fn percent_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        Some(100.0 * self.busy.saturating_sub(before.busy) as f64 / all as f64)
    }
}

fn text(file: &str) -> io::Result<String> {
    fs::read_to_string(file).map_err(|error| io::Error::new(error.kind(), format!("reading {file}: {error}")))
}

fn strange(file: &str) -> io::Error {
    io::Error::other(format!("{file} does not say it as it does on Linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_where_linux_has_them() {
        let found = |name, text| number(name, text).unwrap().0.to_string();
        assert_eq!(found("load", "4.10 2.34 1.65 10/136 21493\n"), "4.1");
        assert_eq!(found("tasks", "4.10 2.34 1.65 10/136 21493\n"), "136");
        let memory = "MemTotal: 4096 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n";
        assert_eq!(number("memory", memory), Some((3.0, Some(4.0), "MiB in use")));
        assert_eq!(found("sockets", "sockets: used 27\nTCP: inuse 1\n"), "27");
        assert_eq!(found("switches", "cpu 1\nctxt 210878965\n"), "210.878965");
        assert_eq!(number("memory", "nothing of the kind"), None);
        assert!(reading("laod").unwrap_err().to_string().contains("there is no reading `laod`"));
    }

    #[test]
    fn the_traffic_of_all_interfaces_is_summed() {
        let text =
            "Inter-| Receive\n face |bytes\n lo: 7 1 0 0 0 0 0 0 9 1 0\neth0: 100 0 0 0 0 0 0 0 1000 0 0\n";
        assert_eq!(summed(text), Some((107, 1009)));
    }

    #[test]
    fn processors_are_busy_for_a_part_of_the_time() {
        let [before, after] = [[10, 0, 10, 80], [40, 0, 30, 130]].map(|[user, nice, system, idle]| {
            Work::read(&format!("cpu  {user} {nice} {system} {idle} 0 0 0 0 0 0\ncpu0 1\n")).unwrap()
        });
        assert_eq!(after.percent_since(before), Some(50.0));
        assert_eq!(after.percent_since(after), None);
    }
}
