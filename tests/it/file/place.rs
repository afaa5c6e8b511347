//! Who owns a directory, and what is refused and left as it is.

use super::{fresh_dir, open, url};
use mape::backend::{Backend, Error, Options};
use mape::knowledge::Scope;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

async fn refused(dir: &Path) -> Error {
    Backend::open(&url(dir)).await.expect_err("it is refused")
}

/// A directory with something in it that nobody has open.
async fn filled() -> PathBuf {
    let dir = fresh_dir();
    let backend = open(&dir).await;
    let list = backend.knowledge(Scope::App).list::<String>("list");
    let texts: Vec<_> =
        (0..2000).map(|n| format!("{n}: a text that is longer than what fits inline")).collect();
    list.extend(&texts).await.unwrap();
    dir
}

/// Every file of a directory but the one that is there to be locked.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let files = files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()));
    files.filter(|(name, _)| name != "owner").collect()
}

#[tokio::test]
async fn a_directory_is_made_for_its_user_alone() {
    let dir = fresh_dir().join("a").join("b");
    let backend = open(&dir).await;
    backend.knowledge(Scope::App).value::<u8>("v").set(&1).await.unwrap();
    assert_eq!((mode(&dir), mode(dir.parent().unwrap())), (0o700, 0o700));
    for file in ["mape.db", "mape.db-wal", "owner", "control.sock"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
    assert_eq!(backend.url(), url(&dir));
    backend.close().await;
    assert_eq!(contents(&dir).keys().collect::<Vec<_>>(), ["mape.db"]);
}

#[tokio::test]
async fn a_path_may_be_relative_long_or_encoded() {
    let dir = fresh_dir();
    let long = dir.join("a long name ü%20".repeat(12)).join("b".repeat(200));
    open(&long).await.close().await;
    let relative = dir.strip_prefix(std::env::current_dir().unwrap()).unwrap();
    let encoded = format!("file://{}/a%20b%C3%BC", dir.display());
    for url in [url(&long), url(relative), encoded] {
        let owner = Backend::open(&url).await.unwrap();
        let client = Backend::attach(&url, Options::default()).await.unwrap();
        client.knowledge(Scope::App).value::<String>("url").set(&url).await.unwrap();
        let kept = owner.knowledge(Scope::App).value::<String>("url").get().await.unwrap();
        assert_eq!(kept, Some(url));
    }
    assert!(dir.join("a bü").join("mape.db").exists());
}

/// The name of the next test; it runs itself again in a process of its own.
const OWNER: &str = "file::place::a_second_owner_is_refused_with_the_name_of_the_first_until_that_is_dead";

#[test]
fn a_second_owner_is_refused_with_the_name_of_the_first_until_that_is_dead() {
    if let Some(dir) = std::env::var_os("OWNING") {
        return own_until_killed(Path::new(&dir));
    }
    let (dir, runtime) = (fresh_dir(), tokio::runtime::Runtime::new().unwrap());
    let mut owner = another_owner(&dir);
    let error = runtime.block_on(refused(&dir));
    let expected = format!("belongs to `the first` (process {}, since 20", owner.id());
    assert!(matches!(&error, Error::Owned { .. }) && error.to_string().contains(&expected), "{error}");
    let attached = runtime.block_on(Backend::attach(&url(&dir), Options::default())).unwrap();
    let value = attached.knowledge(Scope::App).value::<u8>("v");
    assert_eq!(runtime.block_on(value.get()).unwrap(), Some(1));
    owner.kill().unwrap();
    owner.wait().unwrap();
    // Its socket is still there, and nobody behind it.
    assert!(dir.join("control.sock").exists());
    runtime.block_on(async {
        let next = open(&dir).await;
        assert_eq!(next.knowledge(Scope::App).value::<u8>("v").get().await.unwrap(), Some(1));
        let error = refused(&dir).await;
        assert!(error.to_string().contains(&format!("`mape` (process {}", std::process::id())), "{error}");
    });
}

fn another_owner(dir: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", OWNER, "--nocapture"])
        .env("OWNING", dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "it never got ready");
    }
    // What it writes further goes nowhere, and does not hold it up.
    std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
    child
}

