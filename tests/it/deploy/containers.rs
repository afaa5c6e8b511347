//! The image, and what compose makes of it.

use super::{are_understood, document, is_valid, place, text, variables, words};
use crate::http::site::Site;
use crate::http::workflows::world::directory;
use crate::server::free_port;
use mape::app::App;
use mape::http::{Access, Role, Service};
use serde_json::Value;
use std::process::{Child, Command};

const PORT: &str = "6060";

/// The instructions of a file, with those lines that go on in one.
fn instructions() -> Vec<(String, String)> {
    let content = text("container/Dockerfile").replace("\\\n", " ");
    let lines = content.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(' ').unwrap();
            (name.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

#[test]
fn the_image_has_the_program_alone_and_a_user_without_rights() {
    const KNOWN: [&str; 11] = [
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "EXPOSE",
        "FROM",
        "RUN",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
        "LABEL",
    ];
    let all = instructions();
    assert!(all.iter().all(|(name, _)| KNOWN.contains(&name.as_str())), "{all:?}");
    let last = all.iter().rposition(|(name, _)| name == "FROM").unwrap();
    let image = &all[last..];
    let value = |name: &str| {
        let mut values = image.iter().filter(|(one, _)| one == name).map(|(_, value)| value.as_str());
        (values.next().unwrap_or_default(), values.next())
    };
    assert!(value("FROM").0.starts_with("debian:") && value("FROM").0.ends_with("-slim"));
    assert_eq!(value("COPY"), ("--from=build /mape /usr/local/bin/mape", None));
    assert_eq!(value("USER"), ("10001:10001", None));
    assert_eq!(value("EXPOSE"), (PORT, None));
    assert_eq!(value("ENTRYPOINT"), (r#"["/usr/local/bin/mape"]"#, None));
    let command: Vec<String> = serde_json::from_str(value("CMD").0).unwrap();
    are_understood(&command.iter().map(String::as_str).collect::<Vec<_>>());
    // What is built is what is tested: the version that Cargo.toml asks for at least.
    let manifest = include_str!("../../../Cargo.toml");
    let version = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(all[0].1.starts_with(&format!("rust:{version}")), "{}: {version}", all[0].1);
}

#[test]
fn compose_names_only_what_is_there() {
    let compose = document("compose/compose.yaml");
    let services = compose["services"].as_object().unwrap();
    let all = ["grafana", "influxdb", "prometheus", "receipts", "redis", "serve", "worker"];
    assert_eq!(services.keys().collect::<Vec<_>>(), all);
    for (name, service) in services {
        let files = match &service["env_file"] {
            Value::String(file) => vec![file.as_str()],
            list => words(list),
        };
        for file in files {
            assert!(place(&format!("compose/{file}.example")).exists(), "{name}: {file}");
        }
        for config in service["configs"].as_array().into_iter().flatten() {
            let config = &compose["configs"][config["source"].as_str().unwrap()]["file"];
            assert!(place("compose").join(config.as_str().unwrap()).exists(), "{name}: {config}");
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let volume = volume.as_str().unwrap().split(':').next().unwrap();
            let is_there = if volume.starts_with('.') {
                place("compose").join(volume).exists()
            } else {
                compose["volumes"].as_object().unwrap().contains_key(volume)
            };
            assert!(is_there, "{name}: {volume}");
        }
        for other in service["depends_on"].as_object().into_iter().flatten().map(|(other, _)| other) {
            assert!(services[other]["healthcheck"].is_object(), "{name}: {other}");
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
    let build = &services["serve"]["build"];
    let context = place("compose").join(build["context"].as_str().unwrap());
    assert!(context.join(build["dockerfile"].as_str().unwrap()).exists());
}

#[test]
fn compose_starts_what_the_program_can_do() {
    let compose = document("compose/compose.yaml");
    for name in ["serve", "worker", "receipts"] {
        let service = &compose["services"][name];
        are_understood(&words(&service["command"]));
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(service["configs"][0]["target"], "/etc/mape/config.yaml", "{name}");
    }
    is_valid("compose/config.yaml", &["compose/redis.env.example", "compose/mape.env.example"]);
    let config = document("compose/config.yaml");
    let address = config["rest"]["address"].as_str().unwrap();
    let published = words(&compose["services"]["serve"]["ports"]);
    assert_eq!(published, [format!("127.0.0.1:{PORT}:{}", address.rsplit(':').next().unwrap())]);
    assert_eq!(config["backend"]["url"], "redis://redis:6379/0");
    // InfluxDB is set up with what it is asked by.
    let set_up = variables("compose/influxdb.env.example");
    let value = |name: &str| set_up.iter().find(|(one, _)| one == name).unwrap().1.as_str();
    assert_eq!(value("DOCKER_INFLUXDB_INIT_MODE"), "setup");
    for (name, key) in [("ORG", "org"), ("BUCKET", "bucket")] {
        assert_eq!(config["influxdb"][key], value(&format!("DOCKER_INFLUXDB_INIT_{name}")));
    }
    for name in ["USERNAME", "PASSWORD", "ADMIN_TOKEN"] {
        value(&format!("DOCKER_INFLUXDB_INIT_{name}"));
    }
}

/// A command as compose hands it on, in which `$$` stands for `$`.
fn handed(command: &Value) -> Vec<String> {
    words(command).into_iter().map(|word| word.replace("$$", "$")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_of_health_hears_whether_a_service_is_ready() {
    let compose = document("compose/compose.yaml");
    let check = handed(&compose["services"]["serve"]["healthcheck"]["test"]);
    assert_eq!(check[..3], ["CMD", "bash", "-c"]);
    let is_well = |port: u16| {
        let script = check[3].replace(&format!("/{PORT}"), &format!("/{port}"));
        Command::new("bash").args(["-c", &script]).output().unwrap().status.success()
    };
    let access = Access::new().token("somebody", "a long random text", Role::Read);
    let site = Site::with(Service::new(&App::new()).access(access)).await;
    let port = site.serving.address().port();
    assert!(tokio::task::block_in_place(|| is_well(port)), "it needs no token");
    drop(site);
    assert!(!tokio::task::block_in_place(|| is_well(port)));
}

/// A process that does not outlive the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn redis_keeps_what_it_is_given_and_asks_for_the_password() {
    const PASSWORD: &str = "a-long-password";
    let compose = document("compose/compose.yaml");
    let kubernetes = super::documents("kustomize/base/redis.yaml");
    let set = kubernetes.iter().find(|one| one["kind"] == "StatefulSet").unwrap();
    let kept = &set["spec"]["template"]["spec"]["containers"][0]["command"];
    let scripts = [
        handed(&compose["services"]["redis"]["command"]),
        words(kept).iter().map(ToString::to_string).collect(),
    ];
    for command in scripts {
        let (port, config) = (free_port(), place("compose/redis.conf"));
        // The same on a port and in a directory of its own.
        let of_its_own = format!("port {port}\ndir {}\nbind 127.0.0.1\nrequirepass", directory().display());
        let script = command[2].replace("requirepass", &of_its_own);
        let script = script.replace("/etc/redis.conf", config.to_str().unwrap());
        let script = script.replace("/etc/redis/redis.conf", config.to_str().unwrap());
        let server = Command::new(&command[0])
            .args([&command[1], &script])
            .env("MAPE_BACKEND__PASSWORD", PASSWORD)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Ended(server);
        let ask = |words: &[&str]| {
            let mut command = Command::new("redis-cli");
            command.args(["-p", &port.to_string()]).args(words).env("REDISCLI_AUTH", PASSWORD);
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        crate::server::until("Redis answers", || ask(&["PING"]).contains("PONG"));
        let refused = Command::new("redis-cli").args(["-p", &port.to_string(), "PING"]).output().unwrap();
        assert!(String::from_utf8_lossy(&refused.stdout).contains("NOAUTH"), "{refused:?}");
        for (key, value) in [
            ("appendonly", "yes"),
            ("appendfsync", "everysec"),
            ("maxmemory-policy", "noeviction"),
            ("protected-mode", "yes"),
        ] {
            assert_eq!(ask(&["CONFIG", "GET", key]).lines().nth(1), Some(value), "{key}");
        }
        assert_ne!(ask(&["CONFIG", "GET", "maxmemory"]).lines().nth(1), Some("0"));
        // The shell has made room for it, so that it hears itself when it is told to end.
        let kill = format!("kill -TERM {}", server.0.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert!(server.0.wait().unwrap().success());
    }
}
