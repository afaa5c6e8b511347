//! The flows in `examples/flows/`, as the program runs them.

use super::super::program::Program;
use super::restart::Process;
use serde_json::{Value, json};
use std::process::Stdio;

const URL: &str = "file:data";

fn program(test: &str) -> Program {
    let flow = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/flows/{test}.flow"));
    Program::new(&format!("example-{test}"), &std::fs::read_to_string(flow).unwrap())
}

#[test]
fn water_makes_files_of_a_file_with_programs_that_are_allowed() {
    let program = program("water");
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/water-flow.csv");
    std::fs::copy(data, program.directory.join("water-flow.csv")).unwrap();
    let (code, _, err) = program.run(&["run", "a.flow"]);
    assert!(code == 1 && err.contains("nobody has the tasks `exec:awk`, `exec:sort`, `exec:wc`"), "{err}");
    let (code, _, err) = program.run(&["run", "a.flow", "--tasks", "exec"]);
    assert!(code == 1 && err.contains("awk may not be run: workflow.exec.allow has none"), "{err}");
    for way in ["MAPE_WORKFLOW__EXEC__ALLOW='[awk]'", "`workflow: {exec: {allow: [awk]}}` in config.yaml"] {
        assert!(err.contains(way), "{err}");
    }
    std::fs::write(program.directory.join("config.yaml"), "workflow: {exec: {allow: [awk, sort, wc]}}")
        .unwrap();
    let (code, _, err) = program.run(&["run", "a.flow", "--tasks", "exec"]);
    assert_eq!(code, 0, "{err}");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(program.directory.join("answers").join(name)).unwrap()).unwrap()
    };
    let hours = read("hours.json");
    assert_eq!(hours.as_array().unwrap().len(), 24);
    assert_eq!(hours[0], json!({"hour": "07", "mean": 102.5}));
    assert_eq!(read("lines.json"), json!({"exit_status": 0, "stdout": "1269\n"}));
}

