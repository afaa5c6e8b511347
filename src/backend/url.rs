//! Which backend a URL means.

use super::Error;
#[cfg(feature = "file")]
use std::path::PathBuf;
use std::str::FromStr;

/// What a backend's URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Url {
    /// `memory:`
    Memory,
    /// `file:DIR`
    #[cfg(feature = "file")]
    File(PathBuf),
    /// `redis:` and its relatives
    #[cfg(feature = "redis")]
    Redis(super::redis::Endpoint),
}

/// Schemes that have a meaning, but perhaps no backend in this build.
const ABSENT: [&str; 8] = [
    "file",
    "redis",
    "rediss",
    "redis+unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
];

impl FromStr for Url {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        // The URL itself is not repeated in errors once a scheme is known: it may hold a password.
        let Some((scheme, rest)) = url.trim().split_once(':') else {
            return Err(Error::NoScheme { url: url.to_owned() });
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "memory" if rest.trim_matches('/').is_empty() => Ok(Self::Memory),
            "memory" => {
                let problem =
                    "it has no name, each is a world of its own; write `memory:` and share the handle";
                Err(Error::Malformed { scheme, problem: problem.to_owned() })
            }
            #[cfg(feature = "redis")]
            known if super::redis::Endpoint::SCHEMES.contains(&known) => {
                match super::redis::Endpoint::parse(known, rest) {
                    Ok(endpoint) => Ok(Self::Redis(endpoint)),
                    Err(problem) => Err(Error::Malformed { scheme, problem }),
                }
            }
            #[cfg(feature = "file")]
            "file" => super::file::dir(rest)
                .map(Self::File)
                .map_err(|problem| Error::Malformed { scheme, problem: problem.to_owned() }),
            known if ABSENT.contains(&known) => Err(Error::NotInThisBuild { scheme }),
            _ => Err(Error::UnknownScheme { scheme }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_means_nothing_says_what_to_write_and_no_secret() {
        let error = |url: &str| Url::from_str(url).unwrap_err().to_string();
        assert_eq!(Url::from_str("MEMORY:"), Ok(Url::Memory));
        assert_eq!(
            error("localhost"),
            "opening the backend \"localhost\": it has no scheme; write `memory:`, `file:DIR` or `redis://HOST:PORT`"
        );
        assert!(
            error("mongodb://u:secret@h")
                .starts_with("opening a backend: nobody knows the scheme `mongodb:`")
        );
        assert!(!error("mongodb://u:secret@h").contains("secret"));
        let redis = error("redis://u:secret@h/x");
        if cfg!(feature = "redis") {
            assert!(redis.starts_with("opening the backend `redis:`: \"x\" is no database"), "{redis}");
        } else {
            assert_eq!(redis, "opening a backend: this build has no `redis:`; use `memory:`");
        }
        assert!(!redis.contains("secret"));
        assert!(error("memory:shared").contains("write `memory:` and share the handle"));
    }
}
