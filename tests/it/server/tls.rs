//! Certificates of a test's own authority.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The lines of redis-server's configuration for what [`make_certificates`] makes in the server's directory.
pub(crate) const CONFIGURATION: &str =
    "tls-ca-cert-file ca.crt\ntls-cert-file server.crt\ntls-key-file server.key\ntls-auth-clients no";

/// Makes an authority and a certificate for 127.0.0.1 and localhost, in PEM. The answer is the file of what a client has
/// to trust.
pub(crate) fn make_certificates(directory: &Path) -> PathBuf {
    openssl(directory, "ca", &["-subj", "/CN=authority of a test"]);
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    let signed = ["-subj", "/CN=localhost", "-CA", "ca.crt", "-CAkey", "ca.key", "-addext", names];
    let end = ["-addext", "basicConstraints=critical,CA:FALSE"];
    openssl(directory, "server", &[&signed[..], &end[..]].concat());
    directory.join("ca.crt")
}

/// Makes NAME.key and NAME.crt.
fn openssl(directory: &Path, name: &str, options: &[&str]) {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-keyout", &key, "-out", &certificate])
        .args(options)
        .current_dir(directory)
        .output()
        .expect("openssl does not start: is the package openssl installed?");
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}