#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
#[tokio::main(flavor = "current_thread")]
async fn own_until_killed(dir: &Path) {
    let mut options = Options::default();
    options.client_name = Some("the first".to_owned());
    let backend = Backend::open_with(&url(dir), options).await.unwrap();
    backend.knowledge(Scope::App).value::<u8>("v").set(&1).await.unwrap();
    println!("ready");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_is_damaged_foreign_or_of_another_format_is_refused_and_left_as_it_is() {
    type Spoil = fn(&mut Vec<u8>);
    let spoilt: [(&str, Spoil, &str); 8] = [
        ("empty", Vec::clear, "it ends before its header does"),
        ("half a header", |bytes| bytes.truncate(50), "it ends before its header does"),
        ("truncated", |bytes| bytes.truncate(bytes.len() / 2), "damaged"),
        ("a page short", |bytes| bytes.truncate(bytes.len() - 4096), "damaged"),
        ("no database", |bytes| bytes[..16].copy_from_slice(b"some other bytes"), "does not begin as"),
        ("garbage inside", |bytes| bytes[4096..40_960].fill(0xa5), "damaged"),
        ("foreign", |bytes| bytes[68..72].copy_from_slice(&[0; 4]), "a database of another program"),
        ("newer", |bytes| bytes[63] = 2, "has the format 2, and this build of mape knows 1"),
    ];
    for (name, spoil, expected) in spoilt {
        let dir = filled().await;
        let path = dir.join("mape.db");
        let mut bytes = fs::read(&path).unwrap();
        spoil(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let before = contents(&dir);
        let error = refused(&dir).await;
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{name}: {error}");
        assert!(!error.is_usage());
        let after = contents(&dir);
        assert_eq!(after.get("mape.db"), Some(&bytes), "{name}");
        let kept = after.iter().filter(|(name, _)| before.contains_key(*name));
        assert_eq!(kept.count(), before.len(), "{name}");
        // It stays refused, and whoever mends it can use it again.
        refused(&dir).await;
    }
}

#[tokio::test]
async fn what_is_no_directory_or_may_not_be_used_is_named() {
    let dir = fresh_dir();
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("file"), "text").unwrap();
    let error = refused(&dir.join("file")).await;
    assert!(error.to_string().ends_with("it is no directory"), "{error}");
    let error = refused(&dir.join("file").join("below")).await;
    assert!(matches!(&error, Error::File { .. }), "{error}");
    // Nobody may write to a directory in place of the database, not even root.
    fs::create_dir_all(dir.join("odd").join("mape.db")).unwrap();
    let error = refused(&dir.join("odd")).await;
    assert!(matches!(&error, Error::File { doing, .. } if doing == "reading"), "{error}");
    fs::create_dir(dir.join("locked")).unwrap();
    fs::set_permissions(dir.join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    if let Err(error) = Backend::open(&url(&dir.join("locked"))).await {
        // Root may.
        assert!(error.to_string().contains("ermission denied"), "{error}");
    }
    fs::set_permissions(dir.join("locked"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_url_without_a_directory_says_what_to_write() {
    for (url, expected) in [
        ("file:", "it names no directory; write `file:DIR`, such as `file:./data`"),
        ("file://host/data", "write `file:DIR` or `file:///DIR`"),
        ("file:///a%zz", "a `%` needs two hexadecimal digits behind it"),
    ] {
        let error = Backend::open(url).await.unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(expected), "{error}");
    }
    let error = Backend::attach("memory:", Options::default()).await.unwrap_err();
    assert_eq!((error.is_usage(), error.clone()), (true, Error::NotShared), "{error}");
}
