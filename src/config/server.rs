//! A Redis server in the words of other programs: host, port, user and password apart.

use super::{Origin, Problem};
use serde_json::Value as Json;
use std::ffi::OsString;
use std::fmt;

/// The variables that are read, too, if a server may be named so.
pub(super) const VARIABLES: [&str; 4] = ["REDIS_HOST", "REDIS_PORT", "REDIS_USERNAME", "REDIS_PASSWORD"];

/// This machine.
const HERE: &str = "127.0.0.1";

/// A Redis server as redis-cli and littleflow are told of it: `--host`, `--port`, `--username`, `--password`.
///
/// What is not given is taken from `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME` and `REDIS_PASSWORD`; without these the
/// host is `127.0.0.1` and the port 6379; `0.0.0.0`, littleflow's default, is this machine, too. Any of the options,
/// `REDIS_HOST` or `REDIS_PORT` makes that server the `backend.url`, over what file and `MAPE_BACKEND__URL` say. See [`Builder::server`](super::Builder::server).
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Server {
    /// `--host`: a name or an address.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--username`.
    pub username: Option<String>,
    /// `--password`.
    pub password: Option<String>,
}

/// A text and who gave it.
type Given = Option<(String, Origin)>;

impl Server {
    /// The keys that it sets, each with its value and who gave it.
    pub(super) fn keys(
        self,
        variables: &[(OsString, OsString)],
        problems: &mut Vec<Problem>,
    ) -> Vec<(&'static str, Origin, Json)> {
        let login = self.username.is_some() || self.password.is_some();
        let find = |given: Option<String>, option: &str, name: &str| -> Given {
            let option = |given| (given, Origin::Option { name: option.to_owned() });
            let variable = || Some((text(variables, name)?, Origin::Variable { name: name.to_owned() }));
            given.map(option).or_else(variable)
        };
        let host = find(self.host, "--host", "REDIS_HOST");
        let port = find(self.port.map(|port| port.to_string()), "--port", "REDIS_PORT");
        let username = find(self.username, "--username", "REDIS_USERNAME");
        let password = find(self.password, "--password", "REDIS_PASSWORD");
        let by = [&host, &port].into_iter().chain([&username, &password].into_iter().filter(|_| login));
        let Some((_, origin)) = by.flatten().next().cloned() else { return Vec::new() };

        if let Some((port, origin)) = &port
            && port.parse::<u16>().is_err()
        {
            let problem = Problem::new("backend.url", origin, format!("`{port}` is no port"));
            problems.push(problem.help("a port is a number such as 6379; or name the backend by --backend"));
            return Vec::new();
        }
        // No server is at 0.0.0.0: who listens there listens on every address of its machine.
        let host = host.map(|(host, _)| host).filter(|host| host != "0.0.0.0");
        let host = host.unwrap_or_else(|| HERE.to_owned());
        // An address of IPv6 is in brackets where a port follows.
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        let port = port.map_or_else(|| "6379".to_owned(), |(port, _)| port);
        let mut keys = vec![("backend.url", origin, Json::from(format!("redis://{host}:{port}/0")))];
        for (key, given) in [("backend.username", username), ("backend.password", password)] {
            keys.extend(given.map(|(text, origin)| (key, origin, Json::from(text))));
        }
        keys
    }
}

/// A variable; an empty one says nothing.
fn text(variables: &[(OsString, OsString)], name: &str) -> Option<String> {
    let (_, value) = variables.iter().find(|(other, _)| other == name)?;
    value.to_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, username, password } = self;
        let password = password.as_ref().map(|_| super::secret::REDACTED);
        f.debug_struct("Server")
            .field("host", host)
            .field("port", port)
            .field("username", username)
            .field("password", &password)
            .finish()
    }
}
