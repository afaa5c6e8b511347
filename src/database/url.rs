//! Which database a URL means.

use super::Error;
use super::sqlite;

/// A database, and how to get there.
#[derive(Debug)]
pub(super) enum Place {
    Sqlite(sqlite::Settings),
    #[cfg(feature = "postgres")]
    Postgres(Box<super::postgres::Settings>),
}

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Url { problem };
        // The URL itself is not repeated: it may hold a password.
        let Some((scheme, rest)) = url.trim().split_once(':') else {
            return Err(wrong(
                "it has no scheme; write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`".to_owned(),
            ));
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "sqlite" => sqlite_place(rest).map(Self::Sqlite).map_err(wrong),
            "postgres" | "postgresql" => postgres_place(url.trim(), &scheme),
            _ => {
                let near = crate::hint::nearest(&scheme, ["sqlite", "postgres", "postgresql"]);
                let near = near.map(|near| format!("did you mean `{near}:`? ")).unwrap_or_default();
                let known = "write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`";
                Err(wrong(format!("nobody knows the scheme `{scheme}:`; {near}{known}")))
            }
        }
    }
}

fn sqlite_place(rest: &str) -> Result<sqlite::Settings, String> {
    if rest == ":memory:" {
        return Ok(sqlite::Settings { path: None, full: false });
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
    if path.is_empty() {
        return Err("`sqlite:` names no file; write `sqlite:PATH` or `sqlite::memory:`".to_owned());
    }
    let full = match query {
        "" | "synchronous=full" => true,
        "synchronous=normal" => false,
        other => {
            return Err(format!(
                "`?{other}` means nothing to `sqlite:`; there is `?synchronous=full` and `=normal`"
            ));
        }
    };
    Ok(sqlite::Settings { path: Some(path.into()), full })
}

#[cfg(feature = "postgres")]
fn postgres_place(url: &str, _: &str) -> Result<Place, Error> {
    let settings = super::postgres::Settings::parse(url).map_err(|problem| Error::Url { problem })?;
    Ok(Place::Postgres(Box::new(settings)))
}

#[cfg(not(feature = "postgres"))]
fn postgres_place(_: &str, scheme: &str) -> Result<Place, Error> {
    Err(Error::NotInThisBuild { scheme: scheme.to_owned(), feature: "postgres" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_means_nothing_says_what_to_write_and_no_secret() {
        let error = |url: &str| Place::parse(url).unwrap_err().to_string();
        assert!(error("orders.db").contains("write `sqlite:PATH` or `postgres:"));
        assert!(error("sqlit:x").contains("did you mean `sqlite:`?"));
        assert!(error("sqlite:").contains("`sqlite:` names no file"));
        assert!(error("sqlite:a.db?mode=ro").contains("`?mode=ro` means nothing"));
        assert!(!error("mysql://u:secret@h/d").contains("secret"));
        assert!(!error("postgres://u:secret@h:no/d?x=y").contains("secret"));
    }

    #[test]
    fn a_path_is_as_it_is_written() {
        let path = |url: &str| match Place::parse(url) {
            Ok(Place::Sqlite(settings)) => (settings.shown(), settings.full),
            other => panic!("{other:?}"),
        };
        assert_eq!(path("sqlite:a b.db"), ("sqlite:a b.db".to_owned(), true));
        assert_eq!(path("sqlite:///var/a.db?synchronous=normal"), ("sqlite:/var/a.db".to_owned(), false));
        assert_eq!(path("sqlite:/var/a.db").0, "sqlite:/var/a.db");
        assert_eq!(path("sqlite::memory:").0, "sqlite::memory:");
    }
}
