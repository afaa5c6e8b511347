//! Whom to trust.

use super::address::Address;
use super::obstacle::Obstacle;
use crate::backend::Error;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What makes connections secret, to servers with a certificate of those who are trusted.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

impl Tls {
    /// Trusts those in the file; without one, those whom the system trusts. Reads files, so it blocks.
    pub(super) fn trusting(ca_file: Option<&Path>) -> Result<Self, Error> {
        let (what, certificates) = match ca_file {
            Some(path) => (path.display().to_string(), read(path)),
            None => ("of the system".to_owned(), of_the_system()),
        };
        let unusable = |reason: String| Error::Certificates { what: what.clone(), reason };
        let mut roots = RootCertStore::empty();
        let (_, ignored) = roots.add_parsable_certificates(certificates.map_err(unusable)?);
        if roots.is_empty() {
            return Err(unusable(format!("there is none in it ({ignored} cannot be read)")));
        }
        // Named here, so that it does not matter which one the rest of the program installs, or whether it does.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(super) async fn connect(
        &self,
        address: &Address,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Obstacle> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Obstacle::unsuitable(address, "with TLS the host has to be a name or an address"))?;
        self.0.connect(name, stream).await.map_err(|error| refused(address, &error))
    }
}

/// What an error in a handshake means.
fn refused(address: &Address, error: &io::Error) -> Obstacle {
    let reason = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match reason {
        Some(rustls::Error::InvalidCertificate(_)) => {
            Obstacle::Final(Error::Untrusted { address: address.to_string(), reason: error.to_string() })
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            let problem = format!("it does not speak TLS ({error}); write `redis:` instead of `rediss:`");
            Obstacle::unsuitable(address, problem)
        }
        Some(_) => {
            Obstacle::unsuitable(address, format!("TLS fails with {error}; compare both sides' settings"))
        }
        None => Obstacle::passing(address, error),
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(|found| found.collect());
    certificates.map_err(|error: rustls::pki_types::pem::Error| error.to_string())
}

fn of_the_system() -> Result<Vec<CertificateDer<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    match found.errors.first() {
        Some(error) if found.certs.is_empty() => Err(error.to_string()),
        _ => Ok(found.certs),
    }
}