#[test]
fn an_invoice_waits_for_a_person() {
    let program = program("invoice");
    let input = r#"{"amount": 5, "to": "Bob"}"#;
    let arguments = ["run", "a.flow", "--id", "i", "--input", input, "--backend", URL];
    let child = program.command(&arguments).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut process = Process(child);
    super::restart::kept(&mut process, "i");
    let (_, shown, _) = program.run(&["inspect", "i", "--backend", URL]);
    assert!(shown.contains("waits for ada or eve: Pay 5 to Bob?, until 2"), "{shown}");
    let no_answer = ["end", "i", "look", "1", "--output", r#"{"approved": "no"}"#, "--backend", URL];
    let (code, _, err) = program.run(&no_answer);
    assert!(code == 2 && err.contains("`approved` is true or false, not the text \"no\""), "{err}");
    let answer = r#"{"approved": true, "by": "eve"}"#;
    program.json(&["end", "i", "look", "1", "--output", answer, "--backend", URL]);
    let mut out = String::new();
    std::io::Read::read_to_string(&mut process.0.stdout.take().unwrap(), &mut out).unwrap();
    let output: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(output, json!({"amount": 5, "to": "Bob", "approved": true, "by": "eve"}));
}

#[test]
fn a_reminder_outlives_the_program() {
    let program = program("reminder");
    let input = r#"{"in": "3s", "what": "tea"}"#;
    let mut process = super::restart::started(&program, input);
    process.signal("-KILL");
    let (code, _, err) = program.run(&["run", "--id", "r", "--backend", URL]);
    assert!(code == 0 && err.contains("Remember: tea"), "{err}");
}

#[test]
fn what_is_logged_without_a_message_is_the_input() {
    let program = Program::new("logged", "log:info");
    let (code, _, err) = program.run(&["run", "a.flow", "--input", r#"{"x": 1}"#]);
    assert!(code == 0 && err.contains(r#"INFO [S] log:info: {"x":1} "#), "{err}");
}

#[test]
fn what_took_too_long_has_a_line_that_says_so() {
    let sleep = r#"exec:sleep ({"args": [9], "timeout": "300ms"})"#;
    let delay = r#"wait:delay ({"duration": "9d", "timeout": "300ms"})"#;
    let again = r#"wait:delay ({"duration": "9d", "timeout": "300ms", "retry": {"attempts": 1, "wait": 0}})"#;
    for (test, flow, lines) in [
        ("slow-exec", sleep, &["  exec:sleep (#1) failed: it took longer than 300ms"][..]),
        ("slow-wait", delay, &["  wait:delay (#1) failed: it took longer than 300ms"]),
        (
            "slow-again",
            again,
            &[
                "  wait:delay (#1) failed: it took longer than 300ms",
                "  wait:delay (#1, attempt 2) failed: it took longer than 300ms",
            ],
        ),
    ] {
        let program = Program::new(test, flow);
        let mut command = program.command(&["run", "a.flow", "--tasks", "exec"]);
        let out = command.env("MAPE_WORKFLOW__EXEC__ALLOW", "[sleep]").output().unwrap();
        let err = String::from_utf8_lossy(&out.stderr);
        for line in lines {
            assert_eq!(err.matches(line).count(), 1, "{line}: {err}");
        }
        assert!(!err.contains("cancelled"), "{err}");
    }
}

/// What is simulated sends and runs nothing, and ends once.
#[cfg(feature = "http-client")]
#[test]
fn a_simulation_of_built_in_tasks_does_nothing_outside_and_ends_each_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let flow = format!("request:get ({{\"url\": \"{url}\"}}) → wait:delay (- duration: 9d -) → exec:rm");
    let program = Program::new("simulated", &flow);
    program.json(&["run", "a.flow", "--id", "r", "--tasks", "simulate", "--backend", URL]);
    assert!(listener.accept().is_err());
    let run = program.json(&["inspect", "r", "--backend", URL]);
    let attempts: Vec<&Value> =
        run["steps"].as_array().unwrap().iter().map(|step| &step["attempt"]).collect();
    assert_eq!(attempts[1..4], [1, 1, 1]);
}

/// Secrets and services come from the configuration, and are seen nowhere; certificates are those of the system.
#[cfg(feature = "http-client")]
#[test]
fn requests_go_over_tls_with_secrets_of_the_configuration() {
    let parameters = json!({
        "category": "pay", "url": "orders", "output_mode": "response_text",
        "headers": {"X-Key": "{secrets[key]}"},
    });
    let program = Program::new("tls", &format!("request:get ({parameters})"));
    let authority = std::fs::canonicalize(crate::server::make_certificates(&program.directory)).unwrap();
    let served = serve_tls(&program.directory);
    let address = served.address;
    let run = |trusted: bool, id: &str| {
        let mut command = program.command(&["run", "a.flow", "--id", id, "--backend", URL, "--json"]);
        command.env(
            "MAPE_WORKFLOW__REQUEST__SERVICES__PAY__URL",
            format!("https://localhost:{}/v1/", address.port()),
        );
        command.env("MAPE_WORKFLOW__REQUEST__SERVICES__PAY__TOKEN", "token-of-pay");
        command.env("MAPE_WORKFLOW__SECRETS__KEY", "key-of-ours");
        if trusted {
            command.env("SSL_CERT_FILE", &authority).env_remove("SSL_CERT_DIR");
        }
        let output = command.output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let told = run(false, "untrusted");
    assert!(told.contains("certificate"), "{told}");
    let told = run(true, "trusted");
    assert!(told.contains("FINISHED") && told.contains("get /v1/orders"), "{told}");
    for secret in ["token-of-pay", "key-of-ours"] {
        assert!(!told.contains(secret) && told.contains("[redacted]"), "{told}");
        let archive = program.json(&["archive", "trusted", "--backend", URL]).to_string();
        assert!(!archive.contains(secret), "{archive}");
    }
}

/// A server that answers each request with it.
#[cfg(feature = "http-client")]
struct Served {
    address: std::net::SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

#[cfg(feature = "http-client")]
fn serve_tls(directory: &std::path::Path) -> Served {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let certificate = CertificateDer::from_pem_file(directory.join("server.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(directory.join("server.key")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut asked).await.ok()? == 0 {
                        return None;
                    }
                }
                let body = String::from_utf8_lossy(&asked).to_lowercase();
                let head =
                    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
                stream.shutdown().await.ok()
            });
        }
    });
    Served { address, _runtime: runtime }
}
