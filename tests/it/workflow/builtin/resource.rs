//! `<…>` as source and sink.

#[cfg(feature = "http-client")]
use super::service::Service;
use super::{engine_with, failure, output};
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

async fn engine(test: &str) -> (Engine, PathBuf) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("resource").join(test).join("base");
    let _ = fs::remove_dir_all(directory.parent().unwrap());
    fs::create_dir_all(&directory).unwrap();
    let backend = Backend::memory();
    let base = format!("file:{}", directory.display());
    let builtin = Builtin::new(&backend).longest(1000).resources(&base).unwrap();
    (engine_with(&backend, builtin).await, directory)
}

#[tokio::test]
async fn files_are_loaded_and_stored_by_what_they_are() {
    let (engine, directory) = engine("formats").await;
    for (name, text, value) in [
        ("a.json", r#"{"x": [1]}"#, json!({"x": [1]})),
        ("b.yaml", "x: yes\ny: 2\n", json!({"x": "yes", "y": 2})),
        ("c.jsonl", "{\"n\":1}\n\n{\"n\":2}\n", json!([{"n": 1}, {"n": 2}])),
        ("b.yml", "a: 0123\nb: 2020-01-02\n", json!({"a": "0123", "b": "2020-01-02"})),
        ("d.txt", "some\ntext", json!({"text": "some\ntext"})),
        ("sub/e", "[1]", json!([1])),
    ] {
        let file = directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        assert_eq!(output(&engine, &format!("<{name}> → copy"), Value::Null).await, value, "{name}");
        // And back again, into what is not there yet.
        let flow = format!("<{name}> → copy → <out/deep/{name}>");
        engine.run(&flow, Value::Null).await.unwrap().output().await.unwrap().unwrap();
        let again = output(&engine, &format!("<out/deep/{name}> → copy"), Value::Null).await;
        assert_eq!(again, value, "{name}");
    }
    fs::write(directory.join("f.csv"), "[7]").unwrap();
    assert_eq!(output(&engine, "<f.csv> ({\"format\": \"json\"}) → copy", Value::Null).await, json!([7]));
    let absolute =
        format!("<file://{}> → copy", fs::canonicalize(directory.join("a.json")).unwrap().display());
    assert_eq!(output(&engine, &absolute, Value::Null).await, json!({"x": [1]}));
    // The name may be made of the input.
    engine.run("copy → <orders/{input[id]}.json>", json!({"id": 7})).await.unwrap().wait().await.unwrap();
    assert_eq!(fs::read_to_string(directory.join("orders/7.json")).unwrap(), "{\n  \"id\": 7\n}\n");
    let drafts = fs::read_dir(directory.join("orders")).unwrap().count();
    assert_eq!(drafts, 1);
}

#[tokio::test]
async fn no_path_leads_out_of_the_directory() {
    let (engine, directory) = engine("inside").await;
    let outside = directory.parent().unwrap().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("x.json"), "{\"secret\": 1}").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&outside, directory.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.join("x.json"), directory.join("y.json")).unwrap();
        std::os::unix::fs::symlink(outside.join("new.json"), directory.join("z.json")).unwrap();
    }
    let absolute = format!("file://{}", outside.join("x.json").display());
    for path in
        ["../outside/x.json", "a/../../outside/x.json", "/etc/passwd", &absolute, "link/x.json", "y.json"]
    {
        let error = failure(&engine, &format!("<{path}> → copy"), Value::Null).await;
        assert!(error.contains("is outside of"), "{path}: {error}");
    }
    for path in ["../outside/n.json", "/tmp/n.json", "link/n.json", "link/deep/n.json"] {
        let error = failure(&engine, &format!("copy → <{path}>"), json!({"x": 1})).await;
        assert!(error.contains("is outside of"), "{path}: {error}");
    }
    for path in ["y.json", "z.json"] {
        let error = failure(&engine, &format!("copy → <{path}>"), json!({"x": 1})).await;
        assert!(error.contains("is no file, and is left as it is"), "{path}: {error}");
    }
    let error = failure(&engine, "copy → <./{input[path]}>", json!({"path": "../outside/n.json"})).await;
    assert!(error.contains("is outside of"), "{error}");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.join("x.json")).unwrap(), "{\"secret\": 1}");
}

#[tokio::test]
async fn what_cannot_be_loaded_or_stored_says_why() {
    let (engine, directory) = engine("wrong").await;
    fs::write(directory.join("long.txt"), "x".repeat(1001)).unwrap();
    fs::write(directory.join("bad.json"), "{").unwrap();
    fs::write(directory.join("bad.jsonl"), "1\n{").unwrap();
    fs::write(directory.join("three.json"), "3").unwrap();
    fs::write(directory.join("bytes.txt"), b"ab\xff").unwrap();
    fs::write(directory.join("tag.yaml"), "!!python/object/apply:os.getpid []").unwrap();
    fs::create_dir(directory.join("folder")).unwrap();
    for (flow, said) in [
        ("<tag.yaml> → copy", "tag.yaml cannot be read as application/yaml"),
        ("<gone.json> → copy", "cannot read gone.json: "),
        ("<long.txt> → copy", "long.txt is longer than 1000 bytes"),
        ("<bad.json> → copy", "bad.json cannot be read as application/json"),
        ("<bad.jsonl> → copy", "line 2: "),
        ("<three.json> → copy", "has to be an object or a list, and is the number 3"),
        ("<bytes.txt> → copy", "byte 3 is not UTF-8"),
        ("<folder> → copy", "folder is no file"),
        ("<ftp://x/y> → copy", "no resource can be at ftp:"),
        ("<a.json> ({\"formt\": \"json\"}) → copy", "did you mean `format`?"),
        ("copy → <out.txt>", "has to have a `text`"),
        ("copy → <folder>", "folder is no file"),
        ("copy → <bad.json/x>", "cannot"),
    ] {
        let error = failure(&engine, flow, json!({"x": 1})).await;
        assert!(error.contains(said), "{flow}: {error}");
    }
    let error = failure(&engine, "copy → <out.json>", json!({"x": "y".repeat(1000)})).await;
    assert!(error.contains("would be longer than 1000 bytes"), "{error}");
    assert!(!directory.join("out.json").exists());
}

#[cfg(feature = "http-client")]
#[tokio::test]
async fn resources_are_loaded_from_and_stored_at_urls() {
    let service = Service::new(|asked| match (asked.method.as_str(), asked.target.as_str()) {
        ("GET", "/data/a.json") => ("200 OK", "{\"x\": 1}".into()),
        ("GET", "/data/lines") => ("200 OK\r\ncontent-type: application/x-ndjson", "1\n2\n".into()),
        ("PUT" | "POST", _) => ("201 Created", String::new()),
        _ => ("404 Not Found", "nothing there".into()),
    })
    .await;
    let backend = Backend::memory();
    let builtin = Builtin::new(&backend).resources(&service.url("/data/")).unwrap();
    let engine = engine_with(&backend, builtin.clone()).await;
    assert_eq!(output(&engine, "<a.json> → copy", Value::Null).await, json!({"x": 1}));
    assert_eq!(output(&engine, "<lines> → copy", Value::Null).await, json!([1, 2]));
    let flow = format!("<{}> → copy", service.url("/data/a.json"));
    assert_eq!(output(&engine, &flow, Value::Null).await, json!({"x": 1}));
    for (parameters, method) in
        [("", "PUT"), ("({\"method\": \"POST\", \"headers\": {\"X-A\": \"b\"}})", "POST")]
    {
        let flow = format!("copy → <out/{{input[id]}}.json> {parameters}");
        engine.run(&flow, json!({"id": "a/b"})).await.unwrap().output().await.unwrap().unwrap();
        let asked = service.last();
        assert_eq!((asked.method.as_str(), asked.target.as_str()), (method, "/data/out/a%2Fb.json"));
        assert_eq!(
            (asked.header("content-type"), asked.header("x-a")),
            (Some("application/json"), (method == "POST").then_some("b"))
        );
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({"id": "a/b"}));
    }
    let error = failure(&engine, "<gone.json> → copy", Value::Null).await;
    assert!(error.contains("answered 404 Not Found: nothing there"), "{error}");
    let error = failure(&engine, "<http://169.254.169.254/x> → copy", Value::Null).await;
    assert!(error.contains("may not be called"), "{error}");
    engine.close().await.unwrap();
    // What is not listed is not called; what resources are relative to is.
    let engine = engine_with(&backend, builtin.allow_hosts(["example.org"])).await;
    assert_eq!(output(&engine, "<a.json> → copy", Value::Null).await, json!({"x": 1}));
    let other = Service::new(|_| ("200 OK", "{}".into())).await;
    let error = failure(&engine, &format!("<{}> → copy", other.url("/x.json")), Value::Null).await;
    assert!(error.contains("may not be called") && other.asked().is_empty(), "{error}");
}
